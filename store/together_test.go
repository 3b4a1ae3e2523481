package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
)

// What many write at once is all committed, in fewer trips than there are writers;
// one that fails fails alone.
func TestTogetherCommitsWhatComesMeanwhile(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	phones := w.db.Together()
	const writers = 200
	before := w.db.RoundTrips()
	var wg sync.WaitGroup
	begin, errs := make(chan struct{}), make([]error, writers)
	for n := range writers {
		wg.Go(func() {
			<-begin
			errs[n] = phones.InTx(ctx, func(tx *store.Tx) error {
				tx.SimDeliver(fmt.Sprintf("+52551234%04d", n), store.SimMessage{ID: "m", Text: "hola"})
				if n == 7 {
					return errors.New("a defect")
				}
				return nil
			})
		})
	}
	close(begin)
	wg.Wait()
	for n, err := range errs {
		if n == 7 {
			require.ErrorContains(t, err, "a defect")
		} else {
			require.NoError(t, err)
		}
	}
	require.EqualValues(t, writers-1, w.count(`SELECT count(*) FROM sim_messages`))
	require.Less(t, w.db.RoundTrips()-before, int64(writers))
}

func TestTogetherSurvivesAPanicAndACallerWhoLeft(t *testing.T) {
	w := newWorld(t, 8)
	phones := w.db.Together()
	require.ErrorContains(t, phones.InTx(t.Context(), func(*store.Tx) error { panic("a defect") }), "panic")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = phones.InTx(ctx, func(tx *store.Tx) error {
		tx.SimDeliver("+525512345678", store.SimMessage{ID: "m1", Text: "hola"})
		return nil
	})
	require.NoError(t, phones.InTx(t.Context(), func(tx *store.Tx) error {
		tx.SimDeliver("+525512345678", store.SimMessage{ID: "m2", Text: "hola"})
		return nil
	}))
}
