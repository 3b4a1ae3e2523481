package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type caseJSON struct {
	ID        loyalty.ID     `json:"id"`
	Folio     string         `json:"folio"` // as the person was told
	Kind      store.CaseKind `json:"kind"`
	Note      string         `json:"note"`
	CardCode  *string        `json:"card_code"` // null for who has no card
	CreatedAt time.Time      `json:"created_at"`
	ClosedAt  *time.Time     `json:"closed_at"`
}

// showCase names the person by the card, and by nothing else.
func showCase(v store.Case) caseJSON {
	out := caseJSON{ID: v.ID, Folio: v.Folio(), Kind: v.Kind, Note: v.Note, CreatedAt: v.CreatedAt, ClosedAt: v.ClosedAt}
	if v.Card != "" {
		out.CardCode = &v.Card
	}
	return out
}

func (s *server) listCases(c *fiber.Ctx) error {
	return many(s, c, showCase, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Case, loyalty.ID, error) {
		return t.Cases(ctx, scope, p)
	})
}

// closeCase settles a case; a second time it changes nothing.
func (s *server) closeCase(c *fiber.Ctx) error { return one(s, c, showCase, (*store.Tx).CloseCase) }
