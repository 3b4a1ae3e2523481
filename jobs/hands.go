package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// hands do in this process, at once, what was rung in it: what passes through
// Redis waits until a queue is looked at. They are few, and few events may wait
// for them; what is more goes to Redis, where every process finds it. What dies
// with this process is found by the sweep.
type hands struct {
	log *slog.Logger

	mu      sync.Mutex
	width   int
	busy    int
	waiting []store.Event
	skills  map[skill]handler
}

// skill is what a hand may be able to do: to answer, or to deliver through a
// number.
type skill struct {
	kind   store.EventKind
	number loyalty.ID
}

// handler does what waits of a person.
type handler func(ctx context.Context, person loyalty.ID) error

const (
	// fewHands are those of a process that says nothing else.
	fewHands = 8
	// waitingPerHand is how many events may wait for each hand.
	waitingPerHand = 4
	// handTime is how long one event may take.
	handTime = time.Minute
)

func newHands(log *slog.Logger) *hands {
	return &hands{log: log, width: fewHands, skills: map[skill]handler{}}
}

// learn lets the hands do what they could not.
func (h *hands) learn(s skill, do handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.skills[s] = do
}

// forget is the opposite. What is under way goes on.
func (h *hands) forget(s skill) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.skills, s)
}

// widen sets how many hands there are.
func (h *hands) widen(width int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.width = width
}

// take takes an event, where it can be done here and soon.
func (h *hands) take(e store.Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.skills[skill{e.Kind, e.Number}] == nil {
		return false
	}
	switch {
	case h.busy < h.width:
		h.busy++
		go h.work(e)
	case len(h.waiting) < h.width*waitingPerHand:
		h.waiting = append(h.waiting, e)
	default:
		return false
	}
	return true
}

// work is one hand: it does what it was given, and then what waits.
func (h *hands) work(e store.Event) {
	for ok := true; ok; e, ok = h.next() {
		h.one(e)
	}
}

func (h *hands) next() (e store.Event, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == 0 {
		h.busy--
		return e, false
	}
	e = h.waiting[0]
	h.waiting = h.waiting[1:]
	return e, true
}

func (h *hands) one(e store.Event) {
	h.mu.Lock()
	do := h.skills[skill{e.Kind, e.Number}]
	h.mu.Unlock()
	if do == nil {
		return // forgotten meanwhile: the sweep of another finds it
	}
	ctx, cancel := context.WithTimeout(context.Background(), handTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			h.log.ErrorContext(ctx, "work panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	if err := do(ctx, e.ID); err != nil {
		h.log.WarnContext(ctx, "work failed; the sweep will find it", "error", err)
	}
}
