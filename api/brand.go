package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type brandJSON struct {
	ID     loyalty.ID `json:"id"`
	CPG    loyalty.ID `json:"cpg_id"`
	Name   string     `json:"name"`
	Active bool       `json:"active"`
	stamps
}

func showBrand(v store.Brand) brandJSON {
	return brandJSON{ID: v.ID, CPG: v.CPG, Name: v.Name, Active: v.Active, stamps: stamps{v.CreatedAt, v.UpdatedAt}}
}

type brandInput struct {
	CPG  loyalty.ID `json:"cpg_id"` // a brand team may leave it out
	Name string     `json:"name"`
}

type brandPatch struct {
	Name   *string `json:"name"`
	Active *bool   `json:"active"`
}

func (s *server) listBrands(c *fiber.Ctx) error {
	var f store.BrandFilter
	var err error
	if f.CPG, err = queryID(c, "cpg_id"); err != nil {
		return err
	}
	if f.Active, err = queryBool(c, "active"); err != nil {
		return err
	}
	return many(s, c, showBrand, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Brand, loyalty.ID, error) {
		return t.Brands(ctx, scope, f, p)
	})
}

func (s *server) getBrand(c *fiber.Ctx) error { return one(s, c, showBrand, (*store.Tx).Brand) }

func (s *server) createBrand(c *fiber.Ctx) error {
	return create(s, c, showBrand, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in brandInput) (store.Brand, error) {
		return t.CreateBrand(ctx, scope, store.BrandInput{CPG: in.CPG, Name: in.Name})
	})
}

func (s *server) updateBrand(c *fiber.Ctx) error {
	return update(s, c, showBrand, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in brandPatch) (store.Brand, error) {
		return t.UpdateBrand(ctx, scope, id, store.BrandPatch{Name: in.Name, Active: in.Active})
	})
}
