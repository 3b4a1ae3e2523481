package loyalty

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Severity of a finding.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"   // the campaign can't be sent to review
	SeverityWarning Severity = "warning" // it can; maybe it isn't meant so
)

// Finding is something in a campaign that contradicts itself or what there is.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`    // a stable SCREAMING_SNAKE name
	Field    string   `json:"field"`   // of the API's campaign; of a reward, "rewards[i].…"
	Message  string   `json:"message"` // Spanish, with the figures
}

// Facts are what a review needs to know beside the campaign.
type Facts struct {
	Now             time.Time
	Rewards         []RewardFacts
	PLIs            int64    // products that the terms make PLIs
	Shops           int64    // that the terms aim at
	ForeignProducts []string // names of products that the terms list and that are another CPG's
	UnknownSegments []ID     // that the audience or a reward names, and that are not the owner's
	AudienceTiers   []string // names of the tiers of Audience.TierOf; nil where there is no such campaign of the owner
	MoneyLeft       *Cents   // of the CPG's budget; nil is no bound
}

// RewardFacts are what a review needs to know of a reward.
type RewardFacts struct {
	Name      string
	Unit      Unit
	Threshold int64
	Stock     *int64    // nil is unlimited
	StartsAt  time.Time // zero: with the campaign
	EndsAt    time.Time // zero: never
	Cost      Cents
	MinTier   string
	Segment   ID
	Active    bool
}

// MaxQuantity bounds the units in one line of a purchase.
const MaxQuantity = 999

// Review finds the contradictions of a campaign whose terms Check lets pass:
// first what keeps it from review, then what is only odd. What is about time is
// seen in the default time zone, since shops may be in several.
func Review(c Campaign, facts Facts) []Finding {
	r := review{Campaign: &c, Facts: &facts}
	r.dates()
	r.reach()
	r.audience()
	r.boosts()
	r.conditions()
	r.tiers()
	r.rewards()
	r.budget()
	slices.SortStableFunc(r.findings, func(a, b Finding) int { return strings.Compare(string(a.Severity), string(b.Severity)) })
	return r.findings
}

type review struct {
	*Campaign
	*Facts
	findings []Finding
}

func (r *review) fail(code, field, message string, args ...any) {
	r.findings = append(r.findings, Finding{SeverityError, code, field, fmt.Sprintf(message, args...)})
}

func (r *review) warn(code, field, message string, args ...any) {
	r.findings = append(r.findings, Finding{SeverityWarning, code, field, fmt.Sprintf(message, args...)})
}

func (r *review) dates() {
	if !r.EndsAt.IsZero() && !r.EndsAt.After(r.Now) {
		r.fail("CAMPAIGN_OVER", "ends_at", "La campaña termina %s, y esa fecha ya pasó.", momentInWords(r.EndsAt))
	}
	if r.Expiry == nil || r.Expiry.On.IsZero() {
		return
	}
	switch on := r.Expiry.On; {
	case !on.After(r.StartsAt):
		r.fail("EXPIRY_BEFORE_START", "expiry.on", "Lo ganado vence %s, antes de que empiece la campaña, %s.", momentInWords(on), momentInWords(r.StartsAt))
	case !r.EndsAt.IsZero() && on.After(r.EndsAt):
		r.warn("EXPIRY_AFTER_END", "expiry.on", "Lo ganado vence %s, después de que termina la campaña, %s.", momentInWords(on), momentInWords(r.EndsAt))
	}
}

// reach is about which products and shops there are.
func (r *review) reach() {
	if len(r.ForeignProducts) > 0 {
		r.fail("FOREIGN_PRODUCT", "product_ids", "No participan productos de otra empresa: %s.", few(r.ForeignProducts))
	}
	if r.PLIs == 0 {
		r.fail("NO_PRODUCTS", "product_ids", "Ningún producto participa: elige productos o marcas que no estén excluidos.")
	}
	if r.Shops == 0 {
		r.fail("NO_SHOPS", "shop_ids", "Ninguna tienda participa: elige tiendas, o amplía el tipo, los estados o las ciudades.")
	}
}

func (r *review) audience() {
	a := &r.Audience
	if slices.ContainsFunc(a.Segments, r.unknown) {
		r.fail("SEGMENT_UNKNOWN", "audience.segment_ids", "La campaña es para un segmento que no existe.")
	}
	switch {
	case a.TierOf == "":
	case a.TierOf == r.ID:
		r.fail("AUDIENCE_OF_ITSELF", "audience.tier_of", "La campaña pide un nivel de ella misma, así que nadie podría empezar.")
	case len(r.AudienceTiers) == 0:
		r.fail("AUDIENCE_TIER_UNKNOWN", "audience.tier_of", "La campaña pide un nivel de otra campaña que no existe o no tiene niveles.")
	case a.MinTier != "" && !slices.Contains(r.AudienceTiers, a.MinTier):
		r.fail("AUDIENCE_TIER_UNKNOWN", "audience.min_tier", "La otra campaña no tiene el nivel «%s»; tiene %s.", a.MinTier, either(r.AudienceTiers))
	}
}

func (r *review) unknown(segment ID) bool { return slices.Contains(r.UnknownSegments, segment) }

func (r *review) boosts() {
	for i := range r.Boosts {
		w, at := &r.Boosts[i].When, fmt.Sprintf("boosts[%d].when.", i)
		name := fmt.Sprintf("El impulso «%s»", r.Boosts[i].Name)
		switch {
		case w.From != "" && w.From == w.To:
			r.fail("BOOST_WINDOW_EMPTY", at+"to", "%s abre y cierra a las %s; quita las horas si es todo el día.", name, w.From)
		case !r.opens(w):
			r.fail("BOOST_WINDOW_NEVER", at+"weekdays", "%s no cae en ningún momento de la campaña, que va %s.", name, r.span())
		}
		switch {
		case w.MinTier == "":
		case r.Tiers.Rank(w.MinTier) == 0:
			r.fail("BOOST_TIER_UNKNOWN", at+"min_tier", "%s pide el nivel «%s», que la campaña no tiene.", name, w.MinTier)
		case w.First:
			r.fail("BOOST_IMPOSSIBLE", at+"first", "%s es para la primera compra y pide el nivel «%s», pero en la primera compra nadie tiene nivel.", name, w.MinTier)
		}
		if len(w.Brands) == 0 && len(w.Products) > 0 && !slices.ContainsFunc(w.Products, r.maySell) {
			r.fail("BOOST_PRODUCTS_OUT", at+"product_ids", "%s es de productos que no participan en la campaña.", name)
		}
	}
}

// maySell says whether the terms leave room for a product to be a PLI. Which
// products are of a brand they don't say.
func (r *review) maySell(product ID) bool {
	return !contains(r.ExcludedProducts, product) && (r.AllProducts || len(r.Brands) > 0 || contains(r.Products, product))
}

// opens says whether a boost's hours are open at some moment of the campaign
// that is still to come.
func (r *review) opens(w *When) bool {
	from, to := r.StartsAt, r.EndsAt
	if r.Now.After(from) {
		from = r.Now
	}
	if to.IsZero() || !to.After(from) || to.Sub(from) > 8*oneDay { // permanent, over anyway, or longer than any week
		return true
	}
	zone := Zone(DefaultTimeZone)
	for at := from; at.Before(to); at = at.Truncate(time.Minute).Add(time.Minute) {
		open, day := w.window(at.In(zone))
		if open && (len(w.Weekdays) == 0 || slices.Contains(w.Weekdays, day)) {
			return true
		}
	}
	return false
}

// conditions are those on purchases, and limits.
func (r *review) conditions() {
	const units = MaxLines * MaxQuantity
	if r.MinQuantity > units {
		r.fail("MINIMUM_NEVER_MET", "min_quantity", "Se piden %s piezas por compra, y en una compra caben a lo más %s.", Thousands(r.MinQuantity), Thousands(units))
	}
	if most := units * MaxPrice; r.MinSpend > most {
		r.fail("MINIMUM_NEVER_MET", "min_spend_cents", "Se piden %s por compra, y una compra suma a lo más %s.", r.MinSpend, most)
	}
	cooldown := time.Duration(r.CooldownMinutes) * time.Minute
	if !r.EndsAt.IsZero() && cooldown > r.EndsAt.Sub(r.StartsAt) {
		r.fail("COOLDOWN_TOO_LONG", "cooldown_minutes", "Hay que esperar %s minutos entre compras, más de lo que dura la campaña: cada quien ganaría una sola vez.", Thousands(r.CooldownMinutes))
	}
	for i := range r.Limits {
		l := &r.Limits[i]
		for _, w := range r.Earn {
			if l.Counts == CountEarned && w.Unit == r.unitOf(l) && l.Max < w.Amount {
				r.warn("LIMIT_BELOW_EARNING", fmt.Sprintf("limits[%d].max", i), "El límite es de %s y cada vez se ganan %s: siempre se recorta.", inUnits(l.Max, w.Unit), inUnits(w.Amount, w.Unit))
				break
			}
		}
	}
}

func (r *review) tiers() {
	if r.Tiers == nil {
		return
	}
	for i := range r.Tiers.Levels {
		if l := &r.Tiers.Levels[i]; !r.reachable(l) {
			r.fail("TIER_UNREACHABLE", fmt.Sprintf("tiers.levels[%d]", i), "Con los límites de la campaña nadie llega al nivel «%s».", l.Name)
		}
	}
}

// reachable says whether limits let anybody reach a level: any of its thresholds
// is enough.
func (r *review) reachable(l *Level) bool {
	days := daysBetween(r.StartsAt, r.EndsAt)
	switch {
	case r.Tiers.Keep != TierPerPeriod:
	case r.Tiers.Period == EachWeek:
		days = min(days, 7)
	default:
		days = min(days, 31)
	}
	most := r.most(days)
	units := r.Scheme.Units()
	return l.Spend > 0 ||
		l.Purchases > 0 && l.Purchases <= most.purchases ||
		l.Earned > 0 && l.Earned <= most.earned(units[len(units)-1])
}

func (r *review) rewards() {
	active, goals := 0, map[Unit]bool{}
	for i := range r.Rewards {
		if reward := &r.Rewards[i]; reward.Active {
			active++
			goals[reward.Unit] = goals[reward.Unit] || reward.Threshold == r.GoalOf(reward.Unit)
			r.reward(reward, fmt.Sprintf("rewards[%d].", i))
		}
	}
	if active == 0 {
		r.warn("NO_REWARD", "rewards", "La campaña no tiene ningún premio activo.")
		return
	}
	for _, u := range r.Scheme.Units() {
		if field := goalField(r.Scheme, u); !goals[u] {
			r.warn("GOAL_WITHOUT_REWARD", field, "La meta es de %s y ningún premio cuesta eso.", inUnits(r.GoalOf(u), u))
		}
	}
}

func goalField(s Scheme, u Unit) string {
	if s == Both && u == Point {
		return "points_goal"
	}
	return "goal"
}

// balance bounds what limits and expiry let one consumer have at once while a
// reward is given, and says how many days there are to earn it.
func (r *review) balance(v *RewardFacts) (most, days int64) {
	end := r.EndsAt
	if !v.EndsAt.IsZero() && (end.IsZero() || v.EndsAt.Before(end)) {
		end = v.EndsAt
	}
	days = daysBetween(r.StartsAt, end)
	if x := r.Expiry; x != nil {
		if x.Days > 0 {
			days = min(days, x.Days)
		}
		if x.On.After(r.StartsAt) && (end.IsZero() || x.On.Before(end)) { // what is earned later does not end with it
			days = max(daysBetween(r.StartsAt, x.On), daysBetween(x.On, end))
		}
	}
	return r.most(days).earned(v.Unit), days
}

func (r *review) reward(v *RewardFacts, at string) {
	name := fmt.Sprintf("El premio «%s»", v.Name)
	switch most, days := r.balance(v); {
	case !r.Scheme.Has(v.Unit):
		r.fail("REWARD_UNIT", at+"unit", "%s cuesta %s, y la campaña no da %s.", name, inUnits(v.Threshold, v.Unit), nameOf(v.Unit))
	case most < v.Threshold && days == ever:
		r.fail("REWARD_UNREACHABLE", at+"threshold", "%s cuesta %s, y los límites dejan juntar a lo más %s.", name, inUnits(v.Threshold, v.Unit), inUnits(most, v.Unit))
	case most < v.Threshold:
		in := "en el día que hay"
		if days != 1 {
			in = fmt.Sprintf("en los %s días que hay", Thousands(days))
		}
		r.fail("REWARD_UNREACHABLE", at+"threshold", "%s cuesta %s, y los límites dejan juntar a lo más %s %s para hacerlo.",
			name, inUnits(v.Threshold, v.Unit), inUnits(most, v.Unit), in)
	}
	switch rank := r.Tiers.Rank(v.MinTier); {
	case v.MinTier == "":
	case rank == 0:
		r.fail("REWARD_TIER_UNKNOWN", at+"min_tier", "%s pide el nivel «%s», que la campaña no tiene.", name, v.MinTier)
	case !slices.ContainsFunc(r.Tiers.Levels[rank-1:], func(l Level) bool { return r.reachable(&l) }):
		r.fail("REWARD_TIER_UNREACHABLE", at+"min_tier", "%s pide el nivel «%s», al que nadie llega.", name, v.MinTier)
	}
	switch {
	case !v.EndsAt.IsZero() && !v.EndsAt.After(r.StartsAt):
		r.fail("REWARD_DATES", at+"ends_at", "%s deja de darse %s, antes de que empiece la campaña, %s.", name, momentInWords(v.EndsAt), momentInWords(r.StartsAt))
	case !r.EndsAt.IsZero() && !v.StartsAt.Before(r.EndsAt):
		r.fail("REWARD_DATES", at+"starts_at", "%s empieza a darse %s, cuando la campaña ya terminó, %s.", name, momentInWords(v.StartsAt), momentInWords(r.EndsAt))
	}
	if v.Segment != "" && r.unknown(v.Segment) {
		r.fail("SEGMENT_UNKNOWN", at+"segment_id", "%s es para un segmento que no existe.", name)
	}
	if v.Stock != nil && *v.Stock == 0 {
		r.fail("REWARD_OUT_OF_STOCK", at+"stock", "%s no tiene existencias: declara cuántas hay, o quita el tope.", name)
	}
	switch {
	case r.CPG == "": // a shop's own cost is its own business
	case v.Cost == 0:
		r.warn("REWARD_WITHOUT_COST", at+"cost_cents", "%s no tiene costo, así que los reportes dirán que no cuesta nada.", name)
	case r.MoneyLeft != nil && v.Cost > *r.MoneyLeft:
		r.fail("MONEY_BELOW_REWARD", at+"cost_cents", "%s cuesta %s, y a la empresa le quedan %s de presupuesto.", name, v.Cost, *r.MoneyLeft)
	}
}

// budget is about what the campaign may give, if that buys any reward at all.
func (r *review) budget() {
	if r.Budget == nil {
		return
	}
	for _, b := range []struct {
		unit  Unit
		most  int64
		field string
	}{{Stamp, r.Budget.Stamps, "budget.stamps"}, {Point, r.Budget.Points, "budget.points"}} {
		var cheapest *RewardFacts
		for i := range r.Rewards {
			if v := &r.Rewards[i]; v.Active && v.Unit == b.unit && (cheapest == nil || v.Threshold < cheapest.Threshold) {
				cheapest = v
			}
		}
		if cheapest != nil && b.most > 0 && b.most < cheapest.Threshold {
			r.fail("BUDGET_BELOW_REWARD", b.field, "La campaña da en total a lo más %s, y el premio más barato, «%s», cuesta %s.",
				inUnits(b.most, b.unit), cheapest.Name, inUnits(cheapest.Threshold, b.unit))
		}
	}
}

// inUnits writes an amount: "1 sello", "1,200 puntos".
func inUnits(n int64, u Unit) string {
	name := nameOf(u)
	if n == 1 {
		name = strings.TrimSuffix(name, "s")
	}
	return Thousands(n) + " " + name
}

// momentInWords writes a moment as a brand team reads it.
func momentInWords(t time.Time) string {
	t = t.In(Zone(DefaultTimeZone))
	return fmt.Sprintf("el %s de %d a las %s", DayInWords(t), t.Year(), t.Format("15:04"))
}

// span writes the campaign's dates, of which it has both.
func (r *review) span() string {
	return "d" + momentInWords(r.StartsAt) + " al " + strings.TrimPrefix(momentInWords(r.EndsAt), "el ")
}

// few names at most three of a list.
func few(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s y %d más", strings.Join(names[:most], ", "), len(names)-most)
}
