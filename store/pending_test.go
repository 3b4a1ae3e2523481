package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// typed is a purchase with a card code that was typed.
func (w *world) typed(key string, units int64) store.Receipt {
	w.t.Helper()
	in := w.purchase(key, w.card, units)
	in.Captured = "typed"
	r, _, err := w.buyAs(w.admin, in)
	require.NoError(w.t, err)
	return r
}

// careful makes the world's campaign ask for a yes, and another that does not.
func (w *world) careful(hours int64) (other store.Campaign) {
	w.t.Helper()
	w.change(w.stamps, func(t *loyalty.Terms) { t.Pending = &loyalty.Pending{Hours: hours} })
	return w.made(func(*store.CampaignInput) {})
}

// A typed card code earns after the consumer's yes, by the rules of the sale's
// time; other campaigns give at once.
func TestATypedCodeEarnsAfterTheYes(t *testing.T) {
	w := newWorld(t, 4)
	other := w.careful(0)
	p := w.typed("t-1", 3)
	require.Equal(t, "pending", p.Status)
	require.Equal(t, []store.Expected{{CampaignID: w.stamps, Campaign: "Junta 10", Unit: loyalty.Stamp, Amount: 3}}, p.Pending)
	require.EqualValues(t, 3, w.part(w.stamps).Pending)
	require.Zero(t, w.balance(w.stamps))
	require.EqualValues(t, 3, w.balance(other.ID))
	w.verify()

	w.clock.Advance(time.Hour)
	w.change(w.stamps, func(terms *loyalty.Terms) { terms.Earn[0].Amount = 9 })
	w.do(func(tx *store.Tx) error {
		waiting, err := tx.PendingPurchases(t.Context(), w.person)
		require.Len(t, waiting, 1)
		require.Equal(t, p.ID, waiting[0].ID)
		return err
	})
	confirm := func(purchase loyalty.ID) (all []store.Receipt) {
		w.do(func(tx *store.Tx) (err error) {
			all, err = tx.ConfirmPending(t.Context(), w.person, purchase)
			return err
		})
		return all
	}
	all := confirm("")
	require.Len(t, all, 1)
	require.Equal(t, "recorded", all[0].Status)
	require.EqualValues(t, 3, w.balance(w.stamps))
	require.Zero(t, w.part(w.stamps).Pending)
	require.Empty(t, confirm(p.ID), "once")
	w.do(func(tx *store.Tx) error {
		r, err := tx.Purchase(t.Context(), w.admin, p.ID)
		require.Equal(t, "recorded", r.Status)
		require.Len(t, r.Earned, 2)
		require.Empty(t, r.Pending)
		return err
	})
	w.verify()
	r, _, err := w.reverse(w.admin, p.ID, "")
	require.NoError(t, err)
	require.Len(t, r.Taken, 2)
	require.Zero(t, w.balance(w.stamps)+w.balance(other.ID))
	w.verify()
}

// Nobody else's yes counts; and the hours do without one, where there are some.
func TestATypedCodeEarnsAfterSomeHours(t *testing.T) {
	w := newWorld(t, 4)
	w.careful(48)
	w.typed("t-1", 3)
	stranger := w.consumer("+525511112222")
	w.do(func(tx *store.Tx) error {
		all, err := tx.ConfirmPending(t.Context(), stranger, "")
		require.Empty(t, all)
		return err
	})
	mature := func() int {
		n, err := w.db.MaturePending(t.Context(), 10)
		require.NoError(t, err)
		return n
	}
	w.clock.Advance(48*time.Hour - time.Second)
	require.Zero(t, mature())
	w.clock.Advance(time.Second)
	require.Equal(t, 1, mature())
	require.Zero(t, mature())
	require.EqualValues(t, 3, w.balance(w.stamps))
	w.verify()
}

// The consumer's no drops what waits; a purchase that gave nothing else is
// reversed.
func TestADeniedPurchaseNeverEarns(t *testing.T) {
	w := newWorld(t, 4)
	other := w.careful(0)
	deny := func() (ids []loyalty.ID) {
		w.do(func(tx *store.Tx) (err error) {
			ids, err = tx.DenyPending(t.Context(), w.person, "")
			return err
		})
		return ids
	}
	status := func(id loyalty.ID) (s string) {
		w.do(func(tx *store.Tx) error {
			r, err := tx.Purchase(t.Context(), w.admin, id)
			s = r.Status
			return err
		})
		return s
	}
	p := w.typed("d-1", 3)
	require.Equal(t, []loyalty.ID{p.ID}, deny())
	require.Equal(t, "recorded", status(p.ID))
	require.Zero(t, w.balance(w.stamps))
	require.EqualValues(t, 3, w.balance(other.ID))
	w.verify()

	w.move(other.ID, loyalty.Paused)
	p = w.typed("d-2", 3)
	require.Equal(t, []loyalty.ID{p.ID}, deny())
	require.Equal(t, "reversed", status(p.ID))
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM reversals WHERE reason = 'El cliente dijo que no fue su compra'`))
	require.Empty(t, deny())
	require.Zero(t, w.balance(w.stamps))
	w.verify()
}

// What came back before the yes earns nothing after it, and a purchase that came
// back whole waits no more.
func TestWhatCameBackEarnsNothingAfterTheYes(t *testing.T) {
	w := newWorld(t, 4)
	w.careful(0)
	p := w.typed("r-1", 3)
	_, _, err := w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.NoError(t, err)
	whole := w.typed("r-2", 4)
	_, _, err = w.reverse(w.admin, whole.ID, "")
	require.NoError(t, err)
	w.do(func(tx *store.Tx) error {
		all, err := tx.ConfirmPending(t.Context(), w.person, "")
		require.Len(t, all, 1)
		return err
	})
	require.EqualValues(t, 2, w.balance(w.stamps))
	r, _, err := w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
	require.NoError(t, err)
	for _, x := range r.Taken {
		require.EqualValues(t, 1, x.Amount)
	}
	require.EqualValues(t, 1, w.balance(w.stamps))
	w.verify()
}

// A purchase that waits is a sale all the same, but not yet of the campaign that
// waits.
func TestAPendingPurchaseCountsWhenItIsConfirmed(t *testing.T) {
	w := newWorld(t, 4)
	other := w.careful(0)
	w.typed("p-1", 3)
	w.clock.Advance(time.Second)
	require.Zero(t, w.units(w.stamps))
	require.EqualValues(t, 3, w.units(other.ID))
	w.clock.Advance(3 * aDay)
	w.do(func(tx *store.Tx) error { _, err := tx.ConfirmPending(t.Context(), w.person, ""); return err })
	w.clock.Advance(time.Second)
	require.EqualValues(t, 3, w.units(w.stamps))
}

// What a receipt promised for a yes is given for it, wherever the campaign stands
// by then: paused, ended, or changed long ago.
func TestTheYesBringsWhatWasPromised(t *testing.T) {
	for name, since := range map[string]func(*world){
		"paused": func(w *world) { w.move(w.stamps, loyalty.Paused) },
		"ended":  func(w *world) { w.move(w.stamps, loyalty.Ended) },
		"changed long ago": func(w *world) {
			w.clock.Advance(time.Hour)
			w.change(w.stamps, func(terms *loyalty.Terms) { terms.Earn[0].Amount = 9 })
			w.clock.Advance(40 * aDay)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 4)
			w.careful(0)
			w.typed("t-1", 3)
			since(w)
			w.do(func(tx *store.Tx) error {
				_, err := tx.ConfirmPending(t.Context(), w.person, "")
				return err
			})
			require.EqualValues(t, 3, w.balance(w.stamps))
			w.verify()
		})
	}
}

// A campaign that wants a yes gets one, though another does without it after some
// hours.
func TestEachCampaignWaitsForItself(t *testing.T) {
	w := newWorld(t, 4)
	w.careful(0)
	hasty := w.made(func(in *store.CampaignInput) { in.Terms.Pending = &loyalty.Pending{Hours: 2} })
	p := w.typed("t-1", 3)
	w.clock.Advance(2 * time.Hour)
	n, err := w.db.MaturePending(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.EqualValues(t, 3, w.balance(hasty.ID))
	require.Zero(t, w.part(hasty.ID).Pending)
	require.Zero(t, w.balance(w.stamps))
	require.EqualValues(t, 3, w.part(w.stamps).Pending)
	w.verify()
	w.clock.Advance(100 * time.Hour)
	n, err = w.db.MaturePending(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n)
	w.do(func(tx *store.Tx) error {
		r, err := tx.Purchase(t.Context(), w.admin, p.ID)
		require.Equal(t, "pending", r.Status)
		require.Len(t, r.Pending, 1)
		return err
	})
	w.do(func(tx *store.Tx) error {
		all, err := tx.ConfirmPending(t.Context(), w.person, p.ID)
		require.Len(t, all, 1)
		require.Empty(t, all[0].Pending)
		require.Len(t, all[0].Earned, 3, "of all three campaigns")
		return err
	})
	require.EqualValues(t, 3, w.balance(w.stamps))
	w.verify()
}
