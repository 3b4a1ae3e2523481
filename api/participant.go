package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// participantJSON shows how a shop stands with a campaign that it was invited to,
// or that it joined.
type participantJSON struct {
	Campaign  loyalty.ID              `json:"campaign_id"`
	ShopID    loyalty.ID              `json:"shop_id"`
	ShopCode  string                  `json:"shop_code"`
	Shop      string                  `json:"shop"`
	City      string                  `json:"city"`
	Status    store.ParticipantStatus `json:"status"`
	CreatedAt time.Time               `json:"created_at"`
	UpdatedAt time.Time               `json:"updated_at"`
}

func showParticipant(v store.Participant) participantJSON {
	return participantJSON{v.Campaign, v.Shop, v.ShopCode, v.ShopName, v.City, v.Status, v.CreatedAt, v.UpdatedAt}
}

type participantInput struct {
	Status store.ParticipantStatus `json:"status"`
}

func (s *server) listParticipants(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	status := store.ParticipantStatus(queryText(c, "status"))
	return many(s, c, showParticipant, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Participant, loyalty.ID, error) {
		return t.Participants(ctx, scope, id, status, p)
	})
}

// setParticipant invites a shop, or says what the shop answers.
func (s *server) setParticipant(c *fiber.Ctx) error {
	shop, err := pathShopID(c)
	if err != nil {
		return err
	}
	return update(s, c, showParticipant, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in participantInput) (store.Participant, error) {
		switch in.Status {
		case store.Invited:
			return t.InviteShop(ctx, scope, id, shop)
		case store.Declined:
			return t.AnswerInvitation(ctx, scope, id, shop, false)
		case store.Left:
			return t.LeaveCampaign(ctx, scope, id, shop)
		case store.Joined:
			p, err := t.AnswerInvitation(ctx, scope, id, shop, true)
			if loyalty.CodeOf(err) == loyalty.CodeCampaignNotFound { // it was not invited: maybe it may join by itself
				return t.JoinCampaign(ctx, scope, id, shop)
			}
			return p, err
		}
		return store.Participant{}, loyalty.Invalid("status", "debe ser invited, joined, declined o left")
	})
}
