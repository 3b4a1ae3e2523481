package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
)

type deliveryInput struct {
	ShopCode string `json:"shop_code"`
}

// deliverRedemption notes that a reward went over the counter.
func (s *server) deliverRedemption(c *fiber.Ctx) error {
	in, err := body[deliveryInput](c)
	if err != nil {
		return err
	}
	r, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Redemption, error) {
		return t.DeliverRedemption(ctx, scopeOf(c), c.Params("code"), in.ShopCode)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, r)
}
