package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Reward is what can be had for a threshold.
type Reward struct {
	ID          loyalty.ID    `db:"id"`
	Campaign    loyalty.ID    `db:"campaign_id"`
	Name        string        `db:"name"`
	Unit        loyalty.Unit  `db:"unit"` // that pays it
	Threshold   int64         `db:"threshold"`
	Cost        loyalty.Cents `db:"cost_cents"` // to the brand; zero for who may not see it
	Stock       *int64        `db:"stock"`      // units ever made available; nil is unlimited
	Taken       int64         `db:"taken"`
	PerConsumer *int          `db:"per_consumer"` // that one consumer may ever have; nil is unlimited
	StartsAt    time.Time     `db:"starts_at"`    // from when it can be requested; zero: with the campaign
	EndsAt      time.Time     `db:"ends_at"`      // until when; zero: always
	CodeDays    int           `db:"code_days"`    // how long a request waits to be delivered
	MinTier     string        `db:"min_tier"`     // of the campaign; "" is any
	Segment     loyalty.ID    `db:"segment_id"`   // of consumers; "" is everybody
	Shops       []loyalty.ID  `db:"shop_ids"`     // where it is delivered; empty: at the campaign's
	Active      bool          `db:"active"`
	CreatedAt   time.Time     `db:"created_at"`
	UpdatedAt   time.Time     `db:"updated_at"`
}

// RewardInput is what a reward is made of. Left empty: Unit (the scheme's
// first), CodeDays (7).
type RewardInput struct {
	Name        string
	Unit        loyalty.Unit
	Threshold   int64
	Cost        loyalty.Cents
	Stock       *int64
	PerConsumer *int
	StartsAt    time.Time
	EndsAt      time.Time
	CodeDays    int
	MinTier     string
	Segment     loyalty.ID
	Shops       []loyalty.ID
}

// RewardPatch changes what is not nil. Stock and PerConsumer are nil to keep,
// and point to nil for unlimited; a zero time takes a date away.
type RewardPatch struct {
	Name        *string
	Unit        *loyalty.Unit
	Threshold   *int64
	Cost        *loyalty.Cents
	Stock       **int64
	PerConsumer **int
	StartsAt    *time.Time
	EndsAt      *time.Time
	CodeDays    *int
	MinTier     *string
	Segment     *loyalty.ID
	Shops       *[]loyalty.ID
	Active      *bool
}

const rewardFields = `
	SELECT id, campaign_id, name, unit, threshold, cost_cents, stock, taken, per_consumer,
	  coalesce(starts_at, '0001-01-01 00:00:00+00') AS starts_at, coalesce(ends_at, '0001-01-01 00:00:00+00') AS ends_at,
	  code_days, min_tier, coalesce(segment_id::text, '') AS segment_id, shop_ids, active, created_at, updated_at FROM rewards`

const (
	maxStock        = 1_000_000_000 // of a reward
	defaultCodeDays = 7
	mostCodeDays    = 90
)

func errNoReward() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese premio.")
}

// CreateReward adds a reward to a campaign (who owns it, or an admin).
func (tx *Tx) CreateReward(ctx context.Context, scope loyalty.Scope, campaign loyalty.ID, in RewardInput) (Reward, error) {
	v, err := tx.campaignToChange(ctx, scope, campaign)
	if err != nil {
		return Reward{}, err
	}
	r := tx.newReward(&v.Campaign, in)
	var c check
	c.want(len(v.Rewards) < mostRewards, "name", "la campaña ya tiene demasiados premios")
	if err := tx.checkReward(ctx, &c, &v.Campaign, &r, ""); err != nil {
		return Reward{}, err
	}
	if err := c.err(); err != nil {
		return Reward{}, err
	}
	if err := tx.insertReward(ctx, r); err != nil {
		return Reward{}, err
	}
	return r, tx.rewardChanged(ctx, scope, &v, []FieldChange{difference("rewards."+r.Name, nil, r.terms())})
}

// UpdateReward changes a reward, unless its campaign has ended. What was already
// requested keeps its price.
func (tx *Tx) UpdateReward(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p RewardPatch) (Reward, error) {
	var campaign loyalty.ID
	err := tx.tx.QueryRow(ctx, `SELECT campaign_id FROM rewards WHERE id = $1`, id).Scan(&campaign)
	if none(err) {
		return Reward{}, errNoReward()
	}
	if err != nil {
		return Reward{}, err
	}
	// The campaign is locked first, wherever both are.
	v, err := tx.campaignToChange(ctx, scope, campaign)
	if loyalty.CodeOf(err) == loyalty.CodeCampaignNotFound {
		return Reward{}, errNoReward()
	}
	if err != nil {
		return Reward{}, err
	}
	r, err := fetch[Reward](ctx, tx, errNoReward(), rewardFields+` WHERE id = $1 FOR UPDATE`, id)
	if err != nil {
		return Reward{}, err
	}
	was := r.terms()
	set(&r.Name, p.Name)
	set(&r.Unit, p.Unit)
	set(&r.Threshold, p.Threshold)
	set(&r.Cost, p.Cost)
	set(&r.Stock, p.Stock)
	set(&r.PerConsumer, p.PerConsumer)
	set(&r.StartsAt, p.StartsAt)
	set(&r.EndsAt, p.EndsAt)
	set(&r.CodeDays, p.CodeDays)
	set(&r.MinTier, p.MinTier)
	set(&r.Segment, p.Segment)
	set(&r.Shops, p.Shops)
	set(&r.Active, p.Active)
	r.UpdatedAt = tx.now
	var c check
	if err := tx.checkReward(ctx, &c, &v.Campaign, &r, ""); err != nil {
		return Reward{}, err
	}
	if err := c.err(); err != nil {
		return Reward{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE rewards SET name = $2, threshold = $3, cost_cents = $4, stock = $5, per_consumer = $6, starts_at = $7, ends_at = $8,
		  code_days = $9, min_tier = $10, segment_id = $11, shop_ids = $12, active = $13, updated_at = $14, unit = $15 WHERE id = $1`,
		r.ID, r.Name, r.Threshold, r.Cost, r.Stock, r.PerConsumer, optionalTime(r.StartsAt), optionalTime(r.EndsAt),
		r.CodeDays, r.MinTier, optional(r.Segment), nonNil(r.Shops), r.Active, tx.now, r.Unit)
	if err != nil {
		return Reward{}, err
	}
	diff := differences(was, r.terms())
	for i := range diff {
		diff[i].Field = "rewards." + r.Name + "." + diff[i].Field
	}
	return r, tx.rewardChanged(ctx, scope, &v, diff)
}

// rewardChanged notes it as a version of the campaign, with the terms as they are.
func (tx *Tx) rewardChanged(ctx context.Context, scope loyalty.Scope, v *Campaign, diff []FieldChange) error {
	if len(diff) == 0 {
		return nil
	}
	status, err := statusAfterChange(scope, v.Status)
	if err != nil {
		return err
	}
	v.Status = status
	version := CampaignVersion{Action: "reward", HoldsFrom: tx.now, Diff: diff}
	if version.HoldsFrom, err = tx.holdsFrom(ctx, v, v.Status); err != nil {
		return err
	}
	if err := tx.nextVersion(ctx, scope, &v.Campaign, &version); err != nil {
		return err
	}
	v.Version = version.Version
	return tx.saveCampaign(ctx, v)
}

// terms are what a version's diff says of a reward.
func (v *Reward) terms() map[string]any {
	return map[string]any{
		"name": v.Name, "unit": v.Unit, "threshold": v.Threshold, "cost_cents": v.Cost, "stock": v.Stock, "per_consumer": v.PerConsumer,
		"starts_at": optionalTime(v.StartsAt), "ends_at": optionalTime(v.EndsAt), "code_days": v.CodeDays, "min_tier": v.MinTier,
		"segment_id": optional(v.Segment), "shop_ids": nonNil(v.Shops), "active": v.Active,
	}
}

func (tx *Tx) newReward(c *loyalty.Campaign, in RewardInput) Reward {
	v := Reward{
		ID: tx.newID(), Campaign: c.ID, Name: in.Name, Unit: in.Unit, Threshold: in.Threshold, Cost: in.Cost, Stock: in.Stock,
		PerConsumer: in.PerConsumer, StartsAt: in.StartsAt, EndsAt: in.EndsAt, CodeDays: in.CodeDays, MinTier: in.MinTier,
		Segment: in.Segment, Shops: in.Shops, Active: true, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
	if v.Unit == "" {
		v.Unit = c.Scheme.Unit()
	}
	if v.CodeDays == 0 {
		v.CodeDays = defaultCodeDays
	}
	return v
}

func (tx *Tx) insertReward(ctx context.Context, v Reward) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO rewards (id, campaign_id, name, unit, threshold, cost_cents, stock, per_consumer, starts_at, ends_at,
		  code_days, min_tier, segment_id, shop_ids, active, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16)`,
		v.ID, v.Campaign, v.Name, v.Unit, v.Threshold, v.Cost, v.Stock, v.PerConsumer, optionalTime(v.StartsAt), optionalTime(v.EndsAt),
		v.CodeDays, v.MinTier, optional(v.Segment), nonNil(v.Shops), v.Active, tx.now)
	return err
}

// checkReward looks at one reward of a campaign; at is where it stands in a
// bigger input, with a dot at its end: "rewards[0].".
func (tx *Tx) checkReward(ctx context.Context, c *check, of *loyalty.Campaign, v *Reward, at string) error {
	c.text(at+"name", &v.Name, 1, 120)
	c.want(v.Unit == loyalty.Stamp || v.Unit == loyalty.Point, at+"unit", "debe ser stamp o point")
	c.between(at+"threshold", v.Threshold, 1, 1_000_000)
	c.between(at+"cost_cents", int64(v.Cost), 0, int64(loyalty.MaxPrice))
	if v.Stock != nil {
		c.between(at+"stock", *v.Stock, 0, maxStock)
		c.want(*v.Stock >= v.Taken || *v.Stock < 0, at+"stock", "ya se entregaron o apartaron más que eso")
	}
	if v.PerConsumer != nil {
		c.between(at+"per_consumer", int64(*v.PerConsumer), 1, 1_000_000)
	}
	for field, t := range map[string]*time.Time{"starts_at": &v.StartsAt, "ends_at": &v.EndsAt} {
		if !t.IsZero() {
			c.date(at+field, *t)
			*t = t.UTC().Truncate(time.Microsecond)
		}
	}
	c.want(v.StartsAt.IsZero() || v.EndsAt.IsZero() || v.EndsAt.After(v.StartsAt), at+"ends_at", "debe ser después de starts_at")
	c.between(at+"code_days", int64(v.CodeDays), 1, mostCodeDays)
	c.text(at+"min_tier", &v.MinTier, 0, 120)
	c.ids(at+"shop_ids", &v.Shops, mostPlaces)
	if v.Segment != "" {
		c.id(at+"segment_id", &v.Segment)
	}
	if c.err() != nil {
		return nil
	}
	var known int64
	var own bool
	err := tx.tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM shops WHERE id = ANY($1)),
		  $2::uuid IS NULL OR EXISTS (SELECT FROM segments s WHERE s.id = $2 AND (s.cpg_id = $3 OR s.shop_id = $4))`,
		nonNil(v.Shops), optional(v.Segment), optional(of.CPG), optional(of.Owner)).Scan(&known, &own)
	c.want(known == int64(len(v.Shops)), at+"shop_ids", "una tienda no existe")
	c.want(own, at+"segment_id", "el segmento no existe o no es del dueño de la campaña")
	return err
}

// mostPlaces bounds a list of shops.
const mostPlaces = 20_000

// optionalTime is nil for the zero time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
