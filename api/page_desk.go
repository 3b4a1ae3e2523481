package api

import (
	"context"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// The same pages serve brand teams, Qoa's people and tenderos, each at an address
// of their own: what one sees there, the caller's scope decides.

// deskRoot is where the desk of the page begins: /marca, /admin or /tienda.
func deskRoot(c *fiber.Ctx) string {
	root, _, _ := strings.Cut(strings.TrimPrefix(c.Path(), "/"), "/")
	return "/" + root
}

// desk is the frame of a page, with where one can go from there.
func (s *server) desk(ctx context.Context, c *fiber.Ctx, t *store.Tx) (templates.DeskView, error) {
	root, scope := deskRoot(c), scopeOf(c)
	v := templates.DeskView{User: sessionOf(c).Name, HomeURL: root, LogoutAction: root + "/logout"}
	if scope.Staff != "" {
		v.AccountURL = root + "/cuenta"
		if root != "/admin" {
			v.AccountURL = "/marca/cuenta"
		}
	}
	switch root {
	case "/admin":
		v.Place, v.Menu = "Operación", backofficeMenu(c.Path())
	case "/tienda":
		v.Place = "Mi tienda"
	default:
		v.Place = "Todas las marcas"
		if scope.CPG != "" {
			cpg, err := t.CPG(ctx, scope, scope.CPG)
			if err != nil {
				return v, err
			}
			v.Place = cpg.Name
		}
	}
	v.Links = deskLinks(root, c.Path())
	return v, nil
}

// deskLinks are the pages of a desk of few; path is the one shown.
func deskLinks(root, path string) []templates.DeskLink {
	return links(root, path, map[string][][2]string{
		"/marca":  {{"Resultados", ""}, {"Campañas", "/campanas"}, {"Pedidos", "/pedidos"}, {"Segmentos", "/segmentos"}},
		"/tienda": {{"Vender", ""}, {"Ventas de hoy", "/ventas"}, {"Mis campañas", "/campanas"}, {"Segmentos", "/segmentos"}, {"Marcas", "/invitaciones"}},
	}[root])
}

// typed is the form that a browser sent, fit for the database.
func typed(c *fiber.Ctx) url.Values {
	values := url.Values{}
	c.Request().PostArgs().VisitAll(func(k, v []byte) { values.Add(tidy(string(k)), tidy(string(v))) })
	return values
}

// refused says whether a failure is one to be explained on the page, and what it
// is; others are for the error page.
func refused(err error) (problem, bool) {
	p := problemOf(err)
	switch p.Code { //nolint:exhaustive // of somebody else, or not there: no page of the caller's is left to show
	case loyalty.CodeCampaignNotFound, loyalty.CodeForbidden, loyalty.CodeUnauthorized, loyalty.CodeInternal:
		return p, false
	}
	return p, p.Status >= 400 && p.Status < 500
}
