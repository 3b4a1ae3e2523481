package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store/embedded"
)

const (
	clonePrefix    = "qoa_test_"
	templatePrefix = "qoa_template_"
)

var clones atomic.Int64

// Database gives the URL of a fresh database with the newest schema. It is
// dropped when the test ends, with whatever is still connected.
func Database(t testing.TB) string {
	t.Helper()
	return create(t, postgres.get(t), template.get(t))
}

// EmptyDatabase is Database without the schema, for tests of migrations.
func EmptyDatabase(t testing.TB) string {
	t.Helper()
	return create(t, postgres.get(t), "template0")
}

func create(t testing.TB, admin, template string) string {
	t.Helper()
	// Other processes may use the same server (TEST_DATABASE_URL), on this
	// machine or not.
	host, _ := os.Hostname()
	name := fmt.Sprintf("%s%s_%d_%d", clonePrefix, hashOf(host)[:6], os.Getpid(), clones.Add(1))
	run := func(sql string) error {
		return withConn(context.Background(), admin, func(ctx context.Context, c *pgx.Conn) error {
			_, err := c.Exec(ctx, sql)
			return err
		})
	}
	// Copying the template's files costs less than writing them through the log.
	if err := run("create database " + name + " template " + template + " strategy file_copy"); err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(func() {
		if err := run("drop database " + name + " with (force)"); err != nil {
			t.Errorf("storetest: %v", err)
		}
	})
	return withName(admin, name)
}

// startPostgres brings the server up and gives the URL of its own database.
func startPostgres(ctx context.Context) (string, func() error, error) {
	admin, stop := os.Getenv("TEST_DATABASE_URL"), func() error { return nil }
	if admin == "" {
		pg, err := takeSlot("postgres", func(dir string) (*embedded.Postgres, error) {
			return embedded.StartPostgres(ctx, embedded.PostgresConfig{Dir: dir, Fast: true, NoWait: true})
		})
		if err != nil {
			return "", nil, err
		}
		admin, stop = pg.URL(), pg.Stop
		if err := clear(ctx, admin); err != nil {
			return "", nil, errors.Join(err, stop())
		}
	}
	if u, err := url.Parse(admin); err != nil || u.Scheme == "" {
		return "", nil, errors.New("TEST_DATABASE_URL must be a postgres:// URL")
	}
	return admin, stop, nil
}

// clear drops what an earlier process left in the folder: the clones of tests
// that were killed, and templates of another schema.
func clear(ctx context.Context, admin string) error {
	template, err := templateName()
	if err != nil {
		return err
	}
	return withConn(ctx, admin, func(ctx context.Context, c *pgx.Conn) error {
		rows, err := c.Query(ctx, `select datname from pg_database
			where (starts_with(datname, $1) or starts_with(datname, $2)) and datname <> $3`,
			clonePrefix, templatePrefix, template)
		if err != nil {
			return err
		}
		names, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, err := c.Exec(ctx, "drop database "+pgx.Identifier{name}.Sanitize()+" with (force)"); err != nil {
				return err
			}
		}
		// The test server has no autovacuum, and every test leaves dead rows here.
		_, err = c.Exec(ctx, "vacuum pg_database, pg_shdepend")
		return err
	})
}

// ensureTemplate makes the migrated template where it does not exist yet, and
// gives its name. It gets the name when it is whole; a lock keeps other
// processes from doing the same.
func ensureTemplate(ctx context.Context) (string, func() error, error) {
	name, err := templateName()
	if err != nil {
		return "", nil, err
	}
	admin := postgres.val // Database has it started by now
	return name, nil, withConn(ctx, admin, func(ctx context.Context, c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "select pg_advisory_lock(hashtext($1))", name); err != nil {
			return err
		}
		var exists bool
		if err := c.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&exists); err != nil || exists {
			return err
		}
		building := name + "_new"
		for _, sql := range []string{
			"drop database if exists " + building + " with (force)",
			"create database " + building + " template template0 encoding 'UTF8'",
		} {
			if _, err := c.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if err := migrations.Up(ctx, withName(admin, building)); err != nil {
			return err
		}
		_, err := c.Exec(ctx, "alter database "+building+" rename to "+name)
		return err
	})
}

// templateName changes with the migrations, so that a template is never stale.
func templateName() (string, error) {
	var all strings.Builder
	files := migrations.Files()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, path)
		fmt.Fprintf(&all, "%s %d\n%s", path, len(b), b)
		return err
	})
	return templatePrefix + hashOf(all.String())[:12], err
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// withName is the URL of another database of the same server.
func withName(admin, name string) string {
	u, err := url.Parse(admin)
	if err != nil {
		return "" // startPostgres has parsed it before
	}
	u.Path = "/" + name
	return u.String()
}

func withConn(ctx context.Context, url string, do func(context.Context, *pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, c), c.Close(ctx))
}
