package loyalty_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// dice draw what a random world is made of.
type dice struct{ *rapid.T }

func (d dice) n(from, to int64) int64 { return rapid.Int64Range(from, to).Draw(d.T, "n") }
func (d dice) chance(of int64) bool   { return d.n(1, of) == of }

func pick[T any](d dice, of ...T) T { return of[d.n(0, int64(len(of)-1))] }

func some[T any](d dice, of ...T) (found []T) {
	bits := d.n(0, 1<<len(of)-1)
	for i, x := range of {
		if bits>>i&1 == 1 {
			found = append(found, x)
		}
	}
	return found
}

func maybe[T any](d dice, of int64, make func() T) (none T) {
	if d.chance(of) {
		return make()
	}
	return none
}

// campaign is a random one within the ranges that Terms allow.
func (d dice) campaign(n int) *loyalty.Campaign {
	c := &loyalty.Campaign{ID: loyalty.ID(fmt.Sprint("c", n)), CPG: "cpg", Status: loyalty.Active, Version: 1}
	if d.chance(6) {
		c.CPG, c.Owner = "", "s1"
	}
	t := &c.Terms
	t.Scheme, t.Enrolment = pick(d, loyalty.Stamps, loyalty.Points, loyalty.Both), pick(d, loyalty.Automatic, loyalty.Automatic, loyalty.OnRequest)
	t.PerShop, t.Goal, t.StartsAt = d.chance(4), 10, monday.AddDate(-1, 0, 0)
	if d.chance(6) {
		t.StartsAt, t.EndsAt = monday, monday.AddDate(0, 0, 20)
	}
	if t.AllProducts = d.chance(2); !t.AllProducts {
		t.Products, t.Brands = some(d, agua, cola, jugo, rival), some[loyalty.ID](d, "b-clara", "b-negra")
	}
	t.ExcludedProducts = maybe(d, 5, func() []loyalty.ID { return []loyalty.ID{pick(d, agua, cola)} })
	for _, u := range t.Scheme.Units() {
		bases := pick(d, []loyalty.EarnBasis{loyalty.PerUnit}, []loyalty.EarnBasis{loyalty.PerPurchase}, []loyalty.EarnBasis{loyalty.PerVisit}, []loyalty.EarnBasis{loyalty.PerUnit, loyalty.PerVisit})
		if u == loyalty.Point {
			bases = pick(d, []loyalty.EarnBasis{loyalty.PerUnit}, []loyalty.EarnBasis{loyalty.PerPeso}, []loyalty.EarnBasis{loyalty.PerUnit, loyalty.PerPeso})
		}
		for _, per := range bases {
			w := loyalty.Earn{Unit: u, Per: per, Amount: d.n(1, 4)}
			if per == loyalty.PerUnit || per == loyalty.PerPeso {
				w.Each = pick[int64](d, 0, 0, 1, 2, 3, 7, 10)
			}
			t.Earn = append(t.Earn, w)
		}
	}
	t.Rounding, t.Stacking = pick(d, loyalty.RoundDown, loyalty.RoundNearest, loyalty.RoundUp), pick(d, loyalty.StackBest, loyalty.StackAll)
	if d.chance(3) {
		t.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{
			{Name: "plata", Purchases: d.n(0, 2), Spend: 5000, Percent: pick[int64](d, 0, 100, 150)},
			{Name: "oro", Purchases: d.n(3, 4), Earned: d.n(0, 30), Percent: 200},
		}}
	}
	for range d.n(0, 3) {
		t.Boosts = append(t.Boosts, d.boost(t))
	}
	for i := range d.n(0, 4) {
		t.Limits = append(t.Limits, d.limit(t, fmt.Sprint("l", i)))
	}
	t.Priority, t.Exclusive = d.n(0, 2), d.chance(4)
	t.MinSpend = maybe(d, 5, func() loyalty.Cents { return loyalty.Cents(d.n(1, 5000)) })
	t.MinQuantity = maybe(d, 5, func() int64 { return d.n(1, 4) })
	t.CooldownMinutes = maybe(d, 5, func() int64 { return pick[int64](d, 30, 600) })
	t.Budget = maybe(d, 4, func() *loyalty.Budget { return &loyalty.Budget{Stamps: d.n(0, 20), Points: d.n(0, 90)} })
	t.Pending = maybe(d, 4, func() *loyalty.Pending { return &loyalty.Pending{Hours: 24} })
	t.Audience.Segments = maybe(d, 6, func() []loyalty.ID { return []loyalty.ID{"g1"} })
	if d.chance(8) {
		t.Audience.TierOf, t.Audience.MinTier = "elsewhere", "oro"
	}
	return c
}

func (d dice) boost(t *loyalty.Terms) (b loyalty.Boost) {
	if b.Percent = pick[int64](d, 0, 125, 150, 200, 300, 1000); b.Percent == 0 || d.chance(4) {
		b.Bonus = d.n(1, 5)
	}
	if d.chance(3) {
		b.Unit = pick(d, t.Scheme.Units()...)
	}
	w := &b.When
	switch d.n(0, 9) {
	case 0, 1:
		w.Products = []loyalty.ID{pick(d, agua, cola)}
	case 2:
		w.Brands = []loyalty.ID{"b-clara"}
	case 3, 4:
		w.Weekdays = some(d, time.Sunday, time.Monday, time.Tuesday)
	case 5, 6:
		w.From = pick(d, "", "08:00", "10:30", "22:00")
		w.To = pick(d, "", "02:15", "09:00", "23:00")
		w.Weekdays = maybe(d, 2, func() []time.Weekday { return []time.Weekday{time.Monday} })
	case 7:
		w.First = true
	case 8:
		w.Birthday = true
	default:
		if t.Tiers != nil {
			w.MinTier = pick(d, "plata", "oro")
		}
	}
	return b
}

func (d dice) limit(t *loyalty.Terms, id string) loyalty.Limit {
	l := loyalty.Limit{ID: id, Max: d.n(1, 12), PerShop: d.chance(3)}
	l.Period = pick(d, loyalty.EachPurchase, loyalty.EachHour, loyalty.EachDay, loyalty.EachWeek, loyalty.EachMonth, loyalty.Lifetime)
	switch d.n(0, 5) {
	case 0:
		l.Counts, l.Max = loyalty.CountPurchases, d.n(1, 3)
	case 1:
		l.Counts, l.Max, l.PerShop, l.AllCards = loyalty.CountPurchases, d.n(1, 3), true, true
		l.Period = pick(d, loyalty.EachHour, loyalty.EachDay)
	case 2:
		l.Products = []loyalty.ID{pick(d, agua, cola)}
	case 3:
		l.Brands = []loyalty.ID{"b-clara"}
	}
	if l.Counts == loyalty.CountEarned && d.chance(2) {
		l.Unit = pick(d, t.Scheme.Units()...)
	}
	return l
}

// days have the ends of a week, of a month and of February among them.
var days = []string{"2026-02-28", "2026-03-01", "2026-03-09", "2026-03-09", "2026-03-10", "2026-03-15", "2026-03-31", "2026-04-01"}

var shops = map[loyalty.ID]*time.Location{"s1": mexico, "s2": loyalty.Zone("America/Tijuana"), "s3": mexico}

func (d dice) sale() loyalty.Sale {
	shop := pick[loyalty.ID](d, "s1", "s1", "s2", "s3")
	day, _ := time.ParseInLocation(time.DateOnly, pick(d, days...), shops[shop])
	holds := d.chance(2)
	s := loyalty.Sale{
		At: day.Add(time.Duration(d.n(0, 24*4-1)) * 15 * time.Minute), Zone: shops[shop], Shop: shop, Typed: d.chance(3),
		Birthday: pick(d, "", "1990-03-09", "02-29"), Segments: some[loyalty.ID](d, "g1", "g2"),
		Holds: func(loyalty.ID, string) bool { return holds },
	}
	for range d.n(1, 4) {
		s.Lines = append(s.Lines, line(pick(d, agua, cola, cola, jugo, rival), pick[int64](d, 1, 1, 2, 3, 20), pick[loyalty.Cents](d, 0, 333, 500, 1899, 10000)))
	}
	return s
}

// world does with the engine what the store does, and has the naive model next
// to it.
type world struct {
	dice
	campaigns   []*loyalty.Campaign
	model       naive
	enrollments map[string]*enrollment
	quotas      map[loyalty.ID]map[string]int64 // used
	purchases   []*recorded
}

type enrollment struct {
	standing   loyalty.Standing
	lastEarned time.Time
}

// recorded is a purchase as it is kept.
type recorded struct {
	consumer string
	sale     loyalty.Sale // with the lines that stand
	judged   []*loyalty.Campaign
	bases    map[loyalty.ID]loyalty.Basis
	given    map[loyalty.ID]map[loyalty.Unit]int64
	waiting  []loyalty.Judgement
}

func newWorld(d dice) *world {
	w := &world{dice: d, enrollments: map[string]*enrollment{}, quotas: map[loyalty.ID]map[string]int64{}}
	for i := range d.n(1, 3) {
		w.campaigns = append(w.campaigns, d.campaign(int(i)))
		w.quotas[w.campaigns[i].ID] = map[string]int64{}
	}
	return w
}

func enrollmentKey(consumer string, c *loyalty.Campaign, shop loyalty.ID) string {
	if !c.PerShop {
		shop = ""
	}
	return fmt.Sprint(consumer, "/", c.ID, "/", shop)
}

// asked says who asked to take part where that is necessary: one of them did not.
func asked(consumer string) bool { return consumer != "ana" }

func (w *world) candidate(consumer string, c *loyalty.Campaign, sale *loyalty.Sale) loyalty.Candidate {
	candidate := loyalty.Candidate{Campaign: c, Enrolled: asked(consumer), Left: map[string]int64{}}
	if e := w.enrollments[enrollmentKey(consumer, c, sale.Shop)]; e != nil {
		candidate.Standing, candidate.LastEarned = e.standing, e.lastEarned
	}
	used := w.quotas[c.ID]
	for _, name := range c.SharedLimits(sale) {
		candidate.Left[name] = c.SharedLimit(name) - used[name]
	}
	if c.Budget != nil && c.Budget.Stamps > 0 {
		candidate.Left[loyalty.QuotaStamps] = c.Budget.Stamps - used[loyalty.QuotaStamps]
	}
	if c.Budget != nil && c.Budget.Points > 0 {
		candidate.Left[loyalty.QuotaPoints] = c.Budget.Points - used[loyalty.QuotaPoints]
	}
	return candidate
}

// buy records a random purchase.
func (w *world) buy() { w.record(pick(w.dice, "ana", "beto"), w.sale()) }

func (w *world) record(consumer string, sale loyalty.Sale) {
	w.purchases = append(w.purchases, &recorded{
		consumer: consumer, sale: sale,
		bases: map[loyalty.ID]loyalty.Basis{}, given: map[loyalty.ID]map[loyalty.Unit]int64{},
	})
	w.evaluate(len(w.purchases)-1, w.campaigns, nil)
}

// confirm settles a purchase that waits, if there is one.
func (w *world) confirm() {
	for n, r := range w.purchases {
		if len(r.waiting) > 0 {
			r.sale.Typed = false
			var campaigns []*loyalty.Campaign
			out := map[loyalty.ID][]loyalty.ID{}
			for _, j := range r.waiting {
				campaigns = append(campaigns, j.Campaign)
				out[j.Campaign.ID] = j.Out
			}
			r.waiting = nil
			w.evaluate(n, campaigns, out)
			return
		}
	}
}

// evaluate judges a purchase both ways, compares, and keeps what came of it.
func (w *world) evaluate(n int, campaigns []*loyalty.Campaign, out map[loyalty.ID][]loyalty.ID) {
	r := w.purchases[n]
	candidates := make([]loyalty.Candidate, len(campaigns))
	for i, c := range campaigns {
		candidates[i] = w.candidate(r.consumer, c, &r.sale)
		candidates[i].Out = out[c.ID]
	}
	got := loyalty.Evaluate(candidates, &r.sale)
	want := w.model.evaluate(r.consumer, campaigns, func(*loyalty.Campaign) bool { return asked(r.consumer) }, &r.sale, out)
	require.Len(w, got, len(want))
	for i := range want {
		j, m := &got[i], &want[i]
		c := j.Campaign
		require.Equal(w, m.campaign.ID, c.ID)
		require.Equal(w, [...]any{m.amount(loyalty.Stamp), m.amount(loyalty.Point), m.why, m.waits}, [...]any{j.Stamps, j.Points, j.Why, j.Pending}, c.ID)
		switch {
		case j.Pending:
			r.waiting = append(r.waiting, *j)
		case j.Earned():
			at := slices.IndexFunc(candidates, func(x loyalty.Candidate) bool { return x.Campaign == c })
			r.judged = append(r.judged, c)
			r.bases[c.ID] = stored(w, loyalty.NewBasis(&candidates[at], &r.sale, j))
			r.given[c.ID] = map[loyalty.Unit]int64{loyalty.Stamp: j.Stamps, loyalty.Point: j.Points}
			for _, take := range j.Takes {
				w.quotas[c.ID][take.Name] += take.Amount
			}
			key := enrollmentKey(r.consumer, c, r.sale.Shop)
			e := &enrollment{standing: stored(w, j.Standing), lastEarned: r.sale.At}
			if old := w.enrollments[key]; old != nil && old.lastEarned.After(e.lastEarned) {
				e.lastEarned = old.lastEarned
			}
			w.enrollments[key] = e
		}
	}
	for i := range want {
		if want[i].earned() && !want[i].waits {
			w.model.took(n, r.consumer, &r.sale, &want[i])
		}
	}
	w.check()
}

// stored is a value after it was in the database.
func stored[T any](t require.TestingT, v T) (back T) {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &back))
	return back
}

// giveBack returns some of a purchase, perhaps all that is left of it.
func (w *world) giveBack() {
	if len(w.purchases) == 0 {
		return
	}
	n := int(w.n(0, int64(len(w.purchases)-1)))
	w.leave(n, w.less(w.purchases[n].sale.Lines))
}

// less is a random part of lines.
func (d dice) less(lines []loyalty.Line) (left []loyalty.Line) {
	if d.chance(3) {
		return nil
	}
	for _, l := range lines {
		if l.Quantity = d.n(0, l.Quantity); l.Quantity > 0 {
			left = append(left, l)
		}
	}
	return left
}

// leave takes back what a purchase gave for all but the remaining lines.
func (w *world) leave(n int, remaining []loyalty.Line) {
	r := w.purchases[n]
	returns := loyalty.TakeBack(r.judged, r.bases, r.given, &r.sale, remaining)
	want := w.model.returned(n, remaining)
	require.Len(w, returns, len(want))
	for i := range returns {
		back := &returns[i]
		c := back.Campaign
		require.Equal(w, [...]int64{want[c.ID][loyalty.Stamp], want[c.ID][loyalty.Point]}, [...]int64{back.Stamps, back.Points}, c.ID)
		for _, u := range c.Scheme.Units() {
			r.given[c.ID][u] -= back.Amount(u)
		}
		require.Equal(w, r.given[c.ID][loyalty.Stamp]+r.given[c.ID][loyalty.Point] == 0, back.Gone)
		for _, take := range back.Quotas {
			w.quotas[c.ID][take.Name] -= take.Amount
		}
		e := w.enrollments[enrollmentKey(r.consumer, c, r.sale.Shop)]
		e.standing = stored(w, e.standing.Without(back, c.Tiers, &r.sale))
	}
	r.sale.Lines = remaining
	if len(remaining) == 0 {
		r.waiting = nil
	}
	w.check()
}

// revise gives a campaign a new version.
func (w *world) revise() {
	i := w.n(0, int64(len(w.campaigns)-1))
	c := *w.campaigns[i]
	c.Version++
	c.Limits, c.Earn = slices.Clone(c.Limits), slices.Clone(c.Earn)
	for i := range c.Limits {
		c.Limits[i].Max = w.n(1, 12)
	}
	for i := range c.Earn {
		c.Earn[i].Amount = w.n(1, 4)
	}
	w.campaigns[i] = &c
}

// check compares what is kept with the whole history.
func (w *world) check() {
	for key, e := range w.enrollments {
		var count int64
		for i := range w.model.history {
			if h := &w.model.history[i]; !h.gone() && enrollmentKey(h.consumer, h.campaign, h.sale.Shop) == key {
				count++
			}
		}
		require.Equal(w, count, e.standing.Purchases, key)
		for name, n := range e.standing.Counters.All() {
			require.Positive(w, n, name)
		}
	}
	for id, quotas := range w.quotas {
		for name, n := range quotas {
			require.GreaterOrEqual(w, n, int64(0), "%s %s", id, name)
		}
	}
}

// live does something random, several times.
func (w *world) live() {
	for range w.n(1, 14) {
		switch w.n(0, 9) {
		case 0, 1:
			w.giveBack()
		case 2:
			w.confirm()
		case 3:
			w.revise()
		default:
			w.buy()
		}
	}
}
