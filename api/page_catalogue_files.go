package api

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates/export"
)

// The lists of the catalogue as files, with the filters of the pages. Those of
// products and shops have the columns of imports: what is changed there can be
// read again.

func (s *server) cpgsFile(c *fiber.Ctx) (download, error) {
	scope, a := scopeOf(c), askedOf(c)
	f := store.CPGFilter{Search: a.text("buscar")}
	_, f.Active = a.active()
	rows := listed(s, func(ctx context.Context, t *store.Tx, p store.Page) ([]store.CPG, loyalty.ID, error) {
		return t.FindCPGs(ctx, scope, f, p)
	},
		func(v store.CPG) []any {
			var budget any
			if v.Budget != nil {
				budget = export.Money(*v.Budget)
			}
			return []any{v.Name, budget, export.Money(v.Reserved), v.Active}
		})
	return download{name: []string{"empresas"}, sheets: []export.Sheet{{Title: "Empresas", Columns: []string{"Empresa", "Presupuesto", "Comprometido", "Activa"}, Rows: rows}}}, nil
}

// catalogueNames are the names of companies and brands, for files.
func (s *server) catalogueNames(c *fiber.Ctx) (cpgs, brands naming, err error) {
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		if _, cpgs, err = everyCPG(ctx, t, scopeOf(c), store.CPGFilter{}); err != nil {
			return struct{}{}, err
		}
		_, brands, err = everyBrand(ctx, t, scopeOf(c), store.BrandFilter{})
		return struct{}{}, err
	})
	return cpgs, brands, err
}

func (s *server) brandsFile(c *fiber.Ctx) (download, error) {
	scope, a := scopeOf(c), askedOf(c)
	f := store.BrandFilter{CPG: a.id("empresa"), Search: a.text("buscar")}
	_, f.Active = a.active()
	cpgs, _, err := s.catalogueNames(c)
	rows := listed(s, func(ctx context.Context, t *store.Tx, p store.Page) ([]store.Brand, loyalty.ID, error) {
		return t.Brands(ctx, scope, f, p)
	},
		func(v store.Brand) []any { return []any{cpgs[v.CPG], v.Name, v.Active} })
	return download{name: []string{"marcas"}, sheets: []export.Sheet{{Title: "Marcas", Columns: []string{"Empresa", "Marca", "Activa"}, Rows: rows}}}, err
}

func (s *server) productsFile(c *fiber.Ctx) (download, error) {
	scope, a := scopeOf(c), askedOf(c)
	f := store.ProductFilter{CPG: a.id("empresa"), Brand: a.id("marca"), Search: a.text("buscar")}
	_, f.Active = a.active()
	cpgs, brands, err := s.catalogueNames(c)
	rows := listed(s, func(ctx context.Context, t *store.Tx, p store.Page) ([]store.Product, loyalty.ID, error) {
		return t.Products(ctx, scope, f, p)
	},
		func(v store.Product) []any {
			return []any{cpgs[v.CPG], brands[v.Brand], string(v.GTIN), v.Name, export.Money(v.ReferencePrice), strings.Join(v.Nicknames, ", "), v.Active}
		})
	return download{name: []string{"productos"}, sheets: []export.Sheet{{Title: "Productos", Columns: importTitles(store.ImportProducts), Rows: rows}}}, err
}

func (s *server) shopsFile(c *fiber.Ctx) (download, error) {
	scope, f := scopeOf(c), shopSiftOf(askedOf(c)).filter()
	rows := listed(s, func(ctx context.Context, t *store.Tx, p store.Page) ([]store.Shop, loyalty.ID, error) {
		return t.Shops(ctx, scope, f, p)
	},
		func(v store.Shop) []any {
			return []any{v.Code, v.Name, v.Street, v.City, v.State, strings.ToLower(forms.KindName(v.Kind)), v.TimeZone, v.Active}
		})
	return download{name: []string{"tiendas"}, sheets: []export.Sheet{{Title: "Tiendas", Columns: importTitles(store.ImportShops), Rows: rows}}}, nil
}
