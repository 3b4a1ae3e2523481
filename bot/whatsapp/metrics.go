package whatsapp

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// metrics count what the numbers do that this process owns; how they are is read
// from the database, for all processes alike. A number is told by its ID, never by
// its phone.
type metrics struct {
	received   *prometheus.CounterVec // by number and kind
	sent       *prometheus.CounterVec // by number and result
	refused    *prometheus.CounterVec
	dropped    *prometheus.CounterVec
	reconnects *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
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
		r.MustRegister(m.received, m.sent, m.refused, m.dropped, m.reconnects)
	}
	return m
}

// forget removes what was counted for a number that is another process's now.
func (m *metrics) forget(number loyalty.ID) {
	labels := prometheus.Labels{"number": string(number)}
	for _, c := range []*prometheus.CounterVec{m.received, m.sent, m.refused, m.dropped, m.reconnects} {
		c.DeletePartialMatch(labels)
	}
}
