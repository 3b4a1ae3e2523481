package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// earn gives the world's consumer stamps.
func (w *world) earn(units int64) {
	w.t.Helper()
	_, _, err := w.buy(fmt.Sprintf("earn-%d", w.count(`SELECT count(*) FROM purchases`)), w.card, units)
	require.NoError(w.t, err)
}

func (w *world) request(person, reward loyalty.ID) (r store.Redemption, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		r, err = tx.RequestRedemption(w.t.Context(), person, reward)
		return err
	})
	return r, err
}

func (w *world) cancel(scope loyalty.Scope, code string) (r store.Redemption, err error) {
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		r, err = tx.CancelRedemption(w.t.Context(), scope, code)
		return err
	})
	return r, err
}

// member puts the consumer into a new segment of the CPG.
func (w *world) segment(members ...loyalty.ID) loyalty.ID {
	w.t.Helper()
	id := loyalty.NewID(w.now(), w.random)
	require.NoError(w.t, w.exec(`INSERT INTO segments (id, cpg_id, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)`, id, w.cpg, "Grupo "+string(id), w.now()))
	for _, m := range members {
		require.NoError(w.t, w.exec(`INSERT INTO segment_members (segment_id, person_id, created_at) VALUES ($1, $2, $3)`, id, m, w.now()))
	}
	return id
}

// What a reward asks for is asked for, on the card page and when it is requested.
func TestARewardIsLockedByWhatItAsksFor(t *testing.T) {
	one := 1
	for _, c := range []struct {
		name string
		how  func(*world, *store.CampaignInput)
		then func(*world, store.Campaign)
		lock store.Lock
		code loyalty.Code
	}{
		{name: "nothing more", how: func(*world, *store.CampaignInput) {}},
		{name: "a higher threshold", how: func(_ *world, in *store.CampaignInput) { in.Rewards[0].Threshold = 7 }, lock: store.LockThreshold, code: loyalty.CodeRewardNotReady},
		{
			name: "stock", how: func(*world, *store.CampaignInput) {},
			then: func(w *world, c store.Campaign) { w.stock(c.Rewards[0].ID, 0) }, lock: store.LockStock, code: loyalty.CodeRewardOutOfStock,
		},
		{name: "not valid yet", how: func(w *world, in *store.CampaignInput) { in.Rewards[0].StartsAt = w.now().Add(time.Hour) }, lock: store.LockValidity, code: loyalty.CodeRewardNotValidNow},
		{name: "valid no more", how: func(w *world, in *store.CampaignInput) { in.Rewards[0].EndsAt = w.now() }, lock: store.LockValidity, code: loyalty.CodeRewardNotValidNow},
		{
			name: "a tier", how: func(_ *world, in *store.CampaignInput) {
				in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Purchases: 1}, {Name: "Oro", Purchases: 3}}}
				in.Rewards[0].MinTier = "Oro"
			}, lock: store.LockTier, code: loyalty.CodeRewardNeedsTier,
		},
		{
			name: "a tier that is held", how: func(_ *world, in *store.CampaignInput) {
				in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Purchases: 1}, {Name: "Oro", Purchases: 3}}}
				in.Rewards[0].MinTier = "Plata"
			},
		},
		{name: "a segment", how: func(w *world, in *store.CampaignInput) { in.Rewards[0].Segment = w.segment() }, lock: store.LockSegment, code: loyalty.CodeRewardNotForYou},
		{name: "a segment that one is in", how: func(w *world, in *store.CampaignInput) { in.Rewards[0].Segment = w.segment(w.person) }},
		{
			name: "a limit for each consumer", how: func(_ *world, in *store.CampaignInput) { in.Rewards[0].PerConsumer, in.Rewards[0].Threshold = &one, 2 },
			then: func(w *world, c store.Campaign) {
				r, err := w.request(w.person, c.Rewards[0].ID)
				require.NoError(w.t, err)
				require.NoError(w.t, w.deliver(r.Code))
			}, lock: store.LockLimit, code: loyalty.CodeRewardLimitReached,
		},
		{
			name: "the campaign's budget", how: func(_ *world, in *store.CampaignInput) {
				in.Terms.Budget, in.Rewards[0].Threshold = &loyalty.Budget{Rewards: 1}, 2
			},
			then: func(w *world, c store.Campaign) {
				r, err := w.request(w.person, c.Rewards[0].ID)
				require.NoError(w.t, err)
				require.NoError(w.t, w.deliver(r.Code))
			}, lock: store.LockBudget, code: loyalty.CodeBudgetExhausted,
		},
		{
			name: "the CPG's money", how: func(*world, *store.CampaignInput) {},
			then: func(w *world, _ store.Campaign) { require.NoError(w.t, w.exec(`UPDATE cpgs SET budget_cents = 699`)) },
			lock: store.LockBudget, code: loyalty.CodeBudgetExhausted,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 4)
			v := w.made(func(in *store.CampaignInput) { c.how(w, in) })
			w.earn(6)
			if c.then != nil {
				c.then(w, v)
			}
			b := w.part(v.ID)
			require.Equal(t, c.lock == "", b.Ready)
			if c.lock == store.LockSegment {
				require.Empty(t, b.Rewards, "who is not meant does not know of it")
			} else {
				require.Equal(t, c.lock, b.Rewards[0].Locked)
				require.Zero(t, b.Rewards[0].Cost, "the brand's own business")
			}
			r, err := w.request(w.person, v.Rewards[0].ID)
			require.Equal(t, c.code, loyalty.CodeOf(err))
			if c.code == "" {
				require.NoError(t, w.deliver(r.Code))
			}
			w.verify()
		})
	}
}

// Cancelled or expired, a reward gives back all that it took.
func TestACancelledRewardGivesEverythingBack(t *testing.T) {
	w := newWorld(t, 4)
	budget, stock := int64(5000), int64(1)
	require.NoError(t, w.exec(`UPDATE cpgs SET budget_cents = $1 WHERE id = $2`, budget, w.cpg))
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.Budget = &loyalty.Budget{Rewards: 1}
		in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierToReward, Levels: []loyalty.Level{{Name: "Plata", Earned: 6}}}
		in.Terms.Expiry = &loyalty.Expiry{Days: 10}
		in.Rewards[0].Stock = &stock
	})
	reward := v.Rewards[0].ID
	taken := func() []int64 {
		return []int64{
			w.count(`SELECT taken FROM rewards WHERE id = $1`, reward), w.count(`SELECT used FROM quotas WHERE campaign_id = $1 AND name = 'reward'`, v.ID),
			w.count(`SELECT reserved_cents FROM cpgs WHERE id = $1`, w.cpg), w.balance(v.ID),
		}
	}
	w.earn(6)
	require.Equal(t, "Plata", w.part(v.ID).Tier.Level)
	for _, how := range []string{"cancelled by its consumer", "cancelled by an admin", "expired"} {
		w.clock.Advance(24 * time.Hour)
		r, err := w.request(w.person, reward)
		require.NoError(t, err, how)
		require.Equal(t, []int64{1, 1, 700, 1}, taken(), how)
		require.Empty(t, w.part(v.ID).Tier.Level, "a reward begins the tier anew")
		switch how {
		case "cancelled by its consumer":
			_, err := w.cancel(loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.consumer("+525511112222")}, r.Code)
			require.Equal(t, loyalty.CodeRedemptionUnknown, loyalty.CodeOf(err), "nobody else's")
			_, err = w.cancel(loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.person}, r.Code)
			require.Equal(t, loyalty.CodeRedemptionUnknown, loyalty.CodeOf(err))
			got, err := w.cancel(loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}, r.Code)
			require.NoError(t, err)
			require.Equal(t, "cancelled", got.Status)
		case "cancelled by an admin":
			_, err := w.cancel(w.admin, r.Code)
			require.NoError(t, err)
		default:
			w.clock.Set(r.ExpiresAt)
			require.Equal(t, 1, w.expire())
		}
		require.Equal(t, []int64{0, 0, 0, 6}, taken(), how)
		require.Equal(t, "Plata", w.part(v.ID).Tier.Level, how)
		_, err = w.cancel(w.admin, r.Code)
		require.Equal(t, loyalty.CodeRedemptionClosed, loyalty.CodeOf(err), "given back once")
		require.Equal(t, loyalty.CodeRedemptionClosed, loyalty.CodeOf(w.deliver(r.Code)))
		w.verify()
	}
	// What came back ends ten days after it came back.
	back := w.now()
	w.clock.Set(back.Add(10*24*time.Hour - time.Second))
	w.expireBalances()
	require.EqualValues(t, 5, w.balance(v.ID), "one had never left, and has ended")
	w.clock.Set(back.Add(10 * 24 * time.Hour))
	w.expireBalances()
	require.Zero(t, w.balance(v.ID))
	w.verify()
}

// A reward is handed out where it says, else where the campaign runs.
func TestARewardIsDeliveredWhereItSays(t *testing.T) {
	w := newWorld(t, 4)
	at := func(shop store.Shop, code string) error {
		return w.db.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.DeliverRedemption(t.Context(), loyalty.Scope{Role: loyalty.RoleTendero, Shops: []loyalty.ID{w.shop.ID, w.otherShop.ID}}, code, shop.Code)
			return err
		})
	}
	v := w.made(func(in *store.CampaignInput) {
		in.Rewards[0].Threshold = 4 // comes first
		in.Rewards = append(in.Rewards, in.Rewards[0])
		in.Rewards[1].Threshold = 5
		in.Rewards[1].Name, in.Rewards[1].Shops, in.Rewards[1].CodeDays = "Solo en La Esquina", []loyalty.ID{w.otherShop.ID}, 2
	})
	w.earn(10)
	for i, c := range []struct{ not, shop store.Shop }{{w.otherShop, w.shop}, {w.shop, w.otherShop}} {
		r, err := w.request(w.person, v.Rewards[i].ID)
		require.NoError(t, err)
		days := []time.Duration{7, 2}[i]
		require.Equal(t, w.now().Add(days*24*time.Hour), r.ExpiresAt)
		require.Equal(t, loyalty.CodeShopInactive, loyalty.CodeOf(at(c.not, r.Code)))
		require.NoError(t, at(c.shop, r.Code))
		require.Equal(t, loyalty.CodeRedemptionDone, loyalty.CodeOf(at(c.shop, r.Code)))
		_, err = w.cancel(w.admin, r.Code)
		require.Equal(t, loyalty.CodeRedemptionDone, loyalty.CodeOf(err))
	}
	w.verify()
}

// A campaign that counts per shop has a balance in each; the highest pays, or the
// one that is named.
func TestTheHighestBalancePaysAReward(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.PerShop, in.Terms.Shops = true, []loyalty.ID{w.shop.ID, w.otherShop.ID}
	})
	buy := func(shop store.Shop, units int64) {
		in := w.purchase(fmt.Sprintf("%s-%d", shop.Code, w.count(`SELECT count(*) FROM purchases`)), w.card, units)
		in.ShopCode = shop.Code
		_, _, err := w.buyAs(w.admin, in)
		require.NoError(t, err)
	}
	buy(w.shop, 5)
	buy(w.otherShop, 8)
	balances := func() map[string]int64 {
		all := map[string]int64{}
		w.do(func(tx *store.Tx) error {
			wallet, err := tx.Wallet(t.Context(), w.person)
			for _, b := range wallet.Balances {
				if b.ID == v.ID {
					all[b.Shop] = b.Balance
				}
			}
			return err
		})
		return all
	}
	require.Equal(t, map[string]int64{"Abarrotes Lupita": 5, "La Esquina": 8}, balances())
	r, err := w.request(w.person, v.Rewards[0].ID)
	require.NoError(t, err)
	require.NoError(t, w.deliver(r.Code))
	require.Equal(t, map[string]int64{"Abarrotes Lupita": 5, "La Esquina": 3}, balances())
	buy(w.otherShop, 8)
	var lupita loyalty.ID
	w.do(func(tx *store.Tx) error {
		wallet, err := tx.Wallet(t.Context(), w.person)
		for _, b := range wallet.Balances {
			if b.ShopID == w.shop.ID {
				lupita = b.EnrollmentID
			}
		}
		require.NoError(t, err)
		_, err = tx.RequestRedemptionFrom(t.Context(), w.person, v.Rewards[0].ID, lupita)
		return err
	})
	require.Equal(t, map[string]int64{"Abarrotes Lupita": 0, "La Esquina": 11}, balances())
	w.verify()
}

// P5 again, with budgets: neither the campaign's rewards nor the CPG's money is
// overspent, whoever asks at once.
func TestPitfallP5BudgetsAreNeverOverspent(t *testing.T) {
	w := newWorld(t, 8)
	v := w.made(func(in *store.CampaignInput) { in.Terms.Budget = &loyalty.Budget{Rewards: 3} })
	require.NoError(t, w.exec(`UPDATE cpgs SET budget_cents = 700 * 2 WHERE id = $1`, w.cpg))
	people := make([]loyalty.ID, 12)
	for i := range people {
		people[i] = w.consumer(fmt.Sprintf("+52555600%04d", i))
		_, _, err := w.buy(fmt.Sprintf("p5b-%d", i), w.cardOf(people[i]), 5)
		require.NoError(t, err)
	}
	all := func() (taken int) {
		var wg sync.WaitGroup
		results := make([]error, len(people))
		for i, person := range people {
			wg.Go(func() { _, results[i] = w.request(person, v.Rewards[0].ID) })
		}
		wg.Wait()
		for _, err := range results {
			if err == nil {
				taken++
				continue
			}
			require.Equal(t, loyalty.CodeBudgetExhausted, loyalty.CodeOf(err))
		}
		return taken
	}
	require.Equal(t, 2, all(), "the CPG's money")
	w.verify()
	require.NoError(t, w.exec(`UPDATE cpgs SET budget_cents = 1000000 WHERE id = $1`, w.cpg))
	require.Equal(t, 3, all(), "two are given again, and one more is the campaign's last")
	w.verify()
}

// Each reader sees its own redemptions, and of them what is its business.
func TestEachReaderSeesItsOwnRedemptions(t *testing.T) {
	w := newWorld(t, 4)
	w.earn(20)
	open, err := w.redeem(w.person)
	require.NoError(t, err)
	require.NoError(t, w.deliver(open.Code))
	open, err = w.redeem(w.person)
	require.NoError(t, err)
	list := func(s loyalty.Scope) (all []store.RedemptionRecord) {
		w.do(func(tx *store.Tx) (err error) {
			all, _, err = tx.Redemptions(t.Context(), s, store.RedemptionFilter{}, everything)
			return err
		})
		return all
	}
	codes := func(all []store.RedemptionRecord) (codes []string) {
		for _, r := range all {
			codes = append(codes, r.Code)
		}
		return codes
	}
	admin := list(w.admin)
	require.Len(t, admin, 2)
	require.Contains(t, codes(admin), open.Code)
	require.Equal(t, w.person, *admin[0].Person)
	require.Len(t, list(loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}), 2)
	require.Empty(t, list(loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.consumer("+525511112222")}))
	brand := list(w.team(w.cpg))
	require.Len(t, brand, 2)
	require.NotContains(t, codes(brand), open.Code, "an open code is a key")
	for _, r := range brand {
		require.Nil(t, r.Person)
	}
	require.Empty(t, list(w.team(w.otherCPG)))
	shop := list(loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.shop.ID}})
	require.Len(t, shop, 1, "what was delivered there")
	require.Equal(t, w.shop.Name, shop[0].Shop)
	require.Empty(t, list(loyalty.Scope{Role: loyalty.RoleTendero, Shops: []loyalty.ID{w.otherShop.ID}}))
	require.Empty(t, list(loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.person}))
}
