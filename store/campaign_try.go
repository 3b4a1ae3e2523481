package store

import (
	"context"
	"fmt"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Trial is what a campaign would be with terms and rewards that nobody saved yet.
type Trial struct {
	Campaign loyalty.Campaign     // with its terms as they would be saved
	Rewards  []Reward             // likewise
	Wrong    []loyalty.FieldError // what keeps it from being saved; the rest is empty then
	Findings []loyalty.Finding    // as ReviewCampaign gives them
	PLIs     int
	Products []Product // the first PLIs that are sold, by name
	Shops    int64
	Places   []Shop // the first shops
}

// TryCampaign says what a campaign would be, saved before or not, and writes
// nothing (admin, the CPG's own team, or a tendero of the shop). Errors: FORBIDDEN.
func (tx *Tx) TryCampaign(ctx context.Context, scope loyalty.Scope, of loyalty.Campaign, rewards []RewardInput) (Trial, error) {
	if !ownsFor(scope, of.CPG, of.Owner) {
		return Trial{}, loyalty.Forbidden()
	}
	of.Terms = copied(of.Terms)
	v := Trial{Campaign: of}
	var c check
	if err := tx.checkTerms(ctx, &c, &v.Campaign); err != nil {
		return v, err
	}
	for i, in := range rewards[:min(len(rewards), mostRewards)] {
		r := tx.newReward(&v.Campaign, in)
		if err := tx.checkReward(ctx, &c, &v.Campaign, &r, fmt.Sprintf("rewards[%d].", i)); err != nil {
			return v, err
		}
		v.Rewards = append(v.Rewards, r)
	}
	if v.Wrong = c.Fields; v.Wrong != nil {
		return v, nil
	}
	r, err := tx.reach(ctx, &v.Campaign)
	if err != nil {
		return v, err
	}
	v.PLIs, v.Shops, v.Places = len(r.plis), r.shops, r.first
	if v.Products, err = collect[Product](ctx, tx, productFields+` WHERE active AND id = ANY($1) ORDER BY name, id LIMIT $2`, r.plis, mostReached); err != nil {
		return v, err
	}
	v.Findings, err = tx.findings(ctx, &v.Campaign, v.Rewards, r)
	return v, err
}
