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

func (s *server) invitationsPage(c *fiber.Ctx) error {
	return s.drawInvitations(c, http.StatusOK, "")
}

// drawInvitations shows a tendero what the shops may take part in.
func (s *server) drawInvitations(c *fiber.Ctx, status int, wrong string) error {
	v := templates.InvitationsView{Action: "/tienda/invitaciones", Error: wrong}
	v.Flash = map[string]string{"accept": "Listo: tu tienda ya participa.", "join": "Listo: tu tienda ya participa.", "decline": "Listo: le dijimos que no a la marca."}[c.Query("hecho")]
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		var err error
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		scope := scopeOf(c)
		if scope.Role != loyalty.RoleTendero { // an admin answers for no shop here
			return struct{}{}, nil
		}
		names, err := ownerNames(ctx, t, scope, mapped(scope.Shops, func(shop loyalty.ID) owner { return owner{shop: shop} })...)
		if err != nil {
			return struct{}{}, err
		}
		all, err := t.CampaignsToJoin(ctx, scope)
		for _, i := range all {
			line := templates.InvitationLine{
				Campaign: string(i.Campaign.ID), Shop: string(i.Shop), Name: i.Campaign.Name, Earn: upperFirst(earnWords(i.Campaign.Campaign)) + ".",
				Dates: upperFirst(datesWords(&i.Campaign.Terms)), Invited: i.Status == store.Invited,
			}
			if len(scope.Shops) > 1 {
				line.ShopName = names[i.Shop]
			}
			for _, r := range i.Campaign.Rewards {
				line.Rewards = append(line.Rewards, r.Name)
			}
			v.Invitations = append(v.Invitations, line)
		}
		return struct{}{}, err
	})
	if err != nil {
		return err
	}
	return s.html(c, status, func(w io.Writer) error { return s.Pages.Invitations(w, v) })
}

// answerForm is a shop's answer to an invitation, or its joining by itself.
func (s *server) answerForm(c *fiber.Ctx) error {
	answer := formText(c, "answer")
	_, err := tx(s, c, func(ctx context.Context, t *store.Tx) (p store.Participant, err error) {
		campaign, err := formID(c, "campaign", loyalty.CodeNotFound)
		if err != nil {
			return p, err
		}
		shop, err := formID(c, "shop", loyalty.CodeNotFound)
		if err != nil {
			return p, err
		}
		switch answer {
		case "accept", "decline":
			return t.AnswerInvitation(ctx, scopeOf(c), campaign, shop, answer == "accept")
		case "join":
			return t.JoinCampaign(ctx, scopeOf(c), campaign, shop)
		}
		return p, loyalty.Invalid("answer", "elige una respuesta")
	})
	if err != nil {
		if p, ok := refused(err); ok {
			return s.drawInvitations(c, p.Status, words(p))
		}
		return err
	}
	return c.Redirect("/tienda/invitaciones?hecho="+answer, http.StatusSeeOther)
}
