package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// shopSift is the filter of shops, as an address or a form says it.
type shopSift struct{ search, city, kind, cpg, state string }

func shopSiftOf(a *asked) shopSift {
	v := shopSift{search: a.text("buscar"), city: a.text("ciudad"), kind: a.text("tipo"), cpg: string(a.id("empresa"))}
	v.state, _ = a.active()
	return v
}

func (v shopSift) filter() store.ShopFilter {
	f := store.ShopFilter{Search: v.search, City: v.city, Kind: v.kind, CPG: loyalty.ID(v.cpg)}
	switch v.state {
	case "activas", "desactivadas":
		active := v.state == "activas"
		f.Active = &active
	}
	return f
}

// printed are those of it that get a poster: the active ones.
func (v shopSift) printed() store.ShopFilter {
	f := v.filter()
	if f.Active != nil && !*f.Active {
		f.IDs = []loyalty.ID{}
	}
	f.Active = only()
	return f
}

// fields draws the filter.
func (v shopSift) fields(ctx context.Context, t *store.Tx, scope loyalty.Scope) ([]templates.FormField, error) {
	cpgs, _, err := everyCPG(ctx, t, scope, store.CPGFilter{})
	if err != nil {
		return nil, err
	}
	cities, err := t.ShopCities(ctx, scope)
	f := forms.NewSift(forms.New(nil))
	f.Text("buscar", "Nombre o código", &v.search)
	f.Of("ciudad", "Ciudad", "Todas", &v.city, mapped(cities, func(c string) templates.FormOption { return templates.FormOption{Value: c, Label: c} }))
	f.Of("tipo", "Tipo", "Todos", &v.kind, forms.ShopKinds)
	f.Of("empresa", "Donde vende", "Cualquier empresa", &v.cpg, cpgs)
	stateChoice(f, &v.state, feminine)
	return f.Fields(), err
}

func (s *server) shopsPage(c *fiber.Ctx) error {
	return s.drawShops(c, askedOf(c), http.StatusOK, "")
}

// drawShops draws the list of shops, with what kept somebody from something.
func (s *server) drawShops(c *fiber.Ctx, a *asked, status int, wrong string) error {
	v := templates.CatalogueView{
		Error: wrong,
		Title: "Tiendas", NewURL: shopsURL + "/nueva", NewLabel: "Nueva tienda", Import: importsURL + "?que=shops", Action: shopsURL,
		Empty: "Todavía no hay tiendas. Cada una tiene un código y un QR de mostrador.",
	}
	sift := shopSiftOf(a)
	return s.drawCatalogue(c, a, &v, status, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		var err error
		if v.Filters, err = sift.fields(ctx, t, scopeOf(c)); err != nil {
			return "", err
		}
		n, err := t.CountShops(ctx, scopeOf(c), sift.filter())
		if err != nil {
			return "", err
		}
		printed, err := t.CountShops(ctx, scopeOf(c), sift.printed())
		if err != nil {
			return "", err
		}
		v.Total = countWords(int64(n), "tienda", "tiendas")
		v.Posters = &templates.CataloguePosters{Action: shopsURL + "/posteres", All: printed, Most: mostPosters}
		for name := range a.Values {
			v.Posters.Filter = append(v.Posters.Filter, templates.ConfirmField{Name: name, Value: a.Get(name)})
		}
		slices.SortFunc(v.Posters.Filter, func(x, y templates.ConfirmField) int { return strings.Compare(x.Name, y.Name) })
		all, next, err := t.Shops(ctx, scopeOf(c), sift.filter(), p)
		for _, shop := range all {
			v.Items = append(v.Items, templates.CatalogueLine{
				ID: string(shop.ID), URL: shopsURL + "/" + string(shop.ID), Name: shop.Name, Sub: place(shop),
				Facts: []string{shop.Code, forms.KindName(shop.Kind)}, Off: feminine.off(shop.Active),
			})
		}
		return next, err
	})
}

func (s *server) shopPage(c *fiber.Ctx) error {
	v := templates.CatalogueItemView{
		List: "Tiendas", ListURL: shopsURL, Flash: catalogueFlash(c, feminine),
		Inactive: "Su QR dice que ya no participa, no se le registran ventas y deja de recibir resúmenes. Lo que sus clientes ya juntaron se queda.",
	}
	return s.catalogueItem(c, http.StatusOK, &v, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		shop, err := t.Shop(ctx, scopeOf(c), id)
		if err != nil {
			return err
		}
		v.Name, v.Sub, v.Active, v.State = shop.Name, place(shop), shop.Active, feminine.state(shop.Active)
		v.Facts = []templates.CatalogueFact{
			{Name: "Código", Text: shop.Code, Code: true}, {Name: "Tipo", Text: forms.KindName(shop.Kind)}, {Name: "Calle", Text: shop.Street},
			{Name: "Ciudad", Text: shop.City}, {Name: "Estado", Text: shop.State}, {Name: "Hora de", Text: forms.ZoneName(shop.TimeZone)}, {Name: "Desde", Text: dayWords(shop.CreatedAt)},
		}
		v.Shop, err = s.shopParts(ctx, t, scopeOf(c), shop)
		return err
	})
}

// shopDays is over how many days a shop's page tells of it, and mostShopSales how
// many of its sales.
const (
	shopDays      = 30
	mostShopSales = 8
)

// shopParts are what a shop has beside its data.
func (s *server) shopParts(ctx context.Context, t *store.Tx, scope loyalty.Scope, shop store.Shop) (*templates.CatalogueShop, error) {
	v := &templates.CatalogueShop{
		QRURL: "/v1/shops/" + shop.Code + "/qr.png", PosterURL: "/v1/shops/" + shop.Code + "/poster.pdf", MoreURL: tenderosURL + "?tienda=" + string(shop.ID),
	}
	var err error
	if v.QR, err = s.qr.SVG(s.counterURL(shop.Code)); err != nil {
		return nil, err
	}
	today := midnight(t.Now(), shop.TimeZone)
	from := today.AddDate(0, 0, 1-shopDays)
	d, err := t.ShopDigest(ctx, scope, shop.ID, from, today)
	if err != nil {
		return nil, err
	}
	v.Counts = []templates.AdminCount{
		{Label: "compras en 30 días", Value: d.Purchases}, {Label: "clientes que compraron", Value: d.Consumers}, {Label: "tarjetas nuevas", Value: d.NewCards},
		{Label: "visitas al QR", Value: d.Visits}, {Label: "premios entregados", Value: d.Redemptions},
	}
	days, err := t.ShopDays(ctx, scope, shop.ID, from, today)
	if err != nil {
		return nil, err
	}
	chart := templates.Chart{
		ID: "ventas", Title: "Ventas por día en " + shop.Name, Kind: templates.ChartLine, Money: true,
		Points: mapped(days, func(d store.ShopDay) time.Time { return d.Day }),
		Series: []templates.ChartSeries{{Name: "Ventas", Values: mapped(days, func(d store.ShopDay) int64 { return int64(d.Total) })}},
	}
	v.Chart = chart.HTML()
	tenderos, _, err := t.Tenderos(ctx, scope, store.TenderoFilter{Shop: shop.ID}, store.Page{Limit: tenderosPerPage})
	if err != nil {
		return nil, err
	}
	for _, m := range tenderos {
		v.Tenderos = append(v.Tenderos, templates.CatalogueTendero{Name: cmp.Or(m.Name, "Sin nombre"), URL: chatsURL + "/" + string(m.Person), Phone: lastDigits(m.Phone), Active: m.Active})
	}
	latest, err := t.LatestSales(ctx, scope, shop.ID, from, mostShopSales)
	v.Sales = mapped(latest, scanSale)
	return v, err
}

// lastDigits are all that is shown of a phone.
func lastDigits(phone loyalty.Phone) string {
	if len(phone) < 4 {
		return ""
	}
	return ellipsis(string(phone[len(phone)-4:]))
}

func (s *server) newShopPage(c *fiber.Ctx) error    { return s.newShop(c, nil) }
func (s *server) createShopForm(c *fiber.Ctx) error { return s.newShop(c, typed(c)) }

func (s *server) newShop(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{Title: "Nueva tienda", Back: shopsURL, Action: shopsURL, Submit: "Guardar tienda"}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		in := store.ShopInput{Kind: "tiendita", TimeZone: loyalty.DefaultTimeZone}
		if f.Shop(&in, true); !save || f.Err() != nil {
			return "", f.Err()
		}
		made, err := t.CreateShop(ctx, scopeOf(c), in)
		return made.ID, err
	})
}

func (s *server) editShopPage(c *fiber.Ctx) error { return s.editShop(c, nil) }
func (s *server) editShopForm(c *fiber.Ctx) error { return s.editShop(c, typed(c)) }

func (s *server) editShop(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	here := shopsURL + "/" + string(id)
	v := templates.FormView{Title: "Cambiar tienda", Intro: "El código se queda: está impreso en su póster.", Back: here, Action: here}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		shop, err := t.Shop(ctx, scopeOf(c), id)
		if err != nil {
			return "", err
		}
		in := store.ShopInput{Name: shop.Name, Kind: shop.Kind, Street: shop.Street, City: shop.City, State: shop.State, TimeZone: shop.TimeZone}
		if f.Shop(&in, false); !save || f.Err() != nil {
			return "", f.Err()
		}
		_, err = t.UpdateShop(ctx, scopeOf(c), id, store.ShopPatch{
			Name: &in.Name, Kind: &in.Kind, Street: &in.Street, City: &in.City, State: &in.State, TimeZone: &in.TimeZone,
		})
		return id, err
	})
}

func (s *server) switchShop(c *fiber.Ctx) error {
	return s.switchThing(c, shopsURL, func(ctx context.Context, t *store.Tx, id loyalty.ID, active *bool) error {
		_, err := t.UpdateShop(ctx, scopeOf(c), id, store.ShopPatch{Active: active})
		return err
	})
}
