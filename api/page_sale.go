package api

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// findSalePage asks an admin for a purchase's ID, and leads to it.
func (s *server) findSalePage(c *fiber.Ctx) error {
	raw := strings.TrimSpace(queryText(c, "id"))
	if id, err := loyalty.ParseID(raw); err == nil {
		return c.Redirect("/admin/ventas/"+string(id), http.StatusSeeOther)
	}
	v := templates.FormView{Title: "Devolver una compra", Intro: "Busca la compra por su identificador.", Action: "/admin/ventas", Get: true, Submit: "Buscar"}
	field := templates.FormField{Kind: templates.FormText, Name: "id", Label: "Identificador de la compra", Value: raw}
	if raw != "" {
		field.Error = "no es un identificador"
	}
	v.Sections = []templates.FormSection{{Fields: []templates.FormField{field}}}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		v.Desk, err = s.desk(ctx, c, t)
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
}

func (s *server) salePage(c *fiber.Ctx) error {
	return s.drawSale(c, http.StatusOK, func(v *templates.SaleView) {
		if c.Query("hecho") == "devuelta" {
			v.Result = &templates.ScanResult{OK: true, Title: "Devolución guardada", Detail: "Al cliente ya se le descontó lo que ganó con eso."}
		}
	})
}

func (s *server) drawSale(c *fiber.Ctx, status int, finish func(*templates.SaleView)) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, list := scopeOf(c), deskRoot(c)+"/ventas"
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (v templates.SaleView, err error) {
		r, err := t.Purchase(ctx, scope, id)
		if err != nil {
			return v, err
		}
		shop, err := t.ShopByCode(ctx, r.ShopCode)
		if err != nil {
			return v, err
		}
		back, err := t.Reversals(ctx, scope, id)
		if err != nil {
			return v, err
		}
		v = saleView(store.Movement{Receipt: r, Shop: shop.Name, TimeZone: shop.TimeZone}, back)
		v.Desk, err = s.desk(ctx, c, t)
		return v, err
	})
	if err != nil {
		return err
	}
	v.Back, v.Key = list, s.formKey()
	if !v.Undone {
		v.Action = list + "/" + string(id) + "/devolucion"
	}
	finish(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Sale(w, v) })
}

// saleView shows a sale by product, with what came back of it.
func saleView(m store.Movement, returns []store.Reversal) templates.SaleView {
	line := purchaseView(m)
	v := templates.SaleView{
		Shop: m.Shop, At: line.At, Total: int64(m.TotalCents), Pending: line.Pending, Undone: line.Reversed, Earned: line.Earned,
	}
	at := map[string]int{}
	for _, item := range m.Items {
		i, ok := at[item.GTIN]
		if !ok {
			i = len(v.Items)
			at[item.GTIN] = i
			v.Items = append(v.Items, templates.SaleItem{GTIN: item.GTIN, Name: item.Name})
		}
		v.Items[i].Sold += item.Quantity
		v.Items[i].Left += item.Quantity
	}
	for _, r := range returns {
		var items, taken []string
		for _, item := range r.Items {
			name := item.GTIN
			if i, ok := at[item.GTIN]; ok {
				v.Items[i].Left -= item.Quantity
				name = v.Items[i].Name
			}
			items = append(items, strconv.FormatInt(item.Quantity, 10)+" × "+name)
		}
		for _, t := range r.Taken {
			taken = append(taken, "−"+unitWords(t.Unit, t.Amount)+" en "+t.Campaign)
		}
		v.Returns = append(v.Returns, templates.SaleReturn{Items: listWords(items), Taken: listWords(taken), Reason: r.Reason})
	}
	for i := range v.Items {
		v.Items[i].Quantity = strconv.FormatInt(v.Items[i].Left, 10)
	}
	return v
}

// reverseForm takes a sale back, whole or by item, after asking once more.
func (s *server) reverseForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	fields := typed(c)
	in := store.ReversalInput{Reason: fields.Get("reason"), Key: fields.Get("key")}
	problemWith := func(err error) error {
		p, ok := refused(err)
		if !ok || p.Code == loyalty.CodeNotFound {
			return err
		}
		return s.drawSale(c, p.Status, func(v *templates.SaleView) {
			v.Reason, v.Result = in.Reason, &templates.ScanResult{Title: "No se devolvió", Detail: returnWords(p)}
			for i := range v.Items {
				v.Items[i].Quantity = fields.Get("qty_" + v.Items[i].GTIN)
			}
		})
	}
	names, err := s.saleNames(c, id)
	if err != nil {
		return err
	}
	var back []string
	for _, item := range names {
		text := strings.TrimSpace(fields.Get("qty_" + item.GTIN))
		if text == "" || text == "0" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return problemWith(loyalty.Invalid("quantity", "escribe un número entero"))
		}
		in.Items = append(in.Items, store.ReversalItem{GTIN: item.GTIN, Quantity: n})
		back = append(back, text+" × "+item.Name)
	}
	switch {
	case len(in.Items) == 0: // to the store it would mean all of it
		return problemWith(loyalty.Fail(loyalty.KindInvalid, loyalty.CodeInvalid, "Escribe cuántas piezas regresan."))
	case strings.TrimSpace(in.Reason) == "":
		return problemWith(loyalty.Invalid("reason", "escribe por qué"))
	case fields.Get("confirmed") == "":
		return s.confirmReversal(c, id, in, back)
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (store.Reversal, error) {
		r, _, err := t.ReversePurchase(ctx, scopeOf(c), id, in)
		return r, err
	})
	if err != nil {
		return problemWith(err)
	}
	return c.Redirect(deskRoot(c)+"/ventas/"+string(id)+"?hecho=devuelta", http.StatusSeeOther)
}

// saleNames are the products of a sale.
func (s *server) saleNames(c *fiber.Ctx, id loyalty.ID) ([]templates.SaleItem, error) {
	r, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Receipt, error) { return t.Purchase(ctx, scopeOf(c), id) })
	return saleView(store.Movement{Receipt: r}, nil).Items, err
}

// returnWords says what is wrong with a return in words of the page.
func returnWords(p problem) string {
	text := p.Detail
	for _, f := range p.Errors {
		text += " " + upperFirst(f.Reason) + "."
	}
	return text
}

func (s *server) confirmReversal(c *fiber.Ctx, id loyalty.ID, in store.ReversalInput, back []string) error {
	self := deskRoot(c) + "/ventas/" + string(id)
	v := templates.ConfirmView{
		Title: "¿Devolver " + listWords(back) + "?", Body: "Al cliente se le quita lo que ganó con eso. No se puede deshacer.",
		Action: self + "/devolucion", Back: self, Yes: "Sí, devolver",
		Fields: []templates.ConfirmField{{Name: "key", Value: in.Key}, {Name: "reason", Value: in.Reason}, {Name: "confirmed", Value: "1"}},
	}
	if len(back) > 1 {
		v.Title, v.Body = "¿Devolver estos productos?", listWords(back)+". "+v.Body
	}
	for _, item := range in.Items {
		v.Fields = append(v.Fields, templates.ConfirmField{Name: "qty_" + item.GTIN, Value: strconv.FormatInt(item.Quantity, 10)})
	}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		v.Desk, err = s.desk(ctx, c, t)
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Confirm(w, v) })
}
