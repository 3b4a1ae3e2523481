package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// another opens the same database as another process would: with a memory of its
// own.
func (w *world) another() *store.DB {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), store.Options{
		URL: w.url, MaxConns: 4, Now: w.clock.Now, Random: storetest.Rand(8),
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "http://localhost:3000",
	})
	require.NoError(w.t, err)
	w.t.Cleanup(db.Close)
	return db
}

// apiKey makes the key of an integration.
func (w *world) apiKey() (key string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		key, _, err = tx.CreateAPIKey(w.t.Context(), w.admin, "caja")
		return err
	})
	return key
}

// change makes a new version of a campaign's terms, that holds from now.
func (w *world) change(campaign loyalty.ID, apply func(*loyalty.Terms)) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		_, err := tx.ChangeCampaign(w.t.Context(), w.admin, campaign, store.CampaignChange{Apply: apply})
		return err
	})
}

// buyIn records a purchase of one unit through a process.
func (w *world) buyIn(db *store.DB, key string) store.Receipt {
	w.t.Helper()
	var r store.Receipt
	require.NoError(w.t, db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		r, _, err = tx.RecordPurchase(w.t.Context(), w.admin, w.purchase(key, w.card, 1))
		return err
	}))
	return r
}

func TestAPurchaseIsTwoRoundTrips(t *testing.T) {
	w := newWorld(t, 4)
	key := w.apiKey()
	scope, code := w.who(store.APIKeyToken, key)
	require.Empty(t, code)
	buy := func(n int) {
		_, _, err := w.db.RecordPurchase(t.Context(), scope, &store.Credential{Kind: store.APIKeyToken, Token: key},
			w.purchase(fmt.Sprintf("trips-%d", n), w.card, 1))
		require.NoError(t, err)
	}
	buy(0) // the first one learns the rules
	before := w.db.RoundTrips()
	for n := range 10 {
		buy(n + 1)
	}
	require.EqualValues(t, 20, w.db.RoundTrips()-before)
	w.verify()
}

// A process that remembers rules judges by what is committed all the same:
// whatever another process changed a moment ago.
func TestRulesAreNeverStaleBeyondACommit(t *testing.T) {
	w := newWorld(t, 4)
	other := w.another()
	for n := range 20 {
		w.change(w.stamps, func(terms *loyalty.Terms) { terms.Earn[0].Amount = int64(n%5 + 1) })
		r := w.buyIn(other, fmt.Sprintf("stale-%d", n))
		require.EqualValues(t, n%5+1, r.Earned[0].Amount, "change %d", n)
	}
	for _, c := range []struct {
		name   string
		change func(tx *store.Tx) error
		earns  bool
	}{
		{"paused", func(tx *store.Tx) error {
			_, err := tx.MoveCampaign(t.Context(), w.admin, w.stamps, loyalty.Paused, "")
			return err
		}, false},
		{"resumed", func(tx *store.Tx) error {
			_, err := tx.MoveCampaign(t.Context(), w.admin, w.stamps, loyalty.Active, "")
			return err
		}, true},
		{"the CPG left the shop", func(tx *store.Tx) error {
			_, err := tx.RelateShop(t.Context(), w.admin, w.cpg, w.shop.ID, false)
			return err
		}, false},
		{"the CPG came back", func(tx *store.Tx) error {
			_, err := tx.RelateShop(t.Context(), w.admin, w.cpg, w.shop.ID, true)
			return err
		}, true},
		{"the CPG was closed", func(tx *store.Tx) error {
			_, err := tx.UpdateCPG(t.Context(), w.admin, w.cpg, store.CPGPatch{Active: new(bool)})
			return err
		}, false},
		{"the CPG was opened", func(tx *store.Tx) error {
			yes := true
			_, err := tx.UpdateCPG(t.Context(), w.admin, w.cpg, store.CPGPatch{Active: &yes})
			return err
		}, true},
	} {
		w.do(c.change)
		r := w.buyIn(other, "stale "+c.name)
		require.Equal(t, c.earns, len(r.Earned) > 0, c.name)
	}
	no := false
	w.do(func(tx *store.Tx) error {
		_, err := tx.UpdateShop(t.Context(), w.admin, w.shop.ID, store.ShopPatch{Active: &no})
		return err
	})
	err := other.InTx(t.Context(), func(tx *store.Tx) error {
		_, _, err := tx.RecordPurchase(t.Context(), w.admin, w.purchase("closed", w.card, 1))
		return err
	})
	require.Equal(t, loyalty.CodeShopInactive, loyalty.CodeOf(err))
	w.verify()
}

// While rules change all the time, each purchase is judged by exactly one of the
// versions, the one that it names.
func TestPurchasesNameTheVersionThatJudgedThem(t *testing.T) {
	w := newWorld(t, 8)
	other := w.another()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for n := range 15 {
				if err := other.InTx(context.Background(), func(tx *store.Tx) error {
					_, _, err := tx.RecordPurchase(context.Background(), w.admin, w.purchase(fmt.Sprintf("names-%d-%d", g, n), w.card, 1))
					return err
				}); err != nil {
					t.Errorf("purchase: %v", err)
				}
			}
		})
	}
	for n := range 15 {
		w.change(w.stamps, func(terms *loyalty.Terms) { terms.Earn[0].Amount = int64(n + 2) })
	}
	wg.Wait()
	require.Zero(t, w.count(`
		SELECT count(*) FROM ledger l JOIN campaign_versions v ON v.campaign_id = l.campaign_id AND v.version = l.campaign_version
		WHERE l.amount <> (v.terms->'earn'->0->>'amount')::bigint`))
	require.EqualValues(t, 60, w.count(`SELECT count(*) FROM ledger`))
	w.verify()
}

// A memory that is refreshed by LISTEN knows the change before the next purchase.
func TestWatchRulesLearnsOfChanges(t *testing.T) {
	w := newWorld(t, 4)
	other := w.another()
	w.buyIn(other, "watch-0")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- other.WatchRules(ctx) }()
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Earn[0].Amount = 7 })
	committed := w.count(`SELECT generation FROM generations WHERE name = 'rules'`)
	require.Eventually(t, func() bool { return other.RulesGeneration() == committed }, 10*time.Second, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

// A caller is proven by the purchase's own transaction: what was revoked a moment
// ago opens nothing, although the process has seen it before.
func TestAPurchaseProvesItsCaller(t *testing.T) {
	w := newWorld(t, 4)
	key := w.apiKey()
	credential := store.Credential{Kind: store.APIKeyToken, Token: key}
	buy := func(n string) error {
		_, _, err := w.db.RecordPurchase(t.Context(), w.admin, &credential, w.purchase(n, w.card, 1))
		return err
	}
	require.NoError(t, buy("proven"))
	_, known := w.db.Recognize(credential)
	require.True(t, known)
	require.NoError(t, w.exec(`UPDATE tokens SET revoked_at = issued_at WHERE kind = 'api_key'`))
	require.Equal(t, loyalty.CodeUnauthorized, loyalty.CodeOf(buy("revoked")))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM purchases`))
}
