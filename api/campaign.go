package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type ruleJSON struct {
	PerUnit        int64 `json:"per_unit"`
	PerPeso        int64 `json:"per_peso"`
	MaxPerPurchase int64 `json:"max_per_purchase"` // 0: no limit
	MaxPerDay      int64 `json:"max_per_day"`      // 0: no limit
}

// campaignJSON shows a campaign. Its economy, only its own brand team sees.
type campaignJSON struct {
	ID             loyalty.ID            `json:"id"`
	CPG            loyalty.ID            `json:"cpg_id"`
	Name           string                `json:"name"`
	Scheme         loyalty.Scheme        `json:"scheme"`
	Status         loyalty.Status        `json:"status"`
	Enrolment      loyalty.EnrolmentMode `json:"enrolment"`
	Rule           ruleJSON              `json:"rule"`
	Goal           int64                 `json:"goal"`
	Products       []loyalty.ID          `json:"product_ids"`
	AllShops       bool                  `json:"all_shops"`
	Shops          []loyalty.ID          `json:"shop_ids"`
	Rewards        []rewardJSON          `json:"rewards"`
	StartsAt       time.Time             `json:"starts_at"`
	EndsAt         *time.Time            `json:"ends_at"`
	MarginBPS      *int64                `json:"margin_bps,omitempty"`
	Fee            *loyalty.Cents        `json:"fee_cents,omitempty"`
	NudgeQuietDays int                   `json:"nudge_quiet_days"`
	NudgeGapDays   int                   `json:"nudge_gap_days"`
	Version        int                   `json:"version"`
	stamps
}

func campaignFor(scope loyalty.Scope) func(store.Campaign) campaignJSON {
	return func(v store.Campaign) campaignJSON {
		owned := scope.OwnsCPG(v.CPG)
		out := campaignJSON{
			ID: v.ID, CPG: v.CPG, Name: v.Name, Scheme: v.Scheme, Status: v.Status, Enrolment: v.Enrolment,
			Rule: ruleJSON(v.Rule), Goal: v.Goal, Products: listOf(v.Products), AllShops: v.AllShops, Shops: listOf(v.Shops),
			Rewards: mapped(v.Rewards, rewardFor(owned)), StartsAt: v.StartsAt, EndsAt: optionalTime(v.EndsAt),
			NudgeQuietDays: v.NudgeQuietDays, NudgeGapDays: v.NudgeGapDays, Version: v.Version,
			stamps: stamps{v.CreatedAt, v.UpdatedAt},
		}
		if owned {
			out.MarginBPS, out.Fee = &v.MarginBPS, &v.Fee
		}
		return out
	}
}

type campaignInput struct {
	CPG            loyalty.ID            `json:"cpg_id"`
	Name           string                `json:"name"`
	Scheme         loyalty.Scheme        `json:"scheme"`
	Status         loyalty.Status        `json:"status"`
	Enrolment      loyalty.EnrolmentMode `json:"enrolment"`
	Rule           ruleJSON              `json:"rule"`
	Goal           int64                 `json:"goal"`
	Products       []loyalty.ID          `json:"product_ids"`
	AllShops       bool                  `json:"all_shops"`
	Shops          []loyalty.ID          `json:"shop_ids"`
	Rewards        []rewardInput         `json:"rewards"`
	StartsAt       time.Time             `json:"starts_at"`
	EndsAt         *time.Time            `json:"ends_at"`
	MarginBPS      int64                 `json:"margin_bps"`
	Fee            loyalty.Cents         `json:"fee_cents"`
	NudgeQuietDays int                   `json:"nudge_quiet_days"`
	NudgeGapDays   int                   `json:"nudge_gap_days"`
}

type campaignPatch struct {
	Name           *string                `json:"name"`
	Scheme         *loyalty.Scheme        `json:"scheme"`
	Status         *loyalty.Status        `json:"status"`
	Enrolment      *loyalty.EnrolmentMode `json:"enrolment"`
	Rule           *ruleJSON              `json:"rule"`
	Goal           *int64                 `json:"goal"`
	Products       *[]loyalty.ID          `json:"product_ids"`
	AllShops       *bool                  `json:"all_shops"`
	Shops          *[]loyalty.ID          `json:"shop_ids"`
	StartsAt       *time.Time             `json:"starts_at"`
	EndsAt         nullable[time.Time]    `json:"ends_at"` // null: permanent
	MarginBPS      *int64                 `json:"margin_bps"`
	Fee            *loyalty.Cents         `json:"fee_cents"`
	NudgeQuietDays *int                   `json:"nudge_quiet_days"`
	NudgeGapDays   *int                   `json:"nudge_gap_days"`
}

func (s *server) listCampaigns(c *fiber.Ctx) error {
	f := store.CampaignFilter{Status: loyalty.Status(queryText(c, "status"))}
	var err error
	if f.CPG, err = queryID(c, "cpg_id"); err != nil {
		return err
	}
	if f.Shop, err = queryID(c, "shop_id"); err != nil {
		return err
	}
	return many(s, c, campaignFor(scopeOf(c)), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Campaign, loyalty.ID, error) {
		return t.Campaigns(ctx, scope, f, p)
	})
}

func (s *server) getCampaign(c *fiber.Ctx) error {
	return one(s, c, campaignFor(scopeOf(c)), (*store.Tx).Campaign)
}

func (s *server) createCampaign(c *fiber.Ctx) error {
	return create(s, c, campaignFor(scopeOf(c)), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in campaignInput) (store.Campaign, error) {
		out := store.CampaignInput{
			CPG: in.CPG, Name: in.Name, Scheme: in.Scheme, Status: in.Status, Enrolment: in.Enrolment, Rule: loyalty.Rule(in.Rule),
			Goal: in.Goal, Products: in.Products, AllShops: in.AllShops, Shops: in.Shops, StartsAt: in.StartsAt,
			MarginBPS: in.MarginBPS, Fee: in.Fee, NudgeQuietDays: in.NudgeQuietDays, NudgeGapDays: in.NudgeGapDays,
		}
		if in.EndsAt != nil {
			out.EndsAt = *in.EndsAt
		}
		for _, r := range in.Rewards {
			out.Rewards = append(out.Rewards, store.RewardInput(r))
		}
		return t.CreateCampaign(ctx, scope, out)
	})
}

func (s *server) updateCampaign(c *fiber.Ctx) error {
	return update(s, c, campaignFor(scopeOf(c)), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in campaignPatch) (store.Campaign, error) {
		p := store.CampaignPatch{
			Name: in.Name, Scheme: in.Scheme, Status: in.Status, Enrolment: in.Enrolment, Rule: (*loyalty.Rule)(in.Rule), Goal: in.Goal,
			Products: in.Products, AllShops: in.AllShops, Shops: in.Shops, StartsAt: in.StartsAt, MarginBPS: in.MarginBPS,
			Fee: in.Fee, NudgeQuietDays: in.NudgeQuietDays, NudgeGapDays: in.NudgeGapDays,
		}
		if in.EndsAt.given {
			end := time.Time{}
			if in.EndsAt.value != nil {
				end = *in.EndsAt.value
			}
			p.EndsAt = &end
		}
		return t.UpdateCampaign(ctx, scope, id, p)
	})
}
