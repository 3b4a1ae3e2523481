package api

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type simulationInput struct {
	Weeks       int64  `json:"weeks"`
	TakePercent *int64 `json:"take_percent"`
}

// simulateCampaign says what a campaign would have given. It writes nothing.
func (s *server) simulateCampaign(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	in, err := body[simulationInput](c)
	if err != nil {
		return err
	}
	var v loyalty.Simulation
	ctx := c.UserContext()
	err = s.DB.ReadOnly(ctx, func(t *store.Tx) (err error) {
		v, err = t.SimulateCampaign(ctx, scopeOf(c), id, store.SimulationInput(in))
		return err
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, v)
}
