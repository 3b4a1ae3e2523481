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
	sealed := newSealer(to)
	err := run(ctx, "pg_dump", url, nil, sealed,
		"--format=custom",
		"--no-owner", "--no-privileges", // it may be restored by a user of another name
		"--lock-wait-timeout=60s") // behind a migration
	if err != nil {
		return err
	}
	return sealed.seal()
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
	file := newUnsealer(from)
	err = run(ctx, "pg_restore", url, file, io.Discard,
		"--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
	if err != nil {
		// What it stumbled over may be the damage, and may not.
		_, unread := io.Copy(io.Discard, file)
		return errors.Join(unread, err)
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
	path, major, err := embedded.Tool(ctx, tool)
	if err != nil {
		return err
	}
	conn, secrets, err := connection(url)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--no-password", "--dbname="+conn)...)
	cmd.Env = append(append(os.Environ(), "LC_ALL=C"), secrets...) // advice reads what it says
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &complaint
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(complaint.String())
		if len(said) > mostComplaint {
			said = said[:mostComplaint]
		}
		return fmt.Errorf("%s: %w\n%s%s", tool, err, said, advice(ctx, url, path, major, said))
	}
	return nil
}

// advice is for versions that do not go together: what the tool itself says then
// names a setting or a file format, and not what to do.
func advice(ctx context.Context, url, path string, major int, said string) string {
	var server int
	err := withConn(ctx, url, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, `SELECT current_setting('server_version_num')::int / 10000`).Scan(&server)
	})
	switch {
	case err != nil:
		return ""
	case server != major:
		return fmt.Sprintf("\n%s is of Postgres %d, the server of %d: install postgresql-client-%[3]d, or put its folder first in PATH", path, major, server)
	case strings.Contains(said, "unsupported version"):
		return fmt.Sprintf("\nthe file was written by a newer pg_dump than %d: restore it into a Postgres of its version", major)
	}
	return ""
}

func withConn(ctx context.Context, url string, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(do(c), c.Close(ctx))
}
