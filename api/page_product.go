package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// everyBrand are the brands to choose from, each with its company; active ones are
// those of an active company.
func everyBrand(ctx context.Context, t *store.Tx, scope loyalty.Scope, f store.BrandFilter) ([]templates.FormOption, naming, error) {
	_, cpgs, err := everyCPG(ctx, t, scope, store.CPGFilter{Active: f.Active})
	if err != nil {
		return nil, nil, err
	}
	var all []templates.FormOption
	names := naming{}
	err = everyPage(func(p store.Page) (loyalty.ID, error) {
		some, next, err := t.Brands(ctx, scope, f, p)
		for _, b := range some {
			if cpgs[b.CPG] == "" {
				continue
			}
			names[b.ID] = b.Name
			all = append(all, templates.FormOption{Value: string(b.ID), Label: b.Name + " (" + cpgs[b.CPG] + ")"})
		}
		return next, err
	})
	slices.SortFunc(all, func(a, b templates.FormOption) int {
		return cmp.Compare(loyalty.SearchName(a.Label), loyalty.SearchName(b.Label))
	})
	return all, names, err
}

func (s *server) productsPage(c *fiber.Ctx) error {
	a, v := askedOf(c), templates.CatalogueView{
		Title: "Productos", NewURL: productsURL + "/nuevo", NewLabel: "Nuevo producto", Import: importsURL + "?que=products", Action: productsURL,
		Empty: "Todavía no hay productos. Los que están en una campaña dan sellos o puntos al comprarlos.",
	}
	search, cpg, brand := a.text("buscar"), string(a.id("empresa")), string(a.id("marca"))
	state, active := a.active()
	return s.drawCatalogue(c, a, &v, http.StatusOK, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		cpgs, _, err := everyCPG(ctx, t, scopeOf(c), store.CPGFilter{})
		if err != nil {
			return "", err
		}
		brands, names, err := everyBrand(ctx, t, scopeOf(c), store.BrandFilter{})
		if err != nil {
			return "", err
		}
		f := forms.NewSift(forms.New(nil))
		f.Text("buscar", "Nombre o código de barras", &search)
		f.Of("empresa", "Empresa", "Todas", &cpg, cpgs)
		f.Of("marca", "Marca", "Todas", &brand, brands)
		stateChoice(f, &state, masculine)
		v.Filters = f.Fields()
		all, next, err := t.Products(ctx, scopeOf(c), store.ProductFilter{CPG: loyalty.ID(cpg), Brand: loyalty.ID(brand), Search: search, Active: active}, p)
		for _, product := range all {
			v.Items = append(v.Items, templates.CatalogueLine{
				ID: string(product.ID), URL: productsURL + "/" + string(product.ID), Name: product.Name, Sub: names[product.Brand],
				Facts: []string{string(product.GTIN), product.ReferencePrice.String()}, Picture: small(product), Off: masculine.off(product.Active),
			})
		}
		return next, err
	})
}

func (s *server) productPage(c *fiber.Ctx) error {
	return s.drawProduct(c, http.StatusOK, catalogueFlash(c, masculine), "")
}

// drawProduct draws the page of a product; wrong is what is wrong with a picture.
func (s *server) drawProduct(c *fiber.Ctx, status int, flash, wrong string) error {
	v := templates.CatalogueItemView{
		List: "Productos", ListURL: productsURL, Flash: flash,
		Inactive: "Un producto desactivado sale del mostrador y de las formas de ganar de la tarjeta; una venta que lo trae se rechaza como producto desconocido. Las ventas que ya hubo se quedan.",
	}
	return s.catalogueItem(c, status, &v, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		p, err := t.Product(ctx, scopeOf(c), id)
		if err != nil {
			return err
		}
		b, err := t.Brand(ctx, scopeOf(c), p.Brand)
		if err != nil {
			return err
		}
		g, err := t.CPG(ctx, scopeOf(c), p.CPG)
		v.Name, v.Sub, v.Active, v.State = p.Name, b.Name, p.Active, masculine.state(p.Active)
		v.Picture = &templates.CataloguePicture{URL: large(p), Action: productsURL + "/" + string(id) + "/foto", Error: wrong}
		v.Facts = []templates.CatalogueFact{
			{Name: "Código de barras", Text: string(p.GTIN), Code: true}, {Name: "Marca", Text: b.Name, URL: brandsURL + "/" + string(b.ID)},
			{Name: "Empresa", Text: g.Name, URL: cpgsURL + "/" + string(g.ID)}, {Name: "Precio de referencia", Text: p.ReferencePrice.String()},
			{Name: "La gente le dice", Text: cmp.Or(strings.Join(p.Nicknames, ", "), "—")}, {Name: "Desde", Text: dayWords(p.CreatedAt)},
		}
		return err
	})
}

func (s *server) newProductPage(c *fiber.Ctx) error    { return s.newProduct(c, nil) }
func (s *server) createProductForm(c *fiber.Ctx) error { return s.newProduct(c, typed(c)) }

func (s *server) newProduct(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{Title: "Nuevo producto", Back: productsURL, Action: productsURL, Submit: "Guardar producto"}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		brands, _, err := everyBrand(ctx, t, scopeOf(c), store.BrandFilter{Active: only()})
		if err != nil {
			return "", err
		}
		var in store.ProductInput
		if f.Product(&in, brands, true); !save || f.Err() != nil {
			return "", f.Err()
		}
		made, err := t.CreateProduct(ctx, scopeOf(c), in)
		return made.ID, err
	})
}

func (s *server) editProductPage(c *fiber.Ctx) error { return s.editProduct(c, nil) }
func (s *server) editProductForm(c *fiber.Ctx) error { return s.editProduct(c, typed(c)) }

func (s *server) editProduct(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	here := productsURL + "/" + string(id)
	v := templates.FormView{Title: "Cambiar producto", Back: here, Action: here}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		p, err := t.Product(ctx, scopeOf(c), id)
		if err != nil {
			return "", err
		}
		in := store.ProductInput{Name: p.Name, Nicknames: p.Nicknames, ReferencePrice: p.ReferencePrice}
		if f.Product(&in, nil, false); !save || f.Err() != nil {
			return "", f.Err()
		}
		_, err = t.UpdateProduct(ctx, scopeOf(c), id, store.ProductPatch{Name: &in.Name, Nicknames: &in.Nicknames, ReferencePrice: &in.ReferencePrice})
		return id, err
	})
}

func (s *server) switchProduct(c *fiber.Ctx) error {
	return s.switchThing(c, productsURL, func(ctx context.Context, t *store.Tx, id loyalty.ID, active *bool) error {
		_, err := t.UpdateProduct(ctx, scopeOf(c), id, store.ProductPatch{Active: active})
		return err
	})
}
