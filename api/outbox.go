package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type problemJSON struct {
	ID        loyalty.ID `json:"id"`
	Box       string     `json:"box"` // inbox or outbox
	Problem   string     `json:"problem"`
	Attempts  int        `json:"attempts"`
	CreatedAt time.Time  `json:"created_at"`
}

// listOutbox gives the latest messages that did not get through, without whom
// they were for. It is one page, with the newest first: whoever reads it wants to
// know what is wrong now, and next_cursor is always null.
func (s *server) listOutbox(c *fiber.Ctx) error {
	if status := c.Query("status", "failed"); status != "failed" {
		return loyalty.Invalid("status", "debe ser failed")
	}
	most, err := pageLimit(c)
	if err != nil {
		return err
	}
	all, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]store.Problem, error) { return t.Problems(ctx, most) })
	if err != nil {
		return err
	}
	return c.Status(http.StatusOK).JSON(map[string]any{
		"data": mapped(all, func(v store.Problem) problemJSON {
			return problemJSON{ID: v.ID, Box: v.What, Problem: v.Problem, Attempts: v.Attempts, CreatedAt: v.CreatedAt}
		}),
		"next_cursor": nil,
	})
}
