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
// (Permanent() bool) and what happened in words without personal data
// (Problem() string).
type Sender interface {
	Send(ctx context.Context, m store.Outbound) error
}

// Texts makes the text of a message from its template; package templates does.
type Texts interface {
	Render(key string, vars map[string]string) (string, error)
}

// maxSends is how often a message is tried before it is a dead letter. With
// backoff's delays that is about an hour and a half.
const maxSends = 10

// deliverer empties the outbox, person by person, oldest first.
type deliverer struct {
	db      *store.DB
	senders map[string]Sender
	channel string // for who never wrote in one
	texts   Texts
	lease   time.Duration
	log     *slog.Logger
	metrics *Metrics
	lanes   *lanes
}

// deliver sends all that is due to a person. Its error is a failure of the
// database's; a failure to send is noted in the row.
func (d *deliverer) deliver(ctx context.Context, person loyalty.ID) error {
	return d.lanes.do(person, func() error {
		for ctx.Err() == nil {
			var m store.Outbound
			var ok bool
			err := d.db.InTx(ctx, func(tx *store.Tx) (err error) {
				m, ok, err = tx.Claim(ctx, person, "", d.lease)
				return err
			})
			if err != nil || !ok {
				return err
			}
			if err := d.one(ctx, m); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// one sends a claimed message. No transaction is open while it is under way.
func (d *deliverer) one(ctx context.Context, m store.Outbound) error {
	ctx = store.WithTrace(ctx, m.TraceID)
	err := d.send(ctx, &m)
	// What was sent is sent, also when the process is told to stop meanwhile.
	ctx = context.WithoutCancel(ctx)
	result := "sent"
	txErr := d.db.InTx(ctx, func(tx *store.Tx) error {
		switch {
		case err == nil:
			return tx.Sent(ctx, m.ID, m.Body)
		case permanent(err) || m.Attempts >= maxSends:
			result = "failed"
			return tx.Fail(ctx, m.ID, problem(err))
		default:
			result = "retried"
			return tx.Retry(ctx, m.ID, problem(err), tx.Now().Add(backoff(m.Attempts)))
		}
	})
	if txErr != nil {
		return txErr
	}
	d.metrics.delivered(string(m.Lane), result, d.db.Now().Sub(m.CreatedAt))
	ctx = store.WithTrace(ctx, m.TraceID)
	log := d.log.With("outbox_id", string(m.ID), "lane", string(m.Lane), "attempt", m.Attempts)
	if err != nil {
		log.WarnContext(ctx, "message not sent", "result", result, "problem", problem(err))
	} else {
		log.DebugContext(ctx, "message sent")
	}
	return nil
}

func (d *deliverer) send(ctx context.Context, m *store.Outbound) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The claim must be settled, or the person waits for its end.
			err = failure{problem: "sender panicked", err: fmt.Errorf("panic: %v", p)}
		}
	}()
	if m.Channel == "" {
		m.Channel = d.channel
	}
	sender, ok := d.senders[m.Channel]
	if !ok {
		return failure{problem: "no such channel here: " + m.Channel, permanent: true}
	}
	if m.Body == "" {
		if m.Body, err = d.texts.Render(m.Template, m.Vars); err != nil {
			return failure{problem: "template " + m.Template + " does not render", permanent: true, err: err}
		}
	}
	// Shorter than the claim: nobody may send a second time while we still try.
	ctx, cancel := context.WithTimeout(ctx, d.lease*4/5)
	defer cancel()
	return sender.Send(ctx, *m)
}

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
