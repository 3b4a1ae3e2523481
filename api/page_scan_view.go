package api

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

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
	desk, err := s.readScan(c, code)
	if err != nil {
		return err
	}
	v := s.scanView(desk, f)
	v.Tendero, v.Owner, v.Now = firstWord(sessionOf(c).Name), string(scopeOf(c).Person), s.DB.Now()
	finish(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Scan(w, v) })
}

// readScan reads the day of one of the tendero's shops: of that with the code, or
// of the first.
func (s *server) readScan(c *fiber.Ctx, code string) (scanDesk, error) {
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
		d.latest, err = t.LatestSales(ctx, scopeOf(c), d.shop.ID, midnight(t.Now(), d.shop.TimeZone), mostSales)
		return d, err
	})
	if err == nil && desk.shop.ID == "" {
		err = loyalty.Forbidden()
	}
	return desk, err
}

func (s *server) scanView(d scanDesk, f scanForm) templates.ScanView {
	v := templates.ScanView{
		Shop: scanShop(d.shop), Shops: mapped(d.shops, scanShop), PageURL: "/tienda", Action: "/tienda", Key: f.key, Code: f.code, Scanned: f.scanned, Links: deskLinks("/tienda", "/tienda"),
		OtherGTIN: f.otherGTIN, OtherPrice: f.otherCost, DeliverAction: "/tienda/entrega", DeliverKey: s.formKey(),
		QRURL: "/v1/shops/" + d.shop.Code + "/qr.png", PosterURL: "/v1/shops/" + d.shop.Code + "/poster.pdf", LogoutAction: "/tienda/logout",
		Today: templates.ScanToday{
			Sales: int(d.today.Purchases), Stamps: int(d.today.Stamps), Points: int(d.today.Points), Redemptions: int(d.today.Redemptions),
			AllURL: "/tienda/ventas?shop=" + d.shop.Code,
		},
	}
	v.OtherQty, _ = strconv.Atoi(f.otherQty)
	v.Today.Last = mapped(d.latest, scanSale)
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
				GTIN: string(p.GTIN), Name: p.Name, Picture: pictureURL(p.Picture, store.SmallPicture), Earn: earnWords(offer.Campaign), PriceCents: int64(p.Price),
				Quantity: n, Price: f.price[string(p.GTIN)],
			})
		}
	}
	return v
}

// midnight is when the day began where a shop is.
func midnight(now time.Time, zone string) time.Time {
	now = now.In(loyalty.Zone(zone))
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
}

func firstWord(s string) string {
	if words := strings.Fields(s); len(words) > 0 {
		return words[0]
	}
	return ""
}
