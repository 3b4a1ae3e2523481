package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// at reads a time of Mexico City, which has no summer time.
func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04 -0700", s+" -0600")
	require.NoError(t, err)
	return v.UTC()
}

func TestSlots(t *testing.T) {
	slots := map[string]func(time.Time) string{}
	for _, job := range periodic() {
		slots[job.name] = job.slot
	}
	for _, c := range []struct{ job, now, slot string }{
		{KindNudges, "2026-03-05 08:59", ""},
		{KindNudges, "2026-03-05 09:00", "2026-03-05T15:00Z"},
		{KindNudges, "2026-03-05 19:59", "2026-03-06T01:00Z"},
		{KindNudges, "2026-03-05 20:00", ""},
		{KindDigests, "2026-03-09 08:59", ""},
		{KindDigests, "2026-03-09 09:00", "2026-03-09T15:00Z"},
		{KindDigests, "2026-03-09 15:47", "2026-03-09T15:00Z"},
		{KindDigests, "2026-03-09 20:00", ""},
		{KindDigests, "2026-03-10 09:00", ""},
		{KindROI, "2026-03-09 09:29", ""},
		{KindROI, "2026-03-09 09:30", "2026-03-09T15:30Z"},
		{KindRollup, "2026-03-05 03:07", "2026-03-05T09:07Z"},
		{KindRebuild, "2026-03-05 02:59", ""},
		{KindRebuild, "2026-03-05 03:07", "2026-03-05T09:00Z"},
		{KindRebuild, "2026-03-05 23:30", "2026-03-05T09:00Z"},
		{KindExpire, "2026-03-05 03:07", "2026-03-05T09:07Z"},
		{KindBalances, "2026-03-05 03:07", "2026-03-05T09:07Z"},
		{KindTiers, "2026-03-05 03:07", "2026-03-05T09:00Z"},
		{KindWarnings, "2026-03-05 03:07", ""},
		{KindWarnings, "2026-03-05 12:07", "2026-03-05T18:00Z"},
		{KindVerify, "2026-03-05 03:59", ""},
		{KindVerify, "2026-03-05 04:01", "2026-03-05T10:00Z"},
	} {
		assert.Equal(t, c.slot, slots[c.job](at(t, c.now)), "%s at %s", c.job, c.now)
	}
}

// campaign makes a stamp card and a consumer who has 3 of its 10 stamps since
// now; a tendero who wrote keeps the shop.
func (w *town) campaign(change ...func(*loyalty.Terms)) (person loyalty.ID) {
	w.t.Helper()
	terms := loyalty.Terms{
		Name: "Junta 10", Scheme: loyalty.Stamps, Goal: 10, Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
		AllShops: true, StartsAt: w.db.Now().Add(-time.Hour), NudgeQuietDays: 3, NudgeGapDays: 7,
	}
	for _, apply := range change {
		apply(&terms)
	}
	ctx, admin := context.Background(), loyalty.System()
	w.do(func(tx *store.Tx) error {
		cpg, err := tx.CreateCPG(ctx, admin, store.CPGInput{Name: "Refrescos"})
		require.NoError(w.t, err)
		brand, err := tx.CreateBrand(ctx, admin, store.BrandInput{CPG: cpg.ID, Name: "Refresco"})
		require.NoError(w.t, err)
		product, err := tx.CreateProduct(ctx, admin, store.ProductInput{Brand: brand.ID, GTIN: "7501055300075", Name: "Refresco", ReferencePrice: 1800})
		require.NoError(w.t, err)
		shop, err := tx.CreateShop(ctx, admin, store.ShopInput{Name: "Lupita", City: "Puebla", State: "Puebla"})
		require.NoError(w.t, err)
		_, err = tx.CreateTendero(ctx, admin, store.TenderoInput{Shop: shop.ID, Phone: string(number(99)), Name: "Lupita"})
		require.NoError(w.t, err)
		terms.Products = []loyalty.ID{product.ID}
		_, err = tx.CreateCampaign(ctx, admin, store.CampaignInput{
			CPG: cpg.ID, Status: loyalty.Active, Terms: terms,
			Rewards: []store.RewardInput{{Name: "Uno gratis", Unit: loyalty.Stamp, Threshold: 10, Cost: 900}},
		})
		require.NoError(w.t, err)
		for _, p := range []int{0, 99} {
			_, err = tx.SimReceive(ctx, number(p), "", "hola", "text", "")
			require.NoError(w.t, err)
		}
		person = w.personIn(tx)
		o, err := tx.Onboard(ctx, person, shop.Code, "hola")
		require.NoError(w.t, err)
		_, _, err = tx.RecordPurchase(ctx, admin, store.PurchaseInput{
			Key: "1", ShopCode: shop.Code, Code: o.CardCode, Channel: store.ChannelScan,
			Items: []store.ItemInput{{GTIN: "7501055300075", Quantity: 3}},
		})
		return err
	})
	return person
}

// mail empties a person's outbox and gives what was sent.
func (w *town) mail(p int) []string {
	w.t.Helper()
	before := len(w.phone.of(number(p)))
	require.NoError(w.t, NewWorker(w.options()).sweeper.deliver(w.t.Context(), w.person(p)))
	return w.phone.of(number(p))[before:]
}

func newTimedTown(t *testing.T, now string) (*town, *storetest.Clock) {
	t.Helper()
	clock := storetest.NewClock(at(t, now))
	return newTown(t, clock.Now), clock
}

func TestPitfall31_ANudgeIsSentOnceByDayAndNotAfterBaja(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	person := w.campaign()
	require.Equal(t, []string{"receipt.earned"}, w.mail(0))
	runner := NewRunner(w.db, w.bell)
	run := func(want int) {
		t.Helper()
		n, err := runner.RunJob(t.Context(), KindNudges, nil)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	run(0) // not quiet for long enough

	clock.Set(at(t, "2026-03-08 23:30"))
	run(1)
	run(0)
	assert.Empty(t, w.mail(0), "never at night")
	clock.Set(at(t, "2026-03-09 08:59"))
	assert.Empty(t, w.mail(0))
	clock.Set(at(t, "2026-03-09 09:00"))
	assert.Equal(t, []string{"nudge.complete_card"}, w.mail(0))
	run(0)
	assert.Empty(t, w.mail(0), "never twice")

	clock.Set(at(t, "2026-03-20 12:00"))
	run(1) // its gap is over
	w.do(func(tx *store.Tx) error { return tx.OptOut(t.Context(), person, "baja") })
	assert.Empty(t, w.mail(0), "what waited when BAJA came is not sent")
	clock.Set(at(t, "2026-04-20 12:00"))
	run(0)
	assert.Empty(t, w.mail(0), "never after BAJA")
}

func TestARunAsOfAnotherDaySendsNow(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 23:50") // at night, too
	w.campaign()
	w.mail(0)
	w.mail(99)
	clock.Advance(time.Minute)
	runner := NewRunner(w.db, w.bell)
	for _, c := range []struct {
		job  string
		p    int
		want string
	}{{KindNudges, 0, "nudge.complete_card"}, {KindDigests, 99, "digest.weekly"}} {
		asOf := at(t, "2026-03-09 12:00")
		n, err := runner.RunJob(t.Context(), c.job, &asOf)
		require.NoError(t, err)
		assert.Equal(t, 1, n, c.job)
		assert.Equal(t, []string{c.want}, w.mail(c.p), c.job)
	}
	night := at(t, "2026-04-09 02:00")
	_, err := runner.RunJob(t.Context(), KindNudges, &night)
	require.NoError(t, err)
	assert.Empty(t, w.mail(0), "as if the clock stood there: at night nothing goes")
	n, err := runner.RunJob(t.Context(), KindDigests, nil)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []string{"digest.weekly"}, w.mail(99), "a report that somebody asks for at night comes at night")
	n, err = runner.RunJob(t.Context(), KindROI, nil)
	require.NoError(t, err)
	assert.Zero(t, n, "nobody of the brand has a phone")
	_, err = runner.RunJob(t.Context(), "nonsense", nil)
	assert.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(err))
}

// A purchase on a card that is being reminded of waits for the commit: so a run
// has many, and still sends and counts as one, by hand and by the clock.
func TestRemindersAreCommittedAHundredAtATime(t *testing.T) {
	for _, how := range []string{"by hand", "by the clock"} {
		t.Run(how, func(t *testing.T) {
			w, clock := newTimedTown(t, "2026-03-05 12:00")
			w.campaign()
			const people = batchSize + 20
			for p := 1; p < people; p++ {
				w.do(func(tx *store.Tx) error { return w.regular(tx, p) })
			}
			runner := NewRunner(w.db, w.bell)
			if how == "by hand" {
				night, now := at(t, "2026-03-09 23:00"), w.db.Now()
				for _, want := range []int{people, 0} {
					n, err := runner.RunJob(t.Context(), KindNudges, &night)
					require.NoError(t, err)
					require.Equal(t, want, n)
				}
				require.EqualValues(t, people, w.count(`SELECT count(*) FROM outbox WHERE template = 'nudge.complete_card' AND due_at > $1`, now))
				day := at(t, "2026-03-20 12:00")
				n, err := runner.RunJob(t.Context(), KindNudges, &day)
				require.NoError(t, err)
				require.Equal(t, people, n)
				require.EqualValues(t, people, w.count(`SELECT count(*) FROM outbox WHERE template = 'nudge.complete_card' AND due_at = $1`, now), "each part is sent now")
				require.EqualValues(t, 4, w.count(`SELECT count(DISTINCT created_at::text || xmin::text) FROM outbox WHERE template = 'nudge.complete_card'`))
				return
			}
			clock.Set(at(t, "2026-03-09 12:00"))
			for range 2 {
				require.NoError(t, runner.runSlot(t.Context(), KindNudges, "noon"))
			}
			require.EqualValues(t, people, w.count(`SELECT messages FROM job_runs WHERE slot = 'noon'`))
			require.EqualValues(t, 2, w.count(`SELECT count(DISTINCT xmin::text) FROM outbox WHERE template = 'nudge.complete_card'`))
		})
	}
}

// regular is one more consumer of the campaign, with some stamps.
func (w *town) regular(tx *store.Tx, p int) error {
	ctx, admin, hello := w.t.Context(), loyalty.System(), fmt.Sprint("hola ", p)
	if _, err := tx.SimReceive(ctx, number(p), "", hello, "text", ""); err != nil {
		return err
	}
	shops, _, err := tx.Shops(ctx, admin, store.ShopFilter{}, store.Page{Limit: 1})
	if err != nil {
		return err
	}
	person, err := tx.FindPhone(ctx, number(p))
	if err != nil {
		return err
	}
	o, err := tx.Onboard(ctx, person, shops[0].Code, hello)
	if err != nil {
		return err
	}
	_, _, err = tx.RecordPurchase(ctx, admin, store.PurchaseInput{
		Key: hello, ShopCode: shops[0].Code, Code: o.CardCode, Channel: store.ChannelScan,
		Items: []store.ItemInput{{GTIN: "7501055300075", Quantity: 3}},
	})
	return err
}

// count asks the database for a number.
func (w *town) count(sql string, args ...any) (n int64) {
	w.t.Helper()
	c, err := pgx.Connect(w.t.Context(), w.url)
	require.NoError(w.t, err)
	defer c.Close(w.t.Context())
	require.NoError(w.t, c.QueryRow(w.t.Context(), sql, args...).Scan(&n))
	return n
}

// What is told to brands knows the purchases of a moment ago, and each night's
// run mends what was changed by hand.
func TestTheBrandsSummaryIsFresh(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	w.campaign()
	clock.Advance(time.Minute)
	runner := NewRunner(w.db, w.bell)
	_, err := runner.RunJob(t.Context(), KindROI, nil)
	require.NoError(t, err)
	require.EqualValues(t, 3, w.count(`SELECT sum(units)::bigint FROM sales_daily`))
	require.EqualValues(t, 0, w.count(`WITH gone AS (DELETE FROM sales_daily RETURNING 1) SELECT 0`))
	require.NoError(t, runner.runSlot(t.Context(), KindRebuild, "night"))
	require.EqualValues(t, 3, w.count(`SELECT sum(units)::bigint FROM sales_daily`))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM job_runs WHERE job = 'rebuild'`))
}

func TestTwoSchedulersRunASlotOnce(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	w.campaign()
	w.mail(0)
	runner := NewRunner(w.db, w.bell)
	// One beside the other, each in a process of its own; Redis is away, so
	// that both come to run the job themselves.
	w.redis.Close()
	first := newScheduler(w.db, w.bell.queue, runner.runSlot, quiet())
	second := newScheduler(w.db, w.bell.queue, runner.runSlot, quiet())
	require.NoError(t, first.tick(t.Context())) // a new installation: begins with the next slots
	require.NoError(t, second.tick(t.Context()))

	clock.Set(at(t, "2026-03-09 12:00"))
	errs := make(chan error)
	for _, s := range []*scheduler{first, second} {
		go func() { errs <- s.tick(t.Context()) }()
	}
	require.NoError(t, <-errs)
	require.NoError(t, <-errs)
	require.NoError(t, first.tick(t.Context()))
	assert.Equal(t, []string{"nudge.complete_card"}, w.mail(0))
}

func TestTheScheduleRunsThroughRedis(t *testing.T) {
	w := newTown(t, time.Now)
	w.worker()
	w.worker()
	w.eventually(func(tx *store.Tx) bool {
		for _, job := range periodic() {
			slot := job.slot(w.db.Now())
			if slot == "" {
				continue
			}
			done, ever, err := tx.Runs(t.Context(), job.name, slot)
			if slices.Contains(frequent(), job.name) {
				done = ever // its minute may have just turned
			}
			if err != nil || !done {
				return false
			}
		}
		return true
	})
}

// run runs a job at once, which must not fail.
func (w *town) run(name string) {
	w.t.Helper()
	_, err := NewRunner(w.db, w.bell).RunJob(w.t.Context(), name, nil)
	require.NoError(w.t, err, name)
}

func TestEveryJobHasNothingAgainstATownAtWork(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	w.campaign(func(terms *loyalty.Terms) {
		terms.Budget = &loyalty.Budget{Stamps: 100}
		terms.Expiry = &loyalty.Expiry{On: at(t, "2026-05-05 12:00")}
		terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachWeek, GraceDays: 3, Levels: []loyalty.Level{{Name: "Oro", Purchases: 1}}}
	})
	for range 3 {
		for _, job := range periodic() {
			w.run(job.name)
		}
		clock.Advance(31 * 24 * time.Hour)
	}
	require.EqualValues(t, 0, w.count(`SELECT sum(stamps) FROM enrollments`), "they ended on their day")
	found, err := w.db.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestBalancesAreWarnedOfByDayAndEndOnTime(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	w.campaign(func(terms *loyalty.Terms) { terms.Expiry = &loyalty.Expiry{Days: 10, WarnDays: 3} })
	w.mail(0)
	clock.Set(at(t, "2026-03-11 12:00"))
	w.run(KindWarnings)
	assert.Empty(t, w.mail(0), "too early")
	clock.Set(at(t, "2026-03-12 22:00"))
	w.run(KindWarnings)
	w.run(KindWarnings)
	assert.Empty(t, w.mail(0), "never at night")
	clock.Set(at(t, "2026-03-13 09:00"))
	assert.Equal(t, []string{"expiry.warning"}, w.mail(0))
	w.run(KindBalances)
	require.EqualValues(t, 3, w.count(`SELECT sum(stamps) FROM enrollments`))
	clock.Set(at(t, "2026-03-15 12:00"))
	w.run(KindBalances)
	require.EqualValues(t, 0, w.count(`SELECT sum(stamps) FROM enrollments`))
}

func TestWhatWaitsForAYesMaturesByTheClock(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	w.campaign(func(terms *loyalty.Terms) { terms.Pending = &loyalty.Pending{Hours: 24} })
	w.mail(0)
	w.do(func(tx *store.Tx) error {
		shops, _, err := tx.Shops(t.Context(), loyalty.System(), store.ShopFilter{}, store.Page{Limit: 1})
		require.NoError(t, err)
		wallet, err := tx.Wallet(t.Context(), w.personIn(tx))
		require.NoError(t, err)
		_, _, err = tx.RecordPurchase(t.Context(), loyalty.System(), store.PurchaseInput{
			Key: "typed", ShopCode: shops[0].Code, Code: wallet.CardCode, Captured: "typed", Channel: store.ChannelScan,
			Items: []store.ItemInput{{GTIN: "7501055300075", Quantity: 2}},
		})
		return err
	})
	assert.Equal(t, []string{"receipt.pending"}, w.mail(0))
	clock.Advance(24*time.Hour - time.Second)
	w.run(KindMature)
	assert.Empty(t, w.mail(0))
	clock.Advance(time.Second)
	w.run(KindMature)
	assert.Equal(t, []string{"receipt.earned"}, w.mail(0))
	require.EqualValues(t, 5, w.count(`SELECT sum(stamps) FROM enrollments`))
}

// The nightly verification says so in figures and in the log, by the IDs of rows.
func TestADifferenceIsSeenInTheMorning(t *testing.T) {
	w, _ := newTimedTown(t, "2026-03-05 12:00")
	person := w.campaign()
	var log strings.Builder
	w.bell.log = slog.New(slog.NewTextHandler(&log, nil))
	w.run(KindVerify)
	assert.Zero(t, value(t, w.bell.metrics.differences))
	assert.Empty(t, log.String())

	w.count(`WITH broken AS (UPDATE enrollments SET stamps = stamps + 1 RETURNING 1) SELECT count(*) FROM broken`)
	w.run(KindVerify)
	assert.Positive(t, value(t, w.bell.metrics.differences))
	assert.Contains(t, log.String(), "level=ERROR msg=\"ledger differs\"")
	assert.NotContains(t, log.String(), string(number(0)))
	assert.NotContains(t, log.String(), string(person))
}

func TestQuotasOfPeriodsLongOverAreForgotten(t *testing.T) {
	w, _ := newTimedTown(t, "2026-03-15 12:00")
	w.campaign()
	w.count(`WITH made AS (INSERT INTO quotas (campaign_id, name, cap) SELECT id, x, 10 FROM campaigns, unnest(ARRAY[
		'stamp', 'per_hour:0199:2026-01-31T23', 'per_day:0199:2026-01-31', 'per_day:0199:2026-02-15', 'per_hour:0199:2026-03-15T11']) x RETURNING 1)
		SELECT count(*) FROM made`)
	w.run(KindQuotas)
	require.EqualValues(t, 3, w.count(`SELECT count(*) FROM quotas`))
	require.EqualValues(t, 0, w.count(`SELECT count(*) FROM quotas WHERE name LIKE '%2026-01%'`))
}

// eventually waits until the database says so.
func (w *town) eventually(ok func(*store.Tx) bool) {
	w.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); ; {
		yes := false
		w.do(func(tx *store.Tx) error {
			yes = ok(tx)
			return nil
		})
		if yes {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			w.t.Fatal("it did not happen")
		}
	}
}

func TestANewInstallationTellsNobodyOfTheWeekBefore(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-02 12:00") // a Monday
	w.campaign()
	w.mail(99)
	w.redis.Close()
	runner := NewRunner(w.db, w.bell)
	s := newScheduler(w.db, w.bell.queue, runner.runSlot, quiet())
	clock.Set(at(t, "2026-03-09 12:00"))
	require.NoError(t, s.tick(t.Context()))
	assert.Empty(t, w.mail(99))
	clock.Set(at(t, "2026-03-16 12:00"))
	require.NoError(t, s.tick(t.Context()))
	assert.Equal(t, []string{"digest.weekly"}, w.mail(99))
	require.NoError(t, s.tick(t.Context()))
	assert.Empty(t, w.mail(99))
}

func TestTidyForgetsAndCleansUp(t *testing.T) {
	w, clock := newTimedTown(t, "2026-03-05 12:00")
	person := w.campaign()
	w.mail(0)
	runner := NewRunner(w.db, w.bell)
	w.do(func(tx *store.Tx) error { return tx.Erase(t.Context(), person, "borrar") })
	_, err := runner.RunJob(t.Context(), KindTidy, nil)
	require.NoError(t, err)
	assert.Empty(t, w.person(0), "the phone is forgotten")

	w.do(func(tx *store.Tx) error {
		_, err := tx.BeginRun(t.Context(), KindTidy, "old")
		return err
	})
	clock.Advance(70 * 24 * time.Hour)
	_, err = runner.RunJob(t.Context(), KindTidy, nil)
	require.NoError(t, err)
	w.do(func(tx *store.Tx) error {
		_, ever, err := tx.Runs(t.Context(), KindTidy, "old")
		assert.False(t, ever)
		return err
	})
}

// A job that takes longer than the schedule's patience is not begun a second time
// beside the first; one whose worker was killed is.
func TestALongJobIsBegunAgainOnlyWhenItsWorkerIsGone(t *testing.T) {
	w := newTown(t, time.Now)
	ctx, q := t.Context(), w.bell.queue
	slot := task{kind: KindRebuild, queue: queueTime, id: "rebuild@night", payload: "night", timeout: time.Minute}
	require.NoError(t, q.begin(ctx, slot, time.Now()))
	// As a worker takes it.
	require.NoError(t, w.redis.RPopLPush(ctx, "asynq:{time}:pending", "asynq:{time}:active").Err())
	require.NoError(t, w.redis.HSet(ctx, "asynq:{time}:t:"+slot.id, "state", "active").Err())
	lease := func(until time.Time) {
		require.NoError(t, w.redis.ZAdd(ctx, "asynq:{time}:lease", redis.Z{Score: float64(until.Unix()), Member: slot.id}).Err())
	}
	begun := func() int {
		require.NoError(t, q.begin(ctx, slot, time.Now()))
		waiting, err := q.inspector.ListPendingTasks(queueTime)
		require.NoError(t, err)
		return len(waiting)
	}
	lease(time.Now().Add(time.Minute))
	assert.Zero(t, begun(), "it is at work")
	lease(time.Now().Add(-time.Minute))
	assert.Equal(t, 1, begun(), "nobody is at it")
}
