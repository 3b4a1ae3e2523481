package forms

import (
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Reward is the form of a reward of a campaign; active is nil for one that is
// still to be made.
func (f *Form) Reward(r *store.RewardInput, active *bool, of *loyalty.Terms, from Catalogue) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Premio", &r.Name, required(), help("Como se lee en la tarjeta: «Un refresco gratis»."))
	number(f, "threshold", "Cuesta", &r.Threshold, required())
	var in []templates.FormOption
	for _, u := range units {
		if of.Scheme.Has(loyalty.Unit(u.Value)) {
			in = append(in, u)
		}
	}
	choice(f, "unit", "En", &r.Unit, in)
	pesos(f, "cost_cents", "Te cuesta", &r.Cost, help("Para calcular el retorno. Solo lo ves tú."))
	count(f, "stock", "Cuántos hay", &r.Stock, help("Vacío: sin límite."))
	count(f, "per_consumer", "Cuántos por cliente", &r.PerConsumer, help("Vacío: los que alcance."))
	f.moment("starts_at", "Se puede pedir desde", &r.StartsAt, help("Vacío: desde que empieza la campaña."))
	f.moment("ends_at", "Hasta", &r.EndsAt, help("Vacío: siempre."))
	number(f, "code_days", "El código vale", &r.CodeDays, suffix("días"), help("Vacío: 7 días."))
	if of.Tiers != nil {
		levels := options("", "Cualquiera")
		for _, l := range of.Tiers.Levels {
			levels = append(levels, templates.FormOption{Value: l.Name, Label: l.Name})
		}
		choice(f, "min_tier", "Desde el nivel", &r.MinTier, levels)
	}
	segments := options("", "Todos")
	for _, g := range from.Segments {
		segments = append(segments, g.Options...)
	}
	choice(f, "segment_id", "Solo para el segmento", &r.Segment, segments)
	find(f, "shop_ids", "Se entrega solo en estas tiendas", &r.Shops, from.Shops, help("Ninguna: en todas las de la campaña."))
	if active != nil {
		f.check("active", "Se puede pedir", active, help("Apagado, deja de ofrecerse. Lo ya pedido se entrega."))
	}
}
