package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CampaignOffer is a campaign as a shop's customer may be told of it.
type CampaignOffer struct {
	loyalty.Campaign
	Products []OfferProduct // the PLIs that are sold
	Rewards  []Reward       // that can be had, the nearest first
}

// OfferProduct is a product that participates in a campaign.
type OfferProduct struct {
	Campaign loyalty.ID    `db:"campaign_id"`
	ID       loyalty.ID    `db:"id"`
	GTIN     loyalty.GTIN  `db:"gtin"`
	Name     string        `db:"name"`
	Price    loyalty.Cents `db:"reference_price_cents"`
	Picture  string        `db:"picture"` // names its picture; "" where it has none
}

// CampaignsAt gives what runs at a shop at a moment, oldest campaign first:
// what card page, bot and scan page call to buy. All of it is public, and so
// without the owner's costs, and without what is only for some consumers.
func (tx *Tx) CampaignsAt(ctx context.Context, shop loyalty.ID, at time.Time) ([]CampaignOffer, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT `+campaignCore+` FROM campaigns c
		WHERE c.status = 'active' AND c.starts_at <= $2 AND (c.ends_at IS NULL OR c.ends_at > $2)
		AND EXISTS (SELECT FROM shops WHERE id = $1 AND active) AND `+takesPart(`$1`)+` ORDER BY c.id`, shop, at)
	if err != nil {
		return nil, err
	}
	offers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (CampaignOffer, error) {
		var o CampaignOffer
		err := row.Scan(coreOf(&o.Campaign)...)
		hideBusiness(&o.Terms)
		return o, err
	})
	offers = slices.DeleteFunc(offers, func(o CampaignOffer) bool { return !o.Audience.Admits(new(loyalty.Sale)) })
	if err != nil || len(offers) == 0 {
		return nil, err
	}
	ids := make([]loyalty.ID, len(offers))
	for i, o := range offers {
		ids[i] = o.ID
	}
	rewards, err := collect[Reward](ctx, tx, rewardFields+` WHERE campaign_id = ANY($1) AND active AND segment_id IS NULL ORDER BY threshold, id`, ids)
	if err != nil {
		return nil, err
	}
	products, err := collect[OfferProduct](ctx, tx, selectOfferProducts, ids, mostOffered)
	if err != nil {
		return nil, err
	}
	for i := range offers {
		o := &offers[i]
		for _, r := range rewards {
			if r.Campaign == o.ID {
				r.Cost = 0
				o.Rewards = append(o.Rewards, r)
			}
		}
		for _, p := range products {
			if p.Campaign == o.ID {
				o.Products = append(o.Products, p)
			}
		}
	}
	return offers, nil
}

// mostOffered is how many PLIs of a campaign are named: nobody reads more.
const mostOffered = 50

// selectOfferProducts gives PLIs of campaigns ($1) that are sold, the oldest first,
// and no more of each than $2.
const selectOfferProducts = `
	SELECT o.* FROM unnest($1::uuid[]) AS c (id) CROSS JOIN LATERAL (
	  SELECT cp.campaign_id, p.id, p.gtin, p.name, p.reference_price_cents, p.picture
	  FROM campaign_products cp JOIN products p ON p.id = cp.product_id
	  WHERE cp.campaign_id = c.id AND p.active ORDER BY p.id LIMIT $2) o`
