package loyalty

import (
	"cmp"
	"math"
	"time"
)

const oneDay = 24 * time.Hour

// ever is a number of days, or of anything, without end.
const ever = math.MaxInt64

// ceiling bounds what one consumer can do and earn in a campaign within some
// days, by its limits: never less than what is possible, often more.
type ceiling struct {
	*Terms
	days      int64
	purchases int64 // that earn
}

// most is the ceiling of so many days.
func (t *Terms) most(days int64) ceiling {
	m := ceiling{Terms: t, days: days, purchases: ever}
	if t.CooldownMinutes > 0 && days != ever {
		m.purchases = days*24*60/t.CooldownMinutes + 1
	}
	for i := range t.Limits {
		if l := &t.Limits[i]; l.Counts == CountPurchases && t.bindsOne(l) {
			m.purchases = min(m.purchases, times(l.Max, l.Period.within(days)))
		}
	}
	var earned int64 // each purchase that counts earned something
	for _, u := range t.Scheme.Units() {
		earned = plus(earned, m.earned(u))
	}
	m.purchases = min(m.purchases, earned)
	return m
}

// bindsOne says whether a limit bounds the whole of what a consumer does. One
// that counts each shop apart does not, but where balances do too.
func (t *Terms) bindsOne(l *Limit) bool {
	return !l.AllCards && (!l.PerShop || t.PerShop) && len(l.Products)+len(l.Brands) == 0
}

// earned is the most of a unit.
func (m ceiling) earned(u Unit) int64 {
	most, purchase := int64(ever), int64(ever)
	for i := range m.Limits {
		l := &m.Limits[i]
		if l.Counts != CountEarned || m.unitOf(l) != u || !m.bindsOne(l) {
			continue
		}
		if l.Period == EachPurchase {
			purchase = min(purchase, l.Max)
		} else {
			most = min(most, times(l.Max, l.Period.within(m.days)))
		}
	}
	return min(most, times(m.purchases, min(purchase, m.mostOfPurchase(u))))
}

// mostOfPurchase bounds what one purchase earns in a unit where that does not
// depend on what is bought.
func (t *Terms) mostOfPurchase(u Unit) int64 {
	var sum int64
	for _, w := range t.Earn {
		switch {
		case w.Unit != u:
		case w.Per == PerUnit || w.Per == PerPeso:
			return ever
		default:
			sum += w.Amount * MaxPercent / 100
		}
	}
	for _, b := range t.Boosts {
		if cmp.Or(b.Unit, t.Scheme.Unit()) == u {
			sum += b.Bonus
		}
	}
	return sum
}

// unitOf is the unit that a limit counts.
func (t *Terms) unitOf(l *Limit) Unit { return cmp.Or(l.Unit, t.Scheme.Unit()) }

// within is how many periods so many days can touch.
func (p Period) within(days int64) int64 {
	if days == ever && p != Lifetime {
		return ever
	}
	switch p {
	case EachHour:
		return days*24 + 1
	case EachDay:
		return days + 1
	case EachWeek:
		return days/7 + 2
	case EachMonth:
		return days/28 + 2
	case EachPurchase:
		return ever
	case Lifetime:
	}
	return 1
}

// times multiplies; what is too much is ever.
func times(a, b int64) int64 {
	if a > 0 && b > ever/a {
		return ever
	}
	return a * b
}

// plus adds; what is too much is ever.
func plus(a, b int64) int64 { return a + min(b, ever-a) }

// daysBetween is how many days, begun ones included, there are from one moment to
// another; zero is never.
func daysBetween(from, to time.Time) int64 {
	if to.IsZero() {
		return ever
	}
	return int64((max(to.Sub(from), 0) + oneDay - 1) / oneDay)
}
