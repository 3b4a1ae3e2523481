package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// adminPage says what needs somebody now, and where to do it.
func (s *server) adminPage(c *fiber.Ctx) error {
	v := templates.BoardView{Title: "Inicio", Intro: "Lo que necesita a alguien ahora."}
	health, numbers := s.dependencies(c.UserContext())
	return s.board(c, http.StatusOK, askedOf(c), &v, func(ctx context.Context, t *store.Tx, _ store.Page) (loyalty.ID, error) {
		a, err := t.Attention(ctx, scopeOf(c))
		if err != nil {
			return "", err
		}
		part := templates.BoardPart{Empty: "Nada por atender: todo camina solo."}
		part.Rows = append(part.Rows, troubleRows(health, numbers)...)
		part.Rows = append(part.Rows, attentionRows(&a, t.Now())...)
		v.Parts = []templates.BoardPart{part}
		v.Counts = []templates.AdminCount{
			{Label: "mensajes por contestar", Value: a.Inbox}, {Label: "mensajes por salir", Value: a.Outbox},
			{Label: "casos abiertos", Value: a.Cases}, {Label: "campañas por aprobar", Value: int64(len(a.InReview))},
		}
		return "", nil
	})
}

var (
	urgent = templates.OutboxStatus{Word: "urgente", Tone: "down"}
	soon   = templates.OutboxStatus{Word: "por atender", Tone: "degraded"}
)

// troubleRows are the things that the system leans on and that do not work.
func troubleRows(health []Dependency, numbers []numberHealth) (rows []templates.BoardRow) {
	for _, n := range numbers {
		if n.State != "ok" {
			rows = append(rows, templates.BoardRow{Name: "Un número de WhatsApp no trabaja", URL: numbersURL + "/" + string(n.ID), State: stateOf(n.State), Advice: n.Detail})
		}
	}
	for _, d := range health {
		if d.State == "ok" || d.Name == whatsapp && len(rows) > 0 {
			continue
		}
		rows = append(rows, templates.BoardRow{Name: dependencyNames[d.Name] + ": " + healthWords(d.State), URL: healthURL, State: stateOf(d.State), Advice: healthAdvice[d.Name]})
	}
	return rows
}

func stateOf(state string) templates.OutboxStatus {
	if state == "down" {
		return urgent
	}
	return soon
}

// slow is how long somebody may wait for an answer before it is trouble.
const slow = time.Minute

// attentionRows are what waits for people, what hurts most first.
func attentionRows(a *store.Attention, now time.Time) (rows []templates.BoardRow) {
	add := func(state templates.OutboxStatus, name, url, advice string) {
		rows = append(rows, templates.BoardRow{Name: name, URL: url, State: state, Advice: advice})
	}
	if a.Differing > 0 {
		add(urgent, countWords(int64(a.Differing), "saldo difiere", "saldos difieren")+" del libro de movimientos", healthURL,
			"Corre «qoa ledger verify» en el servidor: dice cuáles son y cuánto deben tener.")
	}
	if a.OldestInbox > slow {
		add(urgent, "Hay quien espera respuesta desde hace "+seconds(a.OldestInbox), healthURL, "Revisa que esté corriendo un proceso con el rol worker.")
	}
	if a.OldestOutbox > slow {
		add(urgent, "Hay mensajes sin salir desde hace "+seconds(a.OldestOutbox), outboxURL+"?estado=queued", "Revisa los números de WhatsApp y que haya un proceso con el rol bot.")
	}
	if a.Parked > 0 {
		add(urgent, countWords(a.Parked, "mensaje recibido quedó apartado", "mensajes recibidos quedaron apartados"), outboxPageURL(parked, ""), "Su turno falló varias veces. Corrige la causa y vuelve a intentarlo.")
	}
	if a.Failed > 0 {
		add(soon, countWords(a.Failed, "mensaje no salió", "mensajes no salieron"), outboxURL+"?estado=failed", "Mira por qué fallaron y envíalos otra vez, uno o todos los de una causa.")
	}
	if a.Cases > 0 && a.OldestCase != nil {
		add(soon, countWords(a.Cases, "caso abierto", "casos abiertos"), casesURL, "El más antiguo espera desde "+age(now.Sub(*a.OldestCase))+".")
	}
	for _, r := range a.InReview {
		add(soon, "«"+r.Name+"» espera tu aprobación", "/admin/campanas/"+string(r.ID), "De "+r.Owner+", desde "+age(now.Sub(r.Since))+".")
	}
	for _, i := range a.Imports {
		add(soon, "«"+i.File+"» no se importó completo", importsURL+"/"+string(i.ID), countWords(i.Failed, "renglón quedó fuera", "renglones quedaron fuera")+": ahí dice por qué.")
	}
	return rows
}

func caseWords(kind store.CaseKind) string {
	switch kind {
	case store.CaseMissingStamp:
		return "Falta un sello"
	case store.CaseHuman:
		return "Quiere hablar con una persona"
	}
	return string(kind)
}

// age says for how long something waits.
func age(d time.Duration) string {
	switch n := int(d.Hours()) / 24; {
	case n == 1:
		return "hace 1 día"
	case n > 1:
		return fmt.Sprintf("hace %d días", n)
	case d >= time.Hour:
		return fmt.Sprintf("hace %d h", int(d.Hours()))
	}
	return fmt.Sprintf("hace %d min", max(0, int(d.Minutes())))
}
