package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What only a conversation asks for.

// TenderoShops gives the shops that a person keeps and that take part, by
// name. Whoever writes to the bot is who the phone says: no scope.
func (tx *Tx) TenderoShops(ctx context.Context, person loyalty.ID) ([]Shop, error) {
	return collect[Shop](ctx, tx, shopFields+` WHERE active
		AND id IN (SELECT shop_id FROM tenderos WHERE person_id = $1 AND active) ORDER BY name, street, id`, person)
}

// ShopNameOf gives the name of a shop also when it was closed, so that who
// scanned its poster can be told; "" for an unknown code.
func (tx *Tx) ShopNameOf(ctx context.Context, code string) (name string, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT name FROM shops WHERE code = $1`, code).Scan(&name)
	return name, ignoreNone(err)
}

// RewardNameOf gives the name of the reward behind a redemption code, "" for an
// unknown one: a shop that may not hand it over is told what it is about.
func (tx *Tx) RewardNameOf(ctx context.Context, code string) (name string, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT r.name FROM redemptions d JOIN rewards r ON r.id = d.reward_id WHERE d.code = $1`, code).Scan(&name)
	return name, ignoreNone(err)
}
