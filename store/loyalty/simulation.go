package loyalty

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Figures are what purchases brought and cost.
type Figures struct {
	Purchases  int64 `json:"purchases"`         // with a PLI, of those whom the campaign is for
	Earning    int64 `json:"earning_purchases"` // of them, that earned something
	Consumers  int64 `json:"consumers"`         // who made them
	Units      int64 `json:"units"`             // of PLIs
	Revenue    Cents `json:"revenue_cents"`     // of PLIs
	Stamps     int64 `json:"stamps"`
	Points     int64 `json:"points"`
	Rewards    int64 `json:"rewards"` // that were taken
	RewardCost Cents `json:"reward_cost_cents"`
}

// Simulation is what a campaign would have brought and cost.
type Simulation struct {
	Figures
	Fee  Cents `json:"fee_cents"`  // of the programme, the sum of the weeks'
	Cost Cents `json:"cost_cents"` // of the rewards and the programme
	// CostBPS is the cost of a peso of revenue, in hundredths of a percent: 250 is
	// two and a half centavos. It is nil where nothing was sold.
	CostBPS  *int64            `json:"cost_bps"`
	ByWeek   []SimulatedWeek   `json:"by_week"`   // all of the campaign's, the first in front
	ByShop   []SimulatedShop   `json:"by_shop"`   // that sold a PLI, the highest revenue in front
	ByReward []SimulatedTaking `json:"by_reward"` // all, the lowest threshold in front
	// Exhausted are what ran out: "stamp", "point" or "reward" of the budget, and
	// the IDs of limits that count all cards.
	Exhausted []string `json:"exhausted"`
	// Approximate says that something which consumers share ran out, stock
	// included, so that weeks, shops and rewards are only about right.
	Approximate bool `json:"approximate"`
}

// SimulatedWeek is a week of a simulation, or the part of one that it covers.
type SimulatedWeek struct {
	Monday string `json:"monday"` // "2006-01-02", the shops'
	Figures
	Fee     Cents  `json:"fee_cents"` // a seventh of the week's for each day on which the campaign runs
	CostBPS *int64 `json:"cost_bps"`
}

// SimulatedShop is a shop's part.
type SimulatedShop struct {
	ID   ID     `json:"shop_id"`
	Name string `json:"name"`
	Figures
}

// SimulatedTaking is what became of a reward.
type SimulatedTaking struct {
	ID         ID     `json:"reward_id"`
	Name       string `json:"name"`
	Unit       Unit   `json:"unit"`
	Threshold  int64  `json:"threshold"`
	Taken      int64  `json:"taken"`
	Cost       Cents  `json:"cost_cents"`
	OutOfStock bool   `json:"out_of_stock"`
}

// tally is figures while they are counted.
type tally struct {
	Figures
	name string
	last ID // the person counted last
}

func (t *tally) count(f *Figures, person ID) {
	t.Purchases += f.Purchases
	t.Earning += f.Earning
	t.Units += f.Units
	t.Revenue += f.Revenue
	t.Stamps += f.Stamps
	t.Points += f.Points
	t.Rewards += f.Rewards
	t.RewardCost += f.RewardCost
	if t.last != person {
		t.last = person
		t.Consumers++
	}
}

// Result is what the purchases added so far brought.
func (s *Simulator) Result() Simulation {
	r := Simulation{
		Figures: s.all.Figures, ByWeek: s.byWeek(), ByShop: []SimulatedShop{}, ByReward: []SimulatedTaking{},
		Exhausted: slices.AppendSeq([]string{}, maps.Keys(s.spent)),
	}
	slices.Sort(r.Exhausted)
	r.Approximate = len(r.Exhausted) > 0
	for _, w := range r.ByWeek {
		r.Fee += w.Fee
	}
	r.Cost = r.RewardCost + r.Fee
	r.CostBPS = costBPS(r.Cost, r.Revenue)
	for id, t := range s.shops {
		r.ByShop = append(r.ByShop, SimulatedShop{ID: id, Name: t.name, Figures: t.Figures})
	}
	slices.SortFunc(r.ByShop, func(a, b SimulatedShop) int {
		return cmp.Or(cmp.Compare(b.Revenue, a.Revenue), cmp.Compare(a.ID, b.ID))
	})
	for _, v := range s.rewards {
		r.Approximate = r.Approximate || v.ranShort
		r.ByReward = append(r.ByReward, SimulatedTaking{
			ID: v.ID, Name: v.Name, Unit: v.Unit, Threshold: v.Threshold, Taken: v.taken, Cost: Cents(v.taken) * v.Cost, OutOfStock: v.ranShort,
		})
	}
	return r
}

// byWeek are the campaign's weeks, also those in which nothing was sold. A
// campaign without an end has those in which something was.
func (s *Simulator) byWeek() []SimulatedWeek {
	c, zone := &s.campaign, Zone(DefaultTimeZone)
	first, last := dayOf(c.StartsAt, zone), time.Time{}
	weeks := maps.Clone(s.weeks)
	if !c.EndsAt.IsZero() {
		last = dayOf(c.EndsAt.Add(-1), zone)
		for monday := EachWeek.first(first); !monday.After(last); monday = EachWeek.next(monday) {
			if name := monday.Format(time.DateOnly); weeks[name] == nil {
				weeks[name] = &tally{}
			}
		}
	}
	all := []SimulatedWeek{}
	for _, name := range slices.Sorted(maps.Keys(weeks)) {
		monday, _ := time.Parse(time.DateOnly, name)    //nolint:errcheck // made by Format
		begins, ends := monday, monday.AddDate(0, 0, 7) // the week's part in which the campaign runs
		if begins.Before(first) {
			begins = first
		}
		if end := last.AddDate(0, 0, 1); !last.IsZero() && end.Before(ends) {
			ends = end
		}
		days := Cents(max(ends.Sub(begins), 0) / oneDay)
		w := SimulatedWeek{Monday: name, Figures: weeks[name].Figures, Fee: (c.Fee*days*2 + 7) / 14}
		w.CostBPS = costBPS(w.RewardCost+w.Fee, w.Revenue)
		all = append(all, w)
	}
	return all
}

// costBPS is the cost of a peso of revenue in hundredths of a percent, half up.
func costBPS(cost, revenue Cents) *int64 {
	if revenue == 0 {
		return nil
	}
	bps := int64((cost*20_000 + revenue) / (revenue * 2))
	return &bps
}
