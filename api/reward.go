package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// rewardJSON shows a reward. What it costs its brand, only the brand sees.
type rewardJSON struct {
	ID        loyalty.ID     `json:"id"`
	Campaign  loyalty.ID     `json:"campaign_id"`
	Name      string         `json:"name"`
	Threshold int64          `json:"threshold"`
	Cost      *loyalty.Cents `json:"cost_cents,omitempty"`
	Stock     *int64         `json:"stock"` // null: unlimited
	Taken     int64          `json:"taken"`
	Active    bool           `json:"active"`
	stamps
}

// rewardFor shows a reward to a caller; owned says that it is the caller's.
func rewardFor(owned bool) func(store.Reward) rewardJSON {
	return func(v store.Reward) rewardJSON {
		out := rewardJSON{
			ID: v.ID, Campaign: v.Campaign, Name: v.Name, Threshold: v.Threshold, Stock: v.Stock, Taken: v.Taken,
			Active: v.Active, stamps: stamps{v.CreatedAt, v.UpdatedAt},
		}
		if owned {
			out.Cost = &v.Cost
		}
		return out
	}
}

type rewardInput struct {
	Name      string        `json:"name"`
	Threshold int64         `json:"threshold"`
	Cost      loyalty.Cents `json:"cost_cents"`
	Stock     *int64        `json:"stock"`
}

type rewardPatch struct {
	Name      *string         `json:"name"`
	Threshold *int64          `json:"threshold"`
	Cost      *loyalty.Cents  `json:"cost_cents"`
	Stock     nullable[int64] `json:"stock"` // null: unlimited
	Active    *bool           `json:"active"`
}

// listRewards gives a campaign's rewards: few, and so all at once.
func (s *server) listRewards(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) { return t.Campaign(ctx, scopeOf(c), id) })
	if err != nil {
		return err
	}
	return c.Status(http.StatusOK).JSON(map[string]any{
		"data": mapped(v.Rewards, rewardFor(scopeOf(c).OwnsCPG(v.CPG))), "next_cursor": nil,
	})
}

func (s *server) createReward(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	return create(s, c, rewardFor(true), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in rewardInput) (store.Reward, error) {
		return t.CreateReward(ctx, scope, id, store.RewardInput(in))
	})
}

func (s *server) updateReward(c *fiber.Ctx) error {
	return update(s, c, rewardFor(true), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in rewardPatch) (store.Reward, error) {
		return t.UpdateReward(ctx, scope, id, store.RewardPatch{
			Name: in.Name, Threshold: in.Threshold, Cost: in.Cost, Stock: in.Stock.patch(), Active: in.Active,
		})
	})
}
