package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
)

type reversalInput struct {
	Reason string               `json:"reason"`
	Items  []store.ReversalItem `json:"items"` // none: all that is left
}

// reversePurchase takes a purchase back, whole or by item, once a key.
func (s *server) reversePurchase(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	key := ""
	if c.Get("Idempotency-Key") != "" {
		if key, err = idempotencyKey(c); err != nil {
			return err
		}
	}
	in, err := body[reversalInput](c)
	if err != nil {
		return err
	}
	return once(s, c, func(ctx context.Context, t *store.Tx) (store.Reversal, bool, error) {
		return t.ReversePurchase(ctx, scopeOf(c), id, store.ReversalInput{Reason: in.Reason, Items: in.Items, Key: key})
	})
}
