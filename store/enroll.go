package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Enroll lets a consumer into a campaign that runs at one of the consumer's
// shops: the only way into one with enrolment on request, and harmless in any
// other. Who is in already stays in. Errors: CARD_NOT_FOUND,
// CAMPAIGN_NOT_FOUND.
func (tx *Tx) Enroll(ctx context.Context, person, campaign loyalty.ID) error {
	if err := tx.lockConsumer(ctx, person); err != nil {
		return err
	}
	offered, err := tx.balances(ctx, person)
	if err != nil {
		return err
	}
	for _, b := range offered {
		if b.ID != campaign {
			continue
		}
		if b.Enrolled {
			return nil
		}
		_, err := tx.tx.Exec(ctx, `
			INSERT INTO enrollments (id, person_id, campaign_id, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT ON CONSTRAINT enrollments_key DO NOTHING`, tx.newID(), person, campaign, tx.now)
		tx.ring(Event{Kind: CardChanged, ID: person})
		return err
	}
	return loyalty.NotFound(loyalty.CodeCampaignNotFound, "Esa promoción no está en tus tiendas.")
}
