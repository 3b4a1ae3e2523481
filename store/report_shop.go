package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ShopDigest is what Qoa did for a shop from one of its days to another, both
// included, without what was returned. Times are days, at midnight UTC.
type ShopDigest struct {
	Shop     Shop
	From, To time.Time

	Purchases   int64
	Units       int64
	Total       loyalty.Cents
	Estimated   loyalty.Cents // the part of Total at reference prices
	Consumers   int64         // who bought with their card
	Stamps      int64         // given
	Points      int64         // given
	Redemptions int64
	NewCards    int64
	Visits      int64 // opened counter QRs
	Products    []DigestProduct
}

// DigestProduct is one of the products that sold best.
type DigestProduct struct {
	ID    loyalty.ID    `db:"id"`
	GTIN  loyalty.GTIN  `db:"gtin"`
	Name  string        `db:"name"`
	Units int64         `db:"units"`
	Total loyalty.Cents `db:"total"`
}

// mostDigestProducts is how many a message can name.
const mostDigestProducts = 5

// spanOfShop turns the shop's ($1) days $2 to $3 into moments.
const spanOfShop = `
	WITH span AS (
	  SELECT s.id AS shop, $2::date::timestamp AT TIME ZONE s.time_zone AS since, ($3::date + 1)::timestamp AT TIME ZONE s.time_zone AS until
	  FROM shops s WHERE s.id = $1
	), sold AS (
	  SELECT p.id, p.person_id, p.total_cents - coalesce((SELECT sum(i.returned * i.unit_price_cents) FROM purchase_items i WHERE i.purchase_id = p.id), 0) AS total_cents
	  FROM purchases p, span
	  WHERE p.shop_id = span.shop AND p.occurred_at >= span.since AND p.occurred_at < span.until AND p.status <> 'reversed'
	)`

// ShopDigest reports on a shop (an admin, the shop's tendero, the bot). A shop's
// week is some hundred purchases found by index, so it is read as it stands,
// to the minute, and from no rollup.
func (tx *Tx) ShopDigest(ctx context.Context, scope loyalty.Scope, shop loyalty.ID, from, to time.Time) (ShopDigest, error) {
	if err := reportPeriod(&from, &to); err != nil {
		return ShopDigest{}, err
	}
	v, err := tx.keptShop(ctx, scope, shop)
	if err != nil {
		return ShopDigest{}, err
	}
	return tx.digest(ctx, v, from, to)
}

// ShopToday is ShopDigest for the day that it is at the shop.
func (tx *Tx) ShopToday(ctx context.Context, scope loyalty.Scope, shop loyalty.ID) (ShopDigest, error) {
	v, err := tx.keptShop(ctx, scope, shop)
	if err != nil {
		return ShopDigest{}, err
	}
	today := dayOf(tx.now.In(loyalty.Zone(v.TimeZone)))
	return tx.digest(ctx, v, today, today)
}

// keptShop gives a shop to who may know its figures: to others than its own
// people it looks unknown.
func (tx *Tx) keptShop(ctx context.Context, scope loyalty.Scope, shop loyalty.ID) (Shop, error) {
	if scope.Role == loyalty.RoleIntegration || !scope.SellsAt(shop) {
		return Shop{}, errNoShop()
	}
	return tx.Shop(ctx, scope, shop)
}

func (tx *Tx) digest(ctx context.Context, shop Shop, from, to time.Time) (ShopDigest, error) {
	d := ShopDigest{Shop: shop, From: from, To: to}
	err := tx.tx.QueryRow(ctx, spanOfShop+`
		SELECT (SELECT count(*) FROM sold), (SELECT coalesce(sum(total_cents), 0)::bigint FROM sold),
		  (SELECT count(DISTINCT person_id) FROM sold), i.units, i.estimated, l.stamps, l.points,
		  (SELECT count(*) FROM redemptions r, span WHERE r.shop_id = span.shop AND r.status = 'delivered'
		    AND r.settled_at >= span.since AND r.settled_at < span.until),
		  (SELECT count(*) FROM cards c, span WHERE c.shop_id = span.shop AND c.created_at >= span.since AND c.created_at < span.until),
		  (SELECT coalesce(sum(v.visits), 0)::bigint FROM shop_visits v WHERE v.shop_id = $1 AND v.day BETWEEN $2 AND $3)
		FROM (SELECT coalesce(sum(i.quantity - i.returned), 0)::bigint AS units,
		    coalesce(sum((i.quantity - i.returned) * i.unit_price_cents) FILTER (WHERE i.price_estimated), 0)::bigint AS estimated
		  FROM sold JOIN purchase_items i ON i.purchase_id = sold.id) i,
		  (SELECT coalesce(sum(l.amount) FILTER (WHERE l.unit = 'stamp'), 0)::bigint AS stamps,
		    coalesce(sum(l.amount) FILTER (WHERE l.unit = 'point'), 0)::bigint AS points
		  FROM sold JOIN ledger l ON l.purchase_id = sold.id) l`, shop.ID, from, to).
		Scan(&d.Purchases, &d.Total, &d.Consumers, &d.Units, &d.Estimated, &d.Stamps, &d.Points, &d.Redemptions, &d.NewCards, &d.Visits)
	if err != nil {
		return d, err
	}
	d.Products, err = collect[DigestProduct](ctx, tx, spanOfShop+`
		SELECT p.id, p.gtin, p.name, sum(i.quantity - i.returned)::bigint AS units, sum((i.quantity - i.returned) * i.unit_price_cents)::bigint AS total
		FROM sold JOIN purchase_items i ON i.purchase_id = sold.id AND i.quantity > i.returned JOIN products p ON p.id = i.product_id
		GROUP BY p.id ORDER BY units DESC, total DESC, p.id LIMIT $4`, shop.ID, from, to, mostDigestProducts)
	return d, err
}
