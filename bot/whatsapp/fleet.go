package whatsapp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.mau.fi/whatsmeow"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Options configure a Fleet. DB, Owner, Texts and Log are required.
type Options struct {
	DB    *store.DB
	Owner string // of this run of the process; no two runs share one
	Texts bot.Texts
	Log   *slog.Logger
	// Serve sends what the outbox holds for a number, until stop is called or ctx
	// ends. It is called when a number's lease is taken, and stop before the lease
	// is given back. nil: somebody else calls Send.
	Serve    func(ctx context.Context, number loyalty.ID, send func(context.Context, store.Outbound) error) (stop func())
	Metrics  prometheus.Registerer                               // may be nil
	Terminal io.Writer                                           // shows QRs and states to a person; nil: nobody looks
	Words    func(status, reason string, until time.Time) string // what the terminal says of a state; nil: the state
	Emulator *Endpoint                                           // nil: WhatsApp itself
	Timing   Timing                                              // zero values mean the usual
}

// Timing is how long things take. The zero value of each is the usual.
type Timing struct {
	Lease     time.Duration // 10 s: how long a number stays ours without renewing; with Renew, how fast another takes over
	Renew     time.Duration // 2 s: how often it is renewed, and free numbers are looked for
	Margin    time.Duration // 2 s: a session that could not renew ends this long before its lease
	Ping      time.Duration // 15 s: how often a round trip proves that a connection lives
	Dead      time.Duration // 45 s without one: it is dead, and made anew
	Login     time.Duration // 60 s: how long a login may take
	Backoff   time.Duration // 500 ms: the first wait before connecting again; it doubles up to 30 s
	Ack       time.Duration // 15 s: how long a send waits for the server's word
	WaitUp    time.Duration // 10 s: how long a send waits for a connection
	MediaWait time.Duration // 30 s: how often files that are due are looked for
}

func (t *Timing) fill() {
	for _, d := range []struct {
		at    *time.Duration
		usual time.Duration
	}{
		{&t.Lease, 10 * time.Second}, {&t.Renew, 2 * time.Second}, {&t.Margin, 2 * time.Second}, {&t.Ping, 15 * time.Second},
		{&t.Dead, 45 * time.Second}, {&t.Login, time.Minute}, {&t.Backoff, 500 * time.Millisecond}, {&t.Ack, 15 * time.Second},
		{&t.WaitUp, 10 * time.Second}, {&t.MediaWait, 30 * time.Second},
	} {
		if *d.at <= 0 {
			*d.at = d.usual
		}
	}
}

// mostNumbers is how many numbers one process takes: a session costs little, and
// a number that nobody runs costs its people's messages.
const mostNumbers = 1000

// Fleet runs the numbers that this process owns. It is the channel "whatsapp".
//
// A number belongs to one process at a time, by a lease in Postgres that is
// renewed every few seconds. A process that cannot renew ends its sessions before
// the leases end, and one that finds a lease gone ends that session at once: the
// next owner connects a device that nobody else has connected.
type Fleet struct {
	opt     Options
	sink    bot.Sink
	devices *devices
	metrics *metrics
	log     *slog.Logger

	ctx      context.Context
	cancel   context.CancelFunc
	done     chan struct{}
	draining chan struct{}
	stopping sync.Once

	mu       sync.Mutex
	sessions map[loyalty.ID]*session
}

var _ bot.Channel = (*Fleet)(nil)

// New makes a fleet.
func New(opt Options) *Fleet {
	opt.Timing.fill()
	f := &Fleet{opt: opt, log: opt.Log, sessions: map[loyalty.ID]*session{}, done: make(chan struct{}), draining: make(chan struct{})}
	f.metrics = newMetrics(opt.Metrics)
	return f
}

// Name implements bot.Channel.
func (f *Fleet) Name() string { return Name }

// Start implements bot.Channel: from now on this process takes numbers.
func (f *Fleet) Start(ctx context.Context, sink bot.Sink) error {
	prepare(f.log)
	f.opt.Emulator.trust()
	devices, err := openDevices(ctx, f.opt.DB, f.log)
	if err != nil {
		return err
	}
	f.devices, f.sink = devices, sink
	f.ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go f.run()
	return nil
}

// Stop implements bot.Channel. Sessions end in order, their leases go back, and
// another process can take the numbers at once.
func (f *Fleet) Stop(ctx context.Context) error {
	if f.cancel == nil {
		return nil
	}
	f.stopping.Do(func() { close(f.draining) })
	var ended sync.WaitGroup
	for _, s := range f.all() {
		ended.Add(1)
		go func() {
			defer ended.Done()
			s.drain(ctx)
		}()
	}
	ended.Wait() // the leases are renewed meanwhile
	f.cancel()
	<-f.done
	return f.devices.close()
}

// run renews the leases, and starts and ends sessions by what it holds.
func (f *Fleet) run() {
	defer close(f.done)
	ticker := time.NewTicker(f.opt.Timing.Renew)
	defer ticker.Stop()
	for {
		f.renew()
		select {
		case <-f.ctx.Done():
			for _, s := range f.all() {
				s.end(errStopped)
				<-s.done
			}
			return
		case <-ticker.C:
		}
	}
}

// renew asks for the leases once.
func (f *Fleet) renew() {
	most := mostNumbers
	select {
	case <-f.draining:
		most = 0
	default:
	}
	// Counted from before the question: the answer may take its time.
	asked := time.Now()
	ctx, cancel := context.WithTimeout(f.ctx, f.opt.Timing.Lease-f.opt.Timing.Margin)
	defer cancel()
	var held []store.Number
	err := f.opt.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		held, err = tx.LeaseNumbers(ctx, f.opt.Owner, f.opt.Timing.Lease, most)
		return err
	})
	if err != nil {
		if f.ctx.Err() == nil {
			f.log.WarnContext(ctx, "leases of WhatsApp numbers not renewed", "error", err)
		}
		return // each session ends by itself when its lease does
	}
	f.settle(held, asked.Add(f.opt.Timing.Lease-f.opt.Timing.Margin))
}

// settle makes the sessions those of the numbers held, which are ours until then.
func (f *Fleet) settle(held []store.Number, until time.Time) {
	ours := make(map[loyalty.ID]bool, len(held))
	for _, n := range held {
		ours[n.ID] = true
		s := f.session(n.ID)
		if s != nil && s.ended() {
			f.remove(s)
			s = nil
		}
		switch {
		case s == nil:
			f.begin(n, until)
		case s.lease != n.Lease(), s.wantsAnew(n):
			s.end(errLost) // begun again when it has ended
		default:
			if n.Deleted {
				s.retire()
			}
			s.extend(until)
		}
	}
	for _, s := range f.all() {
		if !ours[s.number.ID] {
			s.end(errLost)
			if s.ended() {
				f.remove(s)
			}
		}
	}
}

func (f *Fleet) begin(n store.Number, until time.Time) {
	select {
	case <-f.draining:
		return
	default:
	}
	s := newSession(f, n)
	f.mu.Lock()
	f.sessions[n.ID] = s
	f.mu.Unlock()
	s.extend(until)
	if n.Deleted {
		s.retire()
	}
	go s.run()
}

func (f *Fleet) remove(s *session) {
	f.mu.Lock()
	if f.sessions[s.number.ID] == s {
		delete(f.sessions, s.number.ID)
	}
	f.mu.Unlock()
	f.metrics.forget(s.number.ID)
}

func (f *Fleet) session(id loyalty.ID) *session {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions[id]
}

func (f *Fleet) all() []*session {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*session, 0, len(f.sessions))
	for _, s := range f.sessions {
		all = append(all, s)
	}
	return all
}

// Send implements bot.Channel.
func (f *Fleet) Send(ctx context.Context, m store.Outbound) error {
	s := f.session(m.Number)
	if s == nil {
		return &bot.SendError{What: "this process does not run the number", Held: true}
	}
	return s.send(ctx, m)
}

// Status implements bot.Channel.
func (f *Fleet) Status(context.Context) bot.Health {
	h := bot.Health{State: bot.HealthOK, Numbers: f.health()}
	for _, n := range h.Numbers {
		if n.Status != string(store.NumberConnected) {
			h.State = bot.HealthDegraded
		}
	}
	return h
}

func (f *Fleet) health() []bot.NumberHealth {
	all := f.all()
	numbers := make([]bot.NumberHealth, 0, len(all))
	for _, s := range all {
		numbers = append(numbers, s.health())
	}
	return numbers
}

// client makes a client for a device with the settings that all ours have.
func (f *Fleet) client(d *deviceStore, log *slog.Logger) *whatsmeow.Client {
	c := whatsmeow.NewClient(d, wireLog{log: log})
	http := httpClient(f.opt.Emulator)
	c.SetWebsocketHTTPClient(http)
	c.SetPreLoginHTTPClient(http)
	files := httpClient(f.opt.Emulator)
	files.Transport = limited{files.Transport, mostFile}
	c.SetMediaHTTPClient(files)
	// A session connects again by itself, and only while it holds its lease. What
	// whatsmeow begins on a goroutine of its own may come back to life after we
	// told it to disconnect.
	c.EnableAutoReconnect = false
	c.DisableLoginAutoReconnect = true
	// Receiving loses nothing: what was decrypted is kept until it was handled,
	// and acknowledged only then.
	c.EnableDecryptedEventBuffer = true
	c.SynchronousAck = true
	c.AutomaticMessageRerequestFromPhone = true
	c.UseRetryMessageStore = true
	c.ManualHistorySyncDownload = true // what was written before the pairing is not ours
	return c
}

// Why a session ends.
var (
	errStopped = errors.New("whatsapp: the process stops")
	errLost    = errors.New("whatsapp: the number is another's")
	errExpired = errors.New("whatsapp: the lease was not renewed in time")
	errRetired = errors.New("whatsapp: the number was deleted")
)
