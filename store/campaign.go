package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Campaign is a loyalty.Campaign with all that it is managed by.
type Campaign struct {
	loyalty.Campaign
	Products  []loyalty.ID // the PLIs
	Shops     []loyalty.ID // that take part; empty where all do
	Rewards   []Reward
	EndedAt   time.Time // when somebody ended it; zero where nobody did
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CampaignInput is what a campaign is made of. Left empty: CPG (a brand team's
// own), Status (draft), Enrolment (automatic), StartsAt (now), EndsAt
// (permanent), the nudges' days (7).
type CampaignInput struct {
	CPG            loyalty.ID
	Name           string
	Scheme         loyalty.Scheme
	Status         loyalty.Status // draft or active
	Enrolment      loyalty.EnrolmentMode
	Rule           loyalty.Rule
	Goal           int64
	Products       []loyalty.ID
	AllShops       bool
	Shops          []loyalty.ID
	Rewards        []RewardInput
	StartsAt       time.Time
	EndsAt         time.Time
	MarginBPS      int64
	Fee            loyalty.Cents
	NudgeQuietDays int
	NudgeGapDays   int
}

// CampaignPatch changes what is not nil; the scheme only of a draft. EndsAt
// pointing at the zero time makes the campaign permanent.
type CampaignPatch struct {
	Name           *string
	Scheme         *loyalty.Scheme
	Status         *loyalty.Status
	Enrolment      *loyalty.EnrolmentMode
	Rule           *loyalty.Rule
	Goal           *int64
	Products       *[]loyalty.ID
	AllShops       *bool
	Shops          *[]loyalty.ID
	StartsAt       *time.Time
	EndsAt         *time.Time
	MarginBPS      *int64
	Fee            *loyalty.Cents
	NudgeQuietDays *int
	NudgeGapDays   *int
}

// CampaignFilter narrows a list; what is zero asks for nothing.
type CampaignFilter struct {
	CPG    loyalty.ID
	Shop   loyalty.ID // that takes part
	Status loyalty.Status
}

const (
	campaignFields = `
		SELECT c.id, c.cpg_id, c.name, c.scheme, c.status, c.enrolment, c.per_unit, c.per_peso,
		  coalesce(c.max_per_purchase, 0), coalesce(c.max_per_day, 0), c.goal, c.all_shops,
		  c.starts_at, coalesce(c.ends_at, '0001-01-01 00:00:00+00'), c.margin_bps, c.fee_cents,
		  c.nudge_quiet_days, c.nudge_gap_days, c.version,
		  ARRAY(SELECT p.product_id FROM campaign_products p WHERE p.campaign_id = c.id ORDER BY p.product_id),
		  ARRAY(SELECT s.shop_id FROM campaign_shops s WHERE s.campaign_id = c.id ORDER BY s.shop_id),
		  coalesce(c.ended_at, '0001-01-01 00:00:00+00'), c.created_at, c.updated_at
		FROM campaigns c`
	// An admin sees all, a brand team its own, a tendero what is active at one
	// of its shops, everybody else what is active.
	campaignColumns = campaignFields + `
		WHERE ($1 OR c.cpg_id = $2 OR ($3 AND c.status = 'active' AND (c.ends_at IS NULL OR c.ends_at > $4)
		  AND ($5::uuid[] IS NULL OR c.all_shops OR EXISTS (
		    SELECT FROM campaign_shops s WHERE s.campaign_id = c.id AND s.shop_id = ANY($5)))))`
)

func scanCampaign(row pgx.CollectableRow) (Campaign, error) {
	var v Campaign
	r := &v.Rule
	err := row.Scan(&v.ID, &v.CPG, &v.Name, &v.Scheme, &v.Status, &v.Enrolment, &r.PerUnit, &r.PerPeso,
		&r.MaxPerPurchase, &r.MaxPerDay, &v.Goal, &v.AllShops,
		&v.StartsAt, &v.EndsAt, &v.MarginBPS, &v.Fee,
		&v.NudgeQuietDays, &v.NudgeGapDays, &v.Version, &v.Products, &v.Shops, &v.EndedAt, &v.CreatedAt, &v.UpdatedAt)
	return v, err
}

func errNoCampaign() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeCampaignNotFound, "No encontramos esa campaña.")
}

// campaignView gives the first parameters of campaignColumns.
func (tx *Tx) campaignView(s loyalty.Scope) []any {
	w := viewOf(s)
	var shops []loyalty.ID // NULL: wherever
	if s.Role == loyalty.RoleTendero {
		shops = append([]loyalty.ID{}, s.Shops...)
	}
	return []any{w.all, w.cpg, w.public, tx.now, shops}
}

// CreateCampaign makes a campaign with its PLIs, shops and rewards (admin, or
// the CPG's own team).
func (tx *Tx) CreateCampaign(ctx context.Context, scope loyalty.Scope, in CampaignInput) (Campaign, error) {
	cpg, err := ownCPG(scope, in.CPG)
	if err != nil {
		return Campaign{}, err
	}
	v := Campaign{
		Campaign: loyalty.Campaign{
			ID: tx.newID(), CPG: cpg, Name: in.Name, Scheme: in.Scheme, Status: in.Status, Enrolment: in.Enrolment,
			Rule: in.Rule, Goal: in.Goal, AllShops: in.AllShops, StartsAt: in.StartsAt, EndsAt: in.EndsAt,
			MarginBPS: in.MarginBPS, Fee: in.Fee, NudgeQuietDays: in.NudgeQuietDays, NudgeGapDays: in.NudgeGapDays, Version: 1,
		},
		Products: in.Products, Shops: in.Shops, Rewards: []Reward{}, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
	v.defaults(tx.now)
	var c check
	c.id("cpg_id", &v.CPG)
	c.want(v.Status == loyalty.Draft || v.Status == loyalty.Active, "status", "debe ser draft o active")
	c.want(len(in.Rewards) <= mostRewards, "rewards", "son demasiados")
	for i, r := range in.Rewards {
		reward := tx.newReward(v.ID, r)
		reward.check(&c, fmt.Sprintf("rewards[%d].", i))
		v.Rewards = append(v.Rewards, reward)
	}
	v.check(&c)
	if err := c.err(); err != nil {
		return Campaign{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO campaigns (id, cpg_id, name, scheme, status, enrolment, per_unit, per_peso, max_per_purchase, max_per_day,
		  goal, all_shops, starts_at, ends_at, margin_bps, fee_cents, nudge_quiet_days, nudge_gap_days, version, created_at, updated_at)
		VALUES ($1, $20, $2, $3, $4, $5, $6, $7, nullif($8::bigint, 0), nullif($9::bigint, 0), $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)`,
		append(v.args(), v.CPG)...)
	if err != nil {
		return Campaign{}, err
	}
	if err := tx.saveCampaignSets(ctx, v); err != nil {
		return Campaign{}, err
	}
	for _, r := range v.Rewards {
		if err := tx.insertReward(ctx, r); err != nil {
			return Campaign{}, err
		}
	}
	return v, tx.rollupChanged(ctx, v.ID) // it may begin in the past
}

// UpdateCampaign changes a campaign, also a running one: each change is a new
// version, and ledger entries say which one judged them.
func (tx *Tx) UpdateCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p CampaignPatch) (Campaign, error) {
	v, err := tx.changeableCampaign(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	was := v
	if p.Shops != nil && p.AllShops == nil {
		v.AllShops = false // naming shops is choosing among them
	}
	if p.AllShops != nil && *p.AllShops && p.Shops == nil {
		v.Shops = nil
	}
	set(&v.Name, p.Name)
	set(&v.Scheme, p.Scheme)
	set(&v.Status, p.Status)
	set(&v.Enrolment, p.Enrolment)
	set(&v.Rule, p.Rule)
	set(&v.Goal, p.Goal)
	set(&v.Products, p.Products)
	set(&v.AllShops, p.AllShops)
	set(&v.Shops, p.Shops)
	set(&v.StartsAt, p.StartsAt)
	set(&v.EndsAt, p.EndsAt)
	set(&v.MarginBPS, p.MarginBPS)
	set(&v.Fee, p.Fee)
	set(&v.NudgeQuietDays, p.NudgeQuietDays)
	set(&v.NudgeGapDays, p.NudgeGapDays)
	v.UpdatedAt = tx.now
	if v.Status == loyalty.Ended {
		v.EndedAt = tx.now
	}
	v.Version++
	var c check
	c.want(was.Status == v.Status || slices.Contains(nextStatus[was.Status], v.Status), "status",
		"una campaña va de draft a active, de active a paused y de vuelta, y al final a ended")
	c.want(was.Scheme == v.Scheme || was.Status == loyalty.Draft, "scheme", "solo cambia mientras la campaña es borrador")
	v.check(&c)
	if err := c.err(); err != nil {
		return Campaign{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE campaigns SET name = $2, scheme = $3, status = $4, enrolment = $5, per_unit = $6, per_peso = $7,
		  max_per_purchase = nullif($8::bigint, 0), max_per_day = nullif($9::bigint, 0), goal = $10, all_shops = $11,
		  starts_at = $12, ends_at = $13, margin_bps = $14, fee_cents = $15, nudge_quiet_days = $16, nudge_gap_days = $17,
		  version = $18, updated_at = $19, ended_at = nullif($20, '0001-01-01 00:00:00+00'::timestamptz)
		WHERE id = $1`, append(v.args(), v.EndedAt)...)
	if err != nil {
		return Campaign{}, err
	}
	if err := tx.saveCampaignSets(ctx, v); err != nil || !v.countsOtherwise(was) {
		return v, err
	}
	return v, tx.rollupChanged(ctx, v.ID)
}

// countsOtherwise says whether other sales may count for the campaign than
// before the change.
func (v *Campaign) countsOtherwise(was Campaign) bool {
	return v.Status != was.Status || v.AllShops != was.AllShops ||
		!slices.Equal(v.Products, was.Products) || !slices.Equal(v.Shops, was.Shops) ||
		!v.StartsAt.Equal(was.StartsAt) || !v.EndsAt.Equal(was.EndsAt)
}

// Campaigns lists campaigns.
func (tx *Tx) Campaigns(ctx context.Context, scope loyalty.Scope, f CampaignFilter, page Page) ([]Campaign, loyalty.ID, error) {
	args := append(tx.campaignView(scope), optional(f.CPG), optional(f.Shop), clean(string(f.Status)), page.after(), page.Limit+1)
	rows, err := tx.tx.Query(ctx, campaignColumns+`
		AND ($6::uuid IS NULL OR c.cpg_id = $6)
		AND ($7::uuid IS NULL OR c.all_shops OR EXISTS (SELECT FROM campaign_shops s WHERE s.campaign_id = c.id AND s.shop_id = $7))
		AND ($8 = '' OR c.status = $8)
		AND c.id > $9 ORDER BY c.id LIMIT $10`, args...)
	if err != nil {
		return nil, "", err
	}
	all, err := pgx.CollectRows(rows, scanCampaign)
	if err != nil {
		return nil, "", err
	}
	var next loyalty.ID
	if len(all) > page.Limit {
		all = all[:page.Limit]
		next = all[page.Limit-1].ID
	}
	return all, next, tx.complete(ctx, scope, all)
}

// Campaign gives one campaign.
func (tx *Tx) Campaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Campaign, error) {
	return tx.campaign(ctx, scope, id, "")
}

func (tx *Tx) campaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID, lock string) (Campaign, error) {
	rows, err := tx.tx.Query(ctx, campaignColumns+` AND c.id = $6`+lock, append(tx.campaignView(scope), id)...)
	if err != nil {
		return Campaign{}, err
	}
	all, err := pgx.CollectRows(rows, scanCampaign)
	if err != nil {
		return Campaign{}, err
	}
	if len(all) == 0 {
		return Campaign{}, errNoCampaign()
	}
	return all[0], tx.complete(ctx, scope, all)
}

// changeableCampaign locks a campaign that the caller may change.
func (tx *Tx) changeableCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Campaign, error) {
	if err := tenantOnly(scope); err != nil {
		return Campaign{}, err
	}
	v, err := tx.campaign(ctx, scope, id, " FOR UPDATE OF c")
	if err == nil && v.Status == loyalty.Ended {
		return Campaign{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "La campaña ya terminó y no cambia más.")
	}
	return v, err
}

// complete adds the rewards to campaigns, and takes away what only the owner
// may know.
func (tx *Tx) complete(ctx context.Context, scope loyalty.Scope, all []Campaign) error {
	ids := make([]loyalty.ID, len(all))
	for i, v := range all {
		ids[i] = v.ID
	}
	rewards, err := collect[Reward](ctx, tx, rewardFields+` WHERE campaign_id = ANY($1) ORDER BY threshold, id`, ids)
	if err != nil {
		return err
	}
	for i := range all {
		v := &all[i]
		owned := scope.OwnsCPG(v.CPG)
		v.Rewards = []Reward{}
		for _, r := range rewards {
			if r.Campaign != v.ID || !owned && !r.Active {
				continue
			}
			if !owned {
				r.Cost = 0
			}
			v.Rewards = append(v.Rewards, r)
		}
		if !owned {
			v.MarginBPS, v.Fee = 0, 0
		}
	}
	return nil
}

func (tx *Tx) bumpCampaign(ctx context.Context, id loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `UPDATE campaigns SET version = version + 1, updated_at = $2 WHERE id = $1`, id, tx.now)
	return err
}

// saveCampaignSets makes the PLIs and shops of a campaign be those of v.
func (tx *Tx) saveCampaignSets(ctx context.Context, v Campaign) error {
	products, shops := nonNil(v.Products), nonNil(v.Shops)
	for _, change := range []struct {
		sql  string
		args []any
	}{
		{`DELETE FROM campaign_products WHERE campaign_id = $1 AND product_id <> ALL($2)`, []any{v.ID, products}},
		{`INSERT INTO campaign_products (campaign_id, cpg_id, product_id) SELECT $1, $3, unnest($2::uuid[]) ON CONFLICT DO NOTHING`, []any{v.ID, products, v.CPG}},
		{`DELETE FROM campaign_shops WHERE campaign_id = $1 AND shop_id <> ALL($2)`, []any{v.ID, shops}},
		{`INSERT INTO campaign_shops (campaign_id, shop_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`, []any{v.ID, shops}},
	} {
		if _, err := tx.tx.Exec(ctx, change.sql, change.args...); err != nil {
			return err
		}
	}
	return nil
}

// nonNil makes an empty list an empty array, where nil would be NULL.
func nonNil(ids []loyalty.ID) []loyalty.ID {
	if ids == nil {
		return []loyalty.ID{}
	}
	return ids
}

// args are a campaign's columns in the order that both statements use.
func (v *Campaign) args() []any {
	var ends *time.Time
	if !v.EndsAt.IsZero() {
		ends = &v.EndsAt
	}
	return []any{
		v.ID, v.Name, v.Scheme, v.Status, v.Enrolment, v.Rule.PerUnit, v.Rule.PerPeso, v.Rule.MaxPerPurchase, v.Rule.MaxPerDay,
		v.Goal, v.AllShops, v.StartsAt, ends, v.MarginBPS, v.Fee, v.NudgeQuietDays, v.NudgeGapDays, v.Version, v.UpdatedAt,
	}
}

// nextStatus is the life of a campaign.
var nextStatus = map[loyalty.Status][]loyalty.Status{
	loyalty.Draft:  {loyalty.Active},
	loyalty.Active: {loyalty.Paused, loyalty.Ended},
	loyalty.Paused: {loyalty.Active, loyalty.Ended},
}

const (
	mostRewards  = 20
	mostPLIs     = 1000
	mostShops    = 20_000
	defaultNudge = 7
	maxFee       = 10_000_000_000 // a hundred million pesos a week
)

func (v *Campaign) defaults(now time.Time) {
	if v.Status == "" {
		v.Status = loyalty.Draft
	}
	if v.Enrolment == "" {
		v.Enrolment = loyalty.Automatic
	}
	if v.StartsAt.IsZero() {
		v.StartsAt = now
	}
	if v.NudgeQuietDays == 0 {
		v.NudgeQuietDays = defaultNudge
	}
	if v.NudgeGapDays == 0 {
		v.NudgeGapDays = defaultNudge
	}
}

func (v *Campaign) check(c *check) {
	c.text("name", &v.Name, 1, 120)
	c.want(v.Enrolment == loyalty.Automatic || v.Enrolment == loyalty.OnRequest, "enrolment", "debe ser automatic u on_request")
	c.between("rule.per_unit", v.Rule.PerUnit, 0, 1000)
	c.between("rule.per_peso", v.Rule.PerPeso, 0, 1000)
	switch v.Scheme {
	case loyalty.Stamps:
		c.want(v.Rule.PerUnit > 0 && v.Rule.PerPeso == 0, "rule", "una tarjeta de sellos da sellos por unidad (per_unit)")
	case loyalty.Points:
		c.want(v.Rule.PerUnit > 0 || v.Rule.PerPeso > 0, "rule", "debe dar puntos por unidad (per_unit) o por peso (per_peso)")
	default:
		c.want(false, "scheme", "debe ser stamps o points")
	}
	c.between("rule.max_per_purchase", v.Rule.MaxPerPurchase, 0, maxStock)
	c.between("rule.max_per_day", v.Rule.MaxPerDay, 0, maxStock)
	c.between("goal", v.Goal, 1, 1_000_000)
	c.ids("product_ids", &v.Products, mostPLIs)
	c.ids("shop_ids", &v.Shops, mostShops)
	c.want(!v.AllShops || len(v.Shops) == 0, "shop_ids", "no va junto con all_shops")
	if v.Status == loyalty.Active {
		c.want(len(v.Products) > 0, "product_ids", "una campaña activa necesita al menos un producto")
		c.want(v.AllShops || len(v.Shops) > 0, "shop_ids", "una campaña activa necesita tiendas, o all_shops")
	}
	c.date("starts_at", v.StartsAt)
	if !v.EndsAt.IsZero() {
		c.date("ends_at", v.EndsAt)
		c.want(v.EndsAt.After(v.StartsAt), "ends_at", "debe ser después de starts_at")
	}
	c.between("margin_bps", v.MarginBPS, 0, 10_000)
	c.between("fee_cents", int64(v.Fee), 0, maxFee)
	c.between("nudge_quiet_days", int64(v.NudgeQuietDays), 1, 365)
	c.between("nudge_gap_days", int64(v.NudgeGapDays), 1, 365)
	v.StartsAt, v.EndsAt = v.StartsAt.UTC().Truncate(time.Microsecond), v.EndsAt.UTC().Truncate(time.Microsecond)
}

// date wants a moment that a programme can be about.
func (c *check) date(field string, t time.Time) {
	c.want(t.Year() >= 2000 && t.Year() < 2200, field, "está fuera de los años posibles")
}
