package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// scheduler begins jobs when the clock says so. Any number of schedulers may
// run: a task's ID names job and slot, and the run itself claims the slot in
// Postgres, in the commit that holds what it did.
type scheduler struct {
	db    *store.DB
	queue *queue
	run   func(ctx context.Context, job, slot string) error
	log   *slog.Logger
	done  map[string]string // by job: the slot that is known to be done
}

func newScheduler(db *store.DB, q *queue, run func(ctx context.Context, job, slot string) error, log *slog.Logger) *scheduler {
	return &scheduler{db: db, queue: q, run: run, log: log, done: map[string]string{}}
}

// loop ticks until ctx ends.
func (s *scheduler) loop(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := s.tick(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "schedule failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tick looks at the clock once. A slot that was begun and is not done is begun
// again: its task may be lost.
func (s *scheduler) tick(ctx context.Context) error {
	for _, job := range periodic() {
		slot := job.slot(s.db.Now())
		if slot == "" || s.done[job.name] == slot {
			continue
		}
		done, err := s.begin(ctx, job, slot)
		if err != nil {
			return err
		}
		if done {
			s.done[job.name] = slot
		}
	}
	return nil
}

func (s *scheduler) begin(ctx context.Context, job periodicJob, slot string) (done bool, err error) {
	err = s.db.InTx(ctx, func(tx *store.Tx) error {
		was, ever, err := tx.Runs(ctx, job.name, slot)
		if err != nil {
			return err
		}
		done = was
		if !ever && job.writes {
			// A new installation tells nobody about the week before it was there.
			_, err = tx.BeginRun(ctx, job.name, slot)
			done = err == nil
		}
		return err
	})
	if err != nil || done {
		return done, err
	}
	t := task{kind: job.name, queue: queueTime, id: job.name + "@" + slot, payload: slot, timeout: 10 * time.Minute}
	put, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := s.queue.begin(put, t, s.db.Now()); err != nil {
		s.log.WarnContext(ctx, "Redis is away; running the job without it", "job", job.name, "slot", slot)
		return false, s.run(ctx, job.name, slot)
	}
	return false, nil
}

// periodicJob is a job with its slots: the name of the one that is now, or ""
// when it is not the time. A slot stays for a while, so that a process that was
// down at the hour makes up for it.
type periodicJob struct {
	name   string
	writes bool // sends messages
	slot   func(now time.Time) string
}

func periodic() []periodicJob {
	return []periodicJob{
		{KindNudges, true, hourlyByDay},
		{KindDigests, true, mondays(9, 0)},
		{KindROI, true, mondays(9, 30)},
		{KindRollup, false, every(time.Minute)},
		{KindRebuild, false, nightly(3)},
		{KindVersions, false, every(time.Minute)},
		{KindMature, false, every(time.Minute)},
		{KindBudgets, false, every(time.Minute)},
		{KindBalances, false, every(time.Minute)},
		{KindDates, false, every(time.Hour)},
		{KindExpire, false, every(time.Minute)},
		{KindWarnings, true, hourlyByDay},
		{KindTiers, true, every(time.Hour)},
		{KindSegments, false, nightly(2)},
		{KindVerify, false, nightly(4)},
		{KindQuotas, false, nightly(4)},
		{KindImports, false, every(time.Minute)},
		{KindTidy, false, every(5 * time.Minute)},
	}
}

// frequent are the jobs of which two slots lie minutes apart.
func frequent() (names []string) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, job := range periodic() {
		if slot := job.slot(at); slot != "" && slot != job.slot(at.Add(5*time.Minute)) {
			names = append(names, job.name)
		}
	}
	return names
}

// home is the zone of the schedule. What a message may do at which hour is the
// shop's zone's to say, and said where it is sent.
const home = loyalty.DefaultTimeZone

func homeZone() *time.Location { return loyalty.Zone(home) }

// clockFormat names slots.
const clockFormat = "2006-01-02T15:04Z"

func every(d time.Duration) func(time.Time) string {
	return func(now time.Time) string { return now.UTC().Truncate(d).Format(clockFormat) }
}

// hourlyByDay has a slot each hour from 09:00 to 20:00.
func hourlyByDay(now time.Time) string {
	if !store.NextDaytime(now, home).Equal(now) {
		return ""
	}
	return every(time.Hour)(now)
}

// nightly has one slot a day, from the given hour on.
func nightly(hour int) func(time.Time) string {
	return func(now time.Time) string {
		local := now.In(homeZone())
		begins := time.Date(local.Year(), local.Month(), local.Day(), hour, 0, 0, 0, local.Location())
		if local.Before(begins) {
			return ""
		}
		return begins.UTC().Format(clockFormat)
	}
}

// mondays has one slot a week, on Monday at the given time; it stays until the
// end of the day's hours.
func mondays(hour, minute int) func(time.Time) string {
	return func(now time.Time) string {
		local := now.In(homeZone())
		begins := time.Date(local.Year(), local.Month(), local.Day(), hour, minute, 0, 0, local.Location())
		if local.Weekday() != time.Monday || local.Before(begins) || !store.NextDaytime(now, home).Equal(now) {
			return ""
		}
		return begins.UTC().Format(clockFormat)
	}
}
