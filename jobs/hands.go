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
	skills  map[skill]ability
}

// skill is what a hand may be able to do: to answer, or to deliver through a
// number.
type skill struct {
	kind   store.EventKind
	number loyalty.ID
}

// handler does what waits of a person.
type handler func(ctx context.Context, person loyalty.ID) error

// ability is how a skill is done.
type ability struct {
	do handler
	// Of a delivery: for how long a reply may be claimed at its birth, and what to
	// do with one that is.
	lease time.Duration
	send  func(ctx context.Context, m store.Outbound) error
}

const (
	// fewHands are those of a process that says nothing else.
	fewHands = 8
	// waitingPerHand is how many events may wait for each hand.
	waitingPerHand = 4
	// handTime is how long one event may take.
	handTime = time.Minute
)

func newHands(log *slog.Logger) *hands {
	return &hands{log: log, width: fewHands, skills: map[skill]ability{}}
}

// learn lets the hands do what they could not.
func (h *hands) learn(s skill, a ability) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.skills[s] = a
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

// free says whether an event of the kind would be taken, and how it is done.
func (h *hands) free(s skill) (ability, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.skills[s]
	return a, ok && h.room()
}

// room is called with the lock held.
func (h *hands) room() bool { return h.busy < h.width || len(h.waiting) < h.width*waitingPerHand }

// take takes an event, where it can be done here and soon. What is claimed already
// is always taken, and does not wait: there are no more of those than turns.
func (h *hands) take(e store.Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.skills[skill{e.Kind, e.Number}]; !ok {
		return e.Claimed != nil // the claim has to lapse
	}
	switch {
	case h.busy < h.width || e.Claimed != nil:
		h.busy++
		go h.work(e)
	case h.room():
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
	if len(h.waiting) == 0 || h.busy > h.width {
		h.busy--
		return e, false
	}
	e = h.waiting[0]
	h.waiting = h.waiting[1:]
	return e, true
}

func (h *hands) one(e store.Event) {
	h.mu.Lock()
	a, ok := h.skills[skill{e.Kind, e.Number}]
	h.mu.Unlock()
	if !ok {
		return // forgotten meanwhile: the sweep of another finds it
	}
	ctx, cancel := context.WithTimeout(context.Background(), handTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			h.log.ErrorContext(ctx, "work panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	var err error
	if e.Claimed != nil {
		err = a.send(ctx, *e.Claimed)
	} else {
		err = a.do(ctx, e.ID)
	}
	if err != nil {
		h.log.WarnContext(ctx, "work failed; the sweep will find it", "error", err)
	}
}
