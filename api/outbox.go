package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type letterJSON struct {
	ID          loyalty.ID         `json:"id"`
	Channel     *string            `json:"channel"`
	NumberID    *loyalty.ID        `json:"number_id"`
	To          string             `json:"to"`
	Lane        store.Lane         `json:"lane"`
	Template    string             `json:"template"`
	Media       string             `json:"media"`
	Status      store.OutboxStatus `json:"status"`
	Attempts    int                `json:"attempts"`
	Problem     string             `json:"problem"`
	CreatedAt   time.Time          `json:"created_at"`
	DueAt       time.Time          `json:"due_at"`
	SentAt      *time.Time         `json:"sent_at"`
	DeliveredAt *time.Time         `json:"delivered_at"`
	ReadAt      *time.Time         `json:"read_at"`
}

func showLetter(v store.Letter) letterJSON {
	out := letterJSON{
		ID: v.ID, NumberID: optionalID(v.Number), To: v.To, Lane: v.Lane, Template: v.Template, Media: v.Media, Status: v.Status, Attempts: v.Attempts,
		Problem: v.Problem, CreatedAt: v.CreatedAt, DueAt: v.DueAt, SentAt: v.SentAt, DeliveredAt: v.DeliveredAt, ReadAt: v.ReadAt,
	}
	if v.Channel != "" {
		out.Channel = &v.Channel
	}
	return out
}

// listOutbox gives messages of ours, the newest first, without their texts and
// with the last digits alone of whom they are for.
func (s *server) listOutbox(c *fiber.Ctx) error {
	f, err := letterFilter(c, "status")
	if err != nil {
		return err
	}
	return many(s, c, showLetter, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Letter, loyalty.ID, error) {
		return t.Letters(ctx, scope, f, p)
	})
}

// letterFilter reads a state and a number from the query.
func letterFilter(c *fiber.Ctx, status string) (f store.LetterFilter, err error) {
	f.Status = store.OutboxStatus(c.Query(status))
	if f.Status != "" && !slices.Contains(store.OutboxStatuses(), f.Status) {
		return f, loyalty.Invalid(status, "debe ser queued, sent, delivered, read, failed o dropped")
	}
	f.Number, err = queryID(c, "number_id")
	return f, err
}

// redriveOutbox sends a dead letter again: 202, for it is sent a moment later.
func (s *server) redriveOutbox(c *fiber.Ctx) error {
	return s.again(c, (*store.Tx).Redrive)
}

// again has a message sent or answered once more.
func (s *server) again(c *fiber.Ctx, redrive func(*store.Tx, context.Context, loyalty.Scope, loyalty.ID) error) error {
	id, err := s.redriven(c, redrive)
	if err != nil {
		return err
	}
	return data(c, http.StatusAccepted, map[string]any{"id": id})
}

func (s *server) redriven(c *fiber.Ctx, redrive func(*store.Tx, context.Context, loyalty.Scope, loyalty.ID) error) (loyalty.ID, error) {
	id, err := pathID(c)
	if err != nil {
		return id, err
	}
	return tx(s, c, func(ctx context.Context, t *store.Tx) (loyalty.ID, error) { return id, redrive(t, ctx, scopeOf(c), id) })
}
