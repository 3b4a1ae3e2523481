package store

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Verb is what somebody did, in the audit.
type Verb string

// The verbs.
const (
	Created   Verb = "create"
	Updated   Verb = "update"
	Deleted   Verb = "delete"
	Moved     Verb = "move"     // on in its life
	Cancelled Verb = "cancel"   // before it came to be
	Delivered Verb = "deliver"  // a reward
	InvitedTo Verb = "invite"   // somebody to take part
	Revoked   Verb = "revoke"   // a key, sessions
	Reset     Verb = "reset"    // a password, by a link to choose another
	Changed   Verb = "password" // one's own password
	Closed    Verb = "close"    // a case
	Resumed   Verb = "resume"   // a number that had stopped
	Redriven  Verb = "redrive"  // a message that had not got through
	Adjusted  Verb = "adjust"   // a balance, by hand
	Reversed  Verb = "reverse"  // a purchase
	Opened    Verb = "open"     // what is private: a chat
	Ran       Verb = "run"      // a job
	Paused    Verb = "pause"    // a queue
	Unpaused  Verb = "unpause"
	Exported  Verb = "export"
	Verified  Verb = "verify"
)

// AuditRow is one administrative change.
type AuditRow struct {
	ID        loyalty.ID    `db:"id"`
	Actor     string        `db:"actor"` // as Scope.Actor says it
	Name      string        `db:"name"`  // of staff; "" for others
	Verb      Verb          `db:"verb"`
	Noun      string        `db:"noun"`
	Subject   loyalty.ID    `db:"subject"` // "" where it has no ID
	Label     string        `db:"label"`
	Changes   []FieldChange `db:"changes"`
	CreatedAt time.Time     `db:"created_at"`
}

// AuditFilter chooses rows; its zero value takes all.
type AuditFilter struct {
	Actor       string
	Noun        string
	Subject     loyalty.ID
	Since, Till time.Time // Till itself is left out
}

// audit notes an administrative change in the transaction that makes it: what was
// done to what is so known for good, or it was not done. It waits for nothing.
// Phones and secrets have no place in it; changed leaves the former out.
func (tx *Tx) audit(scope loyalty.Scope, verb Verb, noun string, subject loyalty.ID, label string, changes ...FieldChange) {
	if tx.pipe == nil || len(changes) == 0 && verb == Updated {
		return // it only reads, or all is as it was
	}
	if changes == nil {
		changes = []FieldChange{}
	}
	tx.later(`INSERT INTO audit (id, actor, verb, noun, subject, label, changes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		tx.newID(), scope.Actor(), verb, noun, optional(subject), label, changes, tx.now)
}

// unaudited are the fields of rows that say nothing, or that nobody may keep.
var unaudited = []string{"id", "created_at", "updated_at", "phone", "jid", "qr"}

// changed compares two rows by their columns. Of a tendero, who is a person and
// can be erased, the name stays out as well.
func changed[T any](from, to T) (all []FieldChange) {
	a, b := reflect.ValueOf(from), reflect.ValueOf(to)
	_, person := any(to).(Tendero)
	for i := range a.NumField() {
		name := a.Type().Field(i).Tag.Get("db")
		if name == "" || slices.Contains(unaudited, name) || person && name == "name" {
			continue
		}
		was, is := a.Field(i).Interface(), b.Field(i).Interface()
		if !reflect.DeepEqual(was, is) {
			all = append(all, difference(name, was, is))
		}
	}
	return all
}

// made are the columns that a new row fills.
func made[T any](row T) (all []FieldChange) {
	var none T
	all = changed(none, row)
	for i := range all {
		all[i].From = nil
	}
	return all
}

// Note notes that somebody looked at what is private, or did what leaves no
// trace in this database: a queue that was stopped, a file that was taken away.
func (tx *Tx) Note(_ context.Context, scope loyalty.Scope, verb Verb, noun string, subject loyalty.ID, label string) error {
	if err := adminOnly(scope); err != nil {
		return err
	}
	tx.audit(scope, verb, noun, subject, label)
	return nil
}

// NoteVerified notes that a sample of the ledger was recomputed, and how many
// figures differed.
func (tx *Tx) NoteVerified(differences int) {
	tx.audit(loyalty.System(), Verified, "ledger", "", "", difference("differences", nil, differences))
}

// LastVerified says when the ledger was recomputed last, and how many figures
// differed (an admin); the zero time is never.
func (tx *Tx) LastVerified(ctx context.Context, scope loyalty.Scope) (at time.Time, differences int, err error) {
	if err := adminOnly(scope); err != nil {
		return at, 0, err
	}
	err = tx.tx.QueryRow(ctx, `
		SELECT created_at, (changes->0->>'to')::int FROM audit WHERE noun = 'ledger' ORDER BY id DESC LIMIT 1`).Scan(&at, &differences)
	return at, differences, ignoreNone(err)
}

// Audit lists changes, the newest first (an admin).
func (tx *Tx) Audit(ctx context.Context, scope loyalty.Scope, f AuditFilter, p Page) ([]AuditRow, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return nil, "", err
	}
	return listDown(ctx, tx, p, func(v AuditRow) loyalty.ID { return v.ID }, `
		SELECT a.id, a.actor, coalesce(s.name, '') AS name, a.verb, a.noun, coalesce(a.subject::text, '') AS subject, a.label, a.changes, a.created_at
		FROM audit a LEFT JOIN staff s ON a.actor = 'staff:' || s.id
		WHERE ($1 = '' OR a.actor = $1) AND ($2 = '' OR a.noun = $2) AND ($3::uuid IS NULL OR a.subject = $3)
		AND ($4::timestamptz IS NULL OR a.created_at >= $4) AND ($5::timestamptz IS NULL OR a.created_at < $5)
		AND a.id < $6 ORDER BY a.id DESC LIMIT $7`,
		clean(f.Actor), clean(f.Noun), optional(f.Subject), optionalTime(f.Since), optionalTime(f.Till))
}

// AuditNouns are those of which there is a row.
func (tx *Tx) AuditNouns(ctx context.Context, scope loyalty.Scope) ([]string, error) {
	if err := adminOnly(scope); err != nil {
		return nil, err
	}
	// Steps from noun to noun along the index, however many rows there are of each.
	rows, err := tx.tx.Query(ctx, `
		WITH RECURSIVE n AS (
		  (SELECT noun FROM audit ORDER BY noun LIMIT 1)
		  UNION ALL SELECT (SELECT a.noun FROM audit a WHERE a.noun > n.noun ORDER BY a.noun LIMIT 1) FROM n WHERE n.noun IS NOT NULL
		) SELECT noun FROM n WHERE noun IS NOT NULL ORDER BY noun`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
