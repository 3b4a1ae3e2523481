package jobs

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// value of a counter or gauge without labels.
func value(t *testing.T, c prometheus.Collector) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	all, err := r.Gather()
	require.NoError(t, err)
	m := all[0].GetMetric()[0]
	return m.GetCounter().GetValue() + m.GetGauge().GetValue()
}

func TestWhatWasRungIsInRedisAfterAFlush(t *testing.T) {
	client, err := cache.Open(storetest.Redis(t))
	require.NoError(t, err)
	defer client.Close()
	cards := cache.NewCardEvents(client)
	defer cards.Close()
	luis, stop := cards.Subscribe(t.Context(), "luis")
	defer stop()
	<-luis // the subscription stands
	b := NewBell(client, cards, quiet(), NewMetrics(nil))

	b.Flush(t.Context()) // nothing waits
	for n := range 5 {
		b.Ring(t.Context(), []store.Event{
			{Kind: store.CardChanged, ID: "ana"},
			{Kind: store.DeliveryDue, ID: "ana", Row: loyalty.ID('a' + rune(n))},
			{Kind: store.CardChanged, ID: "luis"},
		})
	}
	b.Flush(t.Context())
	<-luis
	tasks, err := b.queue.inspector.ListPendingTasks(queueTalk)
	require.NoError(t, err)
	require.NotEmpty(t, tasks)
	assert.LessOrEqual(t, len(tasks), 5)
	assert.Zero(t, value(t, b.metrics.lost))
}

func TestEventsThatAreRungTogetherAreOneTaskAPerson(t *testing.T) {
	client, err := cache.Open(storetest.Redis(t))
	require.NoError(t, err)
	defer client.Close()
	b := NewBell(client, nil, quiet(), NewMetrics(nil))
	b.Ring(t.Context(), []store.Event{
		{Kind: store.DeliveryDue, ID: "ana", Row: "1"}, {Kind: store.DeliveryDue, ID: "ana", Row: "2"},
		{Kind: store.TurnDue, ID: "ana", Row: "3"}, {Kind: store.TurnDue, ID: "luis", Row: "4"},
	})
	b.Flush(t.Context())
	tasks, err := b.queue.inspector.ListPendingTasks(queueTalk)
	require.NoError(t, err)
	got := map[string]string{}
	for _, task := range tasks {
		got[task.ID] = task.Type + " " + string(task.Payload)
	}
	assert.Equal(t, map[string]string{"1": "deliver ana", "3": "turn ana", "4": "turn luis"}, got)
}

// A Redis that takes connections and never answers keeps nobody from going on:
// what there is no room for is dropped, and counted.
func TestARedisThatHangsCostsRingsAndNoTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), ContextTimeoutEnabled: true, MaxRetries: -1})
	b := NewBell(client, nil, quiet(), NewMetrics(nil))

	events := make([]store.Event, mostWaiting+7)
	for i := range events {
		events[i] = store.Event{Kind: store.TurnDue, ID: loyalty.ID(time.Duration(i).String()), Row: loyalty.ID(time.Duration(i).String())}
	}
	b.Ring(t.Context(), events)
	assert.GreaterOrEqual(t, value(t, b.metrics.lost), 7.0)

	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	b.Flush(soon)
	require.Error(t, soon.Err(), "it is still at it, and who stops does not wait for ever")
	client.Close() // and so the rest fails at once
	b.Flush(t.Context())
	assert.EqualValues(t, len(events), value(t, b.metrics.lost), "each is counted once")
}
