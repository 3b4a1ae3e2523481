package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// rewardJSON shows a reward. What it costs its owner, and for which segment it
// is, only the owner sees.
type rewardJSON struct {
	ID          loyalty.ID     `json:"id"`
	Campaign    loyalty.ID     `json:"campaign_id"`
	Name        string         `json:"name"`
	Unit        loyalty.Unit   `json:"unit"`
	Threshold   int64          `json:"threshold"`
	Cost        *loyalty.Cents `json:"cost_cents,omitempty"`
	Stock       *int64         `json:"stock"` // null: unlimited
	Taken       int64          `json:"taken"`
	PerConsumer *int           `json:"per_consumer"` // null: as many as the balance pays
	StartsAt    *time.Time     `json:"starts_at"`
	EndsAt      *time.Time     `json:"ends_at"`
	CodeDays    int            `json:"code_days"`
	MinTier     string         `json:"min_tier,omitempty"`
	Segment     loyalty.ID     `json:"segment_id,omitempty"`
	Shops       []loyalty.ID   `json:"shop_ids"` // empty: at the campaign's shops
	Active      bool           `json:"active"`
	stamps
}

// rewardFor shows a reward to a caller; owned says that it is the caller's.
func rewardFor(owned bool) func(store.Reward) rewardJSON {
	return func(v store.Reward) rewardJSON {
		out := rewardJSON{
			ID: v.ID, Campaign: v.Campaign, Name: v.Name, Unit: v.Unit, Threshold: v.Threshold, Stock: v.Stock, Taken: v.Taken,
			PerConsumer: v.PerConsumer, StartsAt: optionalTime(v.StartsAt), EndsAt: optionalTime(v.EndsAt), CodeDays: v.CodeDays,
			MinTier: v.MinTier, Shops: listOf(v.Shops), Active: v.Active, stamps: stamps{v.CreatedAt, v.UpdatedAt},
		}
		if owned {
			out.Cost, out.Segment = &v.Cost, v.Segment
		}
		return out
	}
}

type rewardInput struct {
	Name        string        `json:"name"`
	Unit        loyalty.Unit  `json:"unit"`
	Threshold   int64         `json:"threshold"`
	Cost        loyalty.Cents `json:"cost_cents"`
	Stock       *int64        `json:"stock"`
	PerConsumer *int          `json:"per_consumer"`
	StartsAt    time.Time     `json:"starts_at"`
	EndsAt      time.Time     `json:"ends_at"`
	CodeDays    int           `json:"code_days"`
	MinTier     string        `json:"min_tier"`
	Segment     loyalty.ID    `json:"segment_id"`
	Shops       []loyalty.ID  `json:"shop_ids"`
}

func (in rewardInput) store() store.RewardInput { return store.RewardInput(in) }

// rewardPatch changes what it names; null is none.
type rewardPatch struct {
	Name        *string              `json:"name"`
	Unit        *loyalty.Unit        `json:"unit"`
	Threshold   *int64               `json:"threshold"`
	Cost        *loyalty.Cents       `json:"cost_cents"`
	Stock       nullable[int64]      `json:"stock"`
	PerConsumer nullable[int]        `json:"per_consumer"`
	StartsAt    nullable[time.Time]  `json:"starts_at"`
	EndsAt      nullable[time.Time]  `json:"ends_at"`
	CodeDays    *int                 `json:"code_days"`
	MinTier     nullable[string]     `json:"min_tier"`
	Segment     nullable[loyalty.ID] `json:"segment_id"`
	Shops       *[]loyalty.ID        `json:"shop_ids"`
	Active      *bool                `json:"active"`
}

func (in rewardPatch) store() store.RewardPatch {
	return store.RewardPatch{
		Name: in.Name, Unit: in.Unit, Threshold: in.Threshold, Cost: in.Cost, Stock: in.Stock.patch(), PerConsumer: in.PerConsumer.patch(),
		StartsAt: in.StartsAt.orZero(), EndsAt: in.EndsAt.orZero(), CodeDays: in.CodeDays, MinTier: in.MinTier.orZero(),
		Segment: in.Segment.orZero(), Shops: in.Shops, Active: in.Active,
	}
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
		"data": mapped(v.Rewards, rewardFor(v.OwnedBy(scopeOf(c)))), "next_cursor": nil,
	})
}

func (s *server) createReward(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	return create(s, c, rewardFor(true), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in rewardInput) (store.Reward, error) {
		return t.CreateReward(ctx, scope, id, in.store())
	})
}

func (s *server) updateReward(c *fiber.Ctx) error {
	return update(s, c, rewardFor(true), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in rewardPatch) (store.Reward, error) {
		return t.UpdateReward(ctx, scope, id, in.store())
	})
}
