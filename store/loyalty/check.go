package loyalty

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Bounds of a campaign's terms. They keep documents small and the arithmetic of
// the engine inside 64 bits.
const (
	maxText     = 120 // characters
	maxPlace    = 80  // of a state's or city's name
	maxPlaces   = 50
	maxProducts = 1000
	maxShops    = 20_000
	maxSegments = 50
	maxParts    = 20 // boosts, limits
	maxLevels   = 10

	maxGoal     = 1_000_000
	maxAmount   = 1000 // of one earning
	maxCount    = 1_000_000_000
	maxBudget   = 1_000_000_000_000
	maxMoney    = 10_000_000_000 // a hundred million pesos, in centavos
	maxSpend    = 10_000_000_000_000
	maxDays     = 3650
	maxMinutes  = 43_200 // thirty days
	maxPriority = 1000
)

var schemes = []Scheme{Stamps, Points, Both}

// shopKinds are the types of shops.
var shopKinds = []string{"tiendita", "minisuper", "chain"}

var limitID = regexp.MustCompile(`^[a-z0-9_]{1,20}$`)

// Check says what is wrong with the terms as a document: ranges, choices and
// what may not go together, with the paths of API fields. Whether they make
// sense as a campaign is said by Review. It also tidies them as the engine
// relies on: lists of IDs sorted, texts trimmed, moments in UTC, limits named.
func (t *Terms) Check() []FieldError {
	var c Checker
	t.checkCard(&c)
	if !slices.Contains(schemes, t.Scheme) {
		return c.Fields // on which the rest depends
	}
	t.checkProducts(&c)
	t.checkPlaces(&c)
	t.checkEarn(&c)
	t.checkBoosts(&c)
	t.checkConditions(&c)
	t.checkLimits(&c)
	t.checkBudget(&c)
	t.checkExpiry(&c)
	t.checkTiers(&c)
	c.Between("margin_bps", t.MarginBPS, 0, 10_000)
	c.Between("fee_cents", int64(t.Fee), 0, maxMoney)
	c.Between("nudge_quiet_days", int64(t.NudgeQuietDays), 1, 365)
	c.Between("nudge_gap_days", int64(t.NudgeGapDays), 1, 365)
	return c.Fields
}

func (t *Terms) checkCard(c *Checker) {
	c.Text("name", &t.Name, 1, maxText)
	checkOne(c, "scheme", t.Scheme, schemes...)
	checkOne(c, "enrolment", t.Enrolment, Automatic, OnRequest)
	c.Between("goal", t.Goal, 1, maxGoal)
	switch t.Scheme {
	case Both:
		c.Between("points_goal", t.PointsGoal, 1, maxGoal)
	case Stamps, Points:
		c.Want(t.PointsGoal == 0, "points_goal", "solo va cuando scheme es both")
	}
	c.Moment("starts_at", &t.StartsAt)
	if t.EndsAt.IsZero() {
		t.EndsAt = time.Time{}
		return
	}
	c.Moment("ends_at", &t.EndsAt)
	c.Want(t.EndsAt.After(t.StartsAt), "ends_at", "debe ser después de starts_at")
}

func (t *Terms) checkProducts(c *Checker) {
	c.IDs("brand_ids", &t.Brands, maxProducts)
	c.IDs("product_ids", &t.Products, maxProducts)
	c.IDs("excluded_product_ids", &t.ExcludedProducts, maxProducts)
	if t.AllProducts {
		const alone = "no va junto con all_products"
		c.Want(len(t.Brands) == 0, "brand_ids", alone)
		c.Want(len(t.Products) == 0, "product_ids", alone)
	}
}

func (t *Terms) checkPlaces(c *Checker) {
	if c.Few("shop_kinds", len(t.ShopKinds), len(shopKinds)) {
		before := len(c.Fields)
		for i, kind := range t.ShopKinds {
			checkOne(c, fmt.Sprintf("shop_kinds[%d]", i), kind, shopKinds...)
		}
		if len(c.Fields) == before {
			t.ShopKinds = tidied(t.ShopKinds)
		}
	}
	c.Names("states", &t.States, maxPlaces, maxPlace)
	c.Names("cities", &t.Cities, maxPlaces, maxPlace)
	c.IDs("shop_ids", &t.Shops, maxShops)
	c.IDs("excluded_shop_ids", &t.ExcludedShops, maxShops)
	checkOne(c, "joining", t.Joining, JoinAtOnce, JoinByInvitation, JoinBySelf)
	if t.AllShops {
		const alone = "no va junto con all_shops"
		c.Want(len(t.ShopKinds) == 0, "shop_kinds", alone)
		c.Want(len(t.States) == 0, "states", alone)
		c.Want(len(t.Cities) == 0, "cities", alone)
		c.Want(len(t.Shops) == 0, "shop_ids", alone)
	}
}

// basesOf are what a unit may be earned by.
func basesOf(u Unit) []EarnBasis {
	if u == Stamp {
		return []EarnBasis{PerUnit, PerPurchase, PerVisit}
	}
	return []EarnBasis{PerUnit, PerPeso, PerPurchase, PerVisit}
}

func (t *Terms) checkEarn(c *Checker) {
	checkOne(c, "rounding", t.Rounding, RoundDown, RoundNearest, RoundUp)
	checkOne(c, "stacking", t.Stacking, StackBest, StackAll)
	c.Between("priority", t.Priority, -maxPriority, maxPriority)
	if !c.Few("earn", len(t.Earn), len(basesOf(Stamp))+len(basesOf(Point))) {
		return
	}
	for i := range t.Earn {
		t.Earn[i].check(c, fmt.Sprintf("earn[%d].", i), t.Scheme)
		same := func(w Earn) bool { return w.Unit == t.Earn[i].Unit && w.Per == t.Earn[i].Per }
		c.Want(!slices.ContainsFunc(t.Earn[:i], same), fmt.Sprintf("earn[%d]", i), "ya hay una forma de ganar por lo mismo")
	}
	for _, u := range t.Scheme.Units() {
		c.Want(slices.ContainsFunc(t.Earn, func(w Earn) bool { return w.Unit == u }), "earn", "debe decir cómo se ganan los "+nameOf(u))
	}
}

func (w *Earn) check(c *Checker, at string, scheme Scheme) {
	checkOne(c, at+"unit", w.Unit, scheme.Units()...)
	checkOne(c, at+"per", w.Per, basesOf(w.Unit)...)
	c.Between(at+"amount", w.Amount, 1, maxAmount)
	if w.Per == PerPurchase || w.Per == PerVisit {
		c.Want(w.Each == 0 || w.Each == 1, at+"each", "solo va con unit o peso")
	} else {
		c.Between(at+"each", w.Each, 0, 1_000_000)
	}
}

// nameOf is a unit's name in the plural.
func nameOf(u Unit) string {
	if u == Stamp {
		return "sellos"
	}
	return "puntos"
}

// checkUnit wants a unit of the scheme, or none.
func checkUnit(c *Checker, field string, u Unit, scheme Scheme) {
	c.Want(u == "" || scheme.Has(u), field, "debe ser "+either(scheme.Units()))
}

// checkPercent wants a percent that takes nothing away, or none.
func checkPercent(c *Checker, field string, percent int64) {
	c.Want(percent == 0 || percent >= 100 && percent <= MaxPercent, field, "debe estar entre 100 y "+Thousands(MaxPercent))
}

func (t *Terms) checkBoosts(c *Checker) {
	if !c.Few("boosts", len(t.Boosts), maxParts) {
		return
	}
	for i := range t.Boosts {
		b, at := &t.Boosts[i], fmt.Sprintf("boosts[%d].", i)
		c.Text(at+"name", &b.Name, 0, maxText)
		checkPercent(c, at+"percent", b.Percent)
		c.Between(at+"bonus", b.Bonus, 0, maxGoal)
		c.Want(b.Percent != 0 || b.Bonus != 0, at+"percent", "debe dar un porcentaje o un bono")
		checkUnit(c, at+"unit", b.Unit, t.Scheme)
		b.When.check(c, at+"when.")
	}
}

func (w *When) check(c *Checker, at string) {
	c.IDs(at+"product_ids", &w.Products, maxProducts)
	c.IDs(at+"brand_ids", &w.Brands, maxProducts)
	if c.Few(at+"weekdays", len(w.Weekdays), 7) {
		before := len(c.Fields)
		for i, day := range w.Weekdays {
			field := fmt.Sprintf("%sweekdays[%d]", at, i)
			c.Between(field, int64(day), 0, 6)
			c.Want(!slices.Contains(w.Weekdays[:i], day), field, "está repetido")
		}
		if len(c.Fields) == before {
			slices.Sort(w.Weekdays)
		}
	}
	checkHour(c, at+"from", w.From)
	checkHour(c, at+"to", w.To)
	c.Text(at+"min_tier", &w.MinTier, 0, maxText)
}

// checkHour wants an hour of the day, or none.
func checkHour(c *Checker, field, hour string) {
	parsed, err := time.Parse("15:04", hour)
	c.Want(hour == "" || err == nil && parsed.Format("15:04") == hour, field, "debe ser una hora de 00:00 a 23:59")
}

// checkConditions is about what a purchase and its consumer must be.
func (t *Terms) checkConditions(c *Checker) {
	c.Between("min_spend_cents", int64(t.MinSpend), 0, maxSpend)
	c.Between("min_quantity", t.MinQuantity, 0, maxCount)
	c.Between("cooldown_minutes", t.CooldownMinutes, 0, maxMinutes)
	a := &t.Audience
	c.IDs("audience.segment_ids", &a.Segments, maxSegments)
	c.Text("audience.min_tier", &a.MinTier, 0, maxText)
	if a.TierOf != "" {
		c.ID("audience.tier_of", &a.TierOf)
	} else {
		c.Want(a.MinTier == "", "audience.tier_of", "es obligatorio cuando se pide un nivel")
	}
	if t.Pending != nil {
		c.Between("pending.hours", t.Pending.Hours, 0, 168)
	}
}

func (t *Terms) checkLimits(c *Checker) {
	if !c.Few("limits", len(t.Limits), maxParts) {
		return
	}
	ids := map[string]bool{visitLimit: true}
	for i := range t.Limits {
		if id := t.Limits[i].ID; id != "" {
			c.Want(limitID.MatchString(id), fmt.Sprintf("limits[%d].id", i), "debe tener de 1 a 20 letras minúsculas sin acento, números o _")
			c.Want(!ids[id], fmt.Sprintf("limits[%d].id", i), "ya se usa")
			ids[id] = true
		}
	}
	next := 1
	for i := range t.Limits {
		l := &t.Limits[i]
		for ; l.ID == ""; next++ {
			if id := fmt.Sprintf("l%d", next); !ids[id] {
				l.ID = id
			}
		}
		l.check(c, fmt.Sprintf("limits[%d].", i), t.Scheme)
	}
}

func (l *Limit) check(c *Checker, at string, scheme Scheme) {
	checkOne(c, at+"counts", l.Counts, CountEarned, CountPurchases)
	checkUnit(c, at+"unit", l.Unit, scheme)
	c.Between(at+"max", l.Max, 1, maxCount)
	checkOne(c, at+"period", l.Period, EachPurchase, EachHour, EachDay, EachWeek, EachMonth, Lifetime)
	c.IDs(at+"product_ids", &l.Products, maxProducts)
	c.IDs(at+"brand_ids", &l.Brands, maxProducts)
	if l.Counts == CountPurchases {
		const whole = "no va con un límite de compras"
		c.Want(l.Period != EachPurchase, at+"period", whole)
		c.Want(len(l.Products) == 0, at+"product_ids", whole)
		c.Want(len(l.Brands) == 0, at+"brand_ids", whole)
	}
	if l.AllCards {
		c.Want(l.Counts == CountPurchases, at+"counts", "debe ser purchases para contar todas las tarjetas")
		c.Want(l.PerShop, at+"per_shop", "debe ser true para contar todas las tarjetas")
		c.Want(l.Period == EachHour || l.Period == EachDay, at+"period", "debe ser hour o day para contar todas las tarjetas")
	}
}

func (t *Terms) checkBudget(c *Checker) {
	b := t.Budget
	if b == nil {
		return
	}
	c.Between("budget.stamps", b.Stamps, 0, maxBudget)
	c.Between("budget.points", b.Points, 0, maxBudget)
	c.Between("budget.rewards", b.Rewards, 0, maxBudget)
	c.Want(b.Stamps == 0 || t.Scheme.Has(Stamp), "budget.stamps", "la campaña no da sellos")
	c.Want(b.Points == 0 || t.Scheme.Has(Point), "budget.points", "la campaña no da puntos")
	c.Want(b.Stamps != 0 || b.Points != 0 || b.Rewards != 0, "budget", "debe tener al menos un tope; quítalo si no hay")
	checkOne(c, "budget.exhausted", b.Exhausted, Refuse, PauseCampaign)
}

func (t *Terms) checkExpiry(c *Checker) {
	x := t.Expiry
	if x == nil {
		return
	}
	stated := 0
	if x.On.IsZero() {
		x.On = time.Time{}
	} else {
		stated++
		c.Moment("expiry.on", &x.On)
	}
	if x.Days != 0 {
		stated++
		c.Between("expiry.days", x.Days, 1, maxDays)
	}
	if x.InactiveDays != 0 {
		stated++
		c.Between("expiry.inactive_days", x.InactiveDays, 1, maxDays)
	}
	c.Want(stated == 1, "expiry", "debe decir una sola cosa: on, days o inactive_days")
	c.Between("expiry.warn_days_before", x.WarnDays, 0, 365)
}

func (t *Terms) checkTiers(c *Checker) {
	s := t.Tiers
	if s == nil {
		return
	}
	checkOne(c, "tiers.keep", s.Keep, TierForGood, TierPerPeriod, TierToReward)
	if s.Keep == TierPerPeriod {
		checkOne(c, "tiers.period", s.Period, EachWeek, EachMonth)
		c.Between("tiers.grace_days", s.GraceDays, 0, 90)
	} else {
		const only = "solo va cuando keep es period"
		c.Want(s.Period == "", "tiers.period", only)
		c.Want(s.GraceDays == 0, "tiers.grace_days", only)
	}
	c.Want(len(s.Levels) > 0, "tiers.levels", "es obligatorio")
	if !c.Few("tiers.levels", len(s.Levels), maxLevels) {
		return
	}
	names := map[string]bool{}
	var highest Level // thresholds so far
	for i := range s.Levels {
		l, at := &s.Levels[i], fmt.Sprintf("tiers.levels[%d].", i)
		l.check(c, at)
		c.Want(!names[l.Name], at+"name", "ya se usa")
		names[l.Name] = true
		const rising = "debe ser mayor que en los niveles anteriores"
		c.Want(l.Purchases == 0 || l.Purchases > highest.Purchases, at+"purchases", rising)
		c.Want(l.Spend == 0 || l.Spend > highest.Spend, at+"spend_cents", rising)
		c.Want(l.Earned == 0 || l.Earned > highest.Earned, at+"earned", rising)
		highest.Purchases = max(highest.Purchases, l.Purchases)
		highest.Spend = max(highest.Spend, l.Spend)
		highest.Earned = max(highest.Earned, l.Earned)
	}
}

func (l *Level) check(c *Checker, at string) {
	c.Text(at+"name", &l.Name, 1, maxText)
	c.Between(at+"purchases", l.Purchases, 0, maxCount)
	c.Between(at+"spend_cents", int64(l.Spend), 0, maxMoney)
	c.Between(at+"earned", l.Earned, 0, maxCount)
	c.Want(l.Purchases != 0 || l.Spend != 0 || l.Earned != 0, at+"purchases", "debe decir cómo se llega: con compras, gasto o lo ganado")
	checkPercent(c, at+"percent", l.Percent)
	c.Text(at+"discount", &l.Discount, 0, maxText)
}
