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
	Number    loyalty.ID    // of the bot's, which it was written to; "" where the channel has none
	From      loyalty.Phone // who wrote, where the channel knows no more of them
	Sender    Sender        // who wrote, where it does
	MessageID string        // the channel's own, 1 to 128 characters
	Kind      string        // one of the kinds
	Text      string        // or the caption
	Of        string        // the message ID that an edit, a deletion, a reaction or a vote is about
	Media     *MediaSource  // to be fetched later; nil where there is none
	SentAt    time.Time     // by the sender's clock; zero where it is not known
	TraceID   string
}

// The kinds of messages. A reaction, a vote, an edit and a deletion say something
// about another message; undecryptable is one that could not be read yet.
const (
	KindText          = "text"
	KindImage         = "image"
	KindAudio         = "audio"
	KindVideo         = "video"
	KindSticker       = "sticker"
	KindDocument      = "document"
	KindLocation      = "location"
	KindContact       = "contact"
	KindPoll          = "poll"
	KindPollVote      = "poll_vote"
	KindReaction      = "reaction"
	KindEdit          = "edit"
	KindDelete        = "delete"
	KindUnsupported   = "unsupported"
	KindUndecryptable = "undecryptable"
)

// rereadPatience is how long a message that could not be read has to come again,
// before its sender is asked to write it once more.
const rereadPatience = 20 * time.Second

// askable says of an inbox row i whether what could not be read has had its time at
// $2: it can come again only while its number is connected.
const askable = `(i.number_id IS NULL OR EXISTS (SELECT FROM whatsapp_numbers n WHERE n.id = i.number_id
	AND (n.deleted_at IS NOT NULL OR n.status IN ('connected', 'restricted') AND n.lease_until > $2)))`

// rereadAgain begins the time anew of what number $1 could not read, where its
// status becomes $5 at $4: a number that is back has it to come.
const rereadAgain = `
	WITH unread AS (
		UPDATE inbox i SET due_at = $4::timestamptz + interval '20 seconds' FROM whatsapp_numbers n
		WHERE n.id = $1 AND n.status NOT IN ('connected', 'restricted') AND $5 IN ('connected', 'restricted')
		  AND i.number_id = n.id AND i.status = 'pending' AND i.kind = 'undecryptable'
	)`

// Receive persists a message; after the commit it may be acknowledged. The
// same message again is known by its ID, whichever of the person's addresses it
// comes from, and nothing happens (law 2).
//
// Reactions and votes ask for no answer. A deletion takes the text of what it is
// about, and the turn, where that has not had it. An edit changes a message that
// still waits; else it is one of its own. What could not be read has its turn
// when it has not come again for a while.
func (tx *Tx) Receive(ctx context.Context, in Inbound) (repeated bool, err error) {
	if in.From != "" {
		in.Sender.Phone = in.From
	}
	row := arrived{Inbound: in, status: "pending"}
	if tx.answers() {
		row.begun = tx.db.opt.Run
	}
	switch in.Kind {
	case KindReaction, KindPollVote, KindDelete, KindEdit:
		row.status, row.begun = "done", ""
	case KindUndecryptable:
		due := tx.now.Add(rereadPatience)
		row.due, row.begun = &due, ""
	}
	person, repeated, err := tx.keepMessage(ctx, &row)
	if err != nil || repeated {
		return repeated, err
	}
	switch in.Kind {
	case KindDelete:
		tx.deleteMessage(person, in)
	case KindEdit:
		var late bool
		if late, err = tx.editMessage(ctx, person, row); late {
			row.status = "pending"
		}
	case KindUndecryptable:
	default:
		if in.Media != nil {
			tx.expectMedia(row)
		}
	}
	if row.status == "pending" && row.due == nil {
		tx.ring(Event{Kind: TurnDue, ID: person, Row: row.id})
	}
	// The person comes after messages, as in a turn.
	tx.later(`
		UPDATE persons SET first_wrote_at = coalesce(first_wrote_at, $2), last_wrote_at = $2, number_id = $3 WHERE id = $1`, person, tx.now, optional(in.Number))
	return false, err
}

// arrived is a message on its way into the inbox.
type arrived struct {
	Inbound
	id     loyalty.ID
	status string
	due    *time.Time
	begun  string // the run of the process that is about to answer; "" where that is open
}

// keepMessage puts it into the inbox of whoever wrote it.
func (tx *Tx) keepMessage(ctx context.Context, in *arrived) (person loyalty.ID, repeated bool, err error) {
	if in.Sender == (Sender{Phone: in.Sender.Phone}) { // mostly somebody who is known
		person, repeated, err = tx.keepMessageFrom(ctx, `a.address = $2`, in.Sender.Phone, in)
		if !none(err) {
			return person, repeated, err
		}
	}
	from, err := tx.AddressOfSender(ctx, in.Sender)
	if err != nil {
		return "", false, err
	}
	person, repeated, err = tx.keepMessageFrom(ctx, `a.id = $2`, from.ID, in)
	if none(err) { // the address was forgotten just now
		err = errMoved
	}
	return person, repeated, err
}

// keepMessageFrom inserts the row, for whoever has the address now. The address is
// held until the commit: so nobody merges the person with another while a message
// of theirs comes in.
func (tx *Tx) keepMessageFrom(ctx context.Context, which string, address any, in *arrived) (person loyalty.ID, repeated bool, err error) {
	in.id = tx.newID()
	var sent *time.Time
	if !in.SentAt.IsZero() {
		sent = &in.SentAt
	}
	err = tx.tx.QueryRow(ctx, `
		WITH chat AS (
			SELECT a.id, a.person_id FROM addresses a JOIN persons p ON p.id = a.person_id WHERE `+which+` AND p.erased_at IS NULL FOR SHARE OF a
		), fresh AS (
			INSERT INTO inbox (id, channel, address_id, message_id, person_id, kind, text, trace_id, received_at, number_id, of_id, sent_at, due_at, status, done_at, begun_by)
			SELECT $1, $3, chat.id, $4, chat.person_id, $5, $6, $7, $8, $9, nullif($10, ''), $11, $12, $13, CASE WHEN $13 = 'done' THEN $8::timestamptz END, nullif($14, '')
			FROM chat
			-- What was read once cannot become unreadable.
			WHERE $5 <> 'undecryptable' OR NOT EXISTS (
			  SELECT FROM inbox i WHERE i.channel = $3 AND i.person_id = chat.person_id AND i.message_id = $4)
			ON CONFLICT DO NOTHING RETURNING person_id
		), again AS ( -- what could not be read before has come
			UPDATE inbox i SET status = 'done', done_at = $8, problem = 'came again' FROM fresh
			WHERE $13 = 'pending' AND $5 <> 'undecryptable'
			  AND i.person_id = fresh.person_id AND i.channel = $3 AND i.message_id = $4 AND i.kind = 'undecryptable' AND i.status = 'pending'
		)
		SELECT chat.person_id, NOT EXISTS (SELECT FROM fresh) FROM chat`,
		in.id, address, in.Channel, in.MessageID, in.Kind, storable(in.Text), in.TraceID, tx.now, optional(in.Number), in.Of, sent, in.due, in.status, in.begun).
		Scan(&person, &repeated)
	return person, repeated, err
}

// deleteMessage forgets what a message said, and answers it no more. One that is
// not known may be ours, or older than we are.
func (tx *Tx) deleteMessage(person loyalty.ID, in Inbound) {
	tx.later(`
		WITH gone AS (
			UPDATE inbox SET text = '', problem = CASE status WHEN 'pending' THEN 'deleted by its sender' ELSE problem END,
			  done_at = coalesce(done_at, $4), status = CASE status WHEN 'pending' THEN 'done' ELSE status END
			WHERE person_id = $1 AND channel = $2 AND message_id = $3 RETURNING id
		)
		UPDATE media m SET status = 'refused', content = NULL, sha256 = NULL, ref = NULL, problem = 'deleted by its sender' FROM gone WHERE m.inbox_id = gone.id`,
		person, in.Channel, in.Of, tx.now)
}

// editMessage gives a message that waits its new text; late says that the edit has
// to be answered itself.
func (tx *Tx) editMessage(ctx context.Context, person loyalty.ID, in arrived) (late bool, err error) {
	tag, err := tx.tx.Exec(ctx, `
		UPDATE inbox SET text = $4 WHERE person_id = $1 AND channel = $2 AND message_id = $3 AND status = 'pending' AND kind <> 'undecryptable'`,
		person, in.Channel, in.Of, storable(in.Text))
	if err != nil || tag.RowsAffected() > 0 {
		return false, err
	}
	tx.later(`UPDATE inbox SET kind = 'text', status = 'pending', done_at = NULL WHERE id = $1`, in.id)
	return true, nil
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
	Number     loyalty.ID `db:"number_id"` // that it was written to; "" where the channel has none
	Kind       string     `db:"kind"`
	Text       string     `db:"text"`
	Attempts   int        `db:"attempts"`
	TraceID    string     `db:"trace_id"`
	ReceivedAt time.Time  `db:"received_at"`

	chat string // to answer to; "" where there is none any more
}

// MaxAttempts is how often a message may make a turn fail before it is parked.
const MaxAttempts = 3

// FailTurn notes that a turn failed, in a transaction of its own. The third
// time the message is parked with its reason, the person is told politely, and
// the next message has its turn.
func (tx *Tx) FailTurn(ctx context.Context, m Message, problem string) (parked bool, err error) {
	err = tx.tx.QueryRow(ctx, `
		UPDATE inbox SET attempts = attempts + 1, problem = $2, begun_by = NULL,
		  status = CASE WHEN attempts + 1 >= $3 THEN 'parked' ELSE status END
		WHERE id = $1 AND status = 'pending' RETURNING status = 'parked'`, m.ID, problem, MaxAttempts).Scan(&parked)
	if none(err) {
		return false, nil
	}
	if err != nil || !parked {
		return parked, err
	}
	tx.reply(m, Reply{Template: "conversation.parked"})
	return true, nil
}

// BeginTurn notes, in a transaction of its own, that this process begins the turn
// of a message: see Turn.Begun. Where another had begun it, and never said how it
// ended, it was ended itself: that counts like a failure of the turn. The third
// time the message is parked.
func (tx *Tx) BeginTurn(ctx context.Context, m Message) (parked bool, err error) {
	err = tx.tx.QueryRow(ctx, `
		WITH counted AS (SELECT id, attempts + CASE WHEN begun_by <> $2 THEN 1 ELSE 0 END AS attempts FROM inbox WHERE id = $1 AND status = 'pending' FOR UPDATE)
		UPDATE inbox i SET begun_by = $2, attempts = c.attempts,
		  status = CASE WHEN c.attempts >= $3 THEN 'parked' ELSE i.status END,
		  problem = CASE WHEN i.begun_by <> $2 THEN 'the process ended while it was being answered' ELSE i.problem END
		FROM counted c WHERE i.id = c.id RETURNING i.status = 'parked'`, m.ID, tx.db.opt.Run, MaxAttempts).Scan(&parked)
	if err != nil || !parked {
		return false, ignoreNone(err)
	}
	tx.reply(m, Reply{Template: "conversation.parked"})
	return true, nil
}

// DueTurns finds persons with messages that wait for longer than patience: the
// sweep that makes a lost ring harmless.
func (tx *Tx) DueTurns(ctx context.Context, patience time.Duration, limit int) ([]Event, error) {
	return tx.dueEvents(ctx, TurnDue, `
		SELECT DISTINCT ON (i.person_id) i.person_id, i.id, NULL::uuid FROM inbox i
		WHERE i.status = 'pending' AND (i.due_at IS NULL AND i.received_at <= $1 OR i.due_at <= $2 AND `+askable+`) ORDER BY i.person_id, i.seq LIMIT $3`,
		tx.now.Add(-patience), tx.now, limit)
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
		var number *loyalty.ID
		if err := rows.Scan(&e.ID, &e.Row, &number); err != nil {
			return nil, err
		}
		set(&e.Number, number)
		events = append(events, e)
	}
	return events, rows.Err()
}
