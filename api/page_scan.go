package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// openLink turns the link that the bot sent into a session of the pages.
func (s *server) openLink(c *fiber.Ctx) error {
	token, err := tx(s, c, func(ctx context.Context, t *store.Tx) (string, error) { return t.OpenLink(ctx, c.Params("token")) })
	if loyalty.CodeOf(err) == loyalty.CodeUnauthorized {
		return s.notice(c, http.StatusGone, templates.LinkExpired(s.chatURL("hola")))
	}
	if err != nil {
		return err
	}
	s.openSession(c, token, store.PersonPageLife)
	return c.Redirect("/tienda", http.StatusSeeOther)
}

// scanLoginPage tells who has no session how to enter.
func (s *server) scanLoginPage(c *fiber.Ctx) error {
	return s.html(c, http.StatusUnauthorized, func(w io.Writer) error {
		return s.Pages.ScanLogin(w, templates.ScanLoginView{WhatsAppURL: s.chatURL("hola"), Number: s.botNumber()})
	})
}

func (s *server) scanLogout(c *fiber.Ctx) error {
	if err := s.closeSession(c); err != nil {
		return err
	}
	return c.Redirect("/", http.StatusSeeOther)
}

// scanForm is what was typed: shown again after an error.
type scanForm struct {
	key, code, scanned             string
	quantity, price                map[string]string // by GTIN
	otherGTIN, otherQty, otherCost string
	at                             string // when the sale was made, if the phone kept it for a while
}

func readScanForm(c *fiber.Ctx) scanForm {
	f := scanForm{
		key: formText(c, "key"), code: formText(c, "code"), scanned: formText(c, "scanned"), quantity: map[string]string{}, price: map[string]string{},
		otherGTIN: formText(c, "gtin"), otherQty: formText(c, "gtin_qty"), otherCost: formText(c, "gtin_price"), at: formText(c, "at"),
	}
	c.Request().PostArgs().VisitAll(func(k, v []byte) {
		name, value := string(k), strings.TrimSpace(tidy(string(v)))
		if gtin, ok := strings.CutPrefix(name, "qty_"); ok && value != "" && value != "0" {
			f.quantity[gtin] = value
		}
		if gtin, ok := strings.CutPrefix(name, "price_"); ok && value != "" {
			f.price[gtin] = value
		}
	})
	return f
}

// items reads the sale. Names of fields are those of the page.
func (f scanForm) items() ([]store.ItemInput, error) {
	var items []store.ItemInput
	add := func(gtin, quantity, price string) error {
		n, err := strconv.ParseInt(quantity, 10, 64)
		if err != nil {
			return loyalty.Invalid("piezas", "escribe un número entero")
		}
		item := store.ItemInput{GTIN: gtin, Quantity: n}
		if price != "" {
			cents, ok := forms.Pesos(price)
			if !ok {
				return loyalty.Invalid("precio", "escribe pesos, como 18.50")
			}
			item.UnitPriceCents = &cents
		}
		items = append(items, item)
		return nil
	}
	gtins := make([]string, 0, len(f.quantity))
	for gtin := range f.quantity {
		gtins = append(gtins, gtin)
	}
	slices.Sort(gtins) // the same form is the same purchase, however a browser orders it
	for _, gtin := range gtins {
		if err := add(gtin, f.quantity[gtin], f.price[gtin]); err != nil {
			return nil, err
		}
	}
	if f.otherGTIN != "" {
		quantity := f.otherQty
		if quantity == "" {
			quantity = "1"
		}
		if err := add(f.otherGTIN, quantity, f.otherCost); err != nil {
			return nil, err
		}
	}
	if len(items) == 0 {
		return nil, loyalty.Fail(loyalty.KindInvalid, loyalty.CodeInvalid, "Dinos qué compró: toca un producto o escribe su código de barras.")
	}
	return items, nil
}

// occurred reads when the sale was made; nil where the page says nothing of it.
func (f scanForm) occurred() (*time.Time, error) {
	if f.at == "" {
		return nil, nil //nolint:nilnil // a sale of right now
	}
	at, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return nil, loyalty.Invalid("hora", "no se entiende la hora de la venta")
	}
	return &at, nil
}

// captured says how the code came in. A reader types the address that a card's QR
// holds, and a phone that scans it opens the page with the code; a person types
// the code.
func (f scanForm) captured() string {
	if strings.Contains(f.code, "/") || f.scanned != "" && f.code == f.scanned {
		return "scan"
	}
	return "typed"
}

func (s *server) scanPage(c *fiber.Ctx) error {
	f := scanForm{key: s.formKey(), code: queryText(c, "code"), scanned: queryText(c, "code")}
	return s.drawScan(c, http.StatusOK, queryText(c, "shop"), f, func(*templates.ScanView) {})
}

// scanPurchase records what the form says. The same page is the answer: sent
// again by a reload, its key makes it the same sale.
func (s *server) scanPurchase(c *fiber.Ctx) error {
	f, shop := readScanForm(c), formText(c, "shop")
	if owner := formText(c, "owner"); owner != "" && owner != string(scopeOf(c).Person) {
		return unauthorized() // a sale that the phone kept for another tendero: it waits for that one
	}
	var replayed bool
	items, err := f.items()
	var occurred *time.Time
	if err == nil {
		occurred, err = f.occurred()
	}
	var receipt store.Receipt
	if err == nil {
		receipt, err = tx(s, c, func(ctx context.Context, t *store.Tx) (r store.Receipt, err error) {
			r, replayed, err = t.RecordPurchase(ctx, scopeOf(c), store.PurchaseInput{
				Key: f.key, ShopCode: shop, Code: f.code, Captured: f.captured(), Items: items, OccurredAt: occurred, Channel: store.ChannelScan,
			})
			return r, err
		})
	}
	if err != nil {
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError {
			return err
		}
		result := &templates.ScanResult{Title: "No se guardó la venta"}
		switch p.Code { //nolint:exhaustive // the two that are about the page's key
		case loyalty.CodeIdempotencyReused:
			// A page from the browser's history has the key of a sale that was saved:
			// with the same key again, no sale would ever pass.
			f.key = s.formKey()
			result.Title, result.Detail = "Revisa la venta", "Esa venta ya se guardó. Si es otra, revisa y vuelve a enviar."
		case loyalty.CodeIdempotencyMissing:
			f.key = s.formKey()
			result.Detail = "La página no llegó completa. Revisa y vuelve a enviar."
		}
		if wantsJSON(c) {
			return s.refuseScan(c, p, shop, result, items)
		}
		return s.drawScan(c, p.Status, shop, f, func(v *templates.ScanView) {
			v.Result = result
			if result.Detail == "" {
				result.Detail = saleWords(p, items, v.Products)
			}
		})
	}
	result := saleResult(receipt, replayed)
	result.Undo = s.undoOf(receipt)
	if wantsJSON(c) {
		return s.answerScan(c, http.StatusOK, shop, result)
	}
	return s.drawScan(c, http.StatusOK, shop, scanForm{key: s.formKey()}, func(v *templates.ScanView) { v.Result = result })
}

// saleWords says what is wrong with a sale in words of the page. Lines have no
// numbers there, so that they are called by their product.
func saleWords(p problem, items []store.ItemInput, products []templates.ScanProduct) string {
	p.Errors = slices.Clone(p.Errors)
	for i, f := range p.Errors {
		line, field, ok := lineField(f.Field)
		if !ok || line >= len(items) {
			continue
		}
		gtin := items[line].GTIN
		name := "el código " + gtin
		if at := slices.IndexFunc(products, func(v templates.ScanProduct) bool { return v.GTIN == gtin }); at >= 0 {
			name = products[at].Name
		}
		p.Errors[i].Field = strings.Replace(fieldWords(field)+" de "+name, " de el ", " del ", 1)
		switch field {
		case "gtin":
			p.Errors[i].Field = name
		case "unit_price_cents":
			p.Errors[i].Reason = "escribe los pesos por pieza, hasta " + loyalty.MaxPrice.String()
		}
	}
	return words(p)
}

// lineField reads the name of a field of one line, such as items[0].quantity.
func lineField(name string) (line int, field string, ok bool) {
	rest, ok := strings.CutPrefix(name, "items[")
	if !ok {
		return 0, "", false
	}
	number, field, ok := strings.Cut(rest, "].")
	line, err := strconv.Atoi(number)
	return line, field, ok && err == nil && line >= 0
}

func saleResult(r store.Receipt, replayed bool) *templates.ScanResult {
	v := &templates.ScanResult{OK: true, Title: "Venta guardada"}
	if replayed {
		v.Title, v.Detail = "Esa venta ya estaba guardada", "No se guardó dos veces."
	}
	for _, e := range r.Earned {
		v.Earned = append(v.Earned, templates.ScanEarned{
			Campaign: e.Campaign, Stamps: e.Unit == loyalty.Stamp, Amount: int(e.Amount), Balance: int(e.Balance),
			Goal: int(e.Goal), Ready: e.RewardReady,
		})
	}
	for _, e := range r.Pending {
		v.Waits = append(v.Waits, unitWords(e.Unit, e.Amount)+" en "+e.Campaign)
	}
	for _, n := range r.Notes {
		v.Notes = append(v.Notes, "En "+n.Campaign+": "+whyWords(n.Why)+".")
	}
	if r.Status == "pending" && !replayed {
		v.Title = "Venta guardada, por confirmar"
	}
	if len(r.Earned)+len(r.Pending)+len(r.Notes) == 0 && !replayed {
		v.Detail = "Con estos productos no hay promoción hoy en esta tienda."
	}
	return v
}

// whyWords says why a campaign gave less than its rules say.
func whyWords(why loyalty.Why) string {
	switch why {
	case loyalty.WhyMinimum:
		return "la compra no llega al mínimo"
	case loyalty.WhyCooldown:
		return "todavía no pasa el tiempo entre dos compras"
	case loyalty.WhyLimit:
		return "ya se llegó al límite"
	case loyalty.WhyBudget:
		return "ya no hay presupuesto"
	}
	return "no se ganó todo"
}

func (s *server) scanDelivery(c *fiber.Ctx) error {
	shop, code := formText(c, "shop"), formText(c, "code")
	f, status := scanForm{key: s.formKey()}, http.StatusOK
	r, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Redemption, error) {
		return t.DeliverRedemption(ctx, scopeOf(c), code, shop)
	})
	result := &templates.ScanResult{OK: true, Title: "Premio entregado", Detail: r.Reward}
	if err != nil {
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError {
			return err
		}
		status, result = p.Status, &templates.ScanResult{Title: "No se entregó el premio", Detail: errorWords(err)}
	}
	if wantsJSON(c) {
		return s.answerScan(c, status, shop, result)
	}
	return s.drawScan(c, status, shop, f, func(v *templates.ScanView) {
		v.Delivered = result
		if err != nil {
			v.DeliverCode = code
		}
	})
}
