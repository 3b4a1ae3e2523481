package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type staffJSON struct {
	ID     loyalty.ID    `json:"id"`
	Email  string        `json:"email"`
	Name   string        `json:"name"`
	Role   loyalty.Role  `json:"role"`
	CPG    *loyalty.ID   `json:"cpg_id"`
	Phone  loyalty.Phone `json:"phone"`
	Active bool          `json:"active"`
	stamps
}

func showStaff(v store.Staff) staffJSON {
	return staffJSON{
		ID: v.ID, Email: v.Email, Name: v.Name, Role: v.Role, CPG: v.CPG, Phone: v.Phone, Active: v.Active,
		stamps: stamps{v.CreatedAt, v.UpdatedAt},
	}
}

type staffInput struct {
	Email    string       `json:"email"`
	Password string       `json:"password"`
	Name     string       `json:"name"`
	Role     loyalty.Role `json:"role"`
	CPG      loyalty.ID   `json:"cpg_id"`
	Phone    string       `json:"phone"`
}

type staffPatch struct {
	Name     *string `json:"name"`
	Password *string `json:"password"`
	Active   *bool   `json:"active"`
}

func (s *server) listStaff(c *fiber.Ctx) error {
	return many(s, c, showStaff, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Staff, loyalty.ID, error) {
		return t.StaffMembers(ctx, scope, p)
	})
}

func (s *server) createStaff(c *fiber.Ctx) error {
	return create(s, c, showStaff, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in staffInput) (store.Staff, error) {
		return t.CreateStaff(ctx, scope, store.StaffInput(in))
	})
}

func (s *server) updateStaff(c *fiber.Ctx) error {
	return update(s, c, showStaff, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in staffPatch) (store.Staff, error) {
		return t.UpdateStaff(ctx, scope, id, store.StaffPatch(in))
	})
}
