package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// The doors of the simulator. They exist only where the channel is simulated.

// maxSimText is WhatsApp's own limit for a text.
const maxSimText = 65_536

type simInput struct {
	From string `json:"from"`
	Text string `json:"text"`
	ID   string `json:"id"`
	Kind string `json:"kind"` // text (default), image, audio, …
}

// simSend takes a message of a simulated person: durable when it is answered.
func (s *server) simSend(c *fiber.Ctx) error {
	in, err := body[simInput](c)
	if err != nil {
		return err
	}
	from, err := loyalty.ParsePhone(in.From)
	if err != nil {
		e := loyalty.Invalid("from", "no es un teléfono válido")
		e.Code = loyalty.CodePhoneInvalid
		return e
	}
	if in.Kind == "" {
		in.Kind = "text"
	}
	kinds := []string{"text", "image", "audio", "video", "sticker", "document", "location", "contact", "unsupported"}
	switch {
	case len(in.Text) > maxSimText:
		return &loyalty.Error{
			Kind: loyalty.KindInvalid, Code: loyalty.CodeConversationTooLarge, Detail: "El mensaje es demasiado largo.",
			Fields: []loyalty.FieldError{{Field: "text", Reason: "pasa de 65,536 bytes"}},
		}
	case utf8.RuneCountInString(in.ID) > mostKey:
		return loyalty.Invalid("id", "debe tener hasta 128 caracteres")
	case !slices.Contains(kinds, in.Kind):
		return loyalty.Invalid("kind", "debe ser text, image, audio, video, sticker, document, location, contact o unsupported")
	}
	id, err := tx(s, c, func(ctx context.Context, t *store.Tx) (string, error) {
		return t.SimReceive(ctx, from, in.ID, in.Text, in.Kind, store.Trace(ctx))
	})
	if err != nil {
		return err
	}
	return c.Status(http.StatusAccepted).JSON(map[string]string{"id": id})
}

type simMessageJSON struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"`
	Text      string    `json:"text"`
	MediaType string    `json:"media_type"`
	MediaURL  string    `json:"media_url"`
	At        time.Time `json:"at"`
}

// simChat gives the whole chat with a person, oldest first.
func (s *server) simChat(c *fiber.Ctx) error {
	phone, err := loyalty.ParsePhone(queryPhone(c))
	if err != nil {
		return err
	}
	all, err := tx(s, c, func(ctx context.Context, t *store.Tx) ([]store.SimMessage, error) {
		return t.SimChat(ctx, phone, queryText(c, "after"))
	})
	if err != nil {
		return err
	}
	return c.JSON(map[string]any{"messages": mapped(all, func(m store.SimMessage) simMessageJSON {
		out := simMessageJSON{ID: m.ID, Direction: m.Direction, Text: m.Text, MediaType: m.MediaType, At: m.At}
		if m.Media != "" {
			// On the address by which we are called, which the page's rules allow.
			out.MediaURL = c.BaseURL() + "/sim/media/" + strconv.FormatInt(m.Seq, 10)
			if out.MediaType == "" {
				out.MediaType = "image/png"
			}
		}
		return out
	})})
}

// queryPhone reads a phone whose plus sign was not escaped, and so came as a
// space.
func queryPhone(c *fiber.Ctx) string {
	phone := queryText(c, "phone")
	if len(phone) > 0 && phone[0] == ' ' {
		return "+" + phone[1:]
	}
	return phone
}

// simMedia draws the picture of a simulated message.
func (s *server) simMedia(c *fiber.Ctx) error {
	unknown := loyalty.NotFound(loyalty.CodeNotFound, "Esa imagen no existe.")
	if _, err := strconv.ParseInt(c.Params("id"), 10, 64); err != nil {
		return unknown
	}
	var ref string
	media, err := tx(s, c, func(ctx context.Context, t *store.Tx) (media string, err error) {
		media, ref, err = t.SimMedia(ctx, c.Params("id"))
		return media, err
	})
	switch {
	case err != nil:
		return err
	case media == "card_qr":
		return s.sendQR(c, s.cardURL(ref))
	case media == "shop_qr":
		return s.sendQR(c, s.counterURL(ref))
	}
	return unknown
}

// simPage is the simulated phone. It shows phones, as nothing else of ours
// does: the people of the simulator are made up.
func (s *server) simPage(c *fiber.Ctx) error {
	v := templates.SimView{BotName: "Qoa", MessagesURL: "/sim/messages"}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		v.People, v.Shops = nil, nil
		system, few := loyalty.System(), store.Page{Limit: defaultLimit}
		shops, _, err := t.Shops(ctx, system, store.ShopFilter{}, few)
		if err != nil {
			return struct{}{}, err
		}
		names := make(map[loyalty.ID]string, len(shops))
		for _, shop := range shops {
			names[shop.ID] = shop.Name
			if shop.Active && len(v.Shops) < mostNamed {
				v.Shops = append(v.Shops, templates.SimShop{Name: shop.Name, Code: shop.Code, Phrase: counterPhrase(shop)})
			}
		}
		tenderos, _, err := t.Tenderos(ctx, system, store.TenderoFilter{}, few)
		if err != nil {
			return struct{}{}, err
		}
		for _, d := range tenderos {
			if d.Phone != "" {
				v.People = append(v.People, templates.SimPerson{Phone: string(d.Phone), Name: d.Name, Role: "tendero", Note: names[d.Shop]})
			}
		}
		staff, _, err := t.StaffMembers(ctx, system, few)
		for _, m := range staff {
			if m.Phone != "" {
				v.People = append(v.People, templates.SimPerson{Phone: string(m.Phone), Name: m.Name, Role: "marca"})
			}
		}
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Sim(w, v) })
}
