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
)

// P1: 200 concurrent scans of one card lose nothing.
func TestPitfallP1ConcurrentScansOfOneCardAllCount(t *testing.T) {
	w := newWorld(t, 8)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			_, replayed, err := w.buy(fmt.Sprintf("p1-%d", i), w.card, 1)
			if err != nil || replayed {
				t.Errorf("scan %d: replayed %v, %v", i, replayed, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(200), w.balance(w.stamps))
	w.verify()
}

// P2: one request never needs two connections, so a small pool never wedges.
func TestPitfallP2ManyScansOnAPoolOfFour(t *testing.T) {
	w := newWorld(t, 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			err := w.db.InTx(ctx, func(tx *store.Tx) error {
				_, _, err := tx.RecordPurchase(ctx, w.admin, w.purchase(fmt.Sprintf("p2-%d", i), w.card, 1))
				return err
			})
			if err != nil {
				t.Errorf("scan %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(64), w.balance(w.stamps))
}

// P3: one key, 50 at once: one purchase, and everyone gets the same receipt.
func TestPitfallP3OneKeyManyTimesIsOnePurchase(t *testing.T) {
	w := newWorld(t, 8)
	receipts := make([]store.Receipt, 50)
	var wg sync.WaitGroup
	var fresh sync.Map
	for i := range receipts {
		wg.Go(func() {
			r, replayed, err := w.buy("p3", w.card, 2)
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
			if !replayed {
				fresh.Store(i, true)
			}
			receipts[i] = r
		})
	}
	wg.Wait()
	first := 0
	fresh.Range(func(any, any) bool { first++; return true })
	require.Equal(t, 1, first, "exactly one request may be the first")
	for _, r := range receipts {
		require.Equal(t, receipts[0], r)
	}
	require.Equal(t, int64(2), w.balance(w.stamps))
	w.verify()
}

// P4: a key is the caller's own, and means one body.
func TestPitfallP4KeysAreScopedToTheCallerAndTheBody(t *testing.T) {
	w := newWorld(t, 8)
	first, _, err := w.buy("p4", w.card, 1)
	require.NoError(t, err)

	_, _, err = w.buy("p4", w.card, 3)
	require.Equal(t, loyalty.CodeIdempotencyReused, loyalty.CodeOf(err))

	other := loyalty.Scope{Role: loyalty.RoleIntegration, Key: "018f0000-0000-7000-8000-000000000001"}
	second, replayed, err := w.buyAs(other, w.purchase("p4", w.card, 1))
	require.NoError(t, err)
	require.False(t, replayed)
	require.NotEqual(t, first.ID, second.ID)
}

// P6: only PLIs earn, only inside the dates, only where the campaign runs.
func TestPitfallP6OnlyPLIsInsideDatesAtParticipatingShopsEarn(t *testing.T) {
	w := newWorld(t, 8)
	for _, c := range []struct {
		name string
		in   store.PurchaseInput
	}{
		{"a product of another CPG", w.purchaseOf("p6-a", w.shop, w.otherGTIN, w.now())},
		{"a shop that does not take part", w.purchaseOf("p6-b", w.otherShop, w.gtin, w.now())},
		{"before the campaign began", w.purchaseOf("p6-c", w.shop, w.gtin, w.started.Add(-time.Minute))},
	} {
		r, _, err := w.buyAs(w.admin, c.in)
		require.NoError(t, err, c.name)
		require.Empty(t, r.Earned, c.name)
	}
	w.clock.Advance(100 * 24 * time.Hour)
	r, _, err := w.buy("p6-d", w.card, 1)
	require.NoError(t, err)
	require.Empty(t, r.Earned, "after the campaign ended")

	_, _, err = w.buyAs(w.admin, w.purchaseOf("p6-e", w.shop, validGTIN("750999999999"), w.now()))
	require.Equal(t, loyalty.CodeProductUnknown, loyalty.CodeOf(err))
}

// P7 and P8: a daily limit clips what is earned, by the shop's day.
func TestPitfallP7P8DailyLimitClipsByTheShopsDay(t *testing.T) {
	w := newWorld(t, 8)
	w.limitPerDay(3)
	// 23:30 in Mexico City is 05:30 UTC of the next day.
	w.clock.Set(time.Date(2026, 3, 10, 5, 30, 0, 0, time.UTC))
	r, _, err := w.buy("p7-a", w.card, 50)
	require.NoError(t, err)
	require.Equal(t, int64(3), r.Earned[0].Amount, "50 units earn what the limit allows")

	w.clock.Set(time.Date(2026, 3, 10, 5, 59, 0, 0, time.UTC))
	r, _, err = w.buy("p7-b", w.card, 1)
	require.NoError(t, err)
	require.Empty(t, r.Earned, "23:59 is still the same day")

	w.clock.Set(time.Date(2026, 3, 10, 6, 0, 0, 0, time.UTC))
	r, _, err = w.buy("p7-c", w.card, 2)
	require.NoError(t, err)
	require.Equal(t, int64(2), r.Earned[0].Amount, "midnight in Mexico City begins a new day")

	late := w.purchase("p7-d", w.card, 1)
	yesterday := time.Date(2026, 3, 10, 5, 45, 0, 0, time.UTC)
	late.OccurredAt = &yesterday
	r, _, err = w.buyAs(w.admin, late)
	require.NoError(t, err)
	require.Empty(t, r.Earned, "a late purchase counts on its own day, which was full")
	w.verify()
}

// P11: nothing absurd is accepted, and the field is named.
func TestPitfallP11AbsurdPurchasesAreRefusedByField(t *testing.T) {
	w := newWorld(t, 8)
	price := func(n int64) *int64 { return &n }
	future := w.now().Add(time.Hour)
	for _, c := range []struct {
		field  string
		change func(*store.PurchaseInput)
	}{
		{"items[0].quantity", func(in *store.PurchaseInput) { in.Items[0].Quantity = 0 }},
		{"items[0].quantity", func(in *store.PurchaseInput) { in.Items[0].Quantity = -1 }},
		{"items[0].quantity", func(in *store.PurchaseInput) { in.Items[0].Quantity = 1_000_000_000 }},
		{"items[0].unit_price_cents", func(in *store.PurchaseInput) { in.Items[0].UnitPriceCents = price(-1) }},
		{"items[0].gtin", func(in *store.PurchaseInput) { in.Items[0].GTIN = "7501055300076" }},
		{"items", func(in *store.PurchaseInput) { in.Items = nil }},
		{"card_code", func(in *store.PurchaseInput) { in.Code = "ANA" }},
		{"shop_code", func(in *store.PurchaseInput) { in.ShopCode = "" }},
		{"captured", func(in *store.PurchaseInput) { in.Captured = "guessed" }},
		{"occurred_at", func(in *store.PurchaseInput) { in.OccurredAt = &future }},
	} {
		in := w.purchase("p11", w.card, 1)
		c.change(&in)
		_, _, err := w.buyAs(w.admin, in)
		require.Equal(t, loyalty.CodeInvalid, loyalty.CodeOf(err), c.field)
		require.Contains(t, err.Error(), c.field)
	}
	require.Zero(t, w.balance(w.stamps))
}

// An evidence code has the effect of a scan, once, for 24 hours.
func TestEvidenceCodeIsAScanOnce(t *testing.T) {
	w := newWorld(t, 8)
	code := w.evidence()
	var wg sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		wg.Go(func() { _, _, results[i] = w.buy(fmt.Sprintf("e-%d", i), code, 1) })
	}
	wg.Wait()
	used := 0
	for _, err := range results {
		if loyalty.CodeOf(err) == loyalty.CodeEvidenceUsed {
			used++
		} else {
			require.NoError(t, err)
		}
	}
	require.Equal(t, len(results)-1, used)
	require.Equal(t, int64(1), w.balance(w.stamps))

	code = w.evidence()
	w.clock.Advance(24 * time.Hour)
	_, _, err := w.buy("e-late", code, 1)
	require.Equal(t, loyalty.CodeEvidenceExpired, loyalty.CodeOf(err))
	_, _, err = w.buy("e-unknown", "EK7M2QXS", 1)
	require.Equal(t, loyalty.CodeEvidenceUnknown, loyalty.CodeOf(err))
	w.verify()
}

// P5: stock and balance are never overspent.
func TestPitfallP5StockAndBalanceAreNeverOverspent(t *testing.T) {
	w := newWorld(t, 8)
	w.stock(w.reward, 1)
	people := make([]loyalty.ID, 8)
	for i := range people {
		people[i] = w.consumer(fmt.Sprintf("+52555500%04d", i))
		_, _, err := w.buy(fmt.Sprintf("p5-%d", i), w.cardOf(people[i]), 10)
		require.NoError(t, err)
	}
	var wg sync.WaitGroup
	results := make([]error, len(people))
	for i, person := range people {
		wg.Go(func() { _, results[i] = w.redeem(person) })
	}
	wg.Wait()
	taken := 0
	for _, err := range results {
		if err == nil {
			taken++
		} else {
			require.Equal(t, loyalty.CodeRewardOutOfStock, loyalty.CodeOf(err))
		}
	}
	require.Equal(t, 1, taken)
	w.verify()
}

// A double tap takes one reward; the code is delivered once; what nobody
// fetches comes back.
func TestRedemptionIsTakenOnceDeliveredOnceAndGivenBack(t *testing.T) {
	w := newWorld(t, 8)
	_, _, err := w.buy("r-1", w.card, 25)
	require.NoError(t, err)

	codes := make([]string, 8)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() {
			r, err := w.redeem(w.person)
			if err != nil {
				t.Errorf("tap %d: %v", i, err)
			}
			codes[i] = r.Code
		})
	}
	wg.Wait()
	for _, code := range codes {
		require.Equal(t, codes[0], code)
	}
	require.Equal(t, int64(15), w.balance(w.stamps))

	delivered := make([]error, 8)
	for i := range delivered {
		wg.Go(func() { delivered[i] = w.deliver(codes[0]) })
	}
	wg.Wait()
	once := 0
	for _, err := range delivered {
		if err == nil {
			once++
		} else {
			require.Equal(t, loyalty.CodeRedemptionDone, loyalty.CodeOf(err))
		}
	}
	require.Equal(t, 1, once)

	second, err := w.redeem(w.person)
	require.NoError(t, err)
	require.Equal(t, int64(5), w.balance(w.stamps))
	w.clock.Advance(store.RedemptionLife)
	require.Equal(t, loyalty.CodeRedemptionClosed, loyalty.CodeOf(w.deliver(second.Code)))
	require.Equal(t, 1, w.expire())
	require.Zero(t, w.expire(), "given back once")
	require.Equal(t, int64(15), w.balance(w.stamps))
	w.verify()
}

// Law 1: the ledger can only be appended to, and a wrong balance is noticed.
func TestLedgerIsAppendOnlyAndVerifyNoticesATamperedBalance(t *testing.T) {
	w := newWorld(t, 8)
	_, _, err := w.buy("l-1", w.card, 3)
	require.NoError(t, err)
	for _, sql := range []string{`UPDATE ledger SET amount = 9`, `DELETE FROM ledger`, `TRUNCATE ledger CASCADE`} {
		require.ErrorContains(t, w.exec(sql), "append-only", sql)
	}
	w.verify()
	require.NoError(t, w.exec(`UPDATE enrollments SET stamps = stamps + 1`))
	found, err := w.db.Verify(t.Context())
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "stamps", found[0].What)
	require.Equal(t, int64(4), found[0].Has)
	require.Equal(t, int64(3), found[0].Want)
}

// A campaign with enrolment on request gives nothing until the consumer asked.
func TestEnrolmentOnRequestEarnsOnlyAfterAsking(t *testing.T) {
	w := newWorld(t, 8)
	w.change(w.stamps, func(t *loyalty.Terms) { t.Enrolment = loyalty.OnRequest })
	r, _, err := w.buy("o-1", w.card, 2)
	require.NoError(t, err)
	require.Empty(t, r.Earned)
	enroll := func(campaign loyalty.ID) error {
		return w.db.InTx(t.Context(), func(tx *store.Tx) error { return tx.Enroll(t.Context(), w.person, campaign) })
	}
	require.Equal(t, loyalty.CodeCampaignNotFound, loyalty.CodeOf(enroll("018f0000-0000-7000-8000-000000000001")))
	require.NoError(t, enroll(w.stamps))
	require.NoError(t, enroll(w.stamps), "asking twice is harmless")
	r, _, err = w.buy("o-2", w.card, 3)
	require.NoError(t, err)
	require.Equal(t, int64(3), r.Earned[0].Balance, "from then on, not before")
	w.verify()
}

// A purchase that waited for somebody who was being erased finds nobody.
func TestAPurchaseDuringAnErasureFindsNobody(t *testing.T) {
	w := newWorld(t, 4)
	_, _, err := w.buy("before", w.card, 1) // so that the next reads only once
	require.NoError(t, err)
	done := make(chan error)
	w.do(func(tx *store.Tx) error {
		require.NoError(t, tx.Erase(t.Context(), w.person, "borren mis datos"))
		go func() {
			_, _, err := w.buy("meanwhile", w.card, 1)
			done <- err
		}()
		require.Eventually(t, func() bool {
			return w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0
		}, 10*time.Second, 10*time.Millisecond)
		return nil
	})
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(<-done))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM purchases`))
}

// A receipt says that a reward is ready only where the card does: what a tier
// opens waits for the tier, and what is for some does not speak to all.
func TestAReceiptPromisesNoRewardThatIsLocked(t *testing.T) {
	w := newWorld(t, 4)
	segment := w.segment()
	tiered := w.made(func(in *store.CampaignInput) {
		in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Earned: 1}, {Name: "Oro", Earned: 8}}}
		in.Rewards[0].MinTier = "Oro"
	})
	segmented := w.made(func(in *store.CampaignInput) { in.Rewards[0].Segment = segment })
	plain := w.made(func(in *store.CampaignInput) {
		in.Rewards = append(in.Rewards, store.RewardInput{Name: "De pocos", Unit: loyalty.Stamp, Threshold: 2, Segment: segment})
	})
	for i, want := range []map[loyalty.ID]bool{{plain.ID: true}, {plain.ID: true, tiered.ID: true}} {
		r, _, err := w.buy("k"+string(rune('0'+i)), w.card, 6)
		require.NoError(t, err)
		for _, e := range r.Earned {
			switch e.CampaignID {
			case tiered.ID, segmented.ID, plain.ID:
				require.Equal(t, want[e.CampaignID], e.RewardReady, "%s after %d", e.CampaignID, e.Balance)
				require.Equal(t, w.part(e.CampaignID).Ready, e.RewardReady, "as the card says")
			}
		}
	}
}
