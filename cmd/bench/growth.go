package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
)

// growthReport is what `bench growth` found: how the cost of a purchase and of a
// card page depends on what was bought before.
type growthReport struct {
	Machine machine      `json:"machine"`
	Sizes   []sizeReport `json:"sizes"`
	Floors  []floor      `json:"floors"`
}

type sizeReport struct {
	Rows    int     `json:"ledger_rows_before"`
	After   int64   `json:"ledger_rows_after"`
	Pgbench figures `json:"pgbench"`
	Scan    figures `json:"scan"`
	Page    figures `json:"card_page"`
	AnyPage figures `json:"any_card_page"` // shown, and not judged: the smallest history has shorter ones
}

// mostGrowth bounds what the largest history may cost of the smallest.
const mostGrowth = 1.2

// bytesOfRow is what a ledger row needs on disk with its share of the purchase
// and of all indexes, both databases and the write-ahead log included.
const bytesOfRow = 2600

// room refuses what would fill the disk.
func room(dir string, rows []int) error {
	need := uint64(3 << 30)
	for _, n := range rows {
		need += uint64(n) * bytesOfRow //nolint:gosec // checked to be positive
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return err
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < need { //nolint:gosec,unconvert // its type differs between systems
		return fmt.Errorf("this needs about %d GB in %s, and %d GB are free: choose another folder with -dir, or fewer rows, such as -rows 10000,1000000",
			need>>30+1, dir, free>>30)
	}
	return nil
}

// growth measures the same at several histories, in turns.
func growth(ctx context.Context, o options) (err error) {
	if len(o.rows) < 2 {
		return errors.New("-rows: growth is between two sizes or more")
	}
	if least := viewed * listed * campaigns; slices.Min(o.rows) < least {
		return fmt.Errorf("-rows: pages that are full take %d", least)
	}
	if err := room(o.parent, o.rows); err != nil {
		return err
	}
	b, done, err := begin(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	b.world.fullPages = viewed * listed
	var sites []*site
	defer func() {
		for _, s := range sites {
			err = errors.Join(err, s.server.stop())
		}
	}()
	for _, rows := range o.rows {
		s, err := b.fillSite(ctx, fmt.Sprintf("rows_%d", rows), rows)
		if err != nil {
			return err
		}
		sites = append(sites, s)
	}
	if err := b.checkpoint(ctx); err != nil {
		return err
	}
	b.steady = true
	r := growthReport{Machine: thisMachine(ctx, b)}
	if r.Sizes, err = b.sizes(ctx, sites); err != nil {
		return err
	}
	r.judge()
	if err := r.show(o); err != nil {
		return err
	}
	if o.explain {
		for _, s := range sites {
			if err := b.showStatements(ctx, s.database); err != nil {
				return err
			}
		}
	}
	return passed(r.Floors)
}

// sizes measures all sites one after the other, kind by kind and round by round: a
// busy minute of the machine meets all of them. Every other round begins with the
// last.
func (b *bench) sizes(ctx context.Context, sites []*site) ([]sizeReport, error) {
	const pgbenchClients = 16 // as many as connections, so that the two grow alike
	found := make([][4][]figures, len(sites))
	kinds := [4]struct {
		name    string
		measure func(*site) (figures, error)
	}{
		{"pgbench", func(s *site) (figures, error) { return b.pgbench(ctx, s, pgbenchClients, b.window) }},
		{"purchases", func(s *site) (figures, error) {
			return b.measure(ctx, s, b.world.purchases(s.server.address), b.conns[0])
		}},
		{"card pages", func(s *site) (figures, error) { return b.measure(ctx, s, b.world.pages(s.server.address), b.conns[0]) }},
		{"any pages", func(s *site) (figures, error) {
			return b.measure(ctx, s, b.world.anyPages(s.server.address), b.conns[0])
		}},
	}
	for round := range b.rounds {
		for k, kind := range kinds {
			for i := range sites {
				if round%2 == 1 {
					i = len(sites) - 1 - i
				}
				f, err := kind.measure(sites[i])
				if err != nil {
					return nil, err
				}
				found[i][k] = append(found[i][k], f)
				b.say("round %d, %d rows: %.0f %s/s, %.0f µs of processors each", round+1, b.options.rows[i], f.Rate, kind.name, f.used())
			}
		}
	}
	all := make([]sizeReport, len(sites))
	for i, s := range sites {
		after, err := ask[int64](ctx, b.url(s.database), `SELECT count(*) FROM ledger`)
		if err != nil {
			return nil, err
		}
		all[i] = sizeReport{
			Rows: b.options.rows[i], After: after,
			Pgbench: medians(found[i][0]), Scan: medians(found[i][1]), Page: medians(found[i][2]), AnyPage: medians(found[i][3]),
		}
	}
	return all, nil
}

// judge compares the last size with the first: time is what a request costs at a
// number of connections that keeps the machine busy, so it is what it uses.
func (r *growthReport) judge() {
	first, last := &r.Sizes[0], &r.Sizes[len(r.Sizes)-1]
	r.Floors = []floor{
		below(first.Scan.Rate/last.Scan.Rate, mostGrowth, "times the time of a purchase"),
		below(first.Page.Rate/last.Page.Rate, mostGrowth, "times the time of a card page"),
	}
}

func (r *growthReport) show(o options) error {
	if o.json {
		return printJSON(r)
	}
	fmt.Printf("\npurchases and card pages at growing histories of %d cards, medians of %d rounds of %s\n%s\n\n", cards, o.rounds, o.window, r.Machine)
	t := figuresTable()
	fmt.Fprintln(t, "rows before\trows after\t"+figuresHead)
	for _, s := range r.Sizes {
		for _, line := range []string{
			figuresLine("pgbench", s.Pgbench, s.Pgbench.Rate), figuresLine("purchase", s.Scan, s.Pgbench.Rate), figuresLine("card page", s.Page, s.Pgbench.Rate),
			figuresLine("any page", s.AnyPage, s.Pgbench.Rate),
		} {
			fmt.Fprintf(t, "%d\t%d\t%s\n", s.Rows, s.After, line)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	first, last := &r.Sizes[0], &r.Sizes[len(r.Sizes)-1]
	fmt.Printf("\nfrom %d to %d rows:  time  processors\n", first.Rows, last.Rows)
	for _, g := range []struct {
		what     string
		from, to figures
	}{{"pgbench", first.Pgbench, last.Pgbench}, {"purchase", first.Scan, last.Scan}, {"card page", first.Page, last.Page}, {"any page", first.AnyPage, last.AnyPage}} {
		fmt.Printf("  %-10s %.2f  %.2f\n", g.what, g.from.Rate/g.to.Rate, g.to.used()/g.from.used())
	}
	showFloors(r.Floors)
	return nil
}

// used is the processor time of a request in all servers.
func (f figures) used() float64 { return f.Server + f.Postgres + f.Redis }
