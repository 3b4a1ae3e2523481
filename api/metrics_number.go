package api

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// traffic collects how the numbers are and how far messages come, asked when
// Prometheus asks. A number is named by its ID: labels hold no phone.
type traffic struct {
	db      *store.DB
	numbers bool
}

var (
	numbersDesc = prometheus.NewDesc("qoa_whatsapp_numbers", "WhatsApp numbers by status.", []string{"status"}, nil)
	aliveDesc   = prometheus.NewDesc("qoa_whatsapp_number_alive_seconds", "How long ago a number last showed life.", []string{"number"}, nil)
	workingDesc = prometheus.NewDesc("qoa_whatsapp_number_working", "1 while a number receives and answers.", []string{"number"}, nil)
	hourDesc    = prometheus.NewDesc("qoa_outbox_hour_messages", "Messages queued within the last hour, by how far they came.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (m traffic) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{numbersDesc, aliveDesc, workingDesc, hourDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m traffic) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), healthWait)
	defer cancel()
	var numbers []numberAt
	var hour map[store.OutboxStatus]int64
	err := m.db.InTx(ctx, func(t *store.Tx) (err error) {
		if hour, err = t.LettersSince(ctx, t.Now().Add(-time.Hour)); err != nil || !m.numbers {
			return err
		}
		all, _, err := t.Numbers(ctx, loyalty.System(), store.Page{Limit: mostNumbers})
		numbers = mapped(all, func(n store.Number) numberAt { return numberAt{n, t.Now()} })
		return err
	})
	if err != nil {
		ch <- prometheus.NewInvalidMetric(hourDesc, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, label)
	}
	for _, status := range store.OutboxStatuses() {
		gauge(hourDesc, float64(hour[status]), string(status))
	}
	if !m.numbers {
		return
	}
	byStatus := map[store.NumberStatus]int{}
	for _, n := range numbers {
		byStatus[n.Status]++
		working := 0.0
		if n.Working(n.now) {
			working = 1
		}
		gauge(workingDesc, working, string(n.ID))
		if n.AliveAt != nil {
			gauge(aliveDesc, n.now.Sub(*n.AliveAt).Seconds(), string(n.ID))
		}
	}
	for _, status := range store.NumberStatuses() {
		gauge(numbersDesc, float64(byStatus[status]), string(status))
	}
}
