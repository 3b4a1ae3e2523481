package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// The pages of the catalogue are alike: a list with a filter, the page of one
// thing, its form, and a switch. What follows is that likeness.

const (
	catalogueURL     = "/admin/catalogo"
	cpgsURL          = catalogueURL + "/empresas"
	brandsURL        = catalogueURL + "/marcas"
	productsURL      = catalogueURL + "/productos"
	shopsURL         = catalogueURL + "/tiendas"
	cataloguePerPage = 30
)

// gender says "desactivado" and "desactivada".
type gender string

const (
	masculine gender = "o"
	feminine  gender = "a"
)

func (g gender) off(active bool) string {
	if active {
		return ""
	}
	return "desactivad" + string(g)
}

func (g gender) state(active bool) string {
	if active {
		return "activ" + string(g)
	}
	return g.off(active)
}

// catalogueFlash says what was done, by the address that a form led to.
func catalogueFlash(c *fiber.Ctx, g gender) string {
	return map[string]string{
		"guardado": "Listo: quedó guardad" + string(g) + ".", "activado": "Listo: ya está activ" + string(g) + ".", "desactivado": "Listo: quedó desactivad" + string(g) + ".",
		"foto": "Listo: la foto quedó guardada.", "sin-foto": "Listo: la foto se quitó.",
	}[c.Query("hecho")]
}

// asked is a filter of a list, as the address says it, or a form that repeats it.
type asked struct {
	c    *fiber.Ctx
	form bool
	any  bool
	url.Values
}

func askedOf(c *fiber.Ctx) *asked {
	return &asked{c: c, Values: url.Values{}}
}

// text gives one thing that was asked for.
func (a *asked) text(name string) string {
	v := strings.TrimSpace(queryText(a.c, name))
	if a.form {
		v = formText(a.c, name)
	}
	if v != "" {
		a.any = true
		a.Set(name, v)
	}
	return v
}

// id is text for an ID: what is none asks for nothing.
func (a *asked) id(name string) loyalty.ID {
	id, err := loyalty.ParseID(a.text(name))
	if err != nil {
		return ""
	}
	return id
}

// active is the filter of what is deactivated.
func (a *asked) active() (state string, active *bool) {
	yes, no := true, false
	switch state = a.text("estado"); state {
	case "activas":
		return state, &yes
	case "desactivadas":
		return state, &no
	}
	return "", nil
}

func (a *asked) page() (p store.Page, err error) {
	after, err := queryID(a.c, "cursor")
	return store.Page{After: after, Limit: cataloguePerPage}, err
}

// draw fills in what all lists have and sends the page.
func (s *server) drawCatalogue(c *fiber.Ctx, a *asked, v *templates.CatalogueView, status int, read func(context.Context, *store.Tx, store.Page) (loyalty.ID, error)) error {
	p, err := a.page()
	if err != nil {
		return err
	}
	next, err := tx(s, c, func(ctx context.Context, t *store.Tx) (loyalty.ID, error) {
		var err error
		v.Items = nil // it may run again
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return "", err
		}
		return read(ctx, t, p)
	})
	if err != nil {
		return err
	}
	v.Filtered, v.Files = a.any, filesAt(v.Action, a.Values, strings.ToLower(v.Title))
	at := func(cursor loyalty.ID) string {
		q := url.Values{}
		for k, values := range a.Values {
			q[k] = values
		}
		if cursor != "" {
			q.Set("cursor", string(cursor))
		}
		return v.Action + prefixed("?", q.Encode())
	}
	if next != "" {
		v.NextURL = at(next)
	}
	if p.After != "" {
		v.FirstURL = at("")
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Catalogue(w, *v) })
}

// stateChoice is the field of a filter by state.
func stateChoice(f forms.Sift, state *string, g gender) {
	f.Of("estado", "Estado", "Tod"+string(g)+"s", state, []templates.FormOption{
		{Value: "activas", Label: "Activ" + string(g) + "s"}, {Value: "desactivadas", Label: "Desactivad" + string(g) + "s"},
	})
}

// catalogueForm draws a form of one thing, or saves it and leads to its page. run
// fills the form in, and saves where save says so; it gives the thing's ID.
func (s *server) catalogueForm(c *fiber.Ctx, v templates.FormView, fields url.Values,
	run func(context.Context, *store.Tx, *forms.Form, bool) (loyalty.ID, error),
) error {
	id, err := tx(s, c, func(ctx context.Context, t *store.Tx) (loyalty.ID, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return "", err
		}
		f := forms.New(fields)
		id, err := run(ctx, t, f, fields != nil)
		v.Sections = f.Sections
		return id, err
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	}
	list, _, _ := strings.Cut(strings.TrimPrefix(c.Path(), catalogueURL+"/"), "/")
	return c.Redirect(catalogueURL+"/"+list+"/"+string(id)+"?hecho=guardado", http.StatusSeeOther)
}

// catalogueItem draws the page of one thing.
func (s *server) catalogueItem(c *fiber.Ctx, status int, v *templates.CatalogueItemView, read func(context.Context, *store.Tx, loyalty.ID) error) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, read(ctx, t, id)
	})
	if err != nil {
		return err
	}
	here := v.ListURL + "/" + string(id)
	v.EditURL, v.Switch = here+"/editar", here+"/estado"
	return s.html(c, status, func(w io.Writer) error { return s.Pages.CatalogueItem(w, *v) })
}

// switchThing activates or deactivates, and shows the thing again.
func (s *server) switchThing(c *fiber.Ctx, list string, set func(context.Context, *store.Tx, loyalty.ID, *bool) error) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	active := formText(c, "active") == "1"
	if _, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		return struct{}{}, set(ctx, t, id, &active)
	}); err != nil {
		return err
	}
	done := "desactivado"
	if active {
		done = "activado"
	}
	return c.Redirect(list+"/"+string(id)+"?hecho="+done, http.StatusSeeOther)
}

// everyCPG are the companies to choose from.
func everyCPG(ctx context.Context, t *store.Tx, scope loyalty.Scope, f store.CPGFilter) ([]templates.FormOption, naming, error) {
	var all []templates.FormOption
	names := naming{}
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		some, next, err := t.FindCPGs(ctx, scope, f, p)
		for _, v := range some {
			all = append(all, templates.FormOption{Value: string(v.ID), Label: v.Name})
			names[v.ID] = v.Name
		}
		return next, err
	})
	return all, names, err
}

// only is a filter for what is active.
func only() *bool {
	yes := true
	return &yes
}
