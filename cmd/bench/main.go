// Command bench measures what a purchase costs, beside what Postgres alone would
// take for it on the same machine in the same minute, and what a phone waits for
// our pages. See docs/benchmarks.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const usage = `usage:
  bench scan   [flags]   POST /v1/purchases beside pgbench
  bench growth [flags]   the same, and the card page, at growing histories
  bench turns  [flags]   a conversation's turn beside pgbench
  bench pages  [flags]   what a phone gets and how quickly, by Lighthouse
`

// options are what the flags say.
type options struct {
	window   time.Duration // of each measurement
	warmUp   time.Duration // before it
	rounds   int
	conns    []int
	rows     []int // of the ledger before anything is measured
	budget   bool
	json     bool
	keep     bool
	explain  bool
	binary   string
	roles    string // of the server
	parent   string // of the data folder
	progress io.Writer
}

func main() {
	// Who stops reading our figures must not keep us from stopping the servers.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case errors.Is(err, errBelowFloor):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{""}
	}
	switch args[0] {
	case "scan":
		o, err := parse(args, "30000", "1,16,64")
		if err != nil {
			return err
		}
		return scan(ctx, o)
	case "growth":
		o, err := parse(args, "10000,1000000,10000000", "16")
		if err != nil {
			return err
		}
		return growth(ctx, o)
	case "turns":
		o, err := parse(args, "30000", "1,16,64")
		if err != nil {
			return err
		}
		return turns(ctx, o)
	case "pages":
		return pages(ctx, args)
	}
	fmt.Fprint(os.Stderr, usage)
	return flag.ErrHelp
}

func parse(args []string, rows, conns string) (options, error) {
	o := options{progress: os.Stderr, roles: "api"}
	f := flag.NewFlagSet("bench "+args[0], flag.ContinueOnError)
	seconds := f.Int("seconds", 10, "of each measurement")
	warm := f.Int("warmup", 3, "seconds of load before each measurement")
	f.IntVar(&o.rounds, "rounds", 3, "how often everything is measured, in turns; the medians count")
	list := f.String("conns", conns, "connections, with commas")
	history := f.String("rows", rows, "ledger rows before anything is measured, with commas for growth")
	f.BoolVar(&o.budget, "budget", false, "give one campaign a budget, whose row every purchase then changes")
	f.BoolVar(&o.explain, "statements", false, "show what each statement costs Postgres (pg_stat_statements; slows it a little)")
	f.BoolVar(&o.json, "json", false, "print the figures as JSON")
	f.BoolVar(&o.keep, "keep", false, "keep the data folder")
	f.StringVar(&o.binary, "qoa", "bin/qoa", "the server to be measured")
	f.StringVar(&o.parent, "dir", os.TempDir(), "where the data folder is made")
	if err := f.Parse(args[1:]); err != nil {
		return o, flag.ErrHelp // it has been said
	}
	var err error
	if o.conns, err = numbers(*list); err != nil {
		return o, fmt.Errorf("-conns: %w", err)
	}
	if o.rows, err = numbers(*history); err != nil {
		return o, fmt.Errorf("-rows: %w", err)
	}
	if *seconds < 1 || *warm < 0 || o.rounds < 1 || f.NArg() > 0 {
		return o, errors.New("-seconds and -rounds begin with 1, -warmup with 0, and nothing follows the flags")
	}
	o.window, o.warmUp = time.Duration(*seconds)*time.Second, time.Duration(*warm)*time.Second
	return o, nil
}

func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number above 0", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// say tells the person at the terminal what goes on; figures go to standard
// output.
func (o *options) say(format string, args ...any) { fmt.Fprintf(o.progress, format+"\n", args...) }
