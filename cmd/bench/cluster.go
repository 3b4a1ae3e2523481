package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/embedded"
)

// cluster is a private Postgres and Redis in a temporary folder. What is committed
// is on disk.
type cluster struct {
	dir      string
	postgres *embedded.Postgres
	redis    *embedded.Redis
}

// firstDatabase is the one that a cluster begins with. The measured ones are
// copies of it.
const firstDatabase = "qoa"

func startCluster(ctx context.Context, o options) (*cluster, error) {
	dir, err := os.MkdirTemp(o.parent, "qoa-bench-")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir}
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(err, c.stop(false))
	}
	return c, nil
}

func (c *cluster) start(ctx context.Context, o options) error {
	// Postgres may run as another user, who has to get through.
	if err := os.Chmod(c.dir, 0o755); err != nil { //nolint:gosec // the folders in it are closed
		return err
	}
	if err := c.boot(ctx); err != nil {
		return err
	}
	if err := c.tune(ctx, o.explain); err != nil {
		return err
	}
	var err error
	c.redis, err = embedded.StartRedis(ctx, embedded.RedisConfig{Dir: filepath.Join(c.dir, "redis"), Require: true})
	return err
}

// ofAServer are settings that a server of its own has: Postgres
// defaults are those of a small guest on a shared machine. None of them makes a
// commit less durable.
var ofAServer = []string{
	`ALTER SYSTEM SET shared_buffers = '2GB'`,
	`ALTER SYSTEM SET max_wal_size = '8GB'`,
	`ALTER SYSTEM SET checkpoint_timeout = '15min'`,
}

// tune starts Postgres again with these settings, and with what counts statements
// where that is wanted.
func (c *cluster) tune(ctx context.Context, counting bool) error {
	settings := ofAServer
	if counting {
		settings = append(slices.Clone(settings), `ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`)
	}
	err := execute(ctx, c.url(firstDatabase), settings...)
	if err = errors.Join(err, c.postgres.Stop()); err != nil {
		return err
	}
	if err := c.boot(ctx); err != nil || !counting {
		return err
	}
	return execute(ctx, c.url(firstDatabase), `CREATE EXTENSION pg_stat_statements`,
		`ALTER SYSTEM SET pg_stat_statements.track_planning = on`, `SELECT pg_reload_conf()`)
}

func (c *cluster) boot(ctx context.Context) (err error) {
	c.postgres, err = embedded.StartPostgres(ctx, embedded.PostgresConfig{Dir: filepath.Join(c.dir, "postgres")})
	return err
}

// stop ends both servers, and removes the folder unless it is kept.
func (c *cluster) stop(keep bool) error {
	var errs []error
	if c.redis != nil {
		errs = append(errs, c.redis.Stop())
	}
	if c.postgres != nil {
		errs = append(errs, c.postgres.Stop())
	}
	if !keep {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// url of one of the cluster's databases.
func (c *cluster) url(database string) string {
	u, err := url.Parse(c.postgres.URL())
	if err != nil { // the launcher made it
		panic(err)
	}
	u.Path = "/" + database
	return u.String()
}

// clone copies a database that nobody is connected to, file by file.
func (c *cluster) clone(ctx context.Context, from, to string) error {
	return execute(ctx, c.url("postgres"), fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy`,
		pgx.Identifier{to}.Sanitize(), pgx.Identifier{from}.Sanitize()))
}

// checkpoint writes all pages, so that no measurement pays for what one before
// it left.
func (b *bench) checkpoint(ctx context.Context) error {
	if b.steady {
		return nil
	}
	return execute(ctx, b.url("postgres"), `CHECKPOINT`)
}

// execute runs statements on a connection of their own.
func execute(ctx context.Context, databaseURL string, statements ...string) error {
	return connected(ctx, databaseURL, func(conn *pgx.Conn) error {
		for _, sql := range statements {
			if _, err := conn.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
}

// ask reads one value.
func ask[T any](ctx context.Context, databaseURL, sql string, args ...any) (v T, err error) {
	err = connected(ctx, databaseURL, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, sql, args...).Scan(&v)
	})
	return v, err
}

func connected(ctx context.Context, databaseURL string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was done matters
	return do(conn)
}
