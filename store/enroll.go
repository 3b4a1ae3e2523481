package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Enroll lets a consumer into a campaign that runs at one of the consumer's
// shops: the only way into one with enrolment on request, and harmless in any
// other. Where the campaign counts per shop, it is for each of these shops. Who is
// in already stays in. Errors: CARD_NOT_FOUND, CAMPAIGN_NOT_FOUND.
func (tx *Tx) Enroll(ctx context.Context, person, campaign loyalty.ID) error {
	if err := tx.lockConsumer(ctx, person); err != nil {
		return err
	}
	r, err := tx.readWallet(ctx, ofPerson(person))
	if err != nil {
		return err
	}
	found := false
	for _, p := range r.parts {
		switch {
		case p.campaign.ID != campaign:
			continue
		case p.ID != "": // is in
		case !p.mayBegin(r.segments, r.parts, tx.now):
			continue
		case p.campaign.PerShop:
			for _, shop := range p.shops {
				tx.begin(person, campaign, shop)
			}
		default:
			tx.begin(person, campaign, "")
		}
		found = true
	}
	if !found {
		return loyalty.NotFound(loyalty.CodeCampaignNotFound, "Esa promoción no está en tus tiendas.")
	}
	tx.ring(Event{Kind: CardChanged, ID: person})
	return nil
}

// begin makes an enrollment.
func (tx *Tx) begin(person, campaign, shop loyalty.ID) {
	tx.later(`
		INSERT INTO enrollments (id, person_id, campaign_id, shop_id, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT ON CONSTRAINT enrollments_key DO NOTHING`, tx.newID(), person, campaign, optional(shop), tx.now)
}
