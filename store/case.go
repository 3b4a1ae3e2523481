package store

import (
	"context"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CaseKind is what a person needs a human for.
type CaseKind string

// The kinds of cases.
const (
	CaseMissingStamp CaseKind = "missing_stamp"
	CaseHuman        CaseKind = "human"
)

// Case is a person's request that waits for a human.
type Case struct {
	ID        loyalty.ID `db:"id"`
	Person    loyalty.ID `db:"person_id"`
	Card      string     `db:"card_code"` // stands for the person where people read; "" for one without a card
	Kind      CaseKind   `db:"kind"`
	Note      string     `db:"note"` // what the person wrote
	CreatedAt time.Time  `db:"created_at"`
	ClosedAt  *time.Time `db:"closed_at"`
}

// Folio is what the person was told to name the case by: the end of the ID,
// which is random.
func (c Case) Folio() string {
	id := string(c.ID)
	return strings.ToUpper(id[max(0, len(id)-6):])
}

const (
	caseColumns = `id, person_id, kind, note, created_at, closed_at,
	  coalesce((SELECT c.card_code FROM consumers c WHERE c.person_id = cases.person_id), '') AS card_code`
	caseFields = `SELECT ` + caseColumns + ` FROM cases`
)

// mostNote is how much of a note is kept.
const mostNote = 2000

// OpenCase notes what a person needs. The person's open case of the same kind
// takes a further note in, so that impatience does not make a pile.
func (tx *Tx) OpenCase(ctx context.Context, person loyalty.ID, kind CaseKind, note string) (Case, error) {
	note = readable(note, mostNote)
	open, err := fetch[Case](ctx, tx, errNoCase(), caseFields+`
		WHERE person_id = $1 AND kind = $2 AND closed_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE`, person, kind)
	switch {
	case err == nil:
		open.Note = readable(strings.TrimSpace(open.Note+"\n"+note), mostNote)
		_, err = tx.tx.Exec(ctx, `UPDATE cases SET note = $2 WHERE id = $1`, open.ID, open.Note)
		return open, err
	case loyalty.CodeOf(err) != loyalty.CodeNotFound:
		return Case{}, err
	}
	return fetch[Case](ctx, tx, errNoCase(), `
		INSERT INTO cases (id, person_id, kind, note, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING `+caseColumns,
		tx.newID(), person, kind, note, tx.now)
}

// Cases lists the open cases, the oldest first (admin).
func (tx *Tx) Cases(ctx context.Context, scope loyalty.Scope, page Page) ([]Case, loyalty.ID, error) {
	return list(ctx, tx, page, func(v Case) loyalty.ID { return v.ID },
		caseFields+` WHERE $1 AND closed_at IS NULL AND id > $2 ORDER BY id LIMIT $3`, scope.All())
}

// CloseCase settles a case (admin). A closed one stays as it was closed.
func (tx *Tx) CloseCase(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Case, error) {
	if err := adminOnly(scope); err != nil {
		return Case{}, err
	}
	v, err := fetch[Case](ctx, tx, errNoCase(), `
		UPDATE cases SET closed_at = coalesce(closed_at, $2) WHERE id = $1
		RETURNING `+caseColumns, id, tx.now)
	tx.audit(scope, Closed, "case", v.ID, v.Folio())
	return v, err
}

func errNoCase() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese caso.")
}

// readable makes what a person wrote storable: valid text of at most most
// characters. It is kept as a note, so nothing in it is a mistake.
func readable(s string, most int) string {
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(strings.TrimSpace(s), ""), "\x00", ""))
	return string(runes[:min(len(runes), most)])
}
