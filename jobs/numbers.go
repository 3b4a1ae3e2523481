package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// SendFunc hands one message over; see Sender for its errors.
type SendFunc = func(ctx context.Context, m store.Outbound) error

// NumbersOptions configure Numbers. What has no default is required.
type NumbersOptions struct {
	DB    *store.DB
	Redis redis.UniversalClient
	Bell  *Bell
	Texts Texts

	Lease time.Duration // how long a message is ours to send; 0 is 30 s
	Sweep time.Duration // how often to look for what waits; 0 is 1 s
	Drain time.Duration // how long a stop waits for what is under way; 0 is 10 s
}

// Numbers delivers what goes out through the numbers that this process owns. Each
// has a queue of its own, which only its owner serves.
type Numbers struct {
	opt NumbersOptions
	log *slog.Logger

	mu       sync.Mutex
	served   map[loyalty.ID]*service
	sweeping bool
	changed  chan struct{} // there is something to be swept, or nothing any more
}

// NewNumbers makes it; nothing runs yet.
func NewNumbers(opt NumbersOptions) *Numbers {
	def(&opt.Lease, 30*time.Second)
	def(&opt.Sweep, time.Second)
	def(&opt.Drain, 10*time.Second)
	return &Numbers{opt: opt, log: opt.Bell.log, served: map[loyalty.ID]*service{}, changed: make(chan struct{}, 1)}
}

// numberQueue is the queue of a number.
func numberQueue(number loyalty.ID) string { return "number:" + string(number) }

// numberWorkers is how many of a number's people may be written to at once: while
// one message waits for the other side, the next one's picture goes ahead.
const numberWorkers = 4

// service is one number being served.
type service struct {
	*deliverer
	numbers *Numbers
	server  *asynq.Server
	stopped sync.Once
}

// Serve delivers through a number until stop is called: what is under way then
// comes to its end, or is called off when the time of Drain is over. When ctx
// ends, sends are called off at once: the number may be another's by then.
// Neither loses a message: what was not sent waits in Postgres, and goes again
// under its ID.
//
// Only a number's owner may serve it: the messages that an owner before had in
// hand are taken up again without waiting for its claims to lapse.
func (n *Numbers) Serve(ctx context.Context, number loyalty.ID, send SendFunc) (stop func()) {
	d := &deliverer{
		db: n.opt.DB, number: number, sender: func(string) (SendFunc, bool) { return send, true },
		texts: n.opt.Texts, lease: n.opt.Lease, log: n.log, metrics: n.opt.Bell.metrics,
	}
	s := &service{numbers: n, deliverer: d.ready(ctx)}
	err := n.opt.DB.InTx(ctx, func(tx *store.Tx) error { return tx.FreeClaims(ctx, number) })
	if err != nil {
		n.log.WarnContext(ctx, "the claims of the owner before have to lapse", "number_id", string(number), "error", err)
	}
	n.opt.Bell.hands.learn(skill{store.DeliveryDue, number}, s.ability())
	mux := asynq.NewServeMux()
	mux.HandleFunc(KindDeliver, func(ctx context.Context, t *asynq.Task) error { return s.deliver(ctx, loyalty.ID(t.Payload())) })
	s.server = asynq.NewServerFromRedisClient(n.opt.Redis, serverConfig(n.log, map[string]int{numberQueue(number): 1}, numberWorkers, n.opt.Drain))
	if err := s.server.Start(mux); err != nil {
		n.log.WarnContext(ctx, "a number's queue is not served, only swept", "number_id", string(number), "error", err)
	}
	n.add(s)
	context.AfterFunc(ctx, s.stop)
	return s.stop
}

// stop may be called twice: the second call waits for the first.
func (s *service) stop() {
	s.stopped.Do(func() {
		n := s.numbers
		n.opt.Bell.hands.forget(skill{store.DeliveryDue, s.number})
		n.remove(s)
		if !s.end(n.opt.Drain) {
			n.log.Warn("sends were called off", "number_id", string(s.number))
		}
		s.server.Shutdown()
	})
}

func (n *Numbers) add(s *service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.served[s.number] = s
	if !n.sweeping {
		n.sweeping = true
		go n.loop()
	}
	n.wake()
}

// remove leaves alone who serves the number anew.
func (n *Numbers) remove(s *service) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.served[s.number] == s {
		delete(n.served, s.number)
	}
	n.wake()
}

func (n *Numbers) wake() {
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// loop sweeps as long as numbers are served.
func (n *Numbers) loop() {
	tick := time.NewTicker(n.opt.Sweep)
	defer tick.Stop()
	ctx := context.Background()
	for {
		ids := n.owned()
		if ids == nil {
			return
		}
		if err := n.sweep(ctx, ids); err != nil {
			n.log.WarnContext(ctx, "sweep of the numbers failed", "error", err)
		}
		select {
		case <-n.changed:
		case <-tick.C:
		}
	}
}

// owned are the numbers that are served. Where there are none, the loop has come
// to its end, in the same breath.
func (n *Numbers) owned() (ids []loyalty.ID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id := range n.served {
		ids = append(ids, id)
	}
	n.sweeping = len(ids) > 0
	return ids
}

// sweep delivers what waits although it should not: Redis was emptied or away, or
// the owner before was killed. It needs no Redis, since only this process can do
// it anyway.
func (n *Numbers) sweep(ctx context.Context, ids []loyalty.ID) error {
	var due []store.Event
	err := n.opt.DB.InTx(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueThrough(ctx, ids, patience, sweepLimit)
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range due {
		n.mu.Lock()
		s := n.served[e.Number]
		n.mu.Unlock()
		if s == nil || s.lanes.working(e.ID) {
			continue
		}
		if !n.opt.Bell.hands.take(e) {
			return nil // they have enough to do; the next sweep comes soon
		}
		n.opt.Bell.metrics.swept.WithLabelValues(KindDeliver).Inc()
	}
	return nil
}
