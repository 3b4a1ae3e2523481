package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

const (
	numbersURL  = "/admin/whatsapp"
	mostNumbers = 100
)

// numberDesk is what the pages of numbers are drawn from.
type numberDesk struct {
	frame   templates.DeskView
	numbers []numberAt
	days    map[loyalty.ID]store.NumberDay
}

// readNumbers reads one number, or all where id is "".
func (s *server) readNumbers(c *fiber.Ctx, id loyalty.ID) (numberDesk, error) {
	scope := scopeOf(c)
	return tx(s, c, func(ctx context.Context, t *store.Tx) (d numberDesk, err error) {
		if d.frame, err = s.desk(ctx, c, t); err != nil {
			return d, err
		}
		var all []store.Number
		if id == "" {
			all, _, err = t.Numbers(ctx, scope, store.Page{Limit: mostNumbers})
		} else {
			var n store.Number
			n, err = t.Number(ctx, scope, id)
			all = []store.Number{n}
		}
		if err != nil {
			return d, err
		}
		d.numbers = mapped(all, func(n store.Number) numberAt { return numberAt{n, t.Now()} })
		d.days, err = t.NumberDays(ctx, scope, midnight(t.Now(), ""))
		return d, err
	})
}

func (s *server) numberLine(n numberAt, day store.NumberDay) templates.NumberLine {
	line := templates.NumberLine{
		URL: numbersURL + "/" + string(n.ID), Label: n.Label, Words: s.numberWords(n), Scan: n.Scannable(n.now),
		Today: templates.NumberDay{Sent: day.Sent, Delivered: day.Delivered, Failed: day.Failed, Waiting: day.Waiting},
	}
	if n.Phone != nil {
		line.Phone = spacedPhone(*n.Phone)
	}
	if n.AliveAt != nil {
		line.AliveAt, line.Alive = n.AliveAt.In(loyalty.Zone("")), signOfLife(n.now.Sub(*n.AliveAt))
	}
	return line
}

// signOfLife says how long ago something was, more finely while that matters.
func signOfLife(d time.Duration) string {
	switch {
	case d < 20*time.Second: // two round trips may lie so far apart
		return "hace un momento"
	case d < time.Minute:
		return fmt.Sprintf("hace %d s", int(d.Seconds()))
	}
	return age(d)
}

// spacedPhone writes a Mexican phone as people do: +52 55 1234 5678.
func spacedPhone(phone string) string {
	if len(phone) == 13 && phone[:3] == "+52" {
		return phone[:3] + " " + phone[3:5] + " " + phone[5:9] + " " + phone[9:]
	}
	return phone
}

func (s *server) numbersView(c *fiber.Ctx) (templates.NumbersView, error) {
	d, err := s.readNumbers(c, "")
	v := templates.NumbersView{Desk: d.frame, Action: numbersURL, Live: numbersURL + "/vivo"}
	if !s.Numbers {
		v.Closed = s.whyNoNumbers()
	}
	for _, n := range d.numbers {
		v.Numbers = append(v.Numbers, s.numberLine(n, d.days[n.ID]))
	}
	return v, err
}

func (s *server) numbersPage(c *fiber.Ctx) error {
	return s.drawNumbers(c, http.StatusOK, func(v *templates.NumbersView) {
		if c.Query("hecho") == "quitado" {
			v.Flash = "Listo: el número se quitó. Su dispositivo se desvincula del teléfono en unos segundos."
		}
	})
}

func (s *server) drawNumbers(c *fiber.Ctx, status int, add func(*templates.NumbersView)) error {
	v, err := s.numbersView(c)
	if err != nil {
		return err
	}
	add(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Numbers(w, v) })
}

func (s *server) numbersLive(c *fiber.Ctx) error {
	v, err := s.numbersView(c)
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.NumbersLive(w, v) })
}

// addNumberForm begins a pairing and leads to its QR.
func (s *server) addNumberForm(c *fiber.Ctx) error {
	label := formText(c, "label")
	n, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Number, error) {
		if err := s.noNumbers(); err != nil {
			return store.Number{}, err
		}
		return t.CreateNumber(ctx, scopeOf(c), label)
	})
	if p, ok := refused(err); err != nil && ok {
		return s.drawNumbers(c, p.Status, func(v *templates.NumbersView) { v.Error, v.Label = words(p), label })
	}
	if err != nil {
		return err
	}
	return c.Redirect(numbersURL+"/"+string(n.ID), http.StatusSeeOther)
}

// How often the page of a number renews itself, in seconds: what is being paired
// changes while one looks on.
const (
	pairingEvery = 2
	numberEvery  = 5
)

func (s *server) numberView(c *fiber.Ctx) (v templates.NumberView, err error) {
	id, err := pathID(c)
	if err != nil {
		return v, err
	}
	d, err := s.readNumbers(c, id)
	if err != nil {
		return v, err
	}
	n := d.numbers[0]
	line := s.numberLine(n, d.days[n.ID])
	v = templates.NumberView{
		Desk: d.frame, ListURL: numbersURL, Number: line, Live: line.URL + "/vivo", Every: numberEvery,
		RenameAction: line.URL + "/nombre", DeleteAction: line.URL + "/quitar",
	}
	if n.PairedAt != nil {
		v.PairedAt = n.PairedAt.In(loyalty.Zone(""))
	}
	switch n.Again(n.now) {
	case store.NumberPairing:
		v.PairLabel = "Vincular otra vez"
	case store.NumberDisconnected:
		v.PairLabel = "Conectar otra vez"
	}
	if v.PairLabel != "" && s.Numbers {
		v.PairAction = line.URL + "/vincular"
	}
	if n.Status == store.NumberPairing {
		v.Every = pairingEvery
	}
	if n.Scannable(n.now) {
		if v.QR, err = templates.QRSVG(n.QR); err != nil {
			return v, err
		}
		if n.QRUntil != nil {
			v.QRSeconds = int(n.QRUntil.Sub(n.now).Seconds())
		}
		v.QRLife = firstQRLife
		if v.QRSeconds <= laterQRLife {
			v.QRLife = laterQRLife
		}
	}
	return v, nil
}

// For how long WhatsApp takes a QR, in seconds: the first of a pairing, and those
// after it.
const (
	firstQRLife = 60
	laterQRLife = 20
)

func (s *server) numberPage(c *fiber.Ctx) error {
	return s.drawNumber(c, http.StatusOK, func(v *templates.NumberView) {
		switch c.Query("hecho") {
		case "nombre":
			v.Flash = "Listo: cambió el nombre."
		case "vincular":
			v.Flash = "Listo: lo estamos intentando otra vez."
		}
	})
}

func (s *server) drawNumber(c *fiber.Ctx, status int, add func(*templates.NumberView)) error {
	v, err := s.numberView(c)
	if err != nil {
		return err
	}
	add(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Number(w, v) })
}

func (s *server) numberLive(c *fiber.Ctx) error {
	v, err := s.numberView(c)
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.NumberLive(w, v) })
}

func (s *server) renameNumberForm(c *fiber.Ctx) error {
	label := formText(c, "label")
	return s.changeNumber(c, "nombre", func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		_, err := t.UpdateNumber(ctx, scopeOf(c), id, store.NumberPatch{Label: &label})
		return err
	})
}

func (s *server) resumeNumberForm(c *fiber.Ctx) error {
	return s.changeNumber(c, "vincular", func(ctx context.Context, t *store.Tx, id loyalty.ID) error {
		if err := s.noNumbers(); err != nil {
			return err
		}
		_, err := t.ResumeNumber(ctx, scopeOf(c), id)
		return err
	})
}

// changeNumber changes a number and shows it again, with what kept it from that.
func (s *server) changeNumber(c *fiber.Ctx, done string, change func(context.Context, *store.Tx, loyalty.ID) error) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) { return struct{}{}, change(ctx, t, id) })
	if p, ok := refused(err); err != nil && ok && p.Status != http.StatusNotFound {
		return s.drawNumber(c, p.Status, func(v *templates.NumberView) { v.Error = words(p) })
	}
	if err != nil {
		return err
	}
	return c.Redirect(numbersURL+"/"+string(id)+"?hecho="+done, http.StatusSeeOther)
}

// deleteNumberForm asks once more, then gives the number up.
func (s *server) deleteNumberForm(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	if formText(c, "confirmed") == "" {
		d, err := s.readNumbers(c, id)
		if err != nil {
			return err
		}
		v := templates.ConfirmView{
			Desk: d.frame, Title: "¿Quitar «" + d.numbers[0].Label + "»?", Yes: "Sí, quitarlo",
			Body:   "Se desvincula del teléfono y deja de recibir y contestar. Para usarlo de nuevo hay que escanear otro código QR.",
			Action: numbersURL + "/" + string(id) + "/quitar", Back: numbersURL + "/" + string(id),
			Fields: []templates.ConfirmField{{Name: "confirmed", Value: "1"}},
		}
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Confirm(w, v) })
	}
	if _, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		return struct{}{}, t.DeleteNumber(ctx, scopeOf(c), id)
	}); err != nil {
		return err
	}
	return c.Redirect(numbersURL+"?hecho=quitado", http.StatusSeeOther)
}
