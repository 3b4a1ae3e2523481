package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Reward is what can be had for a threshold.
type Reward struct {
	ID        loyalty.ID    `db:"id"`
	Campaign  loyalty.ID    `db:"campaign_id"`
	Name      string        `db:"name"`
	Threshold int64         `db:"threshold"`
	Cost      loyalty.Cents `db:"cost_cents"` // to the brand; zero for who may not see it
	Stock     *int64        `db:"stock"`      // units ever made available; nil is unlimited
	Taken     int64         `db:"taken"`
	Active    bool          `db:"active"`
	CreatedAt time.Time     `db:"created_at"`
	UpdatedAt time.Time     `db:"updated_at"`
}

// RewardInput is what a reward is made of.
type RewardInput struct {
	Name      string
	Threshold int64
	Cost      loyalty.Cents
	Stock     *int64
}

// RewardPatch changes what is not nil. Stock is nil to keep, points to nil for
// unlimited.
type RewardPatch struct {
	Name      *string
	Threshold *int64
	Cost      *loyalty.Cents
	Stock     **int64
	Active    *bool
}

const rewardFields = `SELECT id, campaign_id, name, threshold, cost_cents, stock, taken, active, created_at, updated_at FROM rewards`

// maxStock bounds a reward's stock.
const maxStock = 1_000_000_000

func errNoReward() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese premio.")
}

// CreateReward adds a reward to a campaign (admin, or the CPG's own team).
func (tx *Tx) CreateReward(ctx context.Context, scope loyalty.Scope, campaign loyalty.ID, in RewardInput) (Reward, error) {
	if _, err := tx.changeableCampaign(ctx, scope, campaign); err != nil {
		return Reward{}, err
	}
	v := tx.newReward(campaign, in)
	var c check
	v.check(&c, "")
	if err := c.err(); err != nil {
		return Reward{}, err
	}
	if err := tx.insertReward(ctx, v); err != nil {
		return Reward{}, err
	}
	return v, tx.bumpCampaign(ctx, campaign)
}

// UpdateReward changes a reward, unless its campaign has ended. What was already
// requested keeps its price.
func (tx *Tx) UpdateReward(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p RewardPatch) (Reward, error) {
	if err := tenantOnly(scope); err != nil {
		return Reward{}, err
	}
	w := viewOf(scope)
	v, err := fetch[Reward](ctx, tx, errNoReward(), rewardFields+`
		WHERE id = $3 AND EXISTS (SELECT FROM campaigns c WHERE c.id = campaign_id AND ($1 OR c.cpg_id = $2))`, w.all, w.cpg, id)
	if err != nil {
		return Reward{}, err
	}
	// The campaign is locked first, wherever both are.
	if _, err := tx.changeableCampaign(ctx, scope, v.Campaign); err != nil {
		return Reward{}, err
	}
	if v, err = fetch[Reward](ctx, tx, errNoReward(), rewardFields+` WHERE id = $1 FOR UPDATE`, id); err != nil {
		return Reward{}, err
	}
	set(&v.Name, p.Name)
	set(&v.Threshold, p.Threshold)
	set(&v.Cost, p.Cost)
	set(&v.Stock, p.Stock)
	set(&v.Active, p.Active)
	v.UpdatedAt = tx.now
	var c check
	v.check(&c, "")
	if err := c.err(); err != nil {
		return Reward{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE rewards SET name = $2, threshold = $3, cost_cents = $4, stock = $5, active = $6, updated_at = $7 WHERE id = $1`,
		v.ID, v.Name, v.Threshold, v.Cost, v.Stock, v.Active, tx.now)
	if err != nil {
		return Reward{}, err
	}
	return v, tx.bumpCampaign(ctx, v.Campaign)
}

func (tx *Tx) newReward(campaign loyalty.ID, in RewardInput) Reward {
	return Reward{
		ID: tx.newID(), Campaign: campaign, Name: in.Name, Threshold: in.Threshold, Cost: in.Cost, Stock: in.Stock,
		Active: true, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
}

func (tx *Tx) insertReward(ctx context.Context, v Reward) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO rewards (id, campaign_id, name, threshold, cost_cents, stock, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
		v.ID, v.Campaign, v.Name, v.Threshold, v.Cost, v.Stock, v.Active, tx.now)
	return err
}

// check looks at one reward; at is where it stands in a bigger input, with a
// dot at its end: "rewards[0].".
func (v *Reward) check(c *check, at string) {
	c.text(at+"name", &v.Name, 1, 120)
	c.between(at+"threshold", v.Threshold, 1, 1_000_000)
	c.between(at+"cost_cents", int64(v.Cost), 0, int64(loyalty.MaxPrice))
	if v.Stock != nil {
		c.between(at+"stock", *v.Stock, 0, maxStock)
		c.want(*v.Stock >= v.Taken || *v.Stock < 0, at+"stock", "ya se entregaron o apartaron más que eso")
	}
}
