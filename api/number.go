package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

type numberJSON struct {
	ID       loyalty.ID         `json:"id"`
	Label    string             `json:"label"`
	Phone    *string            `json:"phone"`
	Status   store.NumberStatus `json:"status"`
	Reason   string             `json:"reason"`
	QR       *string            `json:"qr"`
	QRUntil  *time.Time         `json:"qr_until"`
	Detail   string             `json:"detail"`
	Until    *time.Time         `json:"until"`
	Alive    bool               `json:"alive"`
	AliveAt  *time.Time         `json:"alive_at"`
	PairedAt *time.Time         `json:"paired_at"`
	ShopID   *loyalty.ID        `json:"shop_id"`
	CPGID    *loyalty.ID        `json:"cpg_id"`
	stamps
}

// numberAt is a number with the moment at which it was read: much of what is said
// of it is a matter of seconds.
type numberAt struct {
	store.Number
	now time.Time
}

// state is what the texts need to know of a number.
func (n numberAt) state() templates.NumberState {
	return templates.NumberState{
		Status: string(n.Status), Reason: n.Reason, Owned: n.Held(n.now), Scan: n.Scannable(n.now), Silent: n.Silent(n.now),
		Until: timeOrZero(n.Until), AliveAt: timeOrZero(n.AliveAt), Now: n.now,
	}
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// numberWords says how a number is.
func (s *server) numberWords(n numberAt) templates.NumberWords {
	w, err := s.Texts.Number(n.state())
	if err != nil { // a text that its own tests did not render
		return templates.NumberWords{Chip: string(n.Status), Tone: "degraded", What: string(n.Status)}
	}
	return w
}

func (s *server) showNumber(n numberAt) numberJSON {
	out := numberJSON{
		ID: n.ID, Label: n.Label, Phone: n.Phone, Status: n.Status, Reason: n.Reason, Detail: s.numberWords(n).Detail(), Until: n.Until,
		Alive: n.Working(n.now), AliveAt: n.AliveAt, PairedAt: n.PairedAt,
		ShopID: optionalID(n.ShopID), CPGID: optionalID(n.CPGID), stamps: stamps{n.CreatedAt, n.UpdatedAt},
	}
	if n.Scannable(n.now) {
		out.QR, out.QRUntil = &n.QR, n.QRUntil
	}
	return out
}

// at adds the moment to what a use case gave.
func at(t *store.Tx, n store.Number, err error) (numberAt, error) { return numberAt{n, t.Now()}, err }

// noNumbers refuses to pair where the channel has no devices to pair.
func (s *server) noNumbers() error {
	if s.Numbers {
		return nil
	}
	return loyalty.Fail(loyalty.KindConflict, codeNoNumbers, s.whyNoNumbers())
}

func (s *server) whyNoNumbers() string {
	if s.Sim {
		return "Aquí WhatsApp es el simulador, que no se vincula. Arranca qoa serve con WHATSAPP_CHANNEL=whatsmeow para vincular números."
	}
	return "El canal es la API de Meta: sus números se dan de alta en Meta y en la configuración, no con un código QR."
}

func (s *server) listNumbers(c *fiber.Ctx) error {
	return many(s, c, s.showNumber, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, p store.Page) ([]numberAt, loyalty.ID, error) {
		all, next, err := t.Numbers(ctx, scope, p)
		return mapped(all, func(n store.Number) numberAt { return numberAt{n, t.Now()} }), next, err
	})
}

func (s *server) getNumber(c *fiber.Ctx) error {
	return one(s, c, s.showNumber, numberOf)
}

func numberOf(t *store.Tx, ctx context.Context, scope loyalty.Scope, id loyalty.ID) (numberAt, error) { //nolint:revive // as one wants it
	n, err := t.Number(ctx, scope, id)
	return at(t, n, err)
}

type numberInput struct {
	Label string `json:"label"`
}

// createNumber begins a pairing: a process that runs numbers takes the new one and
// shows its QR.
func (s *server) createNumber(c *fiber.Ctx) error {
	if err := s.noNumbers(); err != nil {
		return err
	}
	return create(s, c, s.showNumber, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, in numberInput) (numberAt, error) {
		n, err := t.CreateNumber(ctx, scope, in.Label)
		return at(t, n, err)
	})
}

type numberPatch struct {
	Label *string              `json:"label"`
	Shop  nullable[loyalty.ID] `json:"shop_id"`
	CPG   nullable[loyalty.ID] `json:"cpg_id"`
}

func (s *server) updateNumber(c *fiber.Ctx) error {
	return update(s, c, s.showNumber, func(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID, in numberPatch) (numberAt, error) {
		n, err := t.UpdateNumber(ctx, scope, id, store.NumberPatch{Label: in.Label, Shop: in.Shop.orZero(), CPG: in.CPG.orZero()})
		return at(t, n, err)
	})
}

// resumeNumber pairs or connects a number again that stopped for good.
func (s *server) resumeNumber(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	if err := s.noNumbers(); err != nil {
		return err
	}
	n, err := tx(s, c, func(ctx context.Context, t *store.Tx) (numberAt, error) {
		n, err := t.ResumeNumber(ctx, scopeOf(c), id)
		return at(t, n, err)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, s.showNumber(n))
}

// deleteNumber gives up a number and answers with what it was.
func (s *server) deleteNumber(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	n, err := tx(s, c, func(ctx context.Context, t *store.Tx) (numberAt, error) {
		n, err := numberOf(t, ctx, scopeOf(c), id)
		if err != nil {
			return n, err
		}
		return n, t.DeleteNumber(ctx, scopeOf(c), id)
	})
	if err != nil {
		return err
	}
	n.QR = ""
	return data(c, http.StatusOK, s.showNumber(n))
}

// numberQR draws what is to be scanned. It is a key for some seconds, so nobody
// keeps it.
func (s *server) numberQR(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	px, err := pixels(c)
	if err != nil {
		return err
	}
	n, err := tx(s, c, func(ctx context.Context, t *store.Tx) (numberAt, error) { return numberOf(t, ctx, scopeOf(c), id) })
	if err != nil {
		return err
	}
	if !n.Scannable(n.now) {
		return loyalty.NotFound(loyalty.CodeNotFound, "Ahora no hay código que escanear. "+s.numberWords(n).Detail())
	}
	png, err := templates.QRPNG(n.QR, px)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderContentType, "image/png")
	return c.Send(png)
}
