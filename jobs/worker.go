package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Turns answers all messages of a person that wait; package bot's Runner does.
// It gives an error only where trying again may help.
type Turns interface {
	HandleTurns(ctx context.Context, person loyalty.ID) error
}

// Options configure a Worker. What has no default is required.
type Options struct {
	DB      *store.DB
	Redis   redis.UniversalClient
	Bell    *Bell
	Turns   Turns
	Senders map[string]Sender // by the channel's name
	Channel string            // name of the channel for who never wrote in one
	Texts   Texts

	Concurrency int           // tasks at once; 0 is 8
	Lease       time.Duration // how long a message is one worker's to send; 0 is 30 s
	Sweep       time.Duration // how often to look for what waits; 0 is 1 s
	Drain       time.Duration // how long a shutdown waits for what is under way; 0 is 20 s
}

// Worker does the work of the door of time: tasks, sweep and schedule.
type Worker struct {
	opt       Options
	turn      handler
	turns     gate
	deliverer *deliverer
	server    *asynq.Server
	mux       *asynq.ServeMux
	sweeper   *sweeper
	scheduler *scheduler
	stop      context.CancelFunc
	wg        sync.WaitGroup
}

// NewWorker makes a worker; nothing runs yet.
func NewWorker(opt Options) *Worker {
	def(&opt.Lease, 30*time.Second)
	def(&opt.Sweep, time.Second)
	def(&opt.Drain, 20*time.Second)
	if opt.Concurrency == 0 {
		opt.Concurrency = 8
	}
	log, metrics, q := opt.Bell.log, opt.Bell.metrics, opt.Bell.queue
	d := &deliverer{
		db: opt.DB, channel: opt.Channel, texts: opt.Texts, lease: opt.Lease, log: log, metrics: metrics,
		sender: func(channel string) (SendFunc, bool) {
			s, ok := opt.Senders[channel]
			if !ok {
				return nil, false
			}
			return s.Send, true
		},
	}
	w := &Worker{opt: opt, deliverer: d.ready(context.Background())}
	turns := newLanes()
	turn := func(ctx context.Context, person loyalty.ID) error {
		if !w.turns.enter() {
			return nil
		}
		defer w.turns.leave()
		return turns.do(person, func() error { return opt.Turns.HandleTurns(ctx, person) })
	}
	runner := NewRunner(opt.DB, opt.Bell)
	w.turn, w.mux = turn, newMux(handlers{turn: turn, deliver: d.deliver, job: runner.runSlot})
	w.sweeper = &sweeper{
		db: opt.DB, queue: q, turn: turn, deliver: d.deliver, turns: turns, sends: d.lanes,
		width: max(opt.Concurrency/2, 1), log: log, metrics: metrics,
	}
	w.scheduler = newScheduler(opt.DB, q, runner.runSlot, log)
	return w
}

// Start begins to work and returns. Redis need not be there: the sweep does the
// work until it is.
func (w *Worker) Start(ctx context.Context) error {
	log := w.opt.Bell.log
	w.server = asynq.NewServerFromRedisClient(w.opt.Redis, serverConfig(log, queueWeights(), w.opt.Concurrency, w.opt.Drain))
	if err := w.server.Start(w.mux); err != nil {
		return err
	}
	h := w.opt.Bell.hands
	h.widen(w.opt.Concurrency)
	h.learn(skill{kind: store.TurnDue}, ability{do: w.turn})
	h.learn(skill{kind: store.DeliveryDue}, w.deliverer.ability())
	// Not a child of ctx by its end: Shutdown says when, and in which order.
	loops, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	w.wg.Go(func() { w.sweeper.loop(loops, w.opt.Sweep) })
	w.wg.Go(func() { w.scheduler.loop(loops, w.opt.Sweep) })
	return nil
}

// Shutdown takes up nothing new, lets what is under way come to its end, and
// returns. What is left waits in Postgres.
func (w *Worker) Shutdown() {
	if w.stop == nil {
		return
	}
	w.stop()
	h := w.opt.Bell.hands
	h.forget(skill{kind: store.TurnDue})
	h.forget(skill{kind: store.DeliveryDue})
	w.server.Shutdown()
	w.turns.close(w.opt.Drain)
	w.deliverer.end(w.opt.Drain)
	w.wg.Wait()
}

// def gives a time that was not set its default.
func def(d *time.Duration, v time.Duration) {
	if *d == 0 {
		*d = v
	}
}

// serverConfig is how we use asynq.
func serverConfig(log *slog.Logger, queues map[string]int, concurrency int, drain time.Duration) asynq.Config {
	return asynq.Config{
		Concurrency:              concurrency,
		Queues:                   queues,
		TaskCheckInterval:        50 * time.Millisecond,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          drain,
		Logger:                   logger{log},
		LogLevel:                 asynq.WarnLevel,
		RetryDelayFunc: func(n int, _ error, _ *asynq.Task) time.Duration {
			return time.Duration(n+1) * time.Second
		},
		ErrorHandler: asynq.ErrorHandlerFunc(func(ctx context.Context, t *asynq.Task, err error) {
			log.WarnContext(ctx, "task failed", "kind", t.Type(), "error", err)
		}),
	}
}

// logger hands asynq's log lines to ours.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.say(slog.LevelDebug, args) }
func (l logger) Info(args ...any)  { l.say(slog.LevelInfo, args) }
func (l logger) Warn(args ...any)  { l.say(slog.LevelWarn, args) }
func (l logger) Error(args ...any) { l.say(slog.LevelError, args) }
func (l logger) Fatal(args ...any) { l.say(slog.LevelError, args) }

func (l logger) say(level slog.Level, args []any) {
	l.log.Log(context.Background(), level, "asynq: "+fmt.Sprint(args...))
}
