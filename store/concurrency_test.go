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

// Sales, returns, evidence codes, rewards, deliveries, cancellations, yes and no,
// corrections, expiries, onboardings and erasures of the same few people, all at
// once: the ledger is clean, and nobody ever waited in a circle.
func TestRandomMixOnTheSameCardsIsCleanAndNeverDeadlocks(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	budget := w.made(func(in *store.CampaignInput) {
		in.Terms.Budget = &loyalty.Budget{Stamps: 400, Rewards: 30}
		in.Terms.Expiry = &loyalty.Expiry{Days: 5}
		in.Terms.Limits = []loyalty.Limit{
			{Max: 40, Period: loyalty.EachDay},
			{Counts: loyalty.CountPurchases, Max: 300, Period: loyalty.EachHour, PerShop: true, AllCards: true},
		}
		in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierToReward, Levels: []loyalty.Level{{Name: "Plata", Earned: 5}}}
	})
	careful := w.made(func(in *store.CampaignInput) {
		in.Terms.Scheme, in.Terms.PointsGoal = loyalty.Both, 100
		in.Terms.Earn = append(in.Terms.Earn, loyalty.Earn{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1})
		in.Terms.Pending, in.Terms.Expiry = &loyalty.Pending{Hours: 1}, &loyalty.Expiry{InactiveDays: 4}
		in.Terms.Budget = &loyalty.Budget{Points: 3000}
	})
	require.NoError(t, w.exec(`UPDATE cpgs SET budget_cents = 60000`))
	people := make([]loyalty.ID, 5)
	for i := range people {
		people[i] = w.consumer(fmt.Sprintf("+52553333%04d", i))
	}
	rewards := []loyalty.ID{w.reward, budget.Rewards[0].ID, careful.Rewards[0].ID}
	var evidence, codes, purchases sync.Map
	someOf := func(m *sync.Map) (key string) {
		m.Range(func(k, _ any) bool { key = k.(string); return false })
		return key
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	for g := range 64 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for n := range 12 {
				person := people[r.IntN(len(people))]
				what, units, which := r.IntN(20), int64(1+r.IntN(6)), r.IntN(len(rewards))
				var bought, requested string
				var atTill store.PurchaseInput
				err := w.db.InTx(ctx, func(tx *store.Tx) error {
					bought, requested, atTill = "", "", store.PurchaseInput{}
					_, card, err := tx.ChatLink(ctx, person)
					if err != nil {
						return err
					}
					in := w.purchase(fmt.Sprintf("mix-%d-%d", g, n), card, units)
					switch what {
					case 0, 1, 2, 3, 4:
						atTill = in
					case 5, 6:
						in.Captured = "typed"
						var p store.Receipt
						p, _, err = tx.RecordPurchase(ctx, w.admin, in)
						bought = string(p.ID)
					case 7:
						var e store.Evidence
						if e, err = tx.IssueEvidence(ctx, person); err == nil {
							evidence.Store(e.Code, true)
						}
					case 8:
						if in.Code = someOf(&evidence); in.Code != "" {
							_, _, err = tx.RecordPurchase(ctx, w.admin, in)
						}
					case 9, 10:
						var d store.Redemption
						d, err = tx.RequestRedemption(ctx, person, rewards[which])
						requested = d.Code
					case 11:
						if code := someOf(&codes); code != "" {
							_, err = tx.DeliverRedemption(ctx, w.admin, code, w.shop.Code)
						}
					case 12:
						if code := someOf(&codes); code != "" {
							_, err = tx.CancelRedemption(ctx, w.admin, code)
						}
					case 13, 14:
						if id := someOf(&purchases); id != "" {
							in := store.ReversalInput{Reason: "mezcla"}
							if what == 14 {
								in.Items = []store.ReversalItem{{GTIN: w.gtin, Quantity: 1}}
							}
							_, _, err = tx.ReversePurchase(ctx, w.admin, loyalty.ID(id), in)
						}
					case 15:
						_, err = tx.ConfirmPending(ctx, person, "")
					case 16:
						_, err = tx.DenyPending(ctx, person, "")
					case 17:
						_, _, err = tx.Adjust(ctx, w.admin, store.AdjustmentInput{Campaign: w.stamps, CardCode: card, Unit: loyalty.Stamp, Amount: units - 7, Reason: "mezcla"})
					case 18:
						_, err = tx.Onboard(ctx, person, w.otherShop.Code, "mix")
					case 19:
						if person == people[0] && n == 11 {
							err = tx.Erase(ctx, person, "mix")
						} else {
							err = tx.Enroll(ctx, person, w.stamps)
						}
					}
					return err
				})
				if err == nil && atTill.Code != "" {
					var p store.Receipt
					p, _, err = w.db.RecordPurchase(ctx, w.admin, nil, atTill)
					bought = string(p.ID)
				}
				switch loyalty.CodeOf(err) {
				case "":
					if bought != "" {
						purchases.Store(bought, true)
					}
					if requested != "" {
						codes.Store(requested, true)
					}
				case loyalty.CodeEvidenceUsed, loyalty.CodeEvidenceUnknown, loyalty.CodeRewardNotReady, loyalty.CodeRedemptionDone, loyalty.CodeRedemptionClosed,
					loyalty.CodeCardNotFound, loyalty.CodeNotFound, loyalty.CodeBudgetExhausted, loyalty.CodeReversalTooMuch:
				default:
					t.Errorf("operation %d: %v", what, err)
				}
				if r.IntN(8) == 0 { // what is done stays there for others to do again
					purchases.Delete(someOf(&purchases))
					codes.Delete(someOf(&codes))
				}
			}
		})
	}
	for i := range 8 {
		wg.Go(func() {
			for n := range 6 {
				late := w.db.At(w.now().Add(time.Duration(n) * (store.RedemptionLife + time.Hour)))
				for _, job := range []func(*store.Tx) error{
					func(tx *store.Tx) error { _, err := tx.ExpireRedemptions(ctx, 100); return err },
					func(tx *store.Tx) error { _, err := tx.ScheduleExpiry(ctx, 100); return err },
					func(tx *store.Tx) error { _, err := tx.ExpireBalances(ctx, 100); return err },
					func(tx *store.Tx) error { _, err := tx.WarnExpiry(ctx, 100); return err },
					func(tx *store.Tx) error { _, err := tx.RollTiers(ctx, 100); return err },
				} {
					if err := late.InTx(ctx, job); err != nil {
						t.Errorf("job: %v", err)
					}
				}
				if _, err := late.MaturePending(ctx, i); err != nil {
					t.Errorf("mature: %v", err)
				}
			}
		})
	}
	wg.Wait()
	w.verify()
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}
