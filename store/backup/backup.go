// Package backup writes a whole database into one file and reads it back, with
// the tools of Postgres itself: what they write, an operator can read without us.
package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/embedded"
)

// ErrNotEmpty says that a backup would be mixed with what is there.
var ErrNotEmpty = errors.New("the database is not empty: restore into a new one (createdb), so that nothing is overwritten or mixed")

// Write dumps the database at url, every schema of it, as it is at one moment.
// Nobody who reads or writes rows meanwhile has to wait.
func Write(ctx context.Context, url string, to io.Writer) error {
	return run(ctx, "pg_dump", url, nil, to,
		"--format=custom",
		"--no-owner", "--no-privileges", // it may be restored by a user of another name
		"--lock-wait-timeout=60s") // behind a migration
}

// Read restores what Write wrote into an empty database, all of it or nothing,
// and lets Postgres look at what it has got: plans would be guesses before.
func Read(ctx context.Context, url string, from io.Reader) error {
	empty, err := isEmpty(ctx, url)
	if err != nil {
		return err
	}
	if !empty {
		return ErrNotEmpty
	}
	err = run(ctx, "pg_restore", url, from, io.Discard,
		"--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
	if err != nil {
		return err
	}
	return withConn(ctx, url, func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, "ANALYZE")
		return err
	})
}

// isEmpty says whether the database holds nothing but what Postgres and its
// extensions bring.
func isEmpty(ctx context.Context, url string) (empty bool, err error) {
	return empty, withConn(ctx, url, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `
			SELECT NOT EXISTS (
			  SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			  WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%'
			    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))`).Scan(&empty)
	})
}

// mostComplaint is how much of what a tool says about an error is told.
const mostComplaint = 2000

// run runs a tool on the database.
func run(ctx context.Context, tool, url string, in io.Reader, out io.Writer, args ...string) error {
	path, err := embedded.Tool(ctx, tool)
	if err != nil {
		return err
	}
	conn, secrets, err := connection(url)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+conn)...)
	cmd.Env = append(os.Environ(), secrets...)
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &complaint
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(complaint.String())
		if len(said) > mostComplaint {
			said = said[:mostComplaint]
		}
		return fmt.Errorf("%s: %w\n%s", tool, err, said)
	}
	return nil
}

func withConn(ctx context.Context, url string, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(do(c), c.Close(ctx))
}
