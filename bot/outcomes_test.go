package bot_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// actor carries out actions for the people of a world and notes what came of
// them.
type actor struct {
	t    *testing.T
	w    *bottest.World
	seen map[string]bool
	n    int
}

// act carries an action out, wants an outcome, and gives its variables.
func (a *actor) act(who loyalty.ID, action, want string, pairs ...string) map[string]string {
	a.t.Helper()
	args := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	a.n++
	var out flows.Outcome
	a.w.Do(func(tx *store.Tx) (err error) {
		out, err = a.w.Runner.Act(a.t.Context(), tx, who, "message-"+strconv.Itoa(a.n), action, args)
		return err
	})
	require.Equal(a.t, want, out.Name, "%s %v: %v", action, args, out.Vars)
	a.seen[action+"="+out.Name] = true
	return out.Vars
}

func items(rows ...flows.Row) string { return flows.EncodeList(rows) }

func TestEveryOutcomeOfEveryActionComesAbout(t *testing.T) {
	w := bottest.New(t)
	a := &actor{t: t, w: w, seen: map[string]bool{}}
	person := func(number string) loyalty.ID {
		w.Phone(number).Writes("text", "hola")
		return w.Phone(number).Person()
	}
	ana, luis := person("+525512345678"), person("+525587654321")
	lupita, chava := person(bottest.TenderoPhone), person(bottest.EsquinaPhone)
	const code, shop = flows.VarShopCode, "K7M2QR"

	// Getting a card.
	a.act(ana, "resolve_shop", "found", code, shop)
	a.act(ana, "resolve_shop", "missing")
	a.act(ana, "resolve_shop", "none", flows.VarShopName, "Tornillos")
	a.act(ana, "names_shop", "named", flows.VarText, "Abarrotes Lupita")
	a.act(ana, "resolve_shop", "found", flows.VarText, "la de Lupita")
	a.act(ana, "names_shop", "none", flows.VarText, "un vuelo a Cancún")
	choices := a.act(ana, "resolve_shop", "several", flows.VarShopName, "La Esquina")[flows.VarChoices]
	a.act(ana, "choose_shop", "chosen", flows.VarChoices, choices, flows.VarChoice, "2")
	a.act(ana, "choose_shop", "invalid", flows.VarChoices, choices, flows.VarChoice, "3")
	for _, action := range []string{"load_balance", "load_history", "show_card", "issue_evidence_code", "list_rewards", "request_redemption", "erase_me"} {
		a.act(luis, action, "no_card")
	}
	luis = person("+525587654322") // the other one was erased
	a.act(luis, "list_campaigns", "some")
	card := a.act(ana, "create_card", "created", code, w.DonPepe.Code)[flows.VarCardCode]
	a.act(ana, "list_rewards", "none")
	a.act(ana, "list_campaigns", "none")
	a.act(ana, "request_redemption", "none")
	a.act(ana, "create_card", "joined", code, shop)
	a.act(ana, "create_card", "existing", code, shop)
	a.act(ana, "load_profile", "unknown")
	a.act(ana, "save_name", "invalid", flows.VarName, "...")
	assert.Equal(t, "Ana", a.act(ana, "save_name", "saved", flows.VarName, "ANA")[flows.VarName])
	a.act(ana, "load_profile", "known")
	a.act(ana, "save_birthday", "invalid", flows.VarBirthday, "02-30")
	a.act(ana, "save_birthday", "saved", flows.VarBirthday, "02-29")
	a.act(ana, "show_card", "shown")
	a.act(ana, "opt_out", "done")
	a.act(ana, "opt_in", "done")
	a.act(ana, "report_missing_stamp", "recorded", flows.VarText, "me falta uno")
	a.act(ana, "request_human", "recorded", flows.VarText, "ayuda")

	// The tendero's side of a purchase.
	a.act(ana, "load_balance", "none")
	a.act(ana, "load_history", "none")
	a.act(ana, "request_redemption", "not_ready")
	a.act(luis, "resolve_own_shop", "none")
	a.act(lupita, "resolve_own_shop", "one")
	a.act(chava, "resolve_own_shop", "several")
	a.act(luis, "scan_link", "none")
	a.act(lupita, "scan_link", "ready")
	a.act(lupita, "shop_report", "empty", code, shop)
	a.act(lupita, "find_code", "missing")
	a.act(lupita, "find_code", "unknown", flows.VarBadCode, "EK7M2QXX")
	a.act(lupita, "find_code", "found", flows.VarCardCode, card)
	a.act(lupita, "find_code", "redemption", flows.VarRedemptionCode, "R1234567")

	a.act(lupita, "resolve_items", "missing")
	a.act(lupita, "resolve_items", "unknown", flows.VarItems, items(flows.Row{"query": "tornillos", "quantity": "1"}))
	a.act(lupita, "resolve_items", "bad_quantity", flows.VarItems, items(flows.Row{"gtin": bottest.Papas, "quantity": "0"}))
	two := items(flows.Row{"query": "cocas", "quantity": "2", "candidates": bottest.Coca600 + "," + bottest.Coca2L})
	choices = a.act(lupita, "resolve_items", "ambiguous", flows.VarItems, two)[flows.VarChoices]
	a.act(lupita, "choose_product", "invalid", flows.VarItems, two, flows.VarChoices, choices, flows.VarChoice, "9")
	bought := a.act(lupita, "choose_product", "chosen", flows.VarItems, two, flows.VarChoices, choices, flows.VarChoice, "1")[flows.VarItems]
	bought = a.act(lupita, "resolve_items", "ok", flows.VarItems, bought)[flows.VarItems]

	evidence := a.act(ana, "issue_evidence_code", "issued")[flows.VarEvidenceCode]
	a.act(lupita, "find_code", "found", flows.VarEvidenceCode, evidence)
	record := func(want, code, items string) {
		t.Helper()
		a.act(lupita, "record_evidence", want, flows.VarShopCode, shop, flows.VarCode, code, flows.VarItems, items)
	}
	record("recorded", evidence, bought)
	a.act(lupita, "find_code", "used", flows.VarEvidenceCode, evidence)
	record("used", evidence, bought)
	record("nothing_earned", card, items(flows.Row{"gtin": bottest.Galleta, "quantity": "1"}))
	record("unknown", loyalty.NewCode(loyalty.EvidenceCode, storetest.Rand(3)), bought)
	record("unknown_product", card, items(flows.Row{"gtin": "7501000111206", "quantity": "1"}))
	record("refused", card, items(flows.Row{"gtin": bottest.Papas, "quantity": "1000000"}))
	a.act(luis, "record_evidence", "refused", flows.VarShopCode, shop, flows.VarCode, card, flows.VarItems, bought)
	late := a.act(ana, "issue_evidence_code", "issued")[flows.VarEvidenceCode]
	w.Clock.Advance(25 * time.Hour)
	a.act(lupita, "find_code", "expired", flows.VarEvidenceCode, late)
	record("expired", late, bought)
	a.act(lupita, "shop_report", "some", code, shop)
	a.act(lupita, "request_reorder", "recorded", code, shop, flows.VarText, "PEDIR")
	a.act(lupita, "request_reorder", "listed", code, shop, flows.VarItems, bought)
	a.act(lupita, "send_shop_qr", "sent", code, shop)
	a.act(ana, "load_balance", "some")
	a.act(ana, "load_history", "some")
	a.act(ana, "list_rewards", "some")

	// Rewards.
	record("recorded", card, items(flows.Row{"gtin": bottest.Papas, "quantity": "60"}))
	redeemed := a.act(ana, "request_redemption", "requested")[flows.VarRedemptionCode]
	a.act(ana, "request_redemption", "open")
	second := w.AddReward(store.RewardInput{Name: "Una playera", Threshold: 12, Cost: 100})
	choices = a.act(ana, "request_redemption", "choose")[flows.VarChoices]
	a.act(ana, "request_redemption", "invalid", flows.VarChoices, choices, flows.VarChoice, "9")
	deliver := func(who loyalty.ID, want, code, shop string) {
		t.Helper()
		a.act(who, "deliver_redemption", want, flows.VarRedemptionCode, code, flows.VarShopCode, shop)
	}
	deliver(lupita, "unknown", "R1234567", shop)
	deliver(chava, "foreign_shop", redeemed, w.Sur.Code)
	deliver(lupita, "delivered", redeemed, shop)
	deliver(lupita, "already", redeemed, shop)
	old := a.act(ana, "request_redemption", "requested", flows.VarChoices, choices, flows.VarChoice, "1")[flows.VarRedemptionCode]
	w.Clock.Advance(store.RedemptionLife)
	deliver(lupita, "expired", old, shop)
	soldOut(t, w, second, w.Reward)
	a.act(ana, "request_redemption", "out_of_stock")

	retire(t, w, second)
	retire(t, w, w.Reward)

	// What else keeps a reward back.
	locked := func(want string, in store.RewardInput) {
		t.Helper()
		in.Name, in.Threshold, in.Cost = want, 1, 100
		id := w.AddReward(in)
		// As one that was offered, since the list shows none that is locked.
		offered := items(flows.Row{"id": string(id) + "/" + enrollmentOf(t, w, ana), "label": want})
		a.act(ana, "request_redemption", want, flows.VarChoices, offered, flows.VarChoice, "1")
		retire(t, w, id)
	}
	locked("not_valid", store.RewardInput{StartsAt: w.Clock.Now().Add(24 * time.Hour)})
	w.Change(func(terms *loyalty.Terms) {
		terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Oro", Purchases: 1000}}}
	})
	locked("needs_tier", store.RewardInput{MinTier: "Oro"})

	var friends store.Segment
	w.Do(func(tx *store.Tx) (err error) {
		friends, err = tx.CreateSegment(t.Context(), admin, store.SegmentInput{CPG: w.CPG, Name: "Amigos"})
		return err
	})
	locked("not_for_you", store.RewardInput{Segment: friends.ID})
	once := 1
	third := w.AddReward(store.RewardInput{Name: "Una gorra", Threshold: 1, Cost: 100, PerConsumer: &once})
	gorra := a.act(ana, "request_redemption", "requested")[flows.VarRedemptionCode]
	a.act(ana, "cancel_redemption", "cancelled", flows.VarRedemptionCode, gorra)
	deliver(lupita, "cancelled", gorra, shop)
	a.act(ana, "cancel_redemption", "none")
	gorra = a.act(ana, "request_redemption", "requested")[flows.VarRedemptionCode]
	deliver(lupita, "delivered", gorra, shop)
	a.act(ana, "request_redemption", "limit_reached")
	retire(t, w, third)

	for range 2 {
		id := w.AddReward(store.RewardInput{Name: "Un vaso", Threshold: 1, Cost: 100})
		offered := items(flows.Row{"id": string(id) + "/" + enrollmentOf(t, w, ana), "label": "Un vaso"})
		a.act(ana, "request_redemption", "requested", flows.VarChoices, offered, flows.VarChoice, "1")
	}
	mine := a.act(ana, "cancel_redemption", "choose")[flows.VarChoices]
	a.act(ana, "cancel_redemption", "invalid", flows.VarChoices, mine, flows.VarChoice, "9")
	a.act(ana, "cancel_redemption", "cancelled", flows.VarChoices, mine, flows.VarChoice, "2")

	// A card's own code is no proof where the campaign says so.
	w.Change(func(terms *loyalty.Terms) { terms.Pending = &loyalty.Pending{} })
	a.act(ana, "confirm_pending", "none")
	a.act(ana, "deny_pending", "none")
	a.act(luis, "confirm_pending", "none")
	record("pending", card, bought)
	a.act(ana, "deny_pending", "denied")
	record("pending", card, bought)
	a.act(ana, "confirm_pending", "confirmed")
	record("pending", card, bought)
	// As many stamps and rewards as have been given, and none more.
	w.Change(func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 2 + 60 + 2, Rewards: 3} })
	a.act(ana, "confirm_pending", "nothing")
	locked("budget_exhausted", store.RewardInput{})

	// What closes while people talk.
	w.Do(func(tx *store.Tx) error {
		no := false
		_, err := tx.UpdateShop(t.Context(), admin, w.Lupita.ID, store.ShopPatch{Active: &no})
		return err
	})
	a.act(ana, "resolve_shop", "inactive", code, shop)
	a.act(luis, "create_card", "inactive", code, shop)
	a.act(ana, "erase_me", "done")

	for _, name := range flows.Actions().Names() {
		for _, o := range flows.Actions()[name].Outcomes {
			assert.True(t, a.seen[name+"="+o.Name], "no test for %s=%s", name, o.Name)
		}
	}
}

func soldOut(t *testing.T, w *bottest.World, rewards ...loyalty.ID) {
	t.Helper()
	w.Do(func(tx *store.Tx) error {
		if _, err := tx.ExpireRedemptions(t.Context(), 10); err != nil {
			return err
		}
		for _, id := range rewards {
			taken := int64(0)
			if id == w.Reward {
				taken = 1 // the one that was delivered
			}
			stock := &taken
			if _, err := tx.UpdateReward(t.Context(), admin, id, store.RewardPatch{Stock: &stock}); err != nil {
				return err
			}
		}
		return nil
	})
}

// retire takes a reward off the list.
func retire(t *testing.T, w *bottest.World, reward loyalty.ID) {
	t.Helper()
	w.Do(func(tx *store.Tx) error {
		no := false
		_, err := tx.UpdateReward(t.Context(), admin, reward, store.RewardPatch{Active: &no})
		return err
	})
}

// enrollmentOf is the person's part in the campaign.
func enrollmentOf(t *testing.T, w *bottest.World, person loyalty.ID) (id string) {
	t.Helper()
	w.Do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(t.Context(), person)
		for _, b := range wallet.Balances {
			if b.ID == w.Campaign {
				id = string(b.EnrollmentID)
			}
		}
		return err
	})
	return id
}
