package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Reorder is what a tendero wants to buy again: an intention that the brand
// sees; no money moves.
type Reorder struct {
	ID        loyalty.ID  `db:"id"`
	Shop      loyalty.ID  `db:"shop_id"`
	ShopName  string      `db:"shop_name"`
	ShopCode  string      `db:"shop_code"`
	City      string      `db:"city"`
	TimeZone  string      `db:"time_zone"`  // the shop's
	Product   *loyalty.ID `db:"product_id"` // nil: all that Qoa sold there lately
	GTIN      string      `db:"gtin"`
	Name      string      `db:"product_name"`
	Quantity  *int        `db:"quantity"`
	Note      string      `db:"note"`
	CreatedAt time.Time   `db:"created_at"`
}

// ReorderInput is what a reorder is made of. Product and Quantity are optional.
type ReorderInput struct {
	Shop     loyalty.ID
	Person   loyalty.ID
	Product  loyalty.ID
	Quantity int
	Note     string
}

const reorderColumns = `
	SELECT r.id, r.shop_id, s.name AS shop_name, s.code AS shop_code, s.city, s.time_zone, r.product_id,
	  coalesce(p.gtin, '') AS gtin, coalesce(p.name, '') AS product_name, r.quantity, r.note, r.created_at
	FROM reorders r JOIN shops s ON s.id = r.shop_id LEFT JOIN products p ON p.id = r.product_id`

const mostReorderNote = 500

// RecordReorder notes that a shop wants more (the shop's tendero, the bot).
func (tx *Tx) RecordReorder(ctx context.Context, scope loyalty.Scope, in ReorderInput) (Reorder, error) {
	if scope.Role == loyalty.RoleIntegration || !scope.SellsAt(in.Shop) {
		return Reorder{}, loyalty.Forbidden()
	}
	var c check
	c.id("shop_id", &in.Shop)
	if in.Product != "" {
		c.id("product_id", &in.Product)
	}
	c.between("quantity", int64(in.Quantity), 0, 9999)
	if err := c.err(); err != nil {
		return Reorder{}, err
	}
	id := tx.newID()
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO reorders (id, shop_id, person_id, product_id, quantity, note, created_at)
		VALUES ($1, $2, $3, $4, nullif($5::integer, 0), $6, $7)`,
		id, in.Shop, in.Person, optional(in.Product), in.Quantity, readable(in.Note, mostReorderNote), tx.now)
	if err != nil {
		return Reorder{}, err
	}
	return fetch[Reorder](ctx, tx, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese pedido."), reorderColumns+` WHERE r.id = $1`, id)
}

// ReorderFilter narrows what shops want; what is zero asks for nothing.
type ReorderFilter struct {
	Shop     loyalty.ID
	Product  loyalty.ID
	From, To time.Time // days of the shop, both included
}

// args are the first parameters of reordersInView.
func (f ReorderFilter) args(scope loyalty.Scope) []any {
	w, from, to := viewOf(scope), f.From, f.To
	if from.IsZero() {
		from = firstDay()
	}
	if to.IsZero() {
		to = lastDay()
	}
	return []any{w.all, scope.Shops, w.cpg, optional(f.Shop), optional(f.Product), dayOf(from), dayOf(to)}
}

// reordersInView: a tendero sees its own shops' wishes, a brand team those for its
// products, and those for no product in particular of shops that take part in one
// of its campaigns that ran. The bounds on created_at are for the index.
const reordersInView = `
	WHERE ($1 OR r.shop_id = ANY($2) OR p.cpg_id = $3 OR (r.product_id IS NULL AND EXISTS (
	  SELECT FROM campaigns c WHERE c.cpg_id = $3 AND c.status IN ('active', 'paused', 'ended')
	  AND (c.all_shops OR EXISTS (SELECT FROM campaign_shops cs WHERE cs.campaign_id = c.id AND cs.shop_id = r.shop_id)))))
	AND ($4::uuid IS NULL OR r.shop_id = $4) AND ($5::uuid IS NULL OR r.product_id = $5)
	AND r.created_at >= $6::date - 1 AND r.created_at < $7::date + 2
	AND (r.created_at AT TIME ZONE s.time_zone)::date BETWEEN $6 AND $7`

// Reorders lists what shops want, the newest first.
func (tx *Tx) Reorders(ctx context.Context, scope loyalty.Scope, f ReorderFilter, page Page) ([]Reorder, loyalty.ID, error) {
	return list(ctx, tx, page, func(v Reorder) loyalty.ID { return v.ID }, reorderColumns+reordersInView+`
		AND (r.id < $8 OR $8 = '00000000-0000-0000-0000-000000000000') ORDER BY r.id DESC LIMIT $9`, f.args(scope)...)
}

// ReorderTotal is how much is wanted of a product, or in a shop.
type ReorderTotal struct {
	ID     *loyalty.ID `db:"id"`   // nil: no product in particular
	Code   string      `db:"code"` // GTIN, or the shop's code
	Name   string      `db:"name"` // "" is no product in particular
	City   string      `db:"city"` // of a shop
	Wishes int64       `db:"wishes"`
	Units  int64       `db:"units"` // of those that say how many
	Shops  int64       `db:"shops"` // that want it
}

// ReorderTotals add up what Reorders lists, by product and by shop.
func (tx *Tx) ReorderTotals(ctx context.Context, scope loyalty.Scope, f ReorderFilter) (products, shops []ReorderTotal, err error) {
	const from = ` FROM reorders r JOIN shops s ON s.id = r.shop_id LEFT JOIN products p ON p.id = r.product_id` + reordersInView
	products, err = collect[ReorderTotal](ctx, tx, `
		SELECT p.id, coalesce(p.gtin, '') AS code, coalesce(p.name, '') AS name, '' AS city, count(*) AS wishes,
		  coalesce(sum(r.quantity), 0)::bigint AS units, count(DISTINCT r.shop_id) AS shops`+from+`
		GROUP BY p.id ORDER BY units DESC, wishes DESC, p.id`, f.args(scope)...)
	if err != nil {
		return nil, nil, err
	}
	shops, err = collect[ReorderTotal](ctx, tx, `
		SELECT s.id, s.code, s.name, s.city, count(*) AS wishes, coalesce(sum(r.quantity), 0)::bigint AS units, 1::bigint AS shops`+from+`
		GROUP BY s.id ORDER BY units DESC, wishes DESC, s.id`, f.args(scope)...)
	return products, shops, err
}
