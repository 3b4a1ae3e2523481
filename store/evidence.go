package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// EvidenceLife is how long an evidence code can be used.
const EvidenceLife = 24 * time.Hour

// Evidence is a single-use proof that stands in for a scan.
type Evidence struct {
	Code      string
	ExpiresAt time.Time
}

// evidenceRow is what a purchase needs to know of a code; nil is an unknown one.
type evidenceRow struct {
	ExpiresAt time.Time  `db:"expires_at"`
	UsedAt    *time.Time `db:"used_at"`
}

func (e *evidenceRow) usable(now time.Time) error {
	switch {
	case e == nil:
		return loyalty.NotFound(loyalty.CodeEvidenceUnknown, "Ese código no existe. Revisa que esté bien escrito.")
	case e.UsedAt != nil:
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeEvidenceUsed, "Ese código ya se usó. Pide al cliente uno nuevo.")
	case !now.Before(e.ExpiresAt):
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeEvidenceExpired, "Ese código ya venció. Pide al cliente uno nuevo.")
	}
	return nil
}

// IssueEvidence gives the consumer an evidence code: the one in hand while at
// least half of its life is left, so that a double tap does not make two.
func (tx *Tx) IssueEvidence(ctx context.Context, person loyalty.ID) (Evidence, error) {
	// The consumer's row is the lock under which two taps become one code.
	if err := tx.lockConsumer(ctx, person); err != nil {
		return Evidence{}, err
	}
	e, err := tx.OpenEvidence(ctx, person)
	if err != nil || e.ExpiresAt.After(tx.now.Add(EvidenceLife/2)) {
		return e, err
	}
	for {
		e = Evidence{Code: loyalty.NewCode(loyalty.EvidenceCode, tx.db.opt.Random), ExpiresAt: tx.now.Add(EvidenceLife)}
		tag, err := tx.tx.Exec(ctx, `
			INSERT INTO evidence_codes (code, person_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT DO NOTHING`, e.Code, person, tx.now, e.ExpiresAt)
		if err != nil || tag.RowsAffected() == 1 {
			return e, err
		}
	}
}

// OpenEvidence gives the consumer's newest code that can still be used; its
// Code is "" where there is none.
func (tx *Tx) OpenEvidence(ctx context.Context, person loyalty.ID) (Evidence, error) {
	var e Evidence
	err := tx.tx.QueryRow(ctx, selectEvidence(ofPerson(person)), person, tx.now, tx.now.Add(-EvidenceLife)).Scan(&e.Code, &e.ExpiresAt)
	return e, ignoreNone(err)
}

// selectEvidence reads the newest code that stands at $2. It looks at none that was
// issued before $3: those have expired, however many there are.
func selectEvidence(of whose) string {
	return `
		SELECT code, expires_at FROM evidence_codes
		WHERE person_id = ` + of.person + ` AND issued_at >= $3 AND used_at IS NULL AND expires_at > $2 ORDER BY issued_at DESC LIMIT 1`
}

// FindEvidence says whether a code can be used now: nil, or
// EVIDENCE_CODE_UNKNOWN, EVIDENCE_CODE_USED, EVIDENCE_CODE_EXPIRED.
func (tx *Tx) FindEvidence(ctx context.Context, code string) error {
	var e evidenceRow
	err := tx.tx.QueryRow(ctx, `SELECT expires_at, used_at FROM evidence_codes WHERE code = $1`, code).Scan(&e.ExpiresAt, &e.UsedAt)
	if none(err) {
		return (*evidenceRow)(nil).usable(tx.now)
	}
	if err != nil {
		return err
	}
	return e.usable(tx.now)
}

// CardExists says whether a card code is somebody's.
func (tx *Tx) CardExists(ctx context.Context, code string) (bool, error) {
	var exists bool
	err := tx.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM consumers c JOIN persons p ON p.id = coalesce(c.merged_into, c.person_id) WHERE c.card_code = $1 AND p.erased_at IS NULL)`, code).
		Scan(&exists)
	return exists, err
}
