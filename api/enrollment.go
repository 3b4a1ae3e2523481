package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// cardInput says for whom an admin does what a consumer does.
type cardInput struct {
	CardCode string `json:"card_code"` // read of an admin only
}

// consumerOf is for whom a consumer's operation is: the one who calls, or the one
// whose card an admin names.
func consumerOf(ctx context.Context, t *store.Tx, scope loyalty.Scope, card string) (loyalty.ID, error) {
	if !scope.All() {
		return scope.Person, nil
	}
	w, err := t.WalletByCard(ctx, scope, card)
	return w.Person, err
}

type enrollmentView struct {
	Campaign loyalty.ID `json:"campaign_id"`
	Enrolled bool       `json:"enrolled"`
}

// enroll lets a consumer into a campaign.
func (s *server) enroll(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	in, err := optionalBody[cardInput](c)
	if err != nil {
		return err
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		person, err := consumerOf(ctx, t, scopeOf(c), in.CardCode)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, t.Enroll(ctx, person, id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusCreated, enrollmentView{Campaign: id, Enrolled: true})
}
