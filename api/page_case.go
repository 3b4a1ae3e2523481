package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

const casesURL = "/admin/casos"

func (s *server) casesPage(c *fiber.Ctx) error {
	v := templates.BoardView{
		Title: "Casos", Intro: "Quien pidió hablar con una persona, o dice que le falta un sello. Lo más antiguo primero.", Action: casesURL, NextName: "Siguientes",
	}
	if c.Query("hecho") == "caso" {
		v.Flash = "Listo: el caso quedó cerrado."
	}
	return s.board(c, http.StatusOK, askedOf(c), &v, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		all, next, err := t.Cases(ctx, scopeOf(c), p)
		part := templates.BoardPart{Empty: "Nadie espera respuesta."}
		for i := range all {
			part.Rows = append(part.Rows, caseRow(&all[i], t.Now(), casesURL))
		}
		v.Parts = []templates.BoardPart{part}
		return next, err
	})
}

func caseRow(k *store.Case, now time.Time, back string) templates.BoardRow {
	row := templates.BoardRow{
		Name: caseWords(k.Kind), URL: chatsURL + "/" + string(k.Person), Sub: age(now.Sub(k.CreatedAt)) + " · folio " + k.Folio(), Note: k.Note,
		Acts: []templates.BoardAct{{
			Label: "Cerrar el caso", About: k.Folio(), Action: casesURL + "/" + string(k.ID) + "/cerrar", Fields: []templates.ConfirmField{{Name: "back", Value: back}},
		}},
	}
	if k.Card != "" {
		row.Facts = []templates.BoardFact{{Name: "Tarjeta", Text: loyalty.FormatCode(k.Card), Code: true}}
	}
	return row
}

// closeCaseForm settles a case and goes back to where it was shown.
func (s *server) closeCaseForm(c *fiber.Ctx) error {
	return s.act(c, backTo(c, casesURL)+"?hecho=caso", nil, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		_, err := t.CloseCase(ctx, scopeOf(c), id)
		return err
	})
}

// backTo is the page of the backoffice that a form says it came from, or another.
func backTo(c *fiber.Ctx, other string) string {
	back := formText(c, "back")
	if under(back, chatsURL) && !strings.ContainsAny(back, "?#\\") {
		return back
	}
	return other
}
