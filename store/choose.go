package store

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ProductChoice narrows the products that somebody chooses from; what is zero asks
// for nothing.
type ProductChoice struct {
	CPG   loyalty.ID
	Brand loyalty.ID
	Words string       // of name, nicknames or brand, or digits of the GTIN
	IDs   []loyalty.ID // these, sold or not; nil: what is sold
}

// ChooseProducts finds products that the caller sees, by name, and how many there
// are.
func (tx *Tx) ChooseProducts(ctx context.Context, scope loyalty.Scope, f ProductChoice, most int) ([]Product, int64, error) {
	w := viewOf(scope)
	return choose[Product](ctx, tx, productColumns+`
		AND ($4::uuid IS NULL OR cpg_id = $4) AND ($5::uuid IS NULL OR brand_id = $5)
		AND (CASE WHEN $6::uuid[] IS NULL THEN active ELSE id = ANY($6) END)
		AND `+wordsIn(`(name || ' ' || gtin || ' ' || array_to_string(nicknames, ' ') || ' ' || (SELECT b.name FROM brands b WHERE b.id = brand_id))`, "$7"), most,
		w.all, w.cpg, w.public, optional(f.CPG), optional(f.Brand), f.IDs, searchWords(f.Words))
}

// ShopChoice narrows the shops that somebody chooses from; what is zero asks for
// nothing.
type ShopChoice struct {
	Kind  string
	State string
	City  string
	Words string       // of name, street or city, or a code
	IDs   []loyalty.ID // these, open or not; nil: what is open
}

// ChooseShops finds shops that the caller sees, by name, and how many there are.
func (tx *Tx) ChooseShops(ctx context.Context, scope loyalty.Scope, f ShopChoice, most int) ([]Shop, int64, error) {
	all, own, public := shopView(scope)
	return choose[Shop](ctx, tx, shopsInView+`
		AND ($4 = '' OR kind = $4) AND ($5 = '' OR state = $5) AND ($6 = '' OR city = $6)
		AND (CASE WHEN $7::uuid[] IS NULL THEN active ELSE id = ANY($7) END)
		AND `+wordsIn(`(name || ' ' || code || ' ' || street || ' ' || city)`, "$8"), most,
		all, own, public, clean(f.Kind), clean(f.State), clean(f.City), f.IDs, searchWords(f.Words))
}

// choose gives the first rows of a query by name, and counts all.
func choose[T any](ctx context.Context, tx *Tx, sql string, most int, args ...any) ([]T, int64, error) {
	var total int64
	if err := tx.tx.QueryRow(ctx, `SELECT count(*) FROM (`+sql+`) s`, args...).Scan(&total); err != nil || total == 0 {
		return nil, total, err
	}
	rows, err := tx.tx.Query(ctx, sql+` ORDER BY `+unaccented("name")+`, id LIMIT `+strconv.Itoa(most), args...)
	if err != nil {
		return nil, 0, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	return all, total, err
}

// ShopPlace is a city in which there are shops.
type ShopPlace struct {
	State string `db:"state"`
	City  string `db:"city"`
}

// ShopPlaces gives the cities of the open shops that the caller sees.
func (tx *Tx) ShopPlaces(ctx context.Context, scope loyalty.Scope) ([]ShopPlace, error) {
	all, own, public := shopView(scope)
	return collect[ShopPlace](ctx, tx, `SELECT DISTINCT state, city FROM shops
		WHERE active AND ($1 OR id = ANY($2) OR $3) ORDER BY state, city`, all, own, public)
}
