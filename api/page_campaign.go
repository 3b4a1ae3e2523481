package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// campaignDesk is what a campaign's page is drawn from.
type campaignDesk struct {
	desk     templates.DeskView
	campaign store.Campaign
	versions []store.CampaignVersion
	findings []loyalty.Finding
	names    naming
	authors  map[string]string
	discard  string // where a draft is thrown away
}

func (s *server) campaignPage(c *fiber.Ctx) error {
	return s.drawCampaign(c, http.StatusOK, func(v *templates.CampaignView) { v.Flash = campaignFlash(c.Query("hecho")) })
}

// campaignFlash is what the page says after a form: only these words, since the
// address is anybody's to write.
func campaignFlash(done string) string {
	return map[string]string{
		"creada": "Listo: la campaña quedó como borrador. Agrega sus premios y envíala a revisión.", "cambio": "Listo: el cambio quedó guardado.",
		"programado": "Listo: el cambio quedó programado.", "cancelado": "Listo: el cambio programado se canceló.", "paso": "Listo.", "premio": "Listo: el premio quedó guardado.",
	}[done]
}

// ownCampaign reads a campaign that the caller may manage; another's does not
// exist.
func ownCampaign(ctx context.Context, t *store.Tx, scope loyalty.Scope, id loyalty.ID) (store.Campaign, error) {
	v, err := t.Campaign(ctx, scope, id)
	if err == nil && !v.OwnedBy(scope) {
		err = fiber.ErrNotFound
	}
	return v, err
}

func (s *server) drawCampaign(c *fiber.Ctx, status int, finish func(*templates.CampaignView)) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope := scopeOf(c)
	d, err := tx(s, c, func(ctx context.Context, t *store.Tx) (d campaignDesk, err error) {
		if d.campaign, err = ownCampaign(ctx, t, scope, id); err != nil {
			return d, err
		}
		if d.desk, err = s.desk(ctx, c, t); err != nil {
			return d, err
		}
		if d.versions, err = t.CampaignVersions(ctx, scope, id); err != nil {
			return d, err
		}
		if d.campaign.Status != loyalty.Ended {
			if d.findings, err = t.ReviewCampaign(ctx, scope, id); err != nil {
				return d, err
			}
		}
		if d.names, err = s.campaignNames(ctx, t, scope, d.campaign, d.versions...); err != nil {
			return d, err
		}
		if d.discard, err = discardURL(ctx, c, t, id); err != nil {
			return d, err
		}
		d.authors, err = authorNames(ctx, t, scope)
		return d, err
	})
	if err != nil {
		return err
	}
	v := s.campaignPageView(c, d)
	finish(&v)
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Campaign(w, v) })
}

// campaignNames calls by name what a campaign's terms name, and those of other
// versions of it.
func (s *server) campaignNames(ctx context.Context, t *store.Tx, scope loyalty.Scope, v store.Campaign, versions ...store.CampaignVersion) (naming, error) {
	names, err := ownerNames(ctx, t, scope, owner{v.CPG, v.Owner})
	if err != nil {
		return nil, err
	}
	all := []loyalty.Terms{v.Terms}
	for _, version := range versions {
		all = append(all, version.Terms)
	}
	products, shops := []loyalty.ID{}, []loyalty.ID{}
	for i := range all {
		products = append(products, productsIn(&all[i])...)
		shops = append(shops, slices.Concat(all[i].Shops, all[i].ExcludedShops)...)
	}
	for _, r := range v.Rewards {
		shops = append(shops, r.Shops...)
	}
	known, _, err := t.ChooseProducts(ctx, scope, store.ProductChoice{IDs: products}, len(products))
	if err != nil {
		return nil, err
	}
	for _, p := range known {
		names[p.ID] = p.Name
	}
	places, _, err := t.ChooseShops(ctx, scope, store.ShopChoice{IDs: shops}, len(shops))
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		names[p.ID] = p.Name
	}
	from, err := catalogueOf(ctx, t, scope, "", v.Campaign)
	if err != nil {
		return nil, err
	}
	for _, groups := range [][]templates.FormGroup{from.Brands, from.Segments, {{Options: from.Tiered}}} {
		for _, g := range groups {
			for _, o := range g.Options {
				names[loyalty.ID(o.Value)] = o.Label
			}
		}
	}
	return names, nil
}

// productsIn are all that terms name.
func productsIn(t *loyalty.Terms) []loyalty.ID {
	all := slices.Concat(t.Products, t.ExcludedProducts)
	for i := range t.Boosts {
		all = append(all, t.Boosts[i].When.Products...)
	}
	for i := range t.Limits {
		all = append(all, t.Limits[i].Products...)
	}
	return all
}

// authorNames calls those who change campaigns: an admin reads names, others
// whether it was one of them.
func authorNames(ctx context.Context, t *store.Tx, scope loyalty.Scope) (map[string]string, error) {
	names := map[string]string{scope.Actor(): "tú", loyalty.System().Actor(): "Qoa"}
	if !scope.All() {
		return names, nil
	}
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		all, next, err := t.StaffMembers(ctx, scope, p)
		for _, v := range all {
			if actor := v.Scope().Actor(); names[actor] == "" {
				names[actor] = v.Name
			}
		}
		return next, err
	})
	return names, err
}

func (s *server) campaignPageView(c *fiber.Ctx, d campaignDesk) templates.CampaignView {
	admin := scopeOf(c).All()
	list := deskRoot(c) + "/campanas"
	self := list + "/" + string(d.campaign.ID)
	v := templates.CampaignView{
		Desk: d.desk, ListURL: list, Name: d.campaign.Name, Owner: ownerOf(d.campaign, d.names), Status: statusOfCampaign(d.campaign.Status),
		Version: d.campaign.Version, SimulateURL: self + "/simular", Steps: campaignSteps(d.campaign.Status, admin, self+"/estado"),
		Parts: termsWords(&d.campaign.Terms, d.names), DiscardURL: d.discard,
	}
	v.Act, _ = nextActor(d.campaign.Status, admin)
	v.Gist = campaignGist(&d.campaign)
	if inAssistant(d.campaign.Status) {
		v.AssistantURL = self + "/asistente/" + assistantEnd
	}
	if d.campaign.Status != loyalty.Ended && (admin || d.campaign.Status != loyalty.InReview) {
		v.EditURL, v.NewReward = self+"/editar", self+"/premios/nuevo"
	}
	if deskRoot(c) == "/marca" && began(d.campaign.Status) {
		v.ResultsURL = resultsURL(d.campaign.ID)
	}
	if d.campaign.Joining != loyalty.JoinAtOnce {
		v.ShopsURL = self + "/tiendas"
	}
	of := campaignDraft{campaign: d.campaign, main: -1}
	for _, f := range d.findings {
		found := templates.CampaignFinding{Error: f.Severity == loyalty.SeverityError, Text: forms.Plain(f.Message)}
		if v.EditURL != "" {
			found.URL = of.corrects(c, f.Field)
		}
		v.Findings = append(v.Findings, found)
	}
	for _, r := range d.campaign.Rewards {
		v.Rewards = append(v.Rewards, rewardWords(r, d.names, v.NewReward != "", self))
	}
	v.Budgets = budgetsOf(&d.campaign)
	now := s.DB.Now()
	for i := 0; i < len(d.versions); {
		many := writtenTogether(d.versions[i:])
		shown := versionWords(d, i, many)
		if d.versions[i].Scheduled(now) {
			shown.State = "programada"
			v.Scheduled, v.CancelURL = &shown, self+"/versiones/"+strconv.Itoa(shown.Number)+"/cancelar"
		}
		v.Versions = append(v.Versions, shown)
		i += many
	}
	return v
}

// campaignGist is a campaign at one look: what it gives, for what, where and until
// when.
func campaignGist(v *store.Campaign) []templates.CampaignFact {
	gist := []templates.CampaignFact{{Label: "Da", Text: upperFirst(earnWords(v.Campaign))}}
	for _, r := range v.Rewards {
		if r.Active {
			gist = append(gist, templates.CampaignFact{Label: "Para llevarse", Text: r.Name + ", con " + unitWords(r.Unit, r.Threshold)})
			break
		}
	}
	return append(gist,
		templates.CampaignFact{Label: "Con", Text: countWords(int64(len(v.PLIs)), "producto", "productos")},
		templates.CampaignFact{Label: "En", Text: shopsWords(v)}, templates.CampaignFact{Label: "Cuándo", Text: upperFirst(datesWords(&v.Terms))})
}

// written says whether a version only wrote on a draft, which one does in many
// steps.
func written(v *store.CampaignVersion) bool {
	return v.Status == loyalty.Draft && (v.Action == "terms" || v.Action == "reward")
}

// writtenTogether says how many versions from one on, the later first, are one
// person's writing on a draft; 1 where it is none.
func writtenTogether(all []store.CampaignVersion) int {
	n := 1
	for n < len(all) && written(&all[0]) && written(&all[n]) && all[n].Author == all[0].Author {
		n++
	}
	return n
}

// versionWords says what a change did, by what its terms say and those before it
// said; many versions that are one person's writing are told as one.
func versionWords(d campaignDesk, i, many int) templates.CampaignVersion {
	this := d.versions[i]
	v := templates.CampaignVersion{
		Number: this.Version, When: dayWords(this.CreatedAt), HoldsFrom: dayWords(this.HoldsFrom), Reason: this.Reason,
		Author: cmp.Or(d.authors[this.Author], authorWords(this.Author)),
		What: map[string]string{
			"created": "Se creó", "terms": "Cambiaron las reglas", "status": "Quedó " + strings.Replace(statusOfCampaign(this.Status).Word, "borrador", "en borrador", 1), "reward": "Cambiaron los premios",
		}[this.Action],
	}
	if many > 1 {
		v.What = "Se escribió, en " + strconv.Itoa(many) + " pasos"
	}
	switch {
	case this.CancelledAt != nil:
		v.State = "cancelada"
	case this.InForce:
		v.State = "en vigor"
	}
	before, terms := i+many, this.Action == "terms" || many > 1
	if before < len(d.versions) && terms {
		v.Removed, v.Added = changedLines(linesOf(&d.versions[before].Terms, d.names), linesOf(&this.Terms, d.names))
	}
	untold := v.Removed == nil && v.Added == nil
	for _, one := range d.versions[i:min(before, len(d.versions))] {
		for _, f := range one.Diff {
			line := ""
			switch {
			case one.Action == "reward":
				line = rewardChange(f)
			case one.Action == "terms" && untold: // what no sentence tells
				line = "Cambió " + f.Field + "."
			}
			if line != "" && !slices.Contains(v.Added, line) {
				v.Added = append(v.Added, line)
			}
		}
	}
	return v
}

// authorWords says which kind of people it was, where there is no name to tell.
func authorWords(actor string) string {
	switch kind, _, _ := strings.Cut(actor, ":"); kind {
	case "person":
		return "la tienda"
	case "staff":
		return "el equipo"
	}
	return "Qoa"
}

func linesOf(t *loyalty.Terms, n naming) []string {
	var all []string
	name := "Nombre: " + t.Name + "."
	for _, p := range termsWords(t, n) {
		for _, l := range p.Lines {
			all = append(all, p.Title+": "+l)
		}
	}
	return append([]string{name}, all...)
}

// changedLines is what is in one list and not in the other.
func changedLines(before, after []string) (removed, added []string) {
	for _, l := range before {
		if !slices.Contains(after, l) {
			removed = append(removed, l)
		}
	}
	for _, l := range after {
		if !slices.Contains(before, l) {
			added = append(added, l)
		}
	}
	return removed, added
}
