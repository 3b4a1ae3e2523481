package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type cpgJSON struct {
	ID       loyalty.ID `json:"id"`
	Name     string     `json:"name"`
	Active   bool       `json:"active"`
	Budget   *int64     `json:"budget_cents"` // null: no bound
	Reserved int64      `json:"reserved_cents"`
	stamps
}

func showCPG(v store.CPG) cpgJSON {
	return cpgJSON{ID: v.ID, Name: v.Name, Active: v.Active, Budget: v.Budget, Reserved: v.Reserved, stamps: stamps{v.CreatedAt, v.UpdatedAt}}
}

type cpgInput struct {
	Name   string `json:"name"`
	Budget *int64 `json:"budget_cents"`
}

type cpgPatch struct {
	Name   *string         `json:"name"`
	Active *bool           `json:"active"`
	Budget nullable[int64] `json:"budget_cents"` // null: no bound
}

func (s *server) listCPGs(c *fiber.Ctx) error {
	return many(s, c, showCPG, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.CPG, loyalty.ID, error) {
		return t.CPGs(ctx, scope, p)
	})
}

func (s *server) getCPG(c *fiber.Ctx) error { return one(s, c, showCPG, (*store.Tx).CPG) }

func (s *server) createCPG(c *fiber.Ctx) error {
	return create(s, c, showCPG, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in cpgInput) (store.CPG, error) {
		return t.CreateCPG(ctx, scope, store.CPGInput(in))
	})
}

func (s *server) updateCPG(c *fiber.Ctx) error {
	return update(s, c, showCPG, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in cpgPatch) (store.CPG, error) {
		return t.UpdateCPG(ctx, scope, id, store.CPGPatch{Name: in.Name, Active: in.Active, Budget: in.Budget.patch()})
	})
}
