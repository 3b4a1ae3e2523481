package store

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Turn is one message and the conversation that it belongs to, locked until
// the transaction ends.
type Turn struct {
	Message Message
	Session json.RawMessage // nil before the first turn
	Person  Person
	Tendero bool // has a shop
}

// NextTurn locks the person's conversation and takes the oldest message that
// waits; ok is false when none does. Others who want the same conversation
// wait for the lock, so one conversation has one turn at a time, in order.
func (tx *Tx) NextTurn(ctx context.Context, person loyalty.ID) (turn Turn, ok bool, err error) {
	var b pgx.Batch
	b.Queue(`INSERT INTO conversations (person_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, person, tx.now)
	b.Queue(`SELECT session FROM conversations WHERE person_id = $1 FOR UPDATE`, person).
		QueryRow(func(row pgx.Row) error { return row.Scan(&turn.Session) })
	// After the lock, and so with what the last turn wrote. The message is held too:
	// an edit of it comes after the turn.
	b.Queue(`
		SELECT i.id, i.channel, coalesce(i.address_id::text, ''), i.message_id, i.person_id, coalesce(i.number_id::text, ''), i.kind, i.text, i.attempts,
		  i.trace_id, i.received_at, p.id, p.name, p.opted_out_at, p.first_wrote_at, EXISTS (SELECT FROM tenderos t WHERE t.person_id = p.id AND t.active)
		FROM inbox i JOIN persons p ON p.id = i.person_id
		WHERE i.person_id = $1 AND i.status = 'pending' AND (i.due_at IS NULL OR i.due_at <= $2) ORDER BY i.seq LIMIT 1 FOR NO KEY UPDATE OF i`, person, tx.now).
		QueryRow(func(row pgx.Row) error {
			m, p := &turn.Message, &turn.Person
			err := row.Scan(&m.ID, &m.Channel, &m.Address, &m.MessageID, &m.Person, &m.Number, &m.Kind, &m.Text, &m.Attempts, &m.TraceID, &m.ReceivedAt,
				&p.ID, &p.Name, &p.OptedOutAt, &p.FirstWroteAt, &turn.Tendero)
			ok = err == nil
			return ignoreNone(err)
		})
	err = tx.tx.SendBatch(ctx, &b).Close()
	return turn, ok && err == nil, err
}

// Reply is the one answer to a message.
type Reply struct {
	Body     string            // rendered; or
	Template string            // a template key with
	Vars     map[string]string // its variables, rendered at delivery
	Media    string            // "", card_qr or shop_qr
	MediaRef string            // the code that the picture shows
}

// EndTurn marks the message as answered, keeps the session, and puts the reply
// into the outbox: all or nothing (law 3).
func (tx *Tx) EndTurn(ctx context.Context, m Message, session json.RawMessage, r Reply) error {
	tx.later(`UPDATE conversations SET session = $2, updated_at = $3 WHERE person_id = $1`, m.Person, session, tx.now)
	if r.Body != "" || r.Template != "" { // else there is nothing to say
		tx.reply(m, r)
	}
	if m.Kind == KindUndecryptable { // one asks once, however many could not be read
		tx.later(`
			UPDATE inbox SET status = 'done', done_at = $2, problem = 'asked once'
			WHERE person_id = $1 AND status = 'pending' AND kind = 'undecryptable' AND id <> $3`, m.Person, tx.now, m.ID)
	}
	tag, err := tx.tx.Exec(ctx, `UPDATE inbox SET status = 'done', done_at = $2 WHERE id = $1 AND status = 'pending'`, m.ID, tx.now)
	if err == nil && tag.RowsAffected() == 0 {
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "Ese mensaje ya fue atendido.")
	}
	return err
}
