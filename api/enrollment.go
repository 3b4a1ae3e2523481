package api

import (
	"context"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type enrollmentView struct {
	Campaign loyalty.ID `json:"campaign_id"`
	Enrolled bool       `json:"enrolled"`
}

// enroll lets the consumer who calls into a campaign.
func (s *server) enroll(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		return struct{}{}, t.Enroll(ctx, scopeOf(c).Person, id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusCreated, enrollmentView{Campaign: id, Enrolled: true})
}
