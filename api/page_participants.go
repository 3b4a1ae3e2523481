package api

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/api/forms"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

func (s *server) participantsPage(c *fiber.Ctx) error { return s.participants(c, nil) }
func (s *server) inviteForm(c *fiber.Ctx) error       { return s.participants(c, typed(c)) }

// participants shows which shops were invited to a campaign or joined it, or
// invites more.
func (s *server) participants(c *fiber.Ctx, fields url.Values) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	scope, self := scopeOf(c), campaignURL(c, id)
	v := templates.ParticipantsView{Back: self, Action: self + "/tiendas", Files: filesAt(self+"/tiendas", nil, "las tiendas")}
	look := fields == nil
	if c.Query("hecho") == "invitadas" {
		v.Flash = "Listo: las tiendas quedaron invitadas."
	}
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		campaign, err := ownCampaign(ctx, t, scope, id)
		if err != nil {
			return struct{}{}, err
		}
		v.Campaign = campaign.Name
		v.How = "Participan todas las que cumplen las reglas, sin invitación."
		switch campaign.Joining {
		case loyalty.JoinByInvitation:
			v.How = "Cada tienda participa cuando acepta tu invitación."
		case loyalty.JoinBySelf:
			v.How = "Cada tienda que cumple las reglas se apunta sola."
		case loyalty.JoinAtOnce:
			v.Action = ""
		}
		if v.Desk, err = s.desk(ctx, c, t); err != nil {
			return struct{}{}, err
		}
		err = everyPage(func(p store.Page) (loyalty.ID, error) {
			all, next, err := t.Participants(ctx, scope, id, "", p)
			for _, shop := range all {
				v.Shops = append(v.Shops, templates.ParticipantLine{Name: shop.ShopName, City: shop.City, Status: participantWords(shop.Status), Since: dayWords(shop.UpdatedAt)})
			}
			return next, err
		})
		if err != nil {
			return struct{}{}, err
		}
		from := forms.Catalogue{Failed: new(error)}
		if err := readShops(ctx, t, scope, deskRoot(c), &from); err != nil {
			return struct{}{}, err
		}
		var shops []loyalty.ID
		f := forms.New(fields)
		f.Invitations(&shops, from.Shops)
		v.Fields = f.Sections[0].Fields
		if look = look || f.Searching(); look || *from.Failed != nil {
			return struct{}{}, *from.Failed
		}
		for _, shop := range shops {
			if _, err := t.InviteShop(ctx, scope, id, shop); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	if p, ok := refused(err); err != nil && ok && v.Fields != nil {
		v.Errors = []templates.FormError{{Text: forms.Plain(words(p))}}
		return s.html(c, p.Status, func(w io.Writer) error { return s.Pages.Participants(w, v) })
	}
	switch {
	case err != nil:
		return err
	case look:
		return s.html(c, http.StatusOK, func(w io.Writer) error { return s.Pages.Participants(w, v) })
	}
	return c.Redirect(self+"/tiendas?hecho=invitadas", http.StatusSeeOther)
}

// participantFile is the list of shops as a file.
func (s *server) participantFile(c *fiber.Ctx) (download, error) {
	id, err := pathID(c)
	if err != nil {
		return download{}, err
	}
	scope := scopeOf(c)
	campaign, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Campaign, error) { return ownCampaign(ctx, t, scope, id) })
	if err != nil {
		return download{}, err
	}
	list := func(ctx context.Context, t *store.Tx, p store.Page) ([]store.Participant, loyalty.ID, error) {
		return t.Participants(ctx, scope, id, "", p)
	}
	return download{name: []string{"tiendas", campaign.Name}, sheets: []export.Sheet{{
		Title: "Tiendas", Columns: []string{"Tienda", "Clave", "Ciudad", "Estado", "Desde"},
		Rows: listed(s, list, func(v store.Participant) []any {
			return []any{v.ShopName, v.ShopCode, v.City, participantWords(v.Status).Word, export.Day(v.UpdatedAt.In(loyalty.Zone("")))}
		}),
	}}}, nil
}

func participantWords(status store.ParticipantStatus) templates.CampaignStatus {
	switch status {
	case store.Invited:
		return templates.CampaignStatus{Word: "invitada", Tone: "degraded"}
	case store.Joined:
		return templates.CampaignStatus{Word: "participa", Tone: "ok"}
	case store.Declined:
		return templates.CampaignStatus{Word: "no aceptó"}
	case store.Left:
	}
	return templates.CampaignStatus{Word: "se salió"}
}
