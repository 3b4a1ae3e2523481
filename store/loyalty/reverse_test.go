package loyalty_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestTakeBack(t *testing.T) {
	colas := func(n int64) []loyalty.Line { return []loyalty.Line{line(cola, n, 1500)} }
	mixed := []loyalty.Line{line(cola, 4, 1500), line(agua, 2, 1000)}
	onlyAgua := []loyalty.Line{line(agua, 2, 1000)}
	daily := loyalty.Limit{ID: "d", Max: 3, Period: loyalty.EachDay}
	const day = "d:2026-03-09"
	for name, c := range map[string]struct {
		change    changes
		remaining []loyalty.Line
		stands    int64 // 0: all that was given
		want      loyalty.Return
	}{
		"whole":                       {sells(mixed...), nil, 0, loyalty.Return{Stamps: 6, Gone: true}},
		"by item":                     {sells(mixed...), onlyAgua, 0, loyalty.Return{Stamps: 4}},
		"by quantity":                 {sells(mixed...), []loyalty.Line{line(cola, 1, 1500), line(agua, 2, 1000)}, 0, loyalty.Return{Stamps: 3}},
		"what was clipped comes last": {all(limited(nil, daily), sells(colas(5)...)), colas(4), 0, loyalty.Return{}},
		"below what was clipped":      {all(limited(nil, daily), sells(colas(5)...)), colas(2), 0, loyalty.Return{Stamps: 1, Counters: map[string]int64{day: 1}}},
		"by what was counted before it, not since": {all(limited(map[string]int64{day: 1}, daily), sells(colas(5)...)), colas(1), 0,
			loyalty.Return{Stamps: 1, Counters: map[string]int64{day: 1}}},
		"what remains is below the minimum": {all(terms(func(t *loyalty.Terms) { t.MinQuantity = 3 }), sells(mixed...)), onlyAgua, 0, loyalty.Return{Stamps: 6, Gone: true}},
		"only what is no PLI remains":       {sells(line(cola, 1, 1), line(rival, 1, 1)), []loyalty.Line{line(rival, 1, 1)}, 0, loyalty.Return{Stamps: 1, Gone: true}},
		"never more than stands":            {sells(mixed...), nil, 2, loyalty.Return{Stamps: 2, Gone: true}},
		"never less than nothing":           {sells(mixed...), onlyAgua, 1, loyalty.Return{}},
		"a bonus for a product that goes":   {boosted(sells(mixed...), loyalty.Boost{Bonus: 5, When: loyalty.When{Products: []loyalty.ID{cola}}}), onlyAgua, 0, loyalty.Return{Stamps: 9}},
		"the first purchase stays the first": {boosted(sells(mixed...), loyalty.Boost{Percent: 200, When: loyalty.When{First: true}}), onlyAgua, 0,
			loyalty.Return{Stamps: 8}},
		"the birthday stays the birthday": {boosted(func(_ *loyalty.Candidate, s *loyalty.Sale) { s.Birthday, s.Lines = "03-09", mixed },
			loyalty.Boost{Percent: 200, When: loyalty.When{Birthday: true}}), onlyAgua, 0, loyalty.Return{Stamps: 8}},
		"the tier stays that of the time": {all(tiered("oro"), sells(mixed...)), onlyAgua, 0,
			loyalty.Return{Stamps: 8, Progress: loyalty.Progress{Spend: 6000, Earned: 8}}},
		"tiers lose the purchase": {all(tiered(""), sells(mixed...)), nil, 0,
			loyalty.Return{Stamps: 6, Gone: true, Progress: loyalty.Progress{Purchases: 1, Spend: 8000, Earned: 6}}},
		"the budget gets it back": {func(c *loyalty.Candidate, s *loyalty.Sale) { c.Left, s.Lines = map[string]int64{"stamp": 5}, mixed }, onlyAgua, 0,
			loyalty.Return{Stamps: 3, Quotas: []loyalty.Take{{Name: "stamp", Amount: 3}}}},
		"what all cards share stays used by a part": {limited(nil, loyalty.Limit{ID: "v", Counts: loyalty.CountPurchases, Max: 9, Period: loyalty.EachHour, PerShop: true, AllCards: true}), colas(1), 0,
			loyalty.Return{Stamps: 49}},
		"what all cards share is given back with the whole": {limited(nil, loyalty.Limit{ID: "v", Counts: loyalty.CountPurchases, Max: 9, Period: loyalty.EachHour, PerShop: true, AllCards: true}), nil, 0,
			loyalty.Return{Stamps: 50, Gone: true, Quotas: []loyalty.Take{{Name: "v:s1:2026-03-09T10", Amount: 1}}}},
		"purchases and visits are counted until it is gone": {all(limited(nil, loyalty.Limit{ID: "n", Counts: loyalty.CountPurchases, Max: 9, Period: loyalty.Lifetime}),
			terms(func(t *loyalty.Terms) { t.Earn = earning(loyalty.Stamp, loyalty.PerVisit, 3, 0) })), nil, 0,
			loyalty.Return{Stamps: 3, Gone: true, Counters: map[string]int64{"n:": 1, "visit:s1:2026-03-09": 1}}},
		"a limit of another product fills up": {all(limited(nil, loyalty.Limit{ID: "a", Max: 2, Period: loyalty.EachPurchase}, loyalty.Limit{ID: "b", Max: 9, Period: loyalty.Lifetime, Products: []loyalty.ID{agua}}),
			sells(mixed...)), onlyAgua, 0, loyalty.Return{Counters: map[string]int64{"b:": -2}}},
	} {
		t.Run(name, func(t *testing.T) {
			candidate, sale := one(c.change)
			campaign := candidate.Campaign
			j := loyalty.Evaluate([]loyalty.Candidate{candidate}, sale)[0]
			bases := stored(t, map[loyalty.ID]loyalty.Basis{campaign.ID: loyalty.NewBasis(&candidate, sale, &j)})
			stands := j.Stamps
			if c.stands > 0 {
				stands = c.stands
			}
			got := loyalty.TakeBack([]*loyalty.Campaign{campaign}, bases, map[loyalty.ID]map[loyalty.Unit]int64{campaign.ID: {loyalty.Stamp: stands}}, sale, c.remaining)
			require.Len(t, got, 1)
			c.want.Campaign = campaign
			if c.want.Counters == nil {
				c.want.Counters = map[string]int64{}
			}
			require.Equal(t, c.want, got[0])
			require.Empty(t, loyalty.TakeBack([]*loyalty.Campaign{campaign}, bases, nil, sale, nil), "nothing stands")
		})
	}
}

// A campaign that was kept out of some lines does not get them when the
// exclusive one gives nothing any more.
func TestTakeBackOfAnExclusiveCampaign(t *testing.T) {
	x, sale := one(sells(line(cola, 2, 1), line(agua, 3, 1)))
	x.Campaign.ID, x.Campaign.Exclusive, x.Campaign.Priority, x.Campaign.MinQuantity = "x", true, 1, 2
	x.Campaign.AllProducts, x.Campaign.Products = false, []loyalty.ID{cola}
	a, _ := one(nil)
	candidates := []loyalty.Candidate{x, a}
	judgements := loyalty.Evaluate(candidates, sale)
	bases, given := map[loyalty.ID]loyalty.Basis{}, map[loyalty.ID]map[loyalty.Unit]int64{}
	for i := range judgements {
		id := judgements[i].Campaign.ID
		bases[id] = loyalty.NewBasis(&candidates[i], sale, &judgements[i])
		given[id] = map[loyalty.Unit]int64{loyalty.Stamp: judgements[i].Stamps}
	}
	returns := loyalty.TakeBack([]*loyalty.Campaign{x.Campaign, a.Campaign}, stored(t, bases), given, sale, []loyalty.Line{line(cola, 1, 1), line(agua, 1, 1)})
	require.Equal(t, []int64{2, 2}, []int64{returns[0].Stamps, returns[1].Stamps})
	require.Equal(t, []bool{true, false}, []bool{returns[0].Gone, returns[1].Gone})
}

func TestStandingWithout(t *testing.T) {
	c, sale := one(tiered(""))
	s := loyalty.Standing{Purchases: 5, Counters: "a:=5;b:=2;c:=1;"}
	s.Tier = c.Campaign.Tiers.Add(s.Tier, loyalty.Progress{Purchases: 5, Spend: 9000}, monday, mexico)
	require.Equal(t, "plata", s.Tier.Level)
	got := s.Without(&loyalty.Return{
		Campaign: c.Campaign, Gone: true, Progress: loyalty.Progress{Purchases: 1, Spend: 3000},
		Counters: map[string]int64{"a:": 2, "b:": 2, "c:": 4, "d:": -1, "e:": 1},
	}, c.Campaign.Tiers, sale)
	require.Equal(t, int64(4), got.Purchases)
	require.Equal(t, map[string]int64{"a:": 3, "d:": 1}, maps.Collect(got.Counters.All()))
	require.Empty(t, got.Tier.Level)
	require.Equal(t, loyalty.Progress{Purchases: 4, Spend: 6000}, got.Tier.Now)
	require.EqualValues(t, "a:=5;b:=2;c:=1;", s.Counters, "what it was is left alone")

	got = loyalty.Standing{}.Without(&loyalty.Return{Campaign: c.Campaign, Gone: true, Counters: map[string]int64{"a:": 1}}, nil, sale)
	require.Zero(t, got.Purchases)
	require.Empty(t, got.Counters)
}

// However a purchase is returned bit by bit, in the end everything is as if it
// had been returned at once, whatever happened before it and since.
func TestPartsOfAReversalMakeTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(dice{t})
		w.live()
		w.buy()
		n := int(w.n(0, int64(len(w.purchases)-1)))
		r := w.purchases[n]
		given := map[loyalty.ID][2]int64{}
		for id, units := range r.given {
			given[id] = [2]int64{units[loyalty.Stamp], units[loyalty.Point]}
		}
		whole := loyalty.TakeBack(r.judged, r.bases, r.given, &r.sale, nil)
		at := map[loyalty.ID]loyalty.Standing{}
		for i := range whole {
			c := whole[i].Campaign
			e := w.enrollments[enrollmentKey(r.consumer, c, r.sale.Shop)]
			at[c.ID] = e.standing.Without(&whole[i], c.Tiers, &r.sale)
			require.Equal(t, given[c.ID], [2]int64{whole[i].Stamps, whole[i].Points})
		}
		for range w.n(1, 4) {
			w.leave(n, w.less(r.sale.Lines))
		}
		w.leave(n, nil)
		for i := range whole {
			c := whole[i].Campaign
			e := w.enrollments[enrollmentKey(r.consumer, c, r.sale.Shop)]
			require.Equal(t, stored(t, at[c.ID]), e.standing, c.ID)
		}
	})
}
