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
	healthURL   = "/admin/salud"
	healthEvery = 5 // seconds
)

// dependencyNames call what the system leans on what people call it.
var dependencyNames = map[string]string{postgres: "Postgres", "redis": "Redis", whatsapp: "WhatsApp"}

// healthAdvice says what to do where one of them does not work.
var healthAdvice = map[string]string{
	postgres: "Nada funciona sin la base de datos. Revisa que el servidor esté encendido, que tenga disco y que la dirección y la contraseña sean las de la configuración.",
	"redis":  "Todo sigue, más lento: los mensajes salen por barrido. Revisa que el servidor esté encendido; al volver no hay que hacer nada más.",
	whatsapp: "Nadie recibe respuesta. Abre «Números de WhatsApp»: cada número dice qué le pasa y qué hacer.",
}

func healthWords(state string) string {
	switch state {
	case "ok":
		return "bien"
	case "degraded":
		return "con fallas"
	}
	return "no responde"
}

func (s *server) healthPage(c *fiber.Ctx) error {
	v := healthView()
	return s.board(c, http.StatusOK, askedOf(c), &v, s.fillHealth(c, &v))
}

// healthLive is the part that renews itself.
func (s *server) healthLive(c *fiber.Ctx) error {
	v := healthView()
	fill := s.fillHealth(c, &v)
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (loyalty.ID, error) { return fill(ctx, t, store.Page{}) })
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.BoardLive(w, v) })
}

func healthView() templates.BoardView {
	return templates.BoardView{
		Title: "Salud", Intro: "De qué depende Qoa y cómo está en este momento. La página se renueva sola.", Live: healthURL + "/vivo", Every: healthEvery,
	}
}

func (s *server) fillHealth(c *fiber.Ctx, v *templates.BoardView) func(context.Context, *store.Tx, store.Page) (loyalty.ID, error) {
	health, numbers := s.dependencies(c.UserContext())
	queues := s.queuesPart(c.UserContext())
	inUse, total := s.DB.Stat()
	return func(ctx context.Context, t *store.Tx, _ store.Page) (loyalty.ID, error) {
		a, err := t.Attention(ctx, scopeOf(c))
		if err != nil {
			return "", err
		}
		leans := templates.BoardPart{Title: "De qué depende", Icon: "shield"}
		for _, d := range health {
			row := healthRow(dependencyNames[d.Name], d.State, d.Detail, healthAdvice[d.Name])
			switch d.Name {
			case postgres:
				row.Facts = []templates.BoardFact{
					{Name: "Versión", Text: a.Postgres}, {Name: "Tamaño de la base", Text: bytesWords(a.Size)},
					{Name: "Conexiones de este proceso", Text: fmt.Sprintf("%d de %d en uso", inUse, total)},
				}
			case whatsapp:
				row.URL = numbersURL
			}
			leans.Rows = append(leans.Rows, row)
		}
		for _, n := range numbers {
			row := healthRow("Número "+string(n.ID)[max(0, len(n.ID)-6):], n.State, n.Detail, "")
			row.URL = numbersURL + "/" + string(n.ID)
			if n.AliveAt != nil {
				row.Facts = []templates.BoardFact{{Name: "Última señal", At: n.AliveAt.In(loyalty.Zone(""))}}
			}
			leans.Rows = append(leans.Rows, row)
		}
		v.Parts = []templates.BoardPart{leans, workPart(&a, t.Now()), {
			Title: "Este proceso", Icon: "code", Rows: []templates.BoardRow{{Name: "Qoa " + s.Version, Facts: []templates.BoardFact{{Name: "Hora del servidor", At: t.Now().In(loyalty.Zone(""))}}}},
		}}
		for i := range queues.Rows {
			queues.Rows[i].Acts = nil
		}
		if len(queues.Rows) > 0 {
			v.Parts = append(v.Parts, queues)
		}
		return "", nil
	}
}

func healthRow(name, state, detail, advice string) templates.BoardRow {
	if detail != "" {
		detail = upperFirst(detail)
	}
	row := templates.BoardRow{Name: name, Sub: detail, State: templates.OutboxStatus{Word: healthWords(state), Tone: state}}
	if state != "ok" {
		row.Advice = advice
	}
	return row
}

// mostVerified is how old the last verification may be: it is nightly.
const mostVerified = 36 * time.Hour

// workPart is whether what is to be done gets done.
func workPart(a *store.Attention, now time.Time) templates.BoardPart {
	waits := func(name string, n int64, oldest time.Duration, advice string) templates.BoardRow {
		state := "ok"
		if oldest > slow {
			state = "degraded"
		}
		row := healthRow(name, state, "", advice)
		row.Facts = []templates.BoardFact{{Name: "Esperan", Text: loyalty.Thousands(n)}, {Name: "El más viejo, desde hace", Text: seconds(oldest)}}
		return row
	}
	ledger := healthRow("Saldos", "ok", "Cada noche se recalcula una muestra desde el libro de movimientos.", "")
	switch {
	case a.Verified.IsZero():
		ledger.State, ledger.Advice = templates.OutboxStatus{Word: "sin verificar todavía", Tone: "degraded"}, "La primera verificación corre a las 4:00. Para hacerla ahora: «qoa ledger verify» en el servidor."
	case a.Differing > 0:
		ledger.State = templates.OutboxStatus{Word: countWords(int64(a.Differing), "diferencia", "diferencias"), Tone: "down"}
		ledger.Advice = "Corre «qoa ledger verify» en el servidor: dice cuáles son y cuánto deben tener."
	case now.Sub(a.Verified) > mostVerified:
		ledger.State, ledger.Advice = templates.OutboxStatus{Word: "atrasada", Tone: "degraded"}, "Corre cada noche a las 4:00: revisa que haya un proceso con el rol worker."
	}
	if !a.Verified.IsZero() {
		ledger.Facts = []templates.BoardFact{{Name: "Verificados", At: a.Verified.In(loyalty.Zone(""))}}
	}
	return templates.BoardPart{Title: "Lo que hay por hacer", Icon: "clock", Rows: []templates.BoardRow{
		waits("Mensajes por contestar", a.Inbox, a.OldestInbox, "Revisa que esté corriendo un proceso con el rol worker."),
		waits("Mensajes por salir", a.Outbox, a.OldestOutbox, "Revisa los números de WhatsApp y que haya un proceso con el rol bot."),
		ledger,
	}}
}

// bytesWords says a size as people read one.
func bytesWords(n int64) string {
	switch {
	case n >= 10<<30:
		return loyalty.Thousands(n>>30) + " GB"
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	}
	return loyalty.Thousands(n>>20) + " MB"
}
