package store

import (
	"context"
	"encoding/json"
	"time"

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

	// Begun says that it is noted that this process begins the turn, so that a
	// message that ends processes is found out. Where it is not, BeginTurn has to
	// come first. Suspect says that another process began it and may have been
	// ended by it.
	Begun, Suspect bool
}

// NextTurn locks the person's conversation and takes the oldest message that
// waits; ok is false when none does. Others who want the same conversation
// wait for the lock, so one conversation has one turn at a time, in order.
func (tx *Tx) NextTurn(ctx context.Context, person loyalty.ID) (turn Turn, ok bool, err error) {
	tx.talks = true
	var b pgx.Batch
	b.Queue(`INSERT INTO conversations (person_id, updated_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, person, tx.now)
	b.Queue(`SELECT session FROM conversations WHERE person_id = $1 FOR NO KEY UPDATE`, person).
		QueryRow(func(row pgx.Row) error { return row.Scan(&turn.Session) })
	// After the lock, and so with what the last turn wrote. The message is held too:
	// an edit of it comes after the turn.
	b.Queue(`
		SELECT i.id, i.channel, coalesce(i.address_id::text, ''), i.message_id, i.person_id, coalesce(i.number_id::text, ''), i.kind, i.text, i.attempts,
		  i.trace_id, i.received_at, coalesce(a.wire, a.address, ''), coalesce(i.begun_by, ''),
		  p.id, p.name, p.opted_out_at, p.first_wrote_at, EXISTS (SELECT FROM tenderos t WHERE t.person_id = p.id AND t.active)
		FROM inbox i JOIN persons p ON p.id = i.person_id LEFT JOIN addresses a ON a.id = i.address_id
		WHERE i.person_id = $1 AND i.status = 'pending' AND (i.due_at IS NULL OR i.due_at <= $2 AND `+askable+`)
		ORDER BY i.seq LIMIT 1 FOR NO KEY UPDATE OF i`, person, tx.now).
		QueryRow(func(row pgx.Row) error {
			m, p, begun := &turn.Message, &turn.Person, ""
			err := row.Scan(&m.ID, &m.Channel, &m.Address, &m.MessageID, &m.Person, &m.Number, &m.Kind, &m.Text, &m.Attempts, &m.TraceID, &m.ReceivedAt,
				&m.chat, &begun, &p.ID, &p.Name, &p.OptedOutAt, &p.FirstWroteAt, &turn.Tendero)
			turn.Begun = begun == tx.db.opt.Run
			turn.Suspect = !turn.Begun && begun != "" || m.Attempts > 0
			return ignoreNone(err)
		})
	err = tx.tx.SendBatch(ctx, &b).Close()
	return turn, turn.Message.ID != "" && err == nil, err
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
// into the outbox: all or nothing (law 3). The message is the one that NextTurn
// gave, in the same transaction.
func (tx *Tx) EndTurn(_ context.Context, m Message, session json.RawMessage, r Reply) error {
	if m.Kind == KindUndecryptable { // one asks once, however many could not be read
		tx.later(`
			UPDATE inbox SET status = 'done', done_at = $2, problem = 'asked once'
			WHERE person_id = $1 AND status = 'pending' AND kind = 'undecryptable' AND id <> $3`, m.Person, tx.now, m.ID)
	}
	if r.Body == "" && r.Template == "" { // nothing to say
		tx.later(`UPDATE inbox SET status = 'done', done_at = $2 WHERE id = $1`, m.ID, tx.now)
		tx.later(`UPDATE conversations SET session = $2, updated_at = $3 WHERE person_id = $1`, m.Person, session, tx.now)
		tx.moreTurns = true // perhaps
		return nil
	}
	q := tx.newReply(m, r)
	tx.laterRow(func(row pgx.Row) error {
		var claimed bool
		if err := row.Scan(&claimed, &tx.moreTurns); err != nil {
			return err
		}
		tx.ringReply(q, claimed)
		return nil
	}, `
		WITH done AS (
			UPDATE inbox SET status = 'done', done_at = $14 WHERE id = $12
		), talk AS (
			UPDATE conversations SET session = $16, updated_at = $14 WHERE person_id = $2
		), fresh AS (`+insertReply+`)
		SELECT fresh.claimed, EXISTS (SELECT FROM inbox i WHERE i.person_id = $2 AND i.status = 'pending' AND i.id <> $12 AND (i.due_at IS NULL OR i.due_at <= $14))
		FROM fresh`, append(q.args, session)...)
	return nil
}

// MoreTurns says, after the commit of a turn, whether another message of the
// person waits. One that came at that very moment rings by itself.
func (tx *Tx) MoreTurns() bool { return tx.moreTurns }

// answers says whether this process is about to answer what it receives now.
func (tx *Tx) answers() bool {
	h, ok := tx.db.opt.Bell.(Hands)
	return ok && h.Answers()
}

// delivers says for how long this process claims a reply that it queues now.
func (tx *Tx) delivers(number loyalty.ID) time.Duration {
	h, ok := tx.db.opt.Bell.(Hands)
	if !ok {
		return 0
	}
	return h.Delivers(number)
}
