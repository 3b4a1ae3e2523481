package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

func (s *server) brandsPage(c *fiber.Ctx) error {
	a, v := askedOf(c), templates.CatalogueView{
		Title: "Marcas", NewURL: brandsURL + "/nueva", NewLabel: "Nueva marca", Action: brandsURL,
		Empty: "Todavía no hay marcas. Una marca es de una empresa y tiene productos.",
	}
	search, cpg := a.text("buscar"), string(a.id("empresa"))
	state, active := a.active()
	return s.drawCatalogue(c, a, &v, http.StatusOK, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		cpgs, names, err := everyCPG(ctx, t, scopeOf(c), store.CPGFilter{})
		if err != nil {
			return "", err
		}
		f := forms.NewSift(forms.New(nil))
		f.Text("buscar", "Buscar", &search)
		f.Of("empresa", "Empresa", "Todas", &cpg, cpgs)
		stateChoice(f, &state, feminine)
		v.Filters = f.Fields()
		all, next, err := t.Brands(ctx, scopeOf(c), store.BrandFilter{CPG: loyalty.ID(cpg), Search: search, Active: active}, p)
		for _, b := range all {
			v.Items = append(v.Items, templates.CatalogueLine{
				ID: string(b.ID), URL: brandsURL + "/" + string(b.ID), Name: b.Name, Sub: names[b.CPG], Off: feminine.off(b.Active),
			})
		}
		return next, err
	})
}

func (s *server) brandAdminPage(c *fiber.Ctx) error {
	v := templates.CatalogueItemView{
		List: "Marcas", ListURL: brandsURL, Flash: catalogueFlash(c, feminine),
		Inactive: "Una marca desactivada no recibe productos nuevos. Los que tiene y sus campañas siguen como están: si ya no se venden, desactívalos también.",
	}
	return s.catalogueItem(c, http.StatusOK, &v, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		b, err := t.Brand(ctx, scopeOf(c), id)
		if err != nil {
			return err
		}
		g, err := t.CPG(ctx, scopeOf(c), b.CPG)
		v.Name, v.Sub, v.Active, v.State = b.Name, g.Name, b.Active, feminine.state(b.Active)
		v.Facts = []templates.CatalogueFact{{Name: "Empresa", Text: g.Name, URL: cpgsURL + "/" + string(g.ID)}, {Name: "Desde", Text: dayWords(b.CreatedAt)}}
		v.Links = []templates.DeskLink{{Name: "Sus productos", URL: productsURL + "?marca=" + string(id)}}
		return err
	})
}

func (s *server) newBrandPage(c *fiber.Ctx) error    { return s.newBrand(c, nil) }
func (s *server) createBrandForm(c *fiber.Ctx) error { return s.newBrand(c, typed(c)) }

func (s *server) newBrand(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{Title: "Nueva marca", Back: brandsURL, Action: brandsURL, Submit: "Guardar marca"}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		cpgs, _, err := everyCPG(ctx, t, scopeOf(c), store.CPGFilter{Active: only()})
		if err != nil {
			return "", err
		}
		var in store.BrandInput
		if f.Brand(&in, cpgs, true); !save || f.Err() != nil {
			return "", f.Err()
		}
		made, err := t.CreateBrand(ctx, scopeOf(c), in)
		return made.ID, err
	})
}

func (s *server) editBrandPage(c *fiber.Ctx) error { return s.editBrand(c, nil) }
func (s *server) editBrandForm(c *fiber.Ctx) error { return s.editBrand(c, typed(c)) }

func (s *server) editBrand(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	here := brandsURL + "/" + string(id)
	v := templates.FormView{Title: "Cambiar marca", Back: here, Action: here}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		b, err := t.Brand(ctx, scopeOf(c), id)
		if err != nil {
			return "", err
		}
		in := store.BrandInput{Name: b.Name}
		if f.Brand(&in, nil, false); !save || f.Err() != nil {
			return "", f.Err()
		}
		_, err = t.UpdateBrand(ctx, scopeOf(c), id, store.BrandPatch{Name: &in.Name})
		return id, err
	})
}

func (s *server) switchBrand(c *fiber.Ctx) error {
	return s.switchThing(c, brandsURL, func(ctx context.Context, t *store.Tx, id loyalty.ID, active *bool) error {
		_, err := t.UpdateBrand(ctx, scopeOf(c), id, store.BrandPatch{Active: active})
		return err
	})
}
