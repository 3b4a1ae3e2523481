package api

import (
	"context"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// metrics has a registry that is passed in or its own, never the global one: two
// servers in one process don't meet.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	handler  fiber.Handler
}

func newMetrics(d Deps) *metrics {
	m := &metrics{
		registry: d.Registry,
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "qoa_http_request_seconds", Help: "How long requests took, by route pattern.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"method", "route", "status"}),
	}
	if m.registry == nil {
		m.registry = prometheus.NewRegistry()
	}
	m.registry.MustRegister(m.requests, backlog{d.DB}, traffic{d.DB, d.Numbers}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "qoa_db_connections_in_use", Help: "Connections of the pool at work."},
			func() float64 { n, _ := d.DB.Stat(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "qoa_db_connections", Help: "Connections of the pool."},
			func() float64 { _, n := d.DB.Stat(); return float64(n) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "qoa_db_round_trips_total", Help: "How often transactions waited for Postgres."},
			func() float64 { return float64(d.DB.RoundTrips()) }))
	m.handler = adaptor.HTTPHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	return m
}

func (m *metrics) observe(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// mayMeasure says whether the caller may read the metrics: who has the token,
// or, where there is none, this machine and private networks. What a proxy
// passes on that we don't know of comes from anywhere.
func (s *server) mayMeasure(c *fiber.Ctx) error {
	if s.MetricsToken != "" {
		scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
		if !strings.EqualFold(scheme, "bearer") || subtle.ConstantTimeCompare([]byte(strings.TrimSpace(token)), []byte(s.MetricsToken)) != 1 {
			return unauthorized()
		}
		return nil
	}
	ip := s.clientIP(c)
	passedOn := c.Get(fiber.HeaderXForwardedFor) != "" || c.Get("Forwarded") != "" || c.Get("X-Real-Ip") != ""
	if passedOn && (s.ClientIPHeader == "" || !s.trusts(remoteIP(c))) || !ip.IsLoopback() && !ip.IsPrivate() {
		return loyalty.Forbidden()
	}
	return nil
}

func (s *server) serveMetrics(c *fiber.Ctx) error {
	if err := s.mayMeasure(c); err != nil {
		return err
	}
	if err := s.metrics.handler(c); err != nil {
		return err
	}
	if c.Response().StatusCode() == 0 {
		c.Status(http.StatusOK)
	}
	return nil
}

// backlog collects what waits in Postgres, asked when Prometheus asks.
type backlog struct{ db *store.DB }

func (b backlog) describe() (messages, oldest *prometheus.Desc) {
	return prometheus.NewDesc("qoa_messages_waiting", "Messages of a box in a state that needs attention.", []string{"box", "state"}, nil),
		prometheus.NewDesc("qoa_messages_oldest_seconds", "For how long the oldest message of a box waits.", []string{"box"}, nil)
}

// Describe implements prometheus.Collector.
func (b backlog) Describe(ch chan<- *prometheus.Desc) {
	messages, oldest := b.describe()
	ch <- messages
	ch <- oldest
}

// Collect implements prometheus.Collector.
func (b backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var now store.Backlog
	err := b.db.InTx(ctx, func(t *store.Tx) (err error) {
		now, err = t.Backlog(ctx)
		return err
	})
	messages, oldest := b.describe()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(messages, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(messages, float64(now.Inbox), "inbox", "pending")
	gauge(messages, float64(now.Parked), "inbox", "parked")
	gauge(messages, float64(now.Outbox), "outbox", "queued")
	gauge(messages, float64(now.Failed), "outbox", "failed")
	gauge(oldest, now.OldestInbox.Seconds(), "inbox")
	gauge(oldest, now.OldestOutbox.Seconds(), "outbox")
}
