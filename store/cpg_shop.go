package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CPGShop is a shop in which a CPG sells. The first sale makes the relation, or a
// person does; one that was ended keeps the shop out of all the CPG's campaigns.
type CPGShop struct {
	CPG       loyalty.ID `db:"cpg_id"`
	Shop      loyalty.ID `db:"shop_id"`
	ShopCode  string     `db:"shop_code"`
	ShopName  string     `db:"shop"`
	City      string     `db:"city"`
	Source    string     `db:"source"` // sale, hand
	Active    bool       `db:"active"`
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}

const cpgShopFields = `
	SELECT r.cpg_id, r.shop_id, s.code AS shop_code, s.name AS shop, s.city, r.source, r.active, r.created_at, r.updated_at
	FROM cpg_shops r JOIN shops s ON s.id = r.shop_id`

// CPGShops lists the shops of a CPG, also those whose relation was ended (admin,
// or the CPG's own team).
func (tx *Tx) CPGShops(ctx context.Context, scope loyalty.Scope, cpg loyalty.ID, page Page) ([]CPGShop, loyalty.ID, error) {
	if err := tx.teamOf(ctx, scope, cpg); err != nil {
		return nil, "", err
	}
	return list(ctx, tx, page, func(v CPGShop) loyalty.ID { return v.Shop },
		cpgShopFields+` WHERE r.cpg_id = $1 AND r.shop_id > $2 ORDER BY r.shop_id LIMIT $3`, cpg)
}

// RelateShop makes or ends by hand the relation of a CPG with a shop (admin, or
// the CPG's own team).
func (tx *Tx) RelateShop(ctx context.Context, scope loyalty.Scope, cpg, shop loyalty.ID, active bool) (CPGShop, error) {
	if err := tx.teamOf(ctx, scope, cpg); err != nil {
		return CPGShop{}, err
	}
	tx.lockPlaces()
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO cpg_shops AS r (cpg_id, shop_id, source, active, created_at, updated_at) VALUES ($1, $2, 'hand', $3, $4, $4)
		ON CONFLICT (cpg_id, shop_id) DO UPDATE SET active = $3, updated_at = $4 WHERE r.active <> $3`, cpg, shop, active, tx.now)
	if err != nil {
		return CPGShop{}, err
	}
	if err := tx.placeCPG(ctx, cpg); err != nil {
		return CPGShop{}, err
	}
	v, err := fetch[CPGShop](ctx, tx, errNoShop(), cpgShopFields+` WHERE r.cpg_id = $1 AND r.shop_id = $2`, cpg, shop)
	tx.audit(scope, Updated, "cpg_shop", shop, v.ShopName, made(v)...)
	return v, err
}

// teamOf refuses who does not act for the CPG; to another tenant it does not
// exist.
func (tx *Tx) teamOf(ctx context.Context, scope loyalty.Scope, cpg loyalty.ID) error {
	if err := tenantOnly(scope); err != nil {
		return err
	}
	_, err := tx.CPG(ctx, scope, cpg)
	return err
}
