package main

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// bench is what all measurements of a run share.
type bench struct {
	options
	*cluster
	world      *world
	postmaster int // the process
	// steady measures between two checkpoints. Just after one, each page's first
	// change is written whole, which a small history is through with at once.
	steady bool
}

func (b *bench) findPostmaster(ctx context.Context) error {
	return connected(ctx, b.url(firstDatabase), func(conn *pgx.Conn) error {
		backend, err := readStat(int(conn.PgConn().PID()))
		b.postmaster = backend.parent
		if os.IsNotExist(err) { // no Linux: processor time stays 0
			return nil
		}
		return err
	})
}

// site is one database with the server on it, and its equal for pgbench.
type site struct {
	database string
	server   *server
	sample   sample
	script   string   // of pgbench; "" is that of purchases
	defines  []string // its variables
	asking   float64  // round trips of asking for the number of them
}

func (s *site) baseline() string { return s.database + "_pgbench" }

// open makes a site of a filled database: a copy for pgbench, so that neither
// side has the other's rows, and the server.
func (b *bench) open(ctx context.Context, database string) (*site, error) {
	s := &site{database: database}
	if err := b.clone(ctx, database, s.baseline()); err != nil {
		return nil, err
	}
	var err error
	if s.server, err = startServer(ctx, b.cluster, b.world, b.options, database); err != nil {
		return nil, err
	}
	if err := s.calibrate(ctx); err != nil {
		return nil, errors.Join(err, s.server.stop())
	}
	// The first purchases tell pgbench what ours look like, and the server of all
	// shops.
	if err := b.drive(ctx, s, b.world.purchases(s.server.address)); err != nil {
		return nil, errors.Join(err, s.server.stop())
	}
	if s.sample, err = readSample(ctx, b.url(database)); err != nil {
		return nil, errors.Join(err, s.server.stop())
	}
	return s, nil
}

// calibrate finds how many round trips the question itself makes.
func (s *site) calibrate(ctx context.Context) error {
	before, err := s.server.roundTrips(ctx)
	if err != nil {
		return err
	}
	after, err := s.server.roundTrips(ctx)
	s.asking = after - before
	return err
}

// drive sends requests for a moment.
func (b *bench) drive(ctx context.Context, s *site, r request) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	l := &load{address: s.server.address, request: r}
	_, err := l.drive(ctx, 8, new(atomic.Bool))
	return s.server.blame(err)
}

// measure drives a request on so many connections: first to warm up, then for the
// window that counts.
func (b *bench) measure(ctx context.Context, s *site, r request, conns int) (f figures, err error) {
	if err := b.checkpoint(ctx); err != nil {
		return f, err
	}
	trips, err := s.server.roundTrips(ctx)
	if err != nil {
		return f, err
	}
	l := &load{address: s.server.address, request: r}
	var recording atomic.Bool
	var took latencies
	loop, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		var err error
		took, err = l.drive(loop, conns, &recording)
		ended <- s.server.blame(err)
	}()
	if err := pause(ctx, b.warmUp, ended); err != nil {
		return f, err
	}
	before, began := b.clocks(s), time.Now()
	recording.Store(true)
	if err := pause(ctx, b.window, ended); err != nil {
		return f, err
	}
	recording.Store(false)
	after, window := b.clocks(s), time.Since(began)
	stop()
	if err := <-ended; err != nil {
		return f, err
	}
	more, err := s.server.roundTrips(ctx)
	if err != nil {
		return f, err
	}
	f = newFigures(conns, took, window)
	f.Server, f.Postgres = each(after.server-before.server, len(took)), each(after.postgres-before.postgres, len(took))
	f.Redis, f.Load = each(after.redis-before.redis, len(took)), each(after.load-before.load, len(took))
	f.Trips = (more - trips - s.asking) / float64(max(l.done.Load(), 1))
	return f, nil
}

// pause waits, unless the load ends before.
func pause(ctx context.Context, d time.Duration, ended <-chan error) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-ended:
		return err
	case <-t.C:
		return nil
	}
}

// clocks are processor times so far.
type clocks struct{ server, postgres, redis, load time.Duration }

func (b *bench) clocks(s *site) clocks {
	c := clocks{postgres: cpuOfFamily(b.postmaster), redis: cpuOfRedis(), load: cpuOfOurs()}
	if s != nil {
		c.server = cpuOf(s.server.cmd.Process.Pid)
	}
	return c
}
