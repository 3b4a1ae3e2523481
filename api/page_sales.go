package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// mostSalesListed is how many of today's sales their page lists.
const mostSalesListed = 100

// salesPage lists today's sales of one of the tendero's shops.
func (s *server) salesPage(c *fiber.Ctx) error {
	scope := scopeOf(c)
	code, _ := loyalty.ParseCode(queryText(c, "shop"))
	v := templates.SalesView{PageURL: "/tienda/ventas"}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		shops, _, err := t.Shops(ctx, scope, store.ShopFilter{}, store.Page{Limit: mostLimit})
		if err != nil {
			return struct{}{}, err
		}
		if len(shops) == 0 {
			return struct{}{}, loyalty.Forbidden()
		}
		shop := shops[max(slices.IndexFunc(shops, func(v store.Shop) bool { return v.Code == code }), 0)]
		v.Shop, v.Shops = scanShop(shop), mapped(shops, scanShop)
		sales, err := t.LatestSales(ctx, scope, shop.ID, midnight(t.Now(), shop.TimeZone), mostSalesListed)
		v.Sales = mapped(sales, scanSale)
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Sales(w, v) })
}

func scanShop(v store.Shop) templates.ScanShop {
	return templates.ScanShop{Code: v.Code, Name: v.Name, Place: place(v)}
}

// scanSale is a sale as one line of the shop's.
func scanSale(m store.Movement) templates.ScanSale {
	sale := purchaseView(m)
	return templates.ScanSale{
		URL: "/tienda/ventas/" + string(m.ID), At: sale.At, Items: strings.Join(sale.Items, ", "), Earned: strings.Join(sale.Earned, ", "),
		Pending: sale.Pending, Undone: sale.Reversed,
	}
}
