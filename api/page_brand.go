package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// brandDesk is what a brand's page is drawn from.
type brandDesk struct {
	cpg       store.CPG
	campaigns []store.Campaign
	chosen    loyalty.ID
	report    store.ROIReport
	reorders  []store.Reorder
}

// mostReorders is how many the page shows.
const mostReorders = 20

func (s *server) brandPage(c *fiber.Ctx) error {
	from, to, err := s.period(c)
	if err != nil {
		return err
	}
	wanted, err := queryID(c, "campaign")
	if err != nil {
		return err
	}
	scope := scopeOf(c)
	desk, err := report(s, c, func(ctx context.Context, t *store.Tx) (d brandDesk, err error) {
		if scope.CPG != "" {
			if d.cpg, err = t.CPG(ctx, scope, scope.CPG); err != nil {
				return d, err
			}
		}
		if d.campaigns, _, err = t.Campaigns(ctx, scope, store.CampaignFilter{}, store.Page{Limit: mostLimit}); err != nil {
			return d, err
		}
		if d.chosen = wanted; wanted == "" && len(d.campaigns) > 0 {
			d.chosen = d.campaigns[0].ID
		}
		if d.chosen != "" {
			if d.report, err = t.ROI(ctx, scope, d.chosen, from, to); err != nil {
				return d, err
			}
		}
		d.reorders, _, err = t.Reorders(ctx, scope, store.ReorderFilter{}, store.Page{Limit: mostReorders})
		return d, err
	})
	if err != nil {
		return err
	}
	v := brandView(desk)
	v.User = sessionOf(c).Name
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Brand(w, v) })
}

func brandView(d brandDesk) templates.BrandView {
	v := templates.BrandView{CPG: d.cpg.Name, LogoutAction: "/marca/logout", Links: deskLinks("/marca", "/marca"), PageURL: "/marca"}
	if v.CPG == "" {
		v.CPG = "Todas las marcas"
	}
	for _, campaign := range d.campaigns {
		v.Campaigns = append(v.Campaigns, templates.BrandOption{ID: string(campaign.ID), Name: campaign.Name, Selected: campaign.ID == d.chosen})
	}
	if len(d.reorders) > 0 {
		v.ReorderFiles = filesAt("/marca/pedidos", nil, "pedidos de reposición")
	}
	for _, r := range d.reorders {
		row := templates.BrandReorder{At: r.CreatedAt.In(loyalty.Zone(r.TimeZone)), Shop: r.ShopName, City: r.City, Product: productWanted(r), Note: r.Note}
		if r.Quantity != nil {
			row.Quantity = *r.Quantity
		}
		v.Reorders = append(v.Reorders, row)
	}
	if d.chosen == "" {
		return v
	}
	r := d.report
	v.Campaign, v.From, v.To = r.Campaign.Name, r.From, r.To
	v.ROI = &templates.BrandROI{
		RevenueCents: int64(r.Revenue), MarginBP: int(r.Campaign.MarginBPS), ContributionCents: int64(r.Margin),
		RewardsCents: int64(r.RewardsCost), FeeCents: int64(r.Fee), Defined: r.ROI != nil,
	}
	if r.ROI != nil {
		v.ROI.Ratio = float64(*r.ROI) / 10_000
	}
	given := "sellos dados"
	if r.Campaign.Scheme == loyalty.Points {
		given = "puntos dados"
	}
	v.Counters = []templates.BrandCounter{
		{Label: "personas", Value: r.Consumers}, {Label: "compras", Value: r.Purchases}, {Label: "piezas", Value: r.Units},
		{Label: given, Value: r.Given}, {Label: "premios entregados", Value: r.Redemptions},
	}
	v.Weeks = weekPoints(r)
	for _, p := range r.ByProduct {
		v.Products = append(v.Products, templates.BrandRow{
			Name: p.Name, Detail: string(p.GTIN), Units: int(p.Units), Purchases: int(p.Purchases), RevenueCents: int64(p.Revenue),
		})
	}
	for _, shop := range r.ByShop {
		v.Shops = append(v.Shops, templates.BrandRow{
			Name: shop.Name, Detail: shop.City, Units: int(shop.Units), Purchases: int(shop.Purchases), RevenueCents: int64(shop.Revenue),
		})
	}
	return v
}

// weekPoints spreads the programme's fee over the weeks, by the days of each on
// which it was owed. Sums are rounded and weeks are their differences, so that
// the weeks add up to the report to the centavo.
func weekPoints(r store.ROIReport) []templates.WeekPoint {
	owedFrom := r.From
	start := r.Campaign.StartsAt.In(loyalty.Zone(""))
	if day := time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC); day.After(owedFrom) {
		owedFrom = day
	}
	var revenue, contributed, owed int64
	points := make([]templates.WeekPoint, len(r.ByWeek))
	for i, w := range r.ByWeek {
		next := w.Monday.AddDate(0, 0, 7)
		days := min(max(int64(next.Sub(owedFrom).Hours()/24), 0), int64(r.FeeDays)) // owed until then
		revenue += int64(w.Revenue)
		contribution := (revenue*r.Campaign.MarginBPS + 5_000) / 10_000
		fee := (int64(r.Campaign.Fee)*days + 3) / 7
		points[i] = templates.WeekPoint{
			Start: w.Monday, RevenueCents: int64(w.Revenue), ContributionCents: contribution - contributed,
			CostCents: int64(w.RewardsCost) + fee - owed,
		}
		contributed, owed = contribution, fee
	}
	return points
}
