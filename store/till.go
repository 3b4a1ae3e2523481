package store

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// till is where purchases queue that have a transaction to themselves. Those that
// come while others are being recorded wait for their end and then share a round:
// one lock, one read, one write and one commit for all of them, as a database
// commits a group of transactions with one write to its log. Who comes alone goes
// alone, at once.
type till struct {
	mu      sync.Mutex
	waiting []*ticket
	rounds  int // that are under way
}

// linger is how long a busy till lets purchases come together after a round: those
// who were just answered are about to send the next, and fewer, fuller rounds cost
// less than more and smaller ones. Who comes alone does not wait for it.
const linger = 400 * time.Microsecond

const (
	// mostRounds is how many are under way at once: one is read or judged while
	// another is written. More of them would be smaller ones.
	mostRounds = 2
	// mostTogether is how many purchases a round may have: its locks are held, and
	// its failure is shared, by as many consumers.
	mostTogether = 32
)

// ticket is a purchase in the queue.
type ticket struct {
	ctx   context.Context //nolint:containedctx // it waits with its caller
	order *order
	done  chan struct{} // closed when the following is known

	receipt  Receipt
	replayed bool
	err      error
}

// RecordPurchase is Tx.RecordPurchase in a transaction that it may share with
// purchases of other consumers, for a caller who is proven by it where there is
// proof; scope is who that was when last seen. What it says is durable. Where ctx
// ends first, the purchase may be recorded all the same: its key says so.
func (db *DB) RecordPurchase(ctx context.Context, scope loyalty.Scope, proof *Credential, in PurchaseInput) (Receipt, bool, error) {
	o, err := newOrder(db.now(), scope, in)
	if err != nil {
		return Receipt{}, false, err
	}
	o.trace, o.proof = Trace(ctx), proof
	t := &ticket{ctx: ctx, order: o, done: make(chan struct{})}
	if o.kind == loyalty.EvidenceCode {
		db.recordAlone(ctx, t) // whose it is, nobody knows yet
	} else {
		db.till.join(db, t)
	}
	select {
	case <-t.done:
		return t.receipt, t.replayed, t.err
	case <-ctx.Done():
		return Receipt{}, false, translate(ctx.Err())
	}
}

// join queues a ticket, and begins a round where one may be.
func (q *till) join(db *DB, t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, t)
	if q.rounds < mostRounds {
		q.rounds++
		go q.serve(db)
	}
}

// serve records rounds until nobody waits.
func (q *till) serve(db *DB) {
	for tickets := q.next(); tickets != nil; tickets = q.next() {
		db.recordTogether(tickets)
		if len(tickets) > 1 {
			time.Sleep(linger)
		}
	}
}

// next takes those that waited longest, each of another consumer and with another
// key: what two of the same do to each other is for one round after the other.
// Where nobody waits, the round is over in the same breath.
func (q *till) next() (tickets []*ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	type cause struct{ scope, key string }
	codes, causes := map[string]bool{}, map[cause]bool{}
	q.waiting = slices.DeleteFunc(q.waiting, func(t *ticket) bool {
		c := cause{purchaseCause(t.order.scope), t.order.in.Key}
		if len(tickets) == mostTogether || codes[t.order.code] || causes[c] {
			return false
		}
		codes[t.order.code], causes[c] = true, true
		tickets = append(tickets, t)
		return true
	})
	if tickets == nil {
		q.rounds--
	}
	return tickets
}

// recordTogether records a round of tickets. What fails together, or finds its
// consumer held by another, goes alone: it holds up nobody but itself.
func (db *DB) recordTogether(tickets []*ticket) {
	var r round
	ctx := context.WithoutCancel(tickets[0].ctx)
	err := db.guarded(func() error {
		return db.inTx(ctx, 1, func(tx *Tx) error {
			r = make(round, len(tickets))
			for i, t := range tickets {
				r[i] = t.order.begin()
			}
			return tx.record(ctx, r, passesOver)
		})
	})
	for i, t := range tickets {
		if err != nil || r[i].busy {
			go db.recordAlone(context.WithoutCancel(t.ctx), t)
			continue
		}
		t.answer(r[i].receipt, r[i].first != nil, r[i].refused)
	}
}

// recordAlone records a ticket in a transaction of its own.
func (db *DB) recordAlone(ctx context.Context, t *ticket) {
	var p *purchase
	err := db.guarded(func() error {
		return db.InTx(ctx, func(tx *Tx) error {
			p = t.order.begin()
			if err := tx.record(ctx, round{p}, waits); err != nil {
				return err
			}
			return p.refused
		})
	})
	if err != nil {
		t.answer(Receipt{}, false, err)
		return
	}
	t.answer(p.receipt, p.first != nil, nil)
}

// guarded makes an error of a panic: no caller's own goroutine runs this, and the
// others have done nothing wrong.
func (db *DB) guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("store: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

func (t *ticket) answer(r Receipt, replayed bool, err error) {
	t.receipt, t.replayed, t.err = r, replayed && err == nil, err
	close(t.done)
}
