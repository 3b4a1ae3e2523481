package forms

import (
	"strings"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Segment is what the form of a group of consumers holds.
type Segment struct {
	Name     string
	Criteria *store.Criteria
	Add      string // card codes, as they were written
	Remove   string
}

// Segment is the form of a group of consumers, new or with members.
func (f *Form) Segment(v *Segment, known bool, from Catalogue) {
	f.Section("", "", true)
	line(f, templates.FormText, "name", "Nombre del segmento", &v.Name, required(), help("Solo lo ves tú."))
	f.Section("Por lo que compran", "Se forma y se actualiza solo, con quien cumpla todo lo que escribas.", v.Criteria != nil || !known)
	optional(f, &v.Criteria, func(f *Form, x *store.Criteria) {
		on := v.Criteria != nil
		f.check("criteria", "Formarlo por lo que compran", &on)
		number(f, "criteria.within_days", "Compras de los últimos", &x.WithinDays, suffix("días"))
		number(f, "criteria.min_purchases", "Al menos", &x.MinPurchases, suffix("compras"))
		pesos(f, "criteria.min_spend_cents", "Gastaron al menos", &x.MinSpend)
		number(f, "criteria.inactive_days", "No compran desde hace", &x.InactiveDays, suffix("días"))
		number(f, "criteria.birthday_month", "Cumplen años en el mes", &x.BirthdayMonth, suffix("1 a 12"))
		pick(f, "criteria.states", "En estos estados", &x.States, from.States)
		pick(f, "criteria.cities", "En estas ciudades", &x.Cities, from.Cities)
	})
	f.Section("O por tarjeta", "Escribe o pega códigos de tarjeta, uno por renglón.", v.Criteria == nil)
	line(f, templates.FormArea, "card_codes", "Agregar tarjetas", &v.Add)
	if known {
		line(f, templates.FormArea, "remove_codes", "Quitar tarjetas", &v.Remove)
	}
	if v.Criteria != nil && v.Add+v.Remove != "" {
		f.fail("card_codes", "elige: por lo que compran, o por tarjeta")
	}
}

// Codes are the card codes that a text lists.
func Codes(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}

// Invitations is the form that invites shops to a campaign.
func (f *Form) Invitations(shops *[]loyalty.ID, from Source) {
	f.Section("", "", true)
	find(f, "shop_ids", "Invitar a estas tiendas", shops, from)
}
