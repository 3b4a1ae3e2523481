package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// LatestSales gives a shop's latest purchases since a moment, newest first (an
// admin, the shop's tendero). They name nobody.
func (tx *Tx) LatestSales(ctx context.Context, scope loyalty.Scope, shop loyalty.ID, since time.Time, limit int) ([]Movement, error) {
	v, err := tx.keptShop(ctx, scope, shop)
	if err != nil {
		return nil, err
	}
	sales, err := tx.movements(ctx, `pu.shop_id = $1 AND pu.occurred_at >= $3`, v.ID, limit, since)
	for i := range sales {
		sales[i].CardCode = ""
	}
	return sales, err
}

// LastRuns says when each periodic job last ran by its schedule.
func (tx *Tx) LastRuns(ctx context.Context) (map[string]time.Time, error) {
	rows, err := tx.tx.Query(ctx, `SELECT job, max(created_at) FROM job_runs GROUP BY job`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	last := map[string]time.Time{}
	for rows.Next() {
		var job string
		var at time.Time
		if err := rows.Scan(&job, &at); err != nil {
			return nil, err
		}
		last[job] = at
	}
	return last, rows.Err()
}

// ShopDay is what was sold in a shop on one of its days.
type ShopDay struct {
	Day       time.Time     `db:"day"`
	Purchases int64         `db:"purchases"`
	Total     loyalty.Cents `db:"total"`
}

// ShopDays gives a shop's sales day by day, without what was returned; also the
// days without any (an admin, the shop's tendero). It reads the purchases as they
// are, as ShopDigest does.
func (tx *Tx) ShopDays(ctx context.Context, scope loyalty.Scope, shop loyalty.ID, from, to time.Time) ([]ShopDay, error) {
	if err := reportPeriod(&from, &to); err != nil {
		return nil, err
	}
	v, err := tx.keptShop(ctx, scope, shop)
	if err != nil {
		return nil, err
	}
	return collect[ShopDay](ctx, tx, spanOfShop+`, daily AS (
		  SELECT (p.occurred_at AT TIME ZONE $4)::date AS day, count(*) AS purchases, sum(sold.total_cents)::bigint AS total
		  FROM sold JOIN purchases p ON p.id = sold.id GROUP BY 1
		)
		SELECT g.day::date AS day, coalesce(d.purchases, 0) AS purchases, coalesce(d.total, 0)::bigint AS total
		FROM generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS g (day) LEFT JOIN daily d ON d.day = g.day::date ORDER BY 1`,
		v.ID, from, to, v.TimeZone)
}
