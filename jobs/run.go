package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Runner carries jobs out: when their slot has come, or because somebody asks.
type Runner struct {
	db      *store.DB
	bell    *Bell
	log     *slog.Logger
	metrics *Metrics
}

// NewRunner makes a runner. What its jobs queue is rung apart from answers.
func NewRunner(db *store.DB, bell *Bell) *Runner {
	return &Runner{db: db, bell: bell.forNotices(), log: bell.log, metrics: bell.metrics}
}

// work is what a job does in its transaction; it gives how many messages it
// queued.
func work(job string) (func(context.Context, *store.Tx) (int, error), bool) {
	fn, ok := map[string]func(context.Context, *store.Tx) (int, error){
		KindNudges:  nudges,
		KindDigests: digests,
		KindROI:     roi,
		KindRollup:  rollup,
		KindExpire:  expire,
		KindTidy:    tidy,
	}[job]
	return fn, ok
}

func nudges(ctx context.Context, tx *store.Tx) (int, error) { return tx.QueueNudges(ctx) }

func digests(ctx context.Context, tx *store.Tx) (int, error) { return tx.QueueDigests(ctx) }

func roi(ctx context.Context, tx *store.Tx) (int, error) { return tx.QueueROI(ctx) }

func rollup(ctx context.Context, tx *store.Tx) (int, error) { return 0, tx.CatchUpSales(ctx) }

// expireBatch bounds how long a run holds its locks; the next hour goes on.
const expireBatch = 1000

func expire(ctx context.Context, tx *store.Tx) (int, error) {
	_, err := tx.ExpireRedemptions(ctx, expireBatch)
	return 0, err
}

func tidy(ctx context.Context, tx *store.Tx) (int, error) {
	if _, err := tx.ForgetAddresses(ctx); err != nil {
		return 0, err
	}
	_, err := tx.Cleanup(ctx)
	return 0, err
}

// RunJob runs a job at once, as if the clock stood at asOf where that is given,
// and gives how many messages it sends. The error of an unknown job is
// NOT_FOUND.
func (r *Runner) RunJob(ctx context.Context, name string, asOf *time.Time) (messages int, err error) {
	do, ok := work(name)
	if !ok {
		return 0, loyalty.NotFound(loyalty.CodeNotFound, "No existe ese proceso.")
	}
	db := r.at(r.db.Now())
	if asOf != nil {
		db = r.at(*asOf)
	}
	err = db.InTx(ctx, func(tx *store.Tx) error {
		if messages, err = do(ctx, tx); err != nil {
			return err
		}
		switch {
		case name == KindDigests || name == KindROI:
			// Reports to people at work, which somebody asked for now.
			return tx.DeliverAtOnce(ctx, r.db.Now(), store.AnyHour)
		case asOf != nil:
			// As if it were then: by day it goes at once, by night it waits.
			return tx.DeliverAtOnce(ctx, r.db.Now(), store.ByDay)
		}
		return nil
	})
	r.note(ctx, name, "", messages, err)
	return messages, err
}

// runSlot runs a job for a slot, unless that was done.
func (r *Runner) runSlot(ctx context.Context, name, slot string) error {
	do, ok := work(name)
	if !ok {
		return loyalty.NotFound(loyalty.CodeNotFound, "No existe ese proceso.")
	}
	ctx = store.WithTrace(ctx, name+"@"+slot)
	mine, messages := false, 0
	err := r.at(r.db.Now()).InTx(ctx, func(tx *store.Tx) (err error) {
		if mine, err = tx.BeginRun(ctx, name, slot); err != nil || !mine {
			return err
		}
		if messages, err = do(ctx, tx); err != nil {
			return err
		}
		return tx.EndRun(ctx, name, slot, messages)
	})
	if mine || err != nil {
		r.note(ctx, name, slot, messages, err)
	}
	return err
}

// at is the database at a moment, with the bell for notices.
func (r *Runner) at(now time.Time) *store.DB {
	db := r.db.At(now)
	db.SetBell(r.bell)
	return db
}

func (r *Runner) note(ctx context.Context, name, slot string, messages int, err error) {
	log := r.log.With("job", name, "slot", slot, "messages", messages)
	if err != nil {
		r.metrics.runs.WithLabelValues(name, "failed").Inc()
		log.ErrorContext(ctx, "job failed", "error", err)
		return
	}
	r.metrics.runs.WithLabelValues(name, "done").Inc()
	r.metrics.messages.WithLabelValues(name).Add(float64(messages))
	log.DebugContext(ctx, "job done")
}
