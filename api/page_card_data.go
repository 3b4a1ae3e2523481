package api

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// fromCard stands where a consent names the message that proves it: it was said on
// the card's page.
const fromCard = "card page"

// cardData shows what a consumer agreed to, and lets that be changed.
func (s *server) cardData(c *fiber.Ctx) error {
	var agreed store.Agreed
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) (err error) {
		agreed, err = t.Consents(ctx, person)
		return err
	})
	if !ok {
		return err
	}
	own := ownURL(c)
	v := templates.CardDataView{
		BackURL: own, PrivacyURL: "/privacidad", MessagesAction: own + "/messages", EraseAction: own + "/erasure",
		Messages: agreed.Messages, Flash: messagesWords(c.Query("aviso")), Wrong: c.Query("aviso") == noticeWord,
	}
	for _, a := range agreed.All {
		if words := consentWords(a.Kind); words != "" {
			v.Log = append(v.Log, templates.CardConsent{At: a.At.In(loyalty.Zone("")), Text: words})
		}
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.CardData(w, v) })
}

// What the page of data says after a form.
const (
	noticeOn   = "mensajes-si"
	noticeOff  = "mensajes-no"
	noticeWord = "palabra"
)

func messagesWords(notice string) string {
	switch notice {
	case noticeOn:
		return "Listo: te avisaremos por WhatsApp."
	case noticeOff:
		return "Listo: ya no te escribimos."
	}
	return ""
}

func consentWords(kind store.ConsentKind) string {
	switch kind {
	case store.NoticeGiven:
		return "Te dimos el aviso de privacidad"
	case store.OptOut:
		return "Pediste no recibir mensajes (BAJA)"
	case store.OptIn:
		return "Pediste recibir mensajes (ALTA)"
	case store.Erasure:
		return "Pediste que borráramos tus datos"
	}
	return ""
}

// cardMessages says whether the bot may write first. Saying again what holds already
// is no news.
func (s *server) cardMessages(c *fiber.Ctx) error {
	want := formText(c, "messages")
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		agreed, err := t.Consents(ctx, person)
		switch {
		case err != nil:
			return err
		case want == "si" && !agreed.Messages:
			return t.OptIn(ctx, person, fromCard)
		case want == "no" && agreed.Messages:
			return t.OptOut(ctx, person, fromCard)
		}
		return nil
	})
	if !ok {
		return err
	}
	to := ownURL(c) + "/datos"
	switch want {
	case "si":
		to += "?aviso=" + noticeOn
	case "no":
		to += "?aviso=" + noticeOff
	}
	return c.Redirect(to, http.StatusSeeOther)
}

// cardErase forgets the consumer, where the word was written that says so.
func (s *server) cardErase(c *fiber.Ctx) error {
	sure := strings.EqualFold(formText(c, "word"), templates.EraseWord)
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		if !sure {
			return nil
		}
		return t.Erase(ctx, person, fromCard)
	})
	switch {
	case !ok:
		return err
	case !sure:
		return c.Redirect(ownURL(c)+"/datos?aviso="+noticeWord, http.StatusSeeOther)
	}
	return c.Redirect("/c/adios", http.StatusSeeOther)
}

// cardErased says goodbye, to whoever asks: it names nobody.
func (s *server) cardErased(c *fiber.Ctx) error {
	c.Set("X-Robots-Tag", "noindex, nofollow")
	return s.notice(c, http.StatusOK, templates.CardErased())
}
