package storetest_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return c // left open on purpose: the database must be dropped all the same
}

func TestDatabasesAreMigratedAndApart(t *testing.T) {
	a, b := connect(t, storetest.Database(t)), connect(t, storetest.Database(t))
	if _, err := a.Exec(t.Context(), "create table only_in_a (n int)"); err != nil {
		t.Fatal(err)
	}
	const count = "select count(*) from information_schema.tables where table_schema = 'public'"
	var inA, inB int
	if err := a.QueryRow(t.Context(), count).Scan(&inA); err != nil {
		t.Fatal(err)
	}
	if err := b.QueryRow(t.Context(), count).Scan(&inB); err != nil {
		t.Fatal(err)
	}
	if inB == 0 || inA != inB+1 {
		t.Errorf("tables: %d and %d", inA, inB)
	}
}

func TestEmptyDatabaseIsEmpty(t *testing.T) {
	c := connect(t, storetest.EmptyDatabase(t))
	var n int
	if err := c.QueryRow(t.Context(), "select count(*) from pg_tables where schemaname = 'public'").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d tables, %v", n, err)
	}
}

func TestDatabasesInParallel(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			connect(t, storetest.Database(t))
		})
	}
}

func TestRedisDatabasesAreEmptyAndApart(t *testing.T) {
	urls := map[string]bool{}
	for range 2 { // the second round gets the numbers of the first, flushed
		t.Run("", func(t *testing.T) {
			for range 2 {
				url := storetest.Redis(t)
				urls[url] = true
				opt, err := redis.ParseURL(url)
				if err != nil {
					t.Fatal(err)
				}
				c := redis.NewClient(opt)
				defer c.Close()
				if n, err := c.DBSize(t.Context()).Result(); err != nil || n != 0 {
					t.Errorf("%d keys, %v", n, err)
				}
				if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if len(urls) != 2 {
		t.Errorf("%d databases, want 2", len(urls))
	}
}

func TestClock(t *testing.T) {
	start := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)
	c := storetest.NewClock(start)
	if got := c.Advance(time.Hour); !got.Equal(c.Now()) || got.Sub(start) != time.Hour {
		t.Error(got)
	}
	c.Set(start)
	if !c.Now().Equal(start) {
		t.Error(c.Now())
	}
}

func TestRandRepeats(t *testing.T) {
	read := func(seed uint64) []byte {
		b := make([]byte, 64)
		if _, err := io.ReadFull(storetest.Rand(seed), b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(read(1), read(1)) || bytes.Equal(read(1), read(2)) {
		t.Error("the seed must decide")
	}
}

func BenchmarkDatabase(b *testing.B) {
	for b.Loop() {
		storetest.Database(b)
	}
}
