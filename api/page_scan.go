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
	number := ""
	if s.BotNumber != nil {
		number = s.BotNumber()
	}
	return s.html(c, http.StatusUnauthorized, func(w io.Writer) error {
		return s.Pages.ScanLogin(w, templates.ScanLoginView{WhatsAppURL: s.chatURL("hola"), Number: number})
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
	key, code                      string
	quantity, price                map[string]string // by GTIN
	otherGTIN, otherQty, otherCost string
}

func readScanForm(c *fiber.Ctx) scanForm {
	f := scanForm{
		key: formText(c, "key"), code: formText(c, "code"), quantity: map[string]string{}, price: map[string]string{},
		otherGTIN: formText(c, "gtin"), otherQty: formText(c, "gtin_qty"), otherCost: formText(c, "gtin_price"),
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

func (s *server) scanPage(c *fiber.Ctx) error {
	f := scanForm{key: s.formKey(), code: queryText(c, "code")}
	return s.drawScan(c, http.StatusOK, queryText(c, "shop"), f, func(*templates.ScanView) {})
}

// scanPurchase records what the form says. The same page is the answer: sent
// again by a reload, its key makes it the same sale.
func (s *server) scanPurchase(c *fiber.Ctx) error {
	f, shop := readScanForm(c), formText(c, "shop")
	var replayed bool
	items, err := f.items()
	var receipt store.Receipt
	if err == nil {
		receipt, err = tx(s, c, func(ctx context.Context, t *store.Tx) (r store.Receipt, err error) {
			r, replayed, err = t.RecordPurchase(ctx, scopeOf(c), store.PurchaseInput{
				Key: f.key, ShopCode: shop, Code: f.code, Captured: "typed", Items: items, Channel: store.ChannelScan,
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
		return s.drawScan(c, p.Status, shop, f, func(v *templates.ScanView) {
			v.Result = result
			if result.Detail == "" {
				result.Detail = saleWords(p, items, v.Products)
			}
		})
	}
	return s.drawScan(c, http.StatusOK, shop, scanForm{key: s.formKey()}, func(v *templates.ScanView) {
		v.Result = saleResult(receipt, replayed)
	})
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
	if len(r.Earned) == 0 && !replayed {
		v.Detail = "Con estos productos no hay promoción hoy en esta tienda, o ya se llegó al límite del día."
	}
	return v
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
	return s.drawScan(c, status, shop, f, func(v *templates.ScanView) {
		v.Delivered = result
		if err != nil {
			v.DeliverCode = code
		}
	})
}

// scanDesk is what the page is drawn from.
type scanDesk struct {
	shops  []store.Shop
	shop   store.Shop
	offers []store.CampaignOffer
	today  store.ShopDigest
	latest []store.Movement // today's last few sales
}

// mostSales is how many of today's sales the page lists.
const mostSales = 5

func (s *server) drawScan(c *fiber.Ctx, status int, code string, f scanForm, finish func(*templates.ScanView)) error {
	code, _ = loyalty.ParseCode(code)
	desk, err := tx(s, c, func(ctx context.Context, t *store.Tx) (d scanDesk, err error) {
		if d.shops, _, err = t.Shops(ctx, scopeOf(c), store.ShopFilter{}, store.Page{Limit: mostLimit}); err != nil || len(d.shops) == 0 {
			return d, err
		}
		d.shop = d.shops[0]
		if i := slices.IndexFunc(d.shops, func(v store.Shop) bool { return v.Code == code }); i >= 0 {
			d.shop = d.shops[i]
		}
		if d.offers, err = t.CampaignsAt(ctx, d.shop.ID, t.Now()); err != nil {
			return d, err
		}
		if d.today, err = t.ShopToday(ctx, scopeOf(c), d.shop.ID); err != nil {
			return d, err
		}
		now := t.Now().In(loyalty.Zone(d.shop.TimeZone))
		midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
		d.latest, err = t.LatestSales(ctx, scopeOf(c), d.shop.ID, midnight, mostSales)
		return d, err
	})
	if err != nil {
		return err
	}
	if desk.shop.ID == "" {
		return loyalty.Forbidden()
	}
	v := s.scanView(desk, f)
	v.Tendero = firstWord(sessionOf(c).Name)
	finish(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Scan(w, v) })
}

func (s *server) scanView(d scanDesk, f scanForm) templates.ScanView {
	show := func(v store.Shop) templates.ScanShop {
		return templates.ScanShop{Code: v.Code, Name: v.Name, Place: place(v)}
	}
	v := templates.ScanView{
		Shop: show(d.shop), Shops: mapped(d.shops, show), PageURL: "/tienda", Action: "/tienda", Key: f.key, Code: f.code,
		OtherGTIN: f.otherGTIN, OtherPrice: f.otherCost, DeliverAction: "/tienda/entrega", DeliverKey: s.formKey(),
		QRURL: "/v1/shops/" + d.shop.Code + "/qr.png", PosterURL: "/v1/shops/" + d.shop.Code + "/poster.pdf", LogoutAction: "/tienda/logout",
		Today: templates.ScanToday{
			Sales: int(d.today.Purchases), Stamps: int(d.today.Stamps), Points: int(d.today.Points), Redemptions: int(d.today.Redemptions),
		},
	}
	v.OtherQty, _ = strconv.Atoi(f.otherQty)
	for _, m := range d.latest {
		sale := purchaseView(m)
		v.Today.Last = append(v.Today.Last, templates.ScanSale{
			At: sale.At, Items: strings.Join(sale.Items, ", "), Earned: strings.Join(sale.Earned, ", "),
		})
	}
	seen := map[loyalty.GTIN]int{}
	for _, offer := range d.offers {
		for _, p := range offer.Products {
			if i, ok := seen[p.GTIN]; ok {
				v.Products[i].Earn += " + " + earnWords(offer.Campaign)
				continue
			}
			seen[p.GTIN] = len(v.Products)
			n, _ := strconv.Atoi(f.quantity[string(p.GTIN)])
			v.Products = append(v.Products, templates.ScanProduct{
				GTIN: string(p.GTIN), Name: p.Name, Earn: earnWords(offer.Campaign), PriceCents: int64(p.Price),
				Quantity: n, Price: f.price[string(p.GTIN)],
			})
		}
	}
	return v
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return ""
}
