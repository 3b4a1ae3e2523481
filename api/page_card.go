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

// ownCard is what the consumer's own page is drawn from.
type ownCard struct {
	wallet      store.Wallet
	history     []store.Movement
	redemptions []store.Redemption
	taken       []store.Taken
	evidence    store.Evidence
	pending     []store.Movement // that ask for a yes
}

// mostHistory is how many purchases the page lists.
const mostHistory = 20

// asOwner runs fn for the person whose link it is. A wrong link is answered
// with the way to a new one, and ok is false.
func (s *server) asOwner(c *fiber.Ctx, fn func(context.Context, *store.Tx, loyalty.ID) error) (ok bool, err error) {
	code, kind := loyalty.ParseCode(c.Params("card"))
	gone := func() (bool, error) {
		return false, s.notice(c, http.StatusNotFound, templates.CardGone(s.chatURL("mi tarjeta")))
	}
	if kind != loyalty.CardCode {
		return gone()
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
		return gone()
	}
	return err == nil, err
}

func readCard(card *ownCard) func(context.Context, *store.Tx, loyalty.ID) error {
	return func(ctx context.Context, t *store.Tx, person loyalty.ID) (err error) {
		if card.wallet, err = t.Wallet(ctx, person); err != nil {
			return err
		}
		if card.history, err = t.History(ctx, person, mostHistory); err != nil {
			return err
		}
		if card.redemptions, err = t.OpenRedemptions(ctx, person); err != nil {
			return err
		}
		if card.taken, err = t.TakenRewards(ctx, person, mostHistory); err != nil {
			return err
		}
		if card.pending, err = t.PendingPurchases(ctx, person); err != nil {
			return err
		}
		card.evidence, err = t.OpenEvidence(ctx, person)
		return err
	}
}

func (s *server) cardPage(c *fiber.Ctx) error {
	return s.drawCard(c, func(w io.Writer, v templates.CardView) error { return s.Pages.Card(w, v) })
}

func (s *server) cardFragment(c *fiber.Ctx) error {
	return s.drawCard(c, func(w io.Writer, v templates.CardView) error { return s.Pages.CardFragment(w, v) })
}

func (s *server) drawCard(c *fiber.Ctx, draw func(io.Writer, templates.CardView) error) error {
	var card ownCard
	if ok, err := s.asOwner(c, readCard(&card)); !ok {
		return err
	}
	v, err := s.cardView(c, card)
	if err != nil {
		return err
	}
	return s.html(c, http.StatusOK, func(w io.Writer) error { return draw(w, v) })
}

// ownURL is the address of the card page that was asked for.
func ownURL(c *fiber.Ctx) string { return "/c/" + c.Params("secret") + "/" + c.Params("card") }

func (s *server) cardView(c *fiber.Ctx, card ownCard) (templates.CardView, error) {
	qr, err := s.qr.SVG(s.cardURL(card.wallet.CardCode))
	if err != nil {
		return templates.CardView{}, err
	}
	own := ownURL(c)
	v := templates.CardView{
		Name: firstWord(card.wallet.Name), CardCode: card.wallet.CardCode, QR: qr, WhatsAppURL: s.chatURL("hola"), PrivacyURL: "/privacidad",
		FragmentURL: own + "/fragment", EvidenceAction: own + "/evidence", RedeemAction: own + "/redemptions", EnrollAction: own + "/enrollments",
		CancelAction: own + "/cancellations", ConfirmAction: own + "/confirmations",
		FormKey: s.formKey(), Flash: flashWords(c.Query("aviso")), Wallet: walletView(card.wallet, s.DB.Now()),
	}
	if s.Cards != nil {
		v.EventsURL = own + "/events"
	}
	here := loyalty.Zone("")
	if len(card.wallet.Cards) > 0 {
		here = loyalty.Zone(card.wallet.Cards[0].TimeZone)
	}
	if card.evidence.Code != "" {
		v.Evidence = &templates.CardEvidence{Code: card.evidence.Code, Expires: card.evidence.ExpiresAt.In(here)}
	}
	for _, r := range card.redemptions {
		v.Redemptions = append(v.Redemptions, templates.CardRedemption{Code: r.Code, Reward: r.Reward, Expires: r.ExpiresAt.In(here)})
	}
	for _, m := range card.pending {
		v.Waiting = append(v.Waiting, pendingView(m))
	}
	for _, m := range card.history {
		v.History = append(v.History, purchaseView(m))
	}
	for _, r := range card.taken {
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
