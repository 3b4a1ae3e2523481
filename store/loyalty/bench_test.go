package loyalty_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// BenchmarkEvaluate judges a purchase of three lines by three campaigns with
// limits, boosts and a tier, each with a standing that is some weeks old.
func BenchmarkEvaluate(b *testing.B) {
	candidates := make([]loyalty.Candidate, 3)
	for i := range candidates {
		candidates[i] = policies(loyalty.ID(fmt.Sprintf("0199c0de-0000-7000-8000-%012d", i)))
	}
	candidates[2].Campaign.Scheme = loyalty.Both
	candidates[2].Campaign.Earn = append(candidates[2].Campaign.Earn, earning(loyalty.Point, loyalty.PerPeso, 1, 10)...)
	sale := &loyalty.Sale{
		At: monday, Zone: mexico, Shop: "0199c0de-0000-7000-8000-00000000005a", Birthday: "1990-05-01",
		Lines: []loyalty.Line{line(cola, 2, 1899), line(agua, 1, 1250), line(jugo, 3, 2100)},
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := loyalty.Evaluate(candidates, sale); len(got) != 3 || !got[0].Earned() {
			b.Fatal("nothing earned")
		}
	}
}

// policies is a campaign with what its owner may well want.
func policies(id loyalty.ID) loyalty.Candidate {
	c, _ := one(func(c *loyalty.Candidate, _ *loyalty.Sale) {
		c.Campaign.ID = id
		c.Campaign.Limits = []loyalty.Limit{
			{ID: "purchase", Max: 20, Period: loyalty.EachPurchase},
			{ID: "day", Max: 40, Period: loyalty.EachDay},
			{ID: "ever", Max: 5000, Period: loyalty.Lifetime},
		}
		c.Campaign.Boosts = []loyalty.Boost{
			{Name: "martes", Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{time.Tuesday}, From: "08:00", To: "12:00"}},
			{Name: "agua", Percent: 150, When: loyalty.When{Products: []loyalty.ID{agua}}},
			{Name: "bienvenida", Bonus: 5, When: loyalty.When{First: true}},
		}
		c.Campaign.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{
			{Name: "plata", Purchases: 10}, {Name: "oro", Purchases: 40, Percent: 150},
		}}
		c.Standing = loyalty.Standing{Purchases: 12, Counters: "ever:=80;"}
		for n := range 12 {
			c.Standing.Counters = c.Standing.Counters.Plus("day:"+monday.AddDate(0, 0, -n).Format(time.DateOnly), 4)
		}
		c.Standing.Tier.Level, c.Standing.Tier.Now.Purchases = "plata", 12
	})
	return c
}
