package loyalty_test

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// monday is 10:00 of Monday, 9 March 2026, in Mexico City.
var (
	mexico = loyalty.Zone(loyalty.DefaultTimeZone)
	monday = time.Date(2026, 3, 9, 10, 0, 0, 0, mexico)
)

const (
	cola  = loyalty.ID("p-cola")
	agua  = loyalty.ID("p-agua")
	jugo  = loyalty.ID("p-jugo")
	rival = loyalty.ID("p-rival")
)

// brandsOf says which brand makes which product, and which CPG owns the brand.
var brandsOf = map[loyalty.ID][2]loyalty.ID{
	cola: {"b-negra", "cpg"}, agua: {"b-clara", "cpg"}, jugo: {"b-clara", "cpg"}, rival: {"b-rival", "other"},
}

func line(product loyalty.ID, quantity int64, price loyalty.Cents) loyalty.Line {
	return loyalty.Line{Product: product, Brand: brandsOf[product][0], CPG: brandsOf[product][1], Quantity: quantity, UnitPrice: price}
}

// one is a candidate with a stamp for each unit of all products, and a sale of
// two colas of 15 pesos.
func one(change func(*loyalty.Candidate, *loyalty.Sale)) (loyalty.Candidate, *loyalty.Sale) {
	c := loyalty.Candidate{Campaign: &loyalty.Campaign{
		ID: "c", CPG: "cpg", Status: loyalty.Active, Version: 1,
		Terms: loyalty.Terms{
			Scheme: loyalty.Stamps, Enrolment: loyalty.Automatic, Goal: 10, AllProducts: true,
			StartsAt: monday.AddDate(-1, 0, 0), Earn: earning(loyalty.Stamp, loyalty.PerUnit, 1, 0),
		},
	}}
	s := &loyalty.Sale{At: monday, Zone: mexico, Shop: "s1", Lines: []loyalty.Line{line(cola, 2, 1500)}}
	if change != nil {
		change(&c, s)
	}
	return c, s
}

func earning(u loyalty.Unit, per loyalty.EarnBasis, amount, each int64) []loyalty.Earn {
	return []loyalty.Earn{{Unit: u, Per: per, Amount: amount, Each: each}}
}

type changes = func(*loyalty.Candidate, *loyalty.Sale)

// terms is a change of the terms only.
func terms(change func(*loyalty.Terms)) changes {
	return func(c *loyalty.Candidate, _ *loyalty.Sale) { change(&c.Campaign.Terms) }
}

// boosted has the boosts, and what else is changed.
func boosted(more changes, boosts ...loyalty.Boost) changes {
	return func(c *loyalty.Candidate, s *loyalty.Sale) {
		c.Campaign.Boosts = boosts
		if more != nil {
			more(c, s)
		}
	}
}

// limited has 50 colas to clip, the limits, and what was counted before.
func limited(counted map[string]int64, limits ...loyalty.Limit) changes {
	return func(c *loyalty.Candidate, s *loyalty.Sale) {
		c.Campaign.Limits, c.Standing.Counters = limits, counters(counted)
		s.Lines = []loyalty.Line{line(cola, 50, 1500)}
	}
}

func counters(counted map[string]int64) (c loyalty.Counters) {
	for name, n := range counted {
		c = c.Plus(name, n)
	}
	return c
}

func all(of ...changes) changes {
	return func(c *loyalty.Candidate, s *loyalty.Sale) {
		for _, change := range of {
			change(c, s)
		}
	}
}

func at(t time.Time) changes { return func(_ *loyalty.Candidate, s *loyalty.Sale) { s.At = t } }

func sells(lines ...loyalty.Line) changes {
	return func(_ *loyalty.Candidate, s *loyalty.Sale) { s.Lines = lines }
}

func byPeso(each int64, rounding loyalty.Rounding) changes {
	return terms(func(t *loyalty.Terms) {
		t.Scheme, t.Rounding, t.Earn = loyalty.Points, rounding, earning(loyalty.Point, loyalty.PerPeso, 1, each)
	})
}

func tiered(level string) changes {
	return func(c *loyalty.Candidate, _ *loyalty.Sale) {
		c.Campaign.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{
			{Name: "plata", Purchases: 5}, {Name: "oro", Purchases: 9, Percent: 200},
		}}
		c.Standing.Tier.Level = level
	}
}

var everything = loyalty.When{}

func TestEvaluate(t *testing.T) {
	none := loyalty.Judgement{}
	stamps := func(n int64) loyalty.Judgement { return loyalty.Judgement{Stamps: n} }
	points := func(n int64) loyalty.Judgement { return loyalty.Judgement{Points: n} }
	refused := func(why loyalty.Why) loyalty.Judgement { return loyalty.Judgement{Why: why} }
	clipped := func(n int64) loyalty.Judgement { return loyalty.Judgement{Stamps: n, Why: loyalty.WhyLimit} }
	apart := []loyalty.Line{line(cola, 1, 1500), line(agua, 1, 1500)}
	double := func(w loyalty.When) loyalty.Boost { return loyalty.Boost{Percent: 200, When: w} }
	night := loyalty.When{Weekdays: []time.Weekday{time.Monday}, From: "22:00", To: "02:00"}
	oneAnHour := loyalty.Limit{ID: "v", Counts: loyalty.CountPurchases, Max: 1, Period: loyalty.EachHour, PerShop: true, AllCards: true}
	budget := func(left map[string]int64) changes {
		return func(c *loyalty.Candidate, _ *loyalty.Sale) { c.Left = left }
	}
	visits := terms(func(t *loyalty.Terms) { t.Earn = earning(loyalty.Stamp, loyalty.PerVisit, 3, 0) })
	typed := func(c *loyalty.Candidate, s *loyalty.Sale) { c.Campaign.Pending, s.Typed = &loyalty.Pending{}, true }
	born := func(birthday string, day time.Time) changes {
		return boosted(func(_ *loyalty.Candidate, s *loyalty.Sale) { s.Birthday, s.At = birthday, day }, double(loyalty.When{Birthday: true}))
	}
	march := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, mexico) }
	cooled := func(last time.Duration) changes {
		return func(c *loyalty.Candidate, _ *loyalty.Sale) {
			c.Campaign.CooldownMinutes, c.LastEarned = 30, monday.Add(last)
		}
	}

	for name, c := range map[string]struct {
		change changes
		want   loyalty.Judgement // its amounts, Why and Pending
	}{
		"stamps by unit":                         {nil, stamps(2)},
		"stamps by unit, several for each":       {terms(func(t *loyalty.Terms) { t.Earn[0].Amount = 4 }), stamps(8)},
		"a stamp for every 3 units of all lines": {all(terms(func(t *loyalty.Terms) { t.Earn[0].Each = 3 }), sells(line(cola, 4, 1), line(agua, 3, 1))), stamps(2)},
		"a stamp a purchase":                     {terms(func(t *loyalty.Terms) { t.Earn = earning(loyalty.Stamp, loyalty.PerPurchase, 1, 0) }), stamps(1)},
		"the first visit of a day":               {visits, stamps(3)},
		"the second visit of a day":              {all(visits, limited(map[string]int64{"visit:s1:2026-03-09": 1})), none},
		"the day's first visit at another shop":  {all(visits, limited(map[string]int64{"visit:s2:2026-03-09": 1})), stamps(3)},
		"the first visit of another day":         {all(visits, limited(map[string]int64{"visit:s1:2026-03-08": 1})), stamps(3)},
		"points by unit": {terms(func(t *loyalty.Terms) {
			t.Scheme, t.Earn = loyalty.Points, earning(loyalty.Point, loyalty.PerUnit, 5, 0)
		}), points(10)},
		"points by peso":                               {byPeso(0, ""), points(30)},
		"a point for every 10 pesos":                   {byPeso(10, ""), points(3)},
		"what is free of charge has no points by peso": {all(byPeso(0, ""), sells(line(cola, 9, 0))), none},
		"both": {terms(func(t *loyalty.Terms) {
			t.Scheme, t.Earn = loyalty.Both, append(t.Earn, earning(loyalty.Point, loyalty.PerPeso, 1, 0)...)
		}), loyalty.Judgement{Stamps: 2, Points: 30}},
		"several ways of earning are added":             {terms(func(t *loyalty.Terms) { t.Earn = append(t.Earn, earning(loyalty.Stamp, loyalty.PerPurchase, 5, 0)...) }), stamps(7)},
		"rounded down":                                  {all(byPeso(4, ""), sells(line(cola, 1, 1499))), points(3)},
		"rounded to the nearest, below half":            {all(byPeso(10, loyalty.RoundNearest), sells(line(cola, 1, 1499))), points(1)},
		"rounded to the nearest, half":                  {all(byPeso(10, loyalty.RoundNearest), sells(line(cola, 1, 1500))), points(2)},
		"rounded up":                                    {all(byPeso(10, loyalty.RoundUp), sells(line(cola, 1, 1001))), points(2)},
		"nothing to round up":                           {all(byPeso(10, loyalty.RoundUp), sells(line(cola, 1, 1000))), points(1)},
		"lines are rounded together":                    {all(byPeso(10, ""), sells(line(cola, 1, 500), line(agua, 1, 500), line(jugo, 1, 500))), points(1)},
		"rounded after boosts":                          {all(byPeso(10, ""), boosted(sells(line(cola, 1, 500)), double(everything))), points(1)},
		"ways of earning are rounded together":          {all(byPeso(2, ""), terms(func(t *loyalty.Terms) { t.Earn = append(t.Earn, earning(loyalty.Point, loyalty.PerUnit, 1, 2)...) }), sells(line(cola, 1, 100))), points(1)},
		"fractions of different denominators":           {all(byPeso(3, ""), terms(func(t *loyalty.Terms) { t.Earn = append(t.Earn, earning(loyalty.Point, loyalty.PerUnit, 1, 6)...) }), sells(line(cola, 2, 100))), points(1)},
		"a boost of everything":                         {boosted(nil, double(everything)), stamps(4)},
		"a boost also of what is earned by purchase":    {all(terms(func(t *loyalty.Terms) { t.Earn = earning(loyalty.Stamp, loyalty.PerPurchase, 1, 0) }), boosted(nil, double(everything))), stamps(2)},
		"a boost of products is not of the purchase":    {all(terms(func(t *loyalty.Terms) { t.Earn = earning(loyalty.Stamp, loyalty.PerPurchase, 1, 0) }), boosted(nil, double(loyalty.When{Products: []loyalty.ID{cola}}))), stamps(1)},
		"100 percent changes nothing":                   {boosted(nil, loyalty.Boost{Percent: 100}), stamps(2)},
		"a boost of a product":                          {boosted(sells(apart...), double(loyalty.When{Products: []loyalty.ID{agua}})), stamps(3)},
		"a boost of a brand":                            {boosted(sells(line(cola, 1, 1), line(agua, 1, 1), line(jugo, 1, 1)), double(loyalty.When{Brands: []loyalty.ID{"b-clara"}})), stamps(5)},
		"a boost of the other unit":                     {boosted(nil, loyalty.Boost{Percent: 300, Unit: loyalty.Point}), stamps(2)},
		"a bonus":                                       {boosted(sells(apart...), loyalty.Boost{Bonus: 5}), stamps(7)},
		"a bonus for a product":                         {boosted(nil, loyalty.Boost{Bonus: 5, When: loyalty.When{Products: []loyalty.ID{cola}}}), stamps(7)},
		"a bonus for a product that was not bought":     {boosted(nil, loyalty.Boost{Bonus: 5, When: loyalty.When{Products: []loyalty.ID{agua}}}), stamps(2)},
		"a bonus where the rules alone give nothing":    {all(byPeso(1000, ""), boosted(nil, loyalty.Boost{Bonus: 5})), points(5)},
		"a bonus is not multiplied":                     {boosted(nil, loyalty.Boost{Bonus: 5, Percent: 200}), stamps(9)},
		"a bonus of the other unit":                     {all(terms(func(t *loyalty.Terms) { t.Scheme = loyalty.Both }), boosted(nil, loyalty.Boost{Bonus: 5, Unit: loyalty.Point})), loyalty.Judgement{Stamps: 2, Points: 5}},
		"a weekday":                                     {boosted(nil, double(loyalty.When{Weekdays: []time.Weekday{time.Monday}})), stamps(4)},
		"another weekday":                               {boosted(nil, double(loyalty.When{Weekdays: []time.Weekday{time.Sunday}})), stamps(2)},
		"the weekday is the shop's":                     {boosted(at(march(9, 23, 30)), double(loyalty.When{Weekdays: []time.Weekday{time.Monday}})), stamps(4)},
		"in the hours":                                  {boosted(nil, double(loyalty.When{From: "10:00", To: "11:00"})), stamps(4)},
		"before the hours":                              {boosted(nil, double(loyalty.When{From: "10:01", To: "11:00"})), stamps(2)},
		"at the end of the hours":                       {boosted(nil, double(loyalty.When{From: "09:00", To: "10:00"})), stamps(2)},
		"from an hour until midnight":                   {boosted(at(march(9, 23, 59)), double(loyalty.When{From: "20:00"})), stamps(4)},
		"until an hour":                                 {boosted(at(march(9, 0, 0)), double(loyalty.When{To: "08:00"})), stamps(4)},
		"past midnight, before it":                      {boosted(at(march(9, 23, 0)), double(night)), stamps(4)},
		"past midnight, after it":                       {boosted(at(march(10, 1, 59)), double(night)), stamps(4)},
		"past midnight, its end":                        {boosted(at(march(10, 2, 0)), double(night)), stamps(2)},
		"past midnight, of the day before":              {boosted(at(march(9, 1, 0)), double(night)), stamps(2)},
		"past midnight, between":                        {boosted(nil, double(night)), stamps(2)},
		"the first purchase":                            {boosted(nil, double(loyalty.When{First: true})), stamps(4)},
		"not the first purchase":                        {boosted(func(c *loyalty.Candidate, _ *loyalty.Sale) { c.Standing.Purchases = 1 }, double(loyalty.When{First: true})), stamps(2)},
		"the birthday":                                  {born("1990-03-09", monday), stamps(4)},
		"the birthday without a year":                   {born("03-09", monday), stamps(4)},
		"the birthday is over at the shop's midnight":   {born("1990-03-09", march(10, 0, 0)), stamps(2)},
		"the birthday is the shop's day":                {born("1990-03-09", march(9, 23, 30)), stamps(4)},
		"no birthday is known":                          {born("", monday), stamps(2)},
		"born on 29 February, on 28 of another year":    {born("2000-02-29", time.Date(2026, 2, 28, 10, 0, 0, 0, mexico)), stamps(4)},
		"born on 29 February, not on 1 March":           {born("2000-02-29", time.Date(2026, 3, 1, 10, 0, 0, 0, mexico)), stamps(2)},
		"born on 29 February, on 29 of a leap year":     {born("2000-02-29", time.Date(2028, 2, 29, 10, 0, 0, 0, mexico)), stamps(4)},
		"born on 29 February, not on 28 of a leap year": {born("2000-02-29", time.Date(2028, 2, 28, 10, 0, 0, 0, mexico)), stamps(2)},
		"born on 29 February, not on 31 January":        {born("2000-02-29", time.Date(2026, 1, 31, 10, 0, 0, 0, mexico)), stamps(2)},
		"below the tier that a boost asks for":          {all(tiered(""), boosted(nil, double(loyalty.When{MinTier: "plata"}))), stamps(2)},
		"the tier that a boost asks for":                {all(tiered("plata"), boosted(nil, double(loyalty.When{MinTier: "plata"}))), stamps(4)},
		"above the tier that a boost asks for":          {all(tiered("oro"), boosted(nil, loyalty.Boost{Percent: 300, When: loyalty.When{MinTier: "plata"}})), stamps(6)},
		"a tier that there is not":                      {all(tiered("plata"), boosted(nil, double(loyalty.When{MinTier: "cobre"}))), stamps(2)},
		"a tier of a campaign that has none":            {boosted(nil, double(loyalty.When{MinTier: "plata"})), stamps(2)},
		"every condition must hold":                     {boosted(nil, double(loyalty.When{First: true, Birthday: true})), stamps(2)},
		"what a tier brings":                            {tiered("oro"), stamps(4)},
		"the best percent is taken":                     {boosted(nil, double(everything), loyalty.Boost{Percent: 300}), stamps(6)},
		"the best percent of each line":                 {boosted(sells(apart...), double(everything), loyalty.Boost{Percent: 300, When: loyalty.When{Products: []loyalty.ID{cola}}}), stamps(5)},
		"the best bonus is taken":                       {boosted(nil, loyalty.Boost{Bonus: 3}, loyalty.Boost{Bonus: 5}), stamps(7)},
		"all percents are added":                        {all(terms(func(t *loyalty.Terms) { t.Stacking = loyalty.StackAll }), boosted(nil, double(everything), loyalty.Boost{Percent: 300})), stamps(8)},
		"all bonuses are added":                         {all(terms(func(t *loyalty.Terms) { t.Stacking = loyalty.StackAll }), boosted(nil, loyalty.Boost{Bonus: 3}, loyalty.Boost{Bonus: 5})), stamps(10)},
		"a tier's percent is one of them":               {all(tiered("oro"), terms(func(t *loyalty.Terms) { t.Stacking = loyalty.StackAll }), boosted(nil, loyalty.Boost{Percent: 300})), stamps(8)},
		"together they make at most ten":                {all(terms(func(t *loyalty.Terms) { t.Stacking = loyalty.StackAll }), boosted(nil, loyalty.Boost{Percent: 900}, loyalty.Boost{Percent: 800})), stamps(20)},

		"a limit a purchase (P7)":       {limited(nil, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachPurchase}), clipped(3)},
		"a limit that is not reached":   {limited(nil, loyalty.Limit{ID: "l", Max: 50, Period: loyalty.EachPurchase}), stamps(50)},
		"a limit an hour":               {limited(map[string]int64{"l:2026-03-09T10": 2}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachHour}), clipped(1)},
		"a limit a day":                 {limited(map[string]int64{"l:2026-03-09": 2}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachDay}), clipped(1)},
		"a limit a day, of another day": {limited(map[string]int64{"l:2026-03-08": 2}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachDay}), clipped(3)},
		"a limit a week":                {limited(map[string]int64{"l:2026-W03-09": 2}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachWeek}), clipped(1)},
		"a limit a month":               {limited(map[string]int64{"l:2026-03": 2}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachMonth}), clipped(1)},
		"a limit for ever":              {limited(map[string]int64{"l:": 2}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.Lifetime}), clipped(1)},
		"a limit that is used up":       {limited(map[string]int64{"l:": 3}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.Lifetime}), refused(loyalty.WhyLimit)},
		"a limit that was lowered":      {limited(map[string]int64{"l:": 9}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.Lifetime}), refused(loyalty.WhyLimit)},
		"each shop has its own":         {limited(map[string]int64{"l:s1:": 2, "l:s2:": 3}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.Lifetime, PerShop: true}), clipped(1)},
		"the narrower of two limits":    {limited(map[string]int64{"b:": 7}, loyalty.Limit{ID: "a", Max: 5, Period: loyalty.EachPurchase}, loyalty.Limit{ID: "b", Max: 10, Period: loyalty.Lifetime}), clipped(3)},
		"a limit of the other unit": {all(limited(nil, loyalty.Limit{ID: "l", Unit: loyalty.Point, Max: 9, Period: loyalty.EachPurchase}), terms(func(t *loyalty.Terms) {
			t.Scheme, t.Earn = loyalty.Both, append(t.Earn, earning(loyalty.Point, loyalty.PerUnit, 1, 0)...)
		})), loyalty.Judgement{Stamps: 50, Points: 9, Why: loyalty.WhyLimit}},
		"a limit of a product":                       {all(limited(nil, loyalty.Limit{ID: "l", Max: 1, Period: loyalty.EachPurchase, Products: []loyalty.ID{cola}}), sells(line(cola, 4, 1), line(agua, 4, 1))), clipped(5)},
		"a limit of a brand":                         {all(limited(nil, loyalty.Limit{ID: "l", Max: 5, Period: loyalty.EachPurchase, Brands: []loyalty.ID{"b-clara"}}), sells(line(cola, 4, 1), line(agua, 4, 1), line(jugo, 4, 1))), clipped(9)},
		"a limit of a product leaves room in others": {all(limited(nil, loyalty.Limit{ID: "a", Max: 5, Period: loyalty.EachPurchase}, loyalty.Limit{ID: "b", Max: 2, Period: loyalty.EachPurchase, Products: []loyalty.ID{cola}}), sells(line(cola, 5, 1), line(agua, 5, 1))), clipped(5)},
		"a bonus belongs to no product":              {all(limited(nil, loyalty.Limit{ID: "l", Max: 1, Period: loyalty.EachPurchase, Products: []loyalty.ID{cola}}), boosted(nil, loyalty.Boost{Bonus: 7})), clipped(8)},
		"purchases that earned":                      {limited(map[string]int64{"l:2026-03-09": 1}, loyalty.Limit{ID: "l", Counts: loyalty.CountPurchases, Max: 2, Period: loyalty.EachDay}), stamps(50)},
		"as many purchases as there may be":          {limited(map[string]int64{"l:2026-03-09": 2}, loyalty.Limit{ID: "l", Counts: loyalty.CountPurchases, Max: 2, Period: loyalty.EachDay}), refused(loyalty.WhyLimit)},
		"one purchase is one purchase":               {limited(map[string]int64{"l:": 5}, loyalty.Limit{ID: "l", Counts: loyalty.CountPurchases, Max: 1, Period: loyalty.EachPurchase}), stamps(50)},
		"all cards, some left":                       {all(limited(nil, oneAnHour), budget(map[string]int64{"v:s1:2026-03-09T10": 1})), stamps(50)},
		"all cards, nothing left":                    {all(limited(nil, oneAnHour), budget(map[string]int64{"v:s1:2026-03-09T10": 0})), refused(loyalty.WhyLimit)},
		"all cards, of another hour":                 {all(limited(nil, oneAnHour), budget(map[string]int64{"v:s1:2026-03-09T09": 0})), stamps(50)},
		"half past eleven of Mexico is that day (P8)": {all(limited(map[string]int64{"l:2026-03-09": 3}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachDay}),
			at(time.Date(2026, 3, 10, 5, 30, 0, 0, time.UTC))), refused(loyalty.WhyLimit)},
		"Sunday night is the week that ends (P8)": {all(limited(map[string]int64{"l:2026-W03-09": 3}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachWeek}),
			at(time.Date(2026, 3, 16, 5, 30, 0, 0, time.UTC))), refused(loyalty.WhyLimit)},
		"a week may begin in the month before": {all(limited(map[string]int64{"l:2026-W03-30": 3}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachWeek}),
			at(time.Date(2026, 4, 1, 9, 0, 0, 0, mexico))), refused(loyalty.WhyLimit)},
		"the month's last night (P8)": {all(limited(map[string]int64{"l:2026-03": 3}, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachMonth}),
			at(time.Date(2026, 4, 1, 5, 30, 0, 0, time.UTC))), refused(loyalty.WhyLimit)},

		"enough is spent":                        {terms(func(t *loyalty.Terms) { t.MinSpend = 3000 }), stamps(2)},
		"too little is spent":                    {terms(func(t *loyalty.Terms) { t.MinSpend = 3001 }), refused(loyalty.WhyMinimum)},
		"only PLIs count for what is spent":      {all(terms(func(t *loyalty.Terms) { t.MinSpend = 3001 }), sells(line(cola, 2, 1500), line(rival, 2, 1500))), refused(loyalty.WhyMinimum)},
		"enough is bought":                       {terms(func(t *loyalty.Terms) { t.MinQuantity = 2 }), stamps(2)},
		"too little is bought":                   {terms(func(t *loyalty.Terms) { t.MinQuantity = 3 }), refused(loyalty.WhyMinimum)},
		"too soon":                               {cooled(-30*time.Minute + time.Second), refused(loyalty.WhyCooldown)},
		"late enough":                            {cooled(-30 * time.Minute), stamps(2)},
		"a late sale, just before the last":      {cooled(29 * time.Minute), refused(loyalty.WhyCooldown)},
		"a late sale, long before the last":      {cooled(30 * time.Minute), stamps(2)},
		"never earned before":                    {terms(func(t *loyalty.Terms) { t.CooldownMinutes = 30 }), stamps(2)},
		"the budget clips":                       {budget(map[string]int64{loyalty.QuotaStamps: 1}), loyalty.Judgement{Stamps: 1, Why: loyalty.WhyBudget}},
		"the budget refuses":                     {budget(map[string]int64{loyalty.QuotaStamps: 0}), refused(loyalty.WhyBudget)},
		"the budget of the other unit":           {budget(map[string]int64{loyalty.QuotaPoints: 0, loyalty.QuotaRewards: 0}), stamps(2)},
		"the budget is told before the limit":    {all(limited(nil, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachPurchase}), budget(map[string]int64{loyalty.QuotaStamps: 2})), loyalty.Judgement{Stamps: 2, Why: loyalty.WhyBudget}},
		"the limit where the budget cut nothing": {all(limited(nil, loyalty.Limit{ID: "l", Max: 3, Period: loyalty.EachPurchase}), budget(map[string]int64{loyalty.QuotaStamps: 3})), clipped(3)},
		"in a segment": {func(c *loyalty.Candidate, s *loyalty.Sale) {
			c.Campaign.Audience.Segments, s.Segments = []loyalty.ID{"x", "y"}, []loyalty.ID{"y"}
		}, stamps(2)},
		"holds the tier that is asked for":        {func(c *loyalty.Candidate, s *loyalty.Sale) { audience(c, s, "plata") }, stamps(2)},
		"typed, and it waits":                     {typed, loyalty.Judgement{Stamps: 2, Pending: true}},
		"typed, and it need not wait":             {func(_ *loyalty.Candidate, s *loyalty.Sale) { s.Typed = true }, stamps(2)},
		"scanned":                                 {terms(func(t *loyalty.Terms) { t.Pending = new(loyalty.Pending) }), stamps(2)},
		"typed, and there is nothing to wait for": {all(typed, terms(func(t *loyalty.Terms) { t.MinQuantity = 3 })), refused(loyalty.WhyMinimum)},
		"only its own CPG's products (P6)":        {sells(line(cola, 1, 1), line(rival, 5, 1)), stamps(1)},
		"of some brands":                          {all(terms(func(t *loyalty.Terms) { t.AllProducts, t.Brands = false, []loyalty.ID{"b-clara"} }), sells(line(cola, 1, 1), line(agua, 2, 1), line(jugo, 4, 1))), stamps(6)},
		"of brands and products": {all(terms(func(t *loyalty.Terms) {
			t.AllProducts, t.Brands, t.Products = false, []loyalty.ID{"b-negra"}, []loyalty.ID{agua}
		}), sells(line(cola, 1, 1), line(agua, 2, 1), line(jugo, 4, 1))), stamps(3)},
		"less the exclusions":             {all(terms(func(t *loyalty.Terms) { t.ExcludedProducts = []loyalty.ID{agua} }), sells(line(cola, 1, 1), line(agua, 2, 1))), stamps(1)},
		"a shop's campaign, of any CPG's": {func(c *loyalty.Candidate, s *loyalty.Sale) { ownedByShop(c, s, cola, rival) }, stamps(3)},
		"the first moment":                {terms(func(t *loyalty.Terms) { t.StartsAt = monday }), stamps(2)},
		"the last moment":                 {terms(func(t *loyalty.Terms) { t.EndsAt = monday.Add(time.Microsecond) }), stamps(2)},
		"on request, and it was requested": {func(c *loyalty.Candidate, _ *loyalty.Sale) {
			c.Campaign.Enrolment, c.Enrolled = loyalty.OnRequest, true
		}, stamps(2)},
		"the same product in several lines": {sells(line(cola, 1, 1), line(cola, 2, 1)), stamps(3)},
	} {
		t.Run(name, func(t *testing.T) {
			candidate, sale := one(c.change)
			got := loyalty.Evaluate([]loyalty.Candidate{candidate}, sale)
			require.Len(t, got, 1)
			require.Equal(t, c.want, loyalty.Judgement{Stamps: got[0].Stamps, Points: got[0].Points, Why: got[0].Why, Pending: got[0].Pending})
			if !got[0].Earned() || got[0].Pending {
				require.Equal(t, candidate.Standing, got[0].Standing, "nothing changes")
				require.Empty(t, got[0].Takes)
			}
		})
	}
}

func audience(c *loyalty.Candidate, s *loyalty.Sale, holds string) {
	c.Campaign.Audience.TierOf, c.Campaign.Audience.MinTier = "other", "plata"
	s.Holds = func(campaign loyalty.ID, tier string) bool { return campaign == "other" && tier == holds }
}

func ownedByShop(c *loyalty.Candidate, s *loyalty.Sale, products ...loyalty.ID) {
	c.Campaign.CPG, c.Campaign.Owner, c.Campaign.Products = "", "s1", products
	s.Lines = []loyalty.Line{line(cola, 1, 1), line(rival, 2, 1), line(agua, 4, 1)}
}

func TestEvaluateLeavesOutWhatASaleDoesNotConcern(t *testing.T) {
	for name, change := range map[string]changes{
		"no PLI":                          sells(line(rival, 5, 1)),
		"excluded":                        terms(func(t *loyalty.Terms) { t.ExcludedProducts = []loyalty.ID{cola} }),
		"another product":                 terms(func(t *loyalty.Terms) { t.AllProducts, t.Products = false, []loyalty.ID{agua} }),
		"another CPG's product, by name":  all(terms(func(t *loyalty.Terms) { t.Products = []loyalty.ID{rival} }), sells(line(rival, 5, 1))),
		"a shop's that names no products": func(c *loyalty.Candidate, s *loyalty.Sale) { ownedByShop(c, s) },
		"before it begins":                terms(func(t *loyalty.Terms) { t.StartsAt = monday.Add(time.Microsecond) }),
		"at its end":                      terms(func(t *loyalty.Terms) { t.EndsAt = monday }),
		"a draft":                         func(c *loyalty.Candidate, _ *loyalty.Sale) { c.Campaign.Status = loyalty.Draft },
		"paused":                          func(c *loyalty.Candidate, _ *loyalty.Sale) { c.Campaign.Status = loyalty.Paused },
		"on request, and nobody asked":    terms(func(t *loyalty.Terms) { t.Enrolment = loyalty.OnRequest }),
		"in no segment":                   terms(func(t *loyalty.Terms) { t.Audience.Segments = []loyalty.ID{"x"} }),
		"below the tier":                  func(c *loyalty.Candidate, s *loyalty.Sale) { audience(c, s, "") },
		"nobody knows the tier":           terms(func(t *loyalty.Terms) { t.Audience.TierOf, t.Audience.MinTier = "other", "plata" }),
		"kept out by an exclusive one":    func(c *loyalty.Candidate, _ *loyalty.Sale) { c.Out = []loyalty.ID{cola} },
	} {
		t.Run(name, func(t *testing.T) {
			c, s := one(change)
			require.Empty(t, loyalty.Evaluate([]loyalty.Candidate{c}, s))
		})
	}
}

func TestPriorityAndExclusiveCampaigns(t *testing.T) {
	campaign := func(id loyalty.ID, priority int64, change changes) loyalty.Candidate {
		c, s := one(nil)
		c.Campaign.ID, c.Campaign.Priority = id, priority
		if change != nil {
			change(&c, s)
		}
		return c
	}
	exclusive := terms(func(t *loyalty.Terms) { t.Exclusive, t.AllProducts, t.Products = true, false, []loyalty.ID{cola} })
	_, sale := one(sells(line(cola, 2, 1), line(agua, 1, 1)))
	type gave struct {
		id     loyalty.ID
		stamps int64
	}
	for name, c := range map[string]struct {
		candidates []loyalty.Candidate
		want       []gave
	}{
		"the highest first, then by ID": {
			[]loyalty.Candidate{campaign("b", 1, nil), campaign("a", 1, nil), campaign("c", 2, nil)},
			[]gave{{"c", 3}, {"a", 3}, {"b", 3}},
		},
		"an exclusive one keeps its lines": {
			[]loyalty.Candidate{campaign("a", 1, nil), campaign("x", 2, exclusive)},
			[]gave{{"x", 2}, {"a", 1}},
		},
		"only from those after it": {
			[]loyalty.Candidate{campaign("a", 2, nil), campaign("x", 1, exclusive)},
			[]gave{{"a", 3}, {"x", 2}},
		},
		"one that gives nothing keeps nothing": {
			[]loyalty.Candidate{campaign("a", 1, nil), campaign("x", 2, all(exclusive, terms(func(t *loyalty.Terms) { t.MinQuantity = 3 })))},
			[]gave{{"x", 0}, {"a", 3}},
		},
		"two of them share the lines": {
			[]loyalty.Candidate{
				campaign("a", 1, nil), campaign("x", 3, exclusive),
				campaign("y", 2, terms(func(t *loyalty.Terms) { t.Exclusive = true })),
			},
			[]gave{{"x", 2}, {"y", 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []gave
			for _, j := range loyalty.Evaluate(c.candidates, sale) {
				got = append(got, gave{j.Campaign.ID, j.Stamps})
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestEvaluateKeepsTheStanding(t *testing.T) {
	c, s := one(func(c *loyalty.Candidate, s *loyalty.Sale) {
		c.Campaign.Earn = append(c.Campaign.Earn, loyalty.Earn{Unit: loyalty.Stamp, Per: loyalty.PerVisit, Amount: 1})
		c.Campaign.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "plata", Spend: 4500}}}
		c.Campaign.Limits = []loyalty.Limit{
			{ID: "p", Max: 9, Period: loyalty.EachPurchase},
			{ID: "d", Max: 9, Period: loyalty.EachDay, PerShop: true},
			{ID: "agua", Max: 9, Period: loyalty.Lifetime, Products: []loyalty.ID{agua}},
			{ID: "n", Max: 9, Period: loyalty.EachWeek, Counts: loyalty.CountPurchases},
			{ID: "all", Max: 9, Period: loyalty.EachHour, Counts: loyalty.CountPurchases, PerShop: true, AllCards: true},
		}
		c.Standing = loyalty.Standing{Purchases: 4, Counters: "d:s1:2026-03-09=5;"}
		c.Left = map[string]int64{loyalty.QuotaStamps: 100, "all:s1:2026-03-09T10": 3}
		s.Lines = []loyalty.Line{line(cola, 2, 1500), line(agua, 1, 1500), line(rival, 1, 99)}
	})
	j := loyalty.Evaluate([]loyalty.Candidate{c}, s)[0]
	require.Equal(t, int64(4), j.Stamps)
	require.EqualValues(t, "d:s1:2026-03-09=5;", c.Standing.Counters, "the candidate's is left alone")
	require.Equal(t, int64(5), j.Standing.Purchases)
	require.Equal(t, map[string]int64{"d:s1:2026-03-09": 9, "agua:": 1, "n:2026-W03-09": 1, "visit:s1:2026-03-09": 1}, maps.Collect(j.Standing.Counters.All()))
	require.Equal(t, []loyalty.Take{{Name: "all:s1:2026-03-09T10", Amount: 1}, {Name: loyalty.QuotaStamps, Amount: 4}}, j.Takes)
	require.Equal(t, "plata", j.Standing.Tier.Level)
	require.Equal(t, loyalty.Progress{Purchases: 1, Spend: 4500, Earned: 4}, j.Standing.Tier.Now)
}

// However long somebody buys, the standing stays small, and no limit forgets
// what a late sale may still need.
func TestCountersOfOldPeriodsAreForgotten(t *testing.T) {
	c, s := one(terms(func(t *loyalty.Terms) {
		t.Limits = []loyalty.Limit{
			{ID: "h", Max: 1000, Period: loyalty.EachHour}, {ID: "d", Max: 1000, Period: loyalty.EachDay},
			{ID: "m", Max: 1000, Period: loyalty.EachMonth}, {ID: "ever", Max: 1 << 40, Period: loyalty.Lifetime},
		}
	}))
	for range 400 {
		c.Standing = loyalty.Evaluate([]loyalty.Candidate{c}, s)[0].Standing
		s.At = s.At.AddDate(0, 0, 1)
	}
	require.Equal(t, int64(800), c.Standing.Counters.Of("ever:"))
	require.Less(t, c.Standing.Counters.Len(), 100)
	for back := range 40 {
		day := s.At.AddDate(0, 0, -1-back).Format(time.DateOnly)
		require.Equal(t, int64(2), c.Standing.Counters.Of("d:"+day), day)
	}
}
