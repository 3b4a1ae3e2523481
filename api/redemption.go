package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func (s *server) listRedemptions(c *fiber.Ctx) error {
	f := store.RedemptionFilter{Status: queryText(c, "status")}
	for name, id := range map[string]*loyalty.ID{"campaign_id": &f.Campaign, "reward_id": &f.Reward, "shop_id": &f.Shop} {
		var err error
		if *id, err = queryID(c, name); err != nil {
			return err
		}
	}
	return many(s, c, as[store.RedemptionRecord], func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.RedemptionRecord, loyalty.ID, error) {
		return t.Redemptions(ctx, scope, f, p)
	})
}

// requestRedemption takes a reward for a consumer. One that was requested and
// still waits is given again.
func (s *server) requestRedemption(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	in, err := optionalBody[cardInput](c)
	if err != nil {
		return err
	}
	r, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Redemption, error) {
		person, err := consumerOf(ctx, t, scopeOf(c), in.CardCode)
		if err != nil {
			return store.Redemption{}, err
		}
		return t.RequestRedemption(ctx, person, id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusCreated, r)
}

// cancelRedemption gives back what a requested reward took.
func (s *server) cancelRedemption(c *fiber.Ctx) error {
	r, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Redemption, error) {
		return t.CancelRedemption(ctx, scopeOf(c), c.Params("code"))
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, r)
}

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
