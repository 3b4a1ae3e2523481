package whatsapp

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// metrics of the numbers that this process owns. A number is told by its ID,
// never by its phone.
type metrics struct {
	received   *prometheus.CounterVec // by number and kind
	sent       *prometheus.CounterVec // by number and result
	refused    *prometheus.CounterVec
	dropped    *prometheus.CounterVec
	reconnects *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer, f *Fleet) *metrics {
	count := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "qoa_whatsapp_" + name, Help: help}, append([]string{"number"}, labels...))
	}
	m := &metrics{
		received:   count("received_total", "Messages received and persisted, by kind.", "kind"),
		sent:       count("sent_total", "Messages handed to WhatsApp, by result: sent, retry, failed.", "result"),
		refused:    count("refused_total", "Messages not acknowledged because they could not be persisted; they come again."),
		dropped:    count("dropped_total", "Messages that no attempt could persist. Anything but 0 is a defect of ours."),
		reconnects: count("connects_total", "Connections begun."),
	}
	if r != nil {
		r.MustRegister(m.received, m.sent, m.refused, m.dropped, m.reconnects, numberGauges{f})
	}
	return m
}

// numberGauges tells how the numbers are at the moment they are asked about.
type numberGauges struct{ fleet *Fleet }

var (
	aliveDesc = prometheus.NewDesc("qoa_whatsapp_alive_timestamp_seconds",
		"Time of the last round trip to WhatsApp and back, 0 before the first.", []string{"number"}, nil)
	stateDesc = prometheus.NewDesc("qoa_whatsapp_state",
		"1 for the state that a number is in: pairing, connected, disconnected, logged_out, banned, restricted, outdated, replaced.", []string{"number", "state"}, nil)
)

// Describe implements prometheus.Collector.
func (g numberGauges) Describe(to chan<- *prometheus.Desc) { to <- aliveDesc; to <- stateDesc }

// Collect implements prometheus.Collector.
func (g numberGauges) Collect(to chan<- prometheus.Metric) {
	for _, n := range g.fleet.health() {
		alive := 0.0
		if !n.AliveAt.IsZero() {
			alive = float64(n.AliveAt.UnixMilli()) / 1000
		}
		to <- prometheus.MustNewConstMetric(aliveDesc, prometheus.GaugeValue, alive, string(n.Number))
		to <- prometheus.MustNewConstMetric(stateDesc, prometheus.GaugeValue, 1, string(n.Number), n.Status)
	}
}

// forget removes what was counted for a number that is another process's now.
func (m *metrics) forget(number loyalty.ID) {
	labels := prometheus.Labels{"number": string(number)}
	for _, c := range []*prometheus.CounterVec{m.received, m.sent, m.refused, m.dropped, m.reconnects} {
		c.DeletePartialMatch(labels)
	}
}
