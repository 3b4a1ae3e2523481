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

// longAgo is long enough for a number that does not warm up any more.
const longAgo = 30 * aDay

// writers are so many people who wrote to a number.
func (w *world) writers(n store.Number, size int) (people []loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		people = people[:0]
		for i := range size {
			s := store.Sender{Phone: loyalty.Phone(fmt.Sprintf("+5255700%05d", i))}
			if _, err := tx.Receive(w.t.Context(), store.Inbound{Channel: "whatsapp", Number: n.ID, Sender: s, MessageID: "hola", Kind: store.KindReaction}); err != nil {
				return err
			}
			a, err := tx.AddressOfSender(w.t.Context(), s)
			if err != nil {
				return err
			}
			people = append(people, a.Person)
		}
		return nil
	})
	return people
}

func (w *world) notify(person loyalty.ID, lane store.Lane, text string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		queued, err := tx.Notify(w.t.Context(), store.Notice{Person: person, Lane: lane, Template: text})
		require.True(w.t, queued)
		return err
	})
}

// dueThrough is whose messages the sweep would send through a number.
func (w *world) dueThrough(n store.Number) (people []loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		events, err := tx.DueThrough(w.t.Context(), []loyalty.ID{n.ID}, time.Second, 100)
		people = people[:0]
		for _, e := range events {
			require.Equal(w.t, n.ID, e.Number)
			people = append(people, e.ID)
		}
		return err
	})
	return people
}

// sends lets the sweep run once a second for so long, and gives when what was sent.
func (w *world) sends(n store.Number, during time.Duration) (at []time.Time) {
	w.t.Helper()
	for end := w.now().Add(during); w.now().Before(end); w.clock.Advance(time.Second) {
		for _, person := range w.dueThrough(n) {
			out, ok := w.claim(person, n.ID)
			if !ok {
				continue
			}
			w.do(func(tx *store.Tx) error { return tx.Sent(w.t.Context(), out.ID, "x") })
			at = append(at, w.now())
		}
	}
	return at
}

// P35: what the bot starts is paced by chance, and no more in an hour than a number
// may; all of it goes in the end.
func TestPitfallP35StartsArePacedByNumber(t *testing.T) {
	w := newWorld(t, 4)
	n := w.number("uno", longAgo)
	people := w.writers(n, 90)
	for _, p := range people {
		w.notify(p, store.LaneService, "nudge")
	}
	at := w.sends(n, 70*time.Minute)
	gaps := map[time.Duration]bool{}
	inHour := 0
	for i := range at {
		if i > 0 {
			gap := at[i].Sub(at[i-1])
			gaps[gap] = true
			require.GreaterOrEqual(t, gap, 5*time.Second)
		}
		if at[i].Sub(at[0]) < time.Hour {
			inHour++
		}
	}
	require.Equal(t, 60, inHour, "the cap of an hour")
	require.Greater(t, len(gaps), 10, "chance chooses")
	at = append(at, w.sends(n, time.Hour)...)
	require.Len(t, at, 90, "all of them, in the end")
	require.EqualValues(t, 90, w.count(`SELECT count(*) FROM outbox WHERE status = 'sent' AND attempts = 1 AND number_id = $1`, n.ID), "waiting is no attempt")
}

// A number that is new starts little.
func TestANewNumberWarmsUp(t *testing.T) {
	w := newWorld(t, 4)
	n := w.number("uno", 0)
	people := w.writers(n, 45)
	for _, p := range people {
		w.notify(p, store.LaneService, "nudge")
	}
	require.Len(t, w.sends(n, time.Hour), 10)
	w.clock.Advance(aDay - 2*time.Hour)
	require.Empty(t, w.sends(n, 30*time.Minute))
	w.clock.Advance(30 * time.Minute)
	first := w.sends(n, time.Hour)
	require.Len(t, first, 20, "twenty in the second day's hours, the first ten being a day ago by then")
}

// Whoever answers is not made to wait by what the bot starts, nor the other way
// round for ever; and people keep the order of what is said to them.
func TestAPacedMessageBlocksNoAnswer(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", longAgo)
	people := w.writers(n, 2)
	ana, bea := people[0], people[1]
	w.notify(ana, store.LaneService, "first")
	require.Len(t, w.sends(n, time.Second), 1)
	w.notify(bea, store.LaneService, "paced")
	_, ok := w.claim(bea, n.ID)
	require.False(t, ok, "not yet")
	require.Empty(t, w.dueThrough(n))
	w.notify(bea, store.LaneReply, "answer")
	w.notify(bea, store.LaneReceipt, "receipt")
	for _, want := range []string{"answer", "receipt"} {
		out, ok := w.claim(bea, n.ID)
		require.True(t, ok)
		require.Equal(t, want, out.Template)
		w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "x") })
	}
	_, ok = w.claim(bea, n.ID)
	require.False(t, ok)
	w.clock.Advance(30 * time.Second)
	// An answer that is being tried again goes before it.
	w.notify(bea, store.LaneReply, "hard")
	out, ok := w.claim(bea, n.ID)
	require.True(t, ok)
	require.Equal(t, "hard", out.Template)
	w.do(func(tx *store.Tx) error { return tx.Retry(ctx, out.ID, "no signal", w.now().Add(time.Minute)) })
	_, ok = w.claim(bea, n.ID)
	require.False(t, ok, "the order is kept over retries")
	require.Empty(t, w.dueThrough(n))
	w.clock.Advance(time.Minute)
	out, ok = w.claim(bea, n.ID)
	require.True(t, ok)
	require.Equal(t, "hard", out.Template)
	w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "x") })
	out, ok = w.claim(bea, n.ID)
	require.True(t, ok)
	require.Equal(t, "paced", out.Template)
	// One that failed is no obstacle to answers either.
	w.do(func(tx *store.Tx) error { return tx.Retry(ctx, out.ID, "no signal", w.now().Add(time.Hour)) })
	w.notify(bea, store.LaneReply, "last")
	out, ok = w.claim(bea, n.ID)
	require.True(t, ok)
	require.Equal(t, "last", out.Template)
}

// What a number may send depends on how it stands.
func TestANumbersStateDecidesWhatItSends(t *testing.T) {
	w := newWorld(t, 4)
	n := w.number("uno", longAgo)
	ana := w.writers(n, 1)[0]
	until := w.now().Add(time.Hour)
	for _, c := range []struct {
		status         store.NumberStatus
		until          *time.Time
		starts, replys bool
	}{
		{store.NumberPairing, nil, false, false},
		{store.NumberConnected, nil, true, true},
		{store.NumberDisconnected, nil, false, false},
		{store.NumberLoggedOut, nil, false, false},
		{store.NumberBanned, &until, false, false},
		{store.NumberRestricted, &until, false, true},
		{store.NumberRestricted, &time.Time{}, false, true},
		{store.NumberOutdated, nil, false, false},
		{store.NumberReplaced, nil, false, false},
		{store.NumberConnected, &until, false, true}, // connected anew: the lock goes on
	} {
		t.Run(fmt.Sprint(c.status, c.until != nil), func(t *testing.T) {
			require.NoError(t, w.exec(`UPDATE whatsapp_numbers SET next_start_at = NULL`))
			w.state(n, c.status, store.NumberState{Until: c.until})
			for lane, want := range map[store.Lane]bool{store.LaneService: c.starts, store.LaneReply: c.replys, store.LaneReceipt: c.replys} {
				w.notify(ana, lane, "x")
				w.clock.Advance(2 * time.Second)
				due := w.dueThrough(n)
				require.Equal(t, want, len(due) == 1, "%s: %v", lane, due)
				_, ok := w.claim(ana, n.ID)
				require.Equal(t, want, ok, lane)
				require.NoError(t, w.exec(`UPDATE outbox SET status = 'dropped' WHERE status = 'queued'`))
			}
		})
	}
	w.clock.Advance(time.Hour)
	w.notify(ana, store.LaneService, "x")
	_, ok := w.claim(ana, n.ID)
	require.True(t, ok, "the lock has ended")
}

// However many workers start at once, a number starts one: the second waits for the
// first, and then sees that there was one.
func TestStartsAtOnceAreOne(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	n := w.number("uno", longAgo)
	people := w.writers(n, 8)
	for _, p := range people {
		w.notify(p, store.LaneService, "nudge")
	}
	var wg sync.WaitGroup
	w.do(func(tx *store.Tx) error {
		_, ok, err := tx.Claim(ctx, people[0], n.ID, time.Minute)
		require.True(t, ok)
		for _, p := range people[1:] {
			wg.Go(func() {
				var got bool
				err := w.db.InTx(ctx, func(tx *store.Tx) (err error) {
					_, got, err = tx.Claim(ctx, p, n.ID, time.Minute)
					return err
				})
				if err != nil || got {
					t.Errorf("started %v, %v", got, err)
				}
			})
		}
		w.waiting(len(people) - 1)
		return err
	})
	wg.Wait()
	require.EqualValues(t, 1, w.count(`SELECT sum(attempts) FROM outbox`))
}

// waiting waits until so many transactions wait for another's lock.
func (w *world) waiting(n int) {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		return w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) >= int64(n)
	}, 20*time.Second, 5*time.Millisecond)
}

// Whoever says BAJA while something waits hears none of it; promotions need the
// yes of the moment.
func TestOptOutIsAskedWhenAMessageGoes(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", longAgo)
	ana := w.writers(n, 1)[0]
	w.do(func(tx *store.Tx) error { return tx.OptIn(ctx, ana, "alta") })
	w.notify(ana, store.LanePromotion, "promo")
	require.NoError(t, w.exec(`UPDATE persons SET promotions_at = NULL`))
	_, ok := w.claim(ana, n.ID)
	require.False(t, ok)
	w.notify(ana, store.LaneService, "nudge")
	w.notify(ana, store.LaneReceipt, "receipt")
	w.notify(ana, store.LaneReply, "answer")
	require.NoError(t, w.exec(`UPDATE persons SET opted_out_at = now()`))
	out, ok := w.claim(ana, n.ID)
	require.True(t, ok)
	require.Equal(t, "answer", out.Template)
	w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "x") })
	_, ok = w.claim(ana, n.ID)
	require.False(t, ok)
	require.EqualValues(t, 3, w.count(`SELECT count(*) FROM outbox WHERE status = 'dropped' AND problem = 'opted out'`))
	require.EqualValues(t, 0, w.count(`SELECT count(*) FROM whatsapp_numbers WHERE next_start_at IS NOT NULL`), "what is dropped starts nothing")
}
