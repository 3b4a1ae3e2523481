package loyalty

import "time"

// TierStanding is where an enrollment stands in its campaign's tiers. Days are
// the shop's, "2006-01-02".
type TierStanding struct {
	Level string `json:"level,omitempty"` // the tier's name; "" is none
	// Begins is the first day of the period that Now counts; "" where tiers know
	// no periods.
	Begins string   `json:"begins,omitempty"`
	Now    Progress `json:"now,omitzero"`  // since Begins; else since ever, or the last reward
	Last   Progress `json:"last,omitzero"` // of the period before
	// Kept is what was held before Last was over: whatever Last brought, it holds
	// until the day KeptUntil. A reversal may leave nothing else to stand on.
	Kept      string `json:"kept,omitempty"`
	KeptUntil string `json:"kept_until,omitempty"`
	// GraceUntil: the tier was not earned again in the last period, and is lost on
	// this day unless it is earned until then; "" is not at risk.
	GraceUntil string `json:"grace_until,omitempty"`
}

// AtRisk says whether only the grace days keep the tier.
func (s TierStanding) AtRisk() bool { return s.GraceUntil != "" }

// timeless is the standing where tiers know no periods. What an earlier version
// counted in periods is counted together.
func (s TierStanding) timeless() TierStanding {
	s.Now.add(s.Last)
	return TierStanding{Level: s.Level, Now: s.Now}
}

// Progress is what thresholds of tiers are about.
type Progress struct {
	Purchases int64 `json:"purchases,omitempty"`
	Spend     Cents `json:"spend,omitempty"`
	Earned    int64 `json:"earned,omitempty"` // in the scheme's last unit
}

func (p *Progress) add(q Progress) {
	p.Purchases += q.Purchases
	p.Spend += q.Spend
	p.Earned += q.Earned
}

func (p *Progress) subtract(q Progress) {
	p.Purchases = max(p.Purchases-q.Purchases, 0)
	p.Spend = max(p.Spend-q.Spend, 0)
	p.Earned = max(p.Earned-q.Earned, 0)
}

// At is the standing at a moment: periods that are over have been closed, and
// what was lost is lost. For a moment before the current period it is as it
// stands.
func (t *Tiers) At(s TierStanding, at time.Time, zone *time.Location) TierStanding {
	if t == nil {
		return s
	}
	if t.Keep != TierPerPeriod {
		return t.settle(s.timeless())
	}
	today := dayOf(at, zone)
	current := t.Period.first(today)
	begins, err := time.Parse(time.DateOnly, s.Begins)
	if err != nil { // the first time, or the first in which there are periods
		begins = current
		s.Begins = begins.Format(time.DateOnly)
	}
	for begins.Before(current) {
		begins = t.Period.next(begins)
		if s == (TierStanding{Begins: s.Begins}) { // nothing more can be lost, however long ago it was
			begins = current
		}
		s = t.close(s, begins)
	}
	return t.lapse(s, today.Format(time.DateOnly))
}

// Add is the standing after a purchase made at a moment. One that comes late
// counts in the period in which it was made, if that is not older than the last.
func (t *Tiers) Add(s TierStanding, p Progress, at time.Time, zone *time.Location) TierStanding {
	if t == nil {
		return s
	}
	s = t.At(s, at, zone)
	if of := t.progressOf(&s, at, zone); of != nil {
		of.add(p)
	}
	return t.settle(s)
}

// Remove is the standing after the progress of a purchase made at a moment was
// taken back, from the period in which it was made. A tier that it had brought
// is lost; one that is held by what an earlier version asked for is not.
func (t *Tiers) Remove(s TierStanding, p Progress, at time.Time, zone *time.Location) TierStanding {
	if t == nil {
		return s
	}
	if t.Keep != TierPerPeriod {
		s = s.timeless()
	}
	before := t.merited(s)
	if of := t.progressOf(&s, at, zone); of != nil {
		of.subtract(p)
	}
	if t.Rank(s.Level) <= before {
		s.Level = ""
	}
	return t.settle(s)
}

// Redeemed is the standing after a reward was requested: where tiers last until
// then, all begins anew.
func (t *Tiers) Redeemed(s TierStanding) TierStanding {
	if t == nil || t.Keep != TierToReward {
		return s
	}
	return TierStanding{}
}

// GaveBack is the standing after a reward was given back: as if it had not been
// requested. Before is what the standing was then.
func (t *Tiers) GaveBack(s, before TierStanding) TierStanding {
	if t == nil || t.Keep != TierToReward {
		return s
	}
	s, before = s.timeless(), before.timeless()
	s.Now.add(before.Now)
	if t.Rank(before.Level) > t.Rank(s.Level) {
		s.Level = before.Level
	}
	return t.settle(s)
}

// Next is the level to work for, and how much is missing of each threshold that
// it states: any of them is enough. It is the level held where that is at risk,
// else the one above; nil at the top. The standing is one that At gave.
func (t *Tiers) Next(s TierStanding) (*Level, Progress) {
	if t == nil {
		return nil, Progress{}
	}
	next := t.Rank(s.Level)
	if s.AtRisk() {
		next--
	}
	if next < 0 || next >= len(t.Levels) {
		return nil, Progress{}
	}
	l := &t.Levels[next]
	missing := Progress{Purchases: l.Purchases, Spend: l.Spend, Earned: l.Earned}
	missing.subtract(s.Now)
	return l, missing
}

// Rank of a tier: 1 is the lowest, 0 none, and 0 also for a name that there is not.
func (t *Tiers) Rank(name string) int {
	if t != nil && name != "" {
		for i := range t.Levels {
			if t.Levels[i].Name == name {
				return i + 1
			}
		}
	}
	return 0
}

// level by its name; nil where there is none.
func (t *Tiers) level(name string) *Level {
	if rank := t.Rank(name); rank > 0 {
		return &t.Levels[rank-1]
	}
	return nil
}

// name of a rank; "" is none.
func (t *Tiers) name(rank int) string {
	if rank == 0 {
		return ""
	}
	return t.Levels[rank-1].Name
}

// reached is the rank of the highest level of which the progress meets any
// threshold.
func (t *Tiers) reached(p Progress) int {
	for i := len(t.Levels) - 1; i >= 0; i-- {
		l := &t.Levels[i]
		if l.Purchases > 0 && p.Purchases >= l.Purchases || l.Spend > 0 && p.Spend >= l.Spend || l.Earned > 0 && p.Earned >= l.Earned {
			return i + 1
		}
	}
	return 0
}

// earned is the rank that the progress of this period and the last merits.
func (t *Tiers) earned(s TierStanding) int { return max(t.reached(s.Now), t.reached(s.Last)) }

// merited is the rank that the standing merits, what the grace days keep
// included.
func (t *Tiers) merited(s TierStanding) int { return max(t.earned(s), t.Rank(s.Kept)) }

// settle raises the level to what is merited, and says whether it is at risk. It
// never lowers a level. One whose name is no more becomes what is merited.
func (t *Tiers) settle(s TierStanding) TierStanding {
	merited := t.merited(s)
	if merited >= t.Rank(s.Level) {
		s.Level = t.name(merited)
	}
	s.GraceUntil = ""
	if s.Kept != "" && s.Kept == s.Level && merited > t.earned(s) {
		s.GraceUntil = s.KeptUntil
	}
	return s
}

// close ends a period on the day on which the next begins. What that day loses
// is left to lapse.
func (t *Tiers) close(s TierStanding, next time.Time) TierStanding {
	day := next.Format(time.DateOnly)
	s = t.lapse(s, day)
	if !s.AtRisk() { // grace days may be longer than a period: they don't begin anew
		kept := t.reached(s.Last)
		if held := t.Rank(s.Level); held > t.earned(s) { // by what an earlier version asked for
			kept = held
		}
		if kept > 0 {
			s.Kept, s.KeptUntil = t.name(kept), next.AddDate(0, 0, int(t.GraceDays)).Format(time.DateOnly)
		}
	}
	s.Begins, s.Last, s.Now = day, s.Now, Progress{}
	return s
}

// lapse ends the grace days that are over on a day: what only they kept is lost.
func (t *Tiers) lapse(s TierStanding, day string) TierStanding {
	s = t.settle(s)
	if s.Kept == "" || day < s.KeptUntil {
		return s
	}
	if s.AtRisk() {
		s.Level = ""
	}
	s.Kept, s.KeptUntil = "", ""
	return t.settle(s)
}

// progressOf is the progress that counts a moment; nil where none does any more.
func (t *Tiers) progressOf(s *TierStanding, at time.Time, zone *time.Location) *Progress {
	if s.Begins == "" {
		return &s.Now
	}
	begins, err := time.Parse(time.DateOnly, s.Begins)
	day := dayOf(at, zone)
	switch {
	case err != nil || !day.Before(begins):
		return &s.Now
	case !day.Before(t.Period.first(begins.AddDate(0, 0, -1))):
		return &s.Last
	}
	return nil
}

// dayOf is the day in a zone as a moment of UTC, where all days are of 24 hours.
func dayOf(at time.Time, zone *time.Location) time.Time {
	y, m, d := at.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// first day of the week or month in which a day of UTC falls.
func (p Period) first(day time.Time) time.Time {
	if p == EachWeek {
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	}
	return day.AddDate(0, 0, 1-day.Day())
}

// next is the first day of the week or month after that in which a day of UTC falls.
func (p Period) next(day time.Time) time.Time {
	if p == EachWeek {
		return p.first(day).AddDate(0, 0, 7)
	}
	return p.first(day).AddDate(0, 1, 0)
}
