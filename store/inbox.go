package store

import (
	"context"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Inbound is a message as a channel received it.
type Inbound struct {
	Channel   string
	From      loyalty.Phone
	MessageID string // the channel's own, 1 to 128 characters
	Kind      string // text, image, audio, … (see the inbox table)
	Text      string // or the caption
	TraceID   string
}

// Receive persists a message; after the commit it may be acknowledged. The
// same message again is known by its ID, and nothing happens (law 2).
func (tx *Tx) Receive(ctx context.Context, in Inbound) (repeated bool, err error) {
	from, err := tx.AddressOf(ctx, in.From)
	if err != nil {
		return false, err
	}
	id := tx.newID()
	tag, err := tx.tx.Exec(ctx, `
		INSERT INTO inbox (id, channel, address_id, message_id, person_id, kind, text, trace_id, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT ON CONSTRAINT inbox_message_key DO NOTHING`,
		id, in.Channel, from.ID, in.MessageID, from.Person, in.Kind, storable(in.Text), in.TraceID, tx.now)
	if err != nil || tag.RowsAffected() == 0 {
		return err == nil, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE persons SET first_wrote_at = coalesce(first_wrote_at, $2), last_wrote_at = $2 WHERE id = $1`,
		from.Person, tx.now)
	tx.ring(Event{Kind: TurnDue, ID: from.Person, Row: id})
	return false, err
}

// storable makes any text fit for Postgres, which refuses broken UTF-8 and NUL.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// Message is an inbox row that waits for its answer.
type Message struct {
	ID         loyalty.ID `db:"id"`
	Channel    string     `db:"channel"`
	Address    loyalty.ID `db:"address_id"`
	MessageID  string     `db:"message_id"`
	Person     loyalty.ID `db:"person_id"`
	Kind       string     `db:"kind"`
	Text       string     `db:"text"`
	Attempts   int        `db:"attempts"`
	TraceID    string     `db:"trace_id"`
	ReceivedAt time.Time  `db:"received_at"`
}

// MaxAttempts is how often a message may make a turn fail before it is parked.
const MaxAttempts = 3

// FailTurn notes that a turn failed, in a transaction of its own. The third
// time the message is parked with its reason, the person is told politely, and
// the next message has its turn.
func (tx *Tx) FailTurn(ctx context.Context, m Message, problem string) (parked bool, err error) {
	err = tx.tx.QueryRow(ctx, `
		UPDATE inbox SET attempts = attempts + 1, problem = $2,
		  status = CASE WHEN attempts + 1 >= $3 THEN 'parked' ELSE status END
		WHERE id = $1 AND status = 'pending' RETURNING status = 'parked'`, m.ID, problem, MaxAttempts).Scan(&parked)
	if none(err) {
		return false, nil
	}
	if err != nil || !parked {
		return parked, err
	}
	return parked, tx.reply(ctx, m, Reply{Template: "conversation.parked"})
}

// DueTurns finds persons with messages that wait for longer than patience: the
// sweep that makes a lost ring harmless.
func (tx *Tx) DueTurns(ctx context.Context, patience time.Duration, limit int) ([]Event, error) {
	return tx.dueEvents(ctx, TurnDue, `
		SELECT DISTINCT ON (person_id) person_id, id FROM inbox
		WHERE status = 'pending' AND received_at <= $1 ORDER BY person_id, seq LIMIT $2`, tx.now.Add(-patience), limit)
}

func (tx *Tx) dueEvents(ctx context.Context, kind EventKind, sql string, args ...any) ([]Event, error) {
	rows, err := tx.tx.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []Event
	for rows.Next() {
		e := Event{Kind: kind}
		if err := rows.Scan(&e.ID, &e.Row); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}
