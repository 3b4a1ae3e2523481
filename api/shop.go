package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

type shopJSON struct {
	ID       loyalty.ID `json:"id"`
	Code     string     `json:"code"`
	Name     string     `json:"name"`
	Kind     string     `json:"kind"`
	Street   string     `json:"street"`
	City     string     `json:"city"`
	State    string     `json:"state"`
	TimeZone string     `json:"time_zone"`
	Active   bool       `json:"active"`
	stamps
}

func showShop(v store.Shop) shopJSON {
	return shopJSON{
		ID: v.ID, Code: v.Code, Name: v.Name, Kind: v.Kind, Street: v.Street, City: v.City, State: v.State,
		TimeZone: v.TimeZone, Active: v.Active, stamps: stamps{v.CreatedAt, v.UpdatedAt},
	}
}

type shopInput struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Street   string `json:"street"`
	City     string `json:"city"`
	State    string `json:"state"`
	TimeZone string `json:"time_zone"`
}

type shopPatch struct {
	Name     *string `json:"name"`
	Kind     *string `json:"kind"`
	Street   *string `json:"street"`
	City     *string `json:"city"`
	State    *string `json:"state"`
	TimeZone *string `json:"time_zone"`
	Active   *bool   `json:"active"`
}

func (s *server) listShops(c *fiber.Ctx) error {
	f := store.ShopFilter{City: queryText(c, "city"), Kind: queryText(c, "kind"), Search: queryText(c, "search")}
	var err error
	if f.Active, err = queryBool(c, "active"); err != nil {
		return err
	}
	return many(s, c, showShop, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]store.Shop, loyalty.ID, error) {
		return t.Shops(ctx, scope, f, p)
	})
}

func (s *server) getShop(c *fiber.Ctx) error { return one(s, c, showShop, (*store.Tx).Shop) }

func (s *server) createShop(c *fiber.Ctx) error {
	return create(s, c, showShop, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in shopInput) (store.Shop, error) {
		return t.CreateShop(ctx, scope, store.ShopInput(in))
	})
}

func (s *server) updateShop(c *fiber.Ctx) error {
	return update(s, c, showShop, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in shopPatch) (store.Shop, error) {
		return t.UpdateShop(ctx, scope, id, store.ShopPatch(in))
	})
}

// shopOfPath finds the shop by the code in the path, or by its ID.
func (s *server) shopOfPath(c *fiber.Ctx) (store.Shop, error) {
	raw := c.Params("code")
	return tx(s, c, func(ctx context.Context, t *store.Tx) (store.Shop, error) {
		if id, err := loyalty.ParseID(raw); err == nil {
			return t.Shop(ctx, loyalty.System(), id)
		}
		return t.ShopByCode(ctx, raw)
	})
}

func (s *server) counterURL(code string) string { return s.DB.PublicURL() + "/q/" + code }

// shopQR is public: a counter's QR hangs in the street.
func (s *server) shopQR(c *fiber.Ctx) error {
	shop, err := s.shopOfPath(c)
	if err != nil {
		return err
	}
	return s.sendQR(c, s.counterURL(shop.Code))
}

// shopPoster is public as its QR is.
func (s *server) shopPoster(c *fiber.Ctx) error {
	shop, err := s.shopOfPath(c)
	if err != nil {
		return err
	}
	pdf, err := templates.Poster(s.posterOf(shop))
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentDisposition, `inline; filename="poster-`+shop.Code+`.pdf"`)
	// A renamed shop has another poster: caches ask again after an hour.
	return sendCached(c, pdf, "application/pdf", time.Hour)
}

// place is what tells two shops of one name apart.
func place(v store.Shop) string {
	if v.Street == "" {
		return v.City
	}
	return v.Street + ", " + v.City
}

// visit counts an opened counter QR and sends the phone to the chat.
func (s *server) visit(c *fiber.Ctx) error {
	number := ""
	shop, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Shop, error) {
		shop, err := t.ShopByCode(ctx, c.Params("code"))
		if err == nil && s.Numbers {
			number, err = t.CurrentNumber(ctx, shop.ID)
		}
		if err != nil || c.Method() != fiber.MethodGet {
			return shop, err // a HEAD is a program that looks whether the link lives
		}
		return shop, t.CountVisit(ctx, shop.ID)
	})
	var known *loyalty.Error
	if errors.As(err, &known) && (known.Code == loyalty.CodeShopNotFound || known.Code == loyalty.CodeShopInactive) {
		return s.notice(c, http.StatusNotFound, templates.NoticeView{
			Title: "Esta tienda no está en Qoa", Tone: "warn", Chat: true,
			Body:   "El código del QR no es de una tienda activa. Avísale a quien te atiende, o escríbenos y te decimos qué tiendas hay cerca.",
			Action: "Escribir a Qoa", URL: s.chatURL("hola"),
		})
	}
	if err != nil {
		return err
	}
	if !s.Numbers {
		number = s.botNumber()
	}
	if number == "" {
		return s.paused(c)
	}
	return c.Redirect(waURL(number, counterPhrase(shop)), http.StatusFound)
}

// counterPhrase is what the counter QR makes a phone write.
func counterPhrase(v store.Shop) string {
	return "Quiero crear mi tarjeta de puntos de " + v.Name + " (" + v.Code + ")"
}
