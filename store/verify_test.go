package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Whatever cached figure is tampered with, verifying finds it, and names it.
func TestVerifyNoticesEveryCachedFigure(t *testing.T) {
	for _, c := range []struct {
		what, sql string
		sampled   bool // a sample finds it, too
	}{
		{"stamps", `UPDATE enrollments SET stamps = stamps + 1`, true},
		{"points", `UPDATE enrollments SET points = points - 1`, true},
		{"running balance", `ALTER TABLE ledger DISABLE TRIGGER ledger_append_only; UPDATE ledger SET balance = balance + 1 WHERE kind = 'redeem'`, true},
		{"earnings of receipt", `UPDATE purchases SET receipt = jsonb_set(receipt, '{earned,0,amount}', '99')`, true},
		{"payment of redemption", `UPDATE redemptions SET amount = amount + 1`, true},
		{"returned units of line 0", `UPDATE purchase_items SET returned = 2`, true},
		{"returned units of purchase", `UPDATE purchases SET status = 'reversed'`, true},
		{"counted purchases", `UPDATE enrollments SET standing = jsonb_set(standing, '{purchases}', '9')`, true},
		{"reversals of purchase", `ALTER TABLE ledger DISABLE TRIGGER ledger_append_only; UPDATE ledger SET amount = -90 WHERE kind = 'reverse'`, true},
		{"taken stock", `UPDATE rewards SET taken = 7`, false},
		{"used budget of stamps", `UPDATE quotas SET used = 77 WHERE name = 'stamp'`, false},
		{"used budget of rewards", `UPDATE quotas SET used = 7 WHERE name = 'reward'`, false},
		{"reserved money", `UPDATE cpgs SET reserved_cents = 7`, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			w := newWorld(t, 4)
			w.change(w.stamps, func(terms *loyalty.Terms) { terms.Budget = &loyalty.Budget{Stamps: 100, Rewards: 100} })
			p, _, err := w.buy("v", w.card, 12)
			require.NoError(t, err)
			_, err = w.redeem(w.person)
			require.NoError(t, err)
			_, _, err = w.reverse(w.admin, p.ID, "", store.ReversalItem{GTIN: w.gtin, Quantity: 1})
			require.NoError(t, err)
			w.verify()
			sample, err := w.db.VerifySample(t.Context(), 5)
			require.NoError(t, err)
			require.Empty(t, sample)

			require.NoError(t, w.execAll(c.sql))
			found, err := w.db.Verify(t.Context())
			require.NoError(t, err)
			require.Contains(t, whats(found), c.what)
			sample, err = w.db.VerifySample(t.Context(), 5)
			require.NoError(t, err)
			require.Equal(t, c.sampled, len(sample) > 0)
		})
	}
}

func whats(found []store.Discrepancy) (all []string) {
	for _, d := range found {
		all = append(all, d.What)
	}
	return all
}

// A sample looks at so many enrollments, wherever it begins, and at all of them
// where there are no more.
func TestASampleGoesAround(t *testing.T) {
	w := newWorld(t, 4)
	for _, phone := range []string{"+525511112221", "+525511112222", "+525511112223"} {
		_, _, err := w.buy(phone, w.cardOf(w.consumer(phone)), 1)
		require.NoError(t, err)
		w.clock.Advance(aDay)
	}
	require.NoError(t, w.exec(`UPDATE enrollments SET stamps = 5`))
	for range 5 {
		found, err := w.db.VerifySample(t.Context(), 2)
		require.NoError(t, err)
		require.Len(t, found, 2)
	}
	found, err := w.db.VerifySample(t.Context(), 9)
	require.NoError(t, err)
	require.Len(t, found, 3)
}
