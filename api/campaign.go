package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// campaignJSON shows a campaign: its terms as they are, and where it stands. What
// is written here again stands for the field of the terms with the same name. Its
// economy, only its owner sees.
type campaignJSON struct {
	loyalty.Terms
	ID        loyalty.ID     `json:"id"`
	CPG       *loyalty.ID    `json:"cpg_id"`  // the owner, or
	Owner     *loyalty.ID    `json:"shop_id"` // the shop that owns it
	Status    loyalty.Status `json:"status"`
	Version   int            `json:"version"`
	EndsAt    *time.Time     `json:"ends_at"` // null: permanent
	EndedAt   *time.Time     `json:"ended_at"`
	Products  []loyalty.ID   `json:"product_ids"`
	AllShops  bool           `json:"all_shops"`
	Shops     []loyalty.ID   `json:"shop_ids"`
	PLIs      []loyalty.ID   `json:"pli_ids"`
	EveryShop bool           `json:"every_shop"`
	Places    []loyalty.ID   `json:"participating_shop_ids"` // empty where every shop does
	Rewards   []rewardJSON   `json:"rewards"`
	MarginBPS *int64         `json:"margin_bps,omitempty"`
	Fee       *loyalty.Cents `json:"fee_cents,omitempty"`
	Quotas    *[]quotaJSON   `json:"quotas,omitempty"`
	stamps
}

// quotaJSON is how a part of a campaign's budget stands.
type quotaJSON struct {
	Name string `json:"name"` // stamp, point or reward
	Cap  int64  `json:"cap"`
	Used int64  `json:"used"`
}

func campaignFor(scope loyalty.Scope) func(store.Campaign) campaignJSON {
	return func(v store.Campaign) campaignJSON {
		owned := v.OwnedBy(scope)
		out := campaignJSON{
			Terms: v.Terms, ID: v.ID, CPG: optionalID(v.CPG), Owner: optionalID(v.Owner), Status: v.Status, Version: v.Version,
			EndsAt: optionalTime(v.EndsAt), EndedAt: optionalTime(v.EndedAt), Products: listOf(v.Products), AllShops: v.AllShops,
			Shops: listOf(v.Shops), PLIs: listOf(v.PLIs), EveryShop: v.EveryShop, Places: listOf(v.Places),
			Rewards: mapped(v.Rewards, rewardFor(owned)), stamps: stamps{v.CreatedAt, v.UpdatedAt},
		}
		out.Earn = listOf(v.Earn)
		if owned {
			quotas := mapped(v.Quotas, func(q store.Quota) quotaJSON { return quotaJSON{Name: q.Name, Cap: q.Cap, Used: q.Used} })
			out.MarginBPS, out.Fee, out.Quotas = &v.MarginBPS, &v.Fee, &quotas
		}
		return out
	}
}

type campaignInput struct {
	loyalty.Terms
	CPG     loyalty.ID     `json:"cpg_id"`
	Owner   loyalty.ID     `json:"shop_id"`
	Status  loyalty.Status `json:"status"`
	Rewards []rewardInput  `json:"rewards"`
	Reason  string         `json:"reason"`
}

func (s *server) listCampaigns(c *fiber.Ctx) error {
	f := store.CampaignFilter{Status: loyalty.Status(queryText(c, "status"))}
	for name, id := range map[string]*loyalty.ID{"cpg_id": &f.CPG, "owner_shop_id": &f.Owner, "shop_id": &f.Shop} {
		var err error
		if *id, err = queryID(c, name); err != nil {
			return err
		}
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
		return t.CreateCampaign(ctx, scope, store.CampaignInput{
			CPG: in.CPG, Owner: in.Owner, Status: in.Status, Terms: in.Terms, Rewards: mapped(in.Rewards, rewardInput.store), Reason: in.Reason,
		})
	})
}

// campaignPatch changes the terms that it names; null is none.
type campaignPatch struct {
	loyalty.Terms
	HoldsFrom *time.Time `json:"holds_from"`
	Reason    string     `json:"reason"`
}

func (s *server) updateCampaign(c *fiber.Ctx) error {
	names, err := body[map[string]any](c)
	if err != nil {
		return err
	}
	return update(s, c, campaignFor(scopeOf(c)), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in campaignPatch) (store.Campaign, error) {
		change := store.CampaignChange{Reason: in.Reason, Apply: func(terms *loyalty.Terms) { replace(terms, in.Terms, names) }}
		if in.HoldsFrom != nil {
			change.HoldsFrom = *in.HoldsFrom
		}
		return t.ChangeCampaign(ctx, scope, id, change)
	})
}

// replace puts the fields of with that a JSON object names into the terms, each
// as a whole. As everywhere in a body, case does not matter in names.
func replace(terms *loyalty.Terms, with loyalty.Terms, names map[string]any) {
	into, from := reflect.ValueOf(terms).Elem(), reflect.ValueOf(with)
	for i := range into.NumField() {
		field, _, _ := strings.Cut(into.Type().Field(i).Tag.Get("json"), ",")
		for name := range names {
			if strings.EqualFold(name, field) {
				into.Field(i).Set(from.Field(i))
			}
		}
	}
}

// discardCampaign throws a draft away, and answers with what it was.
func (s *server) discardCampaign(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) {
		return t.DiscardCampaign(ctx, scopeOf(c), id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, campaignFor(scopeOf(c))(v))
}

type transitionInput struct {
	To     loyalty.Status `json:"to"`
	Reason string         `json:"reason"`
}

// moveCampaign takes a campaign one step on in its life.
func (s *server) moveCampaign(c *fiber.Ctx) error {
	return update(s, c, campaignFor(scopeOf(c)), func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in transitionInput) (store.Campaign, error) {
		return t.MoveCampaign(ctx, scope, id, in.To, in.Reason)
	})
}

// validateCampaign explains what contradicts itself in a campaign.
func (s *server) validateCampaign(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	found, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]loyalty.Finding, error) {
		return t.ReviewCampaign(ctx, scopeOf(c), id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, listOf(found))
}
