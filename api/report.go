package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type roiJSON struct {
	CampaignID loyalty.ID    `json:"campaign_id"`
	Campaign   string        `json:"campaign"`
	From       string        `json:"from"`
	To         string        `json:"to"`
	Revenue    loyalty.Cents `json:"revenue_cents"`
	Estimated  loyalty.Cents `json:"estimated_cents"` // the part of it at reference prices
	MarginBPS  int64         `json:"margin_bps"`
	Margin     loyalty.Cents `json:"margin_cents"`
	Rewards    loyalty.Cents `json:"rewards_cents"`
	Fee        loyalty.Cents `json:"fee_cents"`
	ROIBPS     *int64        `json:"roi_bps"` // null where nothing was spent
	Note       string        `json:"note"`

	Consumers   int64            `json:"consumers"`
	Purchases   int64            `json:"purchases"`
	Units       int64            `json:"units"`
	Given       int64            `json:"given"`
	Redemptions int64            `json:"redemptions"`
	ByWeek      []roiWeekJSON    `json:"by_week"`
	ByProduct   []roiProductJSON `json:"by_product"`
	ByShop      []roiShopJSON    `json:"by_shop"`
}

type roiWeekJSON struct {
	Week        string        `json:"week"` // its Monday
	Revenue     loyalty.Cents `json:"revenue_cents"`
	Rewards     loyalty.Cents `json:"rewards_cents"`
	Units       int64         `json:"units"`
	Purchases   int64         `json:"purchases"`
	Consumers   int64         `json:"consumers"`
	Given       int64         `json:"given"`
	Redemptions int64         `json:"redemptions"`
}

type roiProductJSON struct {
	ID        loyalty.ID    `json:"product_id"`
	GTIN      loyalty.GTIN  `json:"gtin"`
	Name      string        `json:"name"`
	Units     int64         `json:"units"`
	Purchases int64         `json:"purchases"`
	Revenue   loyalty.Cents `json:"revenue_cents"`
}

type roiShopJSON struct {
	Code        string        `json:"shop_code"`
	Name        string        `json:"name"`
	City        string        `json:"city"`
	Units       int64         `json:"units"`
	Purchases   int64         `json:"purchases"`
	Consumers   int64         `json:"consumers"`
	Redemptions int64         `json:"redemptions"`
	Revenue     loyalty.Cents `json:"revenue_cents"`
}

// noControl is the caveat that every ROI of ours carries.
const noControl = "sin grupo de control"

func showROI(r store.ROIReport) roiJSON {
	return roiJSON{
		CampaignID: r.Campaign.ID, Campaign: r.Campaign.Name, From: r.From.Format(time.DateOnly), To: r.To.Format(time.DateOnly),
		Revenue: r.Revenue, Estimated: r.Estimated, MarginBPS: r.Campaign.MarginBPS, Margin: r.Margin, Rewards: r.RewardsCost,
		Fee: r.Fee, ROIBPS: r.ROI, Note: noControl,
		Consumers: r.Consumers, Purchases: r.Purchases, Units: r.Units, Given: r.Given, Redemptions: r.Redemptions,
		ByWeek: mapped(r.ByWeek, func(w store.ROIWeek) roiWeekJSON {
			return roiWeekJSON{
				Week: w.Monday.Format(time.DateOnly), Revenue: w.Revenue, Rewards: w.RewardsCost, Units: w.Units,
				Purchases: w.Purchases, Consumers: w.Consumers, Given: w.Given, Redemptions: w.Redemptions,
			}
		}),
		ByProduct: mapped(r.ByProduct, func(p store.ROIProduct) roiProductJSON {
			return roiProductJSON{ID: p.ID, GTIN: p.GTIN, Name: p.Name, Units: p.Units, Purchases: p.Purchases, Revenue: p.Revenue}
		}),
		ByShop: mapped(r.ByShop, func(v store.ROIShop) roiShopJSON {
			return roiShopJSON{
				Code: v.Code, Name: v.Name, City: v.City, Units: v.Units, Purchases: v.Purchases, Consumers: v.Consumers,
				Redemptions: v.Redemptions, Revenue: v.Revenue,
			}
		}),
	}
}

// defaultReportDays is how far a report reaches back: eight weeks.
const defaultReportDays = 56

// period reads from and to, both days; the last eight weeks where they are not
// given. Days are those of the programme's home zone.
func (s *server) period(c *fiber.Ctx) (from, to time.Time, err error) {
	read := func(name string, missing time.Time) (time.Time, error) {
		raw := c.Query(name)
		if raw == "" {
			return missing, nil
		}
		if day, err := time.Parse(time.DateOnly, raw); err == nil {
			return day, nil
		}
		if at, err := time.Parse(time.RFC3339, raw); err == nil {
			return at, nil
		}
		return time.Time{}, loyalty.Invalid(name, "debe ser una fecha como 2026-11-21")
	}
	if to, err = read("to", s.DB.Now().In(loyalty.Zone(""))); err != nil {
		return from, to, err
	}
	from, err = read("from", to.AddDate(0, 0, 1-defaultReportDays))
	return from, to, err
}

// report is tx for what only reads, on figures brought up to date.
func report[T any](s *server, c *fiber.Ctx, fn func(context.Context, *store.Tx) (T, error)) (T, error) {
	var v T
	ctx := c.UserContext()
	err := s.DB.Report(ctx, func(t *store.Tx) (err error) {
		v, err = fn(ctx, t)
		return err
	})
	return v, err
}

// ofCampaign is a report on the campaign of the query in the period of the query.
func ofCampaign[T any](s *server, c *fiber.Ctx, fn func(ctx context.Context, t *store.Tx, campaign loyalty.ID, from, to time.Time) (T, error)) (v T, err error) {
	campaign, err := queryID(c, "campaign_id")
	if err != nil {
		return v, err
	}
	if campaign == "" {
		return v, loyalty.Invalid("campaign_id", "es obligatorio")
	}
	from, to, err := s.period(c)
	if err != nil {
		return v, err
	}
	return report(s, c, func(ctx context.Context, t *store.Tx) (T, error) { return fn(ctx, t, campaign, from, to) })
}

func (s *server) reportROI(c *fiber.Ctx) error {
	r, err := ofCampaign(s, c, func(ctx context.Context, t *store.Tx, campaign loyalty.ID, from, to time.Time) (store.ROIReport, error) {
		return t.ROI(ctx, scopeOf(c), campaign, from, to)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, showROI(r))
}
