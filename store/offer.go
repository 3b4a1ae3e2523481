package store

import (
	"context"
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
}

// CampaignsAt gives what runs at a shop at a moment, oldest campaign first:
// what card page, bot and scan page call to buy. All of it is public, and so
// without the brand's costs.
func (tx *Tx) CampaignsAt(ctx context.Context, shop loyalty.ID, at time.Time) ([]CampaignOffer, error) {
	rows, err := tx.tx.Query(ctx, campaignFields+`
		WHERE c.status = 'active' AND c.starts_at <= $2 AND (c.ends_at IS NULL OR c.ends_at > $2)
		AND EXISTS (SELECT FROM shops WHERE id = $1 AND active)
		AND (c.all_shops OR EXISTS (SELECT FROM campaign_shops s WHERE s.campaign_id = c.id AND s.shop_id = $1))
		ORDER BY c.id`, shop, at)
	if err != nil {
		return nil, err
	}
	campaigns, err := pgx.CollectRows(rows, scanCampaign)
	if err != nil || len(campaigns) == 0 {
		return nil, err
	}
	if err := tx.complete(ctx, loyalty.Scope{Role: loyalty.RoleConsumer}, campaigns); err != nil {
		return nil, err
	}
	ids := make([]loyalty.ID, len(campaigns))
	for i, v := range campaigns {
		ids[i] = v.ID
	}
	products, err := tx.offerProducts(ctx, ids)
	if err != nil {
		return nil, err
	}
	offers := make([]CampaignOffer, len(campaigns))
	for i, v := range campaigns {
		offers[i] = CampaignOffer{Campaign: v.Campaign, Rewards: v.Rewards}
		for _, p := range products {
			if p.Campaign == v.ID {
				offers[i].Products = append(offers[i].Products, p)
			}
		}
	}
	return offers, nil
}

// offerProducts gives the PLIs of campaigns that are sold.
func (tx *Tx) offerProducts(ctx context.Context, campaigns []loyalty.ID) ([]OfferProduct, error) {
	return collect[OfferProduct](ctx, tx, `
		SELECT cp.campaign_id, p.id, p.gtin, p.name, p.reference_price_cents
		FROM campaign_products cp JOIN products p ON p.id = cp.product_id
		WHERE cp.campaign_id = ANY($1) AND p.active ORDER BY p.id`, campaigns)
}
