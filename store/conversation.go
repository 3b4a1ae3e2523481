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
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO conversations (person_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, person, tx.now)
	if err != nil {
		return turn, false, err
	}
	err = tx.tx.QueryRow(ctx, `SELECT session FROM conversations WHERE person_id = $1 FOR UPDATE`, person).Scan(&turn.Session)
	if err != nil {
		return turn, false, err
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT id, channel, address_id, message_id, person_id, kind, text, attempts, trace_id, received_at
		FROM inbox WHERE person_id = $1 AND status = 'pending' ORDER BY seq LIMIT 1`, person)
	if err != nil {
		return turn, false, err
	}
	turn.Message, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Message])
	if none(err) {
		return turn, false, nil
	}
	if err != nil {
		return turn, false, err
	}
	if turn.Person, err = tx.Person(ctx, person); err != nil {
		return turn, false, err
	}
	err = tx.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tenderos WHERE person_id = $1 AND active)`, person).Scan(&turn.Tendero)
	return turn, err == nil, err
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
	tag, err := tx.tx.Exec(ctx, `UPDATE inbox SET status = 'done', done_at = $2 WHERE id = $1 AND status = 'pending'`, m.ID, tx.now)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "Ese mensaje ya fue atendido.")
	}
	_, err = tx.tx.Exec(ctx, `UPDATE conversations SET session = $2, updated_at = $3 WHERE person_id = $1`, m.Person, session, tx.now)
	if err != nil {
		return err
	}
	if r.Body == "" && r.Template == "" {
		return nil // nothing to say, as after a reaction
	}
	return tx.reply(ctx, m, r)
}
