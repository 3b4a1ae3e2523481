package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

const (
	outboxURL      = "/admin/mensajes"
	lettersPerPage = 30
	parked         = "parked" // the filter that shows messages of people
)

// outboxFilters are what the page can show, in its order.
var outboxFilters = []struct{ name, status string }{
	{"Todos", ""}, {"En fila", "queued"}, {"Enviados", "sent"}, {"Entregados", "delivered"}, {"Leídos", "read"},
	{"Fallidos", "failed"}, {"Ya no salen", "dropped"}, {"Recibidos apartados", parked},
}

func (s *server) outboxPage(c *fiber.Ctx) error {
	return s.drawOutbox(c, http.StatusOK, func(v *templates.OutboxView) {
		switch c.Query("hecho") {
		case "reenvio":
			v.Flash = "Listo: el mensaje vuelve a la fila y sale enseguida."
		case "reintento":
			v.Flash = "Listo: el mensaje vuelve a la conversación y se contesta enseguida."
		case "reenvios":
			if n, err := strconv.Atoi(c.Query("cuantos")); err == nil {
				v.Flash = "Listo: " + countWords(int64(n), "mensaje vuelve a la fila.", "mensajes vuelven a la fila.")
			}
		}
	})
}

// outboxDesk is what the page of messages is drawn from.
type outboxDesk struct {
	backlog store.Backlog
	today   map[store.OutboxStatus]int64
	letters []store.Letter
	parked  []store.ParkedMessage
	reasons []store.FailedReason
	numbers []templates.FormOption
	next    loyalty.ID
	now     time.Time
}

func (s *server) drawOutbox(c *fiber.Ctx, status int, add func(*templates.OutboxView)) error {
	after, err := queryID(c, "cursor")
	if err != nil {
		return err
	}
	state := c.Query("estado")
	f := store.LetterFilter{}
	if state != parked {
		if f, err = letterFilter(c, "estado"); err != nil {
			return err
		}
	}
	a := askedOf(c)
	f.Number, f.Template, f.Problem = a.id("numero"), a.text("plantilla"), a.text("causa")
	v := templates.OutboxView{Inbox: state == parked, Action: outboxURL, Filtered: a.any}
	scope, p := scopeOf(c), store.Page{After: after, Limit: lettersPerPage}
	d, err := tx(s, c, func(ctx context.Context, t *store.Tx) (d outboxDesk, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return d, err
		}
		d.now = t.Now()
		if d.backlog, err = t.Backlog(ctx); err != nil {
			return d, err
		}
		if d.today, err = t.LettersSince(ctx, midnight(d.now, "")); err != nil {
			return d, err
		}
		if f.Status == store.OutboxFailed {
			if d.reasons, err = t.FailedReasons(ctx, scope); err != nil {
				return d, err
			}
		}
		if d.numbers, err = numberOptions(ctx, t, scope); err != nil {
			return d, err
		}
		if v.Inbox {
			d.parked, d.next, err = t.ParkedMessages(ctx, scope, p)
		} else {
			d.letters, d.next, err = t.Letters(ctx, scope, f, p)
		}
		return d, err
	})
	if err != nil {
		return err
	}
	v.Counts = outboxCounts(d)
	if !v.Inbox {
		v.Sieve = s.outboxSieve(&f, state, d.numbers)
	}
	for _, r := range d.reasons {
		v.Reasons = append(v.Reasons, templates.OutboxReason{
			Problem: r.Problem, Count: r.Count, Latest: r.Latest.In(loyalty.Zone("")), Action: outboxURL + "/reenvios",
			URL: outboxURL + "?" + url.Values{"estado": {string(store.OutboxFailed)}, "causa": {r.Problem}}.Encode(),
		})
	}
	for _, o := range outboxFilters {
		v.Filters = append(v.Filters, templates.OutboxFilter{Name: o.name, URL: outboxPageURL(o.status, ""), Here: o.status == state})
	}
	for i := range d.letters {
		v.Letters = append(v.Letters, letterLine(&d.letters[i], d.now))
	}
	for _, m := range d.parked {
		v.Parked = append(v.Parked, templates.OutboxParked{
			What: kindWords(m.Kind), From: ellipsis(m.From), At: m.ReceivedAt.In(loyalty.Zone("")), Attempts: m.Attempts, Problem: m.Problem,
			AgainAction: outboxURL + "/recibidos/" + string(m.ID) + "/reintento",
		})
	}
	if d.next != "" {
		v.NextURL = outboxWith(a, state, d.next)
	}
	if after != "" {
		v.FirstURL = outboxWith(a, state, "")
	}
	add(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Outbox(w, v) })
}

func outboxCounts(d outboxDesk) []templates.AdminCount {
	read := d.today[store.OutboxRead]
	delivered := d.today[store.OutboxDelivered] + read
	return []templates.AdminCount{
		{Label: "por salir ahora", Value: d.backlog.Outbox}, {Label: "enviados hoy", Value: d.today[store.OutboxSent] + delivered},
		{Label: "entregados hoy", Value: delivered}, {Label: "leídos hoy", Value: read},
		{Label: "fallidos", Value: d.backlog.Failed}, {Label: "recibidos apartados", Value: d.backlog.Parked},
	}
}

// numberOptions are the numbers of ours, to choose one.
func numberOptions(ctx context.Context, t *store.Tx, scope loyalty.Scope) ([]templates.FormOption, error) {
	all, _, err := t.Numbers(ctx, scope, store.Page{Limit: mostNumbers})
	return mapped(all, func(n store.Number) templates.FormOption {
		return templates.FormOption{Value: string(n.ID), Label: n.Label}
	}), err
}

// outboxSieve is the form that narrows the list.
func (s *server) outboxSieve(f *store.LetterFilter, state string, numbers []templates.FormOption) []templates.FormField {
	var texts []templates.FormOption
	for _, key := range s.Texts.Keys() {
		texts = append(texts, templates.FormOption{Value: key, Label: key})
	}
	form := forms.New(nil)
	sift := forms.NewSift(form)
	form.Hidden("estado", state)
	number := string(f.Number)
	sift.Of("plantilla", "Texto", "Cualquiera", &f.Template, texts)
	if len(numbers) > 0 {
		sift.Of("numero", "Por cuál número", "Cualquiera", &number, numbers)
	}
	if f.Problem != "" {
		sift.Text("causa", "Causa", &f.Problem)
	}
	return sift.Fields()
}

// outboxWith is the address of the list as it is asked for, from a place on.
func outboxWith(a *asked, state string, cursor loyalty.ID) string {
	if state != "" {
		a.Set("estado", state)
	}
	return a.at(outboxURL, cursor)
}

func outboxPageURL(status string, cursor loyalty.ID) string {
	q := url.Values{}
	if status != "" {
		q.Set("estado", status)
	}
	if cursor != "" {
		q.Set("cursor", string(cursor))
	}
	if len(q) == 0 {
		return outboxURL
	}
	return outboxURL + "?" + q.Encode()
}

func letterLine(l *store.Letter, now time.Time) templates.OutboxLetter {
	line := templates.OutboxLetter{
		What: laneWords(l.Lane), Template: l.Template, To: ellipsis(l.To), Number: l.NumberLabel, Status: outboxWords(l.Status),
		Steps: letterSteps(l), Attempts: l.Attempts, Problem: l.Problem,
	}
	switch l.Status { //nolint:exhaustive // of the others nothing is to be done
	case store.OutboxQueued:
		if l.DueAt.After(now) {
			line.DueAt = l.DueAt.In(loyalty.Zone(""))
		}
	case store.OutboxFailed:
		line.AgainAction = outboxURL + "/" + string(l.ID) + "/reenvio"
	}
	return line
}

// letterSteps is the way of a message, as far as it came: what is read was
// delivered, also where nobody told us when.
func letterSteps(l *store.Letter) []templates.OutboxStep {
	came := map[store.OutboxStatus]int{store.OutboxSent: 1, store.OutboxDelivered: 2, store.OutboxRead: 3}[l.Status]
	steps := []templates.OutboxStep{{Word: "en fila", At: l.CreatedAt.In(loyalty.Zone("")), Done: true}}
	for i, step := range []struct {
		word string
		at   *time.Time
	}{{"enviado", l.SentAt}, {"entregado", l.DeliveredAt}, {"leído", l.ReadAt}} {
		one := templates.OutboxStep{Word: step.word, Done: came > i}
		if one.Done && step.at != nil {
			one.At = step.at.In(loyalty.Zone(""))
		}
		steps = append(steps, one)
	}
	return steps
}

func outboxWords(status store.OutboxStatus) templates.OutboxStatus {
	switch status {
	case store.OutboxQueued:
		return templates.OutboxStatus{Word: "en fila", Tone: "degraded"}
	case store.OutboxSent:
		return templates.OutboxStatus{Word: "enviado"}
	case store.OutboxDelivered:
		return templates.OutboxStatus{Word: "entregado", Tone: "ok"}
	case store.OutboxRead:
		return templates.OutboxStatus{Word: "leído", Tone: "ok"}
	case store.OutboxFailed:
		return templates.OutboxStatus{Word: "falló", Tone: "down"}
	case store.OutboxDropped:
		return templates.OutboxStatus{Word: "ya no sale"}
	}
	return templates.OutboxStatus{Word: string(status)}
}

func laneWords(lane store.Lane) string {
	switch lane {
	case store.LaneReply:
		return "Respuesta"
	case store.LaneReceipt:
		return "Recibo"
	case store.LaneService:
		return "Aviso"
	case store.LanePromotion:
		return "Promoción"
	}
	return string(lane)
}

// kindWords calls a kind of message what people call it.
func kindWords(kind string) string {
	switch kind {
	case "text":
		return "Texto"
	case "image":
		return "Imagen"
	case "audio":
		return "Audio"
	case "video":
		return "Video"
	case "sticker":
		return "Sticker"
	case "document":
		return "Documento"
	case "location":
		return "Ubicación"
	case "contact":
		return "Contacto"
	case "poll", "poll_vote":
		return "Encuesta"
	case "reaction":
		return "Reacción"
	}
	return "Mensaje"
}

// ellipsis shows the last digits of a phone as such.
func ellipsis(digits string) string {
	if digits == "" {
		return ""
	}
	return "…" + digits
}

// redriveAllForm sends all dead letters of one reason again, some in each
// transaction.
func (s *server) redriveAllForm(c *fiber.Ctx) error {
	problem, all := formText(c, "problem"), 0
	before := s.DB.Now()
	for {
		n, err := tx(s, c, func(ctx context.Context, t *store.Tx) (int, error) {
			return t.RedriveAll(ctx, scopeOf(c), problem, before)
		})
		if err != nil {
			return err
		}
		if all += n; n == 0 {
			break
		}
	}
	return c.Redirect(outboxPageURL(string(store.OutboxFailed), "")+"&hecho=reenvios&cuantos="+strconv.Itoa(all), http.StatusSeeOther)
}

func (s *server) redriveOutboxForm(c *fiber.Ctx) error {
	return s.againForm(c, string(store.OutboxFailed), "reenvio", (*store.Tx).Redrive)
}

func (s *server) redriveInboxForm(c *fiber.Ctx) error {
	return s.againForm(c, parked, "reintento", (*store.Tx).RedriveInbox)
}

func (s *server) againForm(c *fiber.Ctx, state, done string, redrive func(*store.Tx, context.Context, loyalty.Scope, loyalty.ID) error) error {
	_, err := s.redriven(c, redrive)
	if p, ok := refused(err); err != nil && ok { // a double tap among others
		return s.drawOutbox(c, p.Status, func(v *templates.OutboxView) { v.Error = words(p) })
	}
	if err != nil {
		return err
	}
	if back := backTo(c, ""); back != "" {
		return c.Redirect(back+"?hecho="+done, http.StatusSeeOther)
	}
	return c.Redirect(outboxPageURL(state, "")+"&hecho="+done, http.StatusSeeOther)
}
