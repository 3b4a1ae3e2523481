package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type apiKeyJSON struct {
	ID        loyalty.ID `json:"id"`
	Label     string     `json:"label"`
	IssuedAt  time.Time  `json:"issued_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Key       string     `json:"key,omitempty"` // only in the answer that made it
}

func showAPIKey(v store.APIKey) apiKeyJSON {
	return apiKeyJSON{ID: v.ID, Label: v.Label, IssuedAt: v.IssuedAt, RevokedAt: v.RevokedAt}
}

type apiKeyInput struct {
	Label string `json:"label"`
}

func (s *server) listAPIKeys(c *fiber.Ctx) error {
	return many(s, c, showAPIKey, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.APIKey, loyalty.ID, error) {
		return t.APIKeys(ctx, scope, p)
	})
}

// createAPIKey shows the key this once; what is stored is its hash.
func (s *server) createAPIKey(c *fiber.Ctx) error {
	plain := ""
	return create(s, c, func(v store.APIKey) apiKeyJSON {
		out := showAPIKey(v)
		out.Key = plain
		return out
	}, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in apiKeyInput) (k store.APIKey, err error) {
		plain, k, err = t.CreateAPIKey(ctx, scope, in.Label)
		return k, err
	})
}

func (s *server) revokeAPIKey(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	k, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.APIKey, error) {
		return t.RevokeAPIKey(ctx, scopeOf(c), id)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, showAPIKey(k))
}
