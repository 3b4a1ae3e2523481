package loyalty_test

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// naive is the rules as one would tell them: it remembers all that ever happened
// and scans it whenever it has a question. It knows no counters, standings or
// quotas, and its fractions are exact.
type naive struct{ history []event }

// event is a purchase in one campaign in which it earned.
type event struct {
	purchase int
	consumer string
	campaign *loyalty.Campaign
	sale     loyalty.Sale // its lines are those that were not returned
	out      []loyalty.ID
	then     naive // what had happened when it was judged
	result   outcome
	stands   map[loyalty.Unit]int64 // of what was given
}

func (e *event) gone() bool { return e.stands[loyalty.Stamp]+e.stands[loyalty.Point] == 0 }

// outcome is what a judgement comes to.
type outcome struct {
	why   loyalty.Why
	waits bool
	by    map[loyalty.Unit][]int64 // by each line; the last is what belongs to none
}

func (o *outcome) amount(u loyalty.Unit) int64 {
	var sum int64
	for _, n := range o.by[u] {
		sum += n
	}
	return sum
}

func (o *outcome) earned() bool { return o.amount(loyalty.Stamp)+o.amount(loyalty.Point) > 0 }

// of are the events that still count for an enrollment.
func (m naive) of(consumer string, c *loyalty.Campaign, shop loyalty.ID) (counts []event) {
	for _, e := range m.history {
		if e.consumer == consumer && e.campaign.ID == c.ID && (!c.PerShop || e.sale.Shop == shop) && !e.gone() {
			counts = append(counts, e)
		}
	}
	return counts
}

// judgement is what evaluate finds for one campaign.
type judgement struct {
	campaign *loyalty.Campaign
	outcome
	out []loyalty.ID
}

// evaluate judges a purchase in all campaigns that it concerns. Out is what was
// kept out of each already.
func (m naive) evaluate(consumer string, campaigns []*loyalty.Campaign, enrolled func(*loyalty.Campaign) bool, sale *loyalty.Sale, out map[loyalty.ID][]loyalty.ID) (all []judgement) {
	var taken []loyalty.ID
	campaigns = slices.SortedFunc(slices.Values(campaigns), func(a, b *loyalty.Campaign) int {
		return cmp.Or(int(b.Priority-a.Priority), strings.Compare(string(a.ID), string(b.ID)))
	})
	for _, c := range campaigns {
		kept := slices.Concat(out[c.ID], taken)
		plis := concerns(c, sale, kept)
		if len(plis) == 0 || !admits(c, sale, enrolled(c)) {
			continue
		}
		o := m.judge(consumer, c, sale, kept)
		if c.Exclusive && o.earned() {
			for _, n := range plis {
				taken = append(taken, sale.Lines[n].Product)
			}
		}
		all = append(all, judgement{c, o, kept})
	}
	return all
}

// took notes a purchase that earned.
func (m *naive) took(purchase int, consumer string, sale *loyalty.Sale, j *judgement) {
	stands := map[loyalty.Unit]int64{loyalty.Stamp: j.amount(loyalty.Stamp), loyalty.Point: j.amount(loyalty.Point)}
	m.history = append(m.history, event{
		purchase: purchase, consumer: consumer, campaign: j.campaign, sale: *sale, out: j.out,
		then: naive{slices.Clone(m.history)}, result: j.outcome, stands: stands,
	})
}

// returned notes what is left of a purchase, and says what each of its campaigns
// takes back.
func (m *naive) returned(purchase int, remaining []loyalty.Line) map[loyalty.ID]map[loyalty.Unit]int64 {
	back := map[loyalty.ID]map[loyalty.Unit]int64{}
	for i := range m.history {
		e := &m.history[i]
		if e.purchase != purchase || e.gone() {
			continue
		}
		e.sale.Lines = remaining
		e.result = e.then.judge(e.consumer, e.campaign, &e.sale, e.out)
		back[e.campaign.ID] = map[loyalty.Unit]int64{}
		stands := map[loyalty.Unit]int64{}
		for u, n := range e.stands {
			stands[u] = min(n, e.result.amount(u))
			back[e.campaign.ID][u] = n - stands[u]
		}
		e.stands = stands
	}
	return back
}

// concerns gives the lines that are PLIs, by their place.
func concerns(c *loyalty.Campaign, sale *loyalty.Sale, out []loyalty.ID) (lines []int) {
	for i, l := range sale.Lines {
		brand := slices.Contains(c.Brands, l.Brand) || slices.Contains(c.Products, l.Product)
		if c.CPG != "" {
			brand = l.CPG == c.CPG && (brand || c.AllProducts)
		}
		if brand && !slices.Contains(c.ExcludedProducts, l.Product) && !slices.Contains(out, l.Product) {
			lines = append(lines, i)
		}
	}
	return lines
}

func admits(c *loyalty.Campaign, sale *loyalty.Sale, enrolled bool) bool {
	in := len(c.Audience.Segments) == 0
	for _, s := range c.Audience.Segments {
		in = in || slices.Contains(sale.Segments, s)
	}
	return in && c.Status == loyalty.Active && (enrolled || c.Enrolment == loyalty.Automatic) &&
		!sale.At.Before(c.StartsAt) && (c.EndsAt.IsZero() || sale.At.Before(c.EndsAt)) &&
		(c.Audience.TierOf == "" || sale.Holds(c.Audience.TierOf, c.Audience.MinTier))
}

// judge says what a purchase brings in a campaign that it concerns.
func (m naive) judge(consumer string, c *loyalty.Campaign, sale *loyalty.Sale, out []loyalty.ID) outcome {
	plis := concerns(c, sale, out)
	before := m.of(consumer, c, sale.Shop)
	o := outcome{by: map[loyalty.Unit][]int64{}}
	if len(plis) == 0 {
		return o
	}
	var units int64
	for _, n := range plis {
		units += sale.Lines[n].Quantity
	}
	if units < c.MinQuantity || spent(c, sale, out) < c.MinSpend {
		o.why = loyalty.WhyMinimum
		return o
	}
	if last := m.lastEarned(consumer, c, sale.Shop); c.CooldownMinutes > 0 && !last.IsZero() {
		apart := sale.At.Sub(last).Minutes()
		if -float64(c.CooldownMinutes) < apart && apart < float64(c.CooldownMinutes) {
			o.why = loyalty.WhyCooldown
			return o
		}
	}
	for _, l := range c.Limits {
		if l.Counts == loyalty.CountPurchases && l.Period != loyalty.EachPurchase && m.left(consumer, c, &l, sale) < 1 {
			o.why = loyalty.WhyLimit
			return o
		}
	}
	limit, budget := false, false
	for _, u := range c.Scheme.Units() {
		by := m.worth(consumer, c, sale, plis, u, before)
		used := make([]int64, len(c.Limits))
		var all int64
		for n := range by {
			wanted := by[n]
			for i, l := range c.Limits {
				if about(c, &l, sale, n, u) {
					by[n] = min(by[n], max(m.left(consumer, c, &l, sale)-used[i], 0))
				}
			}
			limit = limit || by[n] < wanted
			if left, bounded := m.budget(c, u); bounded && left-all < by[n] {
				by[n], budget = max(left-all, 0), true
			}
			for i, l := range c.Limits {
				if about(c, &l, sale, n, u) {
					used[i] += by[n]
				}
			}
			all += by[n]
		}
		o.by[u] = by
	}
	if limit {
		o.why = loyalty.WhyLimit
	}
	if budget {
		o.why = loyalty.WhyBudget
	}
	o.waits = c.Pending != nil && sale.Typed && o.earned()
	return o
}

func spent(c *loyalty.Campaign, sale *loyalty.Sale, out []loyalty.ID) (sum loyalty.Cents) {
	for _, n := range concerns(c, sale, out) {
		sum += sale.Lines[n].UnitPrice * loyalty.Cents(sale.Lines[n].Quantity)
	}
	return sum
}

// lastEarned is when the latest purchase was that earned, taken back or not.
func (m naive) lastEarned(consumer string, c *loyalty.Campaign, shop loyalty.ID) (last time.Time) {
	for _, e := range m.history {
		if e.consumer == consumer && e.campaign.ID == c.ID && (!c.PerShop || e.sale.Shop == shop) && e.sale.At.After(last) {
			last = e.sale.At
		}
	}
	return last
}

// about says whether a limit is about what the nth line earned; the one after the
// last line is what belongs to none.
func about(c *loyalty.Campaign, l *loyalty.Limit, sale *loyalty.Sale, n int, u loyalty.Unit) bool {
	if l.Counts == loyalty.CountPurchases || cmp.Or(l.Unit, c.Scheme.Unit()) != u {
		return false
	}
	if len(l.Products) == 0 && len(l.Brands) == 0 {
		return true
	}
	return n < len(sale.Lines) &&
		(slices.Contains(l.Products, sale.Lines[n].Product) || slices.Contains(l.Brands, sale.Lines[n].Brand))
}

// left is what a limit allows a sale.
func (m naive) left(consumer string, c *loyalty.Campaign, l *loyalty.Limit, sale *loyalty.Sale) int64 {
	left := l.Max
	if l.Period == loyalty.EachPurchase {
		return left
	}
	for _, e := range m.history {
		mine := e.consumer == consumer && (!c.PerShop || e.sale.Shop == sale.Shop) || l.AllCards
		if e.campaign.ID != c.ID || !mine || e.gone() || l.PerShop && e.sale.Shop != sale.Shop || !samePeriod(l.Period, &e.sale, sale) {
			continue
		}
		if l.Counts == loyalty.CountPurchases {
			left--
			continue
		}
		for u, by := range e.result.by {
			for n := range by {
				if about(c, l, &e.sale, n, u) {
					left -= by[n]
				}
			}
		}
	}
	return left
}

// samePeriod says whether two sales fall into the same period, each by the clock
// of its shop.
func samePeriod(p loyalty.Period, a, b *loyalty.Sale) bool {
	x, y := a.At.In(a.Zone), b.At.In(b.Zone)
	day := x.Year() == y.Year() && x.YearDay() == y.YearDay()
	switch p {
	case loyalty.EachHour:
		return day && x.Hour() == y.Hour()
	case loyalty.EachDay:
		return day
	case loyalty.EachWeek:
		xy, xw := x.ISOWeek()
		yy, yw := y.ISOWeek()
		return xy == yy && xw == yw
	case loyalty.EachMonth:
		return x.Year() == y.Year() && x.Month() == y.Month()
	case loyalty.Lifetime, loyalty.EachPurchase:
	}
	return true
}

// budget is what is left of the campaign's in a unit.
func (m naive) budget(c *loyalty.Campaign, u loyalty.Unit) (left int64, bounded bool) {
	if c.Budget == nil {
		return 0, false
	}
	left = c.Budget.Stamps
	if u == loyalty.Point {
		left = c.Budget.Points
	}
	bounded = left > 0
	for _, e := range m.history {
		if e.campaign.ID == c.ID {
			left -= e.stands[u]
		}
	}
	return left, bounded
}

// tier is the rank that the standing purchases reach; for tiers that are kept for good.
func (m naive) tier(consumer string, c *loyalty.Campaign, shop loyalty.ID) (rank int) {
	if c.Tiers == nil {
		return 0
	}
	var p loyalty.Progress
	units := c.Scheme.Units()
	for _, e := range m.of(consumer, c, shop) {
		p.Purchases++
		p.Spend += spent(e.campaign, &e.sale, e.out)
		p.Earned += e.stands[units[len(units)-1]]
	}
	for i, l := range c.Tiers.Levels {
		if l.Purchases > 0 && p.Purchases >= l.Purchases || l.Spend > 0 && p.Spend >= l.Spend || l.Earned > 0 && p.Earned >= l.Earned {
			rank = i + 1
		}
	}
	return rank
}

// worth is what each line, and at last no line, earns in a unit before limits.
func (m naive) worth(consumer string, c *loyalty.Campaign, sale *loyalty.Sale, plis []int, u loyalty.Unit, before []event) []int64 {
	rank := m.tier(consumer, c, sale.Shop)
	var boosts []loyalty.Boost
	for _, b := range c.Boosts {
		if applies(&b.When, c, sale, rank, len(before) == 0) {
			boosts = append(boosts, b)
		}
	}
	var percents [][]int64 // of each line, and of the whole: none of them
	for n := range len(sale.Lines) + 1 {
		percents = append(percents, nil)
		if rank > 0 {
			percents[n] = append(percents[n], c.Tiers.Levels[rank-1].Percent)
		}
		for _, b := range boosts {
			if (b.Unit == "" || b.Unit == u) && matches(&b.When, sale, n) {
				percents[n] = append(percents[n], b.Percent)
			}
		}
	}
	sum := new(big.Rat)
	var rounded int64
	grown := func() int64 {
		before := rounded
		rounded = round(sum, c.Rounding)
		return rounded - before
	}
	by := make([]int64, len(sale.Lines)+1)
	for _, n := range plis {
		l := sale.Lines[n]
		for _, w := range c.Earn {
			of := new(big.Rat)
			switch {
			case w.Unit != u:
			case w.Per == loyalty.PerUnit:
				of.SetInt64(l.Quantity)
			case w.Per == loyalty.PerPeso:
				of.Mul(big.NewRat(int64(l.UnitPrice), 100), big.NewRat(l.Quantity, 1))
			}
			of.Mul(of, big.NewRat(w.Amount, max(w.Each, 1)))
			sum.Add(sum, of.Mul(of, factor(percents[n], c.Stacking)))
		}
		by[n] = grown()
	}
	for _, w := range c.Earn {
		visited := w.Per == loyalty.PerVisit && slices.ContainsFunc(before, func(e event) bool {
			return e.sale.Shop == sale.Shop && samePeriod(loyalty.EachDay, &e.sale, sale)
		})
		if w.Unit == u && (w.Per == loyalty.PerPurchase || w.Per == loyalty.PerVisit) && !visited {
			sum.Add(sum, new(big.Rat).Mul(big.NewRat(w.Amount, 1), factor(percents[len(sale.Lines)], c.Stacking)))
		}
	}
	var bonuses []int64
	for _, b := range boosts {
		matched := slices.ContainsFunc(plis, func(n int) bool { return matches(&b.When, sale, n) })
		if matched && cmp.Or(b.Unit, c.Scheme.Unit()) == u {
			bonuses = append(bonuses, b.Bonus)
		}
	}
	by[len(sale.Lines)] = grown()
	for _, bonus := range bonuses {
		if c.Stacking == loyalty.StackAll || bonus == slices.Max(bonuses) {
			by[len(sale.Lines)] += bonus
		}
		if c.Stacking == loyalty.StackBest && bonus == slices.Max(bonuses) {
			break
		}
	}
	return by
}

// factor is what several percents make together.
func factor(percents []int64, s loyalty.Stacking) *big.Rat {
	best, more := int64(100), int64(0)
	for _, p := range percents {
		best, more = max(best, p), more+max(p-100, 0)
	}
	if s == loyalty.StackAll {
		best = 100 + more
	}
	return big.NewRat(min(best, 1000), 100)
}

func round(r *big.Rat, how loyalty.Rounding) int64 {
	floor := new(big.Int).Div(r.Num(), r.Denom()).Int64()
	rest := new(big.Rat).Sub(r, big.NewRat(floor, 1))
	if how == loyalty.RoundUp && rest.Sign() > 0 || how == loyalty.RoundNearest && rest.Cmp(big.NewRat(1, 2)) >= 0 {
		floor++
	}
	return floor
}

// matches says whether a boost is about the nth line; the one after the last is
// what belongs to none.
func matches(w *loyalty.When, sale *loyalty.Sale, n int) bool {
	if len(w.Products) == 0 && len(w.Brands) == 0 {
		return true
	}
	return n < len(sale.Lines) &&
		(slices.Contains(w.Products, sale.Lines[n].Product) || slices.Contains(w.Brands, sale.Lines[n].Brand))
}

// applies says whether what is not about lines holds.
func applies(w *loyalty.When, c *loyalty.Campaign, sale *loyalty.Sale, rank int, first bool) bool {
	local := sale.At.In(sale.Zone)
	if w.First && !first || w.Birthday && !birthday(sale.Birthday, local) {
		return false
	}
	if w.MinTier != "" && rank < 1+slices.IndexFunc(c.Tiers.Levels, func(l loyalty.Level) bool { return l.Name == w.MinTier }) {
		return false
	}
	// The windows of today and of yesterday, in minutes of today.
	from, to, now := minutes(w.From, 0), minutes(w.To, 24*60), local.Hour()*60+local.Minute()
	if to < from {
		to += 24 * 60
	}
	for ago := range 2 {
		day := local.Weekday()
		for range ago {
			day = (day + 6) % 7
		}
		if from-ago*24*60 <= now && now < to-ago*24*60 && (len(w.Weekdays) == 0 || slices.Contains(w.Weekdays, day)) {
			return true
		}
	}
	return false
}

func minutes(clock string, none int) int {
	if clock == "" {
		return none
	}
	h, m, _ := strings.Cut(clock, ":")
	hours, _ := strconv.Atoi(h)
	mins, _ := strconv.Atoi(m)
	return hours*60 + mins
}

func birthday(born string, local time.Time) bool {
	if born == "" {
		return false
	}
	day, err := time.Parse(time.DateOnly, "2000-"+born[len(born)-5:])
	if err != nil {
		return false
	}
	month, dom := day.Month(), day.Day()
	if leap := time.Date(local.Year(), 2, 29, 0, 0, 0, 0, time.UTC).Day() == 29; !leap && month == time.February && dom == 29 {
		dom = 28
	}
	return local.Month() == month && local.Day() == dom
}
