package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// simulate runs a campaign over the last weeks, with nobody taking rewards unless
// takes says so.
func (w *world) simulate(scope loyalty.Scope, id loyalty.ID, weeks int64, takes int64) (s loyalty.Simulation, err error) {
	w.t.Helper()
	err = w.db.ReadOnly(w.t.Context(), func(tx *store.Tx) (err error) {
		s, err = tx.SimulateCampaign(w.t.Context(), scope, id, store.SimulationInput{Weeks: weeks, TakePercent: &takes})
		return err
	})
	return s, err
}

// drafted is a campaign that was never active, with the terms of another.
func (w *world) drafted(like store.Campaign, change func(*store.CampaignInput)) store.Campaign {
	w.t.Helper()
	return w.made(func(in *store.CampaignInput) {
		in.Status, in.Terms = loyalty.Draft, like.Terms
		in.Terms.Name = "Borrador"
		change(in)
	})
}

// fingerprint is how many rows each table has, with what balances come to.
func (w *world) fingerprint() string {
	w.t.Helper()
	text := ""
	for _, table := range []string{
		"campaigns", "campaign_versions", "campaign_products", "campaign_shops", "quotas", "rewards", "redemptions", "enrollments", "purchases",
		"purchase_items", "ledger", "outbox", "causes", "cards", "cpg_shops", "rollup_changes", "segments", "segment_members",
	} {
		text += fmt.Sprintf("%s %d %d\n", table, w.count(`SELECT count(*) FROM `+table), w.count(`SELECT coalesce(sum(hashtext(t::text)), 0) FROM `+table+` t`))
	}
	return text
}

// lively buys at random for some weeks, as four consumers at two shops do.
func (w *world) lively(days int) {
	w.t.Helper()
	r := rand.New(rand.NewPCG(3, 14)) //nolint:gosec // repeatable on purpose
	cards := []string{w.card}
	for i := range 3 {
		cards = append(cards, w.cardOf(w.consumer(fmt.Sprintf("+52551000000%d", i))))
	}
	for day := range days {
		for n := range 3 {
			w.clock.Advance(time.Duration(60+r.IntN(400)) * time.Minute)
			in := w.purchase(fmt.Sprintf("lively-%d-%d", day, n), cards[r.IntN(len(cards))], 1+r.Int64N(4))
			if r.IntN(3) == 0 {
				in.ShopCode = w.otherShop.Code
			}
			if r.IntN(3) == 0 {
				in.Items = append(in.Items, store.ItemInput{GTIN: w.otherGTIN, Quantity: 2})
			}
			if r.IntN(4) == 0 {
				in.Captured = "typed"
			}
			_, _, err := w.buyAs(w.admin, in)
			require.NoError(w.t, err)
		}
	}
	w.clock.Advance(time.Minute)
}

// TestASimulationSaysWhatReallyHappened: a draft with the terms of a campaign that
// ran would have given what that one gave.
func TestASimulationSaysWhatReallyHappened(t *testing.T) {
	for name, change := range map[string]func(*loyalty.Terms){
		"stamps a unit": func(*loyalty.Terms) {},
		"limits": func(v *loyalty.Terms) {
			v.Limits = []loyalty.Limit{{Max: 3, Period: loyalty.EachDay}, {Max: 8, Period: loyalty.EachWeek}}
		},
		"a shop's velocity": func(v *loyalty.Terms) {
			v.Limits = []loyalty.Limit{{Counts: loyalty.CountPurchases, Max: 1, Period: loyalty.EachDay, PerShop: true}}
		},
		"balances for a shop": func(v *loyalty.Terms) {
			v.PerShop, v.Limits = true, []loyalty.Limit{{Max: 5, Period: loyalty.EachWeek}}
		},
		"cooldown": func(v *loyalty.Terms) { v.CooldownMinutes = 24 * 60 },
		"points with rounding": func(v *loyalty.Terms) {
			v.Scheme, v.Rounding = loyalty.Points, loyalty.RoundNearest
			v.Earn = []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1, Each: 7}}
		},
		"tiers and boosts": func(v *loyalty.Terms) {
			v.Scheme, v.PointsGoal = loyalty.Both, 50
			v.Earn = append(v.Earn, loyalty.Earn{Unit: loyalty.Point, Per: loyalty.PerVisit, Amount: 5})
			v.Boosts = []loyalty.Boost{
				{Name: "Fin", Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{0, 6}, From: "08:00", To: "21:00"}},
				{Name: "Hola", Bonus: 3, When: loyalty.When{First: true}},
			}
			v.Tiers = &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachWeek, GraceDays: 2, Levels: []loyalty.Level{
				{Name: "Plata", Purchases: 2}, {Name: "Oro", Purchases: 4, Percent: 150},
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 4)
			ran := w.made(func(in *store.CampaignInput) {
				in.Terms.Shops, in.Terms.StartsAt = []loyalty.ID{w.shop.ID, w.otherShop.ID}, w.now()
				if change(&in.Terms); !in.Terms.Scheme.Has(loyalty.Stamp) {
					in.Rewards = nil
				}
			})
			w.lively(21)
			draft := w.drafted(ran, func(in *store.CampaignInput) { in.Rewards = nil })
			before := w.fingerprint()
			got, err := w.simulate(w.admin, draft.ID, 4, 0)
			require.NoError(t, err)
			require.Equal(t, before, w.fingerprint(), "a simulation writes nothing")
			for unit, simulated := range map[loyalty.Unit]int64{loyalty.Stamp: got.Stamps, loyalty.Point: got.Points} {
				require.Equal(t, w.count(`SELECT coalesce(sum(amount), 0)::bigint FROM ledger WHERE campaign_id = $1 AND unit = $2`, ran.ID, unit), simulated, unit)
			}
			require.Equal(t, w.count(`SELECT count(DISTINCT purchase_id) FROM ledger WHERE campaign_id = $1`, ran.ID), got.Earning)
			require.Equal(t, w.count(`SELECT sum(i.quantity) FROM purchase_items i WHERE i.product_id = $1`, w.product), got.Units)
			var shops, weeks int64
			for _, s := range got.ByShop {
				shops += s.Stamps + s.Points
			}
			for _, s := range got.ByWeek {
				weeks += s.Stamps + s.Points
			}
			require.Equal(t, got.Stamps+got.Points, shops)
			require.Equal(t, got.Stamps+got.Points, weeks)
			require.Len(t, got.ByShop, 2)
			require.False(t, got.Approximate)

			again, err := w.simulate(w.admin, ran.ID, 4, 0)
			require.NoError(t, err)
			require.Equal(t, got.Figures, again.Figures, "of a campaign that runs it says the same")
		})
	}
}

// TestASimulationCountsWhatStands, where it would run, of the weeks that were
// asked for.
func TestASimulationCountsWhatStands(t *testing.T) {
	w := newWorld(t, 4)
	draft := w.made(func(in *store.CampaignInput) { in.Status, in.Terms.Fee = loyalty.Draft, 70_000 })
	stamps := func(weeks, takes int64) loyalty.Simulation {
		s, err := w.simulate(w.admin, draft.ID, weeks, takes)
		require.NoError(t, err)
		return s
	}
	buy := func(key string, quantity int64, change func(*store.PurchaseInput)) loyalty.ID {
		in := w.purchase(key, w.card, quantity)
		change(&in)
		r, _, err := w.buyAs(w.admin, in)
		require.NoError(t, err)
		return r.ID
	}
	same := func(*store.PurchaseInput) {}
	buy("old", 7, same)
	w.clock.Advance(10 * 24 * time.Hour)
	whole, part := buy("whole", 2, same), buy("part", 6, same)
	buy("elsewhere", 4, func(in *store.PurchaseInput) { in.ShopCode = w.otherShop.Code })
	buy("another's", 4, func(in *store.PurchaseInput) { in.Items[0].GTIN = w.otherGTIN })
	w.clock.Advance(time.Hour)
	require.Equal(t, int64(8), stamps(1, 0).Stamps)
	require.Equal(t, int64(15), stamps(2, 0).Stamps)
	_, _, err := w.reverse(w.admin, whole, "")
	require.NoError(t, err)
	_, _, err = w.reverse(w.admin, part, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.NoError(t, err)
	got := stamps(2, 100)
	require.Equal(t, int64(12), got.Stamps)
	require.Equal(t, int64(2), got.Rewards, "5 of 7, and 5 of the 7 that are left with 5 more")
	require.Equal(t, loyalty.Cents(1400), got.RewardCost)
	require.Equal(t, got.RewardCost+got.Fee, got.Cost)
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM campaigns WHERE id = $1 AND status = 'draft'`, draft.ID))
}

// TestASimulationAsksForWhomACampaignIs: only members of its segments, and who
// holds the tier of another campaign, would have earned.
func TestASimulationAsksForWhomACampaignIs(t *testing.T) {
	w := newWorld(t, 4)
	tiers := w.made(func(in *store.CampaignInput) {
		in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Oro", Purchases: 2}}}
	})
	other := w.cardOf(w.consumer("+525510000001"))
	for i := range 4 {
		w.clock.Advance(time.Hour)
		card := w.card
		if i == 3 {
			card = other
		}
		_, _, err := w.buy(fmt.Sprint("gold-", i), card, 1)
		require.NoError(t, err)
	}
	w.clock.Advance(time.Hour)
	draft := w.drafted(tiers, func(in *store.CampaignInput) {
		in.Terms.Tiers, in.Terms.Audience = nil, loyalty.Audience{TierOf: tiers.ID, MinTier: "Oro"}
	})
	got, err := w.simulate(w.admin, draft.ID, 1, 0)
	require.NoError(t, err)
	require.Equal(t, int64(3), got.Stamps)
	require.Equal(t, int64(1), got.Consumers)
}

func TestASimulationIsForWhoOwnsTheCampaign(t *testing.T) {
	w := newWorld(t, 4)
	active, draft := w.stamps, w.made(func(in *store.CampaignInput) { in.Status = loyalty.Draft }).ID
	own := loyalty.Scope{Role: loyalty.RoleCPG, CPG: w.cpg}
	keeper := loyalty.Scope{Role: loyalty.RoleTendero, Shops: []loyalty.ID{w.shop.ID}}
	for name, c := range map[string]struct {
		scope loyalty.Scope
		id    loyalty.ID
		weeks int64
		takes int64
		code  loyalty.Code
	}{
		"its owner":                  {own, draft, 1, 100, ""},
		"another CPG":                {loyalty.Scope{Role: loyalty.RoleCPG, CPG: w.otherCPG}, draft, 1, 100, loyalty.CodeCampaignNotFound},
		"a tendero, of a draft":      {keeper, draft, 1, 100, loyalty.CodeCampaignNotFound},
		"a tendero, of what it sees": {keeper, active, 1, 100, loyalty.CodeForbidden},
		"no week":                    {own, draft, 0, 100, loyalty.CodeInvalid},
		"too many weeks":             {own, draft, 27, 100, loyalty.CodeInvalid},
		"more than all":              {own, draft, 1, 101, loyalty.CodeInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.simulate(c.scope, c.id, c.weeks, c.takes)
			require.Equal(t, c.code, loyalty.CodeOf(err))
		})
	}
}

// TestReadOnlyWritesNothing, whatever it is asked to run.
func TestReadOnlyWritesNothing(t *testing.T) {
	w := newWorld(t, 4)
	err := w.db.ReadOnly(t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateCPG(t.Context(), w.admin, store.CPGInput{Name: "Colada"})
		return err
	})
	require.ErrorContains(t, err, "read-only transaction")
	require.Zero(t, w.count(`SELECT count(*) FROM cpgs WHERE name = 'Colada'`))
}
