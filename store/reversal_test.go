package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// P9: a reversal takes back exactly what the purchase gave, once.
func TestPitfallP9AReversalTakesBackWhatWasGivenOnce(t *testing.T) {
	w := newWorld(t, 8)
	w.earn(2)
	p, _, err := w.buy("p9", w.card, 5)
	require.NoError(t, err)
	answers := make([]store.Reversal, 16)
	var wg sync.WaitGroup
	var fresh sync.Map
	for i := range answers {
		wg.Go(func() {
			r, replayed, err := w.reverse(w.admin, p.ID, "")
			if err != nil {
				t.Errorf("reversal %d: %v", i, err)
			}
			if !replayed {
				fresh.Store(i, true)
			}
			answers[i] = r
		})
	}
	wg.Wait()
	first := 0
	fresh.Range(func(any, any) bool { first++; return true })
	require.Equal(t, 1, first)
	for _, r := range answers {
		require.Equal(t, answers[0], r)
	}
	require.Equal(t, "reversed", answers[0].Status)
	require.Equal(t, []store.TakenBack{{CampaignID: w.stamps, Campaign: "Junta 10", Unit: loyalty.Stamp, Amount: 5, Balance: 2}}, answers[0].Taken)
	require.EqualValues(t, 2, w.balance(w.stamps))
	require.EqualValues(t, 1, w.notices("reversal.done"))
	w.do(func(tx *store.Tx) error {
		r, err := tx.Purchase(t.Context(), w.admin, p.ID)
		require.Equal(t, "reversed", r.Status)
		return err
	})
	_, _, err = w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.Equal(t, loyalty.CodeReversalTooMuch, loyalty.CodeOf(err))
	w.verify()
}

// P9, by parts: each part takes what its items gave, and all of them all.
func TestPitfallP9ReversalsByPartTakeAllInTheEnd(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.Scheme, in.Terms.PointsGoal = loyalty.Both, 100
		in.Terms.Earn = []loyalty.Earn{
			{Unit: loyalty.Stamp, Per: loyalty.PerUnit, Amount: 1, Each: 2},
			{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1, Each: 7},
		}
		in.Terms.Limits = []loyalty.Limit{{Max: 2, Period: loyalty.EachDay}}
		in.Terms.Budget = &loyalty.Budget{Stamps: 100, Points: 100}
	})
	in := w.purchase("parts", w.card, 5)
	in.Items = append(in.Items, store.ItemInput{GTIN: w.gtin, Quantity: 2}, store.ItemInput{GTIN: w.otherGTIN, Quantity: 1})
	p, _, err := w.buyAs(w.admin, in)
	require.NoError(t, err)
	amounts := func(taken []store.TakenBack) map[string]int64 {
		all := map[string]int64{}
		for _, x := range taken {
			all[string(x.CampaignID)+string(x.Unit)] = x.Amount
		}
		return all
	}
	stamps, points := string(v.ID)+"stamp", string(v.ID)+"point"
	given := map[string]int64{}
	for _, e := range p.Earned {
		given[string(e.CampaignID)+string(e.Unit)] = e.Amount
	}
	require.Equal(t, map[string]int64{string(w.stamps) + "stamp": 7, stamps: 2, points: 18}, given, "7 units of 18.50, at most 2 stamps a day")

	one := store.ReversalItem{GTIN: w.gtin, Quantity: 2}
	r, replayed, err := w.reverse(w.admin, p.ID, "k-1", one)
	require.NoError(t, err)
	require.False(t, replayed)
	require.Equal(t, "recorded", r.Status)
	require.Equal(t, map[string]int64{string(w.stamps) + "stamp": 2, points: 5}, amounts(r.Taken), "5 units still fill the day's limit, and are worth 13 points")
	again, replayed, err := w.reverse(w.admin, p.ID, "k-1", one)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, r, again)
	_, _, err = w.reverse(w.admin, p.ID, "k-1", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.Equal(t, loyalty.CodeIdempotencyReused, loyalty.CodeOf(err))
	_, _, err = w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 6})
	require.Equal(t, loyalty.CodeReversalTooMuch, loyalty.CodeOf(err))
	require.Equal(t, []string{"items[0].quantity"}, fieldsOf(t, err))
	w.verify()

	r, _, err = w.reverse(w.admin, p.ID, "k-2", store.ReversalItem{GTIN: w.gtin, Quantity: 2})
	require.NoError(t, err)
	require.Equal(t, map[string]int64{string(w.stamps) + "stamp": 2, stamps: 1, points: 6}, amounts(r.Taken))
	w.verify()
	r, _, err = w.reverse(w.admin, p.ID, "k-3")
	require.NoError(t, err)
	require.Equal(t, "reversed", r.Status)
	require.Equal(t, map[string]int64{string(w.stamps) + "stamp": 3, stamps: 1, points: 7}, amounts(r.Taken))
	require.Zero(t, w.count(`SELECT sum(used) FROM quotas WHERE campaign_id = $1`, v.ID), "the budget has it all again")
	require.Zero(t, w.count(`SELECT sum(stamps) + sum(points) FROM enrollments`))
	w.verify()

	// The day's limit is free again.
	p, _, err = w.buy("after", w.card, 6)
	require.NoError(t, err)
	for _, e := range p.Earned {
		if e.CampaignID == v.ID && e.Unit == loyalty.Stamp {
			require.EqualValues(t, 2, e.Amount)
		}
	}
	w.verify()
}

// P9, after a redemption: the balance goes negative and says so, and what is
// earned next pays it.
func TestPitfallP9AReversalAfterARedemptionMayGoNegative(t *testing.T) {
	w := newWorld(t, 4)
	p, _, err := w.buy("p9n", w.card, 12)
	require.NoError(t, err)
	d, err := w.redeem(w.person)
	require.NoError(t, err)
	require.NoError(t, w.deliver(d.Code))
	r, _, err := w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	require.EqualValues(t, -10, r.Taken[0].Balance)
	require.EqualValues(t, -10, w.balance(w.stamps))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE template = 'reversal.done' AND vars->>'negative' = 'yes'`))
	require.False(t, w.part(w.stamps).Ready)
	w.earn(11)
	require.EqualValues(t, 1, w.balance(w.stamps))
	w.verify()
}

// P9, after an expiry: what has ended is not taken once more.
func TestPitfallP9AReversalAfterAnExpiryTakesWhatIsLeft(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) { in.Terms.Expiry = &loyalty.Expiry{Days: 10} })
	p, _, err := w.buy("p9x", w.card, 6)
	require.NoError(t, err)
	w.clock.Advance(5 * aDay)
	d, err := w.request(w.person, v.Rewards[0].ID) // uses 5 of the 6
	require.NoError(t, err)
	require.NoError(t, w.deliver(d.Code))
	w.clock.Advance(5 * aDay)
	w.expireBalances()
	require.Zero(t, w.balance(v.ID))
	r, _, err := w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	for _, x := range r.Taken {
		if x.CampaignID == v.ID {
			require.EqualValues(t, 5, x.Amount, "one had ended")
			require.EqualValues(t, -5, x.Balance)
		}
	}
	w.verify()
}

// What a purchase counted for is counted no more: tiers, limits, first purchase.
func TestAReversedPurchaseCountsForNothing(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Purchases: 2}}}
		in.Terms.Boosts = []loyalty.Boost{{Name: "Bienvenida", Bonus: 3, When: loyalty.When{First: true}}}
	})
	first, _, err := w.buy("c-1", w.card, 1)
	require.NoError(t, err)
	w.earn(1)
	require.Equal(t, "Plata", w.part(v.ID).Tier.Level)
	require.EqualValues(t, 5, w.balance(v.ID))
	_, _, err = w.reverse(w.admin, first.ID, "")
	require.NoError(t, err)
	require.Empty(t, w.part(v.ID).Tier.Level)
	require.EqualValues(t, 1, w.balance(v.ID), "with the welcome that it had brought")
	w.verify()
}

// Who may take back a purchase, and to whom it does not exist.
func TestOnlyWhoSoldMayReverse(t *testing.T) {
	w := newWorld(t, 4)
	key := loyalty.Scope{Role: loyalty.RoleIntegration, Key: "018f0000-0000-7000-8000-000000000001"}
	for _, c := range []struct {
		name  string
		scope loyalty.Scope
		code  loyalty.Code
	}{
		{"an admin", w.admin, ""},
		{"the integration that recorded it", key, ""},
		{"another integration", loyalty.Scope{Role: loyalty.RoleIntegration, Key: "018f0000-0000-7000-8000-000000000002"}, loyalty.CodeNotFound},
		{"the shop's tendero", loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.shop.ID}}, ""},
		{"another shop's tendero", loyalty.Scope{Role: loyalty.RoleTendero, Person: w.person, Shops: []loyalty.ID{w.otherShop.ID}}, loyalty.CodeNotFound},
		{"its consumer", loyalty.Scope{Role: loyalty.RoleConsumer, Person: w.person}, loyalty.CodeNotFound},
		{"the brand", w.team(w.cpg), loyalty.CodeNotFound},
	} {
		p, _, err := w.buyAs(key, w.purchase(c.name, w.card, 1))
		require.NoError(t, err)
		_, _, err = w.reverse(c.scope, p.ID, "")
		require.Equal(t, c.code, loyalty.CodeOf(err), c.name)
	}
	w.verify()
}

// A purchase by evidence code can be taken back; the code stays used.
func TestAReversedEvidenceCodeStaysUsed(t *testing.T) {
	w := newWorld(t, 4)
	code := w.evidence()
	p, _, err := w.buy("e-1", code, 1)
	require.NoError(t, err)
	_, _, err = w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	_, _, err = w.buy("e-2", code, 1)
	require.Equal(t, loyalty.CodeEvidenceUsed, loyalty.CodeOf(err))
	require.Zero(t, w.balance(w.stamps))
}

// A purchase judged by one version is taken back by the same, whatever the
// campaign has become.
func TestAReversalJudgesByTheVersionOfThePurchase(t *testing.T) {
	w := newWorld(t, 4)
	p, _, err := w.buy("v-1", w.card, 4)
	require.NoError(t, err)
	w.clock.Advance(time.Hour)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Earn[0].Amount = 5 })
	r, _, err := w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.NoError(t, err)
	require.EqualValues(t, 1, r.Taken[0].Amount)
	require.EqualValues(t, 3, w.balance(w.stamps))
	w.verify()
}

// A report knows of a return at once, on the day of the sale.
func TestAReportKnowsWhatCameBack(t *testing.T) {
	w := newWorld(t, 4)
	p, _, err := w.buy("rep-1", w.card, 4)
	require.NoError(t, err)
	w.clock.Advance(3 * aDay)
	require.EqualValues(t, 4, w.units(w.stamps))
	for n, left := range []int64{3, 0} {
		items := []store.ReversalItem{{GTIN: w.gtin, Quantity: 1}}
		if left == 0 {
			items = nil
		}
		_, _, err = w.reverse(w.admin, p.ID, fmt.Sprint("rep-", n), items...)
		require.NoError(t, err)
		w.clock.Advance(time.Second)
		require.EqualValues(t, left, w.units(w.stamps))
	}
	require.Zero(t, w.count(`SELECT count(*) FROM activity_daily`))
}

// A purchase of before campaigns had versions is taken back too.
func TestAnOlderPurchaseIsTakenBack(t *testing.T) {
	w := newWorld(t, 4)
	p, _, err := w.buy("1", w.card, 3)
	require.NoError(t, err)
	for w.count(`SELECT count(*) FROM pg_tables WHERE tablename = 'campaign_versions'`) > 0 {
		require.NoError(t, migrations.Down(t.Context(), w.url))
	}
	require.NoError(t, migrations.Up(t.Context(), w.url))
	_, _, err = w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.NoError(t, err)
	require.EqualValues(t, 2, w.balance(w.stamps))
	_, _, err = w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	require.Zero(t, w.balance(w.stamps))
	w.verify()
}

// Nobody waits for a purchase that came back; but for the one before it.
func TestNoCooldownRunsFromWhatCameBack(t *testing.T) {
	w := newWorld(t, 4)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.CooldownMinutes = 60 })
	buy := func(key string, balance int64) store.Receipt {
		w.clock.Advance(time.Minute)
		p, _, err := w.buy(key, w.card, 3)
		require.NoError(t, err)
		require.Equal(t, balance, w.balance(w.stamps))
		return p
	}
	p := buy("1", 3)
	_, _, err := w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	buy("2", 3)
	w.clock.Advance(time.Hour)
	p = buy("3", 6)
	_, _, err = w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	buy("4", 6)
	buy("5", 6)
	w.verify()
}
