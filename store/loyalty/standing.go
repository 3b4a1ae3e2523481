package loyalty

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Standing is what the rules need to know of what an enrollment did before: a
// summary whose size does not grow with the history. Balances are not in it.
type Standing struct {
	// Purchases that earned and were not taken back whole.
	Purchases int64 `json:"purchases,omitempty"`
	// Counters of the limits and visits, by "limit:period" or "limit:shop:period".
	Counters Counters     `json:"counters,omitempty"`
	Tier     TierStanding `json:"tier,omitzero"`
}

// visitLimit is the ID under which visits are counted; no limit may have it.
const visitLimit = "visit"

// countsVisits says whether an earning is by visit.
func (t *Terms) countsVisits() bool {
	return slices.ContainsFunc(t.Earn, func(w Earn) bool { return w.Per == PerVisit })
}

// key of the limit's counter at a moment in a shop.
func (l *Limit) key(m *moment, shop ID) string {
	if !l.PerShop {
		shop = ""
	}
	return m.key(l.ID, l.Period, shop)
}

// moment is a sale's time in the shop's zone, with the names of the periods in
// which it falls: each is made at most once for all campaigns.
type moment struct {
	local                  time.Time
	hour, day, week, month string
}

// key names a counter: "limit:period", or "limit:shop:period" where there is a shop.
func (m *moment) key(limit string, p Period, shop ID) string {
	if shop == "" {
		return limit + ":" + m.name(p)
	}
	return limit + ":" + string(shop) + ":" + m.name(p)
}

// name of the period's instance; "" where it has only one.
func (m *moment) name(p Period) string {
	var name *string
	switch p {
	case EachHour:
		name = &m.hour
	case EachDay:
		name = &m.day
	case EachWeek:
		name = &m.week
	case EachMonth:
		name = &m.month
	case EachPurchase, Lifetime:
		return ""
	}
	if *name == "" {
		*name = p.at(m.local)
	}
	return *name
}

// at names the period's instance in which a local time falls. Names of one
// period sort by time.
func (p Period) at(local time.Time) string {
	switch p {
	case EachHour:
		return local.Format("2006-01-02T15")
	case EachDay:
		return local.Format(time.DateOnly)
	case EachWeek: // its Monday
		return local.AddDate(0, 0, -(int(local.Weekday())+6)%7).Format("2006-W01-02")
	case EachMonth:
		return local.Format("2006-01")
	case EachPurchase, Lifetime:
	}
	return ""
}

// keepCounters is how long a counter of a period that is over is kept: sales may
// come this late.
const keepCounters = 40 * 24 * time.Hour

// manyCounters is from when on it is worth to look for those that are over.
const manyCounters = 32

// prune forgets counters of periods that are long over.
func (s *Standing) prune(t *Terms, sale *Sale) {
	if s.Counters.Len() < manyCounters {
		return
	}
	long := map[Period]string{}
	for name := range s.Counters.All() {
		id, _, _ := strings.Cut(name, ":")
		period := EachDay // that of visits, and of limits that are no more
		if i := slices.IndexFunc(t.Limits, func(l Limit) bool { return l.ID == id }); i >= 0 {
			period = t.Limits[i].Period
		}
		if period == Lifetime {
			continue
		}
		if long[period] == "" {
			long[period] = period.at(sale.At.Add(-keepCounters).In(sale.Zone))
		}
		if name[strings.LastIndexByte(name, ':')+1:] < long[period] {
			s.Counters = s.Counters.Plus(name, -math.MaxInt64)
		}
	}
}
