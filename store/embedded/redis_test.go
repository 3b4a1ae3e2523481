package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func client(t *testing.T, r *Redis) *redis.Client {
	t.Helper()
	opt, err := redis.ParseURL(r.URL())
	must(t, err)
	c := redis.NewClient(opt)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRedisServerKeepsItsQueue(t *testing.T) {
	dir := tempDir(t)
	cfg := RedisConfig{Dir: dir, Require: true}
	r, err := StartRedis(t.Context(), cfg)
	must(t, err)
	if r.Kind() != KindRedisServer {
		t.Fatal(r.Kind())
	}
	must(t, client(t, r).Set(t.Context(), "note", "still here", 0).Err())
	must(t, r.Stop())
	must(t, r.Stop())

	r, err = StartRedis(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { must(t, r.Stop()) })
	if got := client(t, r).Get(t.Context(), "note").Val(); got != "still here" {
		t.Errorf("read %q", got)
	}
	// The other databases are there for tests.
	must(t, client(t, r).Do(t.Context(), "SELECT", 63).Err())
}

func TestRedisServerNeedsItsPassword(t *testing.T) {
	r, err := StartRedis(t.Context(), RedisConfig{Dir: tempDir(t), Require: true})
	must(t, err)
	t.Cleanup(func() { must(t, r.Stop()) })
	opt, err := redis.ParseURL(r.URL())
	must(t, err)
	opt.Password = ""
	c := redis.NewClient(opt)
	defer c.Close()
	if c.Ping(t.Context()).Err() == nil {
		t.Error("it answers without")
	}
}

func TestUnreadableRedisDataIsSetAside(t *testing.T) {
	dir := tempDir(t)
	aof := filepath.Join(dir, "data", "appendonlydir")
	r, err := StartRedis(t.Context(), RedisConfig{Dir: dir, Require: true})
	must(t, err)
	must(t, r.Stop())
	must(t, os.WriteFile(filepath.Join(aof, "appendonly.aof.manifest"), []byte("broken\n"), 0o644))

	r, err = StartRedis(t.Context(), RedisConfig{Dir: dir, Require: true})
	must(t, err)
	must(t, r.Stop())
	if _, err := os.Stat(aof + ".unreadable"); err != nil {
		t.Error(err)
	}
}

func TestWithoutRedisServerTheSubstituteRuns(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := StartRedis(t.Context(), RedisConfig{Dir: t.TempDir(), Require: true}); !errors.Is(err, ErrNoRedis) {
		t.Errorf("required: %v", err)
	}
	r, err := StartRedis(t.Context(), RedisConfig{Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() { must(t, r.Stop()) })
	if r.Kind() != KindInProcess {
		t.Fatal(r.Kind())
	}
	c := client(t, r)
	must(t, c.Set(t.Context(), "lock", "1", 250*time.Millisecond).Err())
	// Expiry runs down by itself, or unique tasks would stay locked for ever.
	must(t, poll(t.Context(), func() (bool, error) {
		n, err := c.Exists(t.Context(), "lock").Result()
		return n == 0, err
	}))
	must(t, r.Stop())
}
