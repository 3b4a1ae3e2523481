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
