package api

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// campaignsPerPage is how many campaigns a page lists.
const campaignsPerPage = 30

// campaignList is what the list is drawn from.
type campaignList struct {
	desk      templates.DeskView
	campaigns []store.Campaign
	counts    map[loyalty.Status]int64
	owners    naming
}

// allStatuses are those of campaigns, as the list offers them.
var allStatuses = []struct {
	status loyalty.Status
	name   string
}{
	{"", "Todas"}, {loyalty.Active, "Activas"}, {loyalty.Paused, "En pausa"}, {loyalty.Draft, "Borradores"}, {loyalty.InReview, "En revisión"},
	{loyalty.Approved, "Aprobadas"}, {loyalty.Rejected, "Rechazadas"}, {loyalty.Ended, "Terminadas"},
}

// campaignQuery reads the filter of the list; what is none of its choices is none.
func campaignQuery(c *fiber.Ctx) (f store.CampaignListing, asked url.Values) {
	f.Words, asked = queryText(c, "q"), url.Values{}
	for _, s := range allStatuses {
		if string(s.status) == queryText(c, "estado") {
			f.Status = s.status
		}
	}
	for _, o := range campaignOrders {
		if o.Value == queryText(c, "orden") {
			f.Order = store.CampaignOrder(o.Value)
		}
	}
	for name, value := range map[string]string{"q": f.Words, "estado": string(f.Status), "orden": string(f.Order)} {
		if value != "" {
			asked.Set(name, value)
		}
	}
	return f, asked
}

var campaignOrders = []templates.FormOption{
	{Value: string(store.CampaignsByNeed), Label: "Lo que te toca, primero"}, {Value: string(store.CampaignsNewest), Label: "Lo último que cambió"},
	{Value: string(store.CampaignsByEnd), Label: "Lo que termina antes"}, {Value: string(store.CampaignsByName), Label: "Nombre"},
}

// campaignsPage lists the campaigns that the caller owns; an admin's, all.
func (s *server) campaignsPage(c *fiber.Ctx) error {
	f, asked := campaignQuery(c)
	pageNumber := max(wholeNumber(queryText(c, "pagina")), 1)
	scope, root := scopeOf(c), deskRoot(c)
	list, err := tx(s, c, func(ctx context.Context, t *store.Tx) (l campaignList, err error) {
		if l.desk, err = s.desk(ctx, c, t); err != nil {
			return l, err
		}
		if l.campaigns, l.counts, err = t.OwnCampaigns(ctx, scope, f, int(pageNumber-1)*campaignsPerPage, campaignsPerPage); err != nil {
			return l, err
		}
		l.owners, err = ownerNames(ctx, t, scope, ownersOf(l.campaigns)...)
		return l, err
	})
	if err != nil {
		return err
	}
	v := templates.CampaignsView{
		Desk: list.desk, NewURL: root + "/campanas/nueva", Admin: scope.All(), Action: root + "/campanas", Words: f.Words, Status: string(f.Status),
		Files: filesAt(root+"/campanas", asked, "las campañas"), Filtered: f.Words != "" || f.Status != "",
	}
	if c.Query("hecho") == "descartada" {
		v.Flash = "Listo: el borrador se descartó."
	}
	var all, shown int64
	for _, n := range list.counts {
		all += n
	}
	list.counts[""] = all
	shown = list.counts[f.Status]
	to := func(name, value string) string {
		q := maps.Clone(asked)
		q.Del(name)
		if value != "" {
			q.Set(name, value)
		}
		if len(q) == 0 {
			return root + "/campanas"
		}
		return root + "/campanas?" + q.Encode()
	}
	for _, s := range allStatuses {
		if n := list.counts[s.status]; n > 0 || s.status == "" || s.status == f.Status {
			v.Tabs = append(v.Tabs, templates.CampaignTab{Name: s.name, Count: n, URL: to("estado", string(s.status)), Here: s.status == f.Status})
		}
	}
	v.Orders = slices.Clone(campaignOrders)
	for i := range v.Orders {
		v.Orders[i].Chosen = v.Orders[i].Value == string(f.Order)
	}
	if pageNumber > 1 {
		v.PreviousURL = to("pagina", strconv.FormatInt(pageNumber-1, 10))
	}
	if pageNumber*campaignsPerPage < shown {
		v.NextURL = to("pagina", strconv.FormatInt(pageNumber+1, 10))
	}
	for i := range list.campaigns {
		v.Campaigns = append(v.Campaigns, campaignLine(&list.campaigns[i], list.owners, root, scope.All()))
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Campaigns(w, v) })
}

func campaignLine(v *store.Campaign, owners naming, root string, admin bool) templates.CampaignLine {
	act, yours := nextActor(v.Status, admin)
	line := templates.CampaignLine{
		URL: root + "/campanas/" + string(v.ID), Name: v.Name, Owner: ownerOf(*v, owners), Status: statusOfCampaign(v.Status),
		Dates: upperFirst(datesWords(&v.Terms)), Act: act, Yours: yours, Earn: upperFirst(earnWords(v.Campaign)),
		Reach: countWords(int64(len(v.PLIs)), "producto", "productos") + " en " + shopsWords(v), Budgets: budgetsOf(v),
	}
	if inAssistant(v.Status) && !admin {
		line.URL += "/asistente/" + assistantEnd
	}
	return line
}

func shopsWords(v *store.Campaign) string {
	switch {
	case v.Owner != "":
		return "la tienda"
	case v.EveryShop:
		return "todas las tiendas"
	}
	return countWords(int64(len(v.Places)), "tienda", "tiendas")
}

// budgetsOf is how the parts of a campaign's budget stand.
func budgetsOf(v *store.Campaign) []templates.CampaignBudget {
	return mapped(v.Quotas, func(q store.Quota) templates.CampaignBudget {
		return templates.CampaignBudget{Label: map[string]string{
			loyalty.QuotaStamps: "Sellos", loyalty.QuotaPoints: "Puntos", loyalty.QuotaRewards: "Premios",
		}[q.Name], Used: q.Used, Cap: q.Cap}
	})
}

// mostFiled is how many campaigns a file lists.
const mostFiled = 10_000

// campaignFile is the list as a file, with its filter.
func (s *server) campaignFile(c *fiber.Ctx) (download, error) {
	f, _ := campaignQuery(c)
	scope := scopeOf(c)
	list, err := report(s, c, func(ctx context.Context, t *store.Tx) (l campaignList, err error) {
		if l.campaigns, _, err = t.OwnCampaigns(ctx, scope, f, 0, mostFiled); err != nil {
			return l, err
		}
		l.owners, err = ownerNames(ctx, t, scope, ownersOf(l.campaigns)...)
		return l, err
	})
	if err != nil {
		return download{}, err
	}
	return download{name: []string{"campanas"}, sheets: []export.Sheet{{
		Title:   "Campañas",
		Columns: []string{"Campaña", "Dueño", "Estado", "Empieza", "Termina", "Cómo se gana", "Meta", "Productos", "Tiendas", "Premios", "Presupuesto dado"},
		Rows: export.Of(list.campaigns, func(v store.Campaign) []any {
			var given []string
			for _, b := range budgetsOf(&v) {
				given = append(given, b.Label+": "+loyalty.Thousands(b.Used)+" de "+loyalty.Thousands(b.Cap))
			}
			return []any{
				v.Name, ownerOf(v, list.owners), statusOfCampaign(v.Status).Word, export.Day(v.StartsAt.In(loyalty.Zone(""))), endOf(&v), earnWords(v.Campaign), v.Goal,
				int64(len(v.PLIs)), shopsWords(&v), int64(len(v.Rewards)), strings.Join(given, "; "),
			}
		}),
	}}}, nil
}

// endOf is the day on which a campaign ends, "" where it is permanent.
func endOf(v *store.Campaign) any {
	if v.EndsAt.IsZero() {
		return ""
	}
	return export.Day(v.EndsAt.In(loyalty.Zone("")))
}

// owner is whose a campaign or a segment is: a company's, or a shop's.
type owner struct{ cpg, shop loyalty.ID }

func ownersOf(all []store.Campaign) []owner {
	return mapped(all, func(v store.Campaign) owner { return owner{v.CPG, v.Owner} })
}

// ownerNames calls owners by name.
func ownerNames(ctx context.Context, t *store.Tx, scope loyalty.Scope, of ...owner) (naming, error) {
	names, own := naming{}, []loyalty.ID{}
	for _, o := range of {
		switch {
		case o.shop != "":
			own = append(own, o.shop)
		case names[o.cpg] == "":
			v, err := t.CPG(ctx, scope, o.cpg)
			if err != nil {
				return names, err
			}
			names[o.cpg] = v.Name
		}
	}
	shops, _, err := t.ChooseShops(ctx, scope, store.ShopChoice{IDs: own}, len(own))
	for _, v := range shops {
		names[v.ID] = v.Name
	}
	return names, err
}

func ownerOf(v store.Campaign, names naming) string {
	if v.Owner != "" {
		return names[v.Owner]
	}
	return names[v.CPG]
}

// mostPages bounds how much of a list a form offers: some hundreds are read well,
// thousands by nobody.
const mostPages = 20

// everyPage reads a list to its end.
func everyPage(read func(store.Page) (loyalty.ID, error)) error {
	p := store.Page{Limit: mostLimit}
	for range mostPages {
		next, err := read(p)
		if err != nil || next == "" {
			return err
		}
		p.After = next
	}
	return nil
}

func statusOfCampaign(status loyalty.Status) templates.CampaignStatus {
	switch status {
	case loyalty.Draft:
		return templates.CampaignStatus{Word: "borrador"}
	case loyalty.InReview:
		return templates.CampaignStatus{Word: "en revisión", Tone: "degraded"}
	case loyalty.Rejected:
		return templates.CampaignStatus{Word: "rechazada", Tone: "down"}
	case loyalty.Approved:
		return templates.CampaignStatus{Word: "aprobada", Tone: "ok"}
	case loyalty.Active:
		return templates.CampaignStatus{Word: "activa", Tone: "ok"}
	case loyalty.Paused:
		return templates.CampaignStatus{Word: "en pausa", Tone: "degraded"}
	case loyalty.Ended:
	}
	return templates.CampaignStatus{Word: "terminada"}
}

// nextActor says who must do something for the campaign to go on, and whether
// that is the reader.
func nextActor(status loyalty.Status, admin bool) (act string, yours bool) {
	switch status { //nolint:exhaustive // the others wait for nobody
	case loyalty.Draft:
		if admin {
			return "Falta que su dueño la envíe a revisión.", false
		}
		return "Termina de escribirla y envíala a revisión.", true
	case loyalty.InReview:
		if admin {
			return "Te toca revisarla.", true
		}
		return "Qoa la está revisando.", false
	case loyalty.Rejected:
		if admin {
			return "Falta que su dueño la corrija.", false
		}
		return "Corrígela y envíala otra vez.", true
	case loyalty.Approved:
		return "Falta activarla.", true
	}
	return "", false
}
