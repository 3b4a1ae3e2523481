package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ConsentKind is what a person agreed to or withdrew.
type ConsentKind string

// The kinds of consent.
const (
	NoticeGiven ConsentKind = "privacy_notice" // the notice was in the first answer
	OptOut      ConsentKind = "opt_out"        // BAJA
	OptIn       ConsentKind = "opt_in"         // ALTA
	Erasure     ConsentKind = "erasure"        // "borren mis datos", confirmed
)

// PrivacyNoticeVersion names the text that consents refer to.
const PrivacyNoticeVersion = "2026-11"

// RecordConsent keeps the proof: what, when, and by which message.
func (tx *Tx) RecordConsent(ctx context.Context, person loyalty.ID, kind ConsentKind, messageID string) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO consents (id, person_id, kind, text_version, message_id, at) VALUES ($1, $2, $3, $4, $5, $6)`,
		tx.newID(), person, kind, PrivacyNoticeVersion, messageID, tx.now)
	return err
}

// Agreed is how a person stands: what was agreed to or withdrawn, newest first, and
// whether the bot may write first.
type Agreed struct {
	Messages bool
	All      []Consent
}

// Consent is one thing that was agreed to or withdrawn.
type Consent struct {
	Kind ConsentKind `db:"kind"`
	At   time.Time   `db:"at"`
}

// Consents gives how a person stands, with the latest of what led there.
func (tx *Tx) Consents(ctx context.Context, person loyalty.ID) (a Agreed, err error) {
	if err := tx.tx.QueryRow(ctx, `SELECT opted_out_at IS NULL FROM persons WHERE id = $1`, person).Scan(&a.Messages); err != nil {
		return a, err
	}
	a.All, err = collect[Consent](ctx, tx, `SELECT kind, at FROM consents WHERE person_id = $1 ORDER BY at DESC, id DESC LIMIT 12`, person)
	return a, err
}

// OptOut stops everything that the bot starts, at once: what waits to be sent
// is dropped in the same commit.
func (tx *Tx) OptOut(ctx context.Context, person loyalty.ID, messageID string) error {
	_, err := tx.tx.Exec(ctx, `UPDATE persons SET opted_out_at = $2, updated_at = $2 WHERE id = $1`, person, tx.now)
	if err != nil {
		return err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE outbox SET status = 'dropped', problem = 'opted out'
		WHERE person_id = $1 AND status = 'queued' AND lane <> 'reply'`, person)
	if err != nil {
		return err
	}
	return tx.RecordConsent(ctx, person, OptOut, messageID)
}

// OptIn lets the bot write first again.
func (tx *Tx) OptIn(ctx context.Context, person loyalty.ID, messageID string) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE persons SET opted_out_at = NULL, promotions_at = $2, updated_at = $2 WHERE id = $1`, person, tx.now)
	if err != nil {
		return err
	}
	return tx.RecordConsent(ctx, person, OptIn, messageID)
}

// Erase forgets who a consumer is: name, birthday, messages, links and unused
// codes go; the ledger keeps its pseudonym. The addresses go when the answer
// that confirms it has left (ForgetAddresses). A tendero or a brand's member
// stays one: only what belongs to the consumer goes.
func (tx *Tx) Erase(ctx context.Context, person loyalty.ID, messageID string) error {
	// The consumer first, as everybody who changes what is a consumer's.
	if _, err := tx.lockMerged(ctx, []loyalty.ID{person}); err != nil {
		return err
	}
	if err := tx.lockConsumer(ctx, person); err != nil && loyalty.CodeOf(err) != loyalty.CodeCardNotFound {
		return err
	}
	if err := tx.RecordConsent(ctx, person, Erasure, messageID); err != nil {
		return err
	}
	for _, sql := range []string{
		`UPDATE persons p SET name = NULL, birthday = NULL, promotions_at = NULL, updated_at = $2::timestamptz,
		   erased_at = CASE WHEN EXISTS (SELECT FROM tenderos t WHERE t.person_id = p.id AND t.active)
		                      OR EXISTS (SELECT FROM staff s WHERE s.person_id = p.id) THEN NULL ELSE $2::timestamptz END
		 WHERE id = $1`,
		`UPDATE tokens SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL`,
	} {
		if _, err := tx.tx.Exec(ctx, sql, person, tx.now); err != nil {
			return err
		}
	}
	if err := tx.voidLinks(ctx, person); err != nil {
		return err
	}
	for _, sql := range []string{
		`UPDATE outbox SET status = CASE status WHEN 'queued' THEN 'dropped' ELSE status END, body = '', vars = NULL WHERE person_id = $1`,
		`UPDATE inbox SET text = '' WHERE person_id IN (SELECT id FROM persons WHERE id = $1 OR merged_into = $1)`,
		`UPDATE media SET status = 'refused', content = NULL, sha256 = NULL, ref = NULL, problem = 'erased' WHERE inbox_id IN (
		   SELECT i.id FROM inbox i JOIN persons p ON p.id = i.person_id WHERE p.id = $1 OR p.merged_into = $1)`,
		`UPDATE cases SET note = '' WHERE person_id = $1`,
		`UPDATE conversations SET session = NULL WHERE person_id = $1`,
		`DELETE FROM otps WHERE person_id = $1`,
		`DELETE FROM evidence_codes WHERE person_id = $1 AND used_at IS NULL`,
		`DELETE FROM segment_members WHERE person_id = $1`,
	} {
		if _, err := tx.tx.Exec(ctx, sql, person); err != nil {
			return err
		}
	}
	return nil
}

// ForgetAddresses deletes the phones of those who were erased and with whom
// nothing is left to be said. It gives how many.
//
// Meta's IDs of messages hold the phone, in base64: what stays of them is only
// good to tell one from another.
func (tx *Tx) ForgetAddresses(ctx context.Context) (n int64, err error) {
	const hashed = `'erased:' || encode(sha256(convert_to(message_id, 'UTF8')), 'hex')`
	err = tx.tx.QueryRow(ctx, `
		WITH gone AS (
			DELETE FROM addresses a USING persons p
			WHERE p.id = a.person_id AND p.erased_at IS NOT NULL
			  AND NOT EXISTS (SELECT FROM outbox o WHERE o.person_id = p.id AND o.status = 'queued')
			  AND NOT EXISTS (SELECT FROM inbox i WHERE i.person_id = p.id AND i.status = 'pending')
			RETURNING p.id
		), people AS (
			SELECT id FROM persons WHERE id IN (SELECT id FROM gone) OR merged_into IN (SELECT id FROM gone)
		), received AS (
			UPDATE inbox SET message_id = `+hashed+`, of_id = NULL WHERE person_id IN (SELECT id FROM people) AND channel = 'cloud'
		), sent AS (
			UPDATE outbox SET wire_id = NULL WHERE person_id IN (SELECT id FROM people) AND wire_id IS NOT NULL
		), agreed AS (
			UPDATE consents SET message_id = `+hashed+` WHERE person_id IN (SELECT id FROM people) AND message_id LIKE 'wamid.%'
		)
		SELECT count(*) FROM gone`).Scan(&n)
	return n, err
}
