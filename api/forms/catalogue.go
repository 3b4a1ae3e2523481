package forms

import (
	"slices"
	"strconv"
	"strings"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Choice is one of some options, of which the first stands for none.
func (f *Form) Choice(name, label, none string, p *loyalty.ID, from []templates.FormOption) {
	choice(f, name, label, p, append(options("", none), from...))
}

// CPG is the form of a company.
func (f *Form) CPG(in *store.CPGInput) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Nombre de la empresa", &in.Name, required())
	shown := ""
	if in.Budget != nil {
		shown = strings.TrimSuffix(decimals(*in.Budget), ".00")
	}
	f.scalar(templates.FormMoney, "budget_cents", "Presupuesto para premios", shown, func(s string) string {
		if s == "" {
			in.Budget = nil
			return ""
		}
		n, ok := Pesos(s)
		if !ok {
			return "escribe pesos, como 18.50"
		}
		in.Budget = &n
		return ""
	}, []field{suffix("pesos"), help("Lo que pueden costar todos sus premios. Vacío: sin límite.")})
}

func decimals(cents int64) string {
	return strconv.FormatInt(cents/100, 10) + "." + strconv.FormatInt(100+cents%100, 10)[1:]
}

// Brand is the form of a brand; one that is there keeps its company.
func (f *Form) Brand(in *store.BrandInput, cpgs []templates.FormOption, fresh bool) {
	f.Section("", "", true)
	if fresh {
		f.Choice("cpg_id", "Empresa", "Elige una", &in.CPG, cpgs)
	}
	line(f, templates.FormText, "name", "Nombre de la marca", &in.Name, required())
}

// Product is the form of a product; one that is there keeps its brand and its
// barcode number.
func (f *Form) Product(in *store.ProductInput, brands []templates.FormOption, fresh bool) {
	f.Section("", "", true)
	if fresh {
		f.Choice("brand_id", "Marca", "Elige una", &in.Brand, brands)
		line(f, templates.FormText, "gtin", "Código de barras", &in.GTIN, required(), help("Los números que están debajo de las barras: 8, 12, 13 o 14 dígitos."))
	}
	line(f, templates.FormText, "name", "Nombre del producto", &in.Name, required(), help("Como está en el anaquel: «Agua Clara 600 ml»."))
	pesos(f, "reference_price_cents", "Precio de referencia", &in.ReferencePrice, help("Se usa en las ventas que llegan sin precio."))
	names := strings.Join(in.Nicknames, "\n")
	was := names
	line(f, templates.FormArea, "nicknames", "Cómo le dice la gente", &names, help("Uno en cada renglón: coca, coquita. Así lo entiende el bot."))
	if names != was {
		in.Nicknames = Lines(names)
	}
}

// Lines are the lines of a text on which something stands.
func Lines(text string) []string {
	lines := []string{}
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// zones are the time zones of Mexico, by their main places.
var zones = options(
	"America/Mexico_City", "Centro (Ciudad de México)", "America/Monterrey", "Monterrey", "America/Merida", "Mérida", "America/Cancun", "Quintana Roo (Cancún)",
	"America/Chihuahua", "Chihuahua", "America/Ciudad_Juarez", "Ciudad Juárez", "America/Ojinaga", "Ojinaga", "America/Matamoros", "Frontera de Tamaulipas (Matamoros)",
	"America/Mazatlan", "Pacífico (Mazatlán)", "America/Bahia_Banderas", "Bahía de Banderas", "America/Hermosillo", "Sonora (Hermosillo)", "America/Tijuana", "Baja California (Tijuana)",
)

// KindName is a kind of shop as people call one.
func KindName(kind string) string {
	if i := slices.IndexFunc(ShopKinds, func(o templates.FormOption) bool { return o.Value == kind }); i >= 0 {
		return ShopKinds[i].Label
	}
	return kind
}

// ZoneName is a time zone by its main place.
func ZoneName(zone string) string {
	if i := slices.IndexFunc(zones, func(o templates.FormOption) bool { return o.Value == zone }); i >= 0 {
		return zones[i].Label
	}
	return zone
}

// ShopKinds are the kinds of shops.
var ShopKinds = options("tiendita", "Tiendita", "minisuper", "Minisúper", "chain", "Cadena")

// Shop is the form of a shop; one that is there keeps its code.
func (f *Form) Shop(in *store.ShopInput, fresh bool) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Nombre de la tienda", &in.Name, required())
	line(f, templates.FormText, "street", "Calle y número", &in.Street)
	line(f, templates.FormText, "city", "Ciudad", &in.City, required())
	line(f, templates.FormText, "state", "Estado", &in.State, required())
	choice(f, "kind", "Tipo", &in.Kind, ShopKinds)
	choice(f, "time_zone", "Hora de", &in.TimeZone, zones, help("Con ella empiezan y terminan sus días."))
	if fresh {
		line(f, templates.FormText, "code", "Código", &in.Code, help("Solo si ya tiene uno impreso. Vacío: lo damos nosotros."))
	}
}

// Sift draws the fields of a filter of a list, each filled with what was asked.
type Sift struct{ f *Form }

// NewSift begins a filter.
func NewSift(f *Form) Sift {
	f.Section("", "", true)
	return Sift{f}
}

// Text is a search.
func (s Sift) Text(name, label string, p *string) { line(s.f, templates.FormText, name, label, p) }

// Of is one of some options, or all.
func (s Sift) Of(name, label, all string, p *string, from []templates.FormOption) {
	choice(s.f, name, label, p, append(options("", all), from...))
}

// Fields are what was drawn.
func (s Sift) Fields() []templates.FormField { return s.f.Sections[0].Fields }

// Day is a day, "2026-01-31".
func (s Sift) Day(name, label string, p *string) { line(s.f, templates.FormDay, name, label, p) }
