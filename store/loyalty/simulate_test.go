package loyalty_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// pastSale is a purchase of colas as simulations are fed with it.
type pastSale struct {
	person loyalty.ID
	shop   loyalty.ID
	at     time.Time
	units  int64
	change func(*loyalty.Sale)
}

func (p pastSale) sale() *loyalty.Sale {
	s := &loyalty.Sale{At: p.at, Zone: mexico, Shop: p.shop, Lines: []loyalty.Line{line(cola, p.units, 1500), line(rival, 9, 1500)}}
	if p.change != nil {
		p.change(s)
	}
	return s
}

// simulated is the campaign of one() as a draft, over two weeks from monday.
func simulated(change func(*loyalty.Terms)) loyalty.Campaign {
	candidate, _ := one(nil)
	c := *candidate.Campaign
	c = c.Over(monday.Add(-10*time.Hour), monday.Add(-10*time.Hour).AddDate(0, 0, 14))
	c.Status = loyalty.Draft
	if change != nil {
		change(&c.Terms)
	}
	return c
}

func simulate(c loyalty.Campaign, rewards []loyalty.SimulatedReward, takePercent int64, sales ...pastSale) loyalty.Simulation {
	s := loyalty.NewSimulator(c, rewards, loyalty.SimulationOptions{TakePercent: takePercent})
	for _, p := range sales {
		s.Add(p.person, p.sale(), "Tienda "+string(p.shop))
	}
	return s.Result()
}

// bought is a purchase by a person, some hours after monday's.
func bought(person string, hours int, units int64) pastSale {
	return pastSale{person: loyalty.ID(person), shop: "s1", at: monday.Add(time.Duration(hours) * time.Hour), units: units}
}

func at2(p pastSale) pastSale { p.shop = "s2"; return p }

func TestSimulationAddsUp(t *testing.T) {
	c := simulated(func(v *loyalty.Terms) {
		v.Fee = 70_000
		v.Limits = []loyalty.Limit{{ID: "l1", Max: 5, Period: loyalty.EachDay}}
		v.EndsAt = v.EndsAt.AddDate(0, 0, -4) // of the second week, three days
	})
	rewards := []loyalty.SimulatedReward{
		{ID: "r2", Name: "Playera", Unit: loyalty.Stamp, Threshold: 12, Cost: 9000},
		{ID: "r1", Name: "Refresco", Unit: loyalty.Stamp, Threshold: 6, Cost: 1500},
	}
	got := simulate(c, rewards, 100,
		bought("ana", 0, 4), at2(bought("ana", 2, 3)), // five of the seven
		bought("ana", 4, 1),           // none is left today
		bought("ana", 7*24, 2),        // seven: a reward
		bought("beto", 6*24+13, 5),    // Sunday, 23:00
		bought("beto", 20*24, 5),      // after the end
		at2(bought("carla", 3*24, 1)), //
	)
	cents := func(n int64) *int64 { return &n }
	require.Equal(t, loyalty.Simulation{
		Figures: loyalty.Figures{Purchases: 6, Earning: 5, Consumers: 3, Units: 16, Revenue: 24_000, Stamps: 13, Rewards: 1, RewardCost: 1500},
		Fee:     100_000, Cost: 101_500, CostBPS: cents(42_292),
		ByWeek: []loyalty.SimulatedWeek{
			{
				Monday: "2026-03-09", Fee: 70_000, CostBPS: cents(33_333),
				Figures: loyalty.Figures{Purchases: 5, Earning: 4, Consumers: 3, Units: 14, Revenue: 21_000, Stamps: 11},
			},
			{
				Monday: "2026-03-16", Fee: 30_000, CostBPS: cents(105_000),
				Figures: loyalty.Figures{Purchases: 1, Earning: 1, Consumers: 1, Units: 2, Revenue: 3000, Stamps: 2, Rewards: 1, RewardCost: 1500},
			},
		},
		ByShop: []loyalty.SimulatedShop{
			{ID: "s1", Name: "Tienda s1", Figures: loyalty.Figures{Purchases: 4, Earning: 3, Consumers: 2, Units: 12, Revenue: 18_000, Stamps: 11, Rewards: 1, RewardCost: 1500}},
			{ID: "s2", Name: "Tienda s2", Figures: loyalty.Figures{Purchases: 2, Earning: 2, Consumers: 2, Units: 4, Revenue: 6000, Stamps: 2}},
		},
		ByReward: []loyalty.SimulatedTaking{
			{ID: "r1", Name: "Refresco", Unit: loyalty.Stamp, Threshold: 6, Taken: 1, Cost: 1500},
			{ID: "r2", Name: "Playera", Unit: loyalty.Stamp, Threshold: 12},
		},
		Exhausted: []string{},
	}, got)
}

func TestSimulationOfNothing(t *testing.T) {
	c := simulated(func(v *loyalty.Terms) { v.Fee = 100 })
	raw, err := json.Marshal(simulate(c, nil, 100))
	require.NoError(t, err)
	const zero = `"purchases":0,"earning_purchases":0,"consumers":0,"units":0,"revenue_cents":0,"stamps":0,"points":0,"rewards":0,"reward_cost_cents":0`
	require.JSONEq(t, `{`+zero+`,"fee_cents":200,"cost_cents":200,"cost_bps":null,"by_shop":[],"by_reward":[],"exhausted":[],"approximate":false,"by_week":[
		{"monday":"2026-03-09",`+zero+`,"fee_cents":100,"cost_bps":null},{"monday":"2026-03-16",`+zero+`,"fee_cents":100,"cost_bps":null}]}`, string(raw))

	c.EndsAt = time.Time{}
	require.Empty(t, simulate(c, nil, 100).ByWeek)
	open := simulate(c, nil, 100, bought("ana", 24*100, 1))
	require.Len(t, open.ByWeek, 1)
	require.Equal(t, loyalty.Cents(100), open.Fee)
}

func TestSimulationPolicies(t *testing.T) {
	n := func(n int64) *int64 { return &n }
	soda := loyalty.SimulatedReward{ID: "r1", Name: "Refresco", Unit: loyalty.Stamp, Threshold: 5, Cost: 1000}
	with := func(change func(*loyalty.SimulatedReward)) []loyalty.SimulatedReward {
		r := soda
		change(&r)
		return []loyalty.SimulatedReward{r}
	}
	plain := []loyalty.SimulatedReward{soda}
	budget := func(b loyalty.Budget) func(*loyalty.Terms) { return func(v *loyalty.Terms) { v.Budget = &b } }
	expiry := func(x loyalty.Expiry) func(*loyalty.Terms) { return func(v *loyalty.Terms) { v.Expiry = &x } }
	tiers := func(keep loyalty.TierKeep) func(*loyalty.Terms) {
		return func(v *loyalty.Terms) {
			v.Tiers = &loyalty.Tiers{Keep: keep, Levels: []loyalty.Level{{Name: "Plata", Purchases: 2}}}
		}
	}
	silver := with(func(r *loyalty.SimulatedReward) { r.MinTier = "Plata" })
	two := []pastSale{bought("ana", 0, 7), bought("beto", 1, 7)}
	for _, c := range []struct {
		name      string
		change    func(*loyalty.Terms)
		rewards   []loyalty.SimulatedReward
		sales     []pastSale
		stamps    int64
		taken     int64
		exhausted []string // nil: it is exact
	}{
		{"as often as the balance pays", nil, plain, []pastSale{bought("ana", 0, 23)}, 23, 4, nil},
		{"what is left goes on", nil, plain, []pastSale{bought("ana", 0, 4), bought("ana", 1, 4), bought("ana", 2, 2)}, 10, 2, nil},
		{"nobody has another's stamps", nil, plain, []pastSale{bought("ana", 0, 4), bought("beto", 1, 4)}, 8, 0, nil},
		{"only so many for each consumer", nil, with(func(r *loyalty.SimulatedReward) { r.PerConsumer = n(1) }), append(two, bought("beto", 2, 9)), 23, 2, nil},
		{"stock", nil, with(func(r *loyalty.SimulatedReward) { r.Stock = n(1) }), two, 14, 1, []string{}},
		{"stock that was just enough", nil, with(func(r *loyalty.SimulatedReward) { r.Stock = n(2) }), two, 14, 2, nil},
		{"a threshold of nothing is never taken", nil, with(func(r *loyalty.SimulatedReward) { r.Threshold = 0 }), two, 14, 0, nil},
		{"a unit that is not given is never taken", nil, with(func(r *loyalty.SimulatedReward) { r.Unit = loyalty.Point }), two, 14, 0, nil},
		{"only its segment", nil, with(func(r *loyalty.SimulatedReward) { r.Segment = "vip" }), []pastSale{two[0], {
			person: "beto", shop: "s1", at: monday, units: 7, change: func(s *loyalty.Sale) { s.Segments = []loyalty.ID{"vip"} },
		}}, 14, 1, nil},

		{"a budget of stamps", budget(loyalty.Budget{Stamps: 10}), plain, two, 10, 1, []string{"stamp"}},
		{"a budget that was just enough", budget(loyalty.Budget{Stamps: 14}), plain, two, 14, 2, nil},
		{"a budget of rewards", budget(loyalty.Budget{Rewards: 1}), plain, two, 14, 1, []string{"reward"}},
		{"all cards of a shop in an hour", func(v *loyalty.Terms) {
			v.Limits = []loyalty.Limit{{ID: "l1", Counts: loyalty.CountPurchases, Max: 1, Period: loyalty.EachHour, PerShop: true, AllCards: true}}
		}, nil, []pastSale{bought("ana", 0, 1), bought("ana", 1, 1), bought("beto", 0, 1), at2(bought("beto", 0, 1))}, 3, 0, []string{"l1"}},
		{"a consumer's own limit runs out of nothing", func(v *loyalty.Terms) {
			v.Limits = []loyalty.Limit{{ID: "l1", Counts: loyalty.CountPurchases, Max: 1, Period: loyalty.EachDay}}
		}, nil, []pastSale{bought("ana", 0, 1), bought("ana", 1, 1)}, 1, 0, nil},
		{"a cooldown", func(v *loyalty.Terms) { v.CooldownMinutes = 90 }, nil, []pastSale{bought("ana", 0, 1), bought("ana", 1, 1), bought("beto", 1, 1), bought("beto", 3, 1)}, 3, 0, nil},

		{"stamps of some days end", expiry(loyalty.Expiry{Days: 2}), plain, []pastSale{bought("ana", 0, 4), bought("ana", 47, 3), bought("ana", 48+47, 3)}, 10, 1, nil},
		{"the oldest end first", expiry(loyalty.Expiry{Days: 2}), plain, []pastSale{bought("ana", 0, 4), bought("ana", 24, 3), bought("ana", 48, 2)}, 9, 1, nil},
		{"on the hour they are over", expiry(loyalty.Expiry{Days: 2}), plain, []pastSale{bought("ana", 0, 4), bought("ana", 48, 4)}, 8, 0, nil},
		{"silence ends all", expiry(loyalty.Expiry{InactiveDays: 2}), plain, []pastSale{bought("ana", 0, 4), bought("ana", 48, 4)}, 8, 0, nil},
		{"no silence", expiry(loyalty.Expiry{InactiveDays: 2}), plain, []pastSale{bought("ana", 0, 2), bought("ana", 47, 2), bought("ana", 94, 2)}, 6, 1, nil},
		{"a date ends all before it", expiry(loyalty.Expiry{On: monday.AddDate(0, 0, 1)}), plain, []pastSale{bought("ana", 0, 4), bought("ana", 24, 4)}, 8, 0, nil},
		{"and nothing after it", expiry(loyalty.Expiry{On: monday.AddDate(0, 0, 1)}), plain, []pastSale{bought("ana", 0, 4), bought("ana", 24, 4), bought("ana", 48, 1)}, 9, 1, nil},

		{"below the tier", tiers(loyalty.TierForGood), silver, []pastSale{bought("ana", 0, 7)}, 7, 0, nil},
		{"with the tier", tiers(loyalty.TierForGood), silver, []pastSale{bought("ana", 0, 7), bought("ana", 1, 4)}, 11, 2, nil},
		{"a tier that a reward ends", tiers(loyalty.TierToReward), silver, []pastSale{bought("ana", 0, 7), bought("ana", 1, 4), bought("ana", 2, 1)}, 12, 1, nil},
		{"and that is reached again", tiers(loyalty.TierToReward), silver, []pastSale{bought("ana", 0, 7), bought("ana", 1, 4), bought("ana", 2, 1), bought("ana", 3, 1)}, 13, 2, nil},

		{"each shop apart", func(v *loyalty.Terms) { v.PerShop = true }, plain, []pastSale{bought("ana", 0, 3), at2(bought("ana", 1, 3)), bought("ana", 2, 3)}, 9, 1, nil},
		{"all shops together", nil, plain, []pastSale{bought("ana", 0, 3), at2(bought("ana", 1, 3))}, 6, 1, nil},
		{"on request, as if asked for", func(v *loyalty.Terms) { v.Enrolment = loyalty.OnRequest }, plain, two, 14, 2, nil},
		{"a typed code, as if confirmed", func(v *loyalty.Terms) { v.Pending = &loyalty.Pending{} }, plain, []pastSale{{
			person: "ana", shop: "s1", at: monday, units: 7, change: func(s *loyalty.Sale) { s.Typed = true },
		}}, 7, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := simulate(simulated(c.change), c.rewards, 100, c.sales...)
			require.Equal(t, c.stamps, got.Stamps)
			require.Equal(t, c.taken, got.Rewards)
			require.Equal(t, loyalty.Cents(c.taken*1000), got.RewardCost)
			require.Equal(t, c.exhausted != nil, got.Approximate)
			require.Equal(t, append([]string{}, c.exhausted...), got.Exhausted)
		})
	}
}

// The cheapest is taken first; a dearer one only by whom it is kept from.
func TestSimulationTakesTheCheapestReward(t *testing.T) {
	one := int64(1)
	got := simulate(simulated(nil), []loyalty.SimulatedReward{
		{ID: "big", Unit: loyalty.Stamp, Threshold: 8, Cost: 50},
		{ID: "small", Unit: loyalty.Stamp, Threshold: 5, Cost: 10, PerConsumer: &one},
	}, 100, bought("ana", 0, 8), bought("ana", 1, 5), bought("beto", 2, 4))
	require.Equal(t, []loyalty.SimulatedTaking{
		{ID: "small", Unit: loyalty.Stamp, Threshold: 5, Taken: 1, Cost: 10}, {ID: "big", Unit: loyalty.Stamp, Threshold: 8, Taken: 1, Cost: 50},
	}, got.ByReward)
}

func TestSimulationOfBothUnits(t *testing.T) {
	c := simulated(func(v *loyalty.Terms) {
		v.Scheme, v.PointsGoal = loyalty.Both, 100
		v.Earn = append(v.Earn, loyalty.Earn{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1})
		v.Budget = &loyalty.Budget{Points: 40}
	})
	got := simulate(c, []loyalty.SimulatedReward{{ID: "p", Unit: loyalty.Point, Threshold: 30, Cost: 7}}, 100, bought("ana", 0, 2), bought("beto", 0, 2))
	require.Equal(t, loyalty.Figures{Purchases: 2, Earning: 2, Consumers: 2, Units: 4, Revenue: 6000, Stamps: 4, Points: 40, Rewards: 1, RewardCost: 7}, got.Figures)
	require.Equal(t, []string{"point"}, got.Exhausted)
	require.True(t, got.Approximate)
}

// Who takes rewards depends on the person only, and is about as many as said.
func TestSimulationTakePercent(t *testing.T) {
	var sales []pastSale
	for i := range 2000 {
		sales = append(sales, pastSale{person: anID(i), shop: "s1", at: monday, units: 5})
	}
	rewards := []loyalty.SimulatedReward{{ID: "r1", Unit: loyalty.Stamp, Threshold: 5, Cost: 1}}
	taken := func(percent int64) int64 { return simulate(simulated(nil), rewards, percent, sales...).Rewards }
	require.Equal(t, int64(0), taken(0))
	require.Equal(t, int64(2000), taken(100))
	require.InDelta(t, 600, taken(30), 100)
	require.Equal(t, taken(30), taken(30))
	require.Less(t, taken(30), taken(31))
}

func TestCampaignOver(t *testing.T) {
	c := simulated(nil)
	over := c.Over(monday, monday.AddDate(0, 0, 7))
	require.True(t, over.RunsAt(monday))
	require.False(t, over.RunsAt(monday.AddDate(0, 0, 7)))
	require.Equal(t, loyalty.Draft, c.Status, "it is a copy")
	require.NotEqual(t, monday, c.StartsAt)
}

// A simulation says what a naive recomputation says, which looks at all of a
// consumer's purchases again for each of them.
func TestSimulationMatchesANaiveRecomputation(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 26)) //nolint:gosec // repeatable on purpose
	for round := range 300 {
		limit, days, threshold := 1+r.Int64N(8), 1+r.Int64N(6), 2+r.Int64N(8)
		c := simulated(func(v *loyalty.Terms) {
			v.Limits = []loyalty.Limit{{ID: "l1", Max: limit, Period: loyalty.EachDay}}
			v.Expiry = &loyalty.Expiry{Days: days}
		})
		var sales []pastSale
		for person := range 1 + r.IntN(6) {
			hour := 0
			for range r.IntN(25) {
				hour += r.IntN(40)
				p := bought(fmt.Sprint("person", person), hour, 1+r.Int64N(6))
				p.shop = loyalty.ID(fmt.Sprint("s", r.IntN(3)))
				sales = append(sales, p)
			}
		}
		got := simulate(c, []loyalty.SimulatedReward{{ID: "r1", Unit: loyalty.Stamp, Threshold: threshold, Cost: 700}}, 100, sales...)
		total, weeks, shops := naively(c, sales, limit, days, threshold)
		require.Equal(t, total, got.Figures, "round %d", round)
		for _, w := range got.ByWeek {
			require.Equal(t, weeks[w.Monday], w.Figures, "round %d", round)
			delete(weeks, w.Monday)
		}
		for _, s := range got.ByShop {
			require.Equal(t, shops[string(s.ID)], s.Figures, "round %d", round)
			delete(shops, string(s.ID))
		}
		require.Empty(t, weeks)
		require.Empty(t, shops)
	}
}

// naively simulates colas with a limit a day, an expiry and one reward.
func naively(c loyalty.Campaign, sales []pastSale, limit, days, threshold int64) (total loyalty.Figures, weeks, shops map[string]loyalty.Figures) {
	weeks, shops = map[string]loyalty.Figures{}, map[string]loyalty.Figures{}
	seen := map[string]bool{}
	type stamp struct {
		person loyalty.ID
		at     time.Time
		used   bool
	}
	var stamps []stamp // one by one
	for _, p := range sales {
		if !p.at.Before(c.EndsAt) {
			continue
		}
		f := loyalty.Figures{Purchases: 1, Units: p.units, Revenue: loyalty.Cents(p.units * 1500)}
		today := int64(0)
		for _, s := range stamps {
			if s.person == p.person && s.at.In(mexico).Format(time.DateOnly) == p.at.In(mexico).Format(time.DateOnly) {
				today++
			}
		}
		for range min(p.units, limit-today) {
			stamps = append(stamps, stamp{person: p.person, at: p.at})
			f.Stamps, f.Earning = f.Stamps+1, 1
		}
		for f.Earning == 1 {
			var usable []*stamp
			for i := range stamps {
				if s := &stamps[i]; s.person == p.person && !s.used && p.at.Sub(s.at) < time.Duration(days)*24*time.Hour {
					usable = append(usable, s)
				}
			}
			if int64(len(usable)) < threshold {
				break
			}
			for _, s := range usable[:threshold] {
				s.used = true
			}
			f.Rewards, f.RewardCost = f.Rewards+1, f.RewardCost+700
		}
		local := p.at.In(mexico)
		for local.Weekday() != time.Monday {
			local = local.AddDate(0, 0, -1)
		}
		week := local.Format(time.DateOnly)
		add := func(key string, to loyalty.Figures) loyalty.Figures {
			if key += string(p.person); !seen[key] {
				seen[key] = true
				to.Consumers++
			}
			to.Purchases, to.Earning, to.Units, to.Revenue = to.Purchases+f.Purchases, to.Earning+f.Earning, to.Units+f.Units, to.Revenue+f.Revenue
			to.Stamps, to.Rewards, to.RewardCost = to.Stamps+f.Stamps, to.Rewards+f.Rewards, to.RewardCost+f.RewardCost
			return to
		}
		total = add("total", total)
		weeks[week] = add("week"+week, weeks[week])
		shops[string(p.shop)] = add("shop"+string(p.shop), shops[string(p.shop)])
	}
	for monday := c.StartsAt; monday.Before(c.EndsAt); monday = monday.AddDate(0, 0, 7) {
		week := monday.In(mexico).Format(time.DateOnly)
		if _, sold := weeks[week]; !sold {
			weeks[week] = loyalty.Figures{}
		}
	}
	return total, weeks, shops
}

// The same purchases in the same order say the same, however rewards were listed.
func TestSimulationIsDeterministic(t *testing.T) {
	rewards := []loyalty.SimulatedReward{{ID: "b", Unit: loyalty.Stamp, Threshold: 5}, {ID: "a", Unit: loyalty.Stamp, Threshold: 5}, {ID: "c", Unit: loyalty.Stamp, Threshold: 3}}
	sales := []pastSale{bought("ana", 0, 9), at2(bought("beto", 0, 9)), bought("carla", 30, 6)}
	want := simulate(simulated(nil), rewards, 50, sales...)
	slices.Reverse(rewards)
	require.Equal(t, want, simulate(simulated(nil), rewards, 50, sales...))
}
