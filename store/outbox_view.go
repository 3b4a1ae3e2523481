package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// OutboxStatus is how far a message of ours came.
type OutboxStatus string

// The states of a message of ours.
const (
	OutboxQueued    OutboxStatus = "queued"
	OutboxSent      OutboxStatus = "sent"      // the channel took it
	OutboxDelivered OutboxStatus = "delivered" // it is on the person's phone
	OutboxRead      OutboxStatus = "read"
	OutboxFailed    OutboxStatus = "failed"  // a dead letter
	OutboxDropped   OutboxStatus = "dropped" // it must not be sent any more
)

// OutboxStatuses are all of them, in the order of a message's life.
func OutboxStatuses() []OutboxStatus {
	return []OutboxStatus{OutboxQueued, OutboxSent, OutboxDelivered, OutboxRead, OutboxFailed, OutboxDropped}
}

// Letter is a message of ours as an admin sees it: no text, and of the phone its
// last digits.
type Letter struct {
	ID          loyalty.ID   `db:"id"`
	Channel     string       `db:"channel"`      // "" before it is known
	Number      loyalty.ID   `db:"number_id"`    // "" where the channel has none
	NumberLabel string       `db:"number_label"` // also of one that was deleted
	To          string       `db:"digits"`       // four digits; "" where no phone is known
	Lane        Lane         `db:"lane"`
	Template    string       `db:"template"`
	Media       string       `db:"media"`
	Status      OutboxStatus `db:"status"`
	Attempts    int          `db:"attempts"`
	Problem     string       `db:"problem"`
	CreatedAt   time.Time    `db:"created_at"`
	DueAt       time.Time    `db:"due_at"`
	SentAt      *time.Time   `db:"sent_at"`
	DeliveredAt *time.Time   `db:"delivered_at"`
	ReadAt      *time.Time   `db:"read_at"`
}

// LetterFilter chooses letters; its zero value takes all.
type LetterFilter struct {
	Status   OutboxStatus
	Number   loyalty.ID
	Template string
	Problem  string
}

// lastDigits is who a row's person is, as far as an admin needs it.
const lastDigits = `coalesce((SELECT right(a.address, 4) FROM addresses a WHERE a.person_id = o.person_id AND a.kind = 'phone' ORDER BY a.created_at LIMIT 1), '') AS digits`

// Letters lists messages of ours, the newest first (an admin).
func (tx *Tx) Letters(ctx context.Context, scope loyalty.Scope, f LetterFilter, p Page) ([]Letter, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return nil, "", err
	}
	where := "true"
	if f.Status != "" {
		if !slices.Contains(OutboxStatuses(), f.Status) {
			return nil, "", loyalty.Invalid("status", "no es un estado de un mensaje")
		}
		// Written out, so that the indexes of what is rare are used.
		where = "o.status = '" + string(f.Status) + "'"
	}
	return listDown(ctx, tx, p, func(v Letter) loyalty.ID { return v.ID }, `
		SELECT o.id, coalesce(o.channel, '') AS channel, coalesce(n.id::text, '') AS number_id, coalesce(n.label, '') AS number_label, `+lastDigits+`,
		  o.lane, coalesce(o.template, '') AS template, o.media, o.status, o.attempts, o.problem, o.created_at, o.due_at, o.sent_at, o.delivered_at, o.read_at
		FROM outbox o JOIN persons p ON p.id = o.person_id LEFT JOIN whatsapp_numbers n ON n.id = coalesce(o.number_id, p.number_id)
		WHERE `+where+` AND ($1::uuid IS NULL OR n.id = $1) AND ($2 = '' OR o.template = $2) AND ($3 = '' OR o.problem = $3)
		AND o.id < $4 ORDER BY o.id DESC LIMIT $5`, optional(f.Number), clean(f.Template), clean(f.Problem))
}

// FailedReason is why messages of ours did not get through, and how many of those
// can be sent again: nothing is left of a message to somebody who was erased.
type FailedReason struct {
	Problem string    `db:"problem"`
	Count   int64     `db:"count"`
	Latest  time.Time `db:"latest"`
}

// mostReasons is how many reasons are told apart.
const mostReasons = 20

// FailedReasons gives the reasons of dead letters, the most frequent first (an
// admin).
func (tx *Tx) FailedReasons(ctx context.Context, scope loyalty.Scope) ([]FailedReason, error) {
	if err := adminOnly(scope); err != nil {
		return nil, err
	}
	return collect[FailedReason](ctx, tx, `
		SELECT o.problem, count(*) AS count, max(o.created_at) AS latest FROM outbox o JOIN persons p ON p.id = o.person_id
		WHERE o.status = 'failed' AND p.erased_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1`, mostReasons)
}

// mostRedriven is how many dead letters one transaction sends again.
const mostRedriven = 500

// RedriveAll sends dead letters of one reason again, the oldest first (an admin),
// and says how many: who wants all calls it until it is none. What failed since
// before is left out, or what fails again at once would never end.
func (tx *Tx) RedriveAll(ctx context.Context, scope loyalty.Scope, problem string, before time.Time) (int, error) {
	if err := adminOnly(scope); err != nil {
		return 0, err
	}
	rows, err := tx.tx.Query(ctx, `
		UPDATE outbox o SET status = 'queued', attempts = 0, problem = '', due_at = $1, claimed_until = NULL
		WHERE o.id IN (SELECT f.id FROM outbox f JOIN persons p ON p.id = f.person_id
		  WHERE f.status = 'failed' AND f.problem = $2 AND p.erased_at IS NULL AND f.due_at <= $3 ORDER BY f.created_at LIMIT $4 FOR UPDATE OF f SKIP LOCKED)
		RETURNING o.id, o.person_id, coalesce(o.number_id::text, '')`, tx.now, clean(problem), before, mostRedriven)
	if err != nil {
		return 0, err
	}
	n := 0
	var id, person, number loyalty.ID
	_, err = pgx.ForEachRow(rows, []any{&id, &person, &number}, func() error {
		n++
		tx.ring(Event{Kind: DeliveryDue, Row: id, ID: person, Number: number})
		return nil
	})
	if err == nil && n > 0 {
		tx.audit(scope, Redriven, "outbox", "", problem, difference("messages", nil, n))
	}
	return n, err
}

// ParkedMessage is a message of somebody that was set aside, since its turn failed
// again and again.
type ParkedMessage struct {
	ID         loyalty.ID `db:"id"`
	Channel    string     `db:"channel"`
	From       string     `db:"digits"`
	Kind       string     `db:"kind"`
	Attempts   int        `db:"attempts"`
	Problem    string     `db:"problem"`
	ReceivedAt time.Time  `db:"received_at"`
}

// ParkedMessages lists what was set aside, the newest first (an admin).
func (tx *Tx) ParkedMessages(ctx context.Context, scope loyalty.Scope, p Page) ([]ParkedMessage, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return nil, "", err
	}
	return listDown(ctx, tx, p, func(v ParkedMessage) loyalty.ID { return v.ID }, `
		SELECT o.id, o.channel, `+lastDigits+`, o.kind, o.attempts, o.problem, o.received_at
		FROM inbox o WHERE o.status = 'parked' AND o.id < $1 ORDER BY o.id DESC LIMIT $2`)
}

// RedriveInbox gives a message that was set aside another turn, before all that the
// person wrote since (an admin). The error is NOT_FOUND for one that is not set aside.
func (tx *Tx) RedriveInbox(ctx context.Context, scope loyalty.Scope, id loyalty.ID) error {
	if err := adminOnly(scope); err != nil {
		return err
	}
	var person loyalty.ID
	var erased bool
	err := tx.tx.QueryRow(ctx, `
		SELECT i.person_id, p.erased_at IS NOT NULL FROM inbox i JOIN persons p ON p.id = i.person_id
		WHERE i.id = $1 AND i.status = 'parked' FOR UPDATE OF i`, id).Scan(&person, &erased)
	switch {
	case none(err):
		return loyalty.NotFound(loyalty.CodeNotFound, "Ese mensaje no existe, o no está apartado.")
	case err != nil:
		return err
	case erased:
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "Quien escribió pidió borrar sus datos: ya no hay a quién contestar.")
	}
	// One message has one answer: the apology that it got is none any more.
	if _, err = tx.tx.Exec(ctx, `UPDATE outbox SET inbox_id = NULL WHERE inbox_id = $1`, id); err != nil {
		return err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE inbox SET status = 'pending', attempts = 0, problem = '' WHERE id = $1`, id)
	tx.ring(Event{Kind: TurnDue, ID: person, Row: id})
	tx.audit(scope, Redriven, "inbox", id, "")
	return err
}

// LettersSince counts messages of ours that were queued since a moment, by how far
// they came.
func (tx *Tx) LettersSince(ctx context.Context, since time.Time) (map[OutboxStatus]int64, error) {
	counts := map[OutboxStatus]int64{}
	rows, err := tx.tx.Query(ctx, `SELECT status, count(*) FROM outbox WHERE id >= $1 GROUP BY status`, loyalty.IDAt(since))
	if err != nil {
		return nil, err
	}
	var status OutboxStatus
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&status, &n}, func() error {
		counts[status] = n
		return nil
	})
	return counts, err
}

// listDown is list with the newest first.
func listDown[T any](ctx context.Context, tx *Tx, p Page, id func(T) loyalty.ID, sql string, args ...any) ([]T, loyalty.ID, error) {
	if p.After == "" {
		p.After = "ffffffff-ffff-ffff-ffff-ffffffffffff"
	}
	return list(ctx, tx, p, id, sql, args...)
}
