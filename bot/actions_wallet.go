package bot

import (
	"context"
	"strings"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Actions that look at what a consumer has, and take a reward.

func loadBalance(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	w, url, ok, err := t.walletAndLink(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	var rows []flows.Row
	for _, b := range w.Balances {
		if !b.Enrolled || !b.RunsAt(t.now) && !b.Ready {
			continue
		}
		goal, reward := aim(b)
		rows = append(rows, flows.Row{
			"campaign": b.Name, "shop": "", "unit": string(b.Scheme.Unit()), "balance": itoa(b.Balance), "goal": itoa(goal),
			"missing": itoa(max(goal-b.Balance, 0)), "reward": reward, "ready": yes(b.Ready),
		})
	}
	if len(rows) == 0 {
		return when("none", flows.VarCardURL, url)
	}
	return when("some", flows.VarBalances, flows.EncodeList(rows), flows.VarCardURL, url)
}

// aim is what a balance goes for: the best reward that can be had, else the
// nearest to come, else the campaign's goal itself.
func aim(b store.Balance) (goal int64, reward string) {
	goal, reward = b.Goal, "completar tu tarjeta"
	for _, r := range b.Rewards { // by threshold, the lowest first
		if !inStock(r) {
			continue
		}
		if r.Threshold <= b.Balance || !b.Ready {
			goal, reward = r.Threshold, r.Name
		}
		if r.Threshold > b.Balance {
			break
		}
	}
	return goal, reward
}

// mostMovements is how many lines a message may list.
const mostMovements = 10

func loadHistory(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	_, url, ok, err := t.walletAndLink(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	movements, err := t.tx.History(ctx, t.person.ID, mostMovements)
	if err != nil {
		return flows.Outcome{}, err
	}
	taken, err := t.tx.TakenRewards(ctx, t.person.ID, mostMovements)
	if err != nil {
		return flows.Outcome{}, err
	}
	var rows []flows.Row
	for len(movements)+len(taken) > 0 {
		// The newer of the two comes first.
		if len(movements) == 0 || len(taken) > 0 && taken[0].RequestedAt.After(movements[0].OccurredAt) {
			rows = append(rows, takenRow(taken[0]))
			taken = taken[1:]
			continue
		}
		rows = append(rows, historyRows(movements[0])...)
		movements = movements[1:]
	}
	if len(rows) == 0 {
		return when("none", flows.VarCardURL, url)
	}
	return when("some", flows.VarMovements, flows.EncodeList(rows[:min(len(rows), mostMovements)]), flows.VarCardURL, url)
}

// takenRow is the line of a reward that was taken.
func takenRow(r store.Taken) flows.Row {
	return flows.Row{
		"date": loyalty.DayInWords(in(r.RequestedAt, r.TimeZone)), "shop": r.Shop, "detail": r.Reward,
		"unit": string(r.Unit), "amount": itoa(-r.Amount), "kind": "redeem",
	}
}

// historyRows are the lines of one purchase: one for each campaign that it
// counted in, only the first with the day and the products, lest it read as
// several purchases; or one that says that it counted in none.
func historyRows(m store.Movement) []flows.Row {
	items := make([]string, len(m.Items))
	for i, it := range m.Items {
		items[i] = itoa(it.Quantity) + " " + it.Name
	}
	row := func(unit loyalty.Unit, amount int64) flows.Row {
		kind := "earn"
		if m.Status == "reversed" {
			kind, amount = "reverse", -amount
		}
		return flows.Row{
			"date": loyalty.DayInWords(in(m.OccurredAt, m.TimeZone)), "shop": m.Shop, "detail": strings.Join(items, ", "),
			"unit": string(unit), "amount": itoa(amount), "kind": kind,
		}
	}
	if len(m.Earned) == 0 {
		return []flows.Row{row(loyalty.Point, 0)}
	}
	rows := make([]flows.Row, len(m.Earned))
	for i, e := range m.Earned {
		rows[i] = row(e.Unit, e.Amount)
		if i > 0 {
			rows[i]["date"], rows[i]["shop"], rows[i]["detail"] = "", "", ""
		}
		rows[i]["campaign"] = e.Campaign
	}
	return rows
}

func listRewards(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	w, url, ok, err := t.walletAndLink(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	var rows []flows.Row
	for _, b := range w.Balances {
		for _, r := range b.Rewards {
			if !inStock(r) || !b.RunsAt(t.now) && b.Balance < r.Threshold {
				continue
			}
			rows = append(rows, flows.Row{
				"reward": r.Name, "campaign": b.Name, "threshold": itoa(r.Threshold), "unit": string(b.Scheme.Unit()),
				"missing": itoa(max(r.Threshold-b.Balance, 0)), "ready": yes(b.Balance >= r.Threshold),
			})
		}
	}
	if len(rows) == 0 {
		return when("none")
	}
	return when("some", flows.VarRewards, flows.EncodeList(rows), flows.VarCardURL, url)
}

// wish is a reward with the balance that is to pay it.
type wish struct {
	balance store.Balance
	reward  store.Reward
}

func (w wish) missing() int64 { return max(w.reward.Threshold-w.balance.Balance, 0) }

func (w wish) notReady() (flows.Outcome, error) {
	return when("not_ready", flows.VarCampaign, w.balance.Name, flows.VarReward, w.reward.Name,
		flows.VarMissing, itoa(w.missing()), flows.VarUnit, string(w.balance.Scheme.Unit()))
}

func requestRedemption(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	w, ok, err := t.wallet(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	var ready, soon, gone []wish
	for _, b := range w.Balances {
		for _, r := range b.Rewards {
			switch one := (wish{b, r}); {
			case one.missing() > 0 && b.RunsAt(t.now) && inStock(r):
				soon = append(soon, one)
			case one.missing() > 0:
			case inStock(r):
				ready = append(ready, one)
			default:
				gone = append(gone, one)
			}
		}
	}
	if args[flows.VarChoice] != "" {
		row, ok := chosen(args)
		if !ok {
			return when("invalid")
		}
		return redeem(ctx, t, w, loyalty.ID(row["id"]), append(append(ready, gone...), soon...))
	}
	open, err := t.tx.OpenRedemptions(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	switch {
	case len(ready) == 1:
		return redeem(ctx, t, w, ready[0].reward.ID, ready)
	case len(ready) > 1:
		rows := make([]flows.Row, len(ready))
		for i, r := range ready {
			rows[i] = flows.Row{"id": string(r.reward.ID), "label": r.reward.Name + " (" + r.balance.Name + ")"}
		}
		return when("choose", flows.VarChoices, flows.EncodeList(rows))
	case len(open) > 0:
		return redemptionIs("open", t, w, open[len(open)-1])
	case len(gone) > 0:
		return when("out_of_stock", flows.VarReward, gone[0].reward.Name)
	case len(soon) > 0:
		nearest := soon[0]
		for _, s := range soon {
			// Stamps and points are no common measure; the part that is done is.
			if float64(s.missing())/float64(s.reward.Threshold) < float64(nearest.missing())/float64(nearest.reward.Threshold) {
				nearest = s
			}
		}
		return nearest.notReady()
	}
	return when("none")
}

// redeem takes one reward.
func redeem(ctx context.Context, t *turn, w store.Wallet, reward loyalty.ID, known []wish) (flows.Outcome, error) {
	before, err := t.tx.OpenRedemptions(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	var r store.Redemption
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		r, err = tx.RequestRedemption(ctx, t.person.ID, reward)
		return err
	})
	if err != nil {
		return flows.Outcome{}, err
	}
	var wanted wish
	for _, k := range known {
		if k.reward.ID == reward {
			wanted = k
		}
	}
	switch failed {
	case "":
	case loyalty.CodeRewardOutOfStock:
		return when("out_of_stock", flows.VarReward, wanted.reward.Name)
	case loyalty.CodeRewardNotReady:
		return wanted.notReady()
	default:
		return when("invalid")
	}
	for _, o := range before {
		if o.ID == r.ID {
			return redemptionIs("open", t, w, r)
		}
	}
	return redemptionIs("requested", t, w, r)
}

// redemptionIs tells of a redemption, and where to go with it when there is
// only one place.
func redemptionIs(outcome string, t *turn, w store.Wallet, r store.Redemption) (flows.Outcome, error) {
	shop := ""
	for _, b := range w.Balances {
		if b.Name == r.Campaign && len(b.Shops) == 1 && !b.AllShops {
			for _, c := range w.Cards {
				if c.ShopID != nil && *c.ShopID == b.Shops[0] {
					shop = c.Shop
				}
			}
		}
	}
	return when(outcome, flows.VarRedemptionCode, r.Code, flows.VarReward, r.Reward, flows.VarShop, shop,
		flows.VarExpires, dayWord(in(r.ExpiresAt, zone(w)), in(t.now, zone(w))))
}

// mostCampaigns is how many a message tells of.
const mostCampaigns = 5

func listCampaigns(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	shops, err := t.shopsAround(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	seen := map[loyalty.ID]bool{}
	var rows []flows.Row
	for _, shop := range shops {
		offers, err := t.tx.CampaignsAt(ctx, shop, t.now)
		if err != nil {
			return flows.Outcome{}, err
		}
		for _, o := range offers {
			reward, ok := firstReward(o.Rewards)
			if seen[o.ID] || !ok || len(o.Products) == 0 || len(rows) == mostCampaigns {
				continue
			}
			seen[o.ID] = true
			rows = append(rows, campaignRow(o, reward))
		}
	}
	if len(rows) == 0 {
		return when("none")
	}
	return when("some", flows.VarCampaigns, flows.EncodeList(rows))
}

func campaignRow(o store.CampaignOffer, reward store.Reward) flows.Row {
	until := ""
	if !o.EndsAt.IsZero() {
		// The end is the first moment that counts no more.
		until = loyalty.DayInWords(in(o.EndsAt.Add(-1), loyalty.DefaultTimeZone))
	}
	names := make([]string, 0, 4)
	for i, p := range o.Products {
		if i == 3 && len(o.Products) > 4 {
			names = append(names, itoa(int64(len(o.Products)-3))+" más")
			break
		}
		names = append(names, p.Name)
	}
	products := strings.Join(names, ", ")
	if n := len(names); n > 1 {
		products = strings.Join(names[:n-1], ", ") + " o " + names[n-1]
	}
	return flows.Row{
		"campaign": o.Name, "products": products, "goal": itoa(reward.Threshold), "unit": string(o.Scheme.Unit()),
		"reward": reward.Name, "until": until,
	}
}

// shopsAround are the shops whose campaigns concern the writer: a consumer's, a
// tendero's own, else a few.
func (t *turn) shopsAround(ctx context.Context) ([]loyalty.ID, error) {
	var ids []loyalty.ID
	w, ok, err := t.wallet(ctx)
	if err != nil {
		return nil, err
	}
	if ok {
		for _, c := range w.Cards {
			if c.ShopID != nil {
				ids = append(ids, *c.ShopID)
			}
		}
	}
	if t.tendero && len(ids) == 0 {
		shops, err := t.tx.TenderoShops(ctx, t.person.ID)
		if err != nil {
			return nil, err
		}
		for _, s := range shops {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		shops, _, err := t.tx.Shops(ctx, loyalty.Scope{Role: loyalty.RoleConsumer}, store.ShopFilter{}, store.Page{Limit: 3})
		if err != nil {
			return nil, err
		}
		for _, s := range shops {
			ids = append(ids, s.ID)
		}
	}
	return ids, nil
}

// walletAndLink is the wallet and the link that opens it.
func (t *turn) walletAndLink(ctx context.Context) (w store.Wallet, url string, ok bool, err error) {
	if w, ok, err = t.wallet(ctx); err != nil || !ok {
		return w, "", ok, err
	}
	url, _, err = t.tx.ChatLink(ctx, t.person.ID)
	return w, url, true, err
}
