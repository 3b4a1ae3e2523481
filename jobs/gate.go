package jobs

import (
	"sync"
	"time"
)

// gate lets work in until it is closed, and knows when the last has left.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside int
	empty  chan struct{} // closed when the last leaves a closed gate
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.closed {
		close(g.empty)
	}
}

func (g *gate) open() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.closed
}

// close lets nobody in any more, and waits for those inside: true when all have
// left before patience is over.
func (g *gate) close(patience time.Duration) bool {
	g.mu.Lock()
	if !g.closed {
		g.closed, g.empty = true, make(chan struct{})
		if g.inside == 0 {
			close(g.empty)
		}
	}
	empty := g.empty
	g.mu.Unlock()
	select {
	case <-empty:
		return true
	default:
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-empty:
		return true
	case <-late.C:
		return false
	}
}
