package api

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// passwordURL is the link by which staff choose a password.
func passwordURL(secret string) string { return "/clave/" + secret }

// passwordLimits are those of one look at a link: nobody guesses one, and trying
// costs us a query.
func passwordLimits(address string) []limit {
	return []limit{{"password:address:" + hashed(address), 40, time.Minute}}
}

func (s *server) choosePasswordPage(c *fiber.Ctx) error { return s.choosePassword(c, false) }
func (s *server) choosePasswordForm(c *fiber.Ctx) error { return s.choosePassword(c, true) }

// choosePassword asks who holds a link for a password, and lets in who chose one.
func (s *server) choosePassword(c *fiber.Ctx, chosen bool) error {
	c.Set("X-Robots-Tag", "noindex, nofollow")
	if err := s.throttle(c, passwordLimits(s.callerNet(c))); err != nil {
		return err
	}
	secret, password, again := c.Params("secret"), c.FormValue("password"), c.FormValue("again")
	v := templates.PasswordView{Title: "Elige tu contraseña", Action: passwordURL(secret), Submit: "Guardar y entrar"}
	staff, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Staff, error) { return t.PasswordLink(ctx, secret) })
	if loyalty.CodeOf(err) == loyalty.CodeUnauthorized {
		return s.notice(c, http.StatusNotFound, templates.NoticeView{
			Title: "Ese enlace ya no sirve", Body: "Se usa una sola vez y dura 48 horas. Pide otro a quien te lo mandó.", Action: "Ir a la entrada", URL: "/marca/login",
		})
	}
	if err != nil {
		return err
	}
	v.Intro = "Hola, " + staff.Name + ". Entras con " + staff.Email + " y la contraseña que elijas aquí."
	if !chosen {
		return s.drawPassword(c, http.StatusOK, v)
	}
	if password != again {
		v.Again = "No es la misma que escribiste arriba."
		return s.drawPassword(c, http.StatusBadRequest, v)
	}
	token, err := tx(s, c, func(ctx context.Context, t *store.Tx) (string, error) {
		if staff, err = t.ChoosePassword(ctx, secret, password); err != nil {
			return "", err
		}
		return t.IssuePageSession(ctx, staff.Scope())
	})
	if err != nil {
		return s.explainPassword(c, v, err)
	}
	s.openSession(c, token, store.StaffPageLife)
	return c.Redirect(landing(staff.Role, ""), http.StatusSeeOther)
}

func (s *server) accountPage(c *fiber.Ctx) error {
	v, err := s.accountView(c)
	if err != nil {
		return err
	}
	if c.Query("hecho") == "clave" {
		v.Flash = "Listo: tu contraseña cambió y se cerraron tus otras sesiones."
	}
	return s.drawPassword(c, http.StatusOK, v)
}

func (s *server) accountView(c *fiber.Ctx) (v templates.PasswordView, err error) {
	session := sessionOf(c)
	v = templates.PasswordView{Title: "Mi cuenta", Intro: session.Name + ", entras con " + session.Email + ".", Action: c.Path(), Submit: "Cambiar contraseña", AskOld: true}
	v.Desk, err = tx(s, c, func(ctx context.Context, t *store.Tx) (templates.DeskView, error) { return s.desk(ctx, c, t) })
	return v, err
}

// changePasswordForm changes one's own password.
func (s *server) changePasswordForm(c *fiber.Ctx) error {
	v, err := s.accountView(c)
	if err != nil {
		return err
	}
	password := c.FormValue("password")
	if password != c.FormValue("again") {
		v.Again = "No es la misma que escribiste arriba."
		return s.drawPassword(c, http.StatusBadRequest, v)
	}
	session := sessionOf(c)
	if err := s.throttle(c, loginLimits(session.Email, s.callerNet(c))); err != nil {
		return err
	}
	if err := s.DB.ChangePassword(c.UserContext(), scopeOf(c), session.Family, c.FormValue("old"), password); err != nil {
		return s.explainPassword(c, v, err)
	}
	return c.Redirect(c.Path()+"?hecho=clave", http.StatusSeeOther)
}

// explainPassword draws the form again with what is wrong beside the fields, which
// come back empty: no password is shown or sent twice.
func (s *server) explainPassword(c *fiber.Ctx, v templates.PasswordView, err error) error {
	p, ok := refused(err)
	if !ok {
		return err
	}
	for _, f := range p.Errors {
		reason := upperFirst(f.Reason) + "."
		switch f.Field {
		case "old":
			v.Old = reason
		default:
			v.New = strings.TrimSpace(v.New + " " + reason)
		}
	}
	if v.Old+v.New == "" {
		v.New = p.Detail
	}
	return s.drawPassword(c, p.Status, v)
}

func (s *server) drawPassword(c *fiber.Ctx, status int, v templates.PasswordView) error {
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Password(w, v) })
}
