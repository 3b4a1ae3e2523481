// Package api is the door of HTTP: the REST API, the pages, the simulator's
// doors and what an operator's machines read. A handler parses, authorizes,
// calls one use case of the store and renders; it holds no rules.
package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// JobRunner runs a job at once; asOf is nil for now. It gives how many messages
// the job will send.
type JobRunner interface {
	RunJob(ctx context.Context, name string, asOf *time.Time) (messages int, err error)
}

// Dependency is the health of one thing that the process leans on.
type Dependency struct {
	Name   string `json:"name"`
	State  string `json:"state"` // ok, degraded or down
	Detail string `json:"detail,omitempty"`
}

// Health asks the dependencies other than Postgres how they are.
type Health interface {
	Health(ctx context.Context) []Dependency
}

// CardEvents tells of changes of a person's card. The channel may drop a
// signal while one waits to be read: one bell is as good as two. stop frees
// what the subscription holds.
type CardEvents interface {
	Subscribe(ctx context.Context, person loyalty.ID) (changed <-chan struct{}, stop func())
}

// Limiter counts attempts under a key, of which most are allowed in per.
type Limiter interface {
	Allow(ctx context.Context, key string, most int, per time.Duration) (ok bool, retryAfter time.Duration, err error)
}

// Operator is who answers for an installation, named by the privacy notice.
type Operator struct{ Name, Address, Contact string }

// Deps is all that the door of HTTP needs.
type Deps struct {
	DB     *store.DB
	Pages  *templates.Set
	Texts  *templates.Messages
	Log    *slog.Logger // adds the context's trace ID to each line (store.Trace)
	Random io.Reader    // for trace IDs and form keys; safe for concurrent use

	Dev bool // fixed secrets and time travel are allowed
	Sim bool // the channel is the simulator: its doors are open

	// Numbers says that the channel has numbers, which are paired here: BotNumber is
	// then the one that the database says, and need not be set.
	Numbers bool

	Jobs      JobRunner
	Queues    Queues        // nil: there are none to look into
	Health    Health        // may be nil
	Cards     CardEvents    // may be nil: card pages then don't refresh by themselves
	Limits    Limiter       // nil: no limits
	WhatsApp  Webhook       // nil: the channel has no webhook
	BotNumber func() string // the bot's WhatsApp number in E.164; "" while it has none

	// Registry is what /metrics shows, with whatever other parts put into it; nil
	// makes one.
	Registry *prometheus.Registry

	Version  string
	Operator Operator

	// MetricsToken opens /metrics as a bearer token. Where it is "", /metrics
	// answers this machine and private networks only.
	MetricsToken string

	// A proxy in front says who calls in this header; it is believed only when
	// the connection comes from one of TrustedProxies (addresses or CIDRs), and
	// only what they added to it.
	ClientIPHeader string
	TrustedProxies []string
}

// maxBody is the largest request body that is read.
const maxBody = 1 << 20

// API is the door of HTTP. Serve it with App.Listener; Shutdown ends the event
// streams first, which would otherwise keep the server from draining.
type API struct {
	App *fiber.App
	// Monitor has the routes alone that an operator's machines ask, for a port of
	// their own: processes without people as callers have health and metrics too.
	Monitor *fiber.App
	stop    context.CancelFunc
	s       *server
}

// server carries the dependencies to the handlers.
type server struct {
	Deps
	done    <-chan struct{} // closed when the server drains
	proxies []netip.Prefix
	metrics *metrics
	qr      *templates.QRCache
	spec    []byte
	secure  bool       // pages are served over https
	drawing sync.Mutex // of pictures, one at a time
}

// New builds the door.
func New(d Deps) (*API, error) {
	proxies, err := parseProxies(d.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("api: trusted proxies: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &server{
		Deps: d, done: ctx.Done(), proxies: proxies, qr: templates.NewQRCache(8 << 20),
		secure: isHTTPS(d.DB.PublicURL()),
	}
	if d.Numbers {
		s.BotNumber = s.sharedNumber
	}
	s.metrics = newMetrics(d)
	spec, err := specJSON(d.DB.PublicURL(), d.Version)
	if err != nil {
		stop()
		return nil, err
	}
	s.spec = spec
	return &API{App: s.app(Routes(d.Sim)), Monitor: s.app(monitoring()), stop: stop, s: s}, nil
}

// app serves some routes.
func (s *server) app(routes []Route) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:   "qoa",
		Immutable: true, // strings from requests outlive them: in logs, in the store
		// A body above maxBody is refused by a middleware with a proper answer;
		// from here on fasthttp just hangs up.
		BodyLimit:               maxUpload + maxBody,
		ReadBufferSize:          16 << 10, // the request line and all headers
		ReadTimeout:             15 * time.Second,
		IdleTimeout:             75 * time.Second, // no WriteTimeout: it would cut event streams
		ErrorHandler:            s.fail,
		DisableStartupMessage:   true,
		EnableTrustedProxyCheck: true,
		TrustedProxies:          s.TrustedProxies,
		StrictRouting:           false,
		CaseSensitive:           true,
	})
	app.Use(s.pack, s.observe, s.headers, s.limitBody)
	for _, r := range routes {
		handlers := []fiber.Handler{s.match(r), s.authorize(r), r.handler(s)}
		if r.Method == fiber.MethodGet {
			app.Get(r.Path, handlers...) // answers HEAD too
			continue
		}
		app.Add(r.Method, r.Path, handlers...)
	}
	return app
}

// Shutdown ends event streams and then drains the server. Whoever watches it
// learns last that it has ended.
func (a *API) Shutdown(ctx context.Context) error {
	a.stop()
	return errors.Join(a.App.ShutdownWithContext(ctx), a.Monitor.ShutdownWithContext(ctx))
}
