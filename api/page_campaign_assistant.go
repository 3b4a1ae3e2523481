package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// The assistant writes a campaign a few questions at a time. It is a draft from
// the first one on, and each step is saved: nobody has to finish today.

// assistantEnd is the last page: nothing is asked there.
const assistantEnd = "revisar"

// inAssistant says whether a campaign is still written: later, the whole form makes
// versions of it.
func inAssistant(status loyalty.Status) bool {
	return status == loyalty.Draft || status == loyalty.Rejected
}

func itoa(n int) string { return strconv.Itoa(n) }

// startCampaignPage asks where to begin.
func (s *server) startCampaignPage(c *fiber.Ctx) error {
	cpg, shop, ok := ownerIn(scopeOf(c), queryText(c, "owner"))
	if !ok {
		return s.chooseOwner(c, "Nueva campaña")
	}
	list := deskRoot(c) + "/campanas"
	owner := ownerText(cpg, shop)
	v := templates.CampaignStartView{
		ListURL: list, Owner: owner, Action: list + "/nueva", ExpertURL: list + "/nueva/completa?owner=" + url.QueryEscape(owner),
	}
	for _, r := range forms.Recipes() {
		v.Recipes = append(v.Recipes, templates.CampaignRecipe{Key: r.Key, Name: r.Name, Text: r.Text})
	}
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		v.Desk, err = s.desk(ctx, c, t)
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.CampaignStart(w, v) })
}

// startCampaignForm makes the draft of a recipe, unless it is there already, and
// leads to its first step.
func (s *server) startCampaignForm(c *fiber.Ctx) error {
	fields := typed(c)
	cpg, shop, ok := ownerIn(scopeOf(c), fields.Get("owner"))
	if !ok {
		return s.chooseOwner(c, "Nueva campaña")
	}
	recipes := forms.Recipes()
	at := slices.IndexFunc(recipes, func(r forms.Recipe) bool { return r.Key == fields.Get("recipe") })
	if at < 0 {
		return c.Redirect(deskRoot(c)+"/campanas/nueva?owner="+url.QueryEscape(ownerText(cpg, shop)), http.StatusSeeOther)
	}
	made, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) {
		return t.StartCampaign(ctx, scopeOf(c), recipes[at].Campaign(store.CampaignInput{CPG: cpg, Owner: shop}))
	})
	if err != nil {
		return err
	}
	return c.Redirect(campaignURL(c, made.ID)+"/asistente/"+forms.Steps(shop != "")[0].Path, http.StatusSeeOther)
}

func (s *server) assistantPage(c *fiber.Ctx) error {
	if c.Params("step") == assistantEnd {
		return s.reviewPage(c, http.StatusOK, "")
	}
	return s.assistant(c, nil)
}

func (s *server) assistantForm(c *fiber.Ctx) error { return s.assistant(c, typed(c)) }

// assistant draws a step, or saves what was typed there and goes on.
func (s *server) assistant(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self, step := scopeOf(c), campaignURL(c, id), c.Params("step")
	v := templates.FormView{
		Back: deskRoot(c) + "/campanas", Action: self + "/asistente/" + step, Submit: "Guardar y seguir", ExpertURL: self + "/editar",
		PreviewURL: deskRoot(c) + "/campanas/vista",
	}
	look := fields == nil || fields.Get("ver") != ""
	var d *campaignDraft
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil || !inAssistant(campaign.Status) {
			return struct{}{}, err
		}
		if d, err = s.newDraft(ctx, t, scope, deskRoot(c), campaign, step); err != nil {
			return struct{}{}, err
		}
		f := d.read(fields)
		f.Hidden("campaign", string(id))
		f.Hidden("step", step)
		v.Title, v.Sections, v.Keep = d.campaign.Name, f.Sections, string(id)+"."+itoa(campaign.Version)+"."+step
		if v.Preview, err = s.campaignPreview(ctx, c, t, d, f); err != nil {
			return struct{}{}, err
		}
		v.Steps = s.assistantSteps(c, d, v.Preview.Findings)
		look = look || f.Searching()
		if look || f.Err() != nil {
			return struct{}{}, f.Err()
		}
		return struct{}{}, s.saveStep(ctx, t, scope, d, fields)
	})
	switch {
	case err != nil && d != nil:
		if p, ok := refused(err); ok && v.Sections != nil {
			if look { // it was only asked how it looks: the preview says what is wrong
				break
			}
			forms.Explain(&v, p.Detail, d.named(p.Errors))
			return s.html(c, p.Status, func(w io.Writer) error { return s.Pages.Form(w, v) })
		}
		return err
	case err != nil:
		return err
	case d == nil:
		return c.Redirect(self, http.StatusSeeOther)
	}
	if look {
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	}
	return c.Redirect(self+"/asistente/"+d.next(fields.Get("ir")), http.StatusSeeOther)
}

// next is where one goes after a step: where was asked, else to the following.
func (d *campaignDraft) next(asked string) string {
	steps := forms.Steps(d.campaign.Owner != "")
	for i, s := range steps {
		switch {
		case s.Path == asked:
			return asked
		case s.Path == d.step.Path && i+1 < len(steps) && asked == "":
			return steps[i+1].Path
		}
	}
	return assistantEnd
}

// saveStep saves a draft's terms, and the reward that fills the card with them.
func (s *server) saveStep(ctx context.Context, t *store.Tx, scope loyalty.Scope, d *campaignDraft, fields url.Values) error {
	_, err := t.ChangeCampaign(ctx, scope, d.campaign.ID, store.CampaignChange{Apply: func(terms *loyalty.Terms) {
		forms.New(fields).Step(*d.step, terms, new(store.RewardInput), d.from)
	}})
	if err != nil || d.main < 0 {
		return err
	}
	reward := d.rewards[d.main]
	if d.mainID == "" {
		_, err = t.CreateReward(ctx, scope, d.campaign.ID, reward)
	} else {
		_, err = t.UpdateReward(ctx, scope, d.mainID, rewardPatchOf(reward, nil))
	}
	return inPart("rewards["+itoa(d.main)+"].", err)
}

// inPart says of fields that are wrong in a part where the part is.
func inPart(prefix string, err error) error {
	p, ok := refused(err)
	if err == nil || !ok || len(p.Errors) == 0 {
		return err
	}
	e := loyalty.Invalid("", "")
	e.Fields = nil
	for _, w := range p.Errors {
		e.Fields = append(e.Fields, loyalty.FieldError{Field: prefix + w.Field, Reason: w.Reason})
	}
	return e
}

// assistantSteps are the assistant's pages, as the draft stands. A finding tells
// by its address on which step it is corrected.
func (s *server) assistantSteps(c *fiber.Ctx, d *campaignDraft, findings []templates.CampaignFinding) []templates.AssistantStep {
	self := campaignURL(c, d.campaign.ID) + "/asistente/"
	var all []templates.AssistantStep
	done := true
	for _, step := range append(forms.Steps(d.campaign.Owner != ""), forms.Step{Path: assistantEnd, Name: "Revisar"}) {
		v := templates.AssistantStep{Name: step.Name, Path: step.Path}
		if d.step == nil {
			v.URL, v.Here = self+step.Path, step.Path == assistantEnd
		} else {
			v.Here = step.Path == d.step.Path
		}
		if v.Here {
			done = false
		}
		v.Done = done
		for _, f := range findings {
			if page, _, _ := strings.Cut(f.URL, "#"); f.Error && (page == self+step.Path || page == "" && v.Here) {
				v.Note = "falta algo"
			}
		}
		all = append(all, v)
	}
	return all
}

// reviewPage is the end of the assistant.
func (s *server) reviewPage(c *fiber.Ctx, status int, wrong string) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self := scopeOf(c), campaignURL(c, id)
	v := templates.CampaignReviewView{
		ListURL: deskRoot(c) + "/campanas", Error: wrong, SimulateURL: self + "/simular", CampaignURL: self, ExpertURL: self + "/editar",
	}
	var d *campaignDraft
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil || !inAssistant(campaign.Status) {
			return struct{}{}, err
		}
		if d, err = s.newDraft(ctx, t, scope, deskRoot(c), campaign, ""); err != nil {
			return struct{}{}, err
		}
		preview, err := s.campaignPreview(ctx, c, t, d, forms.New(nil))
		if err != nil {
			return struct{}{}, err
		}
		names, err := s.campaignNames(ctx, t, scope, campaign)
		if err != nil {
			return struct{}{}, err
		}
		v.Name, v.Preview, v.Steps = campaign.Name, *preview, s.assistantSteps(c, d, preview.Findings)
		if v.DiscardURL, err = discardURL(ctx, c, t, id); err != nil {
			return struct{}{}, err
		}
		v.Parts = termsWords(&campaign.Terms, names)
		for i := range v.Parts {
			v.Parts[i].URL = self + partPage(v.Parts[i].Title)
		}
		for _, r := range campaign.Rewards {
			v.Rewards = append(v.Rewards, rewardWords(r, names, false, self))
		}
		if steps := campaignSteps(campaign.Status, false, self+"/estado"); len(steps) > 0 {
			v.Send = &steps[0]
		}
		return struct{}{}, nil
	})
	switch {
	case err != nil:
		return err
	case d == nil:
		return c.Redirect(self, http.StatusSeeOther)
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.CampaignReview(w, v) })
}

// partPage is where a part of the terms is written, by its title.
func partPage(title string) string {
	switch title {
	case "Tarjeta", "Cómo se gana":
		return "/asistente/gana"
	case "Fechas":
		return "/asistente/fechas"
	case "Productos":
		return "/asistente/productos"
	case "Tiendas":
		return "/asistente/tiendas"
	}
	return "/editar"
}
