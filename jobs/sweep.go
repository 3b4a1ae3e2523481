package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// patience is how long a row may wait before the sweep calls its ring lost, and
// sweepLimit how many conversations it takes up at a time.
const (
	patience   = time.Second
	sweepLimit = 500
)

// sweeper finds what waits although it should not, because Redis was emptied,
// away, or a worker was killed (laws 3 and 4). It is no task itself: what mends
// the queue must not depend on it.
type sweeper struct {
	db      *store.DB
	queue   *queue
	turn    func(context.Context, loyalty.ID) error
	deliver func(context.Context, loyalty.ID) error
	turns   *lanes
	sends   *lanes
	width   int // how many to do at once where Redis is away
	log     *slog.Logger
	metrics *Metrics
}

// loop sweeps each interval until ctx ends.
func (s *sweeper) loop(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sweep failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweep looks once.
func (s *sweeper) sweep(ctx context.Context) error {
	var due []store.Event
	err := s.db.InTx(ctx, func(tx *store.Tx) error {
		turns, err := tx.DueTurns(ctx, patience, sweepLimit)
		if err != nil {
			return err
		}
		sends, err := tx.DueDeliveries(ctx, patience, sweepLimit)
		due = append(turns, sends...)
		return err
	})
	if err != nil {
		return err
	}
	var alone []store.Event
	for _, e := range due {
		t, lane := deliverTask(e), s.sends
		t.queue = queueNotices
		if e.Kind == store.TurnDue {
			t, lane = turnTask(e), s.turns
		}
		if lane.working(e.ID) {
			continue
		}
		if len(alone) == 0 {
			if err := s.redrive(ctx, t); err == nil {
				continue
			}
		}
		alone = append(alone, e)
	}
	s.byHand(ctx, alone)
	return nil
}

func (s *sweeper) redrive(ctx context.Context, t task) error {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	err := s.queue.redrive(ctx, t, s.db.Now())
	if err == nil {
		s.metrics.swept.WithLabelValues(t.kind).Inc()
	}
	return err
}

// byHand does the work here and now: without Redis everything is slower, and
// nothing stands still.
func (s *sweeper) byHand(ctx context.Context, events []store.Event) {
	if len(events) == 0 {
		return
	}
	s.log.WarnContext(ctx, "Redis is away; working without it", "conversations", len(events))
	var wg sync.WaitGroup
	free := make(chan struct{}, s.width)
	for _, e := range events {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			do, kind := s.deliver, KindDeliver
			if e.Kind == store.TurnDue {
				do, kind = s.turn, KindTurn
			}
			s.metrics.swept.WithLabelValues(kind).Inc()
			if err := do(ctx, e.ID); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "work failed", "kind", kind, "error", err)
			}
		})
	}
	wg.Wait()
}
