package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Actions of taking a reward, and of giving it back.

// wish is a reward with the balance that is to pay it.
type wish struct {
	balance store.Balance
	reward  store.OfferedReward
}

// id names the wish in a list of choices: where a campaign counts per shop, a
// reward is there once for each.
func (w wish) id() string { return string(w.reward.ID) + "/" + string(w.balance.EnrollmentID) }

// hidden is the wish of a row of choices that is in the wallet no more.
func hidden(row flows.Row) (w wish) {
	reward, enrollment, _ := strings.Cut(row["id"], "/")
	w.reward.ID, w.reward.Name, w.balance.EnrollmentID = loyalty.ID(reward), row["label"], loyalty.ID(enrollment)
	return w
}

func (w wish) missing() int64 { return max(w.reward.Threshold-w.balance.Balance, 0) }

// done is the part of the threshold that is reached: stamps and points are no
// common measure.
func (w wish) done() float64 { return float64(w.balance.Balance) / float64(w.reward.Threshold) }

// wishes sorts the rewards of a wallet: those that can be requested; those that
// something else than the balance keeps back, what may change soonest in front;
// and those of which only more is missing, the nearest in front.
func (t *turn) wishes(w store.Wallet) (ready, blocked, soon []wish) {
	for _, b := range w.Balances {
		for _, r := range b.Rewards {
			switch one := (wish{b, r}); {
			case r.Locked == "":
				ready = append(ready, one)
			case r.Locked == store.LockThreshold:
				if b.RunsAt(t.now) {
					soon = append(soon, one)
				}
			case one.missing() == 0:
				blocked = append(blocked, one)
			}
		}
	}
	slices.SortStableFunc(soon, func(a, b wish) int {
		switch {
		case a.done() > b.done():
			return -1
		case a.done() < b.done():
			return 1
		}
		return 0
	})
	order := []store.Lock{store.LockStock, store.LockBudget, store.LockTier}
	slices.SortStableFunc(blocked, func(a, b wish) int { return place(order, a.reward.Locked) - place(order, b.reward.Locked) })
	return ready, blocked, soon
}

// place is where a lock stands in an order; after all where it does not.
func place(order []store.Lock, l store.Lock) int {
	if n := slices.Index(order, l); n >= 0 {
		return n
	}
	return len(order)
}

func requestRedemption(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	w, ok, err := t.wallet(ctx)
	if err != nil {
		return flows.Outcome{}, err
	}
	if !ok {
		return when("no_card")
	}
	ready, blocked, soon := t.wishes(w)
	if args[flows.VarChoice] != "" {
		row, ok := chosen(args)
		if !ok {
			return when("invalid")
		}
		all := slices.Concat(ready, blocked, soon)
		if n := slices.IndexFunc(all, func(one wish) bool { return one.id() == row["id"] }); n >= 0 {
			return t.redeem(ctx, w, all[n])
		}
		return t.redeem(ctx, w, hidden(row)) // something happened to it since it was offered
	}
	open, err := t.tx.OpenRedemptions(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	switch {
	case len(ready) == 1:
		return t.redeem(ctx, w, ready[0])
	case len(ready) > 1:
		return when("choose", flows.VarChoices, flows.EncodeList(rewardChoices(ready)))
	case len(open) > 0:
		return redemptionIs("open", t, w, open[len(open)-1])
	case len(blocked) > 0 && (len(soon) == 0 || place([]store.Lock{store.LockLimit, store.LockValidity}, blocked[0].reward.Locked) == 2):
		// The store says why, also where it has just changed.
		return t.redeem(ctx, w, blocked[0])
	case len(soon) > 0:
		return soon[0].notReady()
	}
	return when("none")
}

func rewardChoices(ready []wish) []flows.Row {
	rows := make([]flows.Row, len(ready))
	for i, r := range ready {
		of := r.balance.Name
		if r.balance.Shop != "" {
			of += ", " + r.balance.Shop
		}
		rows[i] = flows.Row{"id": r.id(), "label": r.reward.Name + " (" + of + ")"}
	}
	return rows
}

func (w wish) notReady() (flows.Outcome, error) {
	return when("not_ready", flows.VarCampaign, w.balance.Name, flows.VarReward, w.reward.Name,
		flows.VarMissing, itoa(w.missing()), flows.VarUnit, string(w.balance.Unit))
}

// redeem takes one reward.
func (t *turn) redeem(ctx context.Context, w store.Wallet, wanted wish) (flows.Outcome, error) {
	before, err := t.tx.OpenRedemptions(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	var r store.Redemption
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		r, err = tx.RequestRedemptionFrom(ctx, t.person.ID, wanted.reward.ID, wanted.balance.EnrollmentID)
		return err
	})
	if err != nil {
		return flows.Outcome{}, err
	}
	switch failed {
	case "":
	case loyalty.CodeRewardNotReady:
		return wanted.notReady()
	case loyalty.CodeRewardNeedsTier:
		return when("needs_tier", flows.VarReward, wanted.reward.Name, flows.VarTier, wanted.reward.MinTier)
	default:
		outcome, known := refused[failed]
		if !known {
			return when("invalid")
		}
		return when(outcome, flows.VarReward, wanted.reward.Name)
	}
	if slices.ContainsFunc(before, func(o store.Redemption) bool { return o.ID == r.ID }) {
		return redemptionIs("open", t, w, r)
	}
	return redemptionIs("requested", t, w, r)
}

// refused are the outcomes of what keeps a reward back.
var refused = map[loyalty.Code]string{
	loyalty.CodeRewardOutOfStock:   "out_of_stock",
	loyalty.CodeBudgetExhausted:    "budget_exhausted",
	loyalty.CodeRewardLimitReached: "limit_reached",
	loyalty.CodeRewardNotValidNow:  "not_valid",
	loyalty.CodeRewardNotForYou:    "not_for_you",
}

// redemptionIs tells of a redemption, and where to go with it when there is
// only one place.
func redemptionIs(outcome string, t *turn, w store.Wallet, r store.Redemption) (flows.Outcome, error) {
	return when(outcome, flows.VarRedemptionCode, r.Code, flows.VarReward, r.Reward, flows.VarShop, onlyShop(w, r.RewardID),
		flows.VarExpires, dayWord(in(r.ExpiresAt, zone(w)), in(t.now, zone(w))))
}

// onlyShop is the name of the one shop of the wallet that hands a reward out; ""
// where there are more.
func onlyShop(w store.Wallet, reward loyalty.ID) string {
	for _, b := range w.Balances {
		for _, r := range b.Rewards {
			if r.ID != reward {
				continue
			}
			places := r.Shops
			if len(places) == 0 && !b.AllShops {
				places = b.Shops
			}
			for _, c := range w.Cards {
				if len(places) == 1 && c.ShopID != nil && *c.ShopID == places[0] {
					return c.Shop
				}
			}
		}
	}
	return ""
}

func cancelRedemption(ctx context.Context, t *turn, args vars) (flows.Outcome, error) {
	code := args[flows.VarRedemptionCode]
	switch {
	case args[flows.VarChoice] != "":
		row, ok := chosen(args)
		if !ok {
			return when("invalid")
		}
		code = row["id"]
	case code == "":
		open, err := t.tx.OpenRedemptions(ctx, t.person.ID)
		if err != nil {
			return flows.Outcome{}, err
		}
		if len(open) > 1 {
			rows := make([]flows.Row, len(open))
			for i, r := range open {
				rows[i] = flows.Row{"id": r.Code, "label": r.Reward + " (" + r.Campaign + ")"}
			}
			return when("choose", flows.VarChoices, flows.EncodeList(rows))
		}
		if len(open) == 1 {
			code = open[0].Code
		}
	}
	var r store.Redemption
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		r, err = tx.CancelRedemption(ctx, loyalty.Scope{Role: loyalty.RoleConsumer, Person: t.person.ID}, code)
		return err
	})
	if err != nil || failed != "" { // it is another's, or was fetched
		return flows.Outcome{Name: "none"}, err
	}
	return when("cancelled", flows.VarReward, r.Reward)
}
