package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates/export"
)

// anyProduct is what a tendero asks for who names no product.
const anyProduct = "Lo que más se vende"

func productWanted(v store.Reorder) string {
	if v.Name == "" {
		return anyProduct
	}
	return v.Name
}

// reorderFile is the table of what shops want.
func (s *server) reorderFile(c *fiber.Ctx) (download, error) {
	scope := scopeOf(c)
	list := func(ctx context.Context, t *store.Tx, p store.Page) ([]store.Reorder, loyalty.ID, error) {
		return t.Reorders(ctx, scope, store.ReorderFilter{}, p)
	}
	rows := listed(s, list, func(v store.Reorder) []any {
		var quantity any
		if v.Quantity != nil {
			quantity = *v.Quantity
		}
		return []any{v.CreatedAt.In(loyalty.Zone(v.TimeZone)), v.ShopName, v.ShopCode, v.City, productWanted(v), v.GTIN, quantity, v.Note}
	})
	return download{name: []string{"pedidos"}, sheets: []export.Sheet{{
		Title: "Pedidos", Columns: []string{"Fecha (hora de la tienda)", "Tienda", "Clave", "Ciudad", "Producto", "Código de barras", "Piezas", "Nota"}, Rows: rows,
	}}}, nil
}
