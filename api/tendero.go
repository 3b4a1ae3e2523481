package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type tenderoJSON struct {
	ID     loyalty.ID    `json:"id"`
	Person loyalty.ID    `json:"person_id"`
	Shop   loyalty.ID    `json:"shop_id"`
	Name   string        `json:"name"`
	Phone  loyalty.Phone `json:"phone"`
	Active bool          `json:"active"`
	stamps
}

func showTendero(v store.Tendero) tenderoJSON {
	return tenderoJSON{
		ID: v.ID, Person: v.Person, Shop: v.Shop, Name: v.Name, Phone: v.Phone, Active: v.Active,
		stamps: stamps{v.CreatedAt, v.UpdatedAt},
	}
}

type tenderoInput struct {
	Shop  loyalty.ID `json:"shop_id"`
	Phone string     `json:"phone"`
	Name  string     `json:"name"`
}

type tenderoPatch struct {
	Name   *string `json:"name"`
	Active *bool   `json:"active"`
}

func (s *server) listTenderos(c *fiber.Ctx) error {
	var f store.TenderoFilter
	var err error
	if f.Shop, err = queryID(c, "shop_id"); err != nil {
		return err
	}
	if f.Active, err = queryBool(c, "active"); err != nil {
		return err
	}
	return many(s, c, showTendero, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Tendero, loyalty.ID, error) {
		return t.Tenderos(ctx, scope, f, p)
	})
}

func (s *server) getTendero(c *fiber.Ctx) error { return one(s, c, showTendero, (*store.Tx).Tendero) }

func (s *server) createTendero(c *fiber.Ctx) error {
	return create(s, c, showTendero, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in tenderoInput) (store.Tendero, error) {
		return t.CreateTendero(ctx, scope, store.TenderoInput(in))
	})
}

func (s *server) updateTendero(c *fiber.Ctx) error {
	return update(s, c, showTendero, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in tenderoPatch) (store.Tendero, error) {
		return t.UpdateTendero(ctx, scope, id, store.TenderoPatch(in))
	})
}
