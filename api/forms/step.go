package forms

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Step is one page of the assistant: a few questions of all that the form of a
// campaign asks.
type Step struct {
	Path  string // the last part of its address
	Name  string
	about []string // what of a campaign it writes, as findings name it
	draw  func(*Form, *loyalty.Terms, *store.RewardInput, Catalogue)
}

// Steps are the assistant's, in their order. A shop's own campaign has none about
// shops.
func Steps(own bool) []Step {
	all := []Step{
		{"gana", "Qué se gana", []string{"name", "scheme", "earn"}, (*Form).gains},
		{"productos", "Productos", []string{"all_products", "brand_ids", "product_ids", "excluded_product_ids"}, func(f *Form, t *loyalty.Terms, _ *store.RewardInput, from Catalogue) {
			f.products(t, from)
		}},
		{"tiendas", "Tiendas", []string{"all_shops", "shop_kinds", "states", "cities", "shop_ids", "excluded_shop_ids", "joining"}, func(f *Form, t *loyalty.Terms, _ *store.RewardInput, from Catalogue) {
			f.shops(t, from)
		}},
		{"premio", "Meta y premio", []string{"goal", "points_goal", "rewards", "margin_bps"}, (*Form).prize},
		{"fechas", "Fechas y entrada", []string{"starts_at", "ends_at", "enrolment", "per_shop", "limits", "pending"}, (*Form).entry},
	}
	if own {
		all = slices.DeleteFunc(all, func(s Step) bool { return s.Path == "tiendas" })
	}
	return all
}

// About says whether a field of a campaign is written on the step.
func (s Step) About(field string) bool {
	return slices.ContainsFunc(s.about, func(name string) bool {
		rest, ok := strings.CutPrefix(field, name)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// Step is the form of one page of the assistant. reward is the one that fills the
// card.
func (f *Form) Step(s Step, t *loyalty.Terms, reward *store.RewardInput, from Catalogue) {
	s.draw(f, t, reward, from)
	for i := range f.Sections { // there is nothing else on the page
		f.Sections[i].Open = true
	}
}

// usualEarn is how a unit is earned where nobody said another way.
func usualEarn(u loyalty.Unit) loyalty.Earn {
	if u == loyalty.Point {
		return loyalty.Earn{Unit: u, Per: loyalty.PerPeso, Amount: 1, Each: 10}
	}
	return loyalty.Earn{Unit: u, Per: loyalty.PerUnit, Amount: 1}
}

func (f *Form) gains(t *loyalty.Terms, _ *store.RewardInput, _ Catalogue) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Nombre de la campaña", &t.Name, required(), help("Así la ven tus clientes en su tarjeta."))
	choice(f, "scheme", "Qué se junta", &t.Scheme, schemeChoices)
	f.Section("Cómo se gana", "", true)
	bases := options("unit", "pieza comprada", "purchase", "compra", "visit", "visita (una al día)", "peso", "peso gastado")
	for _, u := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
		w, by, unit := usualEarn(u), bases[:3], "sellos"
		shown := when("scheme", string(loyalty.Stamps), string(loyalty.Both))
		if u == loyalty.Point {
			by, unit, shown = append(bases[3:], bases[:3]...), "puntos", when("scheme", string(loyalty.Points), string(loyalty.Both))
		}
		at := slices.IndexFunc(t.Earn, func(w loyalty.Earn) bool { return w.Unit == u })
		if at >= 0 {
			w = t.Earn[at]
		}
		name := "earn." + string(u) + "."
		number(f, name+"amount", "Se dan", &w.Amount, suffix(unit), shown)
		number(f, name+"each", "Por cada", &w.Each, help("Vacío: una sola."), shown)
		choice(f, name+"per", "De qué", &w.Per, by, shown)
		switch {
		case !t.Scheme.Has(u):
		case at >= 0:
			t.Earn[at] = w
		default:
			t.Earn = append(t.Earn, w)
		}
	}
	t.Earn = slices.DeleteFunc(t.Earn, func(w loyalty.Earn) bool { return !t.Scheme.Has(w.Unit) })
	if t.Scheme != loyalty.Both {
		t.PointsGoal = 0
	} else if t.PointsGoal == 0 {
		t.PointsGoal = 10 * t.Goal
	}
}

func (f *Form) prize(t *loyalty.Terms, r *store.RewardInput, _ Catalogue) {
	words := map[bool]string{true: "sellos", false: "puntos"}[t.Scheme.Has(loyalty.Stamp)]
	f.Section("La meta", "", true)
	number(f, "goal", "Se llena con", &t.Goal, required(), suffix(words), help("Lo que hay que juntar para el premio."))
	if t.Scheme == loyalty.Both {
		number(f, "points_goal", "Meta de puntos", &t.PointsGoal, required(), suffix("puntos"))
	}
	f.Section("El premio", "Lo que se lleva quien llega a la meta. Después puedes agregar más.", true)
	line(f, templates.FormText, "rewards[0].name", "Premio", &r.Name, required(), help("Como se lee en la tarjeta: «Un refresco gratis»."))
	pesos(f, "rewards[0].cost_cents", "Te cuesta", &r.Cost, help("Para calcular el retorno. Solo lo ves tú."))
	count(f, "rewards[0].stock", "Cuántos hay", &r.Stock, help("Vacío: sin límite."))
	count(f, "rewards[0].per_consumer", "Cuántos por cliente", &r.PerConsumer, help("Vacío: los que alcance."))
	rate(f, "margin_bps", "Margen de los productos que participan", &t.MarginBPS, help("También para el retorno."))
	r.Unit, r.Threshold = t.Scheme.Unit(), t.Goal
}

func (f *Form) entry(t *loyalty.Terms, _ *store.RewardInput, _ Catalogue) {
	f.Section("Cuándo", "Hora del centro de México.", true)
	f.moment("starts_at", "Empieza", &t.StartsAt, help("Vacío: en cuanto se active."))
	f.moment("ends_at", "Termina", &t.EndsAt, help("Vacío: es permanente."))
	f.Section("Quién entra", "", true)
	choice(f, "enrolment", "Cómo entra un cliente", &t.Enrolment, enrolmentChoices)
	f.check("per_shop", "Se junta aparte en cada tienda", &t.PerShop, help("Lo de una tienda no cuenta en otra."))
	f.daily(t)
	f.pending(t)
}

// daily is the limit that most campaigns have: so much a day for each consumer.
func (f *Form) daily(t *loyalty.Terms) {
	at := slices.IndexFunc(t.Limits, func(l loyalty.Limit) bool {
		return l.Counts == loyalty.CountEarned && l.Period == loyalty.EachDay && !l.PerShop && len(l.Products)+len(l.Brands) == 0 &&
			cmp.Or(l.Unit, t.Scheme.Unit()) == t.Scheme.Unit()
	})
	var most int64
	name := len(t.Limits)
	if at >= 0 {
		most, name = t.Limits[at].Max, at
	}
	words := map[bool]string{true: "sellos", false: "puntos"}[t.Scheme.Has(loyalty.Stamp)]
	number(f, "limits["+strconv.Itoa(name)+"].max", "Máximo al día por cliente", &most, suffix(words), help("Evita abusos. Vacío: sin límite."))
	switch {
	case at >= 0 && most == 0:
		t.Limits = slices.Delete(t.Limits, at, at+1)
	case at >= 0:
		t.Limits[at].Max = most
	case most != 0:
		t.Limits = append(t.Limits, loyalty.Limit{Max: most, Period: loyalty.EachDay})
	}
}
