package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// town is a database, a Redis, and as many workers as a test starts. Messages
// are answered by an echo, and arrive at a phone that remembers everything.
type town struct {
	t     *testing.T
	db    *store.DB
	url   string
	redis redis.UniversalClient
	bell  *Bell
	phone *phone

	workers []*Worker
}

func newTown(t *testing.T, now func() time.Time) *town {
	t.Helper()
	w := &town{t: t, phone: &phone{}, url: storetest.Database(t)}
	client, err := cache.Open(storetest.Redis(t))
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	w.redis = client
	w.db, err = store.Open(t.Context(), store.Options{
		URL: w.url, MaxConns: 8, Now: now, Random: storetest.Rand(5),
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "https://qoa.test",
	})
	require.NoError(t, err)
	t.Cleanup(w.db.Close)
	w.bell = NewBell(client, nil, quiet(), NewMetrics(nil))
	t.Cleanup(func() { w.bell.Flush(context.Background()) })
	w.db.SetBell(w.bell)
	return w
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// worker starts one; it is shut down with the test.
func (w *town) worker() *Worker {
	w.t.Helper()
	worker := NewWorker(w.options())
	require.NoError(w.t, worker.Start(w.t.Context()))
	w.t.Cleanup(worker.Shutdown)
	w.workers = append(w.workers, worker)
	return worker
}

func (w *town) options() Options {
	return Options{
		DB: w.db, Redis: w.redis, Bell: w.bell, Turns: echo{w.db}, Senders: map[string]Sender{store.Sim: w.phone},
		Channel: store.Sim, Texts: plain{}, Sweep: 200 * time.Millisecond, Lease: 5 * time.Second, Drain: 5 * time.Second,
	}
}

func (w *town) do(fn func(*store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.db.InTx(context.Background(), fn))
}

// write puts messages into the inbox, of so many people.
func (w *town) write(people, each int) {
	w.t.Helper()
	for n := range each {
		for p := range people {
			w.do(func(tx *store.Tx) error {
				_, err := tx.SimReceive(context.Background(), number(p), "", fmt.Sprintf("%d", n), "text", "")
				return err
			})
		}
	}
	w.bell.Flush(context.Background())
}

func number(p int) loyalty.Phone { return loyalty.Phone(fmt.Sprintf("+52551234%04d", p)) }

// arrives waits until so many messages are on the phones.
func (w *town) arrives(n int) {
	w.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		got, changed := w.phone.count()
		if got >= n {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			w.t.Fatalf("%d of %d messages arrived", got, n)
		}
	}
}

// inOrder checks that each person got the answers to each message, once, in
// order.
func (w *town) inOrder(people, each int) {
	w.t.Helper()
	for p := range people {
		got := w.phone.of(number(p))
		require.Len(w.t, got, each, "person %d: %v", p, got)
		for n := range each {
			require.Equal(w.t, fmt.Sprintf("echo %d", n), got[n], "person %d: %v", p, got)
		}
	}
}

// settled lets the workers end and checks that nothing waits.
func (w *town) settled() {
	w.t.Helper()
	for _, worker := range w.workers {
		worker.Shutdown()
	}
	w.do(func(tx *store.Tx) error {
		b, err := tx.Backlog(context.Background())
		require.Zero(w.t, b.Inbox+b.Outbox+b.Parked+b.Failed, "%+v", b)
		return err
	})
}

// echo answers every message with its own words.
type echo struct{ db *store.DB }

func (e echo) HandleTurns(ctx context.Context, person loyalty.ID) error {
	for {
		more := false
		err := e.db.InTx(ctx, func(tx *store.Tx) error {
			t, ok, err := tx.NextTurn(ctx, person)
			if more = ok; err != nil || !ok {
				return err
			}
			return tx.EndTurn(ctx, t.Message, json.RawMessage("{}"), store.Reply{Body: "echo " + t.Message.Text})
		})
		if err != nil || !more {
			return err
		}
	}
}

// plain renders a template as its key.
type plain struct{}

func (plain) Vary(key string, _ map[string]string, _ string) (string, error) {
	if key == "broken" {
		return "", errors.New("a variable is missing")
	}
	return key, nil
}

// phone is a channel that remembers. fail, where set, says what happens to an
// attempt.
type phone struct {
	mu      sync.Mutex
	chats   map[string][]string
	ids     []string
	changed chan struct{}
	fail    func(m store.Outbound) error
}

func (p *phone) Send(_ context.Context, m store.Outbound) error {
	p.mu.Lock()
	fail := p.fail
	p.mu.Unlock()
	if fail != nil {
		if err := fail(m); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chats == nil {
		p.chats = map[string][]string{}
	}
	p.chats[m.Chat] = append(p.chats[m.Chat], m.Body)
	p.ids = append(p.ids, m.MessageID)
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	return nil
}

func (p *phone) failing(fn func(m store.Outbound) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail = fn
}

func (p *phone) count() (int, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return len(p.ids), p.changed
}

func (p *phone) of(n loyalty.Phone) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.chats[string(n)])
}
