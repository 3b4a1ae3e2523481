package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// OpenSchema gives a library that brings its own tables a schema of its own in
// this database, over database/sql and a pool of the same size: its tables and
// our migrations then never meet. prepare makes and upgrades its tables; one
// process at a time runs it, however many start at once.
func (db *DB) OpenSchema(ctx context.Context, name string, prepare func(context.Context, *sql.DB) error) (*sql.DB, error) {
	cfg := db.pool.Config().ConnConfig
	cfg.RuntimeParams = maps.Clone(cfg.RuntimeParams)
	cfg.RuntimeParams["search_path"] = name
	other := stdlib.OpenDB(*cfg)
	most := int(db.pool.Config().MaxConns)
	other.SetMaxOpenConns(most)
	other.SetMaxIdleConns(most)
	other.SetConnMaxIdleTime(5 * time.Minute)
	if err := db.prepareSchema(ctx, name, func() error { return prepare(ctx, other) }); err != nil {
		other.Close() //nolint:errcheck // the first error is the one to tell
		return nil, fmt.Errorf("store: schema %s: %w", name, err)
	}
	return other, nil
}

// prepareSchema holds a lock of the session while prepare uses connections of its
// own.
func (db *DB) prepareSchema(ctx context.Context, name string, prepare func() error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	const lock = `hashtextextended('schema:' || $1, 0)`
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(`+lock+`)`, name); err != nil {
		return err
	}
	defer conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(`+lock+`)`, name) //nolint:errcheck // it ends with the connection, too
	if _, err := conn.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS `+pgx.Identifier{name}.Sanitize()); err != nil {
		return err
	}
	return prepare()
}

// OfDatabase says whether an error of a library that uses a schema is the
// database's, rather than about what was asked.
func OfDatabase(err error) bool {
	var refused *pgconn.PgError
	var network net.Error
	if errors.As(err, &refused) || errors.As(err, &network) {
		return true
	}
	for _, gone := range []error{driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone, io.EOF, io.ErrUnexpectedEOF, context.DeadlineExceeded} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}
