package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Brands and admins enter by one form, at two addresses.

func (s *server) brandLoginForm(c *fiber.Ctx) error { return s.loginForm(c, "/marca/login") }
func (s *server) adminLoginForm(c *fiber.Ctx) error { return s.loginForm(c, "/admin/login") }
func (s *server) brandLogin(c *fiber.Ctx) error     { return s.pageLogin(c, "/marca/login") }
func (s *server) adminLogin(c *fiber.Ctx) error     { return s.pageLogin(c, "/admin/login") }
func (s *server) brandLogout(c *fiber.Ctx) error    { return s.staffLogout(c, "/marca/login") }
func (s *server) adminLogout(c *fiber.Ctx) error    { return s.staffLogout(c, "/admin/login") }

func (s *server) loginForm(c *fiber.Ctx, action string) error {
	return s.drawLogin(c, http.StatusOK, templates.LoginView{Action: action, Next: queryText(c, "next")})
}

func (s *server) drawLogin(c *fiber.Ctx, status int, v templates.LoginView) error {
	if s.Dev {
		v.Hint = "De prueba: marca1@demo.qoa, marca2@demo.qoa o admin@demo.qoa, con " + demoPassword
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Login(w, v) })
}

func (s *server) pageLogin(c *fiber.Ctx, action string) error {
	email, next := formText(c, "email"), formText(c, "next")
	staff, err := s.passwordLogin(c, email, c.FormValue("password"))
	if err != nil {
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError {
			return err
		}
		return s.drawLogin(c, p.Status, templates.LoginView{Action: action, Next: next, Email: email, Error: p.Detail})
	}
	token, err := tx(s, c, func(ctx context.Context, t *store.Tx) (string, error) { return t.IssuePageSession(ctx, staff.Scope()) })
	if err != nil {
		return err
	}
	s.openSession(c, token, store.StaffPageLife)
	return c.Redirect(landing(staff.Role, next), http.StatusSeeOther)
}

// landing is where a login leads: the page that was asked for, if it is ours
// and this role's, else the role's own.
func landing(role loyalty.Role, next string) string {
	u, err := url.Parse(next)
	ours := err == nil && u.Scheme == "" && u.Host == "" && !strings.HasPrefix(next, "//") && !strings.Contains(next, "\\")
	switch {
	case ours && (under(u.Path, "/marca") || under(u.Path, "/admin") && role == loyalty.RoleAdmin):
		return next
	case role == loyalty.RoleAdmin:
		return "/admin"
	}
	return "/marca"
}

// under says whether an address is a desk's, or one of its pages.
func under(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/") && !strings.Contains(path, "..")
}

func (s *server) staffLogout(c *fiber.Ctx, to string) error {
	if err := s.closeSession(c); err != nil {
		return err
	}
	return c.Redirect(to, http.StatusSeeOther)
}

// staffSessionOver leads who has no session to the login, and back.
func (s *server) staffSessionOver(c *fiber.Ctx, r Route) error {
	login := "/marca/login"
	if strings.HasPrefix(r.Path, "/admin") {
		login = "/admin/login"
	}
	if c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead {
		return c.Redirect(login+"?next="+url.QueryEscape(c.OriginalURL()), http.StatusSeeOther)
	}
	return s.notice(c, http.StatusUnauthorized, templates.SessionExpired(login))
}
