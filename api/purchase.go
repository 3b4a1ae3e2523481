package api

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type purchaseInput struct {
	ShopCode   string      `json:"shop_code"`
	CardCode   string      `json:"card_code"` // a card's or an evidence code, also as a URL
	Captured   string      `json:"captured"`
	Items      []itemInput `json:"items"`
	OccurredAt *time.Time  `json:"occurred_at"`
}

type itemInput struct {
	GTIN           string `json:"gtin"`
	Quantity       int64  `json:"quantity"`
	UnitPriceCents *int64 `json:"unit_price_cents"`
}

// recordPurchase records a sale, once a key: a repeat gets the first answer.
func (s *server) recordPurchase(c *fiber.Ctx) error {
	key, err := idempotencyKey(c)
	if err != nil {
		return err
	}
	in, err := body[purchaseInput](c)
	if err != nil {
		return err
	}
	purchase := store.PurchaseInput{
		Key: key, ShopCode: in.ShopCode, Code: in.CardCode, Captured: in.Captured, OccurredAt: in.OccurredAt,
		Channel: store.ChannelAPI, Items: make([]store.ItemInput, len(in.Items)),
	}
	for i, item := range in.Items {
		purchase.Items[i] = store.ItemInput(item)
	}
	r, replayed, err := s.DB.RecordPurchase(c.UserContext(), scopeOf(c), unproven(c), purchase)
	if err != nil {
		return err
	}
	return answerOnce(c, r, replayed)
}

const mostKey = 128 // characters

// idempotencyKey reads the header that makes a repeat harmless.
func idempotencyKey(c *fiber.Ctx) (string, error) {
	key := strings.TrimSpace(c.Get("Idempotency-Key"))
	n := utf8.RuneCountInString(key)
	if n < 1 || n > mostKey || !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return "", &loyalty.Error{
			Kind: loyalty.KindInvalid, Code: loyalty.CodeIdempotencyMissing,
			Detail: "Falta el encabezado Idempotency-Key, de 1 a 128 caracteres.",
			Fields: []loyalty.FieldError{{Field: "Idempotency-Key", Reason: "debe tener de 1 a 128 caracteres"}},
		}
	}
	return key, nil
}

func (s *server) getPurchase(c *fiber.Ctx) error {
	return one(s, c, as[store.Receipt], (*store.Tx).Purchase)
}
