package store

import (
	"context"
	"slices"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// step is one of a campaign's life.
type step struct{ from, to loyalty.Status }

// life says which steps there are, and whether the owner may take them; an admin
// may take all.
var life = map[step]bool{
	{loyalty.Draft, loyalty.InReview}:    true,
	{loyalty.InReview, loyalty.Draft}:    true, // withdrawn
	{loyalty.InReview, loyalty.Approved}: false,
	{loyalty.InReview, loyalty.Rejected}: false,
	{loyalty.Rejected, loyalty.Draft}:    true,
	{loyalty.Approved, loyalty.Active}:   true,
	{loyalty.Approved, loyalty.Ended}:    true,
	{loyalty.Active, loyalty.Paused}:     true,
	{loyalty.Paused, loyalty.Active}:     true,
	{loyalty.Active, loyalty.Ended}:      true,
	{loyalty.Paused, loyalty.Ended}:      true,
}

// shortcut: an admin activates a draft with all the steps at once.
var shortcut = []loyalty.Status{loyalty.InReview, loyalty.Approved, loyalty.Active}

// stepsOf gives the statuses through which a caller may move a campaign.
func stepsOf(scope loyalty.Scope, from, to loyalty.Status) ([]loyalty.Status, error) {
	if scope.All() && from == loyalty.Draft && to == loyalty.Active {
		return shortcut, nil
	}
	owners, ok := life[step{from, to}]
	switch {
	case !ok:
		return nil, loyalty.Fail(loyalty.KindConflict, loyalty.CodeCampaignTransition,
			"Una campaña "+statusWords[from]+" no puede pasar a "+statusNames[to]+".")
	case !owners && !scope.All():
		return nil, loyalty.Forbidden()
	}
	return []loyalty.Status{to}, nil
}

// Statuses as people read them: of a campaign, and as where it goes.
var (
	statusWords = map[loyalty.Status]string{
		loyalty.Draft: "en borrador", loyalty.InReview: "en revisión", loyalty.Rejected: "rechazada", loyalty.Approved: "aprobada",
		loyalty.Active: "activa", loyalty.Paused: "en pausa", loyalty.Ended: "terminada",
	}
	statusNames = map[loyalty.Status]string{
		loyalty.Draft: "borrador", loyalty.InReview: "revisión", loyalty.Rejected: "rechazada", loyalty.Approved: "aprobada",
		loyalty.Active: "activa", loyalty.Paused: "pausa", loyalty.Ended: "terminada",
	}
)

// MoveCampaign moves a campaign on in its life; where it is already, nothing
// happens. A rejection says why. Errors: CAMPAIGN_NOT_FOUND, FORBIDDEN for a step
// that only an admin takes, CAMPAIGN_TRANSITION for one that there is not,
// CAMPAIGN_CONTRADICTORY where its terms cannot work, VALIDATION_FAILED.
func (tx *Tx) MoveCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID, to loyalty.Status, reason string) (Campaign, error) {
	v, err := tx.campaignToChange(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	var c check
	_, known := statusNames[to]
	c.want(known, "to", "debe ser draft, in_review, rejected, approved, active, paused o ended")
	least := 0
	if to == loyalty.Rejected {
		least = 1
	}
	c.text("reason", &reason, least, mostReason)
	if err := c.err(); err != nil || v.Status == to {
		return v, err
	}
	steps, err := stepsOf(scope, v.Status, to)
	if err != nil {
		return Campaign{}, err
	}
	if slices.Contains([]loyalty.Status{loyalty.InReview, loyalty.Approved, loyalty.Active}, to) {
		if err := tx.coherent(ctx, &v); err != nil {
			return Campaign{}, err
		}
	}
	if to == loyalty.Ended {
		if err := tx.cancelScheduled(ctx, id); err != nil {
			return Campaign{}, err
		}
		v.EndedAt = tx.now
	}
	holds, err := tx.holdsFrom(ctx, &v, v.Status)
	if err != nil {
		return Campaign{}, err
	}
	for _, next := range steps {
		version := CampaignVersion{Action: "status", HoldsFrom: holds, Diff: []FieldChange{difference("status", v.Status, next)}, Reason: reason}
		v.Status = next
		if err := tx.nextVersion(ctx, scope, &v.Campaign, &version); err != nil {
			return Campaign{}, err
		}
		v.Version = version.Version
	}
	if err := tx.saveCampaign(ctx, &v); err != nil {
		return Campaign{}, err
	}
	if err := tx.rollupChanged(ctx, id); err != nil {
		return Campaign{}, err
	}
	return tx.Campaign(ctx, scope, id)
}
