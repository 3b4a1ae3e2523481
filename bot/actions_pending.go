package bot

import (
	"context"
	"slices"
	"strings"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Actions of a consumer who says whether a purchase was theirs.

func confirmPending(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	var receipts []store.Receipt
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		receipts, err = tx.AnswerPending(ctx, t.person.ID)
		return err
	})
	if err != nil || failed != "" || len(receipts) == 0 { // who has no card has nothing that waits
		return flows.Outcome{Name: "none"}, err
	}
	var earned []flows.Row
	for _, r := range receipts {
		earned = append(earned, flows.DecodeList(r.EarnedRows())...)
	}
	if len(earned) == 0 {
		return when("nothing")
	}
	url, _, err := t.tx.ChatLink(ctx, t.person.ID)
	if err != nil {
		return flows.Outcome{}, err
	}
	return when("confirmed", flows.VarEarned, flows.EncodeList(earned[max(len(earned)-mostMovements, 0):]), flows.VarCardURL, url)
}

func denyPending(ctx context.Context, t *turn, _ vars) (flows.Outcome, error) {
	pending, err := t.tx.PendingPurchases(ctx, t.person.ID)
	if err != nil || len(pending) == 0 {
		return flows.Outcome{Name: "none"}, err
	}
	var denied []loyalty.ID
	failed, err := t.try(ctx, func(tx *store.Tx) (err error) {
		denied, err = tx.DenyPending(ctx, t.person.ID, "")
		return err
	})
	if err != nil || failed != "" || len(denied) == 0 {
		return flows.Outcome{Name: "none"}, err
	}
	var shops []string
	for _, m := range pending {
		if !slices.Contains(shops, m.Shop) {
			shops = append(shops, m.Shop)
		}
	}
	return when("denied", flows.VarShops, strings.Join(shops, ", "))
}
