package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Sender sends a message whose Body is the text; package bot calls it Channel.
// The same MessageID again must be the same message to whoever receives it.
//
// An error may tell, by methods of its own, that trying again is useless
// (Permanent() bool), how long to wait at least (RetryAfter() time.Duration), that
// the message is not the reason, so that the attempt does not count (Uncounted()
// bool), and what happened in words without personal data (Problem() string).
type Sender interface {
	Send(ctx context.Context, m store.Outbound) error
}

// Texts makes the text of a message from its template, in one of its wordings, the
// same for the same seed; package templates does.
type Texts interface {
	Vary(key string, vars map[string]string, seed string) (string, error)
}

// maxSends is how often a message is tried before it is a dead letter. With
// backoff's delays that is about an hour and a half.
const maxSends = 10

// deliverer empties the outbox of what goes through a number, or through channels
// without numbers, person by person, oldest first.
type deliverer struct {
	db      *store.DB
	number  loyalty.ID
	sender  func(channel string) (SendFunc, bool)
	channel string // for who never wrote in one
	texts   Texts
	lease   time.Duration
	log     *slog.Logger
	metrics *Metrics
	lanes   *lanes
	notes   *store.Together // of what was sent

	inside gate
	owned  context.Context // sends are called off when it ends
	over   context.CancelFunc
}

// ready makes it work until owned ends, or end is called.
func (d *deliverer) ready(owned context.Context) *deliverer {
	d.lanes, d.notes = newLanes(), d.db.Together()
	d.owned, d.over = context.WithCancel(owned)
	return d
}

// end takes up nothing new, lets what is under way come to its end, and calls it
// off when patience is over, which it says by false.
func (d *deliverer) end(patience time.Duration) bool {
	defer d.over()
	return d.inside.close(patience)
}

// ability is what hands need to know of it.
func (d *deliverer) ability() ability {
	return ability{do: d.deliver, lease: d.lease, send: d.sendClaimed}
}

// deliver sends all that is due to a person. Its error is a failure of the
// database's; a failure to send is noted in the row.
func (d *deliverer) deliver(ctx context.Context, person loyalty.ID) error {
	return d.within(ctx, func(ctx context.Context) error {
		return d.lanes.do(person, func() error { return d.empty(ctx, person) })
	})
}

// sendClaimed sends a message that was claimed for this process at its birth, and
// then what else is due to the person.
func (d *deliverer) sendClaimed(ctx context.Context, m store.Outbound) error {
	return d.within(ctx, func(ctx context.Context) error {
		return d.lanes.first(m.Person, func() error {
			more, err := d.one(ctx, m)
			if err != nil || !more {
				return err
			}
			return d.empty(ctx, m.Person)
		}, func() error { return d.empty(ctx, m.Person) })
	})
}

// within lets work go on as long as it may.
func (d *deliverer) within(ctx context.Context, work func(context.Context) error) error {
	if !d.inside.enter() {
		return nil
	}
	defer d.inside.leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.owned, cancel)()
	return work(ctx)
}

// empty claims and sends until nothing is due.
func (d *deliverer) empty(ctx context.Context, person loyalty.ID) error {
	for more := true; more && ctx.Err() == nil && d.inside.open(); {
		var m store.Outbound
		var ok bool
		err := d.db.InTx(ctx, func(tx *store.Tx) (err error) {
			m, ok, err = tx.Claim(ctx, person, d.number, d.lease)
			return err
		})
		if err != nil || !ok {
			return err
		}
		if more, err = d.one(ctx, m); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// one sends a claimed message. No transaction is open while it is under way. more
// says whether another may be due to the person.
func (d *deliverer) one(ctx context.Context, m store.Outbound) (more bool, err error) {
	ctx = store.WithTrace(ctx, m.TraceID)
	err = d.send(ctx, &m)
	// What was sent is sent, also when the process is told to stop meanwhile.
	ctx = context.WithoutCancel(ctx)
	result, note := d.verdict(ctx, m, err)
	noted, noteErr := d.note(ctx, note)
	if noteErr != nil {
		return false, noteErr
	}
	d.metrics.delivered(string(m.Lane), result, d.db.Now().Sub(m.CreatedAt))
	log := d.log.With("outbox_id", string(m.ID), "lane", string(m.Lane), "attempt", m.Attempts)
	if err != nil {
		log.WarnContext(ctx, "message not sent", "result", result, "problem", problem(err))
		return true, nil // what is younger and of another kind may go
	}
	log.DebugContext(ctx, "message sent")
	return noted.MoreSends(m.ID), nil
}

// verdict says what a send came to, and how the row is to say so.
func (d *deliverer) verdict(ctx context.Context, m store.Outbound, err error) (result string, note func(*store.Tx) error) {
	wait := backoff(m.Attempts)
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) {
		wait = max(wait, later.RetryAfter())
	}
	switch {
	case err == nil:
		return "sent", func(tx *store.Tx) error { return tx.Sent(ctx, m.ID, m.Body) }
	case d.owned.Err() != nil:
		// The next owner need not wait, and nobody knows whether this one got through.
		return "called off", func(tx *store.Tx) error { return tx.Postpone(ctx, m.ID, "called off", tx.Now()) }
	case permanent(err):
		return "failed", func(tx *store.Tx) error { return tx.Fail(ctx, m.ID, problem(err)) }
	case uncounted(err):
		return "held", func(tx *store.Tx) error {
			return tx.Postpone(ctx, m.ID, problem(err), tx.Now().Add(max(wait, leastHold)))
		}
	case m.Attempts >= maxSends:
		return "failed", func(tx *store.Tx) error { return tx.Fail(ctx, m.ID, problem(err)) }
	}
	return "retried", func(tx *store.Tx) error { return tx.Retry(ctx, m.ID, problem(err), tx.Now().Add(wait)) }
}

// note writes what came of a send. A database that is away for a moment must not
// let what was sent be sent again, so it is tried for as long as the claim holds.
func (d *deliverer) note(ctx context.Context, fn func(*store.Tx) error) (noted *store.Tx, err error) {
	end := time.Now().Add(d.lease / 5)
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		err := d.notes.InTx(ctx, func(tx *store.Tx) error {
			noted = tx
			return fn(tx)
		})
		if err == nil || time.Now().Add(pause).After(end) {
			return noted, err
		}
		time.Sleep(pause)
	}
}

func (d *deliverer) send(ctx context.Context, m *store.Outbound) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The claim must be settled, or the person waits for its end.
			err = failure{problem: "sender panicked", err: fmt.Errorf("panic: %v", p)}
		}
	}()
	if m.Attempts > maxSends {
		// Nobody noted how the last one ended: it takes the process with it.
		return failure{problem: "the process ended while it was being sent, too often", permanent: true}
	}
	if m.Channel == "" {
		m.Channel = d.channel
	}
	send, ok := d.sender(m.Channel)
	if !ok {
		return failure{problem: "no such channel here: " + m.Channel, permanent: true}
	}
	if m.Body == "" {
		if m.Body, err = d.texts.Vary(m.Template, m.Vars, m.MessageID); err != nil {
			return failure{problem: "template " + m.Template + " does not render", permanent: true, err: err}
		}
	}
	// Shorter than the claim: nobody may send a second time while we still try.
	ctx, cancel := context.WithTimeout(ctx, d.lease*4/5)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	return send(ctx, *m)
}

// leastHold is how long a message waits at least whose number may not send now.
const leastHold = 5 * time.Second

// backoff is how long to wait after the nth attempt: 1 s, 4 s, 9 s, … growing
// to 15 minutes.
func backoff(n int) time.Duration {
	if n > 5 {
		return time.Duration(min(n-5, 3)) * 5 * time.Minute
	}
	return time.Duration(n*n) * time.Second
}

// failure is a failure to send that we found ourselves.
type failure struct {
	problem   string
	permanent bool
	err       error
}

func (f failure) Error() string {
	if f.err != nil {
		return f.problem + ": " + f.err.Error()
	}
	return f.problem
}
func (f failure) Unwrap() error   { return f.err }
func (f failure) Permanent() bool { return f.permanent }
func (f failure) Problem() string { return f.problem }

func permanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

func uncounted(err error) bool {
	var u interface{ Uncounted() bool }
	return errors.As(err, &u) && u.Uncounted()
}

// problem says what happened in words that may be kept and shown: the error
// itself may well name a phone.
func problem(err error) string {
	var p interface{ Problem() string }
	switch {
	case errors.As(err, &p):
		return p.Problem()
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	}
	return "not sent"
}
