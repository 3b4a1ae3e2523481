package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// units that a campaign's report counts in the sixty days until now.
func (w *world) units(campaign loyalty.ID) (n int64) {
	w.t.Helper()
	w.report(func(tx *store.Tx) error {
		r, err := tx.ROI(w.t.Context(), w.admin, campaign, w.now().AddDate(0, 0, -60), w.now())
		n = r.Units
		return err
	})
	return n
}

// sold records purchases of one unit, so many days ago each.
func (w *world) sold(shop store.Shop, daysAgo ...int) {
	w.t.Helper()
	for _, n := range daysAgo {
		at := w.now().AddDate(0, 0, -n)
		_, _, err := w.buyAs(w.admin, w.purchaseOf(fmt.Sprintf("%s %s %d", shop.Code, w.now(), n), shop, w.gtin, at))
		require.NoError(w.t, err)
	}
}

// However many look at reports at once, a late purchase is worked in once, and
// only the days that it touches are made anew.
func TestReportsAtOnceCatchUpOnce(t *testing.T) {
	w := newWorld(t, 8)
	w.clock.Advance(20 * 24 * time.Hour)
	w.sold(w.shop, 5, 10)
	w.clock.Advance(2 * time.Minute) // what is older than a minute is not looked at again
	w.sold(w.shop, 1)
	require.EqualValues(t, 3, w.units(w.stamps))
	// A mark on a day in between shows whether it is made again.
	require.NoError(t, w.exec(`UPDATE campaign_daily SET units = 100 WHERE day = $1`, w.now().AddDate(0, 0, -5).Format(time.DateOnly)))
	require.NoError(t, w.exec(`CREATE TABLE made (at timestamptz)`))
	require.NoError(t, w.exec(`CREATE FUNCTION made() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO made VALUES (now()); RETURN NEW; END'`))
	require.NoError(t, w.exec(`CREATE TRIGGER made AFTER INSERT OR UPDATE ON rollups FOR EACH ROW EXECUTE FUNCTION made()`))
	w.clock.Advance(2 * time.Minute)
	w.sold(w.shop, 15, 0)
	w.clock.Advance(time.Second)

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := w.db.FreshenSales(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM made`))
	require.EqualValues(t, 104, w.units(w.stamps))

	// The next one finds nothing to do, however much later, nor does the job.
	w.clock.Advance(time.Hour)
	require.EqualValues(t, 104, w.units(w.stamps))
	require.NoError(t, w.db.CatchUpSales(t.Context()))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM made`))

	// Each night all of it is made anew.
	require.NoError(t, w.db.RebuildSales(t.Context(), 60))
	require.EqualValues(t, 5, w.units(w.stamps))
}

// A purchase may commit after a report that knew a younger one.
func TestAReportKnowsWhatCommittedLate(t *testing.T) {
	w := newWorld(t, 8)
	w.sold(w.shop, 0)
	w.clock.Advance(time.Second)
	require.EqualValues(t, 1, w.units(w.stamps))
	w.clock.Advance(-30 * time.Second)
	w.sold(w.shop, 0)
	w.clock.Advance(40 * time.Second)
	require.EqualValues(t, 2, w.units(w.stamps))
}

// While somebody rolls up, reports show what there is; and what they show was
// true at one moment.
func TestAReportWaitsForNobodyAndIsOfOneMoment(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	w.sold(w.shop, 0)
	w.clock.Advance(time.Second)
	require.EqualValues(t, 1, w.units(w.stamps))
	other, err := pgx.Connect(ctx, w.url)
	require.NoError(t, err)
	defer other.Close(ctx)
	_, err = other.Exec(ctx, `SELECT pg_advisory_lock(hashtext('rollup'))`)
	require.NoError(t, err)
	w.clock.Advance(time.Second)
	w.sold(w.shop, 0)
	w.clock.Advance(time.Second)
	require.EqualValues(t, 1, w.units(w.stamps), "what there is")
	_, err = other.Exec(ctx, `SELECT pg_advisory_unlock(hashtext('rollup'))`)
	require.NoError(t, err)
	require.EqualValues(t, 2, w.units(w.stamps))

	w.report(func(tx *store.Tx) error {
		for range 2 {
			r, err := tx.ROI(ctx, w.admin, w.stamps, w.started, w.now())
			require.NoError(t, err)
			require.EqualValues(t, 2, r.Units)
			w.clock.Advance(time.Second)
			w.sold(w.shop, 0)
			require.NoError(t, w.db.CatchUpSales(ctx))
		}
		return nil
	})
	require.EqualValues(t, 4, w.units(w.stamps))
	require.Error(t, w.db.Report(ctx, func(tx *store.Tx) error { return tx.OptOut(ctx, w.person, "baja") }), "a report writes nothing")
}

// A campaign that begins in the past, or changes what counts for it, has its
// figures at once, without a new purchase.
func TestAChangedCampaignHasItsFiguresAtOnce(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	w.clock.Advance(10 * 24 * time.Hour)
	w.sold(w.shop, 5)
	w.clock.Advance(30 * 24 * time.Hour)
	w.sold(w.shop, 27, 20, 3)
	w.sold(w.otherShop, 15)
	w.clock.Advance(time.Second)
	require.EqualValues(t, 4, w.units(w.stamps))

	made := w.made(func(in *store.CampaignInput) { in.Terms.StartsAt = w.now().AddDate(0, 0, -28) })
	require.EqualValues(t, 3, w.units(made.ID), "of its dates, at its shop")
	require.EqualValues(t, 4, w.units(w.stamps), "the other one's stay")

	earlier := w.now().AddDate(0, 0, -36)
	w.change(made.ID, func(t *loyalty.Terms) { t.AllShops, t.Shops = true, nil })
	require.EqualValues(t, 4, w.units(made.ID), "other shops")
	w.change(made.ID, func(t *loyalty.Terms) { t.StartsAt = earlier })
	require.EqualValues(t, 5, w.units(made.ID), "an earlier start")

	var more store.Product
	w.do(func(tx *store.Tx) error {
		brands, _, err := tx.Brands(ctx, w.team(w.cpg), store.BrandFilter{}, everything)
		require.NoError(t, err)
		more, err = tx.CreateProduct(ctx, w.admin, store.ProductInput{Brand: brands[0].ID, GTIN: validGTIN("750123450009"), Name: "Otro", ReferencePrice: 100})
		return err
	})
	w.change(made.ID, func(t *loyalty.Terms) { t.Products = []loyalty.ID{more.ID} })
	require.Zero(t, w.units(made.ID), "other products")
	require.Zero(t, w.count(`SELECT count(*) FROM rollup_changes`))

	w.change(made.ID, func(t *loyalty.Terms) { t.Name = "Otro nombre" })
	require.Zero(t, w.count(`SELECT count(*) FROM rollup_changes`), "a name counts for nothing")
}

// A shop whose time zone was wrong has its sales on other days.
func TestAMovedShopHasItsDaysAnew(t *testing.T) {
	w := newWorld(t, 8)
	w.clock.Set(time.Date(2026, 3, 7, 6, 30, 0, 0, time.UTC)) // half past midnight in Mexico City
	w.sold(w.shop, 0)
	onThe := func(day int) (n int64) {
		w.clock.Advance(time.Second)
		d := time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC)
		w.report(func(tx *store.Tx) error {
			r, err := tx.ROI(t.Context(), w.admin, w.stamps, d, d)
			n = r.Units
			return err
		})
		return n
	}
	require.EqualValues(t, 1, onThe(7))
	zone := "America/Tijuana"
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateShop(t.Context(), w.admin, w.shop.ID, store.ShopPatch{TimeZone: &zone})
		return err
	})
	require.EqualValues(t, 1, onThe(6))
	require.Zero(t, onThe(7))
}

// Nothing that is changed later rewrites what an ended campaign brought.
func TestAnEndedCampaignsFiguresStay(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	began := w.now()
	w.clock.Advance(5 * 24 * time.Hour)
	w.move(w.stamps, loyalty.Ended)
	w.clock.Advance(10 * 24 * time.Hour)
	w.sold(w.shop, 12, 3) // one before the end, one after it
	report := func() (r store.ROIReport) {
		w.clock.Advance(time.Second)
		w.report(func(tx *store.Tx) (err error) {
			r, err = tx.ROI(ctx, w.admin, w.stamps, began, w.now())
			return err
		})
		return r
	}
	r := report()
	require.EqualValues(t, 1, r.Units)
	require.Equal(t, 6, r.FeeDays)
	cost := loyalty.Cents(1)
	require.Equal(t, loyalty.CodeConflict, w.fails(func(tx *store.Tx) error {
		_, err := tx.UpdateReward(ctx, w.admin, w.reward, store.RewardPatch{Cost: &cost})
		return err
	}))
	require.NoError(t, w.exec(`UPDATE campaigns SET updated_at = $1`, w.now()))
	require.NoError(t, w.db.RebuildSales(ctx, 60))
	after := report()

	require.Equal(t, r.Units, after.Units)
	require.Equal(t, r.FeeDays, after.FeeDays)
}

// A run of reminders goes on where the last part stopped, and ends.
func TestRemindersAreQueuedInParts(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	const people = 5
	for i := range people {
		person := w.consumer(fmt.Sprintf("+52551234200%d", i))
		_, _, err := w.buy(fmt.Sprint(i), w.cardOf(person), 2)
		require.NoError(t, err)
	}
	w.clock.Advance(4 * 24 * time.Hour)
	var parts []int
	var from loyalty.ID
	for n := 0; n == 0 || from != ""; n++ {
		w.do(func(tx *store.Tx) error {
			queued, last, err := tx.QueueNudges(ctx, from, 2)
			parts, from = append(parts, queued), last
			return err
		})
	}
	require.Equal(t, []int{2, 2, 1}, parts)
	require.EqualValues(t, people, w.count(`SELECT count(*) FROM outbox WHERE template = 'nudge.complete_card'`))
}
