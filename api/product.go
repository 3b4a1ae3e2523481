package api

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type productJSON struct {
	ID             loyalty.ID    `json:"id"`
	CPG            loyalty.ID    `json:"cpg_id"`
	Brand          loyalty.ID    `json:"brand_id"`
	GTIN           loyalty.GTIN  `json:"gtin"`
	Name           string        `json:"name"`
	Nicknames      []string      `json:"nicknames"`
	ReferencePrice loyalty.Cents `json:"reference_price_cents"`
	Active         bool          `json:"active"`
	Picture        *string       `json:"picture_url"` // null: it has none
	stamps
}

func showProduct(v store.Product) productJSON {
	var picture *string
	if address := large(v); address != "" {
		picture = &address
	}
	return productJSON{
		ID: v.ID, CPG: v.CPG, Brand: v.Brand, GTIN: v.GTIN, Name: v.Name, Nicknames: listOf(v.Nicknames),
		ReferencePrice: v.ReferencePrice, Active: v.Active, Picture: picture, stamps: stamps{v.CreatedAt, v.UpdatedAt},
	}
}

type productInput struct {
	Brand          loyalty.ID    `json:"brand_id"`
	GTIN           string        `json:"gtin"`
	Name           string        `json:"name"`
	Nicknames      []string      `json:"nicknames"`
	ReferencePrice loyalty.Cents `json:"reference_price_cents"`
}

type productPatch struct {
	Name           *string        `json:"name"`
	Nicknames      *[]string      `json:"nicknames"`
	ReferencePrice *loyalty.Cents `json:"reference_price_cents"`
	Active         *bool          `json:"active"`
}

func (s *server) listProducts(c *fiber.Ctx) error {
	var f store.ProductFilter
	var err error
	if f.CPG, err = queryID(c, "cpg_id"); err != nil {
		return err
	}
	if f.Brand, err = queryID(c, "brand_id"); err != nil {
		return err
	}
	if f.Active, err = queryBool(c, "active"); err != nil {
		return err
	}
	if raw := c.Query("gtin"); raw != "" {
		if f.GTIN, err = loyalty.ParseGTIN(raw); err != nil {
			return err
		}
	}
	return many(s, c, showProduct, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Product, loyalty.ID, error) {
		return t.Products(ctx, scope, f, p)
	})
}

func (s *server) getProduct(c *fiber.Ctx) error { return one(s, c, showProduct, (*store.Tx).Product) }

func (s *server) createProduct(c *fiber.Ctx) error {
	return create(s, c, showProduct, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in productInput) (store.Product, error) {
		return t.CreateProduct(ctx, scope, store.ProductInput(in))
	})
}

func (s *server) updateProduct(c *fiber.Ctx) error {
	return update(s, c, showProduct, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in productPatch) (store.Product, error) {
		return t.UpdateProduct(ctx, scope, id, store.ProductPatch(in))
	})
}
