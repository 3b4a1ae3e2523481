package loyalty_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

var began = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

func stampCampaign(change func(*loyalty.Candidate)) loyalty.Candidate {
	c := loyalty.Candidate{
		Campaign: loyalty.Campaign{
			ID: "c", Scheme: loyalty.Stamps, Status: loyalty.Active, Enrolment: loyalty.Automatic,
			Rule: loyalty.Rule{PerUnit: 1}, Goal: 10, StartsAt: began, EndsAt: began.AddDate(0, 1, 0),
		},
		PLI: func(id loyalty.ID) bool { return id == "coca" },
	}
	if change != nil {
		change(&c)
	}
	return c
}

func TestEvaluate(t *testing.T) {
	coca := func(n int64) loyalty.Line { return loyalty.Line{Product: "coca", Quantity: n, UnitPrice: 1899} }
	other := loyalty.Line{Product: "pan", Quantity: 9, UnitPrice: 5000}
	points := func(c *loyalty.Candidate) {
		c.Campaign.Scheme, c.Campaign.Rule = loyalty.Points, loyalty.Rule{PerPeso: 1}
	}
	for _, c := range []struct {
		name   string
		change func(*loyalty.Candidate)
		at     time.Time
		lines  []loyalty.Line
		want   int64
	}{
		{"a stamp a unit", nil, began, []loyalty.Line{coca(3)}, 3},
		{"only PLIs", nil, began, []loyalty.Line{coca(2), other}, 2},
		{"several lines of one product", nil, began, []loyalty.Line{coca(2), coca(1)}, 3},
		{"no PLI at all", nil, began, []loyalty.Line{other}, 0},
		{"before the beginning", nil, began.Add(-time.Microsecond), []loyalty.Line{coca(1)}, 0},
		{"the last moment", nil, began.AddDate(0, 1, 0).Add(-time.Microsecond), []loyalty.Line{coca(1)}, 1},
		{"the end is outside", nil, began.AddDate(0, 1, 0), []loyalty.Line{coca(1)}, 0},
		{"permanent", func(c *loyalty.Candidate) { c.Campaign.EndsAt = time.Time{} }, began.AddDate(9, 0, 0), []loyalty.Line{coca(1)}, 1},
		{"a draft", func(c *loyalty.Candidate) { c.Campaign.Status = loyalty.Draft }, began, []loyalty.Line{coca(1)}, 0},
		{"paused", func(c *loyalty.Candidate) { c.Campaign.Status = loyalty.Paused }, began, []loyalty.Line{coca(1)}, 0},
		{"on request, not asked for", func(c *loyalty.Candidate) { c.Campaign.Enrolment = loyalty.OnRequest }, began, []loyalty.Line{coca(1)}, 0},
		{"on request, asked for", func(c *loyalty.Candidate) { c.Campaign.Enrolment, c.Enrolled = loyalty.OnRequest, true }, began, []loyalty.Line{coca(1)}, 1},
		{"a limit a purchase clips", func(c *loyalty.Candidate) { c.Campaign.Rule.MaxPerPurchase = 2 }, began, []loyalty.Line{coca(50)}, 2},
		{"a limit a day clips to what is left", func(c *loyalty.Candidate) { c.Campaign.Rule.MaxPerDay, c.EarnedToday = 5, 3 }, began, []loyalty.Line{coca(50)}, 2},
		{"a limit a day that is used up", func(c *loyalty.Candidate) { c.Campaign.Rule.MaxPerDay, c.EarnedToday = 5, 5 }, began, []loyalty.Line{coca(1)}, 0},
		{"a limit that was lowered", func(c *loyalty.Candidate) { c.Campaign.Rule.MaxPerDay, c.EarnedToday = 5, 9 }, began, []loyalty.Line{coca(1)}, 0},
		{"points by peso, rounded down once", points, began, []loyalty.Line{coca(3)}, 56},
		{"points by peso of PLIs only", points, began, []loyalty.Line{coca(1), other}, 18},
		{"points by unit and peso", func(c *loyalty.Candidate) { points(c); c.Campaign.Rule.PerUnit = 10 }, began, []loyalty.Line{coca(1)}, 28},
		{"free of charge earns no points by peso", points, began, []loyalty.Line{{Product: "coca", Quantity: 5}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			candidate := stampCampaign(c.change)
			got := loyalty.Evaluate([]loyalty.Candidate{candidate}, loyalty.Sale{At: c.at, Lines: c.lines})
			switch {
			case c.want == 0 && len(got) != 0:
				t.Fatalf("earned %+v, want nothing", got)
			case c.want != 0 && (len(got) != 1 || got[0].Amount != c.want || got[0].Unit != candidate.Campaign.Scheme.Unit()):
				t.Fatalf("earned %+v, want %d", got, c.want)
			}
		})
	}
}

// Whatever the purchases of a day, a daily limit is never passed, nothing is
// earned below zero, and without limits each unit counts.
func TestLimitsHoldForAnySequence(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	for range 2000 {
		limit, each := random.Int64N(12), random.Int64N(5)
		var today, units int64
		for range random.IntN(8) {
			n := random.Int64N(9) + 1
			units += n
			c := stampCampaign(func(c *loyalty.Candidate) {
				c.Campaign.Rule.MaxPerDay, c.Campaign.Rule.MaxPerPurchase, c.EarnedToday = limit, each, today
			})
			for _, e := range loyalty.Evaluate([]loyalty.Candidate{c}, loyalty.Sale{At: began, Lines: []loyalty.Line{{Product: "coca", Quantity: n}}}) {
				if e.Amount <= 0 || e.Amount > n || each > 0 && e.Amount > each {
					t.Fatalf("%d units earned %d, limit a purchase %d", n, e.Amount, each)
				}
				today += e.Amount
			}
		}
		if limit > 0 && today > limit {
			t.Fatalf("earned %d in a day, limit %d", today, limit)
		}
		if limit == 0 && each == 0 && today != units {
			t.Fatalf("%d units earned %d without limits", units, today)
		}
	}
}
