package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// TenderoShops gives the shops that a person keeps and that take part, oldest
// first. Whoever writes to the bot is who the phone says: no scope.
func (tx *Tx) TenderoShops(ctx context.Context, person loyalty.ID) ([]Shop, error) {
	return collect[Shop](ctx, tx, shopFields+` WHERE active
		AND id IN (SELECT shop_id FROM tenderos WHERE person_id = $1 AND active) ORDER BY id`, person)
}
