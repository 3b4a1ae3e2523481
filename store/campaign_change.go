package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CampaignInput is what a campaign is made of. Its owner is a CPG, or a shop: a
// brand team may leave its own out, and so may the tendero of one shop. Left
// empty: Status (draft), and of the terms Enrolment (automatic), StartsAt (now),
// EndsAt (permanent), the nudges' days (7), and the limits' IDs.
type CampaignInput struct {
	CPG     loyalty.ID
	Owner   loyalty.ID     // the shop
	Status  loyalty.Status // draft; or active, where an admin makes it
	Terms   loyalty.Terms
	Rewards []RewardInput
	Reason  string // for the audit; may be empty
}

// CampaignChange changes a campaign's terms.
type CampaignChange struct {
	// HoldsFrom is from when on the new terms hold, in a campaign that is active or
	// paused; zero is now.
	HoldsFrom time.Time
	Reason    string // for the audit; may be empty
	Apply     func(*loyalty.Terms)
}

const (
	mostRewards = 20
	mostReason  = 500
)

// CreateCampaign makes a campaign with its PLIs, shops and rewards (admin, the
// CPG's own team, or a tendero of the shop). Only an admin makes one that is
// active at once. Errors: FORBIDDEN, VALIDATION_FAILED, CAMPAIGN_CONTRADICTORY.
func (tx *Tx) CreateCampaign(ctx context.Context, scope loyalty.Scope, in CampaignInput) (Campaign, error) {
	if err := ownersOnly(scope); err != nil {
		return Campaign{}, err
	}
	tx.lockPlaces()
	v := Campaign{
		Campaign: loyalty.Campaign{ID: tx.newID(), Status: in.Status, Version: 1, Terms: copied(in.Terms)},
		Rewards:  []Reward{}, CreatedAt: tx.now, UpdatedAt: tx.now,
	}
	if v.Status == "" {
		v.Status = loyalty.Draft
	}
	var c check
	v.CPG, v.Owner = c.owner(scope, in.CPG, in.Owner)
	if err := c.err(); err != nil { // what else may be wrong depends on whose it is
		return Campaign{}, err
	}
	if v.Status == loyalty.Active && !scope.All() {
		c.want(false, "status", "primero es borrador: un administrador la revisa y la aprueba antes de activarla")
	} else {
		c.want(v.Status == loyalty.Draft || v.Status == loyalty.Active, "status", "debe ser draft o active")
	}
	c.text("reason", &in.Reason, 0, mostReason)
	c.want(len(in.Rewards) <= mostRewards, "rewards", "son demasiados")
	if len(in.Rewards) <= mostRewards {
		for i, r := range in.Rewards {
			reward := tx.newReward(&v.Campaign, r)
			if err := tx.checkReward(ctx, &c, &v.Campaign, &reward, fmt.Sprintf("rewards[%d].", i)); err != nil {
				return Campaign{}, err
			}
			v.Rewards = append(v.Rewards, reward)
		}
	}
	if err := tx.checkTerms(ctx, &c, &v.Campaign); err != nil {
		return Campaign{}, err
	}
	if err := c.err(); err != nil {
		return Campaign{}, err
	}
	if err := tx.saveCampaign(ctx, &v); err != nil {
		return Campaign{}, err
	}
	for _, r := range v.Rewards {
		if err := tx.insertReward(ctx, r); err != nil {
			return Campaign{}, err
		}
	}
	if v.Status == loyalty.Active {
		if err := tx.coherent(ctx, &v); err != nil {
			return Campaign{}, err
		}
	}
	err := tx.insertVersion(ctx, scope, &v.Campaign, CampaignVersion{
		Version: 1, Action: "created", HoldsFrom: earliest(v.StartsAt, tx.now), Reason: in.Reason, Diff: []FieldChange{},
	})
	if err != nil {
		return Campaign{}, err
	}
	return tx.settled(ctx, scope, &v)
}

// ChangeCampaign changes a campaign's terms. Where the campaign is active or
// paused, they hold from the moment that the change names; until then nothing
// else can change them. A rejected campaign becomes a draft again; one that was
// approved is reviewed anew, unless an admin changed it. Errors:
// CAMPAIGN_NOT_FOUND, FORBIDDEN, VALIDATION_FAILED, VERSION_SCHEDULED,
// CAMPAIGN_TRANSITION while it is in review, CAMPAIGN_CONTRADICTORY.
func (tx *Tx) ChangeCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID, change CampaignChange) (Campaign, error) {
	v, err := tx.campaignToChange(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	if err := tx.nothingScheduled(ctx, id); err != nil {
		return Campaign{}, err
	}
	was := v.Campaign
	live := was.Status == loyalty.Active || was.Status == loyalty.Paused
	if v.Status, err = statusAfterChange(scope, was.Status); err != nil {
		return Campaign{}, err
	}
	v.Terms = copied(was.Terms)
	change.Apply(&v.Terms)
	holds := change.HoldsFrom.UTC().Truncate(time.Microsecond)
	var c check
	c.text("reason", &change.Reason, 0, mostReason)
	if !holds.IsZero() {
		c.want(live, "holds_from", "solo se programa el cambio de una campaña activa o en pausa")
		c.want(!live || !holds.Before(tx.now), "holds_from", "no puede estar en el pasado")
		c.date("holds_from", holds)
	}
	if was.Status != loyalty.Draft && was.Status != loyalty.Rejected {
		c.want(v.Scheme == was.Scheme, "scheme", "solo cambia mientras la campaña es borrador")
		c.want(v.PerShop == was.PerShop, "per_shop", "solo cambia mientras la campaña es borrador")
	}
	if err := tx.checkTerms(ctx, &c, &v.Campaign); err != nil {
		return Campaign{}, err
	}
	c.budget(&v)
	if err := c.err(); err != nil {
		return Campaign{}, err
	}
	diff := differences(was.Terms, v.Terms)
	if len(diff) == 0 {
		v.Status = was.Status
		return v, nil
	}
	if v.Status != loyalty.Draft {
		if err := tx.coherent(ctx, &v); err != nil {
			return Campaign{}, err
		}
	}
	if was.Status != v.Status {
		diff = append(diff, difference("status", was.Status, v.Status))
	}
	if holds.IsZero() {
		if holds, err = tx.holdsFrom(ctx, &v, was.Status); err != nil {
			return Campaign{}, err
		}
	}
	version := CampaignVersion{Action: "terms", HoldsFrom: holds, Diff: diff, Reason: change.Reason}
	if err := tx.nextVersion(ctx, scope, &v.Campaign, &version); err != nil {
		return Campaign{}, err
	}
	if holds.After(tx.now) { // it is projected once it holds
		return tx.Campaign(ctx, scope, id)
	}
	v.Version = version.Version
	if err := tx.saveCampaign(ctx, &v); err != nil {
		return Campaign{}, err
	}
	if was.Status != v.Status || !was.StartsAt.Equal(v.StartsAt) || !was.EndsAt.Equal(v.EndsAt) {
		if err := tx.rollupChanged(ctx, id); err != nil {
			return Campaign{}, err
		}
	}
	return tx.settled(ctx, scope, &v)
}

// statusAfterChange is where a campaign stands once its terms or rewards changed.
func statusAfterChange(scope loyalty.Scope, was loyalty.Status) (loyalty.Status, error) {
	switch {
	case was == loyalty.Rejected:
		return loyalty.Draft, nil
	case scope.All():
		return was, nil
	case was == loyalty.InReview:
		return "", loyalty.Fail(loyalty.KindConflict, loyalty.CodeCampaignTransition, "La campaña está en revisión: retírala a borrador para cambiarla.")
	case was == loyalty.Approved:
		return loyalty.InReview, nil
	}
	return was, nil
}

// settled brings what is made from the terms up to them, and reads the campaign
// as it is now.
func (tx *Tx) settled(ctx context.Context, scope loyalty.Scope, v *Campaign) (Campaign, error) {
	if err := tx.place(ctx, v.ID); err != nil {
		return Campaign{}, err
	}
	if err := tx.saveBudget(ctx, v); err != nil {
		return Campaign{}, err
	}
	return tx.Campaign(ctx, scope, v.ID)
}

// campaignToChange gives a campaign that the caller may change, in the version
// that holds now, and keeps others from changing any until the commit.
func (tx *Tx) campaignToChange(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Campaign, error) {
	if err := ownersOnly(scope); err != nil {
		return Campaign{}, err
	}
	tx.lockPlaces()
	v, err := tx.Campaign(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	if !owns(scope, &v.Campaign) {
		return Campaign{}, loyalty.Forbidden()
	}
	if v.Status == loyalty.Ended {
		return Campaign{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "La campaña ya terminó y no cambia más.")
	}
	applied, err := tx.applyDue(ctx, id)
	if err != nil || !applied {
		return v, err
	}
	return tx.Campaign(ctx, scope, id)
}

// saveCampaign writes the campaign's row: its terms, and the columns that are
// their projection.
func (tx *Tx) saveCampaign(ctx context.Context, v *Campaign) error {
	v.UpdatedAt = tx.now
	var ends, ended *time.Time
	if !v.EndsAt.IsZero() {
		ends = &v.EndsAt
	}
	if !v.EndedAt.IsZero() {
		ended = &v.EndedAt
	}
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO campaigns (id, cpg_id, shop_id, name, scheme, status, enrolment, goal, all_shops, starts_at, ends_at, ended_at,
		  margin_bps, fee_cents, nudge_quiet_days, nudge_gap_days, version, terms, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, false, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (id) DO UPDATE SET name = $4, scheme = $5, status = $6, enrolment = $7, goal = $8, starts_at = $9, ends_at = $10,
		  ended_at = $11, margin_bps = $12, fee_cents = $13, nudge_quiet_days = $14, nudge_gap_days = $15, version = $16, terms = $17, updated_at = $19`,
		v.ID, optional(v.CPG), optional(v.Owner), v.Name, v.Scheme, v.Status, v.Enrolment, v.Goal, v.StartsAt, ends, ended,
		v.MarginBPS, v.Fee, v.NudgeQuietDays, v.NudgeGapDays, v.Version, v.Terms, v.CreatedAt, v.UpdatedAt)
	return err
}

// copied gives terms that share nothing with others.
func copied(t loyalty.Terms) (out loyalty.Terms) {
	if err := json.Unmarshal(document(t), &out); err != nil {
		return t
	}
	return out
}

// earliest of two times.
func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
