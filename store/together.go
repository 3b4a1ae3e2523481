package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Together commits small transactions of many goroutines at once: what comes while
// one commit is under way shares the next. Alone, nobody waits. It is for what
// only writes, by statements whose result nobody waits for: of those, any number
// is one round trip and one commit.
type Together struct {
	db *DB

	mu      sync.Mutex
	waiting []*joiner
	busy    bool
}

// joiner is one who waits for the commit.
type joiner struct {
	ctx  context.Context
	fn   func(*Tx) error
	done chan error
}

const (
	// mostJoined bounds who shares a commit, and joinedTime how long it may take.
	mostJoined = 64
	joinedTime = 10 * time.Second
)

// Together makes one.
func (db *DB) Together() *Together { return &Together{db: db} }

// InTx is DB.InTx. fn must not fail but for what makes the transaction fail: the
// others would have to begin anew, each alone. Where ctx ends first, it may be
// committed all the same.
func (g *Together) InTx(ctx context.Context, fn func(*Tx) error) error {
	j := &joiner{ctx: ctx, fn: fn, done: make(chan error, 1)}
	g.join(j)
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return translate(ctx.Err())
	}
}

func (g *Together) join(j *joiner) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, j)
	if !g.busy {
		g.busy = true
		go g.serve()
	}
}

// serve commits until nobody waits.
func (g *Together) serve() {
	for batch := g.next(); batch != nil; batch = g.next() {
		g.commit(batch)
		if len(batch) > 1 {
			time.Sleep(linger) // as at the till
		}
	}
}

// next takes those that wait. Where nobody does, it is over in the same breath.
func (g *Together) next() (batch []*joiner) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy = len(g.waiting) > 0; !g.busy {
		return nil
	}
	batch = slices.Clone(g.waiting[:min(len(g.waiting), mostJoined)])
	g.waiting = slices.Delete(g.waiting, 0, len(batch))
	return batch
}

func (g *Together) commit(batch []*joiner) {
	if len(batch) > 1 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(batch[0].ctx), joinedTime)
		defer cancel()
		err := g.db.guarded(func() error {
			return g.db.InTx(ctx, func(tx *Tx) error {
				var errs []error
				for _, j := range batch {
					errs = append(errs, j.fn(tx))
				}
				return errors.Join(errs...)
			})
		})
		if err == nil {
			for _, j := range batch {
				j.done <- nil
			}
			return
		}
	}
	// What failed may be about one of them only.
	for _, j := range batch {
		j.done <- g.db.guarded(func() error { return g.db.InTx(context.WithoutCancel(j.ctx), j.fn) })
	}
}
