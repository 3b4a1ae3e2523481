package api

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// A form of a campaign shows beside it what it makes: the consumer's card, what a
// purchase would give by the rules, what WhatsApp would say of it, and what the
// validator finds. Nothing of that is saved.

// triedPieces is how many pieces are bought in the purchase that is shown.
const triedPieces = 2

// previewCampaign answers what is typed in a form of a campaign with its preview.
func (s *server) previewCampaign(c *fiber.Ctx) error {
	fields := typed(c)
	v, err := report(s, c, func(ctx context.Context, t *store.Tx) (*templates.CampaignPreview, error) {
		d, err := s.draftOf(ctx, c, t, fields)
		if err != nil {
			return nil, err
		}
		f := d.read(fields)
		return s.campaignPreview(ctx, c, t, d, f)
	})
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.CampaignPreview(w, *v) })
}

// campaignDraft is a campaign that somebody is writing.
type campaignDraft struct {
	campaign store.Campaign // its terms are what is written
	rewards  []store.RewardInput
	main     int // of them, the one that fills the card; -1 where there is none
	mainID   loyalty.ID
	step     *forms.Step // of the assistant; nil: the whole form
	whole    bool        // it is the whole form that is shown, with all its fields
	from     forms.Catalogue
}

// draftOf finds what a form is about by what it sends along: a campaign that was
// saved, or the owner of one that was not, and the step.
func (s *server) draftOf(ctx context.Context, c *fiber.Ctx, t *store.Tx, fields url.Values) (*campaignDraft, error) {
	scope := scopeOf(c)
	var campaign store.Campaign
	if id := fields.Get("campaign"); id != "" {
		known, err := loyalty.ParseID(id)
		if err != nil {
			return nil, fiber.ErrNotFound
		}
		if campaign, err = ownCampaign(ctx, t, scope, known); err != nil {
			return nil, err
		}
	} else {
		cpg, shop, ok := ownerIn(scope, fields.Get("owner"))
		if !ok {
			return nil, fiber.ErrNotFound
		}
		in := store.CampaignInput{CPG: cpg, Owner: shop}
		campaign.CPG, campaign.Owner, campaign.Terms = cpg, shop, newTerms(in)
	}
	return s.newDraft(ctx, t, scope, deskRoot(c), campaign, fields.Get("step"))
}

func (s *server) newDraft(ctx context.Context, t *store.Tx, scope loyalty.Scope, root string, campaign store.Campaign, step string) (*campaignDraft, error) {
	d := &campaignDraft{campaign: campaign, main: -1}
	if step != "" {
		steps := forms.Steps(campaign.Owner != "")
		at := slices.IndexFunc(steps, func(s forms.Step) bool { return s.Path == step })
		if at < 0 {
			return nil, fiber.ErrNotFound
		}
		d.step = &steps[at]
	}
	for _, r := range campaign.Rewards {
		if !r.Active {
			continue
		}
		fills := r.Unit == campaign.Scheme.Unit() && r.Threshold == campaign.Goal
		if d.main < 0 && (fills || len(campaign.Rewards) == 1) {
			d.main, d.mainID = len(d.rewards), r.ID
		}
		d.rewards = append(d.rewards, rewardInputOf(r))
	}
	var err error
	d.from, err = catalogueOf(ctx, t, scope, root, campaign.Campaign)
	return d, err
}

// read goes through the draft's form: nil draws what there is, else what was typed
// is read into it.
func (d *campaignDraft) read(fields url.Values) *forms.Form {
	f := forms.New(fields)
	if d.step == nil {
		f.Terms(&d.campaign.Terms, d.from)
		return f
	}
	var reward store.RewardInput
	if d.main >= 0 {
		reward = d.rewards[d.main]
	}
	goal := d.campaign.Goal
	f.Step(*d.step, &d.campaign.Terms, &reward, d.from)
	switch {
	case d.main >= 0:
		// The prize of the card is what the card asks for, also where that changed.
		if reward.Threshold == goal {
			reward.Threshold = d.campaign.Goal
		}
		reward.Unit = d.campaign.Scheme.Unit()
		d.rewards[d.main] = reward
	case reward.Name != "":
		d.main = len(d.rewards)
		d.rewards = append(d.rewards, reward)
	}
	return f
}

// campaignPreview draws what a draft would be. f is its form, which says what in it
// could not be read.
func (s *server) campaignPreview(ctx context.Context, c *fiber.Ctx, t *store.Tx, d *campaignDraft, f *forms.Form) (*templates.CampaignPreview, error) {
	scope := scopeOf(c)
	if err := *d.from.Failed; err != nil {
		return nil, err
	}
	trial, err := t.TryCampaign(ctx, scope, d.campaign.Campaign, d.rewards)
	if err != nil {
		return nil, err
	}
	v := &templates.CampaignPreview{Findings: d.findings(c, trial, f)}
	names, err := ownerNames(ctx, t, scope, owner{d.campaign.CPG, d.campaign.Owner})
	if err != nil {
		return nil, err
	}
	bought := s.tryPurchase(trial)
	v.Sale = bought.words
	if v.Chat, err = s.triedMessage(c, trial, bought); err != nil {
		return nil, err
	}
	v.Card, err = s.Pages.CardPreview(triedCard(trial, ownerOf(d.campaign, names), bought, s.DB.Now()))
	return v, err
}

// triedPurchase is what the rules say of a purchase of a draft's product.
type triedPurchase struct {
	product store.Product
	pieces  int64
	gives   loyalty.Judgement
	words   string
}

// usualPrice is that of a product of which nobody said one.
const usualPrice loyalty.Cents = 2000

func (s *server) tryPurchase(trial store.Trial) triedPurchase {
	switch {
	case trial.Wrong != nil:
		return triedPurchase{words: "Corrige lo que falta para ver qué daría una compra."}
	case len(trial.Products) == 0:
		return triedPurchase{words: "Elige productos para ver qué daría una compra."}
	}
	p := trial.Products[0]
	price := cmp.Or(p.ReferencePrice, usualPrice)
	run := trial.Campaign
	run.Status = loyalty.Active
	at := laterOf(s.DB.Now(), run.StartsAt)
	if !run.RunsAt(at) {
		return triedPurchase{words: "La campaña termina antes de que alguien pueda comprar."}
	}
	judge := func(pieces int64) loyalty.Judgement {
		all := loyalty.Evaluate([]loyalty.Candidate{{Campaign: &run, Enrolled: true}}, &loyalty.Sale{
			At: at, Zone: loyalty.Zone(""), Segments: run.Audience.Segments, Holds: func(loyalty.ID, string) bool { return true },
			Lines: []loyalty.Line{{Product: p.ID, Brand: p.Brand, CPG: p.CPG, Quantity: pieces, UnitPrice: price}},
		})
		if len(all) == 0 {
			return loyalty.Judgement{}
		}
		return all[0]
	}
	b := triedPurchase{product: p, pieces: triedPieces, gives: judge(triedPieces)}
	said := func(pieces int64) string {
		return countWords(pieces, "pieza", "piezas") + " de " + p.Name + " (" + price.String() + " cada una)"
	}
	if b.gives.Earned() {
		b.words = "Quien compra " + said(triedPieces) + " gana " + earnedWords(b.gives) + "."
		return b
	}
	b.words = "Quien compra " + said(triedPieces) + " todavía no gana nada."
	for pieces := int64(triedPieces + 1); pieces <= loyalty.MaxQuantity; pieces++ {
		if more := judge(pieces); more.Earned() {
			b.pieces, b.gives = pieces, more
			b.words += " Con " + countWords(pieces, "pieza", "piezas") + " gana " + earnedWords(more) + "."
			break
		}
	}
	return b
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earnedWords(j loyalty.Judgement) string {
	var parts []string
	for _, u := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
		if n := j.Amount(u); n > 0 {
			parts = append(parts, unitWords(u, n))
		}
	}
	if j.Why == loyalty.WhyLimit {
		return listWords(parts) + ": los límites recortan el resto"
	}
	return listWords(parts)
}

// triedCard is the card after the purchase, as the card's page would have it.
func triedCard(trial store.Trial, owner string, bought triedPurchase, now time.Time) templates.CardShop {
	run := trial.Campaign
	run.Status = loyalty.Active
	shops := make(map[loyalty.ID]string, len(trial.Places))
	var where []loyalty.ID
	for _, p := range trial.Places {
		where = append(where, p.ID)
		shops[p.ID] = p.Name
	}
	var products []store.OfferProduct
	for _, p := range trial.Products {
		products = append(products, store.OfferProduct{ID: p.ID, GTIN: p.GTIN, Name: p.Name, Price: p.ReferencePrice})
	}
	var all []store.Balance
	for _, u := range run.Scheme.Units() {
		b := store.Balance{
			Campaign: run, OwnerName: owner, Enrolled: true, Unit: u, Goal: max(run.GoalOf(u), 0), Balance: bought.gives.Amount(u),
			Shops: where, Products: products,
		}
		for _, r := range trial.Rewards {
			if r.Unit != u {
				continue
			}
			offer := store.OfferedReward{Reward: r}
			if r.Threshold > b.Balance {
				offer.Locked = store.LockThreshold
			}
			b.Rewards = append(b.Rewards, offer)
		}
		all = append(all, b)
	}
	v := templates.CardShop{Name: owner, Campaigns: []templates.CardCampaign{campaignView(all, shops, laterOf(now, run.StartsAt))}}
	if len(trial.Places) > 0 {
		v.Name, v.Place = trial.Places[0].Name, trial.Places[0].City
	}
	return v
}

// triedMessage is what the consumer would read of the purchase; nothing where
// there is nothing to say.
func (s *server) triedMessage(c *fiber.Ctx, trial store.Trial, bought triedPurchase) (string, error) {
	if !bought.gives.Earned() {
		return "", nil
	}
	shop := "tu tiendita"
	if len(trial.Places) > 0 {
		shop = trial.Places[0].Name
	}
	r := store.Receipt{Items: []store.ReceiptItem{{GTIN: string(bought.product.GTIN), Name: bought.product.Name, Quantity: bought.pieces}}}
	for _, u := range trial.Campaign.Scheme.Units() {
		n := bought.gives.Amount(u)
		if n == 0 {
			continue
		}
		ready := slices.ContainsFunc(trial.Rewards, func(r store.Reward) bool { return r.Unit == u && r.Threshold <= n })
		r.Earned = append(r.Earned, store.Earned{Campaign: trial.Campaign.Name, Unit: u, Amount: n, Balance: n, Goal: trial.Campaign.GoalOf(u), RewardReady: ready})
	}
	return s.Texts.Render("receipt.earned", map[string]string{
		"shop": shop, "purchased": r.PurchasedRows(), "earned": r.EarnedRows(), "card_url": c.BaseURL() + "/c/…",
	})
}

// findings are what is wrong with a draft, each with where it is corrected.
func (d *campaignDraft) findings(c *fiber.Ctx, trial store.Trial, f *forms.Form) []templates.CampaignFinding {
	var all []templates.CampaignFinding
	var unread []loyalty.FieldError
	if p, ok := refused(f.Err()); f.Err() != nil && ok {
		unread = p.Errors
	}
	for _, e := range forms.Told(f.Sections, d.named(slices.Concat(unread, trial.Wrong))) {
		found := templates.CampaignFinding{Error: true, Text: upperFirst(e.Text) + "."}
		if e.At != "" {
			found.URL = "#" + e.At
		}
		all = append(all, found)
	}
	for _, found := range trial.Findings {
		all = append(all, templates.CampaignFinding{
			Error: found.Severity == loyalty.SeverityError, Text: forms.Plain(found.Message), URL: d.corrects(c, found.Field),
		})
	}
	return all
}

// named calls fields of a campaign as the assistant's steps do.
func (d *campaignDraft) named(wrong []loyalty.FieldError) []loyalty.FieldError {
	if d.step == nil {
		return wrong
	}
	out := slices.Clone(wrong)
	for i := range out {
		for n, w := range d.campaign.Earn {
			if rest, ok := strings.CutPrefix(out[i].Field, "earn["+itoa(n)+"]"); ok {
				out[i].Field = "earn." + string(w.Unit) + rest
			}
		}
		if rest, ok := strings.CutPrefix(out[i].Field, "rewards["+itoa(d.main)+"]"); ok {
			out[i].Field = "rewards[0]" + rest
		}
	}
	return out
}

// corrects is where a field of the draft is written.
func (d *campaignDraft) corrects(c *fiber.Ctx, field string) string {
	self := campaignURL(c, d.campaign.ID)
	wrong := d.named([]loyalty.FieldError{{Field: field}})[0].Field
	at := "#" + templates.FormField{Name: wrong}.ID()
	rewards := strings.HasPrefix(field, "rewards")
	switch {
	case d.whole && !rewards:
		return at
	case d.campaign.ID == "":
		return ""
	case rewards && (d.whole || !inAssistant(d.campaign.Status)):
		return self + "#premios"
	case !inAssistant(d.campaign.Status):
		return self + "/editar" + at
	}
	for _, s := range forms.Steps(d.campaign.Owner != "") {
		switch {
		case !s.About(field):
		case d.step != nil && s.Path == d.step.Path:
			return at
		default:
			return self + "/asistente/" + s.Path + at
		}
	}
	return self + "/editar" + at
}
