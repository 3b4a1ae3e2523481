package store

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// RequestRedemption takes a reward: the balance pays at once, stock and budgets
// go down, and a code waits for the shop. Where the campaign counts per shop, the
// highest balance pays. A request that is still open is given again, so that a
// double tap pays once. Errors: NOT_FOUND, REWARD_NOT_READY, REWARD_OUT_OF_STOCK,
// REWARD_NOT_FOR_YOU, REWARD_NOT_VALID_NOW, REWARD_NEEDS_TIER,
// REWARD_LIMIT_REACHED, BUDGET_EXHAUSTED.
func (tx *Tx) RequestRedemption(ctx context.Context, person, reward loyalty.ID) (Redemption, error) {
	return tx.RequestRedemptionFrom(ctx, person, reward, "")
}

// RequestRedemptionFrom is RequestRedemption paid by one of the consumer's
// enrollments; "" is the one with the highest balance.
func (tx *Tx) RequestRedemptionFrom(ctx context.Context, person, reward, enrollment loyalty.ID) (Redemption, error) {
	var r Redemption
	if err := tx.lockConsumer(ctx, person); err != nil {
		return r, err
	}
	// The campaign before the reward, as who changes them does: the new row refers
	// to both.
	tx.later(`SELECT 1 FROM campaigns WHERE id = (SELECT campaign_id FROM rewards WHERE id = $1) FOR KEY SHARE`, reward)
	open, err := collect[Redemption](ctx, tx, redemptionFields+`
		WHERE d.person_id = $1 AND d.reward_id = $2 AND d.status = 'requested' AND d.expires_at > $3
		  AND ($4::uuid IS NULL OR d.enrollment_id = $4) ORDER BY d.id`, person, reward, tx.now, optional(enrollment))
	if err != nil {
		return r, err
	}
	if len(open) > 0 {
		return open[0], nil
	}
	unknown := loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese premio en tus tarjetas.")
	v, err := fetch[Reward](ctx, tx, unknown, rewardFields+` WHERE id = $1 AND active`, reward)
	if err != nil {
		return r, err
	}
	h, err := tx.payer(ctx, person, enrollment, v)
	if err != nil {
		return r, err
	}
	if h == nil {
		return r, unknown
	}
	a, err := tx.asker(ctx, h, v)
	if err != nil {
		return r, err
	}
	if lock := v.lockFor(&a); lock != "" {
		return r, refusals[lock]
	}
	return tx.takeReward(ctx, h, v)
}

// payer is the enrollment that pays a reward; nil where the consumer has none.
func (tx *Tx) payer(ctx context.Context, person, enrollment loyalty.ID, v Reward) (*holding, error) {
	all, err := tx.holdings(ctx, `e.person_id = $1 AND e.campaign_id = $2 AND ($3::uuid IS NULL OR e.id = $3)
		AND c.status IN ('active', 'paused', 'ended')`, person, v.Campaign, optional(enrollment))
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return slices.MaxFunc(all, func(a, b *holding) int { return int(a.balance(v.Unit) - b.balance(v.Unit)) }), nil
}

// asker reads what decides whether the holding's consumer can have the reward.
func (tx *Tx) asker(ctx context.Context, h *holding, v Reward) (asker, error) {
	a := asker{
		now: tx.now, balance: h.balance(v.Unit), tiers: h.campaign.Tiers, tier: h.tier(tx.now).Level, taken: map[loyalty.ID]int64{},
	}
	var taken int64
	err := tx.tx.QueryRow(ctx, `
		SELECT ARRAY(SELECT segment_id::text FROM segment_members WHERE person_id = $1 AND segment_id = $2),
		  CASE WHEN $3 THEN (SELECT count(*) FROM redemptions d WHERE d.person_id = $1 AND d.reward_id = $4 AND d.status IN ('requested', 'delivered')) ELSE 0 END,
		  (SELECT q.cap - q.used FROM quotas q WHERE q.campaign_id = $5 AND q.name = $6),
		  (SELECT g.budget_cents - g.reserved_cents FROM cpgs g WHERE g.id = $7)`,
		h.person, optional(v.Segment), v.PerConsumer != nil, v.ID, h.Campaign, loyalty.QuotaRewards, optional(h.campaign.CPG)).
		Scan(&a.segments, &taken, &a.rewardsLeft, &a.moneyLeft)
	a.taken[v.ID] = taken
	return a, err
}

// takeReward writes a redemption and what it takes. What others take too comes
// last, in one order for everybody: reward, quota, CPG; that it is not overdrawn
// is for constraints to say.
func (tx *Tx) takeReward(ctx context.Context, h *holding, v Reward) (Redemption, error) {
	r := Redemption{
		ID: tx.newID(), Reward: v.Name, RewardID: v.ID, Campaign: h.campaign.Name, Status: "requested", Amount: v.Threshold, Unit: v.Unit,
		ExpiresAt: tx.now.AddDate(0, 0, v.CodeDays),
	}
	var before *loyalty.TierStanding
	if t := h.campaign.Tiers; t != nil && t.Keep == loyalty.TierToReward {
		was := h.Standing.Tier
		before, h.Standing.Tier = &was, t.Redeemed(was)
	}
	for r.Code == "" {
		code := loyalty.NewCode(loyalty.RedemptionCode, tx.db.opt.Random)
		tag, err := tx.tx.Exec(ctx, `
			INSERT INTO redemptions (id, code, reward_id, campaign_id, person_id, enrollment_id, status, amount, unit, cost_cents,
			  requested_at, expires_at, tier_before)
			VALUES ($1, $2, $3, $4, $5, $6, 'requested', $7, $8, $9, $10, $11, $12)
			ON CONFLICT ON CONSTRAINT redemptions_code_key DO NOTHING`,
			r.ID, code, v.ID, h.Campaign, h.person, h.ID, r.Amount, r.Unit, v.Cost, tx.now, r.ExpiresAt, before)
		if err != nil {
			return r, err
		}
		if tag.RowsAffected() == 1 {
			r.Code = code
		}
	}
	tx.enter(h, movement{kind: "redeem", unit: r.Unit, amount: -r.Amount, redemption: r.ID})
	tx.keep(h)
	var b pgx.Batch
	b.Queue(`UPDATE rewards SET taken = taken + 1 WHERE id = $1`, v.ID)
	b.Queue(`UPDATE quotas SET used = used + 1 WHERE campaign_id = $1 AND name = $2`, h.Campaign, loyalty.QuotaRewards)
	if h.campaign.CPG != "" && v.Cost > 0 {
		b.Queue(`UPDATE cpgs SET reserved_cents = reserved_cents + $2 WHERE id = $1`, h.campaign.CPG, v.Cost)
	}
	return r, tx.tx.SendBatch(ctx, &b).Close()
}
