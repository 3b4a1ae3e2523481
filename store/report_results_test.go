package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// rows reads all of a table that a test adds up by itself.
func rows[T any](w *world, sql string, args ...any) []T {
	w.t.Helper()
	conn, err := pgx.Connect(w.t.Context(), w.url)
	require.NoError(w.t, err)
	defer conn.Close(w.t.Context())
	found, err := conn.Query(w.t.Context(), sql, args...)
	require.NoError(w.t, err)
	all, err := pgx.CollectRows(found, pgx.RowToStructByPos[T])
	require.NoError(w.t, err)
	return all
}

// requireResults holds a campaign's results against what its purchases, ledger,
// enrollments and redemptions say one by one.
func (w *world) requireResults(c store.Campaign, from, to time.Time) store.Results {
	t := w.t
	t.Helper()
	var got store.Results
	w.report(func(tx *store.Tx) (err error) {
		got, err = tx.Results(t.Context(), w.team(w.cpg), c.ID, from, to)
		return err
	})
	days := map[time.Time]*store.ResultDay{}
	for d := from; !d.After(to); d = d.AddDate(0, 0, 1) {
		days[d] = &store.ResultDay{Day: d}
	}
	home := loyalty.DefaultTimeZone
	var want store.Results

	type line struct {
		Purchase, Person, Shop loyalty.ID
		At                     time.Time
		Zone                   string
		Product                loyalty.ID
		Quantity               int64
		Price                  loyalty.Cents
	}
	bought, people := map[loyalty.ID]bool{}, map[time.Time]map[loyalty.ID]bool{}
	for _, l := range rows[line](w, `SELECT p.id, p.person_id, p.shop_id, p.occurred_at, s.time_zone, i.product_id, i.quantity - i.returned, i.unit_price_cents
		FROM purchases p JOIN shops s ON s.id = p.shop_id JOIN purchase_items i ON i.purchase_id = p.id WHERE p.status <> 'reversed'`) {
		day := days[dayIn(t, l.At, l.Zone)]
		ended := !c.EndsAt.IsZero() && !l.At.Before(c.EndsAt)
		if day == nil || l.Quantity == 0 || !slices.Contains(c.PLIs, l.Product) || l.At.Before(c.StartsAt) || ended || !c.EveryShop && !slices.Contains(c.Places, l.Shop) {
			continue
		}
		day.Revenue += l.Price * loyalty.Cents(l.Quantity)
		day.Units += l.Quantity
		if people[day.Day] == nil {
			people[day.Day] = map[loyalty.ID]bool{}
		}
		people[day.Day][l.Person] = true
		if bought[l.Purchase] {
			continue
		}
		bought[l.Purchase] = true
		day.Purchases++
	}
	for at, who := range people {
		days[at].Consumers = int64(len(who))
	}
	type entry struct {
		Purchase        loyalty.ID
		At              time.Time
		Zone            string
		Kind, Unit      string
		Amount, Balance int64
	}
	for _, e := range rows[entry](w, `SELECT l.purchase_id, p.occurred_at, s.time_zone, l.kind, l.unit, l.amount, l.balance
		FROM ledger l JOIN purchases p ON p.id = l.purchase_id JOIN shops s ON s.id = p.shop_id WHERE l.campaign_id = $1`, c.ID) {
		if !bought[e.Purchase] || e.Unit != string(c.Scheme)[:5] {
			continue
		}
		day := days[dayIn(t, e.At, e.Zone)]
		day.Given += e.Amount
		if e.Kind == "earn" && e.Balance >= c.Goal && e.Balance-e.Amount < c.Goal {
			day.Completed++
			want.Completed++
		}
	}
	members := map[loyalty.ID]bool{}
	type member struct {
		Person loyalty.ID
		At     time.Time
	}
	for _, m := range rows[member](w, `SELECT person_id, created_at FROM enrollments WHERE campaign_id = $1 AND merged_into IS NULL ORDER BY id`, c.ID) {
		if members[m.Person] {
			continue
		}
		members[m.Person] = true
		if day := days[dayIn(t, m.At, home)]; day != nil {
			day.Joined++
			want.Joined++
		}
	}
	type redemption struct {
		Reward    loyalty.ID
		Status    string
		Requested time.Time
		Settled   *time.Time
		Zone      *string
		Cost      loyalty.Cents
	}
	rewards := map[loyalty.ID]*store.ResultReward{}
	for _, r := range c.Rewards {
		rewards[r.ID] = &store.ResultReward{ID: r.ID, Name: r.Name, Unit: r.Unit, Threshold: r.Threshold, Stock: r.Stock}
	}
	for _, r := range rows[redemption](w, `SELECT r.reward_id, r.status, r.requested_at, r.settled_at, s.time_zone, r.cost_cents
		FROM redemptions r LEFT JOIN shops s ON s.id = r.shop_id WHERE r.campaign_id = $1`, c.ID) {
		of := rewards[r.Reward]
		if r.Status == "requested" || r.Status == "delivered" {
			of.Taken++
		}
		if day := days[dayIn(t, r.Requested, home)]; day != nil {
			day.Requested++
			of.Requested++
			want.Requested++
		}
		if r.Settled == nil {
			of.Waiting++
			continue
		}
		zone := home
		if r.Zone != nil {
			zone = *r.Zone
		}
		day := days[dayIn(t, *r.Settled, zone)]
		switch {
		case day == nil:
		case r.Status == "delivered":
			day.Redemptions++
			day.RewardsCost += r.Cost
			of.Delivered++
			of.Cost += r.Cost
		case r.Status == "expired":
			day.Expired++
			of.Expired++
			want.Expired++
		case r.Status == "cancelled":
			of.Cancelled++
			want.Cancelled++
		}
	}
	var revenue loyalty.Cents
	require.Len(t, got.ByDay, len(days))
	for i, d := range got.ByDay {
		expected := *days[dayIn(t, d.Day, "UTC")]
		require.Equal(t, from.AddDate(0, 0, i), dayIn(t, d.Day, "UTC"))
		expected.Day = d.Day
		require.Equal(t, expected, d)
		revenue += d.Revenue
	}
	require.Equal(t, got.Revenue, revenue, "days add up")
	require.EqualValues(t, len(members), got.Members)
	require.Equal(t, []int64{want.Completed, want.Joined, want.Requested, want.Expired, want.Cancelled},
		[]int64{got.Completed, got.Joined, got.Requested, got.Expired, got.Cancelled})
	require.Len(t, got.ByReward, len(rewards))
	for _, r := range got.ByReward {
		require.Equal(t, *rewards[r.ID], r)
	}
	return got
}

// What was before is what a report of then says, and there is none from before
// the campaign began.
func TestResultsCompareWithThePeriodBefore(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	began := dayIn(t, w.started, loyalty.DefaultTimeZone)
	w.clock.Advance(20 * aDay)
	w.sold(w.shop, 18, 12, 11, 9, 8, 7, 2)
	w.clock.Advance(time.Second)
	var c store.Campaign
	w.do(func(tx *store.Tx) (err error) {
		c, err = tx.Campaign(ctx, w.admin, w.stamps)
		return err
	})
	today := dayIn(t, w.now(), loyalty.DefaultTimeZone)
	got := w.requireResults(c, today.AddDate(0, 0, -6), today)
	before := w.requireResults(c, today.AddDate(0, 0, -13), today.AddDate(0, 0, -7))
	require.EqualValues(t, []int64{1, 5}, []int64{got.Purchases, before.Purchases})
	before.ByWeek, before.ByProduct, before.ByShop, before.ByDay, before.ByReward, before.Before = nil, nil, nil, nil, nil, nil
	before.Campaign, got.Before.Campaign = store.Campaign{}, store.Campaign{}
	require.Equal(t, &before, got.Before)
	require.Nil(t, w.requireResults(c, began, today).Before)

	require.Equal(t, loyalty.CodeCampaignNotFound, w.fails(func(tx *store.Tx) error {
		_, err := tx.Results(ctx, w.team(w.otherCPG), w.stamps, began, today)
		return err
	}))
}

// A glance is what the report of the campaign's whole life says.
func TestAGlanceIsTheCampaignsLife(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	w.clock.Advance(12 * aDay)
	w.sold(w.shop, 11, 7, 2)
	w.clock.Advance(28 * aDay)
	w.sold(w.shop, 27, 3, 2, 0)
	for i := range 3 {
		_, _, err := w.buy(string(rune('a'+i)), w.card, 3)
		require.NoError(t, err)
	}
	w.do(func(tx *store.Tx) error {
		d, err := tx.RequestRedemption(ctx, w.person, w.reward)
		require.NoError(t, err)
		_, err = tx.DeliverRedemption(ctx, w.admin, d.Code, w.shop.Code)
		return err
	})
	w.clock.Advance(time.Second)
	look := func(scope loyalty.Scope) (all []store.Glance) {
		w.report(func(tx *store.Tx) (err error) {
			all, _, err = tx.Glances(ctx, scope, store.CampaignFilter{}, everything)
			return err
		})
		return all
	}
	mine := look(w.team(w.cpg))
	require.Len(t, mine, 1)
	g := mine[0]
	require.Empty(t, look(w.team(w.otherCPG)))
	require.Empty(t, look(loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.shop.ID}}), "a campaign in its shop is not its own")
	r := w.requireResults(g.Campaign, g.From, g.To)
	require.Equal(t, r.Members, g.Members)
	require.EqualValues(t, 7, g.Recent)
	require.EqualValues(t, 3, g.Previous)
	require.Len(t, g.ByDay, 28)
	require.EqualValues(t, []int64{4, 1}, []int64{g.ByDay[27], g.ByDay[24]})
	got, want := g.ROIReport, r.ROIReport
	want.ByWeek, want.ByProduct, want.ByShop, want.Campaign, got.Campaign = nil, nil, nil, store.Campaign{}, store.Campaign{}
	require.Equal(t, want, got)
}

// The migration leaves the rollups that making them anew would give.
func TestResultsAreThereForWhatWasBoughtBefore(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	w.clock.Advance(12 * aDay)
	w.sold(w.shop, 11, 9, 5, 5, 4, 3, 2, 1)
	for i := range 9 {
		w.clock.Advance(time.Hour)
		_, _, err := w.buy(string(rune('a'+i)), w.card, 1)
		require.NoError(t, err)
	}
	require.NoError(t, w.db.CatchUpSales(ctx))
	type line struct{ Text string }
	all := func() []line {
		return append(rows[line](w, `SELECT a::text FROM activity_daily a ORDER BY 1`), rows[line](w, `SELECT c::text FROM campaign_daily c ORDER BY 1`)...)
	}
	before := all()
	require.EqualValues(t, 1, w.count(`SELECT sum(completed)::bigint FROM campaign_daily`))
	require.NoError(t, w.down("campaign_daily"))
	require.NoError(t, migrations.Up(ctx, w.url))
	require.Equal(t, before, all())
	w.do(func(tx *store.Tx) error { return tx.RollupSales(ctx, time.Time{}) })
	require.Equal(t, before, all())
}
