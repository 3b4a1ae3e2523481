package forms

import (
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// Adjustment is the form of a correction of a balance by hand.
func (f *Form) Adjustment(a *store.AdjustmentInput, campaigns []templates.FormOption) {
	f.Section("", "", true)
	line(f, templates.FormText, "card_code", "Código de la tarjeta", &a.CardCode, required())
	choice(f, "campaign_id", "Campaña", &a.Campaign, append(options("", "Elige una"), campaigns...))
	choice(f, "unit", "De qué", &a.Unit, units)
	number(f, "amount", "Cuánto", &a.Amount, required(), help("Para quitar, con signo: −3."))
	line(f, templates.FormText, "shop_code", "Código de la tienda", &a.ShopCode, help("Solo si la campaña se junta aparte en cada tienda."))
	line(f, templates.FormArea, "reason", "Motivo", &a.Reason, required(), help("Lo lee el cliente en su mensaje."))
	line(f, templates.FormHidden, "key", "", &a.Key)
}
