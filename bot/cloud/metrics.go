package cloud

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what comes from Meta and what is asked of it.
type metrics struct {
	received *prometheus.CounterVec
	calls    *prometheus.CounterVec
	ready    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_cloud_received_total", Help: "Parts of Meta's notifications, by what they are and what became of them.",
		}, []string{"what"}),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_cloud_calls_total", Help: "Calls to Meta, by what was asked and the answer: ok, Meta's error code, or none.",
		}, []string{"call", "answer"}),
		ready: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "qoa_cloud_ready", Help: "1 while Meta lets the number send, as far as this process knows; 0 while it does not.",
		}),
	}
	m.ready.Set(1)
	if r != nil {
		r.MustRegister(m.received, m.calls, m.ready)
	}
	return m
}

func (m *metrics) got(what string) { m.received.WithLabelValues(what).Inc() }

func (m *metrics) called(name string, err error) {
	answer := "ok"
	var g graphError
	switch {
	case errors.As(err, &g) && g.Code != 0:
		answer = strconv.Itoa(g.Code)
	case errors.As(err, &g):
		answer = "http_" + strconv.Itoa(g.Status)
	case err != nil:
		answer = "none"
	}
	m.calls.WithLabelValues(name, answer).Inc()
}

func (m *metrics) able(ok bool) {
	if ok {
		m.ready.Set(1)
		return
	}
	m.ready.Set(0)
}
