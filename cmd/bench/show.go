package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// machine is where and when the figures were taken: they mean little elsewhere.
type machine struct {
	At         string `json:"at"`
	Processors int    `json:"processors"`
	System     string `json:"system"`
	Postgres   string `json:"postgres"`
	Buffers    string `json:"shared_buffers"`
}

func thisMachine(ctx context.Context, b *bench) machine {
	m := machine{At: time.Now().UTC().Format("2006-01-02 15:04 MST"), Processors: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH}
	// What cannot be asked is left out: the figures do not depend on it.
	m.Postgres, _ = ask[string](ctx, b.url(firstDatabase), `SHOW server_version`)
	m.Buffers, _ = ask[string](ctx, b.url(firstDatabase), `SHOW shared_buffers`)
	return m
}

func (m machine) String() string {
	return fmt.Sprintf("%s, %d processors, %s, Postgres %s (shared_buffers %s; durable: fsync, synchronous_commit, full_page_writes on)",
		m.At, m.Processors, m.System, m.Postgres, m.Buffers)
}

func printJSON(v any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}

// figuresTable begins a table of figures.
func figuresTable() *tabwriter.Writer {
	return tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
}

const figuresHead = "what\tclients\tper s\tof best\tp50 ms\tp95 ms\tp99 ms\tserver µs\tPostgres µs\tRedis µs\tload µs\tround trips\t"

func figuresLine(what string, f figures, best float64) string {
	line := fmt.Sprintf("%s\t%d\t%.0f\t%.2f\t%.1f\t%.1f\t%.1f\t", what, f.Clients, f.Rate, f.Rate/best, f.P50, f.P95, f.P99)
	if f.Trips == 0 { // pgbench
		return line + fmt.Sprintf("\t%.0f\t\t%.0f\t\t", f.Postgres, f.Load)
	}
	return line + fmt.Sprintf("%.0f\t%.0f\t%.0f\t%.0f\t%.2f\t", f.Server, f.Postgres, f.Redis, f.Load, f.Trips)
}

func (r *scanReport) show(o options) error {
	if o.json {
		return printJSON(r)
	}
	var best float64
	for _, f := range r.Pgbench {
		best = max(best, f.Rate)
	}
	fmt.Printf("\nPOST /v1/purchases beside one-statement pgbench, medians of %d rounds of %s\n%s\n\n", o.rounds, o.window, r.Machine)
	t := figuresTable()
	fmt.Fprintln(t, figuresHead)
	for _, n := range slices.Sorted(maps.Keys(r.Pgbench)) {
		fmt.Fprintln(t, figuresLine("pgbench", r.Pgbench[n], best))
	}
	for _, n := range slices.Sorted(maps.Keys(r.Ours)) {
		fmt.Fprintln(t, figuresLine("qoa", r.Ours[n], best))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Printf("\nledger verify: %s\n", r.Verified)
	showFloors(r.Floors)
	return nil
}

func showFloors(floors []floor) {
	fmt.Println()
	for _, f := range floors {
		verdict := "PASS"
		if !f.Pass {
			verdict = "FAIL"
		}
		fmt.Printf("%s  %.2f %s (%s)\n", verdict, f.Value, f.What, f.Bound)
	}
}

// oneLine shortens a statement for a table.
func oneLine(sql string, most int) string {
	text := strings.Join(strings.Fields(sql), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
