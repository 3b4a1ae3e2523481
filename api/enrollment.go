package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type enrollmentInput struct {
	CardCode string `json:"card_code"` // whose, when an admin calls
}

type enrollmentView struct {
	Campaign loyalty.ID `json:"campaign_id"`
	Enrolled bool       `json:"enrolled"`
}

// enroll lets a consumer into a campaign: the one who calls, or the one whose
// card an admin names.
func (s *server) enroll(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	in, err := optionalBody[enrollmentInput](c)
	if err != nil {
		return err
	}
	scope := scopeOf(c)
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		person := scope.Person
		if scope.All() {
			w, err := t.WalletByCard(ctx, scope, in.CardCode)
			if err != nil {
				return struct{}{}, err
			}
			person = w.Person
		}
		return struct{}{}, t.Enroll(ctx, person, id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusCreated, enrollmentView{Campaign: id, Enrolled: true})
}
