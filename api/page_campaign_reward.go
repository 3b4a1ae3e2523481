package api

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// rewardWords says what a reward is and asks for.
func rewardWords(r store.Reward, n naming, editable bool, self string) templates.CampaignReward {
	v := templates.CampaignReward{Name: r.Name, Cost: unitWords(r.Unit, r.Threshold), Stock: "sin límite", Active: r.Active}
	if r.Stock != nil {
		v.Stock = "quedan " + loyalty.Thousands(max(*r.Stock-r.Taken, 0)) + " de " + loyalty.Thousands(*r.Stock)
	}
	if r.Taken > 0 {
		v.Details = append(v.Details, countWords(r.Taken, "pedido", "pedidos"))
	}
	if r.Cost > 0 {
		v.Details = append(v.Details, "te cuesta "+r.Cost.String())
	}
	if r.PerConsumer != nil {
		v.Details = append(v.Details, "máximo "+strconv.Itoa(*r.PerConsumer)+" por cliente")
	}
	if !r.StartsAt.IsZero() {
		v.Details = append(v.Details, "desde el "+dayWords(r.StartsAt))
	}
	if !r.EndsAt.IsZero() {
		v.Details = append(v.Details, "hasta el "+dayWords(r.EndsAt))
	}
	if r.MinTier != "" {
		v.Details = append(v.Details, "desde el nivel "+r.MinTier)
	}
	if r.Segment != "" {
		v.Details = append(v.Details, "solo para "+n.list([]loyalty.ID{r.Segment}, "segmento", "segmentos"))
	}
	if len(r.Shops) > 0 {
		v.Details = append(v.Details, "se entrega en "+n.list(r.Shops, "tienda", "tiendas"))
	}
	v.Details = append(v.Details, "el código vale "+days(r.CodeDays))
	if editable {
		v.EditURL = self + "/premios/" + string(r.ID)
	}
	return v
}

// rewardChange says which part of a reward a version changed.
func rewardChange(d store.FieldChange) string {
	name := func(raw json.RawMessage) string {
		var r struct{ Name string }
		if json.Unmarshal(raw, &r) != nil {
			return ""
		}
		return r.Name
	}
	if now := name(d.To); now != "" {
		return "Premio: " + now + "."
	}
	if was := name(d.From); was != "" {
		return "Premio: " + was + "."
	}
	return "Cambió un premio."
}

func (s *server) newRewardPage(c *fiber.Ctx) error    { return s.rewardForm(c, nil) }
func (s *server) createRewardForm(c *fiber.Ctx) error { return s.rewardForm(c, typed(c)) }

// rewardForm draws the form of a reward, new or of the campaign, or saves what
// was typed.
func (s *server) rewardForm(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self := scopeOf(c), campaignURL(c, id)
	v := templates.FormView{Title: "Nuevo premio", Back: self + "#premios", Action: self + "/premios", Submit: "Guardar premio"}
	look := fields == nil
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (r store.Reward, err error) {
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return r, err
		}
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil {
			return r, err
		}
		v.Intro = campaign.Name
		in, active, known := store.RewardInput{Unit: campaign.Scheme.Unit(), Threshold: campaign.Goal}, new(bool), false
		if wanted := c.Params("reward"); wanted != "" {
			at := slices.IndexFunc(campaign.Rewards, func(r store.Reward) bool { return string(r.ID) == wanted })
			if at < 0 {
				return r, fiber.ErrNotFound
			}
			r, known = campaign.Rewards[at], true
			in, *active = rewardInputOf(r), r.Active
			v.Title, v.Action = "Cambiar premio", v.Action+"/"+wanted
		} else {
			active = nil
		}
		from, err := catalogueOf(ctx, t, scope, deskRoot(c), campaign.Campaign)
		if err != nil {
			return r, err
		}
		f := forms.New(fields)
		f.Reward(&in, active, &campaign.Terms, from)
		v.Sections = f.Sections
		if look = look || f.Searching(); look {
			return r, *from.Failed
		}
		if err := f.Err(); err != nil {
			return r, err
		}
		if !known {
			return t.CreateReward(ctx, scope, id, in)
		}
		return t.UpdateReward(ctx, scope, r.ID, rewardPatchOf(in, active))
	})
	switch {
	case err != nil:
		return s.explain(c, v, err)
	case look:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Form(w, v) })
	}
	return c.Redirect(self+"?hecho=premio#premios", http.StatusSeeOther)
}

func rewardInputOf(r store.Reward) store.RewardInput {
	return store.RewardInput{
		Name: r.Name, Unit: r.Unit, Threshold: r.Threshold, Cost: r.Cost, Stock: r.Stock, PerConsumer: r.PerConsumer,
		StartsAt: r.StartsAt, EndsAt: r.EndsAt, CodeDays: r.CodeDays, MinTier: r.MinTier, Segment: r.Segment, Shops: r.Shops,
	}
}

func rewardPatchOf(in store.RewardInput, active *bool) store.RewardPatch {
	return store.RewardPatch{
		Name: &in.Name, Unit: &in.Unit, Threshold: &in.Threshold, Cost: &in.Cost, Stock: &in.Stock, PerConsumer: &in.PerConsumer,
		StartsAt: &in.StartsAt, EndsAt: &in.EndsAt, CodeDays: &in.CodeDays, MinTier: &in.MinTier, Segment: &in.Segment, Shops: &in.Shops, Active: active,
	}
}
