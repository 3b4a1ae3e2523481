package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Publisher tells open card pages that a person's card changed.
type Publisher interface {
	Publish(ctx context.Context, person loyalty.ID) error
}

// Bell turns the store's events into tasks. It never fails: a ring that Redis
// did not take is logged and counted, and the sweep finds the row.
type Bell struct {
	queue   *queue
	cards   Publisher
	log     *slog.Logger
	metrics *Metrics
	notices bool
}

// NewBell makes a bell. cards may be nil where no page is served.
func NewBell(client redis.UniversalClient, cards Publisher, log *slog.Logger, m *Metrics) *Bell {
	return &Bell{queue: newQueue(client), cards: cards, log: log, metrics: m}
}

// forNotices is the same bell for what nobody waits for: a job's thousands of
// messages must not stand before the answer to somebody who has just written.
func (b *Bell) forNotices() *Bell {
	c := *b
	c.notices = true
	return &c
}

// Ring implements store.Bell.
func (b *Bell) Ring(ctx context.Context, events []store.Event) {
	// Whoever caused this waits for it: a Redis that hangs must not cost more.
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond+time.Duration(len(events))*time.Millisecond)
	defer cancel()
	for i, e := range events {
		if err := b.ring(ctx, e); err != nil {
			lost := len(events) - i
			b.metrics.lost.Add(float64(lost))
			b.log.WarnContext(ctx, "bell not heard; the sweep will find it", "events", lost, "error", err)
			return
		}
	}
}

func (b *Bell) ring(ctx context.Context, e store.Event) error {
	switch e.Kind {
	case store.TurnDue:
		return b.queue.put(ctx, turnTask(e))
	case store.DeliveryDue:
		t := deliverTask(e)
		if b.notices {
			t.queue = queueNotices
		}
		return b.queue.put(ctx, t)
	case store.CardChanged:
		if b.cards != nil {
			return b.cards.Publish(ctx, e.ID)
		}
	}
	return nil
}

func turnTask(e store.Event) task {
	return task{kind: KindTurn, queue: queueTalk, id: string(e.Row), payload: string(e.ID)}
}

func deliverTask(e store.Event) task {
	return task{kind: KindDeliver, queue: queueTalk, id: string(e.Row), payload: string(e.ID)}
}
