package store

import (
	"context"
	"runtime"
	"sync/atomic"
)

// hashGate bounds how many passwords are hashed at once, and how many callers
// wait for it: each hash takes passwordMemory while it runs, so a burst of
// logins without a gate is a burst of memory.
type hashGate struct {
	slots   chan struct{}
	waiting atomic.Int64
	most    int64 // how many may wait
}

// queuePerSlot is how many may wait for each slot. Two hashes share a core, so
// the last in the queue waits for some two seconds.
const queuePerSlot = 32

func newHashGate() *hashGate {
	n := 2 * runtime.GOMAXPROCS(0)
	return &hashGate{slots: make(chan struct{}, n), most: int64(n * queuePerSlot)}
}

// enter waits for a slot for as long as ctx lasts. It is refused at once, with
// UNAVAILABLE, where the queue is full. leave gives the slot back.
func (g *hashGate) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-g.slots }
	select {
	case g.slots <- struct{}{}:
		return leave, nil
	default:
	}
	if g.waiting.Add(1) > g.most {
		g.waiting.Add(-1)
		return nil, unavailable(nil)
	}
	defer g.waiting.Add(-1)
	select {
	case g.slots <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		return nil, translate(ctx.Err())
	}
}
