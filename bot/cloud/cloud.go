package cloud

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// Name is what inbox and outbox call the channel.
const Name = store.Cloud

// Limiter counts attempts under a key over all processes; package store/cache's
// does.
type Limiter interface {
	Allow(ctx context.Context, key string, most int, per time.Duration) (ok bool, retryAfter time.Duration, err error)
}

// Templates say which template of Meta's stands for which of our texts; package
// templates does.
type Templates interface {
	Fill(key string, vars map[string]string) (t templates.CloudTemplate, ok bool, err error)
}

// Options configure a Channel. All but Limits, Metrics and HTTP are required.
type Options struct {
	DB          *store.DB
	Token       string // of a system user, with whatsapp_business_messaging
	PhoneID     string // Meta's ID of the number
	AppSecret   string // signs the webhook
	VerifyToken string // proves to Meta's question that the webhook is ours
	URL         string // of the Graph API, with its version
	Templates   Templates
	Log         *slog.Logger

	Limits  Limiter // nil: the pace is kept by this process alone
	Metrics prometheus.Registerer
	HTTP    *http.Client // nil: one of its own
}

// Channel is WhatsApp through Meta's Cloud API. It may be used by many goroutines
// at once. Send needs no Start: a process may send what another receives.
type Channel struct {
	opt     Options
	db      *store.DB
	log     *slog.Logger
	graph   *graph
	pace    *pace
	metrics *metrics

	mu      sync.Mutex
	sink    bot.Sink
	stop    context.CancelFunc
	problem string    // why the number cannot send, as far as this process knows
	until   time.Time // nothing is sent before; the broken account is left alone

	phone   atomic.Pointer[string]
	arrived chan struct{}  // a file is to be fetched
	wg      sync.WaitGroup // what Stop waits for
}

// New makes the channel.
func New(opt Options) *Channel {
	if opt.HTTP == nil {
		opt.HTTP = &http.Client{Transport: transport()}
	}
	opt.URL = strings.TrimRight(opt.URL, "/")
	m := newMetrics(opt.Metrics)
	c := &Channel{
		opt: opt, db: opt.DB, log: opt.Log, metrics: m,
		pace: newPace(opt.Limits, opt.PhoneID), arrived: make(chan struct{}, 1),
	}
	c.graph = &graph{http: opt.HTTP, url: opt.URL, token: opt.Token, heard: func(ctx context.Context, call string, err error) {
		m.called(call, err)
		c.judge(ctx, call, err)
	}}
	return c
}

// transport keeps enough connections open for as many sends at once as there are
// workers.
func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	t.ResponseHeaderTimeout = callTime
	return t
}

// Name implements bot.Channel.
func (c *Channel) Name() string { return Name }

// errStarted is a programming error: the sink of a running channel is not
// exchanged.
var errStarted = errors.New("cloud: started already")

// Start implements bot.Channel: from now on Notify takes messages in, and what
// they hold is fetched.
func (c *Channel) Start(ctx context.Context, sink bot.Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sink != nil {
		return errStarted
	}
	// Not a child of ctx by its end: Stop says when.
	loops, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.sink, c.stop = sink, stop
	c.wg.Go(func() { c.introduce(loops) })
	c.wg.Go(func() { c.fetchMedia(loops) })
	return nil
}

// Stop implements bot.Channel.
func (c *Channel) Stop(ctx context.Context) error {
	c.mu.Lock()
	stop := c.stop
	c.sink, c.stop = nil, nil
	c.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	done := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// receiving gives the sink while the channel runs; done must be called at the end.
func (c *Channel) receiving() (sink bot.Sink, done func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sink == nil {
		return nil, nil, false
	}
	c.wg.Add(1)
	return c.sink, c.wg.Done, true
}

// introduce asks Meta for the number's phone, which the counter QR needs, until
// it is known.
func (c *Channel) introduce(ctx context.Context) {
	known := c.number(ctx).Problem // of an earlier run, or of another process
	c.mu.Lock()
	c.problem = known
	c.mu.Unlock()
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		phone, err := c.graph.phone(ctx, c.opt.PhoneID)
		if err == nil {
			err = c.notePhone(ctx, phone)
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		c.log.WarnContext(ctx, "the number does not answer for itself; asking again", "after", wait, "problem", problemOf(err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (c *Channel) notePhone(ctx context.Context, phone string) error {
	return c.db.InTx(ctx, func(tx *store.Tx) error { return tx.SaveCloudPhone(ctx, c.opt.PhoneID, phone) })
}

// Phone is the number that people write to, in E.164; "" before Meta has said it.
func (c *Channel) Phone(ctx context.Context) string {
	if known := c.phone.Load(); known != nil {
		return *known
	}
	phone := c.number(ctx).Phone
	if phone != "" {
		c.phone.Store(&phone) // it is asked for by every visit of a counter's QR
	}
	return phone
}

// number is what is known of the number; empty where the database is away.
func (c *Channel) number(ctx context.Context) (n store.CloudNumber) {
	err := c.db.InTx(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.CloudNumber(ctx, c.opt.PhoneID)
		return err
	})
	if err != nil {
		return store.CloudNumber{}
	}
	return n
}

// Status implements bot.Channel.
func (c *Channel) Status(ctx context.Context) bot.Health {
	n := c.number(ctx)
	switch {
	case n.Problem != "":
		return bot.Health{State: bot.HealthDown, Detail: details[n.Problem]}
	case n.Phone == "":
		return bot.Health{State: bot.HealthDegraded, Detail: "Meta todavía no contesta por el número; revisa CLOUD_TOKEN y CLOUD_PHONE_ID si no cambia"}
	}
	return bot.Health{State: bot.HealthOK}
}
