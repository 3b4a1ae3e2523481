package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type adjustmentInput struct {
	Campaign loyalty.ID   `json:"campaign_id"`
	CardCode string       `json:"card_code"`
	ShopCode string       `json:"shop_code"` // where the campaign counts per shop
	Unit     loyalty.Unit `json:"unit"`
	Amount   int64        `json:"amount"`
	Reason   string       `json:"reason"`
}

// adjust corrects a balance, once a key.
func (s *server) adjust(c *fiber.Ctx) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	in, err := body[adjustmentInput](c)
	if err != nil {
		return err
	}
	return once(s, c, func(ctx context.Context, t *store.Tx) (store.Adjustment, bool, error) {
		return t.Adjust(ctx, scopeOf(c), store.AdjustmentInput{
			Campaign: in.Campaign, CardCode: in.CardCode, ShopCode: in.ShopCode, Unit: in.Unit, Amount: in.Amount, Reason: in.Reason, Key: key,
		})
	})
}
