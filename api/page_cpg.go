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

func (s *server) cpgsPage(c *fiber.Ctx) error {
	a, v := askedOf(c), templates.CatalogueView{
		Title: "Empresas", Intro: "Las que venden por medio de las tiendas.", NewURL: cpgsURL + "/nueva", NewLabel: "Nueva empresa", Action: cpgsURL,
		Empty: "Todavía no hay empresas. Cada una tiene marcas, y cada marca productos.",
	}
	search := a.text("buscar")
	state, active := a.active()
	f := forms.NewSift(forms.New(nil))
	f.Text("buscar", "Buscar", &search)
	stateChoice(f, &state, feminine)
	v.Filters = f.Fields()
	return s.drawCatalogue(c, a, &v, http.StatusOK, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		all, next, err := t.FindCPGs(ctx, scopeOf(c), store.CPGFilter{Search: search, Active: active}, p)
		for _, g := range all {
			v.Items = append(v.Items, templates.CatalogueLine{
				ID: string(g.ID), URL: cpgsURL + "/" + string(g.ID), Name: g.Name, Facts: []string{budgetLine(g)}, Off: feminine.off(g.Active),
			})
		}
		return next, err
	})
}

// budgetLine says what a company has left for rewards.
func budgetLine(g store.CPG) string {
	if g.Budget == nil {
		return "sin límite de presupuesto"
	}
	return loyalty.Cents(g.Reserved).String() + " de " + loyalty.Cents(*g.Budget).String()
}

func (s *server) cpgPage(c *fiber.Ctx) error {
	v := templates.CatalogueItemView{
		List: "Empresas", ListURL: cpgsURL, Flash: catalogueFlash(c, feminine),
		Inactive: "Su equipo deja de poder entrar y sus campañas dejan de dar sellos y puntos. Lo que sus clientes ya juntaron se queda.",
	}
	return s.catalogueItem(c, http.StatusOK, &v, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		g, err := t.CPG(ctx, scopeOf(c), id)
		v.Name, v.Active, v.State = g.Name, g.Active, feminine.state(g.Active)
		v.Facts = []templates.CatalogueFact{
			{Name: "Presupuesto", Text: budgetText(g)}, {Name: "Comprometido", Text: loyalty.Cents(g.Reserved).String()}, {Name: "Desde", Text: dayWords(g.CreatedAt)},
		}
		of := url.Values{"empresa": {string(id)}}.Encode()
		v.Links = []templates.DeskLink{{Name: "Sus marcas", URL: brandsURL + "?" + of}, {Name: "Sus productos", URL: productsURL + "?" + of}, {Name: "Sus tiendas", URL: shopsURL + "?" + of}}
		return err
	})
}

func budgetText(g store.CPG) string {
	if g.Budget == nil {
		return "Sin límite"
	}
	return loyalty.Cents(*g.Budget).String()
}

func (s *server) newCPGPage(c *fiber.Ctx) error    { return s.newCPG(c, nil) }
func (s *server) createCPGForm(c *fiber.Ctx) error { return s.newCPG(c, typed(c)) }

func (s *server) newCPG(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{Title: "Nueva empresa", Back: cpgsURL, Action: cpgsURL, Submit: "Guardar empresa"}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		var in store.CPGInput
		if f.CPG(&in); !save || f.Err() != nil {
			return "", f.Err()
		}
		made, err := t.CreateCPG(ctx, scopeOf(c), in)
		return made.ID, err
	})
}

func (s *server) editCPGPage(c *fiber.Ctx) error { return s.editCPG(c, nil) }
func (s *server) editCPGForm(c *fiber.Ctx) error { return s.editCPG(c, typed(c)) }

func (s *server) editCPG(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	here := cpgsURL + "/" + string(id)
	v := templates.FormView{Title: "Cambiar empresa", Back: here, Action: here}
	return s.catalogueForm(c, v, fields, func(ctx context.Context, t *store.Tx, f *forms.Form, save bool) (loyalty.ID, error) {
		g, err := t.CPG(ctx, scopeOf(c), id)
		if err != nil {
			return "", err
		}
		in := store.CPGInput{Name: g.Name, Budget: g.Budget}
		if f.CPG(&in); !save || f.Err() != nil {
			return "", f.Err()
		}
		_, err = t.UpdateCPG(ctx, scopeOf(c), id, store.CPGPatch{Name: &in.Name, Budget: &in.Budget})
		return id, err
	})
}

func (s *server) switchCPG(c *fiber.Ctx) error {
	return s.switchThing(c, cpgsURL, func(ctx context.Context, t *store.Tx, id loyalty.ID, active *bool) error {
		_, err := t.UpdateCPG(ctx, scopeOf(c), id, store.CPGPatch{Active: active})
		return err
	})
}
