package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What was another's, until two persons turned out to be one, is in the history,
// once: the entries that carry a balance over are no news to anybody.
func TestTheHistoryOfAMergedPersonIsWhole(t *testing.T) {
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
	adjust := func(person loyalty.ID, amount int64) {
		w.do(func(tx *store.Tx) error {
			_, _, err := tx.Adjust(t.Context(), w.admin, store.AdjustmentInput{
				Campaign: w.stamps, CardCode: w.cardOf(person), Unit: loyalty.Stamp, Amount: amount, Reason: "Prueba",
			})
			return err
		})
	}
	adjust(first, 3)
	adjust(second, 5)
	w.writes(ana["LID and phone"], "m3", "hola")
	secret, card := w.link(first)
	m, err := w.db.CardMonth(t.Context(), secret, card, w.now(), 50)
	require.NoError(t, err)
	var sum int64
	for _, v := range m.Moved {
		require.Equal(t, "Prueba", v.Reason)
		sum += v.Amount
	}
	require.Len(t, m.Moved, 2)
	require.EqualValues(t, 8, sum)
	require.False(t, m.Full)
	few, err := w.db.CardMonth(t.Context(), secret, card, w.now(), 1)
	require.NoError(t, err)
	require.True(t, few.Full)
	_, err = w.db.CardMonth(t.Context(), "AAAAAAAAAAAAAAAAAAAAAA", card, w.now(), 50)
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err))
}
