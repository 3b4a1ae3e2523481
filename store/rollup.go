package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// rolledSales are the lines that count for a campaign: a recorded purchase, of
// a PLI, at a shop that takes part, inside the campaign's dates. A campaign that
// was ended before its date last changed when that was done. Pauses are not
// left out: the brand's products were sold all the same. $1 is the first day,
// $2 a moment before it in every time zone, for the index on occurred_at.
const rolledSales = `
	SELECT c.id AS campaign_id, p.day, p.shop_id, p.person_id, p.id AS purchase_id,
	  i.product_id, i.quantity, i.quantity * i.unit_price_cents AS cents, i.price_estimated
	FROM (
	  SELECT p.id, p.shop_id, p.person_id, p.occurred_at, (p.occurred_at AT TIME ZONE s.time_zone)::date AS day
	  FROM purchases p JOIN shops s ON s.id = p.shop_id
	  WHERE p.status = 'recorded' AND p.occurred_at >= $2
	) p
	JOIN purchase_items i ON i.purchase_id = p.id
	JOIN campaign_products cp ON cp.product_id = i.product_id
	JOIN campaigns c ON c.id = cp.campaign_id
	WHERE p.day >= $1 AND c.status <> 'draft'
	  AND p.occurred_at >= c.starts_at AND (c.ends_at IS NULL OR p.occurred_at < c.ends_at)
	  AND (c.status <> 'ended' OR p.occurred_at < c.updated_at)
	  AND (c.all_shops OR EXISTS (SELECT FROM campaign_shops cs WHERE cs.campaign_id = c.id AND cs.shop_id = p.shop_id))`

// Two bounds of catching up.
const (
	// A purchase may commit after one that was begun later: so much is looked at
	// again.
	lateCommit = time.Minute
	// However many people look at reports, they are not made fresh more often.
	freshFor = 500 * time.Millisecond
)

// CatchUpSales computes anew the days into which the purchases fall that were
// recorded since the last time, late ones with their own days. A job does it
// each minute.
func (tx *Tx) CatchUpSales(ctx context.Context) error {
	upto, _, err := tx.rolledUp(ctx)
	if err != nil {
		return err
	}
	var from *time.Time
	err = tx.tx.QueryRow(ctx, `SELECT min(occurred_at) FROM purchases WHERE id >= $1`, loyalty.IDAt(upto.Time().Add(-lateCommit))).Scan(&from)
	if err != nil || from == nil {
		return err
	}
	return tx.RollupSales(ctx, from.AddDate(0, 0, -1))
}

// freshen catches up where a report would miss purchases.
func (tx *Tx) freshen(ctx context.Context) error {
	upto, at, err := tx.rolledUp(ctx)
	if err != nil {
		return err
	}
	newest, err := tx.newestPurchase(ctx)
	if age := tx.now.Sub(at); err != nil || newest == upto || age >= 0 && age < freshFor {
		return err
	}
	return tx.CatchUpSales(ctx)
}

// rolledUp says up to which purchase the rollups were made, and when; the
// smallest ID before the first time.
func (tx *Tx) rolledUp(ctx context.Context) (upto loyalty.ID, at time.Time, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT upto, at FROM rollups WHERE name = 'sales'`).Scan(&upto, &at)
	if none(err) {
		return loyalty.IDAt(time.UnixMilli(0)), time.Time{}, nil
	}
	return upto, at, err
}

func (tx *Tx) newestPurchase(ctx context.Context) (id loyalty.ID, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT id FROM purchases ORDER BY id DESC LIMIT 1`).Scan(&id)
	if none(err) {
		return loyalty.IDAt(time.UnixMilli(0)), nil
	}
	return id, err
}

// RollupSales computes the rollups that reports read, anew for all days from the
// given one on (its clock time does not matter); the zero time is all there is.
// A day is the shop's. Again is harmless; two at once run one after the other.
//
// Days before the given one stay as they were computed, also when PLIs or shops
// changed since.
func (tx *Tx) RollupSales(ctx context.Context, from time.Time) error {
	first := time.Date(max(from.Year(), 2000), from.Month(), from.Day(), 0, 0, 0, 0, time.UTC)
	early := first.AddDate(0, 0, -1)
	if _, err := tx.tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('rollup'))`); err != nil {
		return err
	}
	// What is newer than this may be in the sums or not, and will be looked at
	// again.
	newest, err := tx.newestPurchase(ctx)
	if err != nil {
		return err
	}
	for _, sql := range []string{
		`DELETE FROM sales_daily WHERE day >= $1`,
		`DELETE FROM activity_daily WHERE day >= $1`,
	} {
		if _, err := tx.tx.Exec(ctx, sql, first); err != nil {
			return err
		}
	}
	for _, sql := range []string{
		`INSERT INTO sales_daily (campaign_id, day, shop_id, product_id, purchases, units, revenue_cents, estimated_cents)
		SELECT campaign_id, day, shop_id, product_id, count(DISTINCT purchase_id), sum(quantity), sum(cents),
		  coalesce(sum(cents) FILTER (WHERE price_estimated), 0)
		FROM (` + rolledSales + `) sold GROUP BY 1, 2, 3, 4`,
		// A purchase is one however many of its lines are PLIs, and so are the
		// ledger entries that it made.
		`INSERT INTO activity_daily (campaign_id, day, shop_id, person_id, purchases, given)
		SELECT b.campaign_id, b.day, b.shop_id, b.person_id, count(DISTINCT b.purchase_id), coalesce(sum(l.amount), 0)
		FROM (SELECT DISTINCT campaign_id, day, shop_id, person_id, purchase_id FROM (` + rolledSales + `) sold) b
		LEFT JOIN ledger l ON l.purchase_id = b.purchase_id AND l.campaign_id = b.campaign_id
		GROUP BY 1, 2, 3, 4`,
	} {
		if _, err := tx.tx.Exec(ctx, sql, first, early); err != nil {
			return err
		}
	}
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO rollups (name, upto, at) VALUES ('sales', $1, $2)
		ON CONFLICT (name) DO UPDATE SET upto = $1, at = $2`, newest, tx.now)
	return err
}
