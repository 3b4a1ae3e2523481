package jobs

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Publisher tells open card pages that people's cards changed.
type Publisher interface {
	Publish(ctx context.Context, people ...loyalty.ID) error
}

// Bell turns the store's events into tasks. It never fails: a ring that Redis
// did not take is logged and counted, and the sweep finds the row. Who rings
// does not wait for Redis either. What this process can do itself at once does
// not go through Redis at all.
type Bell struct {
	hands   *hands
	queue   *queue
	cards   Publisher
	log     *slog.Logger
	metrics *Metrics
	waiting *waiting // nil: rings at once, and for notices
}

// NewBell makes a bell. cards may be nil where no page is served. Flush it
// before the client is closed.
func NewBell(client redis.UniversalClient, cards Publisher, log *slog.Logger, m *Metrics) *Bell {
	return &Bell{hands: newHands(log), queue: newQueue(client), cards: cards, log: log, metrics: m, waiting: new(waiting)}
}

// forNotices is the same bell for what nobody waits for: a job's thousands of
// messages must not stand before the answer to somebody who has just written.
func (b *Bell) forNotices() *Bell {
	c := *b
	c.waiting = nil
	return &c
}

// mostWaiting bounds the events that wait to be rung. More is a Redis that
// hangs, and the sweep's work anyway.
const mostWaiting = 10_000

// waiting are the events that are to be rung, by one goroutine that lives as
// long as there are some.
type waiting struct {
	mu     sync.Mutex
	events []store.Event
	done   chan struct{} // closed when that goroutine ends; nil where there is none
}

// Ring implements store.Bell.
func (b *Bell) Ring(ctx context.Context, events []store.Event) {
	w := b.waiting
	if w == nil {
		b.ring(ctx, events)
		return
	}
	if events = slices.DeleteFunc(slices.Clone(events), b.hands.take); len(events) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	room := min(len(events), mostWaiting-len(w.events))
	w.events = append(w.events, events[:room]...)
	b.metrics.lost.Add(float64(len(events) - room))
	if w.done == nil && room > 0 {
		w.done = make(chan struct{})
		go b.drain(context.WithoutCancel(ctx))
	}
}

// Answers implements store.Hands.
func (b *Bell) Answers() bool {
	_, ok := b.hands.free(skill{kind: store.TurnDue})
	return ok && b.waiting != nil
}

// Delivers implements store.Hands.
func (b *Bell) Delivers(number loyalty.ID) time.Duration {
	a, ok := b.hands.free(skill{store.DeliveryDue, number})
	if !ok || b.waiting == nil {
		return 0
	}
	return a.lease
}

// ringBatch is how many events are rung together, and lost together where Redis
// hangs.
const ringBatch = 100

// linger is how long a busy bell lets events come together: what is rung at once
// costs Redis once.
const linger = 3 * time.Millisecond

// drain rings until nothing waits.
func (b *Bell) drain(ctx context.Context) {
	for round := 0; ; round++ {
		if round > 0 {
			time.Sleep(linger)
		}
		events := b.waiting.take()
		if events == nil {
			return
		}
		for batch := range slices.Chunk(events, ringBatch) {
			b.ring(ctx, batch)
		}
	}
}

// take gives all that waits. Where there is nothing, who drains has come to the
// end, in the same breath, so that no event falls between.
func (w *waiting) take() []store.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.events
	w.events = nil
	if len(events) == 0 {
		close(w.done)
		w.done = nil
		return nil
	}
	return events
}

// Flush returns when all that was rung before has reached Redis, or ctx ends.
func (b *Bell) Flush(ctx context.Context) {
	b.waiting.mu.Lock()
	done := b.waiting.done
	b.waiting.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// ring rings events: a person's of one kind are one, since whoever answers looks
// for all that waits.
func (b *Bell) ring(ctx context.Context, events []store.Event) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond+time.Duration(len(events))*time.Millisecond)
	defer cancel()
	rung := make(map[store.Event]bool, len(events))
	var tasks []task
	var changed []loyalty.ID
	for _, e := range events {
		same := store.Event{Kind: e.Kind, ID: e.ID, Number: e.Number}
		if rung[same] {
			continue
		}
		rung[same] = true
		switch e.Kind {
		case store.TurnDue:
			tasks = append(tasks, turnTask(e))
		case store.DeliveryDue:
			t := deliverTask(e)
			if b.waiting == nil && e.Number == "" {
				t.queue = queueNotices
			}
			tasks = append(tasks, t)
		case store.CardChanged:
			changed = append(changed, e.ID)
		}
	}
	for i, t := range tasks {
		if err := b.queue.put(ctx, t); err != nil {
			b.unheard(ctx, len(tasks)-i+len(changed), err)
			return
		}
	}
	if len(changed) > 0 && b.cards != nil {
		if err := b.cards.Publish(ctx, changed...); err != nil {
			b.unheard(ctx, len(changed), err)
		}
	}
}

func (b *Bell) unheard(ctx context.Context, events int, err error) {
	b.metrics.lost.Add(float64(events))
	b.log.WarnContext(ctx, "bell not heard; the sweep will find it", "events", events, "error", err)
}

func turnTask(e store.Event) task {
	return task{kind: KindTurn, queue: queueTalk, id: string(e.Row), payload: string(e.ID)}
}

func deliverTask(e store.Event) task {
	to := queueTalk
	if e.Number != "" {
		to = numberQueue(e.Number)
	}
	return task{kind: KindDeliver, queue: to, id: string(e.Row), payload: string(e.ID)}
}
