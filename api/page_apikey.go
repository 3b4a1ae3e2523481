package api

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

const keysURL = "/admin/llaves"

func (s *server) keysPage(c *fiber.Ctx) error {
	return s.drawKeys(c, http.StatusOK, func(v *templates.BoardView) {
		if c.Query("hecho") == "revocada" {
			v.Flash = "Listo: la llave ya no abre nada."
		}
	})
}

func (s *server) drawKeys(c *fiber.Ctx, status int, add func(*templates.BoardView)) error {
	v := templates.BoardView{
		Title: "Llaves de la API", Intro: "Con ellas entran otros sistemas, como un punto de venta. Cada quien con la suya, para poder quitarla sola.",
		NewURL: keysURL + "/nueva", NewLabel: "Nueva llave", Action: keysURL,
	}
	add(&v)
	return s.board(c, status, askedOf(c), &v, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		all, next, err := t.APIKeys(ctx, scopeOf(c), p)
		part := templates.BoardPart{Empty: "Todavía no hay llaves."}
		for _, k := range all {
			part.Rows = append(part.Rows, keyRow(k))
		}
		v.Parts = []templates.BoardPart{part}
		return next, err
	})
}

func keyRow(k store.APIKey) templates.BoardRow {
	zone := loyalty.Zone("")
	row := templates.BoardRow{Name: k.Label, State: templates.OutboxStatus{Word: "activa", Tone: "ok"}}
	row.Facts = append(row.Facts, templates.BoardFact{Name: "Creada", At: k.IssuedAt.In(zone)})
	if k.UsedAt != nil {
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Usada por última vez", At: k.UsedAt.In(zone)})
	} else {
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Usada por última vez", Text: "nunca"})
	}
	if k.RevokedAt != nil {
		row.State = templates.OutboxStatus{Word: "revocada"}
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Revocada", At: k.RevokedAt.In(zone)})
		return row
	}
	row.Acts = []templates.BoardAct{{Label: "Revocar…", About: k.Label, Action: keysURL + "/" + string(k.ID) + "/revocar", Danger: true}}
	return row
}

func (s *server) newKeyPage(c *fiber.Ctx) error    { return s.keyForm(c, nil) }
func (s *server) createKeyForm(c *fiber.Ctx) error { return s.keyForm(c, typed(c)) }

func (s *server) keyForm(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{Title: "Nueva llave", Intro: "La llave se muestra una sola vez.", Back: keysURL, Action: keysURL, Submit: "Crear y ver la llave"}
	label := ""
	plain, err := tx(s, c, func(ctx context.Context, t *store.Tx) (plain string, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return "", err
		}
		f := forms.New(fields)
		f.Key(&label)
		v.Sections = f.Sections
		if fields == nil {
			return "", nil
		}
		plain, _, err = t.CreateAPIKey(ctx, scopeOf(c), label)
		return plain, err
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.drawForm(c, v)
	}
	return s.drawKeys(c, http.StatusCreated, func(v *templates.BoardView) {
		v.Secret = &templates.BoardSecret{
			Title: "La llave de «" + label + "»", Text: plain,
			Body: "Va en el encabezado Authorization, después de «Bearer». No la guardamos: si se pierde, revoca esta y crea otra.",
		}
	})
}

// revokeKeyForm asks once more: what uses the key stops at once.
func (s *server) revokeKeyForm(c *fiber.Ctx) error {
	if formText(c, "confirmed") == "" {
		return s.confirmFirst(c, templates.ConfirmView{
			Title: "¿Revocar esta llave?", Body: "Lo que la usa deja de funcionar en ese momento, y no hay vuelta atrás.", Yes: "Sí, revocarla", Back: keysURL,
		})
	}
	return s.act(c, keysURL+"?hecho=revocada", nil, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		_, err := t.RevokeAPIKey(ctx, scopeOf(c), id)
		return err
	})
}

// confirmFirst asks once more whether the form that came is meant.
func (s *server) confirmFirst(c *fiber.Ctx, v templates.ConfirmView) error {
	if _, err := pathID(c); err != nil && c.Params("id") != "" {
		return err
	}
	v.Action = c.Path()
	c.Request().PostArgs().VisitAll(func(name, value []byte) {
		v.Fields = append(v.Fields, templates.ConfirmField{Name: tidy(string(name)), Value: tidy(string(value))})
	})
	v.Fields = append(v.Fields, templates.ConfirmField{Name: "confirmed", Value: "1"})
	var err error
	v.Desk, err = tx(s, c, func(ctx context.Context, t *store.Tx) (templates.DeskView, error) { return s.desk(ctx, c, t) })
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Confirm(w, v) })
}

// drawForm draws a form that nobody has filled in yet.
func (s *server) drawForm(c *fiber.Ctx, v templates.FormView) error {
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
}
