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
		l.owners, err = ownerNames(ctx, t, scope)
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

// ownerNames calls companies by their names, and a tendero's or an admin's shops.
func ownerNames(ctx context.Context, t *store.Tx, scope loyalty.Scope) (naming, error) {
	names := naming{}
	if scope.Role != loyalty.RoleTendero {
		err := everyPage(func(p store.Page) (loyalty.ID, error) {
			all, next, err := t.CPGs(ctx, scope, p)
			for _, v := range all {
				names[v.ID] = v.Name
			}
			return next, err
		})
		if err != nil || !scope.All() {
			return names, err
		}
	}
	err := everyPage(func(p store.Page) (loyalty.ID, error) {
		all, next, err := t.Shops(ctx, scope, store.ShopFilter{}, p)
		for _, v := range all {
			names[v.ID] = v.Name
		}
		return next, err
	})
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
