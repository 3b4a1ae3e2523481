package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// anyProduct is what a tendero asks for who names no product.
const anyProduct = "Lo que más se vende"

func productWanted(name string) string {
	if name == "" {
		return anyProduct
	}
	return name
}

func reorderView(r store.Reorder) templates.BrandReorder {
	v := templates.BrandReorder{At: r.CreatedAt.In(loyalty.Zone(r.TimeZone)), Shop: r.ShopName, City: r.City, Product: productWanted(r.Name), Note: r.Note}
	if r.Quantity != nil {
		v.Quantity = *r.Quantity
	}
	return v
}

// reordersPerPage is how many a page lists.
const reordersPerPage = 50

// reorderQuery reads the filter of what shops want, and gives what of it was
// asked for.
func reorderQuery(c *fiber.Ctx) (f store.ReorderFilter, asked url.Values, wrong templates.FormError, err error) {
	if f.Shop, err = queryID(c, "shop_id"); err != nil {
		return f, nil, wrong, err
	}
	if f.Product, err = queryID(c, "product_id"); err != nil {
		return f, nil, wrong, err
	}
	if f.From, f.To, wrong = typedDays(c); wrong.Text != "" {
		f.From, f.To = time.Time{}, time.Time{}
	}
	asked = url.Values{}
	for name, value := range map[string]string{"shop_id": string(f.Shop), "product_id": string(f.Product), "from": dateText(f.From), "to": dateText(f.To)} {
		if value != "" {
			asked.Set(name, value)
		}
	}
	return f, asked, wrong, nil
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// reorderList is what the page of what shops want is drawn from.
type reorderList struct {
	desk            templates.DeskView
	all             []store.Reorder
	next            loyalty.ID
	products, shops []store.ReorderTotal
	// What one can filter by: all that was ever wanted.
	anyProducts, anyShops []store.ReorderTotal
}

// reordersPage lists what shops want.
func (s *server) reordersPage(c *fiber.Ctx) error {
	f, asked, wrong, err := reorderQuery(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	p.Limit = reordersPerPage
	scope := scopeOf(c)
	l, err := tx(s, c, func(ctx context.Context, t *store.Tx) (l reorderList, err error) {
		if l.desk, err = s.desk(ctx, c, t); err != nil {
			return l, err
		}
		if l.all, l.next, err = t.Reorders(ctx, scope, f, p); err != nil {
			return l, err
		}
		if l.products, l.shops, err = t.ReorderTotals(ctx, scope, f); err != nil {
			return l, err
		}
		l.anyProducts, l.anyShops, err = t.ReorderTotals(ctx, scope, store.ReorderFilter{})
		return l, err
	})
	if err != nil {
		return err
	}
	v := reordersView(l, f, asked)
	v.Wrong, v.From, v.To = wrong, queryText(c, "from"), queryText(c, "to")
	status := http.StatusOK
	if wrong.Text != "" {
		status = http.StatusBadRequest
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Reorders(w, v) })
}

func reordersView(l reorderList, f store.ReorderFilter, asked url.Values) templates.ReordersView {
	const at = "/marca/pedidos"
	v := templates.ReordersView{
		Desk: l.desk, PageURL: at, Filtered: len(asked) > 0, Reorders: mapped(l.all, reorderView),
		Shops: reorderOptions("Todas las tiendas", l.anyShops, f.Shop), Products: reorderOptions("Todos los productos", l.anyProducts, f.Product),
	}
	if len(l.all) == 0 {
		return v
	}
	v.Files = filesAt(at, asked, "los pedidos")
	var wishes, units int64
	for _, t := range l.shops {
		wishes, units = wishes+t.Wishes, units+t.Units
	}
	v.Figures = []templates.Figure{
		templates.Count("pedidos", wishes, nil), templates.Count("piezas, de quienes dijeron cuántas", units, nil), templates.Count("tiendas", int64(len(l.shops)), nil),
	}
	totals := func(id, title, icon, first string, all []store.ReorderTotal, shops bool) templates.ResultTable {
		files := url.Values{"tabla": {id}}
		for k, values := range asked {
			files[k] = values
		}
		t := templates.ResultTable{ID: id, Title: title, Icon: icon, Columns: []string{first, "Pedidos", "Piezas"}, Files: filesAt(at, files, "esta tabla")}
		if !shops {
			t.Columns = append(t.Columns, "Tiendas")
		}
		return table(t, all, func(t store.ReorderTotal) templates.RankRow {
			row := templates.RankRow{Name: productWanted(t.Name), Value: t.Wishes, Text: countWords(t.Wishes, "pedido", "pedidos")}
			if t.Units > 0 {
				row.Note = countWords(t.Units, "pieza", "piezas")
			}
			return row
		}, func(t store.ReorderTotal) templates.ResultRow {
			row := templates.ResultRow{Name: productWanted(t.Name), Note: t.Code, Cells: []string{templates.Number(t.Wishes), templates.Number(t.Units)}}
			if shops {
				row.Note = t.City
			} else {
				row.Cells = append(row.Cells, templates.Number(t.Shops))
			}
			return row
		})
	}
	v.ByProd = totals("por-producto", "Por producto", "bag", "Producto", l.products, false)
	v.ByShop = totals("por-tienda", "Por tienda", "store", "Tienda", l.shops, true)
	if l.next != "" {
		next := url.Values{"cursor": {string(l.next)}}
		for k, values := range asked {
			next[k] = values
		}
		v.NextURL = at + "?" + next.Encode()
	}
	return v
}

// reorderOptions are what a list can be narrowed to.
func reorderOptions(all string, totals []store.ReorderTotal, chosen loyalty.ID) []templates.FormOption {
	options := []templates.FormOption{{Label: all, Chosen: chosen == ""}}
	for _, t := range totals {
		if t.ID != nil {
			options = append(options, templates.FormOption{Value: string(*t.ID), Label: t.Name, Chosen: *t.ID == chosen})
		}
	}
	return options
}

// reorderFile is what shops want as tables.
func (s *server) reorderFile(c *fiber.Ctx) (download, error) {
	f, _, wrong, err := reorderQuery(c)
	if err != nil {
		return download{}, err
	}
	if wrong.Text != "" {
		return download{}, loyalty.Invalid(wrong.At, wrong.Text)
	}
	scope := scopeOf(c)
	var products, shops []store.ReorderTotal
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (_ struct{}, err error) {
		products, shops, err = t.ReorderTotals(ctx, scope, f)
		return struct{}{}, err
	})
	if err != nil {
		return download{}, err
	}
	list := func(ctx context.Context, t *store.Tx, p store.Page) ([]store.Reorder, loyalty.ID, error) {
		return t.Reorders(ctx, scope, f, p)
	}
	return download{name: []string{"pedidos", dateText(f.From), dateText(f.To)}, sheets: []export.Sheet{
		{
			Title: "Pedidos", Columns: []string{"Fecha (hora de la tienda)", "Tienda", "Clave", "Ciudad", "Producto", "Código de barras", "Piezas", "Nota"},
			Rows: listed(s, list, func(v store.Reorder) []any {
				var quantity any
				if v.Quantity != nil {
					quantity = *v.Quantity
				}
				return []any{v.CreatedAt.In(loyalty.Zone(v.TimeZone)), v.ShopName, v.ShopCode, v.City, productWanted(v.Name), v.GTIN, quantity, v.Note}
			}),
		},
		{Title: "Por producto", Columns: []string{"Producto", "Código de barras", "Pedidos", "Piezas", "Tiendas"}, Rows: export.Of(products, func(t store.ReorderTotal) []any {
			return []any{productWanted(t.Name), t.Code, t.Wishes, t.Units, t.Shops}
		})},
		{Title: "Por tienda", Columns: []string{"Tienda", "Clave", "Ciudad", "Pedidos", "Piezas"}, Rows: export.Of(shops, func(t store.ReorderTotal) []any {
			return []any{t.Name, t.Code, t.City, t.Wishes, t.Units}
		})},
	}}, nil
}
