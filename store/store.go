// Package store is the one door to Postgres: transactions, the use cases of
// the domain, the ledger, the inbox and the outbox.
//
// A use case is one method of *Tx. InTx opens the transaction, freezes its
// now, and rings the bell after the commit. SQL is written by hand beside the
// method that runs it.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Options configure a DB. All but Bell are required.
type Options struct {
	URL       string           // a Postgres connection URL
	MaxConns  int32            // size of the pool; 0 is 16: a purchase holds a connection while Go judges it
	Now       func() time.Time // the clock
	Random    io.Reader        // for IDs, codes and tokens; safe for concurrent use
	Secret    []byte           // QOA_SECRET: keys the chat links
	PublicURL string           // without a slash at its end; links begin with it
	Bell      Bell             // told after a commit that there is work; may be nil
	Run       string           // names this run of the process; "" does not find out which messages end processes
	Pacing    Pacing           // of what the bot starts by itself; the zero value is DefaultPacing
}

// Bell is told, after a commit, what there is to do. It may lose a ring: a
// sweep finds every due row again (law 4).
type Bell interface {
	Ring(ctx context.Context, events []Event)
}

// Hands is a Bell whose process does some of the work itself, at once. What it
// does not get to is found by the sweep all the same.
type Hands interface {
	// Answers says whether this process is about to answer who writes now.
	Answers() bool
	// Delivers says for how long a reply that goes through the number is claimed for
	// this process, which sends it right after the commit; 0: it does not.
	Delivers(number loyalty.ID) time.Duration
}

// EventKind says what a ring is about.
type EventKind int

// The kinds of events.
const (
	TurnDue     EventKind = iota // ID is a person with a message to answer; Row the inbox row
	DeliveryDue                  // ID is a person with a message to be sent; Row the outbox row
	CardChanged                  // ID is a person whose card page should be drawn again

	// deliveryLater is a message that is not due yet. The bell does not hear of
	// it: the sweep will find it when its time has come.
	deliveryLater
)

// Event is one ring of the bell: IDs only, but for what never leaves the process.
type Event struct {
	Kind EventKind
	ID   loyalty.ID
	Row  loyalty.ID
	// Number is whose process delivers; "" where any can, and in other kinds.
	Number loyalty.ID
	// Claimed is the message, where it is claimed for this process: see Hands.
	Claimed *Outbound
}

// DB is a pool of connections with the sources of time and randomness.
type DB struct {
	pool    *pgxpool.Pool
	opt     Options
	hashing *hashGate
	trips   *atomic.Int64
	made    *atomic.Uint32 // IDs so far, and on from 0 where it is full
	memory  *memory
	till    *till
	offers  *atomic.Pointer[offers] // that wallets show
	keys    *sync.Map               // when it was last noted that a key was used
}

// Open connects to Postgres and checks that it answers.
func Open(ctx context.Context, opt Options) (*DB, error) {
	cfg, err := pgxpool.ParseConfig(opt.URL)
	if err != nil {
		return nil, fmt.Errorf("store: connection URL: %w", err)
	}
	cfg.MaxConns = 16
	if opt.MaxConns > 0 {
		cfg.MaxConns = opt.MaxConns
	}
	// The text form of times, which Postgres writes; for the binary one see
	// registerCodecs.
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		registerCodecs(c.TypeMap())
		return nil
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "qoa"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("store: ping: %w", err)
	}
	db := &DB{pool: pool, opt: opt, hashing: newHashGate(), trips: new(atomic.Int64), made: new(atomic.Uint32), memory: newMemory(), till: newTill(cfg.MaxConns), offers: new(atomic.Pointer[offers]), keys: new(sync.Map)}
	db.offers.Store(new(offers))
	return db, nil
}

// Close ends all connections.
func (db *DB) Close() { db.pool.Close() }

// Ping says whether Postgres answers.
func (db *DB) Ping(ctx context.Context) error { return db.pool.Ping(ctx) }

// Now reads the DB's clock.
func (db *DB) Now() time.Time { return db.opt.Now() }

// now is the clock as transactions see it.
func (db *DB) now() time.Time { return db.opt.Now().UTC().Truncate(time.Microsecond) }

// PublicURL is what links begin with.
func (db *DB) PublicURL() string { return db.opt.PublicURL }

// At gives the same database with its clock standing at t: a job can be run as
// if it were then.
func (db *DB) At(t time.Time) *DB {
	opt := db.opt
	opt.Now = func() time.Time { return t }
	return db.with(opt)
}

// with is the same database with other options. It shares everything but the till,
// whose rounds go by one clock.
func (db *DB) with(opt Options) *DB {
	other := *db
	other.opt, other.till = opt, newTill(db.pool.Stat().MaxConns())
	return &other
}

// SetBell names who is told of work. Call it once, before the first InTx: the
// bell often needs the DB itself to be made.
func (db *DB) SetBell(b Bell) { db.opt.Bell = b }

// Stat gives the pool's figures for metrics: connections in use and in all.
func (db *DB) Stat() (inUse, total int32) {
	s := db.pool.Stat()
	return s.AcquiredConns(), s.TotalConns()
}

// RoundTrips says how often transactions have waited for Postgres, for metrics.
func (db *DB) RoundTrips() int64 { return db.trips.Load() }

// Tx is one transaction with a frozen now. It is for one goroutine.
type Tx struct {
	tx     pgx.Tx
	pipe   *pipeline // beneath tx; nil where it only reads
	db     *DB
	now    time.Time
	events []Event

	talks     bool                // it is a conversation's turn
	moreTurns bool                // see MoreTurns
	moreSends map[loyalty.ID]bool // see MoreSends

	attempt   int      // how often the transaction is being tried; 1 the first time
	committed []func() // to be done after the commit
}

// Now is the moment at which the transaction happens, in UTC.
func (tx *Tx) Now() time.Time { return tx.now }

// attempts is how often a transaction that lost to another is run before its
// caller hears of it.
const attempts = 4

// InTx runs fn in a transaction and commits where it returns nil. fn may run
// more than once, so it must touch nothing but tx. Errors are *loyalty.Error
// where they have a meaning.
func (db *DB) InTx(ctx context.Context, fn func(*Tx) error) error {
	for n := 1; ; n++ {
		err := db.inTx(ctx, n, fn)
		if n < attempts && retryable(err) {
			continue
		}
		return translate(err)
	}
}

func (db *DB) inTx(ctx context.Context, attempt int, fn func(*Tx) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	pgtx := newPipeline(conn, db.trips)
	tx := &Tx{tx: pgtx, pipe: pgtx, db: db, now: db.now(), attempt: attempt}
	defer pgtx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit it does nothing; else fn's error matters
	if err := fn(tx); err != nil {
		return err
	}
	if err := pgtx.Commit(ctx); err != nil {
		return err
	}
	for _, do := range tx.committed {
		do()
	}
	events := slices.DeleteFunc(tx.events, func(e Event) bool { return e.Kind == deliveryLater })
	if db.opt.Bell != nil && len(events) > 0 {
		db.opt.Bell.Ring(context.WithoutCancel(ctx), events)
	}
	return nil
}

// Savepoint runs fn so that its failure takes back only what it did: a turn of
// a conversation can answer "that did not work" in the same commit.
func (tx *Tx) Savepoint(ctx context.Context, fn func(*Tx) error) error {
	nested, err := tx.tx.Begin(ctx)
	if err != nil {
		return err
	}
	inner := &Tx{tx: nested, pipe: tx.pipe, db: tx.db, now: tx.now, attempt: tx.attempt, talks: tx.talks}
	if err := fn(inner); err != nil {
		return errors.Join(tx.failure(err), nested.Rollback(ctx))
	}
	if err := nested.Commit(ctx); err != nil {
		return errors.Join(tx.failure(err), nested.Rollback(ctx))
	}
	tx.events = append(tx.events, inner.events...)
	tx.committed = append(tx.committed, inner.committed...)
	return nil
}

// failure gives an error its meaning. One that has none when the whole transaction
// runs again keeps quiet until then: nobody should answer to it.
func (tx *Tx) failure(err error) error {
	if tx.attempt < attempts && retryable(err) {
		return err
	}
	return translate(err)
}

// newID makes an ID of this transaction's time. Of those of one moment the one made
// later sorts later: rows of an imported file are listed in the file's order.
func (tx *Tx) newID() loyalty.ID {
	return loyalty.NthID(tx.now, tx.db.made.Add(1), tx.db.opt.Random)
}

// later queues a statement whose result nobody waits for: it travels with the
// next one, at the latest with COMMIT.
func (tx *Tx) later(sql string, args ...any) { tx.pipe.later(sql, args...) }

// laterRow is later for a statement whose one row is wanted after the commit.
func (tx *Tx) laterRow(scan func(pgx.Row) error, sql string, args ...any) {
	tx.pipe.laterRow(scan, sql, args...)
}

// afterCommit runs do once all of it is durable.
func (tx *Tx) afterCommit(do func()) { tx.committed = append(tx.committed, do) }

// ring remembers an event for after the commit.
func (tx *Tx) ring(e Event) { tx.events = append(tx.events, e) }

// lostRaces are the constraints that break when another transaction was faster:
// the same transaction, run again, sees what the other did.
var lostRaces = map[string]bool{
	"causes_pkey":             true, // the same cause at once: the first answer is there now
	"quotas_never_overspent":  true, // less is left than was read
	"cards_person_issuer_key": true,
}

// retryable says whether the same transaction may succeed when run again.
func retryable(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errMoved) || errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "40001" || lostRaces[pg.ConstraintName])
}
