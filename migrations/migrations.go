// Package migrations holds the schema in numbered SQL and applies it.
package migrations

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose runs on
	"github.com/pressly/goose/v3"
)

//go:embed *.sql
var files embed.FS

// Files gives the SQL files, for tools that key a cache by their content.
func Files() fs.FS { return files }

// Up brings the database at url to the newest schema. Several processes may
// call it at once: a session lock in Postgres lets one of them do the work.
func Up(ctx context.Context, url string) error {
	return with(url, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

// Down takes back the newest migration.
func Down(ctx context.Context, url string) error {
	return with(url, func(p *goose.Provider) error {
		_, err := p.Down(ctx)
		return err
	})
}

// Status describes each migration in one line: its file, and whether it is
// applied.
func Status(ctx context.Context, url string) ([]string, error) {
	var lines []string
	err := with(url, func(p *goose.Provider) error {
		all, err := p.Status(ctx)
		for _, s := range all {
			lines = append(lines, fmt.Sprintf("%-8s %s", s.State, s.Source.Path))
		}
		return err
	})
	return lines, err
}
