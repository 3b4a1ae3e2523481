package jobs

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what the jobs do. No label holds personal data, or anything
// that grows with the number of people.
type Metrics struct {
	deliveries *prometheus.CounterVec
	latency    prometheus.Histogram
	swept      *prometheus.CounterVec
	lost       prometheus.Counter
	runs       *prometheus.CounterVec
	messages   *prometheus.CounterVec
}

// NewMetrics makes the metrics and registers them, once per process; a nil
// Registerer leaves them unregistered.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_deliveries_total", Help: "Attempts to send a message, by result: sent, retried, failed.",
		}, []string{"lane", "result"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "qoa_reply_delivery_seconds", Help: "Time from the commit of a reply or receipt to its sending.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2, 5, 15, 60, 300},
		}),
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_swept_total", Help: "Conversations that the sweep found waiting, by what for: turn, deliver.",
		}, []string{"kind"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "qoa_bell_lost_total", Help: "Events that Redis did not take and the sweep has to find.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_job_runs_total", Help: "Runs of periodic jobs, by job and result: done, failed.",
		}, []string{"job", "result"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_job_messages_total", Help: "Messages queued by periodic jobs.",
		}, []string{"job"}),
	}
	if r != nil {
		r.MustRegister(m.deliveries, m.latency, m.swept, m.lost, m.runs, m.messages)
	}
	return m
}

func (m *Metrics) delivered(lane, result string, after time.Duration) {
	m.deliveries.WithLabelValues(lane, result).Inc()
	if result == "sent" && (lane == "reply" || lane == "receipt") {
		m.latency.Observe(after.Seconds())
	}
}
