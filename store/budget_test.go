package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// crowd makes consumers and gives their cards.
func (w *world) crowd(n int) []string {
	w.t.Helper()
	cards := make([]string, n)
	for i := range cards {
		cards[i] = w.cardOf(w.consumer(fmt.Sprintf("+52554444%04d", i)))
	}
	return cards
}

// P5: a budget gives what it has and nothing more, to however many at once; the
// last purchase is clipped, and those after it say why they earned nothing.
func TestPitfallP5ABudgetIsNeverOverspent(t *testing.T) {
	w := newWorld(t, 8)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 50} })
	cards := w.crowd(8)
	var given, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			r, _, err := w.buy(fmt.Sprintf("budget-%d", i), cards[i%len(cards)], 3)
			if err != nil {
				t.Errorf("purchase %d: %v", i, err)
				return
			}
			for _, e := range r.Earned {
				given.Add(e.Amount)
			}
			if len(r.Earned) == 0 {
				require.Equal(t, loyalty.WhyBudget, r.Notes[0].Why)
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 50, given.Load())
	require.EqualValues(t, 64-17, refused.Load())
	require.EqualValues(t, 50, w.count(`SELECT used FROM quotas WHERE campaign_id = $1 AND name = 'stamp'`, w.stamps))
	w.verify()
}

// A limit that counts all cards of a shop holds for all of them together, and
// begins anew with each hour.
func TestALimitOfAllCardsCountsTheShop(t *testing.T) {
	w := newWorld(t, 8)
	w.change(w.stamps, func(terms *loyalty.Terms) {
		terms.Limits = []loyalty.Limit{{ID: "prisa", Counts: loyalty.CountPurchases, Max: 5, Period: loyalty.EachHour, PerShop: true, AllCards: true}}
	})
	cards := w.crowd(6)
	earned := func(round string) int64 {
		var n atomic.Int64
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				r, _, err := w.buy(fmt.Sprintf("%s-%d", round, i), cards[i%len(cards)], 1)
				if err != nil {
					t.Errorf("purchase %d: %v", i, err)
				} else if len(r.Earned) > 0 {
					n.Add(1)
				} else {
					require.Equal(t, loyalty.WhyLimit, r.Notes[0].Why)
				}
			})
		}
		wg.Wait()
		return n.Load()
	}
	require.EqualValues(t, 5, earned("first"))
	w.clock.Advance(time.Hour)
	require.EqualValues(t, 5, earned("second"))
	w.verify()
}

// An exhausted budget can be raised, and what was given before counts.
func TestABudgetCanBeRaisedAndCountsWhatWasGiven(t *testing.T) {
	w := newWorld(t, 4)
	_, _, err := w.buy("before", w.card, 4)
	require.NoError(t, err)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 12} })
	r, _, err := w.buy("fills", w.card, 20)
	require.NoError(t, err)
	require.EqualValues(t, 8, r.Earned[0].Amount, "four were given before there was a budget")
	require.Equal(t, []store.Note{{CampaignID: w.stamps, Campaign: "Junta 10", Why: loyalty.WhyBudget}}, r.Notes)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 30} })
	r, _, err = w.buy("again", w.card, 3)
	require.NoError(t, err)
	require.EqualValues(t, 15, r.Earned[0].Balance)
	require.Empty(t, r.Notes)

	err = w.db.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ChangeCampaign(t.Context(), w.admin, w.stamps, store.CampaignChange{
			Apply: func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 14} }})
		return err
	})
	require.Equal(t, []string{"budget.stamps"}, fieldsOf(t, err), "less than was given")
	w.verify()
}

// A budget that is declared while purchases go on has counted every one of them.
func TestABudgetDeclaredDuringPurchasesMissesNone(t *testing.T) {
	w := newWorld(t, 8)
	cards := w.crowd(4)
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for n := range 20 {
				if _, _, err := w.buy(fmt.Sprintf("during-%d-%d", g, n), cards[(g+n)%len(cards)], 1); err != nil {
					t.Errorf("purchase: %v", err)
				}
			}
		})
	}
	for n := range 10 {
		w.change(w.stamps, func(terms *loyalty.Terms) {
			terms.Budget = nil
			if n%2 == 0 {
				terms.Budget = &loyalty.Budget{Stamps: 10_000 + int64(n)}
			}
		})
	}
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 9_999} })
	wg.Wait()
	require.EqualValues(t, 120, w.count(`SELECT used FROM quotas`))
	w.verify()
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}

// A limit of all cards holds as the terms say it now, also in a period in which
// another number held.
func TestALimitOfAllCardsCanBeChanged(t *testing.T) {
	w := newWorld(t, 4)
	limit := func(n int64) {
		w.change(w.stamps, func(t *loyalty.Terms) {
			t.Limits = []loyalty.Limit{{ID: "rush", Counts: loyalty.CountPurchases, Max: n, Period: loyalty.EachDay, PerShop: true, AllCards: true}}
		})
		w.clock.Advance(time.Minute)
	}
	buy := func(key string, balance int64) {
		_, _, err := w.buy(key, w.card, 1)
		require.NoError(t, err)
		require.Equal(t, balance, w.balance(w.stamps))
		w.clock.Advance(time.Minute)
	}
	limit(1)
	buy("1", 1)
	buy("2", 1)
	limit(3)
	buy("3", 2)
	limit(1)
	buy("4", 2)
	limit(3)
	buy("5", 3)
	buy("6", 3)
	w.verify()
}

// A turn of a conversation that lost the race for the last of a budget runs again,
// like any purchase: it is not told that nothing is left.
func TestABudgetsLastGoesToATurnToo(t *testing.T) {
	w := newWorld(t, 4)
	w.change(w.stamps, func(t *loyalty.Terms) { t.Budget = &loyalty.Budget{Stamps: 12} })
	other := w.cardOf(w.consumer("+525511112222"))
	turns := 0
	w.do(func(tx *store.Tx) error {
		turns++
		err := tx.Savepoint(t.Context(), func(tx *store.Tx) error {
			_, _, err := tx.RecordPurchase(t.Context(), w.admin, w.purchase("1", w.card, 10))
			if turns == 1 { // between what it read and what it writes
				_, _, err := w.buy("2", other, 10)
				require.NoError(t, err)
			}
			return err
		})
		if loyalty.CodeOf(err) == loyalty.CodeBudgetExhausted {
			return nil // as a turn would, to say so
		}
		return err
	})
	require.Equal(t, 2, turns)
	require.EqualValues(t, 2, w.balance(w.stamps))
	w.verify()
}
