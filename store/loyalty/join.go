package loyalty

import (
	"time"
)

// Join is the standing of two enrollments of one campaign that turned out to be
// one person's: as if all of it had been earned in one.
func (s Standing) Join(o Standing, t *Tiers, at time.Time, zone *time.Location) Standing {
	j := Standing{Purchases: s.Purchases + o.Purchases, Counters: s.Counters, Tier: t.join(s.Tier, o.Tier, at, zone)}
	for key, n := range o.Counters.All() {
		j.Counters = j.Counters.Plus(key, n)
	}
	return j
}

// join adds up the progress; of what was reached or kept the higher holds.
func (t *Tiers) join(a, b TierStanding, at time.Time, zone *time.Location) TierStanding {
	if t == nil {
		return a
	}
	a, b = t.At(a, at, zone), t.At(b, at, zone)
	a.Now.add(b.Now)
	a.Last.add(b.Last)
	if t.Rank(b.Level) > t.Rank(a.Level) {
		a.Level = b.Level
	}
	if t.Rank(b.Kept) > t.Rank(a.Kept) || t.Rank(b.Kept) == t.Rank(a.Kept) && b.KeptUntil > a.KeptUntil {
		a.Kept, a.KeptUntil = b.Kept, b.KeptUntil
	}
	return t.settle(a)
}
