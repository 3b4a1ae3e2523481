package loyalty

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"
)

// SimulatedReward is what a simulation needs to know of a reward.
type SimulatedReward struct {
	ID          ID
	Name        string
	Unit        Unit
	Threshold   int64 // at least 1
	Cost        Cents
	Stock       *int64 // that is left; nil is unlimited
	PerConsumer *int64 // nil: as many as the balance pays
	MinTier     string
	Segment     ID
}

// SimulationOptions are what a simulation assumes.
type SimulationOptions struct {
	// TakePercent is the share of consumers that take a reward as soon as they can;
	// the others never do. 0 to 100; who is not told otherwise assumes 100. Which
	// consumers they are depends on their IDs only, so that a simulation says the
	// same again.
	TakePercent int64
}

// Simulator runs a campaign over past purchases. It begins with nobody enrolled
// and assumes, to keep it plain, that
//   - who bought would have asked to take part where that is needed, and would
//     have said yes where a typed code waits for it;
//   - who takes rewards takes the one with the lowest threshold as soon as the
//     balance reaches it, as often as it does, and a dearer one only where limits,
//     stock or tiers keep the cheaper ones away;
//   - no other campaign keeps a line out, and rewards are there at any time.
//
// Purchases come consumer by consumer, so that one consumer's standing is kept at
// a time. What consumers share (the budget, stock, limits that count all cards) is
// therefore used up by the consumers that come first, not by the purchases that
// were first: where any of it ran out the totals are about right, but who, where
// and when is not, and the Simulation says that it is approximate. A budget's end
// always refuses; it never pauses.
type Simulator struct {
	campaign Campaign
	options  SimulationOptions
	rewards  []simulatedReward // the lowest threshold first
	left     map[string]int64  // of quotas
	spent    map[string]bool   // quotas that refused something

	person   ID
	takes    bool                     // the person takes rewards
	holdings map[ID]*simulatedHolding // of the person, by shop where balances count so

	all   tally
	weeks map[string]*tally // by their Monday, the shop's
	shops map[ID]*tally
}

// simulatedReward is a reward with what became of it.
type simulatedReward struct {
	SimulatedReward
	taken    int64
	had      int64 // by the person
	ranShort bool  // of stock
}

// simulatedHolding is an enrollment while it is simulated.
type simulatedHolding struct {
	standing   Standing
	lastEarned time.Time
	accounts   map[Unit]*Account
}

// Over is a copy of the campaign that runs from one moment until another, as a
// simulation over that time needs it. Nothing else moves: a fixed date on which
// balances expire stays where it is.
func (c Campaign) Over(from, to time.Time) Campaign {
	c.Status, c.StartsAt, c.EndsAt = Active, from, to
	return c
}

// NewSimulator simulates a campaign, whatever its status, from its beginning to
// its end: set these with Over. Its terms have passed Check.
func NewSimulator(c Campaign, rewards []SimulatedReward, options SimulationOptions) *Simulator {
	c.Status = Active
	s := &Simulator{
		campaign: c, options: options, left: map[string]int64{}, spent: map[string]bool{},
		weeks: map[string]*tally{}, shops: map[ID]*tally{},
	}
	for _, r := range rewards {
		s.rewards = append(s.rewards, simulatedReward{SimulatedReward: r})
	}
	slices.SortFunc(s.rewards, func(a, b simulatedReward) int {
		return cmp.Or(cmp.Compare(a.Threshold, b.Threshold), cmp.Compare(a.ID, b.ID))
	})
	if b := c.Budget; b != nil {
		for name, most := range map[string]int64{QuotaStamps: b.Stamps, QuotaPoints: b.Points, QuotaRewards: b.Rewards} {
			if most > 0 {
				s.left[name] = most
			}
		}
	}
	return s
}

// Add simulates a purchase at a shop that would take part. All purchases of one
// person are added one after another, the oldest first. The shop's name is for
// the result only.
func (s *Simulator) Add(person ID, sale *Sale, shop string) {
	if s.holdings == nil || person != s.person {
		s.begin(person)
	}
	scanned := *sale
	scanned.Typed = false
	h := s.holding(sale.Shop)
	s.open(&scanned)
	judged := Evaluate([]Candidate{{
		Campaign: &s.campaign, Enrolled: true, Standing: h.standing, LastEarned: h.lastEarned, Left: s.left,
	}}, &scanned)
	if len(judged) == 0 {
		return
	}
	j := &judged[0]
	s.note(j, &scanned)
	f := Figures{Purchases: 1, Stamps: j.Stamps, Points: j.Points}
	for i := range sale.Lines {
		if l := &sale.Lines[i]; s.campaign.Sells(l) {
			f.Units += l.Quantity
			f.Revenue += l.UnitPrice * Cents(l.Quantity)
		}
	}
	if j.Earned() {
		f.Earning = 1
		s.credit(h, j, sale.At)
		if s.takes {
			f.Rewards, f.RewardCost = s.take(h, sale)
		}
	}
	s.count(&f, sale, shop)
}

// begin forgets one person and turns to the next.
func (s *Simulator) begin(person ID) {
	s.person, s.holdings = person, map[ID]*simulatedHolding{}
	for i := range s.rewards {
		s.rewards[i].had = 0
	}
	h := fnv.New32a()
	h.Write([]byte(person)) //nolint:errcheck // it never fails
	s.takes = int64(h.Sum32()%100) < s.options.TakePercent
}

// holding is the person's enrollment, for the shop where balances count so.
func (s *Simulator) holding(shop ID) *simulatedHolding {
	if !s.campaign.PerShop {
		shop = ""
	}
	h := s.holdings[shop]
	if h == nil {
		h = &simulatedHolding{accounts: map[Unit]*Account{Stamp: {}, Point: {}}}
		s.holdings[shop] = h
	}
	return h
}

// open makes quotas of the limits that count all cards, where the sale is the
// first of an hour or a day.
func (s *Simulator) open(sale *Sale) {
	for _, name := range s.campaign.SharedLimits(sale) {
		if _, ok := s.left[name]; !ok {
			s.left[name] = s.campaign.SharedLimit(name)
		}
	}
}

// note takes from quotas what the judgement uses, and remembers which of them
// refused.
func (s *Simulator) note(j *Judgement, sale *Sale) {
	for _, t := range j.Takes {
		s.left[t.Name] -= t.Amount
	}
	if j.Why == WhyBudget {
		for _, u := range s.campaign.Scheme.Units() {
			if left, bounded := s.left[string(u)]; bounded && left == 0 {
				s.spent[string(u)] = true
			}
		}
	}
	if j.Why == WhyLimit && !j.Earned() {
		m := moment{local: sale.At.In(sale.Zone)}
		for i := range s.campaign.Limits {
			if l := &s.campaign.Limits[i]; l.AllCards && s.left[l.key(&m, sale.Shop)] == 0 {
				s.spent[l.ID] = true
			}
		}
	}
}

// credit gives what was earned, after taking what had expired until then.
func (s *Simulator) credit(h *simulatedHolding, j *Judgement, at time.Time) {
	x := s.campaign.Expiry
	for u, a := range h.accounts {
		e := Entry{Kind: "earn", Amount: j.Amount(u), At: at}
		due := a.Due(at)
		switch {
		case x == nil:
		case x.Days > 0:
			e.ExpiresAt = at.Add(time.Duration(x.Days) * oneDay)
		case x.InactiveDays > 0:
			if !at.Before(h.lastEarned.Add(time.Duration(x.InactiveDays) * oneDay)) {
				due = a.Balance()
			}
		case at.Before(x.On):
			e.ExpiresAt = x.On
		}
		if due > 0 {
			a.take(&Entry{Kind: "expire", Amount: -due, At: at})
		}
		if e.Amount > 0 {
			a.give(&e)
		}
	}
	h.standing, h.lastEarned = j.Standing, at
}

// take has the person take all rewards that the balance pays.
func (s *Simulator) take(h *simulatedHolding, sale *Sale) (taken int64, cost Cents) {
	for i := range s.rewards {
		r := &s.rewards[i]
		n := s.possible(r, h, sale)
		if n == 0 {
			continue
		}
		h.accounts[r.Unit].take(&Entry{Kind: "redeem", Amount: -n * r.Threshold, At: sale.At})
		h.standing.Tier = s.campaign.Tiers.Redeemed(h.standing.Tier)
		r.taken += n
		r.had += n
		if _, bounded := s.left[QuotaRewards]; bounded {
			s.left[QuotaRewards] -= n
		}
		taken += n
		cost += Cents(n) * r.Cost
	}
	return taken, cost
}

// possible is how often the person can take a reward now.
func (s *Simulator) possible(r *simulatedReward, h *simulatedHolding, sale *Sale) int64 {
	a := h.accounts[r.Unit]
	if a == nil || r.Threshold < 1 || r.Segment != "" && !slices.Contains(sale.Segments, r.Segment) {
		return 0
	}
	n := max(a.Balance(), 0) / r.Threshold
	if t := s.campaign.Tiers; r.MinTier != "" {
		if t.Rank(t.At(h.standing.Tier, sale.At, sale.Zone).Level) < max(t.Rank(r.MinTier), 1) {
			return 0
		}
		if t.Keep == TierToReward {
			n = min(n, 1)
		}
	}
	if r.PerConsumer != nil {
		n = min(n, max(*r.PerConsumer-r.had, 0))
	}
	if r.Stock != nil && n > *r.Stock-r.taken {
		n, r.ranShort = max(*r.Stock-r.taken, 0), true
	}
	if left, bounded := s.left[QuotaRewards]; bounded && n > left {
		n, s.spent[QuotaRewards] = left, true
	}
	return n
}

// count adds up what a purchase brought.
func (s *Simulator) count(f *Figures, sale *Sale, shop string) {
	monday := EachWeek.first(dayOf(sale.At, sale.Zone)).Format(time.DateOnly)
	week, there := s.weeks[monday], s.shops[sale.Shop]
	if week == nil {
		week = &tally{}
		s.weeks[monday] = week
	}
	if there == nil {
		there = &tally{name: shop}
		s.shops[sale.Shop] = there
	}
	for _, t := range []*tally{&s.all, week, there} {
		t.count(f, s.person)
	}
}
