package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// newTerms is what the form of a new campaign begins with.
func newTerms(owner store.CampaignInput) loyalty.Terms {
	return loyalty.Terms{
		Scheme: loyalty.Stamps, Enrolment: loyalty.Automatic, Goal: 10, AllProducts: owner.Owner == "", AllShops: owner.Owner == "",
		Earn:           []loyalty.Earn{{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1}},
		NudgeQuietDays: 7, NudgeGapDays: 7,
	}
}

// ownerForm says for whom a campaign or a segment is made: "cpg:…" or "shop:…",
// and nothing where the caller has only one.
func ownerIn(scope loyalty.Scope, text string) (cpg, shop loyalty.ID, ok bool) {
	switch kind, id, _ := strings.Cut(text, ":"); {
	case kind == "cpg" && scope.All():
		cpg, err := loyalty.ParseID(id)
		return cpg, "", err == nil
	case kind == "shop" && (scope.All() || scope.Role == loyalty.RoleTendero):
		shop, err := loyalty.ParseID(id)
		return "", shop, err == nil && (scope.All() || scope.SellsAt(shop))
	case scope.Role == loyalty.RoleCPG:
		return scope.CPG, "", true
	case scope.Role == loyalty.RoleTendero && len(scope.Shops) == 1:
		return "", scope.Shops[0], true
	}
	return "", "", false
}

func ownerText(cpg, shop loyalty.ID) string {
	if shop != "" {
		return "shop:" + string(shop)
	}
	return "cpg:" + string(cpg)
}

// mostOwners is how many shops are offered at once to choose from: the others are
// searched.
const mostOwners = 50

// chooseOwner asks for whom it is made: a company, or a shop out of those that a
// search finds.
func (s *server) chooseOwner(c *fiber.Ctx, title string) error {
	scope, words := scopeOf(c), queryText(c, "q")
	v := templates.FormView{Title: title, Intro: "¿De quién es?", Action: c.Path(), Get: true, Submit: "Seguir"}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		options := []templates.FormOption{{Label: "Elige"}}
		if scope.All() {
			err = everyPage(func(p store.Page) (loyalty.ID, error) {
				all, next, err := t.CPGs(ctx, scope, p)
				for _, o := range all {
					options = append(options, templates.FormOption{Value: ownerText(o.ID, ""), Label: "Empresa: " + o.Name})
				}
				return next, err
			})
			if err != nil {
				return struct{}{}, err
			}
		}
		shops, total, err := t.ChooseShops(ctx, scope, store.ShopChoice{Words: words}, mostOwners)
		for _, o := range shops {
			options = append(options, templates.FormOption{Value: ownerText("", o.ID), Label: "Tienda: " + listNonEmpty(", ", o.Name, o.City)})
		}
		fields := []templates.FormField{{Kind: templates.FormChoice, Name: "owner", Label: "Dueño", Options: options}}
		if words != "" || total > int64(len(shops)) {
			found := countWords(total, "tienda", "tiendas")
			fields = append(fields, templates.FormField{
				Kind: templates.FormText, Name: "q", Label: "O busca una tienda", Value: words, Help: "Hay " + found + ". Deja «Elige», escribe su nombre, calle o código, y pulsa Seguir.",
			})
		}
		v.Sections = []templates.FormSection{{Fields: fields}}
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
}

func (s *server) newCampaignPage(c *fiber.Ctx) error {
	cpg, shop, ok := ownerIn(scopeOf(c), queryText(c, "owner"))
	if !ok {
		return s.chooseOwner(c, "Nueva campaña")
	}
	return s.newCampaign(c, store.CampaignInput{CPG: cpg, Owner: shop}, nil)
}

func (s *server) createCampaignForm(c *fiber.Ctx) error {
	fields := typed(c)
	cpg, shop, ok := ownerIn(scopeOf(c), fields.Get("owner"))
	if !ok {
		return s.chooseOwner(c, "Nueva campaña")
	}
	return s.newCampaign(c, store.CampaignInput{CPG: cpg, Owner: shop}, fields)
}

// newCampaign draws the whole form of a new campaign, or makes it of what was
// typed.
func (s *server) newCampaign(c *fiber.Ctx, in store.CampaignInput, fields url.Values) error {
	scope, list := scopeOf(c), deskRoot(c)+"/campanas"
	v := templates.FormView{
		Title: "Nueva campaña", Intro: "Queda como borrador. Nada empieza hasta que se revisa y se activa.", Back: list, Action: list, Submit: "Guardar borrador",
		PreviewURL: list + "/vista",
	}
	look := fields == nil || fields.Get("ver") != ""
	made, err := tx(s, c, func(ctx context.Context, t *store.Tx) (made store.Campaign, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return made, err
		}
		fresh := store.Campaign{Campaign: loyalty.Campaign{CPG: in.CPG, Owner: in.Owner, Terms: newTerms(in)}}
		if fields != nil { // what is not in the form is not there
			fresh.Terms = loyalty.Terms{}
		}
		d, err := s.newDraft(ctx, t, scope, deskRoot(c), fresh, "")
		if err != nil {
			return made, err
		}
		d.whole = true
		f := d.read(fields)
		f.Hidden("owner", ownerText(in.CPG, in.Owner))
		v.Sections = f.Sections
		look = look || f.Searching()
		if v.Preview, err = s.campaignPreview(ctx, c, t, d, f); err != nil || look || f.Err() != nil {
			return made, cmp.Or(err, f.Err())
		}
		return t.CreateCampaign(ctx, scope, store.CampaignInput{CPG: in.CPG, Owner: in.Owner, Terms: d.campaign.Terms})
	})
	switch {
	case look && v.Preview != nil:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	case err != nil:
		return s.explain(c, v, err)
	}
	return c.Redirect(list+"/"+string(made.ID)+"?hecho=creada", http.StatusSeeOther)
}

// explain shows a form again, with what is wrong with it.
func (s *server) explain(c *fiber.Ctx, v templates.FormView, err error) error {
	p, ok := refused(err)
	if !ok || v.Sections == nil {
		return err
	}
	forms.Explain(&v, p.Detail, p.Errors)
	return s.html(c, p.Status, func(w io.Writer) error { return s.Pages.Form(w, v) })
}

func (s *server) editCampaignPage(c *fiber.Ctx) error { return s.editCampaign(c, nil) }
func (s *server) editCampaignForm(c *fiber.Ctx) error { return s.editCampaign(c, typed(c)) }

// campaignEdit is what beside the terms the form of a change asks for.
type campaignEdit struct {
	version string // that was read
	change  store.CampaignChange
}

func (e *campaignEdit) form(f *forms.Form, status loyalty.Status) {
	f.Section("", "", true)
	f.Words("version", &e.version)
	if status == loyalty.Active || status == loyalty.Paused {
		f.Moment("holds_from", "Vale desde", &e.change.HoldsFrom, "Hora del centro de México. Vacío: desde que guardes. Las compras de antes no cambian.")
	}
	f.Area("reason", "Motivo del cambio", &e.change.Reason, "Queda en la historia de la campaña.")
}

// editCampaign draws the form of a campaign, or changes it to what was typed.
func (s *server) editCampaign(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self := scopeOf(c), campaignURL(c, id)
	v := templates.FormView{Back: self, Action: self, Submit: "Guardar cambios", PreviewURL: deskRoot(c) + "/campanas/vista"}
	look := fields == nil || fields.Get("ver") != ""
	var edit campaignEdit
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (changed store.Campaign, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return changed, err
		}
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil {
			return changed, err
		}
		d, err := s.newDraft(ctx, t, scope, deskRoot(c), campaign, "")
		if err != nil {
			return changed, err
		}
		d.whole = true
		v.Title = "Cambiar «" + campaign.Name + "»"
		f := d.read(fields)
		now := strconv.Itoa(campaign.Version)
		edit = campaignEdit{version: now}
		edit.form(f, campaign.Status)
		f.Hidden("campaign", string(id))
		v.Sections = f.Sections
		look = look || f.Searching()
		if v.Preview, err = s.campaignPreview(ctx, c, t, d, f); err != nil || look {
			return changed, err
		}
		if edit.version != now {
			f.Reset("version", now)
			return changed, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict,
				"Alguien cambió la campaña mientras escribías. Revisa su historia; si guardas otra vez, queda lo que está aquí.")
		}
		if err := f.Err(); err != nil {
			return changed, err
		}
		edit.change.Apply = func(terms *loyalty.Terms) { forms.New(fields).Terms(terms, d.from) }
		return t.ChangeCampaign(ctx, scope, id, edit.change)
	})
	switch {
	case look && v.Preview != nil:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	case err != nil:
		return s.explain(c, v, err)
	case edit.change.HoldsFrom.After(s.DB.Now()):
		return c.Redirect(self+"?hecho=programado", http.StatusSeeOther)
	}
	return c.Redirect(self+"?hecho=cambio", http.StatusSeeOther)
}
