package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// link of a person's chat: the secret, and the card's code.
func (w *world) link(person loyalty.ID) (secret, code string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		url, card, err := tx.ChatLink(w.t.Context(), person)
		parts := strings.Split(url, "/")
		secret, code = parts[len(parts)-2], card
		return err
	})
	return secret, code
}

// opened is the page that a link opens, as a process sees it.
func (w *world) opened(db *store.DB, secret, code string) store.CardPage {
	w.t.Helper()
	p, err := db.CardPage(w.t.Context(), secret, code, 20)
	require.NoError(w.t, err)
	return p
}

// A lived-in card: the page says what the use cases of its parts say.
func TestTheCardPageIsWhatItsPartsSay(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	perShop := w.made(func(in *store.CampaignInput) {
		in.Terms.PerShop, in.Terms.Shops = true, []loyalty.ID{w.shop.ID, w.otherShop.ID}
		in.Terms.Pending = &loyalty.Pending{}
		in.Terms.Expiry = &loyalty.Expiry{Days: 5}
		three, once := int64(3), 1
		in.Rewards[0].Stock, in.Rewards[0].PerConsumer = &three, &once
	})
	for range 3 {
		w.clock.Advance(time.Hour)
		w.earn(4)
	}
	w.typed("t-1", 2)
	_, err := w.redeem(w.person)
	require.NoError(t, err)
	_, err = w.request(w.person, perShop.Rewards[0].ID)
	require.NoError(t, err)
	code := w.evidence()
	w.clock.Advance(time.Minute)

	secret, card := w.link(w.person)
	page := w.opened(w.db, secret, card)
	require.Equal(t, page, w.opened(w.db, secret, card), "remembered or not")
	w.do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(ctx, w.person)
		require.NoError(t, err)
		require.Equal(t, wallet, page.Wallet)
		history, err := tx.History(ctx, w.person, 20)
		require.NoError(t, err)
		require.Len(t, page.Bought, len(history))
		for i, m := range history {
			b := page.Bought[i]
			require.Equal(t, []any{m.Status, m.Shop, m.TimeZone, m.OccurredAt.UTC()}, []any{b.Status, b.Shop, b.TimeZone, b.At})
			require.Len(t, b.Items, len(m.Items))
			for n, item := range m.Items {
				require.Equal(t, []any{item.Name, item.Quantity}, []any{b.Items[n].Name, b.Items[n].Quantity})
			}
			require.Len(t, b.Earned, len(m.Earned))
			for n, e := range m.Earned {
				require.Equal(t, []any{e.Unit, e.Amount}, []any{b.Earned[n].Unit, b.Earned[n].Amount})
			}
		}
		taken, err := tx.TakenRewards(ctx, w.person, 20)
		require.NoError(t, err)
		require.Equal(t, taken, page.Taken)
		open, err := tx.OpenRedemptions(ctx, w.person)
		require.NoError(t, err)
		require.Equal(t, open, page.Redemptions)
		require.Len(t, open, 2)
		pending, err := tx.PendingPurchases(ctx, w.person)
		require.NoError(t, err)
		require.Equal(t, pending, page.Pending)
		require.Len(t, pending, 1)
		evidence, err := tx.OpenEvidence(ctx, w.person)
		require.Equal(t, evidence, page.Evidence)
		require.Equal(t, code, evidence.Code)
		return err
	})
	var b store.Balance
	for _, balance := range page.Wallet.Balances {
		if balance.ID == perShop.ID {
			b = balance
		}
	}
	require.EqualValues(t, 2, b.Pending)
	require.NotNil(t, b.Expiring)
	require.EqualValues(t, 1, b.Rewards[0].Taken)
	require.Equal(t, store.LockLimit, b.Rewards[0].Locked)

	short, err := w.db.CardPage(ctx, secret, card, 2)
	require.NoError(t, err)
	require.Equal(t, page.Bought[:2], short.Bought)
	w.clock.Advance(store.EvidenceLife)
	require.Empty(t, w.opened(w.db, secret, card).Evidence.Code)
}

// What a process remembers of campaigns is never older than what another one
// committed.
func TestACardPageIsNeverStale(t *testing.T) {
	w := newWorld(t, 4)
	other := w.another()
	secret, card := w.link(w.person)
	v := w.made(func(*store.CampaignInput) {})
	find := func() (b store.Balance) {
		for _, balance := range w.opened(other, secret, card).Wallet.Balances {
			if balance.ID == v.ID {
				b = balance
			}
		}
		return b
	}
	require.Equal(t, "Otra", find().Name)
	w.change(v.ID, func(t *loyalty.Terms) { t.Name = "Renombrada" })
	require.Equal(t, "Renombrada", find().Name)
	name, gone := "Otro premio", false
	patch := func(p store.RewardPatch) {
		w.do(func(tx *store.Tx) error {
			_, err := tx.UpdateReward(t.Context(), w.admin, v.Rewards[0].ID, p)
			return err
		})
	}
	patch(store.RewardPatch{Name: &name})
	require.Equal(t, name, find().Rewards[0].Name)
	tier := "Oro"
	patch(store.RewardPatch{MinTier: new(string)})
	w.change(v.ID, func(t *loyalty.Terms) {
		t.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: tier, Purchases: 2}}}
	})
	patch(store.RewardPatch{MinTier: &tier})
	require.Equal(t, store.LockTier, find().Rewards[0].Locked)
	patch(store.RewardPatch{Active: &gone})
	require.Empty(t, find().Rewards)
	label := "Refresco de otro nombre"
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateProduct(t.Context(), w.admin, w.product, store.ProductPatch{Name: &label})
		return err
	})
	require.Equal(t, label, find().Products[0].Name)
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateCPG(t.Context(), w.admin, w.cpg, store.CPGPatch{Name: &label})
		return err
	})
	require.Equal(t, label, find().OwnerName)
	w.change(v.ID, func(t *loyalty.Terms) { t.Shops = []loyalty.ID{w.otherShop.ID} })
	require.Empty(t, find().ID, "not begun, and not to be begun here any more")
	w.change(v.ID, func(t *loyalty.Terms) { t.Shops = []loyalty.ID{w.shop.ID} })
	require.Equal(t, []loyalty.ID{w.shop.ID}, find().Shops)
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateShop(t.Context(), w.admin, w.shop.ID, store.ShopPatch{Active: &gone})
		return err
	})
	require.Empty(t, find().ID)
}

// What a transaction has not committed is remembered by nobody.
func TestAWalletInATransactionSeesItsOwnChanges(t *testing.T) {
	w := newWorld(t, 4)
	secret, card := w.link(w.person)
	v := w.made(func(*store.CampaignInput) {})
	w.opened(w.db, secret, card)
	name := func(wallet store.Wallet) string {
		for _, b := range wallet.Balances {
			if b.ID == v.ID {
				return b.Name
			}
		}
		return ""
	}
	err := w.db.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ChangeCampaign(t.Context(), w.admin, v.ID, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Name = "Nunca" }})
		require.NoError(t, err)
		wallet, err := tx.Wallet(t.Context(), w.person)
		require.NoError(t, err)
		require.Equal(t, "Nunca", name(wallet))
		return context.Canceled
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "Otra", name(w.opened(w.db, secret, card).Wallet))
}

// The link of somebody who turned out to be another opens that other's card.
func TestTheLinkOfAMergedPersonOpensTheCard(t *testing.T) {
	w := newWorld(t, 4)
	onboard := func(form, id string) loyalty.ID {
		person, _ := w.writes(ana[form], id, "hola")
		w.do(func(tx *store.Tx) error {
			_, err := tx.Onboard(t.Context(), person, w.shop.Code, id)
			return err
		})
		w.clock.Advance(time.Second)
		return person
	}
	first, second := onboard("phone", "m1"), onboard("LID", "m2")
	require.NotEqual(t, first, second)
	secret, card := w.link(second)
	one, _ := w.writes(ana["LID and phone"], "m3", "hola")
	require.Equal(t, first, one)
	page := w.opened(w.db, secret, card)
	require.Equal(t, first, page.Wallet.Person)
	require.Equal(t, w.cardOf(first), page.Wallet.CardCode)
	require.Len(t, page.Wallet.Cards, 1)
	w.do(func(tx *store.Tx) error {
		person, err := tx.OpenChatLink(t.Context(), secret, card)
		require.Equal(t, first, person)
		require.NoError(t, err)
		wallet, err := tx.WalletByCard(t.Context(), w.admin, card)
		require.Equal(t, first, wallet.Person)
		return err
	})
	other, _ := w.link(first)
	for _, wrong := range []string{other, "", "AAAAAAAAAAAAAAAAAAAAAA"} {
		_, err := w.db.CardPage(t.Context(), wrong, card, 20)
		require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err), wrong)
	}
	w.do(func(tx *store.Tx) error { return tx.Erase(t.Context(), first, "m4") })
	_, err := w.db.CardPage(t.Context(), secret, card, 20)
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err), "erased")
}

// A long history is no reason to plan the page's statements at every view: that
// costs more than running them.
func TestACardPageOfALongHistoryIsPlannedOnce(t *testing.T) {
	w := newWorld(t, 1)
	w.earn(1)
	require.NoError(t, w.exec(`
		INSERT INTO purchases (id, shop_id, person_id, channel, captured, status, total_cents, actor, receipt, basis, occurred_at, recorded_at)
		SELECT gen_random_uuid(), shop_id, person_id, channel, captured, status, total_cents, actor, receipt, basis, occurred_at - n * interval '1 hour', recorded_at
		FROM purchases, generate_series(1, 1000) n`))
	require.NoError(t, w.exec(`ANALYZE purchases`))
	secret, card := w.link(w.person)
	for range 20 {
		require.Len(t, w.opened(w.db, secret, card).Bought, 20)
	}
	statement, times, err := w.db.PlannedAnew(t.Context())
	require.NoError(t, err)
	require.LessOrEqual(t, times, int64(5), statement) // Postgres tries five times what that brings
}
