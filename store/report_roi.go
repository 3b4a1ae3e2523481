package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ROIReport is what a campaign brought and cost from one day to another, both
// included. It has no control group: it says what was sold to people who take
// part, not what they would have bought anyway. Times are days, at midnight UTC.
type ROIReport struct {
	Campaign Campaign
	From, To time.Time

	Revenue     loyalty.Cents // of the PLIs
	Estimated   loyalty.Cents // the part of it at reference prices
	Margin      loyalty.Cents // Revenue at the campaign's declared margin
	RewardsCost loyalty.Cents // of what was delivered
	Fee         loyalty.Cents // of FeeDays, a seventh of the weekly fee each
	FeeDays     int           // days of the report on which the campaign ran, until today
	// ROI is (Margin − RewardsCost − Fee) ÷ (RewardsCost + Fee), in hundredths of
	// a percent; nil where nothing was spent.
	ROI *int64

	Consumers   int64 // who bought a PLI
	Purchases   int64
	Units       int64
	Given       int64 // stamps or points; stamps, where the scheme is both
	Redemptions int64 // delivered

	ByWeek    []ROIWeek
	ByProduct []ROIProduct
	ByShop    []ROIShop
}

// ROIWeek is a week, from Monday, or the part of one that the report covers.
type ROIWeek struct {
	Monday      time.Time     `db:"monday"`
	Revenue     loyalty.Cents `db:"revenue"`
	Units       int64         `db:"units"`
	Consumers   int64         `db:"consumers"`
	Purchases   int64         `db:"purchases"`
	Given       int64         `db:"given"`
	Redemptions int64         `db:"redemptions"`
	RewardsCost loyalty.Cents `db:"rewards_cost"`
}

// ROIProduct is one PLI's part, also of one that was not sold.
type ROIProduct struct {
	ID        loyalty.ID    `db:"id"`
	GTIN      loyalty.GTIN  `db:"gtin"`
	Name      string        `db:"name"`
	Units     int64         `db:"units"`
	Purchases int64         `db:"purchases"`
	Revenue   loyalty.Cents `db:"revenue"`
	Estimated loyalty.Cents `db:"estimated"`
}

// ROIShop is one shop's part.
type ROIShop struct {
	ID          loyalty.ID    `db:"id"`
	Code        string        `db:"code"`
	Name        string        `db:"name"`
	City        string        `db:"city"`
	Revenue     loyalty.Cents `db:"revenue"`
	Units       int64         `db:"units"`
	Consumers   int64         `db:"consumers"`
	Purchases   int64         `db:"purchases"`
	Given       int64         `db:"given"`
	Redemptions int64         `db:"redemptions"`
}

// maxReportDays bounds a report.
const maxReportDays = 366 * 3

// reportPeriod makes days of a report's bounds, both included, and checks them.
func reportPeriod(from, to *time.Time) error {
	*from, *to = dayOf(*from), dayOf(*to)
	var c check
	c.date("from", *from)
	c.date("to", *to)
	c.want(!to.Before(*from), "to", "no puede ser antes de from")
	c.want(to.Sub(*from) < maxReportDays*24*time.Hour, "to", "el periodo es demasiado largo")
	return c.err()
}

// ROI reports on a campaign (an admin, or its owner: the CPG's own team, the
// shop's tendero), from the rollups
// and the redemptions that were delivered. Amounts are rounded once, half up to
// the centavo. It only reads; where the rollups should be up to date, it is called
// within DB.Report.
func (tx *Tx) ROI(ctx context.Context, scope loyalty.Scope, campaign loyalty.ID, from, to time.Time) (ROIReport, error) {
	if err := reportPeriod(&from, &to); err != nil {
		return ROIReport{}, err
	}
	v, err := tx.Campaign(ctx, scope, campaign)
	if err == nil && !owns(scope, &v.Campaign) {
		err = errNoCampaign() // public, but not its figures
	}
	if err != nil {
		return ROIReport{}, err
	}
	r := ROIReport{Campaign: v, From: from, To: to}
	if r.ByWeek, err = collect[ROIWeek](ctx, tx, roiByWeek, campaign, from, to); err != nil {
		return ROIReport{}, err
	}
	if r.ByProduct, err = collect[ROIProduct](ctx, tx, roiByProduct, campaign, from, to); err != nil {
		return ROIReport{}, err
	}
	if r.ByShop, err = collect[ROIShop](ctx, tx, roiByShop, campaign, from, to); err != nil {
		return ROIReport{}, err
	}
	return r, tx.sum(ctx, &r)
}

// sum fills in what a report adds up to.
func (tx *Tx) sum(ctx context.Context, r *ROIReport) error {
	err := tx.tx.QueryRow(ctx, roiSums, r.Campaign.ID, r.From, r.To).Scan(
		&r.Revenue, &r.Estimated, &r.Units, &r.Purchases, &r.Given, &r.Consumers, &r.Redemptions, &r.RewardsCost)
	if err != nil {
		return err
	}
	r.FeeDays = feeDays(r.Campaign, r.From, r.To, tx.now)
	r.settle()
	return nil
}

// settle computes what follows from the sums.
func (r *ROIReport) settle() {
	r.Margin = loyalty.Cents(divide(int64(r.Revenue)*r.Campaign.MarginBPS, 10_000))
	r.Fee = loyalty.Cents(divide(int64(r.Campaign.Fee)*int64(r.FeeDays), 7))
	r.ROI = nil
	if spent := int64(r.RewardsCost + r.Fee); spent > 0 {
		roi := divide((int64(r.Margin)-spent)*10_000, spent)
		r.ROI = &roi
	}
}

// divide rounds to the nearest, and a half away from zero. d is above zero.
func divide(n, d int64) int64 {
	if n < 0 {
		return -divide(-n, d)
	}
	return (n + d/2) / d
}

// feeDays counts the days from one to another on which the campaign ran, as far
// as they have come.
func feeDays(c Campaign, from, to, now time.Time) int {
	zone := loyalty.Zone(loyalty.DefaultTimeZone)
	first, last := dayOf(c.StartsAt.In(zone)), dayOf(now.In(zone))
	until := func(end time.Time) {
		if d := dayOf(end.Add(-time.Microsecond).In(zone)); d.Before(last) {
			last = d
		}
	}
	if !c.EndsAt.IsZero() {
		until(c.EndsAt)
	}
	if !c.EndedAt.IsZero() {
		until(c.EndedAt)
	}
	if from.After(first) {
		first = from
	}
	if to.Before(last) {
		last = to
	}
	began := c.Status == loyalty.Active || c.Status == loyalty.Paused || c.Status == loyalty.Ended
	if !began || last.Before(first) {
		return 0
	}
	return int(last.Sub(first).Hours()/24) + 1
}

// dayOf gives the calendar day that t shows, at midnight UTC.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// delivered are a campaign's ($1) redemptions handed out on the shop's days from
// $2 to $3; the bounds on settled_at are for the index.
const delivered = `
	SELECT r.shop_id, r.cost_cents, (r.settled_at AT TIME ZONE s.time_zone)::date AS day
	FROM redemptions r JOIN shops s ON s.id = r.shop_id
	WHERE r.campaign_id = $1 AND r.status = 'delivered'
	  AND r.settled_at >= $2::date - 1 AND r.settled_at < $3::date + 2
	  AND (r.settled_at AT TIME ZONE s.time_zone)::date BETWEEN $2 AND $3`

// People are what days do not add up to.
const roiSums = `
	SELECT coalesce(sum(revenue_cents), 0)::bigint, coalesce(sum(estimated_cents), 0)::bigint, coalesce(sum(units), 0)::bigint,
	  coalesce(sum(purchases), 0)::bigint, coalesce(sum(given), 0)::bigint,
	  (SELECT count(*) FROM (SELECT DISTINCT person_id FROM activity_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3) a),
	  max(r.delivered), max(r.cost)
	FROM (SELECT count(*) AS delivered, coalesce(sum(cost_cents), 0)::bigint AS cost FROM (` + delivered + `) d) r
	LEFT JOIN campaign_daily ON campaign_id = $1 AND day BETWEEN $2 AND $3`

// Every week of the period has its row, for charts have no gaps.
const roiByWeek = `
	SELECT w.monday::date AS monday,
	  coalesce(s.revenue, 0) AS revenue, coalesce(s.units, 0) AS units,
	  coalesce(a.consumers, 0) AS consumers, coalesce(s.purchases, 0) AS purchases, coalesce(s.given, 0) AS given,
	  coalesce(d.redemptions, 0) AS redemptions, coalesce(d.cost, 0) AS rewards_cost
	FROM generate_series(date_trunc('week', $2::date::timestamp), $3::date::timestamp, '7 days') AS w(monday)
	LEFT JOIN (SELECT date_trunc('week', day::timestamp) AS monday, sum(revenue_cents)::bigint AS revenue, sum(units)::bigint AS units,
	    sum(purchases)::bigint AS purchases, sum(given)::bigint AS given
	  FROM campaign_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3 GROUP BY 1) s USING (monday)
	LEFT JOIN (SELECT monday, count(*) AS consumers
	  FROM (SELECT DISTINCT date_trunc('week', day::timestamp) AS monday, person_id
	    FROM activity_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3) p GROUP BY 1) a USING (monday)
	LEFT JOIN (SELECT date_trunc('week', day::timestamp) AS monday, count(*) AS redemptions, sum(cost_cents)::bigint AS cost
	  FROM (` + delivered + `) r GROUP BY 1) d USING (monday)
	ORDER BY monday`

const roiByProduct = `
	SELECT p.id, p.gtin, p.name, coalesce(sum(s.units), 0)::bigint AS units, coalesce(sum(s.purchases), 0)::bigint AS purchases,
	  coalesce(sum(s.revenue_cents), 0)::bigint AS revenue, coalesce(sum(s.estimated_cents), 0)::bigint AS estimated
	FROM products p LEFT JOIN sales_daily s ON s.product_id = p.id AND s.campaign_id = $1 AND s.day BETWEEN $2 AND $3
	WHERE p.id IN (SELECT product_id FROM campaign_products WHERE campaign_id = $1
	  UNION SELECT product_id FROM sales_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3)
	GROUP BY p.id ORDER BY revenue DESC, p.id`

const roiByShop = `
	SELECT s.id, s.code, s.name, s.city, coalesce(r.revenue, 0) AS revenue, coalesce(r.units, 0) AS units,
	  coalesce(a.consumers, 0) AS consumers, coalesce(a.purchases, 0) AS purchases, coalesce(a.given, 0) AS given,
	  coalesce(d.redemptions, 0) AS redemptions
	FROM shops s
	LEFT JOIN (SELECT shop_id, sum(revenue_cents)::bigint AS revenue, sum(units)::bigint AS units
	  FROM sales_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3 GROUP BY 1) r ON r.shop_id = s.id
	LEFT JOIN (SELECT shop_id, count(DISTINCT person_id) AS consumers, sum(purchases)::bigint AS purchases, sum(given)::bigint AS given
	  FROM activity_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3 GROUP BY 1) a ON a.shop_id = s.id
	LEFT JOIN (SELECT shop_id, count(*) AS redemptions FROM (` + delivered + `) x GROUP BY 1) d ON d.shop_id = s.id
	WHERE r.shop_id IS NOT NULL OR d.shop_id IS NOT NULL
	ORDER BY revenue DESC, s.id`
