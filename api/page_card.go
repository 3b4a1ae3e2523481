package api

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// publicCard is what a card's QR opens for a stranger: the same page for every
// code, whether there is such a card or not.
func (s *server) publicCard(c *fiber.Ctx) error {
	code, kind := loyalty.ParseCode(c.Params("card"))
	if kind != loyalty.CardCode {
		return fiber.ErrNotFound
	}
	c.Set("X-Robots-Tag", "noindex, nofollow")
	return s.html(c, http.StatusOK, func(w io.Writer) error {
		return s.Pages.CardPublic(w, templates.CardPublicView{
			CardCode: code, WhatsAppURL: s.chatURL("Quiero mi tarjeta"), ShopURL: "/tienda?code=" + code, PrivacyURL: "/privacidad",
		})
	})
}

// mostHistory is how many purchases, and how many rewards, the page lists.
const mostHistory = 20

// asOwner runs fn for the person whose link it is. A wrong link is answered
// with the way to a new one, and ok is false.
func (s *server) asOwner(c *fiber.Ctx, fn func(context.Context, *store.Tx, loyalty.ID) error) (ok bool, err error) {
	code, kind := loyalty.ParseCode(c.Params("card"))
	if kind != loyalty.CardCode {
		return false, s.cardGone(c)
	}
	wrong := false
	_, err = tx(s, c, func(ctx context.Context, t *store.Tx) (struct{}, error) {
		wrong = false
		person, err := t.OpenChatLink(ctx, c.Params("secret"), code)
		if err != nil {
			wrong = loyalty.CodeOf(err) == loyalty.CodeCardNotFound
			return struct{}{}, err
		}
		return struct{}{}, fn(ctx, t, person)
	})
	if wrong {
		return false, s.cardGone(c)
	}
	return err == nil, err
}

// cardGone answers a link that opens nothing with the way to a new one.
func (s *server) cardGone(c *fiber.Ctx) error {
	return s.notice(c, http.StatusNotFound, templates.CardGone(s.chatURL("mi tarjeta")))
}

func (s *server) cardPage(c *fiber.Ctx) error {
	return s.drawCard(c, func(w io.Writer, v templates.CardView) error { return s.Pages.Card(w, v) })
}

func (s *server) cardFragment(c *fiber.Ctx) error {
	return s.drawCard(c, func(w io.Writer, v templates.CardView) error { return s.Pages.CardFragment(w, v) })
}

func (s *server) drawCard(c *fiber.Ctx, draw func(io.Writer, templates.CardView) error) error {
	code, kind := loyalty.ParseCode(c.Params("card"))
	if kind != loyalty.CardCode {
		return s.cardGone(c)
	}
	card, err := s.DB.CardPage(c.UserContext(), c.Params("secret"), code, mostHistory)
	if loyalty.CodeOf(err) == loyalty.CodeCardNotFound {
		return s.cardGone(c)
	}
	if err != nil {
		return err
	}
	v, err := s.cardView(c, &card)
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return draw(w, v) })
}

// ownURL is the address of the card page that was asked for.
func ownURL(c *fiber.Ctx) string { return "/c/" + c.Params("secret") + "/" + c.Params("card") }

func (s *server) cardView(c *fiber.Ctx, card *store.CardPage) (templates.CardView, error) {
	qr, err := s.qr.SVG(s.cardURL(card.Wallet.CardCode))
	if err != nil {
		return templates.CardView{}, err
	}
	own := ownURL(c)
	v := templates.CardView{
		Name: firstWord(card.Wallet.Name), CardCode: card.Wallet.CardCode, QR: qr, WhatsAppURL: s.chatURL("hola"), PrivacyURL: "/privacidad",
		SiteURL: s.DB.PublicURL(), OwnURL: own, ManifestURL: own + "/app.webmanifest", HistoryURL: own + "/historial", DataURL: own + "/datos", FragmentURL: own + "/fragment", EvidenceAction: own + "/evidence", RedeemAction: own + "/redemptions", EnrollAction: own + "/enrollments",
		CancelAction: own + "/cancellations", ConfirmAction: own + "/confirmations",
		Flash: flashWords(c.Query("aviso")),
	}
	waiting := make(map[loyalty.ID]bool, len(card.Redemptions))
	for i := range card.Redemptions {
		waiting[card.Redemptions[i].RewardID] = true
	}
	v.Wallet, v.Also = walletView(card.Wallet, waiting, s.DB.Now())
	if s.Cards != nil {
		v.EventsURL = own + "/events"
	}
	here := loyalty.Zone("")
	if len(card.Wallet.Cards) > 0 {
		here = loyalty.Zone(card.Wallet.Cards[0].TimeZone)
	}
	v.At = s.DB.Now().In(here)
	if card.Evidence.Code != "" {
		v.Evidence = &templates.CardEvidence{Code: card.Evidence.Code, Expires: card.Evidence.ExpiresAt.In(here)}
	}
	for _, r := range card.Redemptions {
		waits := templates.CardRedemption{
			Code: r.Code, Reward: r.Reward, Campaign: r.Campaign, Where: deliverers(&card.Wallet, r.RewardID), Expires: r.ExpiresAt.In(here),
		}
		if waits.QR, err = s.qr.SVG(r.Code); err != nil {
			return templates.CardView{}, err
		}
		v.Redemptions = append(v.Redemptions, waits)
	}
	for i := range card.Pending {
		v.Waiting = append(v.Waiting, pendingView(card.Pending[i]))
	}
	v.History = make([]templates.CardPurchase, 0, len(card.Bought)+len(card.Taken))
	for i := range card.Bought {
		v.History = append(v.History, boughtView(&card.Bought[i]))
	}
	for _, r := range card.Taken {
		at := here
		if r.TimeZone != "" {
			at = loyalty.Zone(r.TimeZone)
		}
		v.History = append(v.History, templates.CardPurchase{
			At: r.RequestedAt.In(at), Shop: r.Shop, Items: []string{r.Reward}, Earned: []string{"−" + unitWords(r.Unit, r.Amount)}, Reward: true,
		})
	}
	slices.SortStableFunc(v.History, func(a, b templates.CardPurchase) int { return b.At.Compare(a.At) })
	return v, nil
}
