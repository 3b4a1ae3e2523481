package api

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// naming calls things by their names; what has none here is only counted.
type naming map[loyalty.ID]string

// mostListed is how many names a sentence lists; the rest are counted.
const mostListed = 8

// list says "a, b y c", "a, b y 12 más", "3 productos".
func (n naming) list(ids []loyalty.ID, one, many string) string {
	var names []string
	for _, id := range ids {
		if name := n[id]; name != "" && len(names) < mostListed {
			names = append(names, name)
		}
	}
	rest := len(ids) - len(names)
	switch {
	case len(names) == 0:
		return countWords(int64(rest), one, many)
	case rest > 0:
		return strings.Join(names, ", ") + " y " + strconv.Itoa(rest) + " más"
	}
	return listWords(names)
}

func listWords(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " y " + names[len(names)-1]
}

func countWords(n int64, one, many string) string {
	if n == 1 || n == -1 {
		return strconv.FormatInt(n, 10) + " " + one
	}
	return loyalty.Thousands(n) + " " + many
}

func unitWords(unit loyalty.Unit, n int64) string {
	if unit == loyalty.Stamp {
		return countWords(n, "sello", "sellos")
	}
	return countWords(n, "punto", "puntos")
}

// earnWords says in words what a campaign gives.
func earnWords(v loyalty.Campaign) string {
	var all []string
	for _, w := range v.Earn {
		all = append(all, unitWords(w.Unit, w.Amount)+" por "+basisWords(w))
	}
	return listWords(all)
}

// termsWords says what terms mean, in the words of who sells.
func termsWords(t *loyalty.Terms, n naming) []templates.CampaignPart {
	var all []templates.CampaignPart
	part := func(title string, lines ...string) {
		p := templates.CampaignPart{Title: title}
		for _, l := range lines {
			if l != "" {
				p.Lines = append(p.Lines, upperFirst(l)+".")
			}
		}
		if len(p.Lines) > 0 {
			all = append(all, p)
		}
	}
	part("Tarjeta", cardWords(t)...)
	part("Fechas", datesWords(t))
	part("Productos", productWords(t, n)...)
	part("Tiendas", placeWords(t, n)...)
	part("Cómo se gana", earningWords(t)...)
	part("Aceleradores", boostWords(t, n)...)
	part("Límites", limitWords(t, n)...)
	part("Presupuesto", budgetWords(t)...)
	part("Niveles", tierWords(t)...)
	part("Vencimiento", expiryWords(t))
	part("Público", audienceWords(t, n)...)
	part("Compras por confirmar", pendingWords(t))
	part("Economía", "margen declarado de "+loyalty.Percent(t.MarginBPS)+"; cuota de "+t.Fee.String()+" por semana")
	part("Recordatorios", fmt.Sprintf("a quien lleva %s sin comprar, cuando mucho cada %s", days(t.NudgeQuietDays), days(t.NudgeGapDays)))
	return all
}

func days[T ~int | ~int64](n T) string { return countWords(int64(n), "día", "días") }

func cardWords(t *loyalty.Terms) []string {
	var lines []string
	for _, u := range t.Scheme.Units() {
		lines = append(lines, "se juntan "+map[loyalty.Unit]string{loyalty.Stamp: "sellos", loyalty.Point: "puntos"}[u]+"; la meta es "+loyalty.Thousands(t.GoalOf(u)))
	}
	if t.Enrolment == loyalty.OnRequest {
		lines = append(lines, "el cliente entra cuando lo pide en su tarjeta")
	} else {
		lines = append(lines, "el cliente entra solo, con su primera compra")
	}
	if t.PerShop {
		lines = append(lines, "se junta aparte en cada tienda")
	}
	if t.Priority != 0 {
		lines = append(lines, "prioridad "+loyalty.Thousands(t.Priority)+" entre las campañas")
	}
	if t.Exclusive {
		lines = append(lines, "es exclusiva: lo que gana aquí no gana en las campañas que siguen")
	}
	return lines
}

// dayWords is a moment as a day, with the hour where it is not midnight.
func dayWords(t time.Time) string {
	t = t.In(loyalty.Zone(""))
	text := loyalty.DayInWords(t) + " de " + strconv.Itoa(t.Year())
	if t.Hour()+t.Minute() > 0 {
		text += " a las " + t.Format("15:04")
	}
	return text
}

func datesWords(t *loyalty.Terms) string {
	switch {
	case t.StartsAt.IsZero() && t.EndsAt.IsZero():
		return "permanente, desde que se active"
	case t.EndsAt.IsZero():
		return "desde el " + dayWords(t.StartsAt) + ", permanente"
	}
	return "del " + dayWords(t.StartsAt) + " al " + dayWords(t.EndsAt)
}

func productWords(t *loyalty.Terms, n naming) []string {
	var lines []string
	if t.AllProducts {
		lines = append(lines, "todos los productos de la empresa")
	}
	if len(t.Brands) > 0 {
		lines = append(lines, "todo lo de "+n.list(t.Brands, "marca", "marcas"))
	}
	if len(t.Products) > 0 {
		lines = append(lines, n.list(t.Products, "producto", "productos"))
	}
	if len(t.ExcludedProducts) > 0 {
		lines = append(lines, "menos "+n.list(t.ExcludedProducts, "producto", "productos"))
	}
	return lines
}

var kindNames = map[string]string{"tiendita": "tienditas", "minisuper": "minisúpers", "chain": "cadenas"}

func placeWords(t *loyalty.Terms, n naming) []string {
	var lines []string
	if t.AllShops {
		lines = append(lines, "todas las tiendas con las que hay relación")
	}
	if len(t.ShopKinds)+len(t.States)+len(t.Cities) > 0 {
		what := "tiendas"
		if len(t.ShopKinds) > 0 {
			var names []string
			for _, k := range t.ShopKinds {
				names = append(names, cmp.Or(kindNames[k], k))
			}
			what = listWords(names)
		}
		if places := append(append([]string{}, t.Cities...), t.States...); len(places) > 0 {
			what += " de " + listWords(places)
		}
		lines = append(lines, what)
	}
	if len(t.Shops) > 0 {
		lines = append(lines, n.list(t.Shops, "tienda", "tiendas"))
	}
	if len(t.ExcludedShops) > 0 {
		lines = append(lines, "menos "+n.list(t.ExcludedShops, "tienda", "tiendas"))
	}
	switch t.Joining {
	case loyalty.JoinByInvitation:
		lines = append(lines, "cada tienda participa cuando acepta una invitación")
	case loyalty.JoinBySelf:
		lines = append(lines, "cada tienda participa cuando se apunta")
	case loyalty.JoinAtOnce:
	}
	return lines
}

// basisWords says for what one earns.
func basisWords(w loyalty.Earn) string {
	each := w.Each > 1
	switch w.Per {
	case loyalty.PerPeso:
		if each {
			return "cada " + loyalty.Thousands(w.Each) + " pesos"
		}
		return "cada peso"
	case loyalty.PerPurchase:
		return "compra"
	case loyalty.PerVisit:
		return "visita, una al día en cada tienda"
	case loyalty.PerUnit:
	}
	if each {
		return "cada " + loyalty.Thousands(w.Each) + " piezas"
	}
	return "pieza"
}

func earningWords(t *loyalty.Terms) []string {
	var lines []string
	for _, w := range t.Earn {
		lines = append(lines, unitWords(w.Unit, w.Amount)+" por "+basisWords(w))
	}
	switch t.Rounding {
	case loyalty.RoundNearest:
		lines = append(lines, "las fracciones se redondean al más cercano")
	case loyalty.RoundUp:
		lines = append(lines, "las fracciones se redondean hacia arriba")
	case loyalty.RoundDown:
	}
	if t.MinSpend > 0 {
		lines = append(lines, "compra mínima de "+t.MinSpend.String()+" en productos que participan")
	}
	if t.MinQuantity > 0 {
		lines = append(lines, "mínimo "+countWords(t.MinQuantity, "pieza", "piezas")+" que participen")
	}
	if t.CooldownMinutes > 0 {
		lines = append(lines, "entre dos compras que ganan pasan al menos "+countWords(t.CooldownMinutes, "minuto", "minutos"))
	}
	return lines
}

var dayNames = map[time.Weekday]string{
	time.Monday: "lunes", time.Tuesday: "martes", time.Wednesday: "miércoles", time.Thursday: "jueves",
	time.Friday: "viernes", time.Saturday: "sábados", time.Sunday: "domingos",
}

// timesWords says how much a percentage makes of something.
func timesWords(percent int64) string {
	switch percent {
	case 200:
		return "el doble"
	case 300:
		return "el triple"
	}
	return loyalty.Percent(percent*100) + " de lo normal"
}

func boostWords(t *loyalty.Terms, n naming) []string {
	var lines []string
	for _, b := range t.Boosts {
		var gives []string
		if b.Percent > 100 {
			gives = append(gives, timesWords(b.Percent))
		}
		if b.Bonus > 0 {
			gives = append(gives, unitWords(cmp.Or(b.Unit, t.Scheme.Unit()), b.Bonus)+" más")
		}
		text := listWords(gives)
		if b.Name != "" {
			text = b.Name + ": " + text
		}
		if when := whenWords(b.When, n); when != "" {
			text += " " + when
		}
		lines = append(lines, text)
	}
	if len(t.Boosts) > 1 && t.Stacking == loyalty.StackAll {
		lines = append(lines, "si se cumplen varios, se suman")
	}
	return lines
}

func whenWords(w loyalty.When, n naming) string {
	var parts []string
	if len(w.Weekdays) > 0 {
		var names []string
		for _, d := range w.Weekdays {
			names = append(names, dayNames[d])
		}
		parts = append(parts, "los "+listWords(names))
	}
	if w.From != "" || w.To != "" {
		parts = append(parts, "de "+cmp.Or(w.From, "00:00")+" a "+cmp.Or(w.To, "24:00"))
	}
	if len(w.Products) > 0 {
		parts = append(parts, "con "+n.list(w.Products, "producto", "productos"))
	}
	if len(w.Brands) > 0 {
		parts = append(parts, "con lo de "+n.list(w.Brands, "marca", "marcas"))
	}
	if w.First {
		parts = append(parts, "en la primera compra")
	}
	if w.Birthday {
		parts = append(parts, "en el cumpleaños")
	}
	if w.MinTier != "" {
		parts = append(parts, "desde el nivel "+w.MinTier)
	}
	return strings.Join(parts, ", ")
}

var periodNames = map[loyalty.Period]string{
	loyalty.EachPurchase: "por compra", loyalty.EachHour: "por hora", loyalty.EachDay: "al día", loyalty.EachWeek: "por semana",
	loyalty.EachMonth: "al mes", loyalty.Lifetime: "en toda la campaña",
}

func limitWords(t *loyalty.Terms, n naming) []string {
	var lines []string
	for _, l := range t.Limits {
		text := "máximo " + unitWords(cmp.Or(l.Unit, t.Scheme.Unit()), l.Max)
		if l.Counts == loyalty.CountPurchases {
			text = "máximo " + countWords(l.Max, "compra que gana", "compras que ganan")
		}
		text += " " + periodNames[l.Period]
		switch {
		case l.AllCards:
			text += ", entre todos los clientes de la tienda"
		case l.PerShop:
			text += " por cliente, en cada tienda"
		default:
			text += " por cliente"
		}
		if len(l.Products) > 0 {
			text += ", de " + n.list(l.Products, "producto", "productos")
		}
		if len(l.Brands) > 0 {
			text += ", de " + n.list(l.Brands, "marca", "marcas")
		}
		lines = append(lines, text)
	}
	return lines
}

func budgetWords(t *loyalty.Terms) []string {
	b := t.Budget
	if b == nil {
		return []string{"sin límite"}
	}
	var parts []string
	for _, p := range []struct {
		n         int64
		one, many string
	}{{b.Stamps, "sello", "sellos"}, {b.Points, "punto", "puntos"}, {b.Rewards, "premio", "premios"}} {
		if p.n > 0 {
			parts = append(parts, countWords(p.n, p.one, p.many))
		}
	}
	after := "la campaña sigue y avisa que ya no da"
	if b.Exhausted == loyalty.PauseCampaign {
		after = "la campaña se pausa"
	}
	return []string{"hasta " + listWords(parts) + " en total", "cuando se acabe, " + after}
}

func tierWords(t *loyalty.Terms) []string {
	if t.Tiers == nil {
		return nil
	}
	unit := t.Scheme.Units()[len(t.Scheme.Units())-1]
	var lines []string
	for _, l := range t.Tiers.Levels {
		var needs, gives []string
		if l.Purchases > 0 {
			needs = append(needs, countWords(l.Purchases, "compra", "compras"))
		}
		if l.Spend > 0 {
			needs = append(needs, l.Spend.String()+" gastados")
		}
		if l.Earned > 0 {
			needs = append(needs, unitWords(unit, l.Earned)+" ganados")
		}
		if l.Percent > 100 {
			gives = append(gives, "gana "+timesWords(l.Percent))
		}
		if l.Discount != "" {
			gives = append(gives, l.Discount)
		}
		text := l.Name + ": con " + strings.Join(needs, " o ")
		if len(gives) > 0 {
			text += "; " + strings.Join(gives, "; ")
		}
		lines = append(lines, text)
	}
	switch t.Tiers.Keep {
	case loyalty.TierForGood:
		lines = append(lines, "el nivel es para siempre")
	case loyalty.TierPerPeriod:
		period := "semana"
		if t.Tiers.Period == loyalty.EachMonth {
			period = "mes"
		}
		lines = append(lines, "el nivel se gana de nuevo cada "+period+", con "+days(t.Tiers.GraceDays)+" de gracia")
	case loyalty.TierToReward:
		lines = append(lines, "el nivel empieza de nuevo con cada premio")
	}
	return lines
}

func expiryWords(t *loyalty.Terms) string {
	x := t.Expiry
	if x == nil {
		return "lo que se junta no vence"
	}
	text := ""
	switch {
	case !x.On.IsZero():
		text = "todo vence el " + dayWords(x.On)
	case x.Days > 0:
		text = "cada sello o punto vence " + days(x.Days) + " después de ganarse"
	default:
		text = "todo vence después de " + days(x.InactiveDays) + " sin ganar nada"
	}
	return text + "; se avisa " + days(cmp.Or(x.WarnDays, 7)) + " antes"
}

func audienceWords(t *loyalty.Terms, n naming) []string {
	var lines []string
	if len(t.Audience.Segments) > 0 {
		lines = append(lines, "solo clientes de "+n.list(t.Audience.Segments, "segmento", "segmentos"))
	}
	if t.Audience.TierOf != "" {
		lines = append(lines, "solo quien tenga "+cmp.Or(prefixed("al menos el nivel ", t.Audience.MinTier), "algún nivel")+" en "+cmp.Or(n[t.Audience.TierOf], "otra campaña"))
	}
	if lines == nil {
		return []string{"para todos los clientes"}
	}
	return lines
}

// prefixed is nothing where there is nothing to begin.
func prefixed(begin, text string) string {
	if text == "" {
		return ""
	}
	return begin + text
}

func pendingWords(t *loyalty.Terms) string {
	switch {
	case t.Pending == nil:
		return ""
	case t.Pending.Hours == 0:
		return "si el código de la tarjeta se escribió, se gana cuando el cliente responde SÍ"
	}
	return "si el código de la tarjeta se escribió, se gana cuando el cliente responde SÍ, o después de " + countWords(t.Pending.Hours, "hora", "horas")
}
