package whatsapp

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

// The bot's pings are the fleet's; whatsmeow's own only keep out of the way, so
// that tests of silence see ours.
func TestMain(m *testing.M) {
	wasim.Prepare(wasim.KeepAlive{Min: whatsmeow.KeepAliveIntervalMin, Max: whatsmeow.KeepAliveIntervalMax, Deadline: time.Second, GiveUp: time.Minute})
	// They wait more than they compute.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	prepare(slog.New(slog.DiscardHandler)) // before any client reads what it sets
	storetest.Main(m)
}

// system may do everything.
var system = loyalty.System()

const (
	botPhone = "+525500000000"
	anaPhone = "+5215511111111"
	betPhone = "+5215522222222"
)

// quick are the timings of a fleet in a hurry.
var quick = Timing{
	Lease: 3 * time.Second, Renew: 200 * time.Millisecond, Margin: 500 * time.Millisecond, Ping: 200 * time.Millisecond, Dead: 3 * time.Second,
	Login: 20 * time.Second, Backoff: 50 * time.Millisecond, Ack: 3 * time.Second, WaitUp: 5 * time.Second, MediaWait: time.Second,
}

// world is a WhatsApp of its own, and a store.
type world struct {
	t      *testing.T
	server *wasim.Server
	db     *store.DB
	url    string
	log    *lines
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, server: wasim.New(t, wasim.Options{}), url: storetest.Database(t), log: &lines{}}
	db, err := store.Open(t.Context(), store.Options{
		URL: w.url, MaxConns: 16, Now: time.Now, Random: rand.Reader,
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "https://qoa.test",
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	w.db = db
	return w
}

// fleet starts a process that runs numbers. It is stopped when the test ends.
func (w *world) fleet(sink bot.Sink, change ...func(*Options)) *Fleet {
	w.t.Helper()
	texts, err := templates.LoadMessages()
	require.NoError(w.t, err)
	opt := Options{
		DB: w.db, Owner: "test-" + rand.Text(), Texts: texts, Timing: quick,
		Log:      slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Emulator: &Endpoint{Addr: w.server.Addr(), Root: w.server.Root()},
	}
	for _, c := range change {
		c(&opt)
	}
	f := New(opt)
	require.NoError(w.t, f.Start(w.t.Context(), sink))
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		f.Stop(ctx) //nolint:errcheck // a test that stopped it itself has looked
	})
	return f
}

// number links a phone's device to a new number of the bot.
func (w *world) number(phone string) (store.Number, *wasim.Device) {
	w.t.Helper()
	n := w.create()
	device, err := w.server.Account(phone).Scan(w.t.Context(), w.qr(n.ID))
	require.NoError(w.t, err)
	require.NoError(w.t, device.WaitOnline(w.t.Context()))
	return w.until(n.ID, "connected", func(n store.Number) bool { return n.Status == store.NumberConnected }), device
}

func (w *world) create() (n store.Number) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.CreateNumber(context.Background(), system, "Mostrador")
		return err
	})
	return n
}

// qr waits for a QR of the number.
func (w *world) qr(id loyalty.ID) string {
	w.t.Helper()
	return w.until(id, "a QR", func(n store.Number) bool { return n.QR != "" }).QR
}

func (w *world) do(fn func(*store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.db.InTx(context.Background(), fn))
}

func (w *world) get(id loyalty.ID) (n store.Number) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		n, err = tx.Number(context.Background(), system, id)
		return err
	})
	return n
}

// until waits until the number's row is so.
func (w *world) until(id loyalty.ID, what string, is func(store.Number) bool) store.Number {
	w.t.Helper()
	var n store.Number
	w.eventually(what, func() bool { n = w.get(id); return is(n) }, func() string { return fmt.Sprintf("%+v", n) })
	return n
}

func (w *world) untilStatus(id loyalty.ID, s store.NumberStatus) store.Number {
	w.t.Helper()
	return w.until(id, string(s), func(n store.Number) bool { return n.Status == s })
}

// patience is how long tests wait for what must come.
const patience = 30 * time.Second

func (w *world) eventually(what string, is func() bool, last ...func() string) {
	w.t.Helper()
	deadline := time.After(patience)
	for again := time.NewTicker(10 * time.Millisecond); !is(); {
		select {
		case <-again.C:
		case <-deadline:
			for _, l := range last {
				w.t.Logf("last: %s", l())
			}
			w.t.Fatalf("no %s within %s; log:\n%s", what, patience, w.log)
		}
	}
}

// exec changes rows behind everybody's back.
func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	c, err := pgx.Connect(context.Background(), w.url)
	require.NoError(w.t, err)
	defer c.Close(context.Background()) //nolint:errcheck // a test's
	_, err = c.Exec(context.Background(), sql, args...)
	require.NoError(w.t, err)
}

// count runs a query of one number.
func (w *world) count(sql string, args ...any) (n int) {
	w.t.Helper()
	c, err := pgx.Connect(context.Background(), w.url)
	require.NoError(w.t, err)
	defer c.Close(context.Background()) //nolint:errcheck // a test's
	require.NoError(w.t, c.QueryRow(context.Background(), sql, args...).Scan(&n))
	return n
}

// inbox is a sink that persists for real, remembers what came, and may refuse.
type inbox struct {
	bot.Sink
	mu      sync.Mutex
	came    []store.Inbound
	states  map[string]string // of our messages
	refuse  error
	refused int
	arrived chan store.Inbound
}

func newInbox(w *world) *inbox {
	return &inbox{Sink: bot.NewInbox(w.db), states: map[string]string{}, arrived: make(chan store.Inbound, 5000)}
}

func (i *inbox) Receive(ctx context.Context, in store.Inbound) error {
	i.mu.Lock()
	refuse := i.refuse
	if refuse != nil {
		i.refused++
	}
	i.mu.Unlock()
	if refuse != nil {
		return refuse
	}
	if err := i.Sink.Receive(ctx, in); err != nil {
		return err
	}
	i.mu.Lock()
	i.came = append(i.came, in)
	i.mu.Unlock()
	i.arrived <- in
	return nil
}

func (i *inbox) Delivered(ctx context.Context, ids []string, at time.Time, state string) error {
	if err := i.Sink.Delivered(ctx, ids, at, state); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, id := range ids {
		i.states[id] = state
	}
	return nil
}

func (i *inbox) refuseAll(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refuse = err
}

func (i *inbox) refusals() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.refused
}

func (i *inbox) state(id string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.states[id]
}

// next waits for the next message that was persisted.
func (i *inbox) next(t *testing.T) store.Inbound {
	t.Helper()
	select {
	case in := <-i.arrived:
		return in
	case <-time.After(patience):
		t.Fatal("no message came in")
		return store.Inbound{}
	}
}

// answer is a reply to a message, as the outbox would have it.
func answer(to store.Inbound, id, text string) store.Outbound {
	return store.Outbound{
		Channel: Name, Number: to.Number, Chat: to.Sender.Wire, MessageID: id, Lane: store.LaneReply, Body: text, ReplyTo: to.MessageID,
	}
}

// lines is a log that many may write to.
type lines struct {
	mu  sync.Mutex
	all []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, p...)
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.all)
}
