package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// walletView puts each campaign under one of the consumer's shops: the one for
// which it counts, else that of the last purchase, else the first that takes
// part. A campaign of five shops is one card, not five.
//
// Shops that are under none have nothing of their own: what counts there stands
// elsewhere. What waits at the counter already is not to be asked for again.
func walletView(w store.Wallet, waiting map[loyalty.ID]bool, now time.Time) (out, also []templates.CardShop) {
	names := make(map[loyalty.ID]string, len(w.Cards))
	under := make(map[loyalty.ID][]templates.CardCampaign, len(w.Cards))
	served := make(map[loyalty.ID]bool, len(w.Cards))
	for _, card := range w.Cards {
		if card.ShopID != nil {
			names[*card.ShopID] = card.Shop
		}
	}
	var orphans []templates.CardShop
	for len(w.Balances) > 0 {
		// What a campaign holds in its units comes one after the other.
		b, n := w.Balances[0], len(w.Balances[0].Scheme.Units())
		v := campaignView(w.Balances[:n], names, now)
		if !b.PerShop {
			holdBack(v.Balances, waiting)
		}
		w.Balances = w.Balances[n:]
		for _, shop := range b.Shops {
			served[shop] = true
		}
		home := b.ShopID
		if home == "" {
			home = b.LastShop
		}
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
		orphans = append(orphans, templates.CardShop{Name: cmp.Or(b.Shop, b.OwnerName), Campaigns: []templates.CardCampaign{v}})
	}
	for _, card := range w.Cards {
		switch {
		case card.ShopID == nil:
			out = append(out, templates.CardShop{Name: card.Brand})
		case len(under[*card.ShopID]) > 0 || !served[*card.ShopID]:
			out = append(out, shopView(card, under[*card.ShopID]))
		default:
			also = append(also, shopView(card, nil))
		}
	}
	return append(out, orphans...), also
}

// holdBack locks the rewards that wait at the counter: who asks for one of them again
// gets the same code.
func holdBack(all []templates.CardBalance, waiting map[loyalty.ID]bool) {
	for _, b := range all {
		for i := range b.Rewards {
			if r := &b.Rewards[i]; !r.Locked && waiting[loyalty.ID(r.ID)] {
				r.Locked, r.Why = true, "Ya lo pediste: recógelo primero"
			}
		}
	}
}

func shopView(card store.WalletCard, campaigns []templates.CardCampaign) templates.CardShop {
	return templates.CardShop{Name: card.Shop, Place: card.City, ShareURL: "/q/" + card.ShopCode, Campaigns: campaigns}
}

// deliverers are those of the consumer's shops that hand a reward out; none where
// that is not known.
func deliverers(w *store.Wallet, reward loyalty.ID) (names []string) {
	for i := range w.Balances {
		b := &w.Balances[i]
		at := slices.IndexFunc(b.Rewards, func(r store.OfferedReward) bool { return r.ID == reward })
		if at < 0 {
			continue
		}
		for _, card := range w.Cards {
			if card.ShopID == nil || len(names) == mostNamed {
				continue
			}
			only := b.Rewards[at].Shops
			if slices.Contains(b.Shops, *card.ShopID) && (len(only) == 0 || slices.Contains(only, *card.ShopID)) {
				names = append(names, card.Shop)
			}
		}
		return names
	}
	return nil
}

// mostNamed is how many products or shops a call to buy names.
const mostNamed = 4

// campaignView shows what one campaign holds; all are its balances.
func campaignView(all []store.Balance, shops map[loyalty.ID]string, now time.Time) templates.CardCampaign {
	b := all[0]
	v := templates.CardCampaign{ID: string(b.ID), Name: b.Name, Brand: b.OwnerName, Shop: b.Shop, Tier: tierOfCard(&b)}
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
	for i := range all {
		v.Balances = append(v.Balances, balanceView(&all[i], now))
	}
	return v
}

func balanceView(b *store.Balance, now time.Time) templates.CardBalance {
	v := templates.CardBalance{
		ID: string(b.ID) + string(b.ShopID) + string(b.Unit), Campaign: b.Name, Enrollment: string(b.EnrollmentID), Stamps: b.Unit == loyalty.Stamp,
		Balance: int(b.Balance), Goal: int(b.Goal), Pending: int(b.Pending),
	}
	if b.Expiring != nil {
		v.Expiring, v.ExpiresAt = int(b.Expiring.Amount), b.Expiring.At.In(loyalty.Zone(""))
	}
	for _, r := range b.Rewards {
		v.Rewards = append(v.Rewards, templates.CardReward{
			ID: string(r.ID), Name: r.Name, Cost: int(r.Threshold), Locked: r.Locked != "", Why: lockWords(r, now),
		})
	}
	return v
}

// lockWords says what keeps a reward locked that more sellos would not open.
func lockWords(r store.OfferedReward, now time.Time) string {
	switch r.Locked {
	case store.LockValidity:
		if now.Before(r.StartsAt) {
			return "Se puede pedir desde el " + dayWords(r.StartsAt)
		}
		return "Ya no se puede pedir"
	case store.LockTier:
		return "Desde el nivel " + r.MinTier
	case store.LockLimit:
		return "Ya lo pediste las veces que se puede"
	case store.LockStock:
		return "Se agotó"
	case store.LockBudget:
		return "Por ahora no hay"
	case store.LockSegment, store.LockThreshold:
	}
	return ""
}

func tierOfCard(b *store.Balance) *templates.CardTier {
	t := b.Tier
	if t == nil {
		return nil
	}
	v := &templates.CardTier{Name: t.Level, Discount: t.Discount, Next: t.Next}
	if day, err := time.Parse(time.DateOnly, t.Until); t.AtRisk && err == nil {
		v.AtRisk = loyalty.DayInWords(day.AddDate(0, 0, -1))
	}
	var missing []string
	if n := t.Missing.Purchases; n > 0 {
		missing = append(missing, countWords(n, "compra", "compras"))
	}
	if n := t.Missing.Spend; n > 0 {
		missing = append(missing, n.String()+" de compra")
	}
	if n := t.Missing.Earned; n > 0 {
		units := b.Scheme.Units()
		missing = append(missing, unitWords(units[len(units)-1], n))
	}
	if len(missing) > 0 {
		// The verb goes with what stands next to it.
		v.Missing = "Te faltan " + strings.Join(missing, " o ")
		if strings.HasPrefix(missing[0], "1 ") {
			v.Missing = "Te falta " + strings.Join(missing, " o ")
		}
	}
	return v
}

func pendingView(m store.Movement) templates.CardPending {
	sale := purchaseView(m)
	v := templates.CardPending{ID: string(m.ID), At: sale.At, Shop: sale.Shop, Items: sale.Items}
	for _, e := range m.Pending {
		v.Gives = append(v.Gives, unitWords(e.Unit, e.Amount)+" en "+e.Campaign)
	}
	return v
}

func purchaseView(m store.Movement) templates.CardPurchase {
	v := templates.CardPurchase{
		At: m.OccurredAt.In(loyalty.Zone(m.TimeZone)), Shop: m.Shop, Pending: m.Status == "pending", Reversed: m.Status == "reversed",
	}
	for _, i := range m.Items {
		v.Items = append(v.Items, itemWords(i.Quantity, i.Name))
	}
	for _, e := range m.Earned {
		v.Earned = append(v.Earned, "+"+unitWords(e.Unit, e.Amount))
	}
	return v
}

// boughtView is purchaseView of what the own page reads of a purchase.
func boughtView(b *store.Bought) templates.CardPurchase {
	v := templates.CardPurchase{
		At: b.At.In(loyalty.Zone(b.TimeZone)), Shop: b.Shop, Pending: b.Status == "pending", Reversed: b.Status == "reversed",
		Items: make([]string, len(b.Items)), Earned: make([]string, len(b.Earned)),
	}
	for n, i := range b.Items {
		v.Items[n] = itemWords(i.Quantity, i.Name)
	}
	for n, e := range b.Earned {
		v.Earned[n] = "+" + unitWords(e.Unit, e.Amount)
	}
	return v
}

func itemWords(quantity int64, name string) string {
	return strconv.FormatInt(quantity, 10) + " × " + name
}
