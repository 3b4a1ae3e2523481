package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// BeginRun claims a slot of a periodic job, such as the week of a digest: true
// for one caller only, however many schedulers there are (law 4). Who comes
// while another is at it waits for the other's commit; where that one fails,
// the slot is free again.
func (tx *Tx) BeginRun(ctx context.Context, job, slot string) (bool, error) {
	tag, err := tx.tx.Exec(ctx, `
		INSERT INTO job_runs (job, slot, created_at, messages) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING`,
		job, slot, tx.now)
	return tag.RowsAffected() > 0, err
}

// EndRun notes how many messages a run brought.
func (tx *Tx) EndRun(ctx context.Context, job, slot string, messages int) error {
	_, err := tx.tx.Exec(ctx, `UPDATE job_runs SET messages = $3 WHERE job = $1 AND slot = $2`, job, slot, messages)
	return err
}

// Runs says whether a job's slot was done, and whether any slot ever was.
func (tx *Tx) Runs(ctx context.Context, job, slot string) (done, ever bool, err error) {
	err = tx.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM job_runs WHERE job = $1 AND slot = $2),
		       EXISTS (SELECT FROM job_runs WHERE job = $1)`, job, slot).Scan(&done, &ever)
	return done, ever, err
}

// Hours says at which hours something may be sent.
type Hours int

// The hours.
const (
	ByDay   Hours = iota // what the transaction's clock puts into the night waits
	AnyHour              // now, whatever the hour
)

// DeliverAtOnce makes what this transaction queued due at the given moment: a
// job that somebody runs, maybe as if the clock stood elsewhere, sends here and
// now, or nobody could look at the result.
func (tx *Tx) DeliverAtOnce(ctx context.Context, now time.Time, hours Hours) error {
	var rows []loyalty.ID
	for i, e := range tx.events {
		if e.Kind == deliveryLater && hours == AnyHour {
			tx.events[i].Kind = DeliveryDue
		}
		if tx.events[i].Kind == DeliveryDue {
			rows = append(rows, e.Row)
		}
	}
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET due_at = $2, created_at = $2, zone = NULL WHERE id = ANY($1) AND status = 'queued'`, rows, now)
	return err
}

// Cleanup deletes what has served its purpose for long: secrets that open
// nothing any more, marks of runs, unused evidence codes. Of the jobs that run
// every few minutes, the marks of two days are enough. It gives how many rows
// went.
func (tx *Tx) Cleanup(ctx context.Context, frequent ...string) (int64, error) {
	n, err := tx.SweepTokens(ctx)
	if err != nil {
		return n, err
	}
	old := tx.now.AddDate(0, 0, -60)
	for _, sql := range []string{
		`DELETE FROM otps WHERE expires_at < $1`,
		`DELETE FROM evidence_codes WHERE used_at IS NULL AND expires_at < $1`,
		`DELETE FROM job_runs WHERE created_at < $1`,
		`DELETE FROM imports WHERE created_at < $1 AND status <> 'applying'`,
	} {
		tag, err := tx.tx.Exec(ctx, sql, old)
		if err != nil {
			return n, err
		}
		n += tag.RowsAffected()
	}
	tag, err := tx.tx.Exec(ctx, `DELETE FROM job_runs WHERE job = ANY($1) AND created_at < $2`, nonNil(frequent), tx.now.AddDate(0, 0, -2))
	return n + tag.RowsAffected(), err
}
