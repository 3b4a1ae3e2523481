package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

const (
	tenderosURL     = "/admin/tenderos"
	tenderosPerPage = mostLimit // on the page of their shop
)

func (s *server) tenderosPage(c *fiber.Ctx) error {
	flash := map[string]string{
		"invitado": "Listo: el bot le manda la invitación por WhatsApp, de día.", "desactivado": "Listo: ya no puede registrar ventas.",
		"reactivado": "Listo: puede registrar ventas otra vez.", "nombre": "Listo: el nombre quedó guardado.",
	}[c.Query("hecho")]
	return s.drawTenderos(c, http.StatusOK, "", func(v *templates.BoardView) { v.Flash = flash })
}

// findTenderosForm looks for a shop's tenderos or for one. It is a POST since part
// of a phone has no place in an address.
func (s *server) findTenderosForm(c *fiber.Ctx) error {
	return s.drawTenderos(c, http.StatusOK, formText(c, "buscar"), func(*templates.BoardView) {})
}

func (s *server) tenderoRefused(c *fiber.Ctx, status int, why string) error {
	return s.drawTenderos(c, status, "", func(v *templates.BoardView) { v.Error = why })
}

func (s *server) drawTenderos(c *fiber.Ctx, status int, wanted string, add func(*templates.BoardView)) error {
	a := askedOf(c)
	v := templates.BoardView{
		Title: "Tenderos", Intro: "Quien atiende una tienda. Entra desde su WhatsApp, sin contraseña.",
		NewURL: tenderosURL + "/nuevo", NewLabel: "Invitar tendero", Action: tenderosURL + "/buscar", List: tenderosURL, Post: true,
	}
	f := store.TenderoSearch{Text: wanted, Shop: a.id("tienda")}
	sift := forms.NewSift(forms.New(nil))
	sift.Text("buscar", "Tienda, su código, o últimos dígitos del teléfono", &wanted)
	v.Filters = sift.Fields()
	add(&v)
	return s.board(c, status, a, &v, func(ctx context.Context, t *store.Tx, p store.Page) (loyalty.ID, error) {
		all, next, err := t.TenderoLines(ctx, scopeOf(c), f, p)
		part := templates.BoardPart{Empty: "No hay tenderos así."}
		for i := range all {
			part.Rows = append(part.Rows, tenderoRow(&all[i]))
		}
		if wanted != "" && next != "" { // what is looked for by a POST has no next page
			part.Intro, next = "Hay más de los que se muestran: busca con más detalle.", ""
		}
		v.Parts = []templates.BoardPart{part}
		return next, err
	})
}

func tenderoRow(m *store.TenderoLine) templates.BoardRow {
	zone := loyalty.Zone(m.Zone)
	row := templates.BoardRow{
		Name: cmp.Or(m.Name, "Sin nombre"), URL: chatsURL + "/" + string(m.Person), Sub: m.ShopName + ", " + m.City + " · " + m.ShopCode,
		State: templates.OutboxStatus{Word: "activo", Tone: "ok"},
	}
	row.Facts = append(row.Facts, templates.BoardFact{Name: "Teléfono", Text: cmp.Or(ellipsis(m.Digits), "borrado")})
	switch {
	case m.Wrote != nil:
		row.Facts = append(row.Facts, templates.BoardFact{Name: "Escribió por última vez", At: m.Wrote.In(zone)})
	default:
		row.State = templates.OutboxStatus{Word: "todavía no escribe", Tone: "degraded"}
	}
	if m.OptedOut != nil {
		row.State = templates.OutboxStatus{Word: "pidió su BAJA", Tone: "degraded"}
	}
	if m.InvitedAt != nil {
		row.Facts = append(row.Facts, templates.BoardFact{Name: map[string]string{"bot": "Lo invitó el bot", "hand": "Invitado a mano"}[m.InvitedBy], At: m.InvitedAt.In(zone)})
	}
	at, about := tenderosURL+"/"+string(m.ID), row.Name+", "+m.ShopName
	if m.Digits != "" {
		row.Rename = at + "/nombre"
	}
	if !m.Active {
		row.State = templates.OutboxStatus{Word: "desactivado"}
		row.Acts = []templates.BoardAct{{Label: "Reactivar", About: about, Action: at + "/estado", Fields: []templates.ConfirmField{{Name: "active", Value: "1"}}}}
		return row
	}
	invite := "Invitar"
	if m.InvitedAt != nil {
		invite = "Invitar otra vez"
	}
	row.Acts = []templates.BoardAct{
		{Label: invite, About: about, Action: at + "/invitacion"},
		{Label: "Desactivar", About: about, Action: at + "/estado", Danger: true, Fields: []templates.ConfirmField{{Name: "active", Value: "0"}}},
	}
	return row
}

func (s *server) newTenderoPage(c *fiber.Ctx) error    { return s.tenderoForm(c, nil) }
func (s *server) createTenderoForm(c *fiber.Ctx) error { return s.tenderoForm(c, typed(c)) }

func (s *server) tenderoForm(c *fiber.Ctx, fields url.Values) error {
	v := templates.FormView{
		Title: "Invitar tendero", Intro: "Si ya le ha escrito al bot, la invitación le llega sola por WhatsApp. Si no, te damos el mensaje para mandárselo.",
		Back: tenderosURL, Action: tenderosURL, Submit: "Guardar e invitar",
	}
	made, err := tx(s, c, func(ctx context.Context, t *store.Tx) (loyalty.ID, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return "", err
		}
		in, code, f := store.TenderoInput{}, queryText(c, "tienda"), forms.New(fields)
		f.Tendero(&in, &code)
		v.Sections = f.Sections
		if fields == nil || f.Err() != nil {
			return "", f.Err()
		}
		shop, err := t.ShopByCode(ctx, code)
		switch loyalty.CodeOf(err) {
		case loyalty.CodeShopNotFound:
			return "", loyalty.Invalid("shop_id", "no hay una tienda con ese código")
		case loyalty.CodeShopInactive:
			return "", loyalty.Invalid("shop_id", "esa tienda ya no participa")
		case "":
		default:
			return "", err
		}
		in.Shop = shop.ID
		m, err := t.CreateTendero(ctx, scopeOf(c), in)
		return m.ID, err
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case fields == nil:
		return s.drawForm(c, v)
	}
	return s.invite(c, made)
}

func (s *server) inviteTenderoForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	return s.invite(c, id)
}

// invite lets the bot invite, or shows who looks how to do it by hand.
func (s *server) invite(c *fiber.Ctx, id loyalty.ID) error {
	var phone loyalty.Phone
	byBot := false
	m, err := tx(s, c, func(ctx context.Context, t *store.Tx) (m store.TenderoLine, err error) {
		m, byBot, err = t.InviteTendero(ctx, scopeOf(c), id, s.Sim || s.botNumber() != "")
		if err != nil || byBot {
			return m, err
		}
		v, err := t.Tendero(ctx, scopeOf(c), id)
		phone = v.Phone
		return m, err
	})
	if p, ok := refused(err); err != nil && ok && p.Status != http.StatusNotFound {
		return s.tenderoRefused(c, p.Status, words(p))
	}
	if err != nil {
		return err
	}
	if byBot {
		return c.Redirect(tenderosURL+"?hecho=invitado", http.StatusSeeOther)
	}
	secret, err := s.inviteByHand(&m, phone)
	if err != nil {
		return err
	}
	return s.drawTenderos(c, http.StatusOK, "", func(v *templates.BoardView) { v.Secret = secret })
}

// inviteByHand is an invitation for an admin to send: the bot writes first to
// nobody who never wrote to it. The QR leads who stands beside to the chat.
func (s *server) inviteByHand(m *store.TenderoLine, phone loyalty.Phone) (*templates.BoardSecret, error) {
	chat := s.chatURL("Hola, atiendo " + m.ShopName)
	if chat == pausedURL {
		return &templates.BoardSecret{
			Title: "Falta un número de WhatsApp", Body: m.Name + " ya quedó guardado. Cuando haya un número del bot conectado, vuelve aquí y toca «Invitar».",
		}, nil
	}
	if s.Sim {
		chat = s.DB.PublicURL() + chat
	}
	qr, err := s.qr.SVG(chat)
	if err != nil {
		return nil, err
	}
	text := "¡Hola, " + m.Name + "! " + m.ShopName + " ya está en Qoa. Escríbele al bot para empezar a registrar compras: " + chat
	return &templates.BoardSecret{
		Title: "Invita a " + m.Name, QR: qr, URL: waURL(string(phone), text), Label: "Mandarle la invitación por WhatsApp",
		Body: "Todavía no le ha escrito al bot, y el bot no le escribe primero a nadie. Mándale tú la invitación, o que escanee este código con su teléfono.",
	}, nil
}

func (s *server) renameTenderoPage(c *fiber.Ctx) error { return s.renameTendero(c, nil) }
func (s *server) renameTenderoForm(c *fiber.Ctx) error { return s.renameTendero(c, typed(c)) }

func (s *server) renameTendero(c *fiber.Ctx, fields url.Values) error {
	return s.renameForm(c, tenderosURL, fields, func(ctx context.Context, t *store.Tx, id loyalty.ID) (string, error) {
		m, err := t.Tendero(ctx, scopeOf(c), id)
		return m.Name, err
	}, func(ctx context.Context, t *store.Tx, id loyalty.ID, name *string) error {
		_, err := t.UpdateTendero(ctx, scopeOf(c), id, store.TenderoPatch{Name: name})
		return err
	})
}

func (s *server) switchTenderoForm(c *fiber.Ctx) error {
	return s.switchPerson(c, tenderosURL, s.tenderoRefused, func(ctx context.Context, t *store.Tx, id loyalty.ID, active *bool) error {
		_, err := t.UpdateTendero(ctx, scopeOf(c), id, store.TenderoPatch{Active: active})
		return err
	})
}
