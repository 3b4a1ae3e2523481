package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type reorderJSON struct {
	ID        loyalty.ID  `json:"id"`
	ShopCode  string      `json:"shop_code"`
	Shop      string      `json:"shop"`
	City      string      `json:"city"`
	Product   *loyalty.ID `json:"product_id"` // null: all that Qoa sold there lately
	GTIN      string      `json:"gtin,omitempty"`
	Name      string      `json:"product,omitempty"`
	Quantity  *int        `json:"quantity"`
	Note      string      `json:"note"` // as the tendero wrote it
	CreatedAt time.Time   `json:"created_at"`
}

func showReorder(v store.Reorder) reorderJSON {
	return reorderJSON{
		ID: v.ID, ShopCode: v.ShopCode, Shop: v.ShopName, City: v.City, Product: v.Product, GTIN: v.GTIN, Name: v.Name,
		Quantity: v.Quantity, Note: v.Note, CreatedAt: v.CreatedAt,
	}
}

func (s *server) listReorders(c *fiber.Ctx) error {
	f, _, wrong, err := reorderQuery(c)
	if err != nil {
		return err
	}
	if wrong.Text != "" {
		return loyalty.Invalid(wrong.At, wrong.Text)
	}
	return many(s, c, showReorder, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Reorder, loyalty.ID, error) {
		return t.Reorders(ctx, scope, f, p)
	})
}
