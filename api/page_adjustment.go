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

func (s *server) adjustmentPage(c *fiber.Ctx) error { return s.adjustmentForm(c, nil) }
func (s *server) adjustForm(c *fiber.Ctx) error     { return s.adjustmentForm(c, typed(c)) }

// adjustmentForm draws the form of a correction, or makes it; the empty form is
// the answer.
func (s *server) adjustmentForm(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{
		Title: "Ajustar un saldo", Intro: "Suma o quita sellos o puntos a mano. Queda en la historia con tu nombre, y se avisa al cliente.",
		Action: "/admin/ajustes", Submit: "Ajustar",
	}
	if c.Query("hecho") == "ajuste" {
		v.Flash = "Listo: el ajuste quedó guardado y se avisó al cliente."
	}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (a store.Adjustment, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return a, err
		}
		var campaigns []templates.FormOption
		err = everyPage(func(p store.Page) (loyalty.ID, error) {
			all, next, err := t.Campaigns(ctx, scopeOf(c), store.CampaignFilter{}, p)
			for _, v := range all {
				if v.Status == loyalty.Active || v.Status == loyalty.Paused || v.Status == loyalty.Ended {
					campaigns = append(campaigns, templates.FormOption{Value: string(v.ID), Label: v.Name})
				}
			}
			return next, err
		})
		if err != nil {
			return a, err
		}
		in, f := store.AdjustmentInput{Unit: loyalty.Stamp}, forms.New(fields)
		if fields == nil {
			in.Key = s.formKey()
		}
		f.Adjustment(&in, campaigns)
		v.Sections = f.Sections
		if fields == nil || f.Err() != nil {
			return a, f.Err()
		}
		a, _, err = t.Adjust(ctx, scopeOf(c), in)
		return a, err
	})
	switch {
	case loyalty.CodeOf(err) == loyalty.CodeCampaignNotFound:
		return s.explain(c, v, loyalty.Invalid("campaign_id", "elige una campaña que ya esté en marcha"))
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	}
	return c.Redirect("/admin/ajustes?hecho=ajuste", http.StatusSeeOther)
}
