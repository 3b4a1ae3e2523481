package whatsapp

import (
	"context"
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ownDB gives a fleet a pool of its own, which can break without the others'.
func (w *world) ownDB() *store.DB {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), store.Options{
		URL: w.url, MaxConns: 8, Now: time.Now, Random: rand.Reader,
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "https://qoa.test",
	})
	require.NoError(w.t, err)
	w.t.Cleanup(db.Close)
	return db
}

// One process cannot reach the database any more: it lets go of its number before
// its lease ends, and the other has it after. At no moment are both connected.
func TestAnotherProcessTakesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	own := w.ownDB()
	w.fleet(in, func(o *Options) { o.DB = own })
	n, device := w.number(botPhone)
	w.fleet(in)
	owner, logins := w.get(n.ID).Owner, device.Logins()

	begun := time.Now()
	own.Close()
	w.eventually("another login", func() bool { return device.Logins() > logins && device.Online() })
	w.until(n.ID, "another owner", func(n store.Number) bool { return n.Owner != owner && n.Status == store.NumberConnected })
	require.Less(t, time.Since(begun), quick.Lease+2*time.Second)
	require.Empty(t, w.server.Overlaps())

	w.server.NewPhone(t, anaPhone).SendText(botPhone, "¿quién contesta?")
	require.Equal(t, "¿quién contesta?", in.next(t).Text)
}

// A planned stop hands its numbers over at once.
func TestAPlannedStopHandsOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	first := w.fleet(in)
	n, _ := w.number(botPhone)
	w.fleet(in, func(o *Options) { o.Timing.Lease = time.Hour }) // no waiting for a lease to end
	owner := w.get(n.ID).Owner
	require.NoError(t, first.Stop(t.Context()))
	w.until(n.ID, "another owner", func(n store.Number) bool { return n.Owner != owner && n.Status == store.NumberConnected })
	require.Empty(t, w.server.Overlaps())
}

// Somebody else holds the number, whatever we believe: the next write says so.
func TestALostLeaseEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	served := &serving{}
	w.fleet(newInbox(w), func(o *Options) { o.Serve = served.serve })
	n, device := w.number(botPhone)
	w.eventually("serving", func() bool { return served.now(n.ID) })
	w.exec(`UPDATE whatsapp_numbers SET owner = 'another', fence = fence + 1, lease_until = now() + interval '1 hour' WHERE id = $1`, n.ID)
	w.eventually("disconnection", func() bool { return !device.Online() })
	w.eventually("the end of serving", func() bool { return !served.now(n.ID) })
	require.Equal(t, "another", w.get(n.ID).Owner)
}

// serving notes for which numbers the outbox is served.
type serving struct {
	mu   sync.Mutex
	open map[loyalty.ID]int
}

func (s *serving) serve(_ context.Context, id loyalty.ID, _ func(context.Context, store.Outbound) error) func() {
	s.add(id, 1)
	return func() { s.add(id, -1) }
}

func (s *serving) add(id loyalty.ID, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[loyalty.ID]int{}
	}
	s.open[id] += n
}

func (s *serving) now(id loyalty.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[id] > 0
}
