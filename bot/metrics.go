package bot

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts turns.
type metrics struct {
	turns   *prometheus.CounterVec
	latency prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		turns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_turns_total", Help: "Turns of conversations, by result: answered, failed, parked.",
		}, []string{"result"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "qoa_turn_seconds", Help: "Time from the receipt of a message to the commit of its answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 15, 60, 300},
		}),
	}
	if r != nil {
		r.MustRegister(m.turns, m.latency)
	}
	return m
}

func (m *metrics) answered(after time.Duration) {
	m.turns.WithLabelValues("answered").Inc()
	m.latency.Observe(after.Seconds())
}

func (m *metrics) failed(parked bool) {
	if parked {
		m.turns.WithLabelValues("parked").Inc()
		return
	}
	m.turns.WithLabelValues("failed").Inc()
}
