package api

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

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

// walletView puts each campaign under one of the consumer's shops: the one of
// the last purchase, else the first that takes part. A campaign of five shops
// is one card, not five.
func walletView(w store.Wallet, now time.Time) []templates.CardShop {
	names := make(map[loyalty.ID]string, len(w.Cards))
	under := make(map[loyalty.ID][]templates.CardCampaign, len(w.Cards))
	served := make(map[loyalty.ID]bool, len(w.Cards))
	for _, card := range w.Cards {
		if card.ShopID != nil {
			names[*card.ShopID] = card.Shop
		}
	}
	var orphans []templates.CardShop
	for _, b := range w.Balances {
		v := campaignView(b, names, now)
		for _, shop := range b.Shops {
			served[shop] = true
		}
		home := b.LastShop
		if !slices.Contains(b.Shops, home) {
			home = ""
			if len(b.Shops) > 0 {
				home = b.Shops[0]
			}
		}
		if _, ok := names[home]; ok {
			under[home] = append(under[home], v)
			continue
		}
		orphans = append(orphans, templates.CardShop{Name: b.CPGName, Campaigns: []templates.CardCampaign{v}})
	}
	var out []templates.CardShop
	for _, card := range w.Cards {
		switch {
		case card.ShopID == nil:
			out = append(out, templates.CardShop{Name: card.Brand})
		case len(under[*card.ShopID]) > 0 || !served[*card.ShopID]:
			out = append(out, templates.CardShop{Name: card.Shop, Place: card.City, Campaigns: under[*card.ShopID]})
		}
	}
	return append(out, orphans...)
}

// mostNamed is how many products or shops a call to buy names.
const mostNamed = 4

func campaignView(b store.Balance, shops map[loyalty.ID]string, now time.Time) templates.CardCampaign {
	v := templates.CardCampaign{
		ID: string(b.ID), Name: b.Name, Brand: b.CPGName, Stamps: b.Scheme == loyalty.Stamps,
		Balance: int(b.Balance), Goal: int(b.Goal),
	}
	if b.RunsAt(now) {
		v.Join = b.Enrolment == loyalty.OnRequest && !b.Enrolled
		v.Earn = earnWords(b.Campaign)
		for _, p := range b.Products[:min(len(b.Products), mostNamed)] {
			v.Products = append(v.Products, p.Name)
		}
		for _, id := range b.Shops[:min(len(b.Shops), mostNamed)] {
			v.Where = append(v.Where, shops[id])
		}
		if !b.EndsAt.IsZero() {
			v.Until = b.EndsAt.In(loyalty.Zone(""))
		}
	}
	for _, r := range b.Rewards {
		v.Rewards = append(v.Rewards, templates.CardReward{
			ID: string(r.ID), Name: r.Name, Cost: int(r.Threshold), SoldOut: r.Stock != nil && r.Taken >= *r.Stock,
		})
	}
	return v
}

func purchaseView(m store.Movement) templates.CardPurchase {
	v := templates.CardPurchase{
		At: m.OccurredAt.In(loyalty.Zone(m.TimeZone)), Shop: m.Shop, Pending: m.Status == "pending", Reversed: m.Status == "reversed",
	}
	for _, i := range m.Items {
		v.Items = append(v.Items, strconv.FormatInt(i.Quantity, 10)+" × "+i.Name)
	}
	for _, e := range m.Earned {
		v.Earned = append(v.Earned, "+"+unitWords(e.Unit, e.Amount))
	}
	return v
}

func unitWords(unit loyalty.Unit, n int64) string {
	words := map[loyalty.Unit][2]string{loyalty.Stamp: {"sello", "sellos"}, loyalty.Point: {"punto", "puntos"}}[unit]
	if n == 1 {
		return "1 " + words[0]
	}
	return loyalty.Thousands(n) + " " + words[1]
}

// cardEvidence issues an evidence code and shows it on the page.
func (s *server) cardEvidence(c *fiber.Ctx) error {
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		_, err := t.IssueEvidence(ctx, person)
		return err
	})
	if !ok {
		return err
	}
	return c.Redirect(ownURL(c)+"#evidence", http.StatusSeeOther)
}

// cardRedeem asks for a reward. What is refused is said on the page.
func (s *server) cardRedeem(c *fiber.Ctx) error {
	reward, err := loyalty.ParseID(formText(c, "reward"))
	if err != nil {
		return c.Redirect(ownURL(c)+"?aviso="+string(loyalty.CodeNotFound), http.StatusSeeOther)
	}
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		_, err := t.RequestRedemption(ctx, person, reward)
		return err
	})
	if code := string(loyalty.CodeOf(err)); flashWords(code) != "" {
		return c.Redirect(ownURL(c)+"?aviso="+code, http.StatusSeeOther)
	}
	if !ok {
		return err
	}
	return c.Redirect(ownURL(c), http.StatusSeeOther)
}

// cardEnroll lets the consumer into a campaign that begins on request.
func (s *server) cardEnroll(c *fiber.Ctx) error {
	campaign, err := loyalty.ParseID(formText(c, "campaign"))
	if err != nil {
		return c.Redirect(ownURL(c)+"?aviso="+string(loyalty.CodeCampaignNotFound), http.StatusSeeOther)
	}
	ok, err := s.asOwner(c, func(ctx context.Context, t *store.Tx, person loyalty.ID) error {
		return t.Enroll(ctx, person, campaign)
	})
	if code := string(loyalty.CodeOf(err)); flashWords(code) != "" {
		return c.Redirect(ownURL(c)+"?aviso="+code, http.StatusSeeOther)
	}
	if !ok {
		return err
	}
	return c.Redirect(ownURL(c), http.StatusSeeOther)
}

// flashWords is what the page says after a form. Only these words can be made
// to appear: the code comes from the address, which anyone may write.
func flashWords(code string) string {
	switch loyalty.Code(code) {
	case loyalty.CodeRewardNotReady:
		return "Todavía no juntas lo necesario para ese premio."
	case loyalty.CodeRewardOutOfStock:
		return "Ese premio se agotó. Lo que juntaste sigue en tu tarjeta."
	case loyalty.CodeNotFound:
		return "Ese premio ya no está disponible."
	case loyalty.CodeCampaignNotFound:
		return "Esa promoción ya no está en tus tiendas."
	}
	return ""
}

// heartbeat is how often a quiet event stream writes: so that proxies keep it,
// and so that we notice who has gone.
const heartbeat = 15 * time.Second

// longestStream bounds an event stream; browsers come back by themselves.
const longestStream = time.Hour

// cardEvents tells the open page when its card changed. It names nothing: the
// page fetches what is new.
func (s *server) cardEvents(c *fiber.Ctx) error {
	if s.Cards == nil {
		return fiber.ErrNotFound
	}
	var person loyalty.ID
	ok, err := s.asOwner(c, func(_ context.Context, _ *store.Tx, p loyalty.ID) error {
		person = p
		return nil
	})
	if !ok {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no")
	if c.Method() == fiber.MethodHead {
		return nil
	}
	// The stream outlives this handler, its context and its fiber.Ctx.
	ctx := store.WithTrace(context.Background(), store.Trace(c.UserContext()))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { s.stream(ctx, w, person) })
	return nil
}

func (s *server) stream(ctx context.Context, w *bufio.Writer, person loyalty.ID) {
	ctx, cancel := context.WithTimeout(ctx, longestStream)
	defer cancel()
	changed, stop := s.Cards.Subscribe(ctx, person)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	write := func(text string) bool {
		_, err := w.WriteString(text)
		return err == nil && w.Flush() == nil // an error: the reader has gone
	}
	if !write("retry: 2000\n: hola\n\n") {
		return
	}
	for {
		select {
		case <-s.done:
			return
		case <-ctx.Done():
			return
		case _, open := <-changed:
			if !open || !write("event: changed\ndata: {}\n\n") {
				return
			}
		case <-beat.C:
			if !write(": sigo aquí\n\n") {
				return
			}
		}
	}
}
