package loyalty_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// anID is the n-th of some identifiers; they sort by n.
func anID(n int) loyalty.ID {
	return loyalty.ID(fmt.Sprintf("01900000-0000-7000-8000-%012x", n))
}

// fullTerms are terms in which everything that may be stated is, and nothing is
// wrong.
func fullTerms() loyalty.Terms {
	return loyalty.Terms{
		Name: "Junta y gana", Scheme: loyalty.Both, Enrolment: loyalty.Automatic, PerShop: true, Goal: 10, PointsGoal: 500,
		StartsAt: time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC), EndsAt: time.Date(2026, 6, 1, 6, 0, 0, 0, time.UTC),
		Brands: []loyalty.ID{anID(1)}, Products: []loyalty.ID{anID(2), anID(3)}, ExcludedProducts: []loyalty.ID{anID(4)},
		ShopKinds: []string{"minisuper", "tiendita"}, States: []string{"Jalisco"}, Cities: []string{"Zapopan"},
		Shops: []loyalty.ID{anID(5)}, ExcludedShops: []loyalty.ID{anID(6)}, Joining: loyalty.JoinByInvitation,
		Earn: []loyalty.Earn{
			{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1, Each: 2},
			{Unit: loyalty.Stamp, Per: loyalty.PerVisit, Amount: 1},
			{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1, Each: 10},
		},
		Rounding: loyalty.RoundNearest,
		Boosts: []loyalty.Boost{
			{Name: "Martes doble", Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{2}, From: "18:00", To: "02:00", Products: []loyalty.ID{anID(2)}}},
			{Name: "Cumpleaños", Bonus: 5, Unit: loyalty.Point, When: loyalty.When{Birthday: true, MinTier: "Oro"}},
		},
		Stacking: loyalty.StackAll, Priority: 3, Exclusive: true, MinSpend: 1000, MinQuantity: 2, CooldownMinutes: 10,
		Limits: []loyalty.Limit{
			{ID: "diario", Max: 20, Unit: loyalty.Stamp, Period: loyalty.EachDay, Products: []loyalty.ID{anID(2)}, Brands: []loyalty.ID{anID(1)}},
			{ID: "l1", Counts: loyalty.CountPurchases, Max: 5, Period: loyalty.EachWeek, PerShop: true},
			{ID: "tienda", Counts: loyalty.CountPurchases, Max: 60, Period: loyalty.EachHour, PerShop: true, AllCards: true},
		},
		Budget:   &loyalty.Budget{Stamps: 1000, Points: 50_000, Rewards: 100, Exhausted: loyalty.PauseCampaign},
		Audience: loyalty.Audience{Segments: []loyalty.ID{anID(7)}, TierOf: anID(8), MinTier: "Plata"},
		Pending:  &loyalty.Pending{Hours: 24},
		Expiry:   &loyalty.Expiry{Days: 90, WarnDays: 5},
		Tiers: &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, GraceDays: 5, Levels: []loyalty.Level{
			{Name: "Plata", Purchases: 5, Percent: 150}, {Name: "Oro", Purchases: 10, Spend: 50_000, Earned: 100, Percent: 200, Discount: "5 % en la tienda"},
		}},
		MarginBPS: 3000, Fee: 150_000, NudgeQuietDays: 7, NudgeGapDays: 7,
	}
}

func TestCheckFindsNothingWrongWithFullTerms(t *testing.T) {
	terms := fullTerms()
	require.Empty(t, terms.Check())
	require.Equal(t, fullTerms(), terms, "what is tidy stays as it is")

	least := loyalty.Terms{
		Name: "A", Scheme: loyalty.Stamps, Enrolment: loyalty.OnRequest, Goal: 1, StartsAt: fullTerms().StartsAt,
		Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerPurchase, Amount: 1}}, NudgeQuietDays: 1, NudgeGapDays: 1,
	}
	require.Empty(t, least.Check())
}

func TestCheckNamesTheFieldThatIsWrong(t *testing.T) {
	type terms = loyalty.Terms
	for _, c := range []struct {
		name  string
		field string
		spoil func(*terms)
	}{
		{"no name", "name", func(v *terms) { v.Name = "  " }},
		{"a long name", "name", func(v *terms) { v.Name = strings.Repeat("ñ", 121) }},
		{"a name with a control character", "name", func(v *terms) { v.Name = "a\x00b" }},
		{"a name that is no text", "name", func(v *terms) { v.Name = "a\xff" }},
		{"an unknown scheme", "scheme", func(v *terms) { v.Scheme = "miles" }},
		{"no scheme", "scheme", func(v *terms) { v.Scheme = "" }},
		{"an unknown enrolment", "enrolment", func(v *terms) { v.Enrolment = "" }},
		{"no goal", "goal", func(v *terms) { v.Goal = 0 }},
		{"a goal out of reach", "goal", func(v *terms) { v.Goal = 1_000_001 }},
		{"no goal of points where there are both", "points_goal", func(v *terms) { v.PointsGoal = 0 }},
		{"no beginning", "starts_at", func(v *terms) { v.StartsAt = time.Time{} }},
		{"an end far away", "ends_at", func(v *terms) { v.EndsAt = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"an end at the beginning", "ends_at", func(v *terms) { v.EndsAt = v.StartsAt }},

		{"a brand that is no ID", "brand_ids", func(v *terms) { v.Brands = []loyalty.ID{"coca"} }},
		{"a product that is no ID", "product_ids", func(v *terms) { v.Products = []loyalty.ID{""} }},
		{"too many products", "product_ids", func(v *terms) { v.Products = manyIDs(1001) }},
		{"an excluded product that is no ID", "excluded_product_ids", func(v *terms) { v.ExcludedProducts = []loyalty.ID{"x"} }},
		{"all products and one brand", "brand_ids", func(v *terms) { v.AllProducts, v.Products = true, nil }},
		{"all products and some products", "product_ids", func(v *terms) { v.AllProducts, v.Brands = true, nil }},

		{"an unknown kind of shop", "shop_kinds[1]", func(v *terms) { v.ShopKinds = []string{"tiendita", "mall"} }},
		{"too many kinds of shops", "shop_kinds", func(v *terms) { v.ShopKinds = make([]string, 4) }},
		{"a state without a name", "states[1]", func(v *terms) { v.States = []string{"Jalisco", " "} }},
		{"a city with a long name", "cities[0]", func(v *terms) { v.Cities = []string{strings.Repeat("x", 81)} }},
		{"too many cities", "cities", func(v *terms) { v.Cities = make([]string, 51) }},
		{"a shop that is no ID", "shop_ids", func(v *terms) { v.Shops = []loyalty.ID{"x"} }},
		{"too many shops", "shop_ids", func(v *terms) { v.Shops = manyIDs(20_001) }},
		{"an excluded shop that is no ID", "excluded_shop_ids", func(v *terms) { v.ExcludedShops = []loyalty.ID{"x"} }},
		{"all shops and some", "shop_ids", func(v *terms) { v.AllShops, v.ShopKinds, v.States, v.Cities = true, nil, nil, nil }},
		{"all shops and some kinds", "shop_kinds", func(v *terms) { v.AllShops, v.Shops, v.States, v.Cities = true, nil, nil, nil }},
		{"all shops and some states", "states", func(v *terms) { v.AllShops, v.Shops, v.ShopKinds, v.Cities = true, nil, nil, nil }},
		{"all shops and some cities", "cities", func(v *terms) { v.AllShops, v.Shops, v.ShopKinds, v.States = true, nil, nil, nil }},
		{"an unknown way of joining", "joining", func(v *terms) { v.Joining = "force" }},

		{"no way of earning points", "earn", func(v *terms) { v.Earn = v.Earn[:2] }},
		{"too many ways of earning", "earn", func(v *terms) { v.Earn = make([]loyalty.Earn, 8) }},
		{"twice the same way", "earn[2]", func(v *terms) { v.Earn = slices.Insert(v.Earn, 2, v.Earn[0]) }},
		{"an unknown unit", "earn[1].unit", func(v *terms) { v.Earn[1].Unit = "mile" }},
		{"a unit that the scheme lacks", "earn[1].unit", func(v *terms) {
			*v = pointTerms()
			v.Earn = append(v.Earn, loyalty.Earn{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1})
		}},
		{"an unknown basis", "earn[2].per", func(v *terms) { v.Earn[2].Per = "kilo" }},
		{"stamps by peso", "earn[0].per", func(v *terms) { v.Earn[0].Per = loyalty.PerPeso }},
		{"nothing earned", "earn[0].amount", func(v *terms) { v.Earn[0].Amount = 0 }},
		{"too much earned", "earn[0].amount", func(v *terms) { v.Earn[0].Amount = 1001 }},
		{"below each unit", "earn[0].each", func(v *terms) { v.Earn[0].Each = -1 }},
		{"each of too many", "earn[2].each", func(v *terms) { v.Earn[2].Each = 1_000_001 }},
		{"each of several visits", "earn[1].each", func(v *terms) { v.Earn[1].Each = 2 }},
		{"an unknown rounding", "rounding", func(v *terms) { v.Rounding = "down" }},
		{"an unknown stacking", "stacking", func(v *terms) { v.Stacking = "some" }},
		{"a priority out of range", "priority", func(v *terms) { v.Priority = 1001 }},

		{"too many boosts", "boosts", func(v *terms) { v.Boosts = make([]loyalty.Boost, 21) }},
		{"a boost with a long name", "boosts[1].name", func(v *terms) { v.Boosts[1].Name = strings.Repeat("x", 121) }},
		{"a boost that takes away", "boosts[0].percent", func(v *terms) { v.Boosts[0].Percent = 99 }},
		{"a boost of too much", "boosts[0].percent", func(v *terms) { v.Boosts[0].Percent = 1001 }},
		{"a boost of nothing", "boosts[0].percent", func(v *terms) { v.Boosts[0].Percent = 0 }},
		{"a negative bonus", "boosts[1].bonus", func(v *terms) { v.Boosts[1].Bonus = -5 }},
		{"a boost of an unknown unit", "boosts[1].unit", func(v *terms) { v.Boosts[1].Unit = "mile" }},
		{"a boost of a unit that the scheme lacks", "boosts[0].unit", func(v *terms) {
			*v = pointTerms()
			v.Boosts = []loyalty.Boost{{Percent: 200, Unit: loyalty.Stamp}}
		}},
		{"a boost's product that is no ID", "boosts[0].when.product_ids", func(v *terms) { v.Boosts[0].When.Products = []loyalty.ID{"x"} }},
		{"a boost's brand that is no ID", "boosts[0].when.brand_ids", func(v *terms) { v.Boosts[0].When.Brands = []loyalty.ID{"x"} }},
		{"an eighth weekday", "boosts[0].when.weekdays[1]", func(v *terms) { v.Boosts[0].When.Weekdays = []time.Weekday{6, 7} }},
		{"a weekday twice", "boosts[0].when.weekdays[2]", func(v *terms) { v.Boosts[0].When.Weekdays = []time.Weekday{5, 1, 5} }},
		{"too many weekdays", "boosts[0].when.weekdays", func(v *terms) { v.Boosts[0].When.Weekdays = make([]time.Weekday, 8) }},
		{"an hour of one digit", "boosts[0].when.from", func(v *terms) { v.Boosts[0].When.From = "9:00" }},
		{"an hour past midnight", "boosts[0].when.to", func(v *terms) { v.Boosts[0].When.To = "24:00" }},
		{"a boost's tier with a long name", "boosts[1].when.min_tier", func(v *terms) { v.Boosts[1].When.MinTier = strings.Repeat("x", 121) }},

		{"a negative spend", "min_spend_cents", func(v *terms) { v.MinSpend = -1 }},
		{"a negative quantity", "min_quantity", func(v *terms) { v.MinQuantity = -1 }},
		{"a cooldown of more than a month", "cooldown_minutes", func(v *terms) { v.CooldownMinutes = 43_201 }},
		{"a segment that is no ID", "audience.segment_ids", func(v *terms) { v.Audience.Segments = []loyalty.ID{"x"} }},
		{"too many segments", "audience.segment_ids", func(v *terms) { v.Audience.Segments = manyIDs(51) }},
		{"a tier of what is no campaign", "audience.tier_of", func(v *terms) { v.Audience.TierOf = "x" }},
		{"a tier of no campaign", "audience.tier_of", func(v *terms) { v.Audience.TierOf = "" }},
		{"an audience's tier with a long name", "audience.min_tier", func(v *terms) { v.Audience.MinTier = strings.Repeat("x", 121) }},
		{"waiting too long for a yes", "pending.hours", func(v *terms) { v.Pending.Hours = 169 }},

		{"too many limits", "limits", func(v *terms) { v.Limits = make([]loyalty.Limit, 21) }},
		{"a limit's ID in capitals", "limits[0].id", func(v *terms) { v.Limits[0].ID = "Diario" }},
		{"a limit's ID that is too long", "limits[0].id", func(v *terms) { v.Limits[0].ID = strings.Repeat("x", 21) }},
		{"the ID of visits", "limits[0].id", func(v *terms) { v.Limits[0].ID = "visit" }},
		{"two limits of one ID", "limits[1].id", func(v *terms) { v.Limits[1].ID = "diario" }},
		{"an unknown count", "limits[0].counts", func(v *terms) { v.Limits[0].Counts = "earned" }},
		{"a limit of an unknown unit", "limits[0].unit", func(v *terms) { v.Limits[0].Unit = "mile" }},
		{"a limit of a unit that the scheme lacks", "limits[0].unit", func(v *terms) {
			*v = pointTerms()
			v.Limits = []loyalty.Limit{{Max: 1, Period: loyalty.EachDay, Unit: loyalty.Stamp}}
		}},
		{"a limit of nothing", "limits[0].max", func(v *terms) { v.Limits[0].Max = 0 }},
		{"a limit of too much", "limits[0].max", func(v *terms) { v.Limits[0].Max = 1_000_000_001 }},
		{"an unknown period", "limits[0].period", func(v *terms) { v.Limits[0].Period = "year" }},
		{"no period", "limits[0].period", func(v *terms) { v.Limits[0].Period = "" }},
		{"a limit's product that is no ID", "limits[0].product_ids", func(v *terms) { v.Limits[0].Products = []loyalty.ID{"x"} }},
		{"a limit's brand that is no ID", "limits[0].brand_ids", func(v *terms) { v.Limits[0].Brands = []loyalty.ID{"x"} }},
		{"purchases in a purchase", "limits[1].period", func(v *terms) { v.Limits[1].Period = loyalty.EachPurchase }},
		{"purchases of products", "limits[1].product_ids", func(v *terms) { v.Limits[1].Products = manyIDs(1) }},
		{"purchases of brands", "limits[1].brand_ids", func(v *terms) { v.Limits[1].Brands = manyIDs(1) }},
		{"all cards' stamps", "limits[2].counts", func(v *terms) { v.Limits[2].Counts = loyalty.CountEarned }},
		{"all cards of all shops", "limits[2].per_shop", func(v *terms) { v.Limits[2].PerShop = false }},
		{"all cards in a week", "limits[2].period", func(v *terms) { v.Limits[2].Period = loyalty.EachWeek }},

		{"an empty budget", "budget", func(v *terms) { v.Budget = &loyalty.Budget{} }},
		{"a negative budget of stamps", "budget.stamps", func(v *terms) { v.Budget.Stamps = -1 }},
		{"a negative budget of points", "budget.points", func(v *terms) { v.Budget.Points = -1 }},
		{"a negative budget of rewards", "budget.rewards", func(v *terms) { v.Budget.Rewards = -1 }},
		{"a budget of stamps that are not given", "budget.stamps", func(v *terms) { *v = pointTerms(); v.Budget = &loyalty.Budget{Stamps: 1} }},
		{"a budget of points that are not given", "budget.points", func(v *terms) {
			v.Scheme, v.PointsGoal, v.Earn, v.Boosts, v.Budget = loyalty.Stamps, 0, v.Earn[:2], nil, &loyalty.Budget{Points: 1}
		}},
		{"an unknown end of a budget", "budget.exhausted", func(v *terms) { v.Budget.Exhausted = "stop" }},

		{"an expiry that says nothing", "expiry", func(v *terms) { v.Expiry = &loyalty.Expiry{} }},
		{"an expiry that says two things", "expiry", func(v *terms) { v.Expiry.InactiveDays = 3 }},
		{"an expiry on a date and by days", "expiry", func(v *terms) { v.Expiry.On = v.EndsAt }},
		{"an expiry on an impossible date", "expiry.on", func(v *terms) { v.Expiry = &loyalty.Expiry{On: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)} }},
		{"an expiry after too many days", "expiry.days", func(v *terms) { v.Expiry.Days = 3651 }},
		{"an expiry after negative days", "expiry.inactive_days", func(v *terms) { v.Expiry = &loyalty.Expiry{InactiveDays: -1} }},
		{"a warning too early", "expiry.warn_days_before", func(v *terms) { v.Expiry.WarnDays = 366 }},

		{"an unknown way to keep tiers", "tiers.keep", func(v *terms) { v.Tiers.Keep, v.Tiers.Period, v.Tiers.GraceDays = "", "", 0 }},
		{"tiers by no period", "tiers.period", func(v *terms) { v.Tiers.Period = "" }},
		{"tiers by day", "tiers.period", func(v *terms) { v.Tiers.Period = loyalty.EachDay }},
		{"tiers for good by month", "tiers.period", func(v *terms) { v.Tiers.Keep, v.Tiers.GraceDays = loyalty.TierForGood, 0 }},
		{"tiers for good with grace days", "tiers.grace_days", func(v *terms) { v.Tiers.Keep, v.Tiers.Period = loyalty.TierForGood, "" }},
		{"too many grace days", "tiers.grace_days", func(v *terms) { v.Tiers.GraceDays = 91 }},
		{"no level", "tiers.levels", func(v *terms) { v.Tiers.Levels = nil }},
		{"too many levels", "tiers.levels", func(v *terms) { v.Tiers.Levels = make([]loyalty.Level, 11) }},
		{"a level without a name", "tiers.levels[1].name", func(v *terms) { v.Tiers.Levels[1].Name = "" }},
		{"two levels of one name", "tiers.levels[1].name", func(v *terms) { v.Tiers.Levels[1].Name = " Plata" }},
		{"a level that is reached by nothing", "tiers.levels[0].purchases", func(v *terms) { v.Tiers.Levels[0].Purchases = 0 }},
		{"a level by negative purchases", "tiers.levels[0].purchases", func(v *terms) {
			v.Tiers.Levels[0] = loyalty.Level{Name: "A", Purchases: 1_000_000_001}
			v.Tiers.Levels[1].Purchases = 0
		}},
		{"purchases that don't rise", "tiers.levels[1].purchases", func(v *terms) { v.Tiers.Levels[1].Purchases = 5 }},
		{"spend that doesn't rise", "tiers.levels[1].spend_cents", func(v *terms) { v.Tiers.Levels[0].Spend = 60_000 }},
		{"earnings that don't rise", "tiers.levels[1].earned", func(v *terms) { v.Tiers.Levels[0].Earned = 100 }},
		{"a level by too much spend", "tiers.levels[1].spend_cents", func(v *terms) { v.Tiers.Levels[1].Spend = 10_000_000_001 }},
		{"a level by too much earned", "tiers.levels[1].earned", func(v *terms) { v.Tiers.Levels[1].Earned = 1_000_000_001 }},
		{"a level that takes away", "tiers.levels[0].percent", func(v *terms) { v.Tiers.Levels[0].Percent = 50 }},
		{"a discount of many words", "tiers.levels[0].discount", func(v *terms) { v.Tiers.Levels[0].Discount = strings.Repeat("x", 121) }},

		{"a margin above all", "margin_bps", func(v *terms) { v.MarginBPS = 10_001 }},
		{"a negative fee", "fee_cents", func(v *terms) { v.Fee = -1 }},
		{"a nudge at once", "nudge_quiet_days", func(v *terms) { v.NudgeQuietDays = 0 }},
		{"nudges every two years", "nudge_gap_days", func(v *terms) { v.NudgeGapDays = 730 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := fullTerms()
			c.spoil(&v)
			got := v.Check()
			require.Len(t, got, 1, "%v", got)
			require.Equal(t, c.field, got[0].Field, got[0].Reason)
			require.NotEmpty(t, got[0].Reason)
			require.Equal(t, got, v.Check(), "it says the same again")
		})
	}
}

// pointTerms are terms of a campaign that gives no stamps.
func pointTerms() loyalty.Terms {
	return loyalty.Terms{
		Name: "Puntos", Scheme: loyalty.Points, Enrolment: loyalty.Automatic, Goal: 100, StartsAt: fullTerms().StartsAt,
		Earn: []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1}}, NudgeQuietDays: 7, NudgeGapDays: 7,
	}
}

func TestCheckRefusesAPointsGoalWithoutPoints(t *testing.T) {
	v := pointTerms()
	v.PointsGoal = 5
	require.Equal(t, []loyalty.FieldError{{Field: "points_goal", Reason: "solo va cuando scheme es both"}}, v.Check())
}

func TestCheckSaysWhatIsAllowed(t *testing.T) {
	v := fullTerms()
	v.Enrolment, v.Tiers.Keep, v.Goal = "x", "", 0
	v.Tiers.Period, v.Tiers.GraceDays = "", 0
	require.Equal(t, []loyalty.FieldError{
		{Field: "enrolment", Reason: "debe ser automatic u on_request"},
		{Field: "goal", Reason: "debe estar entre 1 y 1,000,000"},
		{Field: "tiers.keep", Reason: "debe ser cumulative, period u on_redeem"},
	}, v.Check())
}

func manyIDs(n int) []loyalty.ID {
	ids := make([]loyalty.ID, n)
	for i := range ids {
		ids[i] = anID(i + 1)
	}
	return ids
}

func TestCheckTidies(t *testing.T) {
	mexico := time.FixedZone("", -6*3600)
	mixed := []loyalty.ID{"01900000-0000-7000-8000-00000000000B", anID(3), anID(11), anID(3)}
	sorted := []loyalty.ID{anID(3), anID(11)}
	v := fullTerms()
	v.Name = "  Junta y gana "
	v.StartsAt, v.EndsAt = v.StartsAt.Add(999).In(mexico), v.EndsAt.Add(1999).In(mexico)
	v.Brands, v.Products, v.ExcludedProducts, v.Shops, v.ExcludedShops = slices.Clone(mixed), slices.Clone(mixed), slices.Clone(mixed), slices.Clone(mixed), slices.Clone(mixed)
	v.Boosts[0].When.Products, v.Boosts[0].When.Brands = slices.Clone(mixed), slices.Clone(mixed)
	v.Boosts[0].When.Weekdays = []time.Weekday{6, 0, 2}
	v.Limits[0].Products, v.Limits[0].Brands = slices.Clone(mixed), []loyalty.ID{}
	v.Audience.Segments = slices.Clone(mixed)
	v.Audience.TierOf = "01900000-0000-7000-8000-00000000000B"
	v.States = []string{" Yucatán ", "Jalisco", "Yucatán"}
	v.ShopKinds = []string{"tiendita", "chain", "tiendita"}
	v.Expiry = &loyalty.Expiry{On: fullTerms().EndsAt.Add(1).In(mexico)}
	v.Tiers.Levels[1].Name = " Oro "
	require.Empty(t, v.Check())

	want := fullTerms()
	want.EndsAt = want.EndsAt.Add(1000)
	want.Brands, want.Products, want.ExcludedProducts, want.Shops, want.ExcludedShops = sorted, sorted, sorted, sorted, sorted
	want.Boosts[0].When.Products, want.Boosts[0].When.Brands = sorted, sorted
	want.Boosts[0].When.Weekdays = []time.Weekday{0, 2, 6}
	want.Limits[0].Products, want.Limits[0].Brands = sorted, nil
	want.Audience.Segments, want.Audience.TierOf = sorted, anID(11)
	want.States = []string{"Jalisco", "Yucatán"}
	want.ShopKinds = []string{"chain", "tiendita"}
	want.Expiry = &loyalty.Expiry{On: fullTerms().EndsAt}
	require.Equal(t, want, v)
}

func TestCheckNamesLimits(t *testing.T) {
	v := fullTerms()
	day := loyalty.Limit{Max: 9, Period: loyalty.EachDay}
	third := day
	third.ID = "l3"
	v.Limits = []loyalty.Limit{day, day, third, day}
	require.Empty(t, v.Check())
	var ids []string
	for _, l := range v.Limits {
		ids = append(ids, l.ID)
	}
	require.Equal(t, []string{"l1", "l2", "l3", "l4"}, ids)
}

// spoiled gives a document with one to three random changes, each somewhere in it.
func spoiled(r *rand.Rand, document any) any {
	for range 1 + r.IntN(3) {
		document = spoil(r, document)
	}
	return document
}

func spoil(r *rand.Rand, v any) any {
	if r.IntN(6) == 0 {
		values := []any{
			nil, "", "x", " ", "\x00", "día", "stamps", "points", "both", "stamp", "point", "unit", "peso", "visit", "purchases", "hour", "lifetime", "period", "on_redeem",
			"24:00", "00:00", "12:30", string(anID(9)), strings.ToUpper(string(anID(10))), "2026-04-01T00:00:00.1234567-06:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
			-1.0, 0.0, 1.0, 2.0, 7.0, 100.0, 1000.0, 1e9, 9e18, -9e18, true, false, []any{}, map[string]any{}, []any{"x", nil}, []any{0.0, 0.0},
		}
		return values[r.IntN(len(values))]
	}
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 {
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			k := keys[r.IntN(len(keys))]
			if r.IntN(4) == 0 {
				delete(v, k)
			} else {
				v[k] = spoil(r, v[k])
			}
		}
		return v
	case []any:
		if len(v) > 0 {
			i := r.IntN(len(v))
			if r.IntN(4) == 0 {
				return append(v, v[i])
			}
			v[i] = spoil(r, v[i])
		}
		return v
	}
	return spoil(r, v)
}

// Whatever a client sends, Check survives it, has nothing to tidy the second
// time, and what it lets pass the engine and the review survive.
func TestCheckSurvivesAnyDocument(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 14)) //nolint:gosec // repeatable on purpose
	raw, err := json.Marshal(fullTerms())
	require.NoError(t, err)
	passed, refused := 0, 0
	for range 8000 {
		var document any
		require.NoError(t, json.Unmarshal(raw, &document))
		sent, err := json.Marshal(spoiled(r, document))
		require.NoError(t, err)
		var v loyalty.Terms
		if json.Unmarshal(sent, &v) != nil {
			continue // it never comes as far as Check
		}
		if len(v.Check()) > 0 {
			refused++
			continue
		}
		passed++
		kept, err := json.Marshal(v) // as the database does
		require.NoError(t, err)
		var again loyalty.Terms
		require.NoError(t, json.Unmarshal(kept, &again))
		require.Empty(t, again.Check(), "%s", sent)
		tidied, err := json.Marshal(again)
		require.NoError(t, err)
		require.JSONEq(t, string(kept), string(tidied), "%s", sent)
		useTerms(r, v)
	}
	require.Greater(t, passed, 500)
	require.Greater(t, refused, 1000)
}

// useTerms runs terms through all that is made of them.
func useTerms(r *rand.Rand, v loyalty.Terms) {
	zone := loyalty.Zone("")
	c := loyalty.Campaign{ID: anID(100), CPG: anID(101), Status: loyalty.Active, Terms: v}
	loyalty.Review(c, loyalty.Facts{Now: v.StartsAt, Rewards: []loyalty.RewardFacts{{Unit: v.Scheme.Unit(), Threshold: 5, MinTier: "Oro", Active: true}}})
	candidate := loyalty.Candidate{Campaign: &c, Enrolled: true, Left: map[string]int64{loyalty.QuotaStamps: 100}}
	at := v.StartsAt
	for range 10 {
		at = at.Add(time.Duration(r.IntN(50)) * time.Hour)
		sale := loyalty.Sale{
			At: at, Zone: zone, Shop: anID(5), Birthday: at.Format(time.DateOnly), Segments: []loyalty.ID{anID(7)},
			Holds: func(loyalty.ID, string) bool { return true },
		}
		for range 1 + r.IntN(loyalty.MaxLines) {
			sale.Lines = append(sale.Lines, loyalty.Line{Product: anID(r.IntN(5)), Brand: anID(1), CPG: c.CPG, Quantity: 1 + r.Int64N(999), UnitPrice: loyalty.Cents(r.Int64N(int64(loyalty.MaxPrice)))})
		}
		for _, j := range loyalty.Evaluate([]loyalty.Candidate{candidate}, &sale) {
			if j.Stamps < 0 || j.Points < 0 {
				panic("less than nothing was earned")
			}
			candidate.Standing = j.Standing
		}
	}
}
