package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Some channels give a message an ID of their own, and take none of ours. The
// outbox keeps it, so that who asks before a second attempt does not send twice,
// and so that the channel's reports find their message.

// OnWire is what a channel needs to know before it sends a message.
type OnWire struct {
	ID      string    // the channel's own ID; "" while it has not taken the message, as far as we know
	WroteAt time.Time // when the person last wrote in the channel; zero: never
}

// Wire says whether a channel has the message already, and when its person last
// wrote there.
func (tx *Tx) Wire(ctx context.Context, messageID string, person loyalty.ID, channel string) (w OnWire, err error) {
	var wrote *time.Time
	err = tx.tx.QueryRow(ctx, `
		SELECT coalesce((SELECT wire_id FROM outbox WHERE message_id = $1), ''),
		  (SELECT least(received_at, sent_at) FROM inbox WHERE person_id = $2 AND channel = $3 ORDER BY seq DESC LIMIT 1)`,
		messageID, person, channel).Scan(&w.ID, &wrote)
	if wrote != nil {
		w.WroteAt = *wrote
	}
	return w, err
}

// NoteWire notes the channel's own ID of a message. The first one stays, except
// where replace says that the message was handed over once more. What was said to
// somebody who is forgotten gets none any more: it would hold their phone again.
func (tx *Tx) NoteWire(ctx context.Context, messageID, wire string, replace bool) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox o SET wire_id = $2
		WHERE message_id = $1 AND (wire_id IS NULL AND status <> 'failed' OR $3) AND wire_id IS DISTINCT FROM $2
		  AND (status = 'queued' OR EXISTS (SELECT FROM persons p WHERE p.id = o.person_id AND p.erased_at IS NULL))`,
		messageID, wire, replace)
	return err
}

// MessageOnWire is our ID of the message that a channel calls wire, or "".
func (tx *Tx) MessageOnWire(ctx context.Context, wire string) (messageID string, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT message_id FROM outbox WHERE wire_id = $1`, wire).Scan(&messageID)
	if none(err) {
		return "", nil
	}
	return messageID, err
}

// FailOnWire makes a dead letter of a message that the channel had taken as wire
// and then could not bring to the person. One that is known to have arrived stays
// so, and a report of an earlier attempt does not fail a later one.
func (tx *Tx) FailOnWire(ctx context.Context, messageID, wire, problem string) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET status = 'failed', problem = $3, claimed_until = NULL, wire_id = NULL
		WHERE message_id = $1 AND status IN ('queued', 'sent') AND (wire_id = $2 OR wire_id IS NULL AND status = 'sent')`,
		messageID, wire, problem)
	return err
}
