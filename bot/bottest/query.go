package bottest

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Scan asks the database what no use case tells: the one row of a query.
func (w *World) Scan(sql string, args []any, into ...any) {
	w.T.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, w.URL)
	require.NoError(w.T, err)
	defer c.Close(ctx) //nolint:errcheck // the answer matters
	require.NoError(w.T, c.QueryRow(ctx, sql, args...).Scan(into...))
}

// Count is Scan for a number.
func (w *World) Count(sql string, args ...any) (n int) {
	w.T.Helper()
	w.Scan(sql, args, &n)
	return n
}
