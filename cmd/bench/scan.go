package main

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
)

// scanReport is what `bench scan` found.
type scanReport struct {
	Machine  machine         `json:"machine"`
	Rows     int             `json:"ledger_rows_before"`
	Best     int             `json:"pgbench_best_clients"`
	Pgbench  map[int]figures `json:"pgbench"`
	Ours     map[int]figures `json:"qoa"`
	Verified string          `json:"ledger_verify"`
	Floors   []floor         `json:"floors"`
}

// What the project promises, at each of these connections.
var promised = []int{16, 64}

const (
	leastRatio = 0.6
	goalRatio  = 0.85
	mostTail   = 4.0
	mostTrips  = 2.0
)

// scan measures purchases beside pgbench, in turns.
func scan(ctx context.Context, o options) (err error) {
	b, done, err := begin(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	s, err := b.fillSite(ctx, "scan", o.rows[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.server.stop()) }()
	r := scanReport{Machine: thisMachine(ctx, b), Rows: o.rows[0], Pgbench: map[int]figures{}, Ours: map[int]figures{}}
	b.say("looking for pgbench's best number of clients")
	if r.Best, err = b.bestClients(ctx, s); err != nil {
		return err
	}
	pgbench, ours, err := b.turns(ctx, s, r.Best)
	if err != nil {
		return err
	}
	for n, all := range pgbench {
		r.Pgbench[n] = medians(all)
	}
	for n, all := range ours {
		r.Ours[n] = medians(all)
	}
	if r.Verified, err = verify(ctx, b.cluster, b.world, o, s.database); err != nil {
		return err
	}
	r.judge()
	if err := r.show(o); err != nil {
		return err
	}
	if o.explain {
		if err := b.showStatements(ctx, s.database, s.baseline()); err != nil {
			return err
		}
	}
	return passed(r.Floors)
}

// turns measures everything in turns, so that a busy minute of the machine meets
// both sides.
func (b *bench) turns(ctx context.Context, s *site, best int) (pgbench, ours map[int][]figures, err error) {
	pgbench, ours = map[int][]figures{}, map[int][]figures{}
	clients := []int{best} // and as many as we promise for: tails are compared at the same number
	for _, n := range promised {
		if n != best && slices.Contains(b.conns, n) {
			clients = append(clients, n)
		}
	}
	for round := range b.rounds {
		for i := range max(len(clients), len(b.conns)) {
			if i < len(clients) {
				f, err := b.pgbench(ctx, s, clients[i], b.window)
				if err != nil {
					return nil, nil, err
				}
				pgbench[clients[i]] = append(pgbench[clients[i]], f)
				b.say("round %d: pgbench, %d clients: %.0f/s, p99 %.1f ms", round+1, clients[i], f.Rate, f.P99)
			}
			if i < len(b.conns) {
				f, err := b.measure(ctx, s, b.world.purchases(s.server.address), b.conns[i])
				if err != nil {
					return nil, nil, err
				}
				ours[b.conns[i]] = append(ours[b.conns[i]], f)
				b.say("round %d: qoa, %d connections: %.0f/s, p99 %.1f ms", round+1, b.conns[i], f.Rate, f.P99)
			}
		}
	}
	return pgbench, ours, nil
}

// judge compares the figures with what is promised.
func (r *scanReport) judge() {
	var most float64
	for _, f := range r.Pgbench {
		most = max(most, f.Rate)
	}
	for _, n := range promised {
		f, ok := r.Ours[n]
		if !ok {
			continue
		}
		r.Floors = append(r.Floors,
			atLeast(f.Rate/most, leastRatio, "of pgbench's best rate at %d connections (goal %.2f)", n, goalRatio),
			below(f.P99/r.Pgbench[n].P99, mostTail, "times pgbench's p99 at %d clients", n))
	}
	for n, f := range r.Ours {
		// A server that comes to know a shop asks once more.
		r.Floors = append(r.Floors, atMost(math.Round(f.Trips*100)/100, mostTrips, "round trips a purchase at %d connections", n))
	}
	slices.SortFunc(r.Floors, func(a, b floor) int { return strings.Compare(a.What, b.What) })
}
