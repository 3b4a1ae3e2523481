package api

import (
	"context"
	"io"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// campaignsPerPage is how many campaigns a page lists.
const campaignsPerPage = 50

// campaignList is what the list is drawn from.
type campaignList struct {
	desk      templates.DeskView
	campaigns []store.Campaign
	next      loyalty.ID
	owners    naming
}

// campaignsPage lists the campaigns that the caller owns; an admin's, all.
func (s *server) campaignsPage(c *fiber.Ctx) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	p.Limit = campaignsPerPage
	scope := scopeOf(c)
	list, err := tx(s, c, func(ctx context.Context, t *store.Tx) (l campaignList, err error) {
		if l.desk, err = s.desk(ctx, c, t); err != nil {
			return l, err
		}
		all, next, err := t.Campaigns(ctx, scope, store.CampaignFilter{}, p)
		if err != nil {
			return l, err
		}
		for _, v := range all {
			if v.OwnedBy(scope) {
				l.campaigns = append(l.campaigns, v)
			}
		}
		l.next = next
		l.owners, err = ownerNames(ctx, t, scope, ownersOf(l.campaigns)...)
		return l, err
	})
	if err != nil {
		return err
	}
	root := deskRoot(c)
	v := templates.CampaignsView{Desk: list.desk, NewURL: root + "/campanas/nueva", Admin: scope.All()}
	if list.next != "" {
		v.NextURL = root + "/campanas?cursor=" + string(list.next)
	}
	for _, campaign := range list.campaigns {
		act, yours := nextActor(campaign.Status, scope.All())
		v.Campaigns = append(v.Campaigns, templates.CampaignLine{
			URL: root + "/campanas/" + string(campaign.ID), Name: campaign.Name, Owner: ownerOf(campaign, list.owners),
			Status: statusOfCampaign(campaign.Status), Dates: upperFirst(datesWords(&campaign.Terms)), Act: act, Yours: yours,
		})
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Campaigns(w, v) })
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
		return "Falta que su dueño la envíe a revisión.", !admin
	case loyalty.InReview:
		if admin {
			return "Te toca revisarla.", true
		}
		return "Qoa la está revisando.", false
	case loyalty.Rejected:
		return "Falta que su dueño la corrija.", !admin
	case loyalty.Approved:
		return "Falta activarla.", true
	}
	return "", false
}
