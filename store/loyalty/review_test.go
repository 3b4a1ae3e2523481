package loyalty_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// march begins, in Mexico City, on a Sunday.
var march = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// sound is a campaign in which there is nothing to find: 92 days, from Sunday 1
// March to Monday 1 June.
func sound() (loyalty.Campaign, loyalty.Facts) {
	stock, money := int64(500), loyalty.Cents(100_000)
	c := loyalty.Campaign{ID: anID(90), CPG: anID(91), Status: loyalty.Draft, Terms: loyalty.Terms{
		Name: "Junta y gana", Scheme: loyalty.Both, Enrolment: loyalty.Automatic, Goal: 10, PointsGoal: 500,
		StartsAt: march, EndsAt: time.Date(2026, 6, 1, 6, 0, 0, 0, time.UTC),
		Products: []loyalty.ID{anID(2), anID(3)}, AllShops: true,
		Earn: []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 2}, {Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1}},
		Boosts: []loyalty.Boost{{Name: "Noche de martes", Percent: 200, When: loyalty.When{
			Weekdays: []time.Weekday{2}, From: "22:00", To: "02:00", Products: []loyalty.ID{anID(2)}, MinTier: "Plata",
		}}},
		CooldownMinutes: 10, MinSpend: 1000, MinQuantity: 2,
		Limits: []loyalty.Limit{{ID: "l1", Max: 20, Period: loyalty.EachDay}, {ID: "l2", Max: 100, Period: loyalty.Lifetime}},
		Budget: &loyalty.Budget{Stamps: 1000, Points: 50_000, Rewards: 100},
		Expiry: &loyalty.Expiry{Days: 30},
		Tiers: &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{
			{Name: "Plata", Purchases: 5}, {Name: "Oro", Purchases: 20, Spend: 100_000},
		}},
		Pending: &loyalty.Pending{}, NudgeQuietDays: 7, NudgeGapDays: 7,
	}}
	return c, loyalty.Facts{
		Now: march.AddDate(0, 0, -7), PLIs: 2, Shops: 50, MoneyLeft: &money,
		Rewards: []loyalty.RewardFacts{
			{Name: "Refresco", Unit: loyalty.Stamp, Threshold: 10, Stock: &stock, Cost: 1500, Active: true},
			{Name: "Playera", Unit: loyalty.Point, Threshold: 500, Cost: 9000, MinTier: "Oro", Segment: anID(7), EndsAt: march.AddDate(0, 0, 60), Active: true},
			{Name: "Retirado", Unit: "mile", Threshold: 1 << 40},
		},
	}
}

func TestReviewFindsNothingInASoundCampaign(t *testing.T) {
	require.Empty(t, loyalty.Review(sound()))
	c, facts := sound()
	require.Empty(t, c.Check())
	c.EndsAt = time.Time{}
	require.Empty(t, loyalty.Review(c, facts), "nor in a permanent one")
	facts.Now = march.AddDate(5, 0, 0)
	require.Empty(t, loyalty.Review(c, facts), "however long it has run")
}

func TestReviewFinds(t *testing.T) {
	type (
		campaign = loyalty.Campaign
		facts    = loyalty.Facts
	)
	none, little := int64(0), loyalty.Cents(8999)
	// Without the tier that the base's second reward asks for, and only stamps.
	plain := func(c *campaign, f *facts) {
		c.Scheme, c.PointsGoal, c.Earn, c.Tiers, c.Boosts, c.Budget = loyalty.Stamps, 0, c.Earn[:1], nil, nil, nil
		c.Limits, c.Expiry, c.CooldownMinutes = nil, nil, 0
		f.Rewards = f.Rewards[:1]
	}
	const failure, warning = loyalty.SeverityError, loyalty.SeverityWarning
	for _, c := range []struct {
		name     string
		change   func(*campaign, *facts)
		severity loyalty.Severity
		code     string
		field    string
		says     string
	}{
		{"dates that are over", func(c *campaign, f *facts) { f.Now = c.EndsAt },
			failure, "CAMPAIGN_OVER", "ends_at", "termina el 1 de junio de 2026 a las 00:00"},
		{"an expiry before the beginning", func(c *campaign, _ *facts) { c.Expiry = &loyalty.Expiry{On: march} },
			failure, "EXPIRY_BEFORE_START", "expiry.on", "1 de marzo de 2026"},
		{"an expiry after the end", func(c *campaign, _ *facts) { c.Expiry = &loyalty.Expiry{On: c.EndsAt.Add(time.Hour)} },
			warning, "EXPIRY_AFTER_END", "expiry.on", "1 de junio de 2026 a las 01:00"},

		{"another CPG's products", func(_ *campaign, f *facts) { f.ForeignProducts = []string{"Pan", "Leche", "Sal", "Sopa", "Atún"} },
			failure, "FOREIGN_PRODUCT", "product_ids", "Pan, Leche, Sal y 2 más"},
		{"another CPG's product", func(_ *campaign, f *facts) { f.ForeignProducts = []string{"Pan"} },
			failure, "FOREIGN_PRODUCT", "product_ids", "otra empresa: Pan."},
		{"no products", func(_ *campaign, f *facts) { f.PLIs = 0 }, failure, "NO_PRODUCTS", "product_ids", "Ningún producto"},
		{"no shops", func(_ *campaign, f *facts) { f.Shops = 0 }, failure, "NO_SHOPS", "shop_ids", "Ninguna tienda"},

		{"an audience of an unknown segment", func(c *campaign, f *facts) {
			c.Audience.Segments, f.UnknownSegments = []loyalty.ID{anID(8)}, []loyalty.ID{anID(8)}
		}, failure, "SEGMENT_UNKNOWN", "audience.segment_ids", "segmento que no existe"},
		{"an audience of itself", func(c *campaign, _ *facts) { c.Audience = loyalty.Audience{TierOf: c.ID, MinTier: "Oro"} },
			failure, "AUDIENCE_OF_ITSELF", "audience.tier_of", "nadie podría empezar"},
		{"an audience of an unknown campaign", func(c *campaign, _ *facts) { c.Audience = loyalty.Audience{TierOf: anID(92)} },
			failure, "AUDIENCE_TIER_UNKNOWN", "audience.tier_of", "no tiene niveles"},
		{"an audience of an unknown tier", func(c *campaign, f *facts) {
			c.Audience, f.AudienceTiers = loyalty.Audience{TierOf: anID(92), MinTier: "Zafiro"}, []string{"Bronce", "Plata", "Oro"}
		}, failure, "AUDIENCE_TIER_UNKNOWN", "audience.min_tier", "«Zafiro»; tiene Bronce, Plata u Oro"},

		{"a boost that opens and closes at once", func(c *campaign, _ *facts) { c.Boosts[0].When.To = "22:00" },
			failure, "BOOST_WINDOW_EMPTY", "boosts[0].when.to", "abre y cierra a las 22:00"},
		{"two days without the boost's weekday", func(c *campaign, f *facts) {
			plain(c, f)
			c.EndsAt = march.AddDate(0, 0, 2) // Sunday and Monday
			c.Boosts = []loyalty.Boost{{Name: "Martes", Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{2}}}}
		}, failure, "BOOST_WINDOW_NEVER", "boosts[0].when.weekdays", "del 1 de marzo de 2026 a las 00:00 al 3 de marzo de 2026 a las 00:00"},
		{"the boost's last day is over", func(c *campaign, f *facts) {
			plain(c, f)
			f.Now, c.EndsAt = march.AddDate(0, 0, 3).Add(2*time.Hour), march.AddDate(0, 0, 7) // Wednesday, 02:00
			c.Boosts = []loyalty.Boost{{Name: "Martes", Percent: 200, When: loyalty.When{Weekdays: []time.Weekday{2}, From: "22:00", To: "02:00"}}}
		}, failure, "BOOST_WINDOW_NEVER", "boosts[0].when.weekdays", "no cae en ningún momento"},
		{"a boost of an unknown tier", func(c *campaign, _ *facts) { c.Boosts[0].When.MinTier = "Zafiro" },
			failure, "BOOST_TIER_UNKNOWN", "boosts[0].when.min_tier", "«Zafiro»"},
		{"a tier before the first purchase", func(c *campaign, _ *facts) { c.Boosts[0].When.First = true },
			failure, "BOOST_IMPOSSIBLE", "boosts[0].when.first", "«Plata»"},
		{"a boost of products that don't take part", func(c *campaign, _ *facts) { c.Boosts[0].When.Products = []loyalty.ID{anID(50)} },
			failure, "BOOST_PRODUCTS_OUT", "boosts[0].when.product_ids", "«Noche de martes»"},
		{"a boost of an excluded product", func(c *campaign, _ *facts) { c.ExcludedProducts = []loyalty.ID{anID(2)} },
			failure, "BOOST_PRODUCTS_OUT", "boosts[0].when.product_ids", "«Noche de martes»"},

		{"more units than a purchase has", func(c *campaign, _ *facts) { c.MinQuantity = 49_951 },
			failure, "MINIMUM_NEVER_MET", "min_quantity", "49,951 piezas por compra, y en una compra caben a lo más 49,950"},
		{"more money than a purchase is worth", func(c *campaign, _ *facts) { c.MinSpend = 49_950*loyalty.MaxPrice + 1 },
			failure, "MINIMUM_NEVER_MET", "min_spend_cents", "a lo más $49,950,000,000.00"},
		{"a cooldown that outlasts the campaign", func(c *campaign, f *facts) {
			plain(c, f)
			c.EndsAt, c.CooldownMinutes = march.AddDate(0, 0, 1), 1441
		}, failure, "COOLDOWN_TOO_LONG", "cooldown_minutes", "1,441 minutos"},
		{"a limit below one earning", func(c *campaign, f *facts) {
			plain(c, f)
			c.Limits = []loyalty.Limit{{ID: "l1", Max: 1, Period: loyalty.EachDay}}
		}, warning, "LIMIT_BELOW_EARNING", "limits[0].max", "El límite es de 1 sello y cada vez se ganan 2 sellos"},

		{"a tier above a limit for ever", func(c *campaign, _ *facts) {
			c.Tiers.Levels = append(c.Tiers.Levels, loyalty.Level{Name: "Zafiro", Earned: 501})
			c.Limits = append(c.Limits, loyalty.Limit{ID: "l3", Unit: loyalty.Point, Max: 500, Period: loyalty.Lifetime})
		}, failure, "TIER_UNREACHABLE", "tiers.levels[2]", "«Zafiro»"},
		{"a tier above what purchases a week allow", func(c *campaign, _ *facts) {
			c.Tiers = &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachWeek, Levels: []loyalty.Level{{Name: "Plata", Purchases: 3}, {Name: "Oro", Spend: 5, Earned: 5}, {Name: "Zafiro", Purchases: 25}}}
			c.Limits = []loyalty.Limit{{ID: "l1", Counts: loyalty.CountPurchases, Max: 3, Period: loyalty.EachDay}}
		}, failure, "TIER_UNREACHABLE", "tiers.levels[2]", "«Zafiro»"},

		{"no reward", func(_ *campaign, f *facts) { f.Rewards = f.Rewards[2:] }, warning, "NO_REWARD", "rewards", "ningún premio activo"},
		{"a goal that is no reward's", func(c *campaign, _ *facts) { c.PointsGoal = 400 },
			warning, "GOAL_WITHOUT_REWARD", "points_goal", "La meta es de 400 puntos"},
		{"a goal that is no reward's in stamps", func(c *campaign, _ *facts) { c.Goal = 1 },
			warning, "GOAL_WITHOUT_REWARD", "goal", "La meta es de 1 sello"},
		{"a reward in a unit that is not given", func(c *campaign, f *facts) {
			plain(c, f)
			f.Rewards = append(f.Rewards, loyalty.RewardFacts{Name: "Playera", Unit: loyalty.Point, Threshold: 5, Cost: 1, Active: true})
		}, failure, "REWARD_UNIT", "rewards[1].unit", "cuesta 5 puntos, y la campaña no da puntos"},
		{"a reward above a limit for ever", func(c *campaign, _ *facts) { c.Limits[1].Max = 9; c.Tiers.Levels[0].Spend = 1 },
			failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "cuesta 10 sellos, y los límites dejan juntar a lo más 9 sellos en los 30 días"},
		{"a reward above a limit for ever, without end", func(c *campaign, _ *facts) { c.Limits[1].Max, c.EndsAt, c.Expiry = 9, time.Time{}, nil },
			failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "dejan juntar a lo más 9 sellos."},
		{"a reward that expires before a day's limit reaches it", func(c *campaign, _ *facts) { c.Limits[0].Max, c.Expiry.Days = 2, 3 },
			failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 8 sellos en los 3 días"},
		{"a reward that a date expires before an hour's limit reaches it", func(c *campaign, f *facts) {
			plain(c, f)
			c.Limits = []loyalty.Limit{{ID: "l1", Max: 2, Period: loyalty.EachWeek}}
			c.EndsAt, c.Expiry = march.AddDate(0, 0, 20), &loyalty.Expiry{On: march.AddDate(0, 0, 10)}
		}, failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 6 sellos en los 10 días"},
		{"a reward that ends before a month's limit reaches it", func(c *campaign, f *facts) {
			plain(c, f)
			c.Limits = []loyalty.Limit{{ID: "l1", Max: 4, Period: loyalty.EachMonth}}
			f.Rewards[0].EndsAt = march.AddDate(0, 0, 20)
		}, failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 8 sellos en los 20 días"},
		{"a reward above what visits with a cooldown bring", func(c *campaign, f *facts) {
			plain(c, f)
			c.Earn = []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerVisit, Amount: 1}}
			c.Limits = []loyalty.Limit{{ID: "l1", Max: 1, Period: loyalty.EachPurchase}}
			c.EndsAt, c.CooldownMinutes = march.AddDate(0, 0, 3), 24*60
		}, failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 4 sellos en los 3 días"},
		{"a reward above what purchases and their bonus bring", func(c *campaign, f *facts) {
			plain(c, f)
			c.Earn = []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerPurchase, Amount: 1}}
			c.Boosts = []loyalty.Boost{{Name: "Bienvenida", Bonus: 5, When: loyalty.When{First: true}}}
			c.Limits = []loyalty.Limit{{ID: "l1", Counts: loyalty.CountPurchases, Max: 2, Period: loyalty.Lifetime}}
			c.Goal, f.Rewards[0].Threshold = 31, 31 // a boost may make ten of one
		}, failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 30 sellos"},
		{"a reward above an hour's limit", func(c *campaign, f *facts) {
			plain(c, f)
			c.EndsAt, c.Limits = march.AddDate(0, 0, 1), []loyalty.Limit{{ID: "l1", Max: 2, Period: loyalty.EachHour}}
			c.Goal, f.Rewards[0].Threshold = 51, 51
		}, failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 50 sellos en el día"},
		{"a reward above what each shop's card can reach", func(c *campaign, f *facts) {
			plain(c, f)
			c.PerShop = true
			c.Limits = []loyalty.Limit{{ID: "l1", Max: 9, Period: loyalty.Lifetime, PerShop: true}}
		}, failure, "REWARD_UNREACHABLE", "rewards[0].threshold", "a lo más 9 sellos"},
		{"a reward of an unknown tier", func(_ *campaign, f *facts) { f.Rewards[1].MinTier = "Zafiro" },
			failure, "REWARD_TIER_UNKNOWN", "rewards[1].min_tier", "«Zafiro»"},
		{"a reward that ends before the beginning", func(_ *campaign, f *facts) { f.Rewards[0].EndsAt = march },
			failure, "REWARD_DATES", "rewards[0].ends_at", "deja de darse el 1 de marzo de 2026"},
		{"a reward that begins after the end", func(c *campaign, f *facts) { f.Rewards[0].StartsAt = c.EndsAt },
			failure, "REWARD_DATES", "rewards[0].starts_at", "empieza a darse el 1 de junio de 2026"},
		{"a reward for an unknown segment", func(_ *campaign, f *facts) { f.UnknownSegments = []loyalty.ID{anID(7)} },
			failure, "SEGMENT_UNKNOWN", "rewards[1].segment_id", "«Playera»"},
		{"a reward of which there is none", func(_ *campaign, f *facts) { f.Rewards[0].Stock = &none },
			failure, "REWARD_OUT_OF_STOCK", "rewards[0].stock", "«Refresco»"},
		{"a reward without a cost", func(_ *campaign, f *facts) { f.Rewards[0].Cost = 0 },
			warning, "REWARD_WITHOUT_COST", "rewards[0].cost_cents", "«Refresco»"},
		{"a reward that costs more than there is", func(_ *campaign, f *facts) { f.MoneyLeft = &little },
			failure, "MONEY_BELOW_REWARD", "rewards[1].cost_cents", "cuesta $90.00, y a la empresa le quedan $89.99"},
		{"a budget of stamps below a reward", func(c *campaign, _ *facts) { c.Budget.Stamps = 9 },
			failure, "BUDGET_BELOW_REWARD", "budget.stamps", "a lo más 9 sellos, y el premio más barato, «Refresco», cuesta 10 sellos"},
		{"a budget of points below a reward", func(c *campaign, _ *facts) { c.Budget.Points = 499 },
			failure, "BUDGET_BELOW_REWARD", "budget.points", "«Playera», cuesta 500 puntos"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, f := sound()
			c.change(&v, &f)
			require.Empty(t, v.Check(), "the document itself is well-formed")
			got := loyalty.Review(v, f)
			require.Len(t, got, 1, "%v", got)
			require.Equal(t, loyalty.Finding{Severity: c.severity, Code: c.code, Field: c.field, Message: got[0].Message}, got[0])
			require.Contains(t, got[0].Message, c.says)
			require.True(t, strings.HasSuffix(got[0].Message, "."))
		})
	}
}

// A tier that nobody reaches keeps its rewards from everybody.
func TestReviewFollowsATierToItsRewards(t *testing.T) {
	c, facts := sound()
	c.Tiers.Levels[1] = loyalty.Level{Name: "Oro", Purchases: 2000}
	c.Limits = append(c.Limits, loyalty.Limit{ID: "l3", Counts: loyalty.CountPurchases, Max: 20, Period: loyalty.EachDay})
	var codes []string
	for _, f := range loyalty.Review(c, facts) {
		codes = append(codes, f.Code)
	}
	require.Equal(t, []string{"TIER_UNREACHABLE", "REWARD_TIER_UNREACHABLE"}, codes)
}

// A boost that opens for one of a short campaign's hours is not empty.
func TestReviewFindsTheHoursOfAShortCampaign(t *testing.T) {
	for name, w := range map[string]loyalty.When{
		"the only weekday":                    {Weekdays: []time.Weekday{2}},
		"the last hour":                       {From: "23:00"},
		"the night that began the day before": {Weekdays: []time.Weekday{1}, From: "22:00", To: "02:00"},
		"no condition":                        {},
	} {
		c, facts := sound()
		c.StartsAt, c.EndsAt = march.AddDate(0, 0, 2), march.AddDate(0, 0, 3)
		c.Boosts[0].When, c.Limits, c.Tiers, facts.Rewards[1].MinTier, facts.Rewards[1].EndsAt = w, nil, nil, "", time.Time{}
		require.Empty(t, loyalty.Review(c, facts), name)
	}
}

// What limits bound apart for each shop, product or unit bounds nobody's balance.
func TestReviewDoesNotMistakeANarrowLimit(t *testing.T) {
	for name, l := range map[string]loyalty.Limit{
		"of one shop":     {Max: 2, Period: loyalty.Lifetime, PerShop: true},
		"of a product":    {Max: 2, Period: loyalty.Lifetime, Products: []loyalty.ID{anID(2)}},
		"of a brand":      {Max: 2, Period: loyalty.Lifetime, Brands: []loyalty.ID{anID(2)}},
		"of all cards":    {Max: 2, Period: loyalty.EachDay, Counts: loyalty.CountPurchases, AllCards: true, PerShop: true},
		"of one purchase": {Max: 2, Period: loyalty.EachPurchase},
		"of an hour":      {Max: 2, Period: loyalty.EachHour},
	} {
		c, facts := sound()
		c.Limits = []loyalty.Limit{l}
		require.Empty(t, c.Check(), name)
		require.Empty(t, loyalty.Review(c, facts), name)
	}
}

func TestReviewPutsWhatKeepsFromReviewFirst(t *testing.T) {
	c, facts := sound()
	c.Goal, facts.Rewards[0].Cost, c.Budget.Points, facts.Shops = 9, 0, 499, 0
	var severities []loyalty.Severity
	for _, f := range loyalty.Review(c, facts) {
		severities = append(severities, f.Severity)
	}
	require.Equal(t, []loyalty.Severity{loyalty.SeverityError, loyalty.SeverityError, loyalty.SeverityWarning, loyalty.SeverityWarning}, severities)
}

func TestReviewLeavesAShopItsOwnCosts(t *testing.T) {
	c, facts := sound()
	c.CPG, c.Owner, facts.Rewards[0].Cost = "", anID(5), 0
	require.Empty(t, loyalty.Review(c, facts))
}
