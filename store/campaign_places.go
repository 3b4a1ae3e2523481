package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What the rules find out sale by sale, SQL asks for as rows: campaign_products,
// campaign_shops, and all_shops where really all shops take part. They are made
// from the terms by the same functions, whenever terms, products, shops,
// participants or a CPG's relations change.

// lockPlaces lets one transaction at a time change what these rows are made of:
// it is the first lock that such a transaction takes. Purchases don't wait for it.
func (tx *Tx) lockPlaces() { tx.later(`SELECT pg_advisory_xact_lock(hashtext('places'))`) }

// place is what campaigns aim at in the shop.
func (v *Shop) place() loyalty.Place {
	return loyalty.Place{ID: v.ID, Kind: v.Kind, State: v.State, City: v.City}
}

// placing is a campaign with what its rows are made of.
type placing struct {
	loyalty.Campaign
	joined, out []loyalty.ID // participants; shops whose relation with the CPG was ended
}

// every says whether all shops take part, also those that are still to come.
func (p *placing) every() bool {
	return p.Owner == "" && p.AllShops && p.Joining == loyalty.JoinAtOnce && len(p.ExcludedShops) == 0 && len(p.out) == 0
}

// has says whether a shop takes part.
func (p *placing) has(s loyalty.Place) bool {
	if p.Owner != "" {
		return p.Owner == s.ID
	}
	return (p.Joining == loyalty.JoinAtOnce || slices.Contains(p.joined, s.ID)) && !slices.Contains(p.out, s.ID) && p.Aims(s)
}

// placings reads those that a condition on campaign c picks.
func (tx *Tx) placings(ctx context.Context, condition string, args ...any) ([]*placing, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT `+campaignCore+`,
		  ARRAY(SELECT p.shop_id FROM campaign_participants p WHERE p.campaign_id = c.id AND p.status = 'joined'),
		  ARRAY(SELECT s.shop_id FROM cpg_shops s WHERE s.cpg_id = c.cpg_id AND NOT s.active)
		FROM campaigns c WHERE `+condition+` ORDER BY c.id`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*placing, error) {
		p := new(placing)
		return p, row.Scan(append(coreOf(&p.Campaign), &p.joined, &p.out)...)
	})
}

// place brings the rows of campaigns up to what they are made of. Other sales may
// count for a campaign whose rows changed.
func (tx *Tx) place(ctx context.Context, campaigns ...loyalty.ID) error {
	all, err := tx.placings(ctx, `c.id = ANY($1)`, campaigns)
	if err != nil || len(all) == 0 {
		return err
	}
	lines, err := tx.linesOf(ctx, all)
	if err != nil {
		return err
	}
	shops, err := tx.shopPlaces(ctx, all)
	if err != nil {
		return err
	}
	for _, p := range all {
		plis, places := []loyalty.ID{}, []loyalty.ID{}
		for i := range lines {
			if p.Sells(&lines[i]) {
				plis = append(plis, lines[i].Product)
			}
		}
		for _, s := range shops {
			if !p.every() && p.has(s) {
				places = append(places, s.ID)
			}
		}
		if err := tx.savePlaces(ctx, p, plis, places); err != nil {
			return err
		}
	}
	return nil
}

// linesOf gives every product that one of the campaigns may sell, as a line.
func (tx *Tx) linesOf(ctx context.Context, all []*placing) ([]loyalty.Line, error) {
	var cpgs, products, brands []loyalty.ID
	for _, p := range all {
		if p.CPG != "" {
			cpgs = append(cpgs, p.CPG)
		} else {
			products, brands = append(products, p.Products...), append(brands, p.Brands...)
		}
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT id, brand_id, cpg_id FROM products WHERE cpg_id = ANY($1) OR id = ANY($2) OR brand_id = ANY($3) ORDER BY id`, cpgs, products, brands)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l loyalty.Line, err error) {
		return l, row.Scan(&l.Product, &l.Brand, &l.CPG)
	})
}

// shopPlaces gives all shops where one of the campaigns chooses among them.
func (tx *Tx) shopPlaces(ctx context.Context, all []*placing) ([]loyalty.Place, error) {
	if !slices.ContainsFunc(all, func(p *placing) bool { return !p.every() }) {
		return nil, nil
	}
	rows, err := tx.tx.Query(ctx, `SELECT id, kind, state, city FROM shops ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p loyalty.Place, err error) {
		return p, row.Scan(&p.ID, &p.Kind, &p.State, &p.City)
	})
}

// savePlaces writes what differs.
func (tx *Tx) savePlaces(ctx context.Context, p *placing, plis, places []loyalty.ID) error {
	var b pgx.Batch
	b.Queue(`DELETE FROM campaign_products WHERE campaign_id = $1 AND product_id <> ALL($2)`, p.ID, plis)
	b.Queue(`INSERT INTO campaign_products (campaign_id, cpg_id, shop_id, product_id) SELECT $1, $3, $4, unnest($2::uuid[]) ON CONFLICT DO NOTHING`,
		p.ID, plis, optional(p.CPG), optional(p.Owner))
	b.Queue(`DELETE FROM campaign_shops WHERE campaign_id = $1 AND shop_id <> ALL($2)`, p.ID, places)
	b.Queue(`INSERT INTO campaign_shops (campaign_id, shop_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`, p.ID, places)
	b.Queue(`UPDATE campaigns SET all_shops = $2 WHERE id = $1 AND all_shops <> $2`, p.ID, p.every())
	changed, err := tx.execAll(ctx, &b)
	if err != nil || !changed {
		return err
	}
	return tx.rollupChanged(ctx, p.ID)
}

// execAll runs statements together and says whether they changed any row.
func (tx *Tx) execAll(ctx context.Context, b *pgx.Batch) (changed bool, err error) {
	results := tx.tx.SendBatch(ctx, b)
	for range b.Len() {
		tag, err := results.Exec()
		if err != nil {
			_ = results.Close() // what failed is known
			return false, err
		}
		changed = changed || tag.RowsAffected() > 0
	}
	return changed, results.Close()
}

// placeProduct puts a new product into the campaigns that sell it. The lock is
// held.
func (tx *Tx) placeProduct(ctx context.Context, v *Product) error {
	rows, err := tx.tx.Query(ctx, `
		SELECT c.id FROM campaigns c WHERE c.status <> 'ended'
		  AND (c.cpg_id = $1 AND c.terms @> '{"all_products": true}' OR c.terms->'brand_ids' ? $2)`, v.CPG, string(v.Brand))
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[loyalty.ID])
	if err != nil {
		return err
	}
	return tx.place(ctx, ids...)
}

// placeShop puts a shop into the campaigns that it takes part in, and out of the
// others. The lock is held.
func (tx *Tx) placeShop(ctx context.Context, v *Shop) error {
	all, err := tx.placings(ctx, `c.cpg_id IS NOT NULL AND c.status <> 'ended' AND NOT c.all_shops`)
	if err != nil {
		return err
	}
	in := []loyalty.ID{}
	ids := make([]loyalty.ID, len(all))
	for i, p := range all {
		ids[i] = p.ID
		if p.has(v.place()) {
			in = append(in, p.ID)
		}
	}
	_, err = tx.tx.Exec(ctx, `
		WITH gone AS (
		  DELETE FROM campaign_shops WHERE shop_id = $1 AND campaign_id = ANY($2) AND campaign_id <> ALL($3) RETURNING campaign_id
		), come AS (
		  INSERT INTO campaign_shops (campaign_id, shop_id) SELECT unnest($3::uuid[]), $1 ON CONFLICT DO NOTHING RETURNING campaign_id
		)
		INSERT INTO rollup_changes (campaign_id) SELECT campaign_id FROM gone UNION ALL SELECT campaign_id FROM come`, v.ID, ids, in)
	return err
}

// placeCPG brings all campaigns of a CPG up to its relations with shops. The lock
// is held.
func (tx *Tx) placeCPG(ctx context.Context, cpg loyalty.ID) error {
	rows, err := tx.tx.Query(ctx, `SELECT id FROM campaigns WHERE cpg_id = $1 AND status <> 'ended'`, cpg)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[loyalty.ID])
	if err != nil {
		return err
	}
	return tx.place(ctx, ids...)
}
