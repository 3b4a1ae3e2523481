package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/embedded"
)

// openDatabase gives the database of a command: DATABASE_URL, else the embedded
// one of QOA_DATA_DIR, running or not.
func openDatabase(ctx context.Context, c config) (url string, done func(), err error) {
	if c.DatabaseURL != "" {
		return c.DatabaseURL, func() {}, nil
	}
	pg, err := embedded.OpenPostgres(ctx, embedded.PostgresConfig{Dir: postgresDir(c), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", nil, err
	}
	return pg.URL(), func() { pg.Stop() }, nil //nolint:errcheck // the command's own result matters
}

// withStore runs a command on the open store.
func withStore(ctx context.Context, do func(db *store.DB) error) error {
	c, err := loadConfig(forCommand)
	if err != nil {
		return err
	}
	url, done, err := openDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	db, err := openStore(ctx, c, url)
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}

func openStore(ctx context.Context, c config, url string) (*store.DB, error) {
	return store.Open(ctx, store.Options{
		URL: url, MaxConns: c.PoolSize, Now: time.Now, Random: random(), Secret: []byte(c.Secret), PublicURL: c.PublicURL,
		Run: rand.Text(),
	})
}

// random is the source of IDs, codes and tokens.
func random() io.Reader { return rand.Reader }

// The embedded servers have folders of their own under the data folder, which
// may hold other files.
func postgresDir(c config) string { return filepath.Join(c.DataDir, "qoa", "postgres") }
func redisDir(c config) string    { return filepath.Join(c.DataDir, "qoa", "redis") }
