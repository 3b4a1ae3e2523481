package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/cloud"
	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/jobs"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/templates"
)

// roles are the parts of the system that a process can play.
type roles struct{ api, bot, worker bool }

// server is the system wired together. Everything is made in start, in the
// order in which it is needed, and stopped in reverse.
type server struct {
	cfg   config
	log   *slog.Logger
	roles roles
	dev   bool

	listener net.Listener   // for people and machines; only where the role is api
	monitor  net.Listener   // for an operator's machines; nil without HEALTH_PORT
	cloud    *cloud.Channel // nil where the channel is another
	terminal io.Writer      // of a person who watches; nil where nobody does
	stops    []func()
	failed   chan error // what ends the process by itself
}

func newServer(cfg config, log *slog.Logger, r roles, dev bool) *server {
	return &server{cfg: cfg, log: log, roles: r, dev: dev, failed: make(chan error, 1)}
}

// start brings the roles up. Whatever it started before an error is stopped.
func (s *server) start(ctx context.Context, databaseURL, redisURL string) (err error) {
	collectLessOften()
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if s.cfg.HealthPort != 0 {
		if s.monitor, err = net.Listen("tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.HealthPort))); err != nil {
			return fmt.Errorf("HEALTH_PORT %d: %w", s.cfg.HealthPort, err)
		}
		s.onStop(func() { s.monitor.Close() }) //nolint:errcheck // closed already when HTTP has shut down
	}
	db, err := openStore(ctx, s.cfg, databaseURL)
	if err != nil {
		return err
	}
	s.onStop(db.Close)
	client, err := cache.Open(redisURL)
	if err != nil {
		return err
	}
	s.onStop(func() { client.Close() }) //nolint:errcheck // the process ends
	registry := prometheus.NewRegistry()
	cards := cache.NewCardEvents(client)
	s.onStop(func() { cards.Close() }) //nolint:errcheck // the process ends
	counters := jobs.NewMetrics(registry)
	bell := jobs.NewBell(client, cards, s.log, counters)
	db.SetBell(bell)
	s.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		bell.Flush(ctx)
	})
	s.startWatch(ctx, db)
	if err := s.openCloud(db, client, registry); err != nil {
		return err
	}
	if s.roles.worker {
		if err := s.startWorker(ctx, db, client, bell, registry); err != nil {
			return err
		}
	}
	if s.roles.bot {
		if err := s.startBot(ctx, db, client, bell, registry); err != nil {
			return err
		}
	}
	if s.roles.api {
		if err := s.startCloud(ctx, db); err != nil {
			return err
		}
	}
	if s.roles.api || s.monitor != nil {
		return s.startAPI(ctx, db, client, cards, bell, registry)
	}
	return nil
}

// gcPercent lets the heap grow to five times of what is alive before it is
// collected: a server has little alive and makes much garbage, and a hundred
// megabytes are cheaper than a tenth of its processor time.
const gcPercent = 400

// collectLessOften leaves an operator's GOGC alone.
func collectLessOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// startWatch keeps listening for changed rules. Purchases need it only to be a
// moment faster, so a broken connection is tried again and stops nothing.
func (s *server) startWatch(ctx context.Context, db *store.DB) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for wait := watchWait; ; wait = min(2*wait, mostWatchWait) {
			begun := time.Now()
			err := db.WatchRules(ctx)
			if ctx.Err() != nil {
				return
			}
			if time.Since(begun) > mostWatchWait { // it had worked
				wait = watchWait
			}
			s.log.WarnContext(ctx, "not listening for changed rules; trying again", "after", wait, "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	}()
	s.onStop(func() {
		cancel()
		<-done
	})
}

// How long to wait before listening again, and how long what was rung last may
// take to reach Redis at the end.
const (
	watchWait     = time.Second
	mostWatchWait = 30 * time.Second
	flushTime     = 2 * time.Second
)

func (s *server) startWorker(ctx context.Context, db *store.DB, client cache.Client, bell *jobs.Bell, registry *prometheus.Registry) error {
	texts, err := templates.LoadMessages()
	if err != nil {
		return err
	}
	words, err := flows.NewUnderstander(nil) // the catalogue comes from the database
	if err != nil {
		return err
	}
	engine, err := flows.NewLibraryEngine(words)
	if err != nil {
		return err
	}
	turns := bot.New(bot.Options{DB: db, Engine: engine, Words: words, Texts: texts, Log: s.log, Metrics: registry})
	senders, ours, lease := s.senders(db)
	worker := jobs.NewWorker(jobs.Options{
		DB: db, Redis: client, Bell: bell, Turns: turns, Texts: texts, Concurrency: s.cfg.Workers,
		Senders: senders, Channel: ours, Lease: lease,
	})
	if err := worker.Start(ctx); err != nil {
		return err
	}
	s.onStop(worker.Shutdown)
	return nil
}

func (s *server) startAPI(ctx context.Context, db *store.DB, client cache.Client, cards *cache.CardEvents, bell *jobs.Bell, registry *prometheus.Registry) error {
	pages, err := templates.New()
	if err != nil {
		return err
	}
	texts, err := templates.LoadMessages()
	if err != nil {
		return err
	}
	deps := api.Deps{
		DB: db, Pages: pages, Texts: texts, Log: s.log, Random: random(), Dev: s.dev, Version: version,
		Sim: s.cfg.Channel == channelSim, Numbers: s.cfg.Channel == channelWhatsmeow,
		Jobs: jobs.NewRunner(db, bell), Queues: queues{jobs.NewInspector(client)}, Health: dependencies{client, s.cfg.Channel, s.cloud}, Cards: cards, Registry: registry,
		BotNumber:      s.botNumber,
		Operator:       api.Operator{Name: s.cfg.OperatorName, Address: s.cfg.OperatorAddress, Contact: s.cfg.OperatorContact},
		ClientIPHeader: s.cfg.ClientIPHeader, TrustedProxies: s.cfg.TrustedProxies, MetricsToken: s.cfg.MetricsToken,
	}
	if s.cloud != nil {
		deps.WhatsApp = s.cloud
	}
	if s.cfg.RateLimits == "on" {
		deps.Limits = cache.NewLimiter(client)
	}
	door, err := api.New(deps)
	if err != nil {
		return err
	}
	serve := func(on func(net.Listener) error, l net.Listener) {
		if err := on(l); err != nil {
			s.fail(fmt.Errorf("http: %w", err))
		}
	}
	if s.roles.api {
		go serve(door.App.Listener, s.listener)
	}
	if s.monitor != nil {
		go serve(door.Monitor.Listener, s.monitor)
	}
	s.onStop(func() {
		patience := drainTime
		if s.dev {
			patience = drainTimeDev
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := door.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			s.log.Warn("http did not shut down in order", "error", err)
		}
	})
	return nil
}

// How long requests under way may take to end at a shutdown. Browsers keep
// connections in hand that never carried a request; those are waited for too,
// and a person at a terminal should not have to.
const (
	drainTime    = 15 * time.Second
	drainTimeDev = 2 * time.Second
)

// fail ends the process with the first error that a part reports.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

func (s *server) onStop(f func()) { s.stops = append(s.stops, f) }

// stop ends everything in the reverse order of its start.
func (s *server) stop() {
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.stops[i]()
	}
	s.stops = nil
}

// wait runs until the context ends, or a part fails.
func (s *server) wait(ctx context.Context) error {
	defer s.stop()
	select {
	case <-ctx.Done():
		s.log.Info("draining")
		return nil
	case err := <-s.failed:
		return err
	}
}

// listen takes the port, so that the URL is known before anything else starts.
func listen(c *config) (net.Listener, error) {
	l, err := net.Listen("tcp", c.address())
	if err != nil {
		return nil, fmt.Errorf("PORT %d: %w", c.Port, err)
	}
	if c.Port == 0 {
		c.Port = l.Addr().(*net.TCPAddr).Port
	}
	if c.PublicURL == "" {
		c.PublicURL = fmt.Sprintf("http://localhost:%d", c.Port)
	}
	return l, nil
}

// dependencies asks what the process leans on how it is.
type dependencies struct {
	redis   cache.Client
	channel string
	cloud   *cloud.Channel // nil where the channel is another
}

// Health implements api.Health.
func (d dependencies) Health(ctx context.Context) []api.Dependency {
	r := api.Dependency{Name: "redis", State: "ok"}
	if err := d.redis.Ping(ctx).Err(); err != nil {
		// Messages go on without it, only slower; so it is never "down" for us.
		r.State, r.Detail = "degraded", "no responde; los mensajes salen por barrido"
	}
	w := api.Dependency{Name: "whatsapp", State: "ok", Detail: "canal " + d.channel}
	if d.cloud != nil {
		h := d.cloud.Status(ctx)
		w.State, w.Detail = h.State, cmp.Or(h.Detail, w.Detail)
	}
	return []api.Dependency{r, w}
}
