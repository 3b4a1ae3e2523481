package store

import (
	"context"
	"errors"
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
	rounds  int             // that are under way
	taken   map[string]bool // cards and causes of these
	lasts   time.Duration   // how long a round may take

	// A place for each of those who go alone at once: who waits for consumers holds
	// some connections, and leaves the others to the rounds.
	alone chan struct{}
}

func newTill(conns int32) *till {
	return &till{taken: map[string]bool{}, lasts: roundTime, alone: make(chan struct{}, max(conns/4, 1))}
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
	// mostWaiting is how many purchases may queue: some seconds' worth. Who comes
	// past it is told so at once.
	mostWaiting = 1 << 14
	// roundTime is after what time a round is broken off, which takes milliseconds in
	// good health: a connection that went silent, or a lock that somebody forgot, holds
	// up those in it and not all who come after.
	roundTime = 5 * time.Second
)

// ticket is a purchase in the queue.
type ticket struct {
	ctx   context.Context //nolint:containedctx // it waits with its caller
	order *order
	cause string        // scope and key
	done  chan struct{} // closed when the following is known

	receipt  Receipt
	replayed bool
	err      error
}

var errTooMany = errors.New("store: too many purchases wait")

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
	t := &ticket{ctx: ctx, order: o, cause: purchaseCause(scope) + "\x00" + in.Key, done: make(chan struct{})}
	if o.kind == loyalty.EvidenceCode {
		db.recordAlone(t) // whose it is, nobody knows yet
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
	if len(q.waiting) >= mostWaiting {
		t.answer(Receipt{}, false, unavailable(errTooMany))
		return
	}
	q.waiting = append(q.waiting, t)
	if q.rounds < mostRounds {
		q.rounds++
		go q.serve(db)
	}
}

// serve records rounds until nobody waits.
func (q *till) serve(db *DB) {
	for tickets := q.next(nil); tickets != nil; tickets = q.next(tickets) {
		db.recordTogether(tickets)
		if len(tickets) > 1 {
			time.Sleep(linger)
		}
	}
}

// next ends a round and takes those that waited longest, each of another consumer
// and with another key than all that are under way: what two of the same do to each
// other is for one round after the other. Whose caller has left, nobody asks for any
// more. Where nobody waits, the round is over in the same breath.
func (q *till) next(ended []*ticket) (tickets []*ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range ended {
		delete(q.taken, t.order.code)
		delete(q.taken, t.cause)
	}
	seen, passed := 0, 0
	for ; seen < len(q.waiting) && len(tickets) < mostTogether; seen++ {
		t := q.waiting[seen]
		switch {
		case t.ctx.Err() != nil:
			t.answer(Receipt{}, false, translate(t.ctx.Err()))
		case q.taken[t.order.code] || q.taken[t.cause]:
			q.waiting[passed] = t
			passed++
		default:
			q.taken[t.order.code], q.taken[t.cause] = true, true
			tickets = append(tickets, t)
		}
	}
	q.waiting = slices.Delete(q.waiting, passed, seen)
	if tickets == nil {
		q.rounds--
	}
	return tickets
}

// recordTogether records a round of tickets. What fails together, or finds its
// consumer held by another, goes alone: it holds up nobody but itself.
func (db *DB) recordTogether(tickets []*ticket) {
	var r round
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tickets[0].ctx), db.till.lasts)
	defer cancel()
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
			go db.till.leave(db, t)
			continue
		}
		t.answer(r[i].receipt, r[i].first != nil, r[i].refused)
	}
}

// leave records a ticket alone as soon as there is a place for it.
func (q *till) leave(db *DB, t *ticket) {
	select {
	case q.alone <- struct{}{}:
		defer func() { <-q.alone }()
		db.recordAlone(t)
	case <-t.ctx.Done():
		t.answer(Receipt{}, false, translate(t.ctx.Err()))
	}
}

// recordAlone records a ticket in a transaction of its own, for as long as its
// caller waits.
func (db *DB) recordAlone(t *ticket) {
	var p *purchase
	err := db.guarded(func() error {
		return db.InTx(t.ctx, func(tx *Tx) error {
			p = t.order.begin()
			if err := tx.record(t.ctx, round{p}, waits); err != nil {
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
