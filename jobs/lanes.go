package jobs

import (
	"sync"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// lanes lets one goroutine of this process work for a person at a time. The
// database keeps the order anyway; but whoever waits there for another's lock
// holds a connection and a worker, and somebody who writes fifty messages at
// once would take them all.
type lanes struct {
	mu   sync.Mutex
	busy map[loyalty.ID]bool // true: rung again meanwhile
}

func newLanes() *lanes { return &lanes{busy: map[loyalty.ID]bool{}} }

// do runs work for a person. Where somebody is at it already, they are told to
// look once more, and do returns at once.
func (l *lanes) do(person loyalty.ID, work func() error) error {
	if !l.enter(person) {
		return nil
	}
	return l.run(person, work, work)
}

// first is do, of what begins with work that cannot be left to whoever is at it
// already.
func (l *lanes) first(person loyalty.ID, work, again func() error) error {
	if !l.enter(person) {
		return work()
	}
	return l.run(person, work, again)
}

// run is called by who has entered.
func (l *lanes) run(person loyalty.ID, work, again func() error) error {
	left := false
	defer func() {
		if !left { // work failed or panicked
			l.leave(person)
		}
	}()
	for {
		if err := work(); err != nil {
			return err
		}
		if left = !l.again(person); left {
			return nil
		}
		work = again
	}
}

func (l *lanes) enter(person loyalty.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, busy := l.busy[person]; busy {
		l.busy[person] = true
		return false
	}
	l.busy[person] = false
	return true
}

// again says whether there was a ring since the work began. Where there was
// none, the person is left in the same breath, so that no ring falls between.
func (l *lanes) again(person loyalty.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[person] {
		l.busy[person] = false
		return true
	}
	delete(l.busy, person)
	return false
}

func (l *lanes) leave(person loyalty.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.busy, person)
}

func (l *lanes) working(person loyalty.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, busy := l.busy[person]
	return busy
}
