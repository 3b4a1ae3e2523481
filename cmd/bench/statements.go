package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"
)

// showStatements lists what costs Postgres the most time in each database. Plans
// that are far fewer than calls say that the prepared statements keep theirs.
func (b *bench) showStatements(ctx context.Context, databases ...string) error {
	return connected(ctx, b.url(firstDatabase), func(conn *pgx.Conn) error {
		for _, database := range databases {
			rows, err := conn.Query(ctx, `
				SELECT s.calls, s.plans, s.min_exec_time * 1000, s.mean_exec_time * 1000, s.mean_plan_time * 1000, s.total_exec_time + s.total_plan_time,
				  s.wal_bytes::float8 / s.calls, (s.shared_blks_read::float8) / s.calls, s.query
				FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
				WHERE d.datname = $1 ORDER BY s.total_exec_time + s.total_plan_time DESC LIMIT 12`, database)
			if err != nil {
				return err
			}
			fmt.Printf("\nstatements in %s\n", database)
			t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "calls\tplans\tleast µs\tmean µs\tplan µs\ttotal ms\tWAL bytes\tblocks read\tstatement")
			var calls, plans int64
			var least, exec, plan, total, wal, read float64
			var sql string
			_, err = pgx.ForEachRow(rows, []any{&calls, &plans, &least, &exec, &plan, &total, &wal, &read, &sql}, func() error {
				_, err := fmt.Fprintf(t, "%d\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.2f\t%s\n", calls, plans, least, exec, plan, total, wal, read, oneLine(sql, 100))
				return err
			})
			if err != nil {
				return err
			}
			if err := t.Flush(); err != nil {
				return err
			}
		}
		return nil
	})
}
