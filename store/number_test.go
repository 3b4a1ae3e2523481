package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

const leaseTTL = 12 * time.Second

// number makes one that is connected for so long, and held by "bot".
func (w *world) number(label string, since time.Duration) (n store.Number) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.CreateNumber(w.t.Context(), w.admin, label)
		return err
	})
	for _, held := range w.lease("bot", 99) {
		if held.ID == n.ID {
			n = held
		}
	}
	paired := w.now().Add(-since)
	w.state(n, store.NumberConnected, store.NumberState{PairedAt: &paired, JID: ptr(label + "@s.whatsapp.net")})
	return n
}

func (w *world) lease(owner string, most int) (all []store.Number) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		all, err = tx.LeaseNumbers(w.t.Context(), owner, leaseTTL, most)
		return err
	})
	return all
}

// state has the owner say how the number stands, whoever holds it by now.
func (w *world) state(n store.Number, status store.NumberStatus, more store.NumberState) {
	w.t.Helper()
	more.Status = &status
	for _, held := range w.lease("bot", 99) {
		if held.ID == n.ID {
			n = held
		}
	}
	w.do(func(tx *store.Tx) error { return tx.NumberState(w.t.Context(), n.Lease(), more) })
}

func ptr[T any](v T) *T { return &v }

func idsOf(all []store.Number) (ids []loyalty.ID) {
	for _, n := range all {
		ids = append(ids, n.ID)
	}
	return ids
}

// A number is one owner's for as long as it renews, and another's soon after it
// does not; what the old one writes then is refused.
func TestALeaseIsOneOwnersAndIsTakenOverWhenItRunsOut(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	var made store.Number
	w.do(func(tx *store.Tx) (err error) {
		made, err = tx.CreateNumber(ctx, w.admin, "Principal")
		return err
	})
	require.Equal(t, store.NumberPairing, made.Status)
	first := w.lease("one", 5)
	require.Equal(t, []loyalty.ID{made.ID}, idsOf(first))
	require.Empty(t, w.lease("two", 5))
	w.clock.Advance(leaseTTL - time.Second)
	require.Equal(t, first[0].Fence, w.lease("one", 5)[0].Fence, "renewed, not taken anew")
	w.clock.Advance(leaseTTL - time.Second)
	require.Empty(t, w.lease("two", 5))
	w.clock.Advance(time.Second)
	second := w.lease("two", 5)
	require.Equal(t, []loyalty.ID{made.ID}, idsOf(second))
	require.Greater(t, second[0].Fence, first[0].Fence)
	require.Empty(t, w.lease("one", 5))
	write := func(l store.Lease) error {
		return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.NumberState(ctx, l, store.NumberState{Reason: ptr("x")}) })
	}
	require.ErrorIs(t, write(first[0].Lease()), store.ErrLeaseLost)
	require.NoError(t, write(second[0].Lease()))
	// Also the same owner, whose lease ran out and who came back, begins anew.
	w.clock.Advance(leaseTTL)
	require.ErrorIs(t, write(second[0].Lease()), store.ErrLeaseLost, "run out")
	third := w.lease("two", 5)
	require.Greater(t, third[0].Fence, second[0].Fence)
	require.ErrorIs(t, write(second[0].Lease()), store.ErrLeaseLost)

	release := func(l store.Lease) error {
		return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.ReleaseNumber(ctx, l) })
	}
	require.ErrorIs(t, release(second[0].Lease()), store.ErrLeaseLost)
	require.NoError(t, release(third[0].Lease()))
	require.Len(t, w.lease("three", 5), 1, "taken at once")
}

// However many processes ask at the same time, each number is one's.
func TestNumbersAreSharedOutOnce(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	for i := range 9 {
		w.do(func(tx *store.Tx) error {
			_, err := tx.CreateNumber(ctx, w.admin, fmt.Sprint("Número ", i))
			return err
		})
	}
	for range 4 {
		var mu sync.Mutex
		var wg sync.WaitGroup
		holders := map[loyalty.ID][]string{}
		for i := range 6 {
			owner := fmt.Sprintf("%d@%s", i, w.now())
			wg.Go(func() {
				var mine []store.Number
				err := w.db.InTx(ctx, func(tx *store.Tx) (err error) {
					mine, err = tx.LeaseNumbers(ctx, owner, leaseTTL, 2)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, n := range mine {
					holders[n.ID] = append(holders[n.ID], owner)
				}
				if len(mine) > 2 {
					t.Errorf("%s holds %d", owner, len(mine))
				}
			})
		}
		wg.Wait()
		for id, owners := range holders {
			require.Len(t, owners, 1, "number %s", id)
		}
		require.EqualValues(t, len(holders), w.count(`SELECT count(*) FROM whatsapp_numbers WHERE owner <> ''`))
		w.clock.Advance(leaseTTL + time.Second)
	}
}

// A number that is given up is logged out by its owner, or by who takes it next,
// and then is nobody's.
func TestADeletedNumberIsLoggedOutAndLetGo(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", 0)
	require.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(w.db.InTx(ctx, func(tx *store.Tx) error {
		return tx.DeleteNumber(ctx, loyalty.Scope{Role: loyalty.RoleCPG, CPG: w.cpg}, n.ID)
	})))
	w.do(func(tx *store.Tx) error { return tx.DeleteNumber(ctx, w.admin, n.ID) })
	require.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(w.db.InTx(ctx, func(tx *store.Tx) error {
		_, err := tx.Number(ctx, w.admin, n.ID)
		return err
	})))
	held := w.lease("bot", 5)
	require.Len(t, held, 1)
	require.True(t, held[0].Deleted)
	w.clock.Advance(leaseTTL)
	held = w.lease("another", 5)
	require.Len(t, held, 1, "still to be logged out")
	w.do(func(tx *store.Tx) error {
		if err := tx.NumberState(ctx, held[0].Lease(), store.NumberState{JID: ptr("")}); err != nil {
			return err
		}
		return tx.ReleaseNumber(ctx, held[0].Lease())
	})
	require.Empty(t, w.lease("another", 5))
}

// What an owner says of its number is what an admin sees; what it does not say
// stays.
func TestANumbersStateIsWhatItsOwnerSays(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", time.Hour)
	until, alive := w.now().Add(time.Hour), w.now()
	w.state(n, store.NumberBanned, store.NumberState{Reason: ptr("101"), Until: &until, AliveAt: &alive, Phone: ptr("+525500001111"), QR: ptr("2@x")})
	get := func() (got store.Number) {
		w.do(func(tx *store.Tx) (err error) {
			got, err = tx.Number(ctx, w.admin, n.ID)
			return err
		})
		return got
	}
	got := get()
	require.Equal(t, store.NumberBanned, got.Status)
	require.Equal(t, "101", got.Reason)
	require.Equal(t, "+525500001111", *got.Phone)
	require.WithinDuration(t, until, *got.Until, 0)
	require.Equal(t, "uno@s.whatsapp.net", got.JID)
	require.NotNil(t, got.PairedAt)
	w.state(n, store.NumberConnected, store.NumberState{Until: &time.Time{}, QR: ptr("")})
	got = get()
	require.Nil(t, got.Until)
	require.Empty(t, got.QR)
	require.WithinDuration(t, alive, *got.AliveAt, 0)
	var all []store.Number
	w.do(func(tx *store.Tx) (err error) {
		all, _, err = tx.Numbers(ctx, w.admin, store.Page{Limit: 10})
		return err
	})
	require.True(t, slices.Equal([]loyalty.ID{n.ID}, idsOf(all)))
	// A device is one number's.
	require.Error(t, w.exec(`INSERT INTO whatsapp_numbers (id, label, jid, status, created_at, updated_at)
		SELECT '01900000-0000-7000-8000-000000000000', 'dos', jid, status, created_at, updated_at FROM whatsapp_numbers`))
}
