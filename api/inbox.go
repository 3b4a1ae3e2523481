package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type parkedJSON struct {
	ID         loyalty.ID `json:"id"`
	Channel    string     `json:"channel"`
	From       string     `json:"from"`
	Kind       string     `json:"kind"`
	Status     string     `json:"status"`
	Attempts   int        `json:"attempts"`
	Problem    string     `json:"problem"`
	ReceivedAt time.Time  `json:"received_at"`
}

func showParked(v store.ParkedMessage) parkedJSON {
	return parkedJSON{
		ID: v.ID, Channel: v.Channel, From: v.From, Kind: v.Kind, Status: "parked", Attempts: v.Attempts, Problem: v.Problem, ReceivedAt: v.ReceivedAt,
	}
}

// listInbox gives what was set aside, the newest first, without the texts.
func (s *server) listInbox(c *fiber.Ctx) error {
	if status := c.Query("status", "parked"); status != "parked" {
		return loyalty.Invalid("status", "debe ser parked")
	}
	return many(s, c, showParked, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.ParkedMessage, loyalty.ID, error) {
		return t.ParkedMessages(ctx, scope, p)
	})
}

// redriveInbox gives a message that was set aside another turn.
func (s *server) redriveInbox(c *fiber.Ctx) error { return s.again(c, (*store.Tx).RedriveInbox) }
