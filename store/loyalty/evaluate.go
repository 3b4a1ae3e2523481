package loyalty

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// MaxLines bounds the lines of a purchase.
const MaxLines = 50

// MaxPercent bounds what boosts make of an earning together: tenfold. It also
// keeps the arithmetic inside 64 bits.
const MaxPercent = 1000

// Line is one product of a purchase.
type Line struct {
	Product   ID
	Brand     ID
	CPG       ID
	Quantity  int64
	UnitPrice Cents
}

// Sale is a purchase as the rules see it.
type Sale struct {
	At    time.Time
	Zone  *time.Location // the shop's
	Shop  ID
	Typed bool // the card's code was typed, not scanned, and its owner has not said yes
	Lines []Line
	// Of the consumer.
	Birthday string // "[YYYY-]MM-DD", or ""
	Segments []ID
	Holds    func(campaign ID, tier string) bool // at least the tier; nil where no audience asks
}

// Candidate is a campaign that may apply: the caller has found that the shop
// takes part in it.
type Candidate struct {
	Campaign   *Campaign
	Enrolled   bool
	Standing   Standing
	LastEarned time.Time        // zero: never
	Left       map[string]int64 // what its quotas still allow; what is not in it has no bound
	// Out are products that exclusive campaigns keep out, sorted: those that an
	// earlier judgement of the same purchase found. Evaluate adds its own.
	Out []ID
}

// Quotas of a campaign's budget, beside those of limits that count all cards.
const (
	QuotaStamps  = "stamp"
	QuotaPoints  = "point"
	QuotaRewards = "reward"
)

// Take is what a judgement uses of a quota.
type Take struct {
	Name   string
	Amount int64
}

// Why says why a purchase earned less in a campaign than its rules give.
type Why string

// The reasons.
const (
	WhyMinimum  Why = "below_minimum"
	WhyCooldown Why = "cooldown"
	WhyLimit    Why = "limit_reached"
	WhyBudget   Why = "budget_exhausted"
)

// Judgement is what a purchase brings in one campaign. Where nothing was
// earned, nothing changes.
type Judgement struct {
	Campaign *Campaign
	Stamps   int64
	Points   int64
	Why      Why      // "": all that the rules give; where limits and the budget cut, the budget
	Pending  bool     // it would bring this, and is judged again once the consumer said yes; nothing changes until then
	Standing Standing // afterwards
	Takes    []Take   // of the campaign's quotas
	Out      []ID     // products that exclusive campaigns before it kept out, sorted
}

// Amount of a unit.
func (j *Judgement) Amount(u Unit) int64 {
	if u == Stamp {
		return j.Stamps
	}
	return j.Points
}

// Earned says whether it brings anything.
func (j *Judgement) Earned() bool { return j.Stamps > 0 || j.Points > 0 }

// Evaluate judges a sale by each candidate, in the order of their priorities.
// It is pure: the same values always give the same judgements. A campaign that
// the sale does not concern gets none. Lists of IDs in terms are sorted.
func Evaluate(candidates []Candidate, sale *Sale) []Judgement {
	first := func(a, b Candidate) int {
		return cmp.Or(-cmp.Compare(a.Campaign.Priority, b.Campaign.Priority), cmp.Compare(a.Campaign.ID, b.Campaign.ID))
	}
	if !slices.IsSortedFunc(candidates, first) {
		candidates = slices.SortedFunc(slices.Values(candidates), first)
	}
	judgements := make([]Judgement, 0, len(candidates))
	m := moment{local: sale.At.In(sale.Zone)}
	var out []ID // products that exclusive campaigns keep to themselves
	var e evaluation
	for i := range candidates {
		e = evaluation{Candidate: &candidates[i], sale: sale, moment: &m, bounds: e.bounds[:0]}
		e.out = merged(e.Out, out)
		if !e.admitted() || !e.concerned() {
			continue
		}
		j := e.judge()
		if j.Earned() && j.Campaign.Exclusive {
			out = merged(out, e.products())
		}
		judgements = append(judgements, j)
	}
	return judgements
}

// evaluation is one campaign's view of a sale.
type evaluation struct {
	*Candidate
	sale    *Sale
	moment  *moment
	out     []ID // products that are kept out, sorted
	pli     [MaxLines]bool
	units   int64
	spent   Cents
	tier    string
	visit   string  // the counter of visits; "" where none are counted
	bounds  []bound // of the campaign's limits, in their order
	limited bool    // a limit cut something
	over    bool    // the budget did
}

// bound is how a limit stands.
type bound struct {
	*Limit
	unit Unit   // that it clips; "" where it clips none
	key  string // of its counter; "" where there is none
	left int64  // that it still allows
	used int64  // by this sale
}

// amounts are what is earned in a unit: by each line, and by none of them.
type amounts struct {
	lines [MaxLines]int64
	extra int64
}

// admitted says whether the campaign is there for the consumer at the time.
func (e *evaluation) admitted() bool {
	c := e.Campaign
	return c.RunsAt(e.sale.At) && (c.Enrolment != OnRequest || e.Enrolled) && c.Audience.Admits(e.sale)
}

// concerned finds the PLIs, and says whether there are any.
func (e *evaluation) concerned() bool {
	c := e.Campaign
	for i := range e.sale.Lines {
		l := &e.sale.Lines[i]
		if c.Sells(l) && !contains(e.out, l.Product) {
			e.pli[i] = true
			e.units += l.Quantity
			e.spent += l.UnitPrice * Cents(l.Quantity)
		}
	}
	return e.units > 0
}

// products are those of the PLIs.
func (e *evaluation) products() []ID {
	var ids []ID
	for n := range e.sale.Lines {
		if e.pli[n] {
			ids = append(ids, e.sale.Lines[n].Product)
		}
	}
	return ids
}

// merged is a sorted list of what is in either.
func merged(a, b []ID) []ID {
	if len(b) == 0 {
		return a
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// Admits says whether the campaign is for the consumer of a sale.
func (a *Audience) Admits(sale *Sale) bool {
	if len(a.Segments) > 0 && !slices.ContainsFunc(a.Segments, func(s ID) bool { return slices.Contains(sale.Segments, s) }) {
		return false
	}
	return a.TierOf == "" || sale.Holds != nil && sale.Holds(a.TierOf, a.MinTier)
}

func (e *evaluation) judge() Judgement {
	c, t := e.Campaign, &e.Campaign.Terms
	j := Judgement{Campaign: c, Standing: e.Standing, Out: e.out}
	e.bound()
	if j.Why = e.refused(); j.Why != "" {
		return j
	}
	e.tier = t.Tiers.At(e.Standing.Tier, e.sale.At, e.sale.Zone).Level
	e.give(&j)
	j.Pending = t.Pending != nil && e.sale.Typed && j.Earned()
	if j.Earned() && !j.Pending {
		e.settle(&j)
	}
	return j
}

// bound looks up how the limits stand.
func (e *evaluation) bound() {
	t := &e.Campaign.Terms
	if t.countsVisits() {
		e.visit = e.moment.key(visitLimit, EachDay, e.sale.Shop)
	}
	e.bounds = slices.Grow(e.bounds, len(t.Limits))
	for i := range t.Limits {
		l := &t.Limits[i]
		b := bound{Limit: l, left: l.Max}
		if l.Counts == CountEarned {
			b.unit = cmp.Or(l.Unit, t.Scheme.Unit())
		}
		if l.Period != EachPurchase {
			b.key = l.key(e.moment, e.sale.Shop)
			if !l.AllCards {
				b.left = max(l.Max-e.Standing.Counters.Of(b.key), 0)
			} else if left, bounded := e.Left[b.key]; bounded {
				b.left = left
			}
		}
		e.bounds = append(e.bounds, b)
	}
}

// refused says why the purchase earns nothing at all.
func (e *evaluation) refused() Why {
	t, sale := &e.Campaign.Terms, e.sale
	if e.units < t.MinQuantity || e.spent < t.MinSpend {
		return WhyMinimum
	}
	// A sale that comes late may lie before the last one.
	if t.CooldownMinutes > 0 && !e.LastEarned.IsZero() && sale.At.Sub(e.LastEarned).Abs() < time.Duration(t.CooldownMinutes)*time.Minute {
		return WhyCooldown
	}
	for i := range e.bounds {
		if e.bounds[i].Counts == CountPurchases && e.bounds[i].left < 1 {
			return WhyLimit
		}
	}
	return ""
}

// give works out what the sale brings in each unit, and why it is not more.
func (e *evaluation) give(j *Judgement) {
	for _, u := range e.Campaign.Scheme.Units() {
		var a amounts
		e.earn(u, &a)
		if sum := e.clip(u, &a); u == Stamp {
			j.Stamps = sum
		} else {
			j.Points = sum
		}
	}
	switch {
	case e.over:
		j.Why = WhyBudget
	case e.limited:
		j.Why = WhyLimit
	}
}

// earn is what the sale is worth in a unit before limits.
func (e *evaluation) earn(u Unit, a *amounts) {
	t := &e.Campaign.Terms
	var percent [MaxLines]int64
	whole, bonus := e.boost(u, &percent)
	sum := t.total(u)
	for n := range e.sale.Lines {
		if !e.pli[n] {
			continue
		}
		l := &e.sale.Lines[n]
		for i := range t.Earn {
			switch w := &t.Earn[i]; {
			case w.Unit != u:
			case w.Per == PerUnit:
				sum.add(l.Quantity*w.Amount*percent[n], w.parts())
			case w.Per == PerPeso:
				sum.add(int64(l.UnitPrice)*l.Quantity*w.Amount*percent[n], w.parts())
			}
		}
		a.lines[n] = sum.grown()
	}
	for i := range t.Earn {
		w := &t.Earn[i]
		if w.Unit == u && (w.Per == PerPurchase || w.Per == PerVisit && e.Standing.Counters.Of(e.visit) == 0) {
			sum.add(w.Amount*whole, w.parts())
		}
	}
	a.extra = sum.grown() + bonus
}

// total is a sum of fractions that is rounded as a whole: integer arithmetic,
// since no fraction may be lost.
type total struct {
	rounding Rounding
	parts    int64 // that a whole has: a common multiple of all denominators
	whole    int64
	rest     int64 // of parts
	before   int64 // the rounded total when it was asked for last
}

// total begins the sum of what is earned in a unit.
func (t *Terms) total(u Unit) total {
	sum := total{rounding: t.Rounding, parts: 100}
	for i := range t.Earn {
		if w := &t.Earn[i]; w.Unit == u && sum.parts%w.parts() != 0 {
			sum.parts *= w.parts() / gcd(sum.parts, w.parts())
		}
	}
	return sum
}

// parts of one stamp or point in which an earning is counted: of a percent, and
// of a centavo where it is by peso.
func (w *Earn) parts() int64 {
	switch w.Per {
	case PerUnit:
		return max(w.Each, 1) * 100
	case PerPeso:
		return max(w.Each, 1) * 100 * 100
	case PerPurchase, PerVisit:
	}
	return 100
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (s *total) add(n, parts int64) {
	s.whole += n / parts
	s.rest += n % parts * (s.parts / parts)
	if s.rest >= s.parts {
		s.whole += s.rest / s.parts
		s.rest %= s.parts
	}
}

// grown is by how much the rounded total grew since it was asked for last.
func (s *total) grown() int64 {
	now := s.whole
	if s.rounding == RoundUp && s.rest > 0 || s.rounding == RoundNearest && s.rest >= s.parts-s.rest {
		now++
	}
	grown := now - s.before
	s.before = now
	return grown
}

// boost gives the percent of each line, of the purchase as a whole, and the
// bonus.
func (e *evaluation) boost(u Unit, percent *[MaxLines]int64) (whole, bonus int64) {
	t := &e.Campaign.Terms
	add := func(p *int64, more int64) {
		if t.Stacking == StackAll {
			*p = min(*p+more-100, MaxPercent)
		} else {
			*p = min(max(*p, more), MaxPercent)
		}
	}
	whole = 100
	for n := range e.sale.Lines {
		percent[n] = 100
	}
	if level := t.Tiers.level(e.tier); level != nil && level.Percent > 100 {
		add(&whole, level.Percent)
		for n := range e.sale.Lines {
			add(&percent[n], level.Percent)
		}
	}
	for i := range t.Boosts {
		b := &t.Boosts[i]
		if !e.applies(&b.When) {
			continue
		}
		matched, narrow := false, len(b.When.Products)+len(b.When.Brands) > 0
		for n := range e.sale.Lines {
			l := &e.sale.Lines[n]
			if !e.pli[n] || narrow && !named(b.When.Products, b.When.Brands, l) {
				continue
			}
			matched = true
			if b.Percent > 100 && (b.Unit == "" || b.Unit == u) {
				add(&percent[n], b.Percent)
			}
		}
		if matched && !narrow && b.Percent > 100 && (b.Unit == "" || b.Unit == u) {
			add(&whole, b.Percent)
		}
		if matched && b.Bonus > 0 && cmp.Or(b.Unit, t.Scheme.Unit()) == u {
			if t.Stacking == StackAll {
				bonus += b.Bonus
			} else {
				bonus = max(bonus, b.Bonus)
			}
		}
	}
	return whole, bonus
}

// applies says whether the conditions hold that are not about lines.
func (e *evaluation) applies(w *When) bool {
	if w.First && e.Standing.Purchases > 0 ||
		w.Birthday && !isBirthday(e.sale.Birthday, e.moment.local) ||
		w.MinTier != "" && !e.holds(w.MinTier) {
		return false
	}
	if w.From == w.To && len(w.Weekdays) == 0 {
		return true
	}
	open, day := w.window(e.moment.local)
	return open && (len(w.Weekdays) == 0 || slices.Contains(w.Weekdays, day))
}

// holds says whether the consumer holds at least a tier; one that there is not
// is held by nobody.
func (e *evaluation) holds(tier string) bool {
	asked := e.Campaign.Tiers.Rank(tier)
	return asked > 0 && e.Campaign.Tiers.Rank(e.tier) >= asked
}

// window says whether the boost's hours are open, and on which weekday they opened.
func (w *When) window(local time.Time) (open bool, opened time.Weekday) {
	today := local.Weekday()
	if w.From == w.To {
		return true, today
	}
	now, to := clock(local), cmp.Or(w.To, "24:00")
	switch {
	case w.From <= to:
		return w.From <= now && now < to, today
	case now < to: // it opened yesterday and passed midnight
		return true, (today + 6) % 7
	}
	return w.From <= now, today
}

// clock is the time of day, "15:04". Format takes several times as long.
func clock(t time.Time) string {
	h, m, _ := t.Clock()
	return string([]byte{'0' + byte(h/10), '0' + byte(h%10), ':', '0' + byte(m/10), '0' + byte(m%10)})
}

// isBirthday says whether the shop's day is the birthday, "[YYYY-]MM-DD".
func isBirthday(birthday string, at time.Time) bool {
	if len(birthday) < 5 {
		return false
	}
	monthDay := birthday[len(birthday)-5:]
	if monthDay == "02-29" && at.AddDate(0, 0, 1).Day() == 1 { // the last of February
		monthDay = at.Format("01-02")
		return monthDay[:2] == "02"
	}
	return at.Format("01-02") == monthDay
}

func contains(sorted []ID, id ID) bool {
	_, ok := slices.BinarySearch(sorted, id)
	return ok
}

// named says whether a line's product or brand is in one of the lists.
func named(products, brands []ID, l *Line) bool {
	return contains(products, l.Product) || contains(brands, l.Brand)
}

// Sells says whether a line is of a PLI: only a CPG's own products are.
func (c *Campaign) Sells(l *Line) bool {
	if c.CPG != "" && l.CPG != c.CPG {
		return false
	}
	if !(c.AllProducts && c.CPG != "") && !named(c.Products, c.Brands, l) {
		return false
	}
	return !contains(c.ExcludedProducts, l.Product)
}

// clip cuts the amounts, line by line and at last what belongs to none, to what
// all limits and the budget still allow. It gives their sum.
func (e *evaluation) clip(u Unit, a *amounts) (sum int64) {
	budget, bounded := e.Left[string(u)]
	keep := func(line *Line, amount int64) {
		if amount == 0 {
			return
		}
		most := amount
		for i := range e.bounds {
			if b := &e.bounds[i]; b.unit == u && b.covers(line) {
				most = min(most, b.left)
			}
		}
		e.limited = e.limited || most < amount
		if bounded && budget-sum < most {
			most, e.over = max(budget-sum, 0), true
		}
		for i := range e.bounds {
			if b := &e.bounds[i]; b.unit == u && b.covers(line) {
				b.left -= most
				b.used += most
			}
		}
		sum += most
	}
	for n := range e.sale.Lines {
		keep(&e.sale.Lines[n], a.lines[n])
	}
	keep(nil, a.extra)
	return sum
}

// covers says whether a limit is about what a line earned.
func (l *Limit) covers(line *Line) bool {
	return len(l.Products)+len(l.Brands) == 0 || line != nil && named(l.Products, l.Brands, line)
}

// settle works out the standing after the purchase, and what it uses of quotas.
func (e *evaluation) settle(j *Judgement) {
	t, s := &e.Campaign.Terms, &j.Standing
	s.Purchases++
	if len(e.bounds) > 0 || e.visit != "" {
		for key, n := range e.counted() {
			s.Counters = s.Counters.Plus(key, n)
		}
		if s.Counters.Len() > e.Standing.Counters.Len() {
			s.prune(t, e.sale)
		}
	}
	j.Takes = e.takes(j)
	if t.Tiers != nil {
		s.Tier = t.Tiers.Add(s.Tier, e.progress(j), e.sale.At, e.sale.Zone)
	}
}

// counted is what the purchase adds to which counters.
func (e *evaluation) counted() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for i := range e.bounds {
			b := &e.bounds[i]
			n := b.used
			if b.Counts == CountPurchases {
				n = 1
			}
			if b.key != "" && !b.AllCards && n > 0 && !yield(b.key, n) {
				return
			}
		}
		if e.visit != "" {
			yield(e.visit, 1)
		}
	}
}

// takes is what the purchase uses of quotas.
func (e *evaluation) takes(j *Judgement) []Take {
	var takes []Take
	for i := range e.bounds {
		if b := &e.bounds[i]; b.AllCards {
			takes = append(takes, Take{Name: b.key, Amount: 1})
		}
	}
	for _, u := range e.Campaign.Scheme.Units() {
		if _, bounded := e.Left[string(u)]; bounded && j.Amount(u) > 0 {
			takes = append(takes, Take{Name: string(u), Amount: j.Amount(u)})
		}
	}
	return takes
}

// progress is what the purchase adds to that of tiers.
func (e *evaluation) progress(j *Judgement) Progress {
	units := e.Campaign.Scheme.Units()
	return Progress{Purchases: 1, Spend: e.spent, Earned: j.Amount(units[len(units)-1])}
}
