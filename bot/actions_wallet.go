package bot

import (
	"context"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Actions that look at what a consumer has, and could have.

func loadBalance(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	w, url, pending, ok, err := t.ownWallet(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	var rows, waiting []flows.Row
	for _, b := range w.Balances {
		if b.Enrolled && (b.RunsAt(t.now) || b.Ready || b.Expiring != nil) {
			rows = append(rows, balanceRow(b, zone(w)))
		}
	}
	for _, m := range pending[:min(len(pending), mostMovements)] {
		waiting = append(waiting, flows.Row{
			"date": loyalty.DayInWords(in(m.OccurredAt, m.TimeZone)), "shop": m.Shop, "detail": bought(m), "waiting": m.WaitingRows(),
		})
	}
	if len(rows)+len(waiting) == 0 {
		return when("none", flows.VarCardURL, url)
	}
	return when("some", flows.VarBalances, flows.EncodeList(rows), flows.VarPending, flows.EncodeList(waiting), flows.VarCardURL, url)
}

// balanceRow is the line of a balance. What belongs to the campaign as a whole
// stands with its first unit.
func balanceRow(b store.Balance, zone string) flows.Row {
	goal, reward := aim(b)
	row := flows.Row{
		"campaign": b.Name, "shop": b.Shop, "unit": string(b.Unit), "balance": itoa(b.Balance), "goal": "",
		"missing": itoa(max(goal-b.Balance, 0)), "reward": reward, "ready": yes(b.Ready),
		"tier": "", "discount": "", "at_risk": "", "expiring": "", "expires": "",
	}
	if goal > 0 {
		row["goal"] = itoa(goal)
	}
	if e := b.Expiring; e != nil {
		row["expiring"], row["expires"] = itoa(e.Amount), loyalty.DayInWords(in(e.At, zone))
	}
	if v := b.Tier; v != nil && b.Unit == b.Scheme.Units()[0] {
		row["tier"], row["discount"] = v.Level, v.Discount
		if day, err := time.Parse(time.DateOnly, v.Until); err == nil && v.AtRisk {
			row["at_risk"] = loyalty.DayInWords(day)
		}
	}
	return row
}

// aim is what a balance goes for: the best reward that can be requested, else the
// nearest of which only more is missing, else the campaign's goal itself; "" where
// there is nothing to go for.
func aim(b store.Balance) (goal int64, reward string) {
	for _, r := range b.Rewards { // by threshold, the lowest first
		switch {
		case r.Locked == "":
			goal, reward = r.Threshold, r.Name
		case r.Locked == store.LockThreshold && !b.Ready && reward == "":
			goal, reward = r.Threshold, r.Name
		}
	}
	if reward == "" && b.Goal > b.Balance {
		goal, reward = b.Goal, "completar tu tarjeta"
	}
	return goal, reward
}

// mostMovements is how many lines a message may list.
const mostMovements = 10

func loadHistory(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	_, url, _, ok, err := t.ownWallet(ctx)
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

// bought is what a purchase was of, in one line.
func bought(m store.Movement) string {
	items := make([]string, len(m.Items))
	for i, it := range m.Items {
		items[i] = itoa(it.Quantity) + " " + it.Name
	}
	return strings.Join(items, ", ")
}

// historyRows are the lines of one purchase: one for each campaign that it
// counted in, or will once it is confirmed, only the first with the day and the
// products, lest it read as several purchases; or one that says that it counted in
// none.
func historyRows(m store.Movement) []flows.Row {
	var rows []flows.Row
	add := func(campaign string, unit loyalty.Unit, amount int64, kind string) {
		row := flows.Row{"date": "", "shop": "", "detail": "", "campaign": campaign, "unit": string(unit), "amount": itoa(amount), "kind": kind}
		if len(rows) == 0 {
			row["date"], row["shop"], row["detail"] = loyalty.DayInWords(in(m.OccurredAt, m.TimeZone)), m.Shop, bought(m)
		}
		rows = append(rows, row)
	}
	for _, e := range m.Earned {
		if m.Status == "reversed" {
			add(e.Campaign, e.Unit, -e.Amount, "reverse")
		} else {
			add(e.Campaign, e.Unit, e.Amount, "earn")
		}
	}
	if m.Status == "pending" {
		for _, e := range m.Pending {
			add(e.Campaign, e.Unit, e.Amount, "pending")
		}
	}
	if len(rows) == 0 {
		add("", loyalty.Point, 0, "earn")
	}
	return rows
}

func listRewards(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	w, url, _, ok, err := t.ownWallet(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	var rows []flows.Row
	for _, b := range w.Balances {
		for _, r := range b.Rewards {
			// What is locked for another reason is no promise to make.
			if r.Locked != "" && (r.Locked != store.LockThreshold || !b.RunsAt(t.now)) {
				continue
			}
			rows = append(rows, flows.Row{
				"reward": r.Name, "campaign": b.Name, "threshold": itoa(r.Threshold), "unit": string(b.Unit),
				"missing": itoa(max(r.Threshold-b.Balance, 0)), "ready": yes(r.Locked == ""),
			})
		}
	}
	if len(rows) == 0 {
		return when("none")
	}
	return when("some", flows.VarRewards, flows.EncodeList(rows), flows.VarCardURL, url)
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
			reward, ok := firstReward(o.Rewards, t.now)
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
		"campaign": o.Name, "products": products, "goal": itoa(reward.Threshold), "unit": string(reward.Unit),
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

// ownWallet is the writer's wallet, the link that opens it, and the purchases that
// wait for a yes; ok is false for who has no card.
func (t *turn) ownWallet(ctx context.Context) (w store.Wallet, url string, pending []store.Movement, ok bool, err error) {
	w, url, pending, err = t.tx.OwnWallet(ctx, t.person.ID)
	if loyalty.CodeOf(err) == loyalty.CodeCardNotFound {
		return w, "", nil, false, nil
	}
	return w, url, pending, err == nil, err
}
