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

// job is what a job does, in this order; what it has none of is nil. Again is
// harmless for all of it.
type job struct {
	// before does its work in transactions of its own.
	before func(context.Context, *store.DB) error
	// due does some of what is due, in a transaction of its own, and gives how much
	// it took: it is called until it takes nothing.
	due func(context.Context, *store.Tx) (int, error)
	// batch does a part of the work in a transaction of its own, from where the
	// last one stopped, and gives how many messages it queued and where it
	// stopped itself; "" where nothing is left.
	batch func(ctx context.Context, tx *store.Tx, from loyalty.ID) (int, loyalty.ID, error)
	// work happens in the commit that notes the slot as done, and gives how many
	// messages it queued.
	work func(context.Context, *store.Tx) (int, error)
}

func (r *Runner) jobOf(name string) (job, error) {
	v, ok := map[string]job{
		KindNudges:   {batch: nudges},
		KindDigests:  {work: digests},
		KindROI:      {before: catchUp, work: roi},
		KindRollup:   {before: catchUp},
		KindRebuild:  {before: rebuild},
		KindVersions: {due: some((*store.Tx).ApplyDueVersions)},
		KindMature:   {before: mature},
		KindBudgets:  {due: some((*store.Tx).AnnounceBudgets)},
		KindBalances: {due: some((*store.Tx).ExpireBalances)},
		KindDates:    {due: some((*store.Tx).ScheduleExpiry)},
		KindExpire:   {due: some((*store.Tx).ExpireRedemptions)},
		KindWarnings: {due: some((*store.Tx).WarnExpiry)},
		KindTiers:    {due: some((*store.Tx).RollTiers)},
		KindSegments: {work: segments},
		KindVerify:   {before: r.verify},
		KindQuotas:   {due: some((*store.Tx).SweepQuotas)},
		KindImports:  {due: some((*store.Tx).ApplyImports)},
		KindTidy:     {work: tidy},
	}[name]
	if !ok {
		return v, loyalty.NotFound(loyalty.CodeNotFound, "No existe ese proceso.")
	}
	return v, nil
}

// Bounds of a run; what is left over is found by the next.
const (
	// batchSize is how many cards one commit may touch: a purchase on any of them
	// waits for it.
	batchSize   = 100
	mostBatches = 50  // of reminders
	mostDue     = 500 // of what is due
)

// some is a part of what is due.
func some(take func(tx *store.Tx, ctx context.Context, limit int) (int, error)) func(context.Context, *store.Tx) (int, error) {
	return func(ctx context.Context, tx *store.Tx) (int, error) { return take(tx, ctx, batchSize) }
}

func nudges(ctx context.Context, tx *store.Tx, from loyalty.ID) (int, loyalty.ID, error) {
	return tx.QueueNudges(ctx, from, batchSize)
}

// mature takes no locks together: each purchase is a transaction of its own.
func mature(ctx context.Context, db *store.DB) error {
	for range mostDue {
		if n, err := db.MaturePending(ctx, batchSize); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

func digests(ctx context.Context, tx *store.Tx) (int, error) { return tx.QueueDigests(ctx) }

func roi(ctx context.Context, tx *store.Tx) (int, error) { return tx.QueueROI(ctx) }

func catchUp(ctx context.Context, db *store.DB) error { return db.CatchUpSales(ctx) }

// rebuildDays is how far back the figures are made anew each night.
const rebuildDays = 60

func rebuild(ctx context.Context, db *store.DB) error { return db.RebuildSales(ctx, rebuildDays) }

func segments(ctx context.Context, tx *store.Tx) (int, error) {
	_, err := tx.MakeSegments(ctx)
	return 0, err
}

// verifySample is how many enrollments are verified each night, and mostDiffering
// how many differences are logged.
const (
	verifySample  = 2000
	mostDiffering = 50
)

// verify recomputes the balances of a sample from the ledger (law 1). What
// differs is named by the IDs of rows, and nobody's name.
func (r *Runner) verify(ctx context.Context, db *store.DB) error {
	found, err := db.VerifySample(ctx, verifySample)
	if err != nil {
		return err
	}
	r.metrics.verified.Inc()
	r.metrics.verifiedAt.Set(float64(db.Now().Unix()))
	r.metrics.differences.Set(float64(len(found)))
	err = db.InTx(ctx, func(tx *store.Tx) error {
		tx.NoteVerified(len(found))
		return nil
	})
	if err != nil {
		return err
	}
	for _, d := range found[:min(len(found), mostDiffering)] {
		r.log.ErrorContext(ctx, "ledger differs", "what", d.What, "id", d.ID, "has", d.Has, "want", d.Want)
	}
	return nil
}

func tidy(ctx context.Context, tx *store.Tx) (int, error) {
	if _, err := tx.ForgetAddresses(ctx); err != nil {
		return 0, err
	}
	_, err := tx.Cleanup(ctx, frequent()...)
	return 0, err
}

// RunJob runs a job at once, as if the clock stood at asOf where that is given,
// and gives how many messages it sends. The error of an unknown job is
// NOT_FOUND.
func (r *Runner) RunJob(ctx context.Context, name string, asOf *time.Time) (messages int, err error) {
	j, err := r.jobOf(name)
	if err != nil {
		return 0, err
	}
	db := r.at(r.db.Now())
	if asOf != nil {
		db = r.at(*asOf)
	}
	deliver := func(tx *store.Tx) error {
		switch {
		case name == KindDigests || name == KindROI:
			// Reports to people at work, which somebody asked for now.
			return tx.DeliverAtOnce(ctx, r.db.Now(), store.AnyHour)
		case asOf != nil:
			// As if it were then: by day it goes at once, by night it waits.
			return tx.DeliverAtOnce(ctx, r.db.Now(), store.ByDay)
		}
		return nil
	}
	messages, err = j.begin(ctx, db, deliver)
	if err == nil && j.work != nil {
		err = db.InTx(ctx, func(tx *store.Tx) (err error) {
			if messages, err = j.work(ctx, tx); err != nil {
				return err
			}
			return deliver(tx)
		})
	}
	r.note(ctx, name, "", messages, err)
	return messages, err
}

// begin does all of a job that comes before its work; finish is the last step of
// each batch.
func (j job) begin(ctx context.Context, db *store.DB, finish func(*store.Tx) error) (messages int, err error) {
	if j.before != nil {
		if err := j.before(ctx, db); err != nil {
			return 0, err
		}
	}
	for taken, n := 1, 0; j.due != nil && taken > 0 && n < mostDue; n++ {
		err := db.InTx(ctx, func(tx *store.Tx) (err error) {
			if taken, err = j.due(ctx, tx); err != nil {
				return err
			}
			return finish(tx)
		})
		if err != nil {
			return messages, err
		}
	}
	var from loyalty.ID
	for n := 0; j.batch != nil && n < mostBatches && (n == 0 || from != ""); n++ {
		queued, last := 0, loyalty.ID("")
		err := db.InTx(ctx, func(tx *store.Tx) (err error) {
			if queued, last, err = j.batch(ctx, tx, from); err != nil {
				return err
			}
			return finish(tx)
		})
		if err != nil {
			return messages, err
		}
		messages += queued
		from = last
	}
	return messages, nil
}

// runSlot runs a job for a slot, unless that was done.
func (r *Runner) runSlot(ctx context.Context, name, slot string) error {
	j, err := r.jobOf(name)
	if err != nil {
		return err
	}
	ctx = store.WithTrace(ctx, name+"@"+slot)
	db := r.at(r.db.Now())
	messages, err := j.begin(ctx, db, func(*store.Tx) error { return nil })
	mine := false
	if err == nil {
		begun := messages
		err = db.InTx(ctx, func(tx *store.Tx) (err error) {
			messages = begun
			if mine, err = tx.BeginRun(ctx, name, slot); err != nil || !mine {
				return err
			}
			if j.work != nil {
				if messages, err = j.work(ctx, tx); err != nil {
					return err
				}
			}
			return tx.EndRun(ctx, name, slot, messages)
		})
	}
	if mine || messages > 0 || err != nil {
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
