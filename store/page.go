package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Page asks for part of a list: at most Limit rows with IDs after After. Lists are ordered by ID, and so by age.
type Page struct {
	After loyalty.ID
	Limit int
}

// after is the cursor as SQL wants it: the smallest UUID where there is none.
func (p Page) after() loyalty.ID {
	if p.After == "" {
		return "00000000-0000-0000-0000-000000000000"
	}
	return p.After
}

// list runs a query whose columns are the fields of T, in any order, by name
// (db tags). The last two parameters of the query must be Page's cursor and
// limit; one row more than the limit is read to know whether there is a next.
func list[T any](ctx context.Context, tx *Tx, p Page, id func(T) loyalty.ID, sql string, args ...any) ([]T, loyalty.ID, error) {
	rows, err := tx.tx.Query(ctx, sql, append(args, p.after(), p.Limit+1)...)
	if err != nil {
		return nil, "", err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
	if err != nil || len(all) <= p.Limit {
		return all, "", err
	}
	all = all[:p.Limit]
	return all, id(all[p.Limit-1]), nil
}
