package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// cpgShopJSON shows that a CPG sells in a shop.
type cpgShopJSON struct {
	CPG       loyalty.ID `json:"cpg_id"`
	ShopID    loyalty.ID `json:"shop_id"`
	ShopCode  string     `json:"shop_code"`
	Shop      string     `json:"shop"`
	City      string     `json:"city"`
	Source    string     `json:"source"`
	Active    bool       `json:"active"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

func showCPGShop(v store.CPGShop) cpgShopJSON {
	return cpgShopJSON{v.CPG, v.Shop, v.ShopCode, v.ShopName, v.City, v.Source, v.Active, v.CreatedAt, v.UpdatedAt}
}

type cpgShopInput struct {
	Active *bool `json:"active"`
}

func (s *server) listCPGShops(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	return many(s, c, showCPGShop, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.CPGShop, loyalty.ID, error) {
		return t.CPGShops(ctx, scope, id, p)
	})
}

func (s *server) setCPGShop(c *fiber.Ctx) error {
	shop, err := pathShopID(c)
	if err != nil {
		return err
	}
	return update(s, c, showCPGShop, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in cpgShopInput) (store.CPGShop, error) {
		if in.Active == nil {
			return store.CPGShop{}, loyalty.Invalid("active", "debe ser true o false")
		}
		return t.RelateShop(ctx, scope, id, shop, *in.Active)
	})
}
