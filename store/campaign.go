package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Campaign is a loyalty.Campaign, of the version in force, with all that it is
// managed by.
type Campaign struct {
	loyalty.Campaign
	PLIs      []loyalty.ID // the products that the terms come to
	Places    []loyalty.ID // the shops that take part now; empty where all do
	EveryShop bool         // all shops take part
	Rewards   []Reward
	Quotas    []Quota   // how its budget stands
	EndedAt   time.Time // when somebody ended it; zero where nobody did
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CampaignFilter narrows a list; what is zero asks for nothing.
type CampaignFilter struct {
	CPG    loyalty.ID
	Owner  loyalty.ID // the shop that owns it
	Shop   loyalty.ID // that takes part
	Status loyalty.Status
}

const campaignFields = `
	SELECT ` + campaignCore + `, c.all_shops,
	  ARRAY(SELECT p.product_id FROM campaign_products p WHERE p.campaign_id = c.id ORDER BY p.product_id),
	  ARRAY(SELECT s.shop_id FROM campaign_shops s WHERE s.campaign_id = c.id ORDER BY s.shop_id),
	  coalesce(c.ended_at, '0001-01-01 00:00:00+00'), c.created_at, c.updated_at
	FROM campaigns c`

// campaignsInView: an admin sees all, a brand team its own, a tendero those of
// its shops and what is active at one of them, everybody else what is active.
var campaignsInView = campaignFields + `
	WHERE ($1 OR c.cpg_id = $2 OR c.shop_id = ANY($5)
	  OR ($3 AND c.status = 'active' AND (c.ends_at IS NULL OR c.ends_at > $4)
	    AND ($5::uuid[] IS NULL OR EXISTS (SELECT FROM unnest($5::uuid[]) AS own (id) WHERE ` + takesPart("own.id") + `))))`

func scanCampaign(row pgx.CollectableRow) (Campaign, error) {
	var v Campaign
	err := row.Scan(append(coreOf(&v.Campaign), &v.EveryShop, &v.PLIs, &v.Places, &v.EndedAt, &v.CreatedAt, &v.UpdatedAt)...)
	return v, err
}

func errNoCampaign() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeCampaignNotFound, "No encontramos esa campaña.")
}

// campaignView gives the first parameters of campaignsInView.
func (tx *Tx) campaignView(s loyalty.Scope) []any {
	w := viewOf(s)
	var shops []loyalty.ID // NULL: wherever
	if s.Role == loyalty.RoleTendero {
		shops = nonNil(s.Shops)
	}
	return []any{w.all, w.cpg, w.public, tx.now, shops}
}

// Campaigns lists campaigns.
func (tx *Tx) Campaigns(ctx context.Context, scope loyalty.Scope, f CampaignFilter, page Page) ([]Campaign, loyalty.ID, error) {
	args := append(tx.campaignView(scope), optional(f.CPG), optional(f.Owner), optional(f.Shop), clean(string(f.Status)), page.after(), page.Limit+1)
	rows, err := tx.tx.Query(ctx, campaignsInView+`
		AND ($6::uuid IS NULL OR c.cpg_id = $6) AND ($7::uuid IS NULL OR c.shop_id = $7)
		AND ($8::uuid IS NULL OR `+takesPart("$8")+`)
		AND ($9 = '' OR c.status = $9)
		AND c.id > $10 ORDER BY c.id LIMIT $11`, args...)
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
	rows, err := tx.tx.Query(ctx, campaignsInView+` AND c.id = $6`, append(tx.campaignView(scope), id)...)
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
	err = tx.complete(ctx, scope, all)
	return all[0], err
}

// owns says whether the caller may act for the campaign's owner.
func owns(s loyalty.Scope, c *loyalty.Campaign) bool { return ownsFor(s, c.CPG, c.Owner) }

// OwnedBy says whether the caller may act for the campaign's owner, and so sees
// all of it.
func (v *Campaign) OwnedBy(s loyalty.Scope) bool { return owns(s, &v.Campaign) }

// ownsFor says whether the caller may act for a CPG or for a shop.
func ownsFor(s loyalty.Scope, cpg, shop loyalty.ID) bool {
	switch s.Role {
	case loyalty.RoleAdmin, loyalty.RoleSystem:
		return true
	case loyalty.RoleCPG:
		return cpg != "" && s.CPG == cpg
	case loyalty.RoleTendero:
		return shop != "" && slices.Contains(s.Shops, shop)
	case loyalty.RoleConsumer, loyalty.RoleIntegration:
	}
	return false
}

// ownersOnly refuses who never owns a campaign.
func ownersOnly(s loyalty.Scope) error {
	if !s.All() && s.Role != loyalty.RoleCPG && s.Role != loyalty.RoleTendero {
		return loyalty.Forbidden()
	}
	return nil
}

// complete adds rewards and quotas to campaigns, and takes away what only the
// owner may know.
func (tx *Tx) complete(ctx context.Context, scope loyalty.Scope, all []Campaign) error {
	ids := make([]loyalty.ID, len(all))
	for i, v := range all {
		ids[i] = v.ID
	}
	rewards, err := collect[Reward](ctx, tx, rewardFields+` WHERE campaign_id = ANY($1) ORDER BY threshold, id`, ids)
	if err != nil {
		return err
	}
	quotas, err := collect[Quota](ctx, tx, budgetQuotas+` WHERE campaign_id = ANY($1) AND name IN ('stamp', 'point', 'reward') ORDER BY name`, ids)
	if err != nil {
		return err
	}
	for i := range all {
		v := &all[i]
		owned := owns(scope, &v.Campaign)
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
			v.MarginBPS, v.Fee, v.Budget, v.Audience = 0, 0, nil, loyalty.Audience{}
			continue
		}
		for _, q := range quotas {
			if q.Campaign == v.ID {
				v.Quotas = append(v.Quotas, q)
			}
		}
	}
	return nil
}

// nonNil makes an empty list an empty array, where nil would be NULL.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
