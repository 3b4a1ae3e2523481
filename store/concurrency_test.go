package store_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Sales, evidence codes, rewards, deliveries, expiries, onboardings and
// erasures of the same few people, all at once: the ledger is clean, and nobody
// ever waited in a circle.
func TestRandomMixOnTheSameCardsIsCleanAndNeverDeadlocks(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	people := make([]loyalty.ID, 5)
	for i := range people {
		people[i] = w.consumer(fmt.Sprintf("+52553333%04d", i))
	}
	var evidence, rewards sync.Map
	someOf := func(m *sync.Map) (code string) {
		m.Range(func(k, _ any) bool { code = k.(string); return false })
		return code
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for n := range 12 {
				person := people[r.IntN(len(people))]
				what := r.IntN(12)
				err := w.db.InTx(ctx, func(tx *store.Tx) error {
					_, card, err := tx.ChatLink(ctx, person)
					if err != nil {
						return err
					}
					switch what {
					case 0, 1, 2, 3, 4:
						_, _, err = tx.RecordPurchase(ctx, w.admin, w.purchase(fmt.Sprintf("mix-%d-%d", g, n), card, int64(1+r.IntN(6))))
					case 5, 6:
						var e store.Evidence
						if e, err = tx.IssueEvidence(ctx, person); err == nil {
							evidence.Store(e.Code, true)
						}
					case 7:
						if code := someOf(&evidence); code != "" {
							_, _, err = tx.RecordPurchase(ctx, w.admin, w.purchase(fmt.Sprintf("mix-%d-%d", g, n), code, 1))
						}
					case 8:
						var d store.Redemption
						if d, err = tx.RequestRedemption(ctx, person, w.reward); err == nil {
							rewards.Store(d.Code, true)
						}
					case 9:
						if code := someOf(&rewards); code != "" {
							_, err = tx.DeliverRedemption(ctx, w.admin, code, w.shop.Code)
						}
					case 10:
						_, err = tx.Onboard(ctx, person, w.otherShop.Code, "mix")
					case 11:
						if person == people[0] && n == 11 {
							err = tx.Erase(ctx, person, "mix")
						} else {
							err = tx.Enroll(ctx, person, w.stamps)
						}
					}
					return err
				})
				switch loyalty.CodeOf(err) {
				case "", loyalty.CodeEvidenceUsed, loyalty.CodeEvidenceUnknown, loyalty.CodeRewardNotReady, loyalty.CodeRedemptionDone, loyalty.CodeRedemptionClosed, loyalty.CodeCardNotFound, loyalty.CodeNotFound:
				default:
					t.Errorf("operation %d: %v", what, err)
				}
			}
		})
	}
	for range 8 {
		wg.Go(func() {
			late := w.db.At(w.now().Add(store.RedemptionLife + time.Hour))
			if err := late.InTx(ctx, func(tx *store.Tx) error { _, err := tx.ExpireRedemptions(ctx, 100); return err }); err != nil {
				t.Errorf("expire: %v", err)
			}
		})
	}
	wg.Wait()
	w.verify()
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}
