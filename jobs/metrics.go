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

	verified    prometheus.Counter
	verifiedAt  prometheus.Gauge
	differences prometheus.Gauge
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
			Name: "qoa_bell_lost_total", Help: "Events that Redis did not take, or not fast enough, and the sweep has to find.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_job_runs_total", Help: "Runs of periodic jobs, by job and result: done, failed.",
		}, []string{"job", "result"}),
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "qoa_job_messages_total", Help: "Messages queued by periodic jobs.",
		}, []string{"job"}),
		verified: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "qoa_ledger_verified_total", Help: "Nightly verifications of a sample of the ledger.",
		}),
		verifiedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "qoa_ledger_verified_timestamp_seconds", Help: "When this process verified a sample of the ledger last.",
		}),
		differences: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "qoa_ledger_differences", Help: "Cached figures that the last verification found to differ from their entries.",
		}),
	}
	if r != nil {
		r.MustRegister(m.deliveries, m.latency, m.swept, m.lost, m.runs, m.messages, m.verified, m.verifiedAt, m.differences)
	}
	return m
}

func (m *Metrics) delivered(lane, result string, after time.Duration) {
	m.deliveries.WithLabelValues(lane, result).Inc()
	if result == "sent" && (lane == "reply" || lane == "receipt") {
		m.latency.Observe(after.Seconds())
	}
}
