package api

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// brandDesk is what a brand's front is drawn from.
type brandDesk struct {
	desk     templates.DeskView
	glances  []owned
	next     loyalty.ID
	reorders []store.Reorder
}

// owned is a campaign at a glance with its owner's name, where that is asked for.
type owned struct {
	store.Glance
	owner string
}

// glances reads a page of campaigns.
func glances(ctx context.Context, t *store.Tx, scope loyalty.Scope, named bool, p store.Page) ([]owned, loyalty.ID, error) {
	all, next, err := t.Glances(ctx, scope, store.CampaignFilter{}, p)
	if err != nil {
		return nil, "", err
	}
	var names naming
	if named {
		names, err = ownerNames(ctx, t, scope, mapped(all, func(g store.Glance) owner { return owner{g.Campaign.CPG, g.Campaign.Owner} })...)
	}
	return mapped(all, func(g store.Glance) owned { return owned{g, ownerOf(g.Campaign, names)} }), next, err
}

// latestReorders is how many the front shows.
const latestReorders = 5

// brandPage shows the campaigns at a glance.
func (s *server) brandPage(c *fiber.Ctx) error {
	old, err := queryID(c, "campaign")
	if err != nil {
		return err
	}
	if old != "" { // what messages said until there was a page for it
		return c.Redirect(resultsURL(old), http.StatusSeeOther)
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	p.Limit = campaignsPerPage
	scope := scopeOf(c)
	d, err := report(s, c, func(ctx context.Context, t *store.Tx) (d brandDesk, err error) {
		if d.desk, err = s.desk(ctx, c, t); err != nil {
			return d, err
		}
		if d.glances, d.next, err = glances(ctx, t, scope, scope.All(), p); err != nil {
			return d, err
		}
		d.reorders, _, err = t.Reorders(ctx, scope, store.ReorderFilter{}, store.Page{Limit: latestReorders})
		return d, err
	})
	if err != nil {
		return err
	}
	v := brandView(d, s.DB.Now())
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Brand(w, v) })
}

// lifeOrder puts first what runs, and last what is over.
var lifeOrder = []loyalty.Status{loyalty.Active, loyalty.Paused, loyalty.Approved, loyalty.InReview, loyalty.Rejected, loyalty.Draft, loyalty.Ended}

func brandView(d brandDesk, now time.Time) templates.BrandView {
	v := templates.BrandView{Desk: d.desk, NewURL: "/marca/campanas/nueva", ReorderURL: "/marca/pedidos", Reorders: mapped(d.reorders, reorderView)}
	slices.SortStableFunc(d.glances, func(a, b owned) int {
		return slices.Index(lifeOrder, a.Campaign.Status) - slices.Index(lifeOrder, b.Campaign.Status)
	})
	for _, g := range d.glances {
		v.Campaigns = append(v.Campaigns, glanceView(g.Glance, g.owner, now))
	}
	if len(v.Campaigns) > 0 {
		v.Files = filesAt("/marca/resultados", nil, "los resultados de todas las campañas")
	}
	if d.next != "" {
		v.NextURL = "/marca?cursor=" + string(d.next)
	}
	return v
}

func resultsURL(campaign loyalty.ID) string {
	return "/marca/campanas/" + string(campaign) + "/resultados"
}

func glanceView(g store.Glance, owner string, now time.Time) templates.BrandGlance {
	c := g.Campaign
	v := templates.BrandGlance{
		Name: c.Name, URL: resultsURL(c.ID), Owner: owner, Status: statusOfCampaign(c.Status), Dates: upperFirst(datesWords(&c.Terms)), ROI: roiView(g.ROIReport),
	}
	if began(c.Status) {
		v.Figures = []templates.Figure{
			templates.Count("personas", g.Members, nil), templates.Count("compras", g.Purchases, nil), templates.Count(givenUnit(c)+" dados", g.Given, nil),
			templates.Count("premios dados", g.Redemptions, nil),
		}
		v.ByDay, v.Trend = g.ByDay, countWords(g.Recent, "compra", "compras")+" en 28 días"
		if g.Recent != g.Previous {
			v.Change = templates.Compared(g.Recent, g.Previous)
		}
	}
	v.Act, v.ActName = nextStep(c, g.Purchases, now)
	if v.ActName != "" {
		v.ActURL = "/marca/campanas/" + string(c.ID)
	}
	return v
}

// began says whether a campaign of that status has figures.
func began(status loyalty.Status) bool {
	return status == loyalty.Active || status == loyalty.Paused || status == loyalty.Ended
}

// nextStep says what a campaign waits for, and how the button is called that
// leads there.
func nextStep(c store.Campaign, purchases int64, now time.Time) (act, button string) {
	switch c.Status {
	case loyalty.Draft:
		return "Es un borrador: complétala y envíala a revisión.", "Continuar"
	case loyalty.InReview:
		return "Qoa la está revisando.", ""
	case loyalty.Rejected:
		return "Qoa pidió cambios antes de aprobarla.", "Ver qué falta"
	case loyalty.Approved:
		return "Ya está aprobada: puedes activarla.", "Activarla"
	case loyalty.Paused:
		return "Está en pausa: las compras no suman.", "Reanudarla"
	case loyalty.Active:
		switch {
		case c.StartsAt.After(now):
			return "Empieza el " + dayWords(c.StartsAt) + ".", ""
		case purchases == 0:
			return "Aún no hay compras. Revisa que tus tiendas tengan su cartel y que los productos sean los que venden.", "Revisar la campaña"
		}
	case loyalty.Ended:
	}
	return "", ""
}

// givenUnit is what the card of a campaign is about.
func givenUnit(c store.Campaign) string {
	if c.Scheme == loyalty.Points {
		return "puntos"
	}
	return "sellos"
}

func roiView(r store.ROIReport) templates.BrandROI {
	v := templates.BrandROI{
		RevenueCents: int64(r.Revenue), EstimatedCents: int64(r.Estimated), MarginBP: int(r.Campaign.MarginBPS), ContributionCents: int64(r.Margin),
		RewardsCents: int64(r.RewardsCost), FeeCents: int64(r.Fee), Defined: r.ROI != nil,
	}
	if r.ROI != nil {
		v.Ratio = float64(*r.ROI) / 10_000
	}
	return v
}

// brandFile is the table of all campaigns.
func (s *server) brandFile(c *fiber.Ctx) (download, error) {
	scope := scopeOf(c)
	if err := s.DB.FreshenSales(c.UserContext()); err != nil {
		return download{}, err
	}
	list := func(ctx context.Context, t *store.Tx, p store.Page) ([]owned, loyalty.ID, error) {
		return glances(ctx, t, scope, true, p)
	}
	rows := listed(s, list, func(g owned) []any {
		campaign := g.Campaign
		return []any{
			campaign.Name, g.owner, statusOfCampaign(campaign.Status).Word, homeDay(campaign.StartsAt), homeDay(campaign.EndsAt),
			g.Members, g.Purchases, g.Units, g.Given, givenUnit(campaign), g.Redemptions, export.Money(g.Revenue), export.Money(g.Margin),
			export.Money(g.RewardsCost), export.Money(g.Fee), ratio(g.ROI), g.Recent, g.Previous,
		}
	})
	return download{name: []string{"campanas", s.DB.Now().In(loyalty.Zone("")).Format(time.DateOnly)}, sheets: []export.Sheet{{
		Title: "Campañas", Rows: rows, Columns: []string{
			"Campaña", "De", "Estado", "Empieza", "Termina", "Personas", "Compras", "Piezas", "Dados", "Unidad", "Premios entregados", "Ventas",
			"Contribución", "Costo de premios", "Cuota", "Retorno (sin grupo de control)", "Compras, 28 días", "Compras, 28 días antes",
		},
	}}}, nil
}

// homeDay is the programme's day of a moment, as a cell.
func homeDay(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return export.Day(t.In(loyalty.Zone("")))
}

// ratio is a return as a cell: none where nothing was spent.
func ratio(roi *int64) any {
	if roi == nil {
		return nil
	}
	return export.Ratio(*roi)
}
