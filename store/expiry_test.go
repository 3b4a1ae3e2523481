package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

const aDay = 24 * time.Hour

// expireBalances runs the jobs that take what has ended.
func (w *world) expireBalances() {
	w.t.Helper()
	w.do(func(tx *store.Tx) error { _, err := tx.ScheduleExpiry(w.t.Context(), 100); return err })
	w.do(func(tx *store.Tx) error { _, err := tx.ExpireBalances(w.t.Context(), 100); return err })
	w.do(func(tx *store.Tx) error {
		left, err := tx.ExpireBalances(w.t.Context(), 100)
		require.Zero(w.t, left, "once is enough")
		return err
	})
}

func (w *world) warnExpiry() (n int) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.WarnExpiry(w.t.Context(), 100)
		return err
	})
	return n
}

// What was earned first ends first, so many days after it was earned.
func TestBalancesEndInTheOrderInWhichTheyWereEarned(t *testing.T) {
	w := newWorld(t, 4)
	began := w.now()
	v := w.made(func(in *store.CampaignInput) { in.Terms.Expiry = &loyalty.Expiry{Days: 30} })
	at := func(day int) { w.clock.Set(began.Add(time.Duration(day) * aDay)) }
	w.earn(4) // until day 30
	at(10)
	w.earn(6) // until day 40
	at(20)
	r, err := w.request(w.person, v.Rewards[0].ID) // takes the 4, and 1 of the 6
	require.NoError(t, err)
	require.NoError(t, w.deliver(r.Code))
	at(30)
	w.expireBalances()
	require.EqualValues(t, 5, w.balance(v.ID), "those that end today were used")
	at(35)
	require.Equal(t, &store.Expiring{Amount: 5, At: began.Add(40 * aDay)}, w.part(v.ID).Expiring)
	w.earn(2) // until day 65
	at(40)
	w.expireBalances()
	require.EqualValues(t, 2, w.balance(v.ID))
	require.Nil(t, w.part(v.ID).Expiring, "nobody is to be told yet")
	at(65)
	w.expireBalances()
	require.Zero(t, w.balance(v.ID))
	require.Zero(t, w.count(`SELECT count(*) FROM enrollments WHERE campaign_id = $1 AND next_expiry_at IS NOT NULL`, v.ID))
	w.verify()
}

// All ends at a date, also where the date was stated later; what is earned after
// it stays.
func TestBalancesEndAtADate(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(*store.CampaignInput) {})
	w.earn(4)
	on := w.now().Add(5 * aDay)
	w.change(v.ID, func(terms *loyalty.Terms) { terms.Expiry = &loyalty.Expiry{On: on} })
	w.expireBalances()
	require.EqualValues(t, 4, w.balance(v.ID))
	require.Equal(t, &store.Expiring{Amount: 4, At: on}, w.part(v.ID).Expiring)
	w.clock.Set(on)
	w.expireBalances()
	require.Zero(t, w.balance(v.ID))
	w.clock.Advance(time.Hour)
	w.earn(3)
	w.clock.Advance(aDay)
	w.expireBalances()
	require.EqualValues(t, 3, w.balance(v.ID))
	w.verify()
}

// A reward that was asked for before the date and comes back after it brings the
// balance back for a few days, not for ever: asking does not dodge the date.
func TestARewardGivenBackAfterTheDateEndsSoon(t *testing.T) {
	w := newWorld(t, 4)
	on := w.now().Add(5 * aDay)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.Expiry = &loyalty.Expiry{On: on}
		in.Rewards[0].CodeDays = 60
	})
	w.earn(6)
	r, err := w.request(w.person, v.Rewards[0].ID)
	require.NoError(t, err)
	w.clock.Set(on.Add(aDay))
	w.expireBalances()
	require.Zero(t, w.balance(v.ID), "the one that was not spent")
	w.do(func(tx *store.Tx) error { _, err := tx.CancelRedemption(t.Context(), w.admin, r.Code); return err })
	w.earn(2)
	w.expireBalances()
	require.EqualValues(t, 7, w.balance(v.ID))
	w.clock.Advance(7 * aDay)
	w.expireBalances()
	require.EqualValues(t, 2, w.balance(v.ID), "what was earned after the date stays")
	w.verify()
}

// All ends after silence, which a purchase breaks.
func TestBalancesEndAfterSilence(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) { in.Terms.Expiry = &loyalty.Expiry{InactiveDays: 10} })
	w.earn(4)
	w.clock.Advance(9 * aDay)
	w.earn(1)
	w.clock.Advance(9 * aDay)
	w.expireBalances()
	require.EqualValues(t, 5, w.balance(v.ID), "there was no silence of ten days")
	require.Equal(t, &store.Expiring{Amount: 5, At: w.now().Add(aDay)}, w.part(v.ID).Expiring)
	w.clock.Advance(aDay)
	w.expireBalances()
	require.Zero(t, w.balance(v.ID))
	w.verify()
}

// Who is about to lose something is told before, once, by day, and not who asked
// for silence.
func TestConsumersAreWarnedBeforeABalanceEnds(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) { in.Terms.Expiry = &loyalty.Expiry{Days: 30, WarnDays: 3} })
	began := w.now()
	w.earn(4)
	w.clock.Advance(time.Hour)
	w.earn(2)
	w.clock.Set(began.Add(27*aDay - time.Second))
	require.Zero(t, w.warnExpiry())
	// 23:42 in Mexico City.
	w.clock.Set(time.Date(2026, 4, 2, 5, 42, 11, 0, time.UTC))
	require.Equal(t, 1, w.warnExpiry())
	require.Zero(t, w.warnExpiry(), "once")
	w.clock.Advance(12 * time.Hour)
	require.Zero(t, w.warnExpiry())
	require.EqualValues(t, 1, w.notices("expiry.warning"))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE template = 'expiry.warning' AND due_at = '2026-04-02 15:00:00+00'
		AND vars->>'amount' = '6' AND vars->>'date' = '4 de abril' AND vars->>'campaign' = 'Otra' AND vars->>'unit' = 'stamp'`))

	// What was used meanwhile is no reason to write.
	other := w.consumer("+525511112222")
	_, _, err := w.buy("other", w.cardOf(other), 5)
	require.NoError(t, err)
	w.clock.Advance(20 * aDay)
	_, err = w.request(other, v.Rewards[0].ID)
	require.NoError(t, err)
	w.clock.Advance(9 * aDay)
	w.warnExpiry()
	require.EqualValues(t, 1, w.notices("expiry.warning"))
	w.verify()
}

// A tier that is to be earned anew each month is at risk, and then lost, also of
// who never comes again.
func TestATierOfAPeriodIsAtRiskAndThenLost(t *testing.T) {
	w := newWorld(t, 4)
	v := w.made(func(in *store.CampaignInput) {
		in.Terms.Tiers = &loyalty.Tiers{Keep: loyalty.TierPerPeriod, Period: loyalty.EachMonth, GraceDays: 5, Levels: []loyalty.Level{
			{Name: "Plata", Purchases: 1, Discount: "5 % en mostrador"}, {Name: "Oro", Purchases: 3},
		}}
	})
	roll := func() (n int) {
		w.do(func(tx *store.Tx) (err error) {
			n, err = tx.RollTiers(t.Context(), 100)
			return err
		})
		return n
	}
	w.earn(1)
	tier := w.part(v.ID).Tier
	require.Equal(t, "Plata", tier.Level)
	require.Equal(t, "5 % en mostrador", tier.Discount)
	require.Equal(t, "Oro", tier.Next)
	require.EqualValues(t, 2, tier.Missing.Purchases)
	require.Zero(t, roll())
	w.clock.Set(time.Date(2026, 4, 2, 18, 0, 0, 0, time.UTC)) // March's purchases still merit it
	require.Equal(t, 1, roll())
	require.Zero(t, roll())
	require.Zero(t, w.notices("tier.at_risk"))
	w.clock.Set(time.Date(2026, 5, 2, 18, 0, 0, 0, time.UTC))
	require.Equal(t, 1, roll())
	require.Zero(t, roll(), "told once")
	require.EqualValues(t, 1, w.notices("tier.at_risk"))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE template = 'tier.at_risk' AND vars->>'date' = '6 de mayo'
		AND vars->>'tier' = 'Plata' AND vars->>'missing' = '1 compra' AND vars->>'campaign' = 'Otra'`))
	tier = w.part(v.ID).Tier
	require.True(t, tier.AtRisk)
	require.Equal(t, "2026-05-06", tier.Until)
	w.clock.Set(time.Date(2026, 5, 6, 18, 0, 0, 0, time.UTC))
	require.Equal(t, 1, roll())
	require.Zero(t, roll())
	require.EqualValues(t, 1, w.notices("tier.lost"))
	require.Empty(t, w.part(v.ID).Tier.Level)
	w.verify()
}

// An admin corrects a balance: with a reason, once for each key, and the consumer
// hears of it.
func TestAnAdjustmentIsMadeOnce(t *testing.T) {
	w := newWorld(t, 4)
	in := store.AdjustmentInput{Campaign: w.stamps, CardCode: w.card, Unit: loyalty.Stamp, Amount: 3, Reason: "Sello que faltaba", Key: "a-1"}
	adjust := func(scope loyalty.Scope, in store.AdjustmentInput) (a store.Adjustment, replayed bool, err error) {
		err = w.db.InTx(t.Context(), func(tx *store.Tx) (err error) {
			a, replayed, err = tx.Adjust(t.Context(), scope, in)
			return err
		})
		return a, replayed, err
	}
	first, replayed, err := adjust(w.admin, in)
	require.NoError(t, err)
	require.False(t, replayed)
	require.EqualValues(t, 3, first.Balance, "it begins the enrollment")
	again, replayed, err := adjust(w.admin, in)
	require.NoError(t, err)
	require.True(t, replayed)
	require.Equal(t, first, again)
	require.EqualValues(t, 3, w.balance(w.stamps))
	require.EqualValues(t, 1, w.notices("adjustment.done"))

	in.Amount = 4
	_, _, err = adjust(w.admin, in)
	require.Equal(t, loyalty.CodeIdempotencyReused, loyalty.CodeOf(err))
	for i, c := range []struct {
		field  string
		change func(*store.AdjustmentInput)
	}{
		{"amount", func(in *store.AdjustmentInput) { in.Amount = 0 }},
		{"reason", func(in *store.AdjustmentInput) { in.Reason = " " }},
		{"unit", func(in *store.AdjustmentInput) { in.Unit = loyalty.Point }},
		{"card_code", func(in *store.AdjustmentInput) { in.CardCode = "ANA" }},
	} {
		bad := in
		bad.Key = fmt.Sprint("bad-", i)
		c.change(&bad)
		_, _, err := adjust(w.admin, bad)
		require.Equal(t, []string{c.field}, fieldsOf(t, err))
	}
	in.Key = "a-2"
	_, _, err = adjust(w.team(w.cpg), in)
	require.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(err))
	in.Amount = -5
	last, _, err := adjust(w.admin, in)
	require.NoError(t, err)
	require.EqualValues(t, -2, last.Balance)
	w.verify()
}
