package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CountVisit counts an opened counter QR, on the shop's own day. A code on a
// poster is public: no scope.
func (tx *Tx) CountVisit(ctx context.Context, shop loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO shop_visits AS v (shop_id, day, visits)
		SELECT s.id, ($2::timestamptz AT TIME ZONE s.time_zone)::date, 1 FROM shops s WHERE s.id = $1
		ON CONFLICT (shop_id, day) DO UPDATE SET visits = v.visits + 1`, shop, tx.now)
	return err
}
