package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// adminDesk is what the operator's page is drawn from.
type adminDesk struct {
	frame    templates.DeskView
	backlog  store.Backlog
	shops    []store.Shop
	tenderos map[loyalty.ID]int
	digests  map[loyalty.ID]store.ShopDigest
	problems []store.Problem
	runs     map[string]time.Time
	cases    []store.Case
	more     bool // there are more cases than these
	now      time.Time
}

const (
	mostProblems    = 20
	mostCases       = 50
	activityDays    = 28 // over which a shop's consumers are counted
	mostAdminShops  = 50
	tenderosPerPage = mostLimit
)

func (s *server) adminPage(c *fiber.Ctx) error {
	scope := scopeOf(c)
	desk, err := tx(s, c, func(ctx context.Context, t *store.Tx) (d adminDesk, err error) {
		if d.frame, err = s.desk(ctx, c, t); err != nil {
			return d, err
		}
		if d.backlog, err = t.Backlog(ctx); err != nil {
			return d, err
		}
		if d.problems, err = t.Problems(ctx, mostProblems); err != nil {
			return d, err
		}
		if d.runs, err = t.LastRuns(ctx); err != nil {
			return d, err
		}
		d.now = t.Now()
		var next loyalty.ID
		if d.cases, next, err = t.Cases(ctx, scope, store.Page{Limit: mostCases}); err != nil {
			return d, err
		}
		d.more = next != ""
		if d.shops, _, err = t.Shops(ctx, scope, store.ShopFilter{}, store.Page{Limit: mostAdminShops}); err != nil {
			return d, err
		}
		active := true
		tenderos, _, err := t.Tenderos(ctx, scope, store.TenderoFilter{Active: &active}, store.Page{Limit: tenderosPerPage})
		if err != nil {
			return d, err
		}
		d.tenderos = map[loyalty.ID]int{}
		for _, v := range tenderos {
			d.tenderos[v.Shop]++
		}
		d.digests = map[loyalty.ID]store.ShopDigest{}
		today := t.Now().In(loyalty.Zone(""))
		for _, shop := range d.shops {
			if d.digests[shop.ID], err = t.ShopDigest(ctx, scope, shop.ID, today.AddDate(0, 0, 1-activityDays), today); err != nil {
				return d, err
			}
		}
		return d, nil
	})
	if err != nil {
		return err
	}
	v := adminView(desk)
	v.Flash = jobFlash(c.Query("trabajo"), c.Query("mensajes"))
	health, _ := s.dependencies(c.UserContext())
	for _, d := range health {
		v.Health = append(v.Health, templates.AdminHealth{Name: d.Name, State: d.State, Detail: d.Detail})
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Admin(w, v) })
}

// lastRun is a moment as the page shows it; none stays none.
func lastRun(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(loyalty.Zone(""))
}

func adminView(d adminDesk) templates.AdminView {
	var purchases, consumers int64
	v := templates.AdminView{Desk: d.frame}
	for _, shop := range d.shops {
		digest := d.digests[shop.ID]
		purchases += digest.Purchases
		consumers += digest.NewCards
		v.Shops = append(v.Shops, templates.AdminShop{
			Name: shop.Name, Code: shop.Code, City: shop.City, Kind: shop.Kind, Active: shop.Active,
			Tenderos: d.tenderos[shop.ID], Consumers: int(digest.Consumers),
			QRURL: "/v1/shops/" + shop.Code + "/qr.png", PosterURL: "/v1/shops/" + shop.Code + "/poster.pdf",
		})
	}
	v.Counts = []templates.AdminCount{
		{Label: "tiendas", Value: int64(len(d.shops))}, {Label: "compras en 28 días", Value: purchases},
		{Label: "tarjetas nuevas en 28 días", Value: consumers}, {Label: "mensajes por contestar", Value: d.backlog.Inbox},
		{Label: "mensajes por enviar", Value: d.backlog.Outbox}, {Label: "mensajes con problemas", Value: d.backlog.Failed + d.backlog.Parked},
	}
	v.Jobs = []templates.AdminJob{
		{Name: "Recordatorios", Explain: "A quien le falta poco y lleva días sin comprar.", Action: "/admin/jobs/nudges/runs", LastRun: lastRun(d.runs["nudges"])},
		{Name: "Resumen para tenderos", Explain: "Lo que Qoa vendió en la semana, y a pedir.", Action: "/admin/jobs/digests/runs", LastRun: lastRun(d.runs["digests"])},
		{Name: "Resumen para marcas", Explain: "El retorno de cada campaña en la semana.", Action: "/admin/jobs/roi/runs", LastRun: lastRun(d.runs["roi"])},
	}
	v.MoreCases = d.more
	for _, k := range d.cases {
		v.Cases = append(v.Cases, templates.AdminCase{
			At: k.CreatedAt.In(loyalty.Zone("")), Age: age(d.now.Sub(k.CreatedAt)), Folio: k.Folio(), Kind: caseWords(k.Kind),
			Note: k.Note, Card: k.Card, CloseAction: casesURL + "/" + string(k.ID) + "/cerrar",
		})
	}
	for _, p := range d.problems {
		kind, state := "Mensaje por enviar", "falló"
		if p.What == "inbox" {
			kind, state = "Mensaje recibido", "apartado"
		}
		v.Problems = append(v.Problems, templates.AdminProblem{
			At: p.CreatedAt.In(loyalty.Zone("")), Kind: kind, State: state, Attempts: p.Attempts, Error: p.Problem,
		})
	}
	return v
}

func caseWords(kind store.CaseKind) string {
	switch kind {
	case store.CaseMissingStamp:
		return "Falta un sello"
	case store.CaseHuman:
		return "Quiere hablar con alguien"
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

// adminRunJob runs a job and says on the page how many messages will go.
func (s *server) adminRunJob(c *fiber.Ctx) error {
	job := c.Params("job")
	if !runnable(job) {
		return fiber.ErrNotFound
	}
	n, err := s.runNow(c, job, nil)
	if err != nil {
		return err
	}
	return c.Redirect("/admin?trabajo="+job+"&mensajes="+strconv.Itoa(n), http.StatusSeeOther)
}

func jobFlash(job, messages string) string {
	n, err := strconv.Atoi(messages)
	if err != nil || !runnable(job) {
		return ""
	}
	switch n {
	case 0:
		return "Listo: no hay mensajes que enviar."
	case 1:
		return "Listo: se enviará 1 mensaje."
	}
	return fmt.Sprintf("Listo: se enviarán %d mensajes.", n)
}
