package forms

import (
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Catalogue is what there is to choose from for one campaign.
type Catalogue struct {
	Own      bool // a shop's campaign: it names products, and is at home
	Products Source
	Brands   []templates.FormGroup
	Shops    Source
	States   []templates.FormGroup
	Cities   []templates.FormGroup
	Segments []templates.FormGroup
	Tiered   []templates.FormOption // campaigns of the same owner that have tiers
	Failed   *error                 // what went wrong while it was searched
}

// Bounds of lists, as the domain has them.
const (
	mostParts  = 20
	mostLevels = 10
	mostEarns  = 8
)

func options(pairs ...string) []templates.FormOption {
	var all []templates.FormOption
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, templates.FormOption{Value: pairs[i], Label: pairs[i+1]})
	}
	return all
}

func group(pairs ...string) []templates.FormGroup {
	return []templates.FormGroup{{Options: options(pairs...)}}
}

var (
	units            = options("stamp", "Sellos", "point", "Puntos")
	anyUnit          = options("", "Lo principal de la tarjeta", "stamp", "Sellos", "point", "Puntos")
	kinds            = []templates.FormGroup{{Options: ShopKinds}}
	schemeChoices    = options("stamps", "Sellos (frecuencia)", "points", "Puntos (valor)", "both", "Sellos y puntos")
	enrolmentChoices = options("automatic", "Solo, con su primera compra", "on_request", "Cuando lo pide en su tarjeta")
	week             = group("1", "Lunes", "2", "Martes", "3", "Miércoles", "4", "Jueves", "5", "Viernes", "6", "Sábado", "0", "Domingo")
)

// Terms is the form of all that a campaign's owner decides.
func (f *Form) Terms(t *loyalty.Terms, from Catalogue) {
	f.basics(t)
	f.products(t, from)
	if !from.Own {
		f.shops(t, from)
	}
	f.earning(t)
	f.boosts(t, from)
	f.limits(t, from)
	f.budget(t)
	f.tiers(t)
	f.expiry(t)
	f.audience(t, from)
	f.pending(t)
	f.economy(t)
	f.nudges(t)
}

func (f *Form) basics(t *loyalty.Terms) {
	f.Section("Lo básico", "", true)
	line(f, templates.FormText, "name", "Nombre de la campaña", &t.Name, required(), help("Así la ven tus clientes en su tarjeta."))
	choice(f, "scheme", "Qué se junta", &t.Scheme, schemeChoices, help("Ya no cambia cuando la campaña está aprobada."))
	number(f, "goal", "Meta de la tarjeta", &t.Goal, required(), help("Con cuántos sellos se llena, o cuántos puntos son la meta. Con sellos y puntos, aquí van los sellos."))
	number(f, "points_goal", "Meta de puntos", &t.PointsGoal, help("Solo si se juntan sellos y puntos."))
	f.moment("starts_at", "Empieza", &t.StartsAt, help("Hora del centro de México. Vacío: en cuanto se guarde."))
	f.moment("ends_at", "Termina", &t.EndsAt, help("Vacío: es permanente."))
	choice(f, "enrolment", "Cómo entra un cliente", &t.Enrolment, enrolmentChoices)
	f.check("per_shop", "Se junta aparte en cada tienda", &t.PerShop, help("Lo de una tienda no cuenta en otra."))
	number(f, "priority", "Prioridad entre campañas", &t.Priority, help("De −1,000 a 1,000. La más alta se revisa primero."))
	f.check("exclusive", "Exclusiva", &t.Exclusive, help("Lo que gana aquí ya no gana en las campañas que siguen."))
}

func (f *Form) products(t *loyalty.Terms, from Catalogue) {
	f.Section("Productos que participan", "Elige todos, marcas enteras o productos sueltos. Al resto no le cuenta.", false)
	if !from.Own {
		f.check("all_products", "Todos los productos de la empresa", &t.AllProducts, help("También los que se den de alta después."))
		pick(f, "brand_ids", "Marcas enteras", &t.Brands, from.Brands, when("all_products", ""))
	}
	find(f, "product_ids", "Productos", &t.Products, from.Products, when("all_products", ""))
	find(f, "excluded_product_ids", "Menos estos productos", &t.ExcludedProducts, from.Products)
}

func (f *Form) shops(t *loyalty.Terms, from Catalogue) {
	f.Section("Tiendas que participan", "Todas con las que hay relación, las que cumplan tipo, estado y ciudad, o una lista.", false)
	f.check("all_shops", "Todas las tiendas", &t.AllShops)
	pick(f, "shop_kinds", "De estos tipos", &t.ShopKinds, kinds, when("all_shops", ""))
	pick(f, "states", "De estos estados", &t.States, from.States, when("all_shops", ""))
	pick(f, "cities", "De estas ciudades", &t.Cities, from.Cities, when("all_shops", ""))
	find(f, "shop_ids", "Estas tiendas", &t.Shops, from.Shops, when("all_shops", ""))
	find(f, "excluded_shop_ids", "Menos estas tiendas", &t.ExcludedShops, from.Shops)
	choice(f, "joining", "Cómo participa una tienda", &t.Joining, options(
		"", "De inmediato", "invitation", "Cuando acepta una invitación", "self", "Cuando ella misma se apunta"))
}

func (f *Form) earning(t *loyalty.Terms) {
	f.Section("Cómo se gana", "Por ejemplo: 1 sello por cada pieza, o 1 punto por cada 10 pesos.", true)
	rows(f, "earn", "Formas de ganar", "forma de ganar", mostEarns, &t.Earn, func(f *Form, w *loyalty.Earn) {
		number(f, "amount", "Cuánto", &w.Amount)
		choice(f, "unit", "De qué", &w.Unit, units)
		choice(f, "per", "Por", &w.Per, options("unit", "Pieza comprada", "peso", "Peso gastado", "purchase", "Compra", "visit", "Visita (una al día)"))
		number(f, "each", "Por cada cuántos", &w.Each, help("Piezas o pesos. Vacío: cada uno."))
	})
	choice(f, "rounding", "Las fracciones", &t.Rounding, options("", "Se redondean hacia abajo", "nearest", "Al más cercano", "up", "Hacia arriba"))
	pesos(f, "min_spend_cents", "Compra mínima", &t.MinSpend, help("En productos que participan. Vacío: ninguna."))
	number(f, "min_quantity", "Piezas mínimas", &t.MinQuantity, suffix("piezas"))
	number(f, "cooldown_minutes", "Espera entre compras que ganan", &t.CooldownMinutes, suffix("minutos"))
}

func (f *Form) boosts(t *loyalty.Terms, from Catalogue) {
	f.Section("Aceleradores", "Dan más en ciertos días, horas o productos. Se cumplen todas las condiciones que se escriban.", false)
	rows(f, "boosts", "Aceleradores", "acelerador", mostParts, &t.Boosts, func(f *Form, b *loyalty.Boost) {
		line(f, templates.FormText, "name", "Nombre", &b.Name)
		number(f, "percent", "Multiplica", &b.Percent, suffix("%"), help("200 es el doble, 300 el triple."))
		number(f, "bonus", "Suma además", &b.Bonus, help("Una vez por compra."))
		choice(f, "unit", "De qué", &b.Unit, options("", "De lo que toque", "stamp", "Sellos", "point", "Puntos"))
		f.weekdays("when.weekdays", "En estos días", &b.When.Weekdays)
		line(f, templates.FormClock, "when.from", "Desde las", &b.When.From)
		line(f, templates.FormClock, "when.to", "Hasta las", &b.When.To)
		find(f, "when.product_ids", "Con estos productos", &b.When.Products, from.Products)
		pick(f, "when.brand_ids", "Con estas marcas", &b.When.Brands, from.Brands)
		f.check("when.first", "En la primera compra del cliente", &b.When.First)
		f.check("when.birthday", "En su cumpleaños", &b.When.Birthday)
		line(f, templates.FormText, "when.min_tier", "Desde el nivel", &b.When.MinTier)
	})
	choice(f, "stacking", "Si se cumplen varios", &t.Stacking, options("", "Cuenta el mejor", "all", "Se suman"))
}

// weekdays are days of the week; a browser sends their numbers.
func (f *Form) weekdays(name, label string, p *[]time.Weekday) {
	var days []string
	for _, d := range *p {
		days = append(days, strconv.Itoa(int(d)))
	}
	pick(f, name, label, &days, week)
	*p = nil
	for _, d := range days {
		n, err := strconv.Atoi(d)
		if err != nil {
			f.fail(f.at+name, "no es un día de la semana")
			return
		}
		*p = append(*p, time.Weekday(n))
	}
}

func (f *Form) limits(t *loyalty.Terms, from Catalogue) {
	f.Section("Límites", "Cuánto puede ganar cada cliente. Lo que pasa del límite se recorta.", false)
	rows(f, "limits", "Límites", "límite", mostParts, &t.Limits, func(f *Form, l *loyalty.Limit) {
		line(f, templates.FormHidden, "id", "", &l.ID)
		number(f, "max", "Máximo", &l.Max)
		choice(f, "counts", "De qué", &l.Counts, options("", "De lo que se gana", "purchases", "Compras que ganan"))
		choice(f, "unit", "En", &l.Unit, anyUnit)
		choice(f, "period", "Por", &l.Period, options(
			"day", "Día", "week", "Semana", "month", "Mes", "purchase", "Compra", "hour", "Hora", "lifetime", "Toda la campaña"))
		f.check("per_shop", "Aparte en cada tienda", &l.PerShop)
		f.check("all_cards", "Entre todos los clientes de la tienda", &l.AllCards, help("Solo con compras, por hora o por día, y aparte en cada tienda."))
		find(f, "product_ids", "Solo de estos productos", &l.Products, from.Products)
		pick(f, "brand_ids", "Solo de estas marcas", &l.Brands, from.Brands)
	})
}

func (f *Form) budget(t *loyalty.Terms) {
	f.Section("Presupuesto", "Lo que la campaña puede dar en total. Vacío: sin límite. Avisamos al 80 % y al 100 %.", false)
	optional(f, &t.Budget, func(f *Form, b *loyalty.Budget) {
		number(f, "budget.stamps", "Sellos en total", &b.Stamps)
		number(f, "budget.points", "Puntos en total", &b.Points)
		number(f, "budget.rewards", "Premios en total", &b.Rewards)
		choice(f, "budget.exhausted", "Cuando se acabe", &b.Exhausted, options("", "La campaña sigue y avisa que ya no da", "pause", "La campaña se pausa"))
	})
}

func (f *Form) tiers(t *loyalty.Terms) {
	f.Section("Niveles", "Del más bajo al más alto. A un nivel se llega con cualquiera de sus requisitos.", false)
	optional(f, &t.Tiers, func(f *Form, s *loyalty.Tiers) {
		rows(f, "tiers.levels", "Niveles", "nivel", mostLevels, &s.Levels, func(f *Form, l *loyalty.Level) {
			line(f, templates.FormText, "name", "Nombre del nivel", &l.Name)
			number(f, "purchases", "Con compras", &l.Purchases, suffix("compras"))
			pesos(f, "spend_cents", "Con gasto", &l.Spend)
			number(f, "earned", "Con lo ganado", &l.Earned, suffix("puntos, o sellos si no hay"))
			number(f, "percent", "Gana más", &l.Percent, suffix("%"), help("150 es una vez y media."))
			line(f, templates.FormText, "discount", "Otro beneficio", &l.Discount)
		})
		choice(f, "tiers.keep", "Cómo se conserva", &s.Keep, options(
			"cumulative", "Para siempre", "period", "Se gana de nuevo cada periodo", "on_redeem", "Empieza de nuevo con cada premio"))
		choice(f, "tiers.period", "Periodo", &s.Period, options("", "No aplica", "week", "Semana", "month", "Mes"), help("Solo si se gana de nuevo cada periodo."))
		number(f, "tiers.grace_days", "Días de gracia", &s.GraceDays, suffix("días"))
	})
}

func (f *Form) expiry(t *loyalty.Terms) {
	f.Section("Vencimiento de lo juntado", "Llena solo una forma. Vacío: no vence.", false)
	optional(f, &t.Expiry, func(f *Form, x *loyalty.Expiry) {
		number(f, "expiry.days", "Tantos días después de ganarse", &x.Days, suffix("días"), help("Lo más viejo vence primero."))
		number(f, "expiry.inactive_days", "Tantos días sin ganar nada", &x.InactiveDays, suffix("días"), help("Vence todo junto."))
		f.moment("expiry.on", "En una fecha", &x.On, help("Vence todo junto."))
		number(f, "expiry.warn_days_before", "Avisar antes", &x.WarnDays, suffix("días"), help("Vacío: 7 días antes."))
	})
}

func (f *Form) audience(t *loyalty.Terms, from Catalogue) {
	f.Section("Público", "Para quién es. Vacío: para todos.", false)
	pick(f, "audience.segment_ids", "Solo quien esté en alguno de estos segmentos", &t.Audience.Segments, from.Segments)
	choice(f, "audience.tier_of", "Solo quien tenga nivel en", &t.Audience.TierOf, append(options("", "Ninguna campaña"), from.Tiered...))
	line(f, templates.FormText, "audience.min_tier", "Desde el nivel", &t.Audience.MinTier, help("Vacío: cualquiera."))
}

func (f *Form) pending(t *loyalty.Terms) {
	f.Section("Compras por confirmar", "Cuando en la tienda se escribe el código de la tarjeta, en vez de escanearlo.", false)
	optional(f, &t.Pending, func(f *Form, p *loyalty.Pending) {
		on := t.Pending != nil
		f.check("pending", "El cliente confirma con un SÍ", &on)
		number(f, "pending.hours", "Sin respuesta, se da después de", &p.Hours, suffix("horas"), help("Vacío: nunca sin su SÍ."))
	})
}

func (f *Form) economy(t *loyalty.Terms) {
	f.Section("Economía", "Para calcular el retorno. Solo lo ves tú.", false)
	rate(f, "margin_bps", "Margen de los productos que participan", &t.MarginBPS)
	pesos(f, "fee_cents", "Cuota del programa por semana", &t.Fee)
}

func (f *Form) nudges(t *loyalty.Terms) {
	f.Section("Recordatorios", "Por WhatsApp, a quien le falta poco y dejó de comprar.", false)
	number(f, "nudge_quiet_days", "Después de", &t.NudgeQuietDays, suffix("días sin comprar"))
	number(f, "nudge_gap_days", "Y cuando mucho cada", &t.NudgeGapDays, suffix("días"))
}
