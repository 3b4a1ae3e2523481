package bot

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Actions of getting a card.

func resolveShop(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	// A code that is mistyped is no code, and stays with the name: Lupita (K7M2QX).
	name, _, _ := strings.Cut(args[flows.VarShopName], "(")
	name = strings.TrimSpace(name)
	code := args[flows.VarShopCode]
	if code == "" && name == "" {
		return shopInWords(ctx, t, args[flows.VarText])
	}
	if code != "" {
		shop, err := t.tx.ShopByCode(ctx, code)
		failed, err := meaning(err)
		switch {
		case err != nil:
			return flows.Outcome{}, err
		case failed == "":
			return when("found", flows.VarShopCode, shop.Code, flows.VarShop, shop.Name)
		case failed == loyalty.CodeShopInactive:
			return closedShop(ctx, t, code)
		}
	}
	// No code, or one of no shop: the name may still say it.
	shops, err := t.tx.ShopsByName(ctx, name)
	if err != nil {
		return flows.Outcome{}, err
	}
	if len(shops) == 0 {
		if name == "" {
			name = code
		}
		return when("none", flows.VarQuery, name)
	}
	return shopsFound(shops)
}

func shopsFound(shops []store.Shop) (flows.Outcome, error) {
	if len(shops) == 1 {
		return when("found", flows.VarShopCode, shops[0].Code, flows.VarShop, shops[0].Name)
	}
	return when("several", flows.VarChoices, shopChoices(shops))
}

// shopInWords looks for a shop's name where the grammar shows none: whether
// "de La Esquinita" is a name or a place, only the list of shops can tell.
func shopInWords(ctx context.Context, t *turn, text string) (flows.Outcome, error) {
	words := strings.Fields(text)
	for i, w := range words {
		if w = strings.ToLower(w); w != "de" && w != "del" && w != "en" {
			continue
		}
		name := words[i+1:]
		if !slices.ContainsFunc(name, func(w string) bool { return !noShopName[strings.ToLower(w)] }) {
			break
		}
		shops, err := t.tx.ShopsByName(ctx, strings.Join(name, " "))
		if err != nil {
			return flows.Outcome{}, err
		}
		if len(shops) > 0 {
			return shopsFound(shops)
		}
	}
	shops, err := bareShopName(ctx, t, text)
	if err != nil {
		return flows.Outcome{}, err
	}
	if len(shops) > 0 {
		return shopsFound(shops)
	}
	return when("missing")
}

// Limits on a text that may be a shop's name and nothing else.
const (
	mostNameWords   = 5
	leastNameLetter = 4
)

// bareShopName finds the shops of a text that is hardly more than a name:
// Lupita, Abarrotes Lupita, la de doña Tere.
func bareShopName(ctx context.Context, t *turn, text string) ([]store.Shop, error) {
	words := strings.Fields(strings.Trim(text, " .,;:!¡?¿"))
	for len(words) > 0 && beforeShopName[strings.ToLower(words[0])] {
		words = words[1:]
	}
	name := strings.Join(words, " ")
	letters := 0
	for _, r := range name {
		if unicode.IsLetter(r) {
			letters++
		}
	}
	if len(words) > mostNameWords || letters < leastNameLetter || !slices.ContainsFunc(words, func(w string) bool { return !noShopName[strings.ToLower(w)] }) {
		return nil, nil
	}
	return t.tx.ShopsByName(ctx, name)
}

// beforeShopName are words before a name: en la de doña Tere.
var beforeShopName = map[string]bool{"la": true, "el": true, "de": true, "del": true, "en": true, "es": true, "con": true}

// namesShop lets a shop's name be enough of a first message. Who has a card
// means something else by it.
func namesShop(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	if _, ok, err := t.wallet(ctx); err != nil || ok {
		return flows.Outcome{Name: "none"}, err
	}
	shops, err := bareShopName(ctx, t, args[flows.VarText])
	if err != nil || len(shops) == 0 {
		return flows.Outcome{Name: "none"}, err
	}
	return when("named")
}

// noShopName are words that do not name a shop by themselves: "de la tienda" is
// no wish for the one that is called Tienda La Paz.
var noShopName = map[string]bool{
	"el": true, "la": true, "los": true, "las": true, "mi": true, "tu": true, "su": true, "una": true, "un": true, "esta": true,
	"tienda": true, "tiendita": true, "puntos": true, "sellos": true, "lealtad": true, "cliente": true, "aquí": true, "aqui": true,
}

// shopChoices lists shops so that people can tell them apart.
func shopChoices(shops []store.Shop) string {
	rows := make([]flows.Row, len(shops))
	for i, s := range shops {
		label := []string{s.Name}
		for _, part := range []string{s.Street, s.City} {
			if part != "" {
				label = append(label, part)
			}
		}
		rows[i] = flows.Row{"id": s.Code, "label": strings.Join(label, ", ")}
	}
	return flows.EncodeList(rows)
}

// closedShop says that a shop takes part no more.
func closedShop(ctx context.Context, t *turn, code string) (flows.Outcome, error) {
	name, err := t.tx.ShopNameOf(ctx, code)
	if err != nil {
		return flows.Outcome{}, err
	}
	if name == "" {
		name = "esa tienda"
	}
	return when("inactive", flows.VarShop, name)
}

func chooseShop(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	row, ok := chosen(args)
	if !ok {
		return when("invalid")
	}
	shop, err := t.tx.ShopByCode(ctx, row["id"])
	failed, err := meaning(err)
	if err != nil || failed != "" { // closed since it was offered
		return flows.Outcome{Name: "invalid"}, err
	}
	return when("chosen", flows.VarShopCode, shop.Code, flows.VarShop, shop.Name)
}

func createCard(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	var o store.Onboarding
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		o, err = tx.Onboard(ctx, t.person.ID, args[flows.VarShopCode], t.message.MessageID)
		return err
	})
	if err != nil {
		return flows.Outcome{}, err
	}
	if failed != "" {
		return closedShop(ctx, t, args[flows.VarShopCode])
	}
	offer, err := callToBuy(ctx, t, o.Shop)
	if err != nil {
		return flows.Outcome{}, err
	}
	outcome := "existing"
	switch {
	case o.Created:
		outcome = "created"
	case o.Joined:
		outcome = "joined"
	}
	return when(outcome,
		flows.VarCardURL, o.CardURL, flows.VarCardCode, o.CardCode, flows.VarShopCode, o.Shop.Code, flows.VarShop, o.Shop.Name,
		flows.VarProduct, offer.product, flows.VarGoal, offer.goal, flows.VarUnit, offer.unit,
		flows.VarReward, offer.reward, flows.VarCampaign, offer.campaign)
}

// offer is a call to buy: what, how often, for what. All empty: nothing runs.
type offer struct{ product, goal, unit, reward, campaign string }

// callToBuy finds what to buy at a shop: the first campaign in which a purchase
// counts at once, with the reward that is nearest.
func callToBuy(ctx context.Context, t *turn, shop store.Shop) (offer, error) {
	campaigns, err := t.tx.CampaignsAt(ctx, shop.ID, t.now)
	if err != nil {
		return offer{}, err
	}
	for _, c := range campaigns {
		reward, ok := firstReward(c.Rewards, t.now)
		if !ok || len(c.Products) == 0 || c.Enrolment == loyalty.OnRequest {
			continue
		}
		return offer{
			product: c.Products[0].Name, goal: itoa(reward.Threshold), unit: string(reward.Unit),
			reward: reward.Name, campaign: c.Name,
		}, nil
	}
	return offer{}, nil
}

// firstReward is the nearest reward that anybody can have now.
func firstReward(rewards []store.Reward, now time.Time) (store.Reward, bool) {
	var best store.Reward
	for _, r := range rewards {
		if forAnybody(r, now) && (best.ID == "" || r.Threshold < best.Threshold) {
			best = r
		}
	}
	return best, best.ID != ""
}

func forAnybody(r store.Reward, now time.Time) bool {
	return r.Active && (r.Stock == nil || r.Taken < *r.Stock) && r.MinTier == "" && r.Segment == "" &&
		!now.Before(r.StartsAt) && (r.EndsAt.IsZero() || now.Before(r.EndsAt))
}

func loadProfile(_ context.Context, t *turn, _ vars) (flows.Outcome, error) {
	if t.person.Name == nil || *t.person.Name == "" {
		return when("unknown")
	}
	return when("known", flows.VarName, *t.person.Name)
}

func saveName(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	name := tidyName(args[flows.VarName])
	if name == "" {
		return when("invalid")
	}
	if err := t.tx.SaveName(ctx, t.person.ID, name); err != nil {
		return flows.Outcome{}, err
	}
	t.person.Name = &name
	return when("saved", flows.VarName, name)
}

func saveBirthday(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	if !isBirthday(args[flows.VarBirthday], t.now) {
		return when("invalid")
	}
	if err := t.tx.SaveBirthday(ctx, t.person.ID, args[flows.VarBirthday]); err != nil {
		return flows.Outcome{}, err
	}
	return when("saved")
}

func showCard(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	url, code, err := t.tx.ReissueLink(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	if url == "" {
		return when("no_card")
	}
	return when("shown", flows.VarCardURL, url, flows.VarCardCode, code)
}

func issueEvidenceCode(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	w, ok, err := t.wallet(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	e, err := t.tx.IssueEvidence(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	url, _, err := t.tx.ChatLink(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	return when("issued", flows.VarEvidenceCode, e.Code, flows.VarExpires, moment(e.ExpiresAt, t.now, zone(w)), flows.VarCardURL, url)
}

func optOut(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	return flows.Outcome{Name: "done"}, t.tx.OptOut(ctx, t.person.ID, t.message.MessageID)
}

func optIn(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	return flows.Outcome{Name: "done"}, t.tx.OptIn(ctx, t.person.ID, t.message.MessageID)
}

// eraseMe erases also who has no card: a name, and what was written here.
func eraseMe(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	_, ok, err := t.wallet(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	outcome := "done"
	if !ok {
		outcome = "no_card"
	}
	return flows.Outcome{Name: outcome}, t.tx.Erase(ctx, t.person.ID, t.message.MessageID)
}

func reportMissingStamp(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	return openCase(ctx, t, store.CaseMissingStamp, args[flows.VarText])
}

func requestHuman(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	return openCase(ctx, t, store.CaseHuman, args[flows.VarText])
}

func openCase(ctx context.Context, t *turn, kind store.CaseKind, note string) (flows.Outcome, error) {
	c, err := t.tx.OpenCase(ctx, t.person.ID, kind, note)
	if err != nil {
		return flows.Outcome{}, err
	}
	// The end of a UUIDv7 is random: enough to name a case by on the phone.
	id := string(c.ID)
	return when("recorded", flows.VarCase, strings.ToUpper(id[len(id)-6:]))
}
