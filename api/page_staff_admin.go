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

const staffURL = "/admin/usuarios"

func (s *server) staffPage(c *fiber.Ctx) error {
	flash := map[string]string{
		"sesiones": "Listo: se cerraron todas sus sesiones.", "desactivado": "Listo: ya no puede entrar.", "reactivado": "Listo: puede entrar otra vez.",
		"nombre": "Listo: el nombre quedó guardado.",
	}[c.Query("hecho")]
	return s.drawStaff(c, http.StatusOK, func(v *templates.BoardView) { v.Flash = flash })
}

func (s *server) staffRefused(c *fiber.Ctx, status int, why string) error {
	return s.drawStaff(c, status, func(v *templates.BoardView) { v.Error = why })
}

func (s *server) drawStaff(c *fiber.Ctx, status int, add func(*templates.BoardView)) error {
	a := askedOf(c)
	v := templates.BoardView{
		Title: "Usuarios", Intro: "Quien entra con correo y contraseña: el equipo de Qoa y los de las marcas.",
		NewURL: staffURL + "/nuevo", NewLabel: "Nuevo usuario", Action: staffURL,
	}
	f := store.StaffFilter{Text: a.text("buscar"), Role: loyalty.Role(a.text("rol"))}
	var state string
	state, f.Active = a.active()
	sift := forms.NewSift(forms.New(nil))
	role := string(f.Role)
	sift.Text("buscar", "Nombre o correo", &f.Text)
	sift.Of("rol", "Rol", "Todos", &role, forms.Roles)
	stateChoice(sift, &state, masculine)
	v.Filters = sift.Fields()
	add(&v)
	return s.board(c, status, a, &v, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		all, next, err := t.StaffLines(ctx, scopeOf(c), f, p)
		part := templates.BoardPart{Empty: "Nadie coincide con lo que buscas."}
		for i := range all {
			part.Rows = append(part.Rows, staffRow(&all[i], scopeOf(c).Staff))
		}
		v.Parts = []templates.BoardPart{part}
		return next, err
	})
}

// staffRow is a staff member; self is who looks.
func staffRow(m *store.StaffLine, self loyalty.ID) templates.BoardRow {
	row := templates.BoardRow{Name: m.Name, Sub: m.Email, State: templates.OutboxStatus{Word: "activo", Tone: "ok"}}
	role := roleWords(m.Role)
	if m.CPGName != "" {
		role += " de " + m.CPGName
	}
	row.Facts = append(row.Facts, templates.BoardFact{Name: "Rol", Text: role})
	if m.LastIn != nil {
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Entró por última vez", At: m.LastIn.In(loyalty.Zone(""))})
	}
	if m.Sessions > 0 {
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Abiertas", Text: countWords(int64(m.Sessions), "sesión", "sesiones")})
	}
	at := staffURL + "/" + string(m.ID)
	row.Rename = at + "/nombre"
	act := func(label, where string, danger bool, fields ...templates.ConfirmField) {
		row.Acts = append(row.Acts, templates.BoardAct{Label: label, About: m.Name, Action: at + where, Danger: danger, Fields: fields})
	}
	switch {
	case !m.Active:
		row.State = templates.OutboxStatus{Word: "desactivado"}
		act("Reactivar", "/estado", false, templates.ConfirmField{Name: "active", Value: "1"})
		return row
	case m.Invited:
		row.State = templates.OutboxStatus{Word: "sin contraseña todavía", Tone: "degraded"}
	}
	if m.ID == self {
		row.Sub += " · eres tú"
		return row
	}
	if m.Invited {
		act("Nuevo enlace", "/enlace", false)
	} else {
		act("Restablecer contraseña", "/enlace", false)
	}
	if m.Sessions > 0 {
		act("Cerrar sus sesiones", "/sesiones", false)
	}
	act("Desactivar", "/estado", true, templates.ConfirmField{Name: "active", Value: "0"})
	return row
}

func roleWords(role loyalty.Role) string {
	if role == loyalty.RoleAdmin {
		return "Administrador"
	}
	return "Equipo de marca"
}

func (s *server) newStaffPage(c *fiber.Ctx) error    { return s.staffForm(c, nil) }
func (s *server) createStaffForm(c *fiber.Ctx) error { return s.staffForm(c, typed(c)) }

func (s *server) staffForm(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{
		Title: "Nuevo usuario", Intro: "No hace falta una contraseña: al guardar te damos un enlace, y con él la elige quien lo reciba.",
		Back: staffURL, Action: staffURL, Submit: "Crear y ver el enlace",
	}
	var made store.Staff
	secret, err := tx(s, c, func(ctx context.Context, t *store.Tx) (secret string, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return "", err
		}
		cpgs, _, err := everyCPG(ctx, t, scopeOf(c), store.CPGFilter{Active: only()})
		if err != nil {
			return "", err
		}
		in, f := store.StaffInput{Role: loyalty.RoleCPG}, forms.New(fields)
		f.Staff(&in, cpgs)
		v.Sections = f.Sections
		if fields == nil || f.Err() != nil {
			return "", f.Err()
		}
		made, secret, err = t.InviteStaff(ctx, scopeOf(c), in)
		return secret, err
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.drawForm(c, v)
	}
	return s.showPasswordLink(c, http.StatusCreated, made, secret)
}

// showPasswordLink shows the link this once: it is stored nowhere.
func (s *server) showPasswordLink(c *fiber.Ctx, status int, m store.Staff, secret string) error {
	return s.drawStaff(c, status, func(v *templates.BoardView) {
		v.Secret = &templates.BoardSecret{
			Title: "Enlace para " + m.Name, Text: s.DB.PublicURL() + passwordURL(secret),
			Body: "Mándaselo por un medio que solo " + m.Name + " lea. Sirve una vez, durante 48 horas. No lo guardamos: si se pierde, pide otro.",
		}
	})
}

// resetStaffForm takes the password away, asked once more, and shows the link to
// another.
func (s *server) resetStaffForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	var m store.Staff
	secret, err := tx(s, c, func(ctx context.Context, t *store.Tx) (secret string, err error) {
		m, secret, err = t.ResetPassword(ctx, scopeOf(c), id)
		return secret, err
	})
	if p, ok := refused(err); err != nil && ok && p.Status != http.StatusNotFound {
		return s.staffRefused(c, p.Status, words(p))
	}
	if err != nil {
		return err
	}
	return s.showPasswordLink(c, http.StatusOK, m, secret)
}

func (s *server) endSessionsForm(c *fiber.Ctx) error {
	return s.act(c, staffURL+"?hecho=sesiones", s.staffRefused, func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		_, err := t.EndSessions(ctx, scopeOf(c), id)
		return err
	})
}

func (s *server) renameStaffPage(c *fiber.Ctx) error { return s.renameStaff(c, nil) }
func (s *server) renameStaffForm(c *fiber.Ctx) error { return s.renameStaff(c, typed(c)) }

func (s *server) renameStaff(c *fiber.Ctx, fields url.Values) error {
	return s.renameForm(c, staffURL, fields, func(ctx context.Context, t *store.Tx, id loyalty.ID) (string, error) {
		m, err := t.StaffMember(ctx, scopeOf(c), id)
		return m.Name, err
	}, func(ctx context.Context, t *store.Tx, id loyalty.ID, name *string) error {
		_, err := t.UpdateStaff(ctx, scopeOf(c), id, store.StaffPatch{Name: name})
		return err
	})
}

func (s *server) switchStaffForm(c *fiber.Ctx) error {
	return s.switchPerson(c, staffURL, s.staffRefused, func(ctx context.Context, t *store.Tx, id loyalty.ID, active *bool) error {
		_, err := t.UpdateStaff(ctx, scopeOf(c), id, store.StaffPatch{Active: active})
		return err
	})
}
