// Package storetest gives tests a real Postgres and a real Redis, a clock to
// set, and randomness that repeats. For tests only.
//
// Each test process runs servers of its own, which the kernel ends with the
// process. Their folders stay under the temporary folder and are taken over by
// a later process, so that the cluster is made and the schema applied once and
// not in every package of every run. TEST_DATABASE_URL and TEST_REDIS_URL name
// servers to use instead.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/qoa-conectados/qoa/store/embedded"
)

// The servers of this process. A test binary has no other place for what its
// tests share; they start when the first test asks.
var (
	postgres = &shared[string]{up: startPostgres}
	template = &shared[string]{up: ensureTemplate}
	redisSrv = &shared[*redisServer]{up: startRedis}
)

// Main runs the tests of a package and stops the servers in order. A package
// may do without: the kernel stops them too, a moment after the process ended.
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	for _, err := range []error{postgres.down(), redisSrv.down()} {
		if err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// shared is a value made at the first use, with the way to undo it.
type shared[T any] struct {
	up   func(context.Context) (T, func() error, error)
	once sync.Once
	val  T
	stop func() error
	err  error
}

func (s *shared[T]) get(t testing.TB) T {
	t.Helper()
	// Not the test's context: the server outlives the test that began it.
	s.once.Do(func() { s.val, s.stop, s.err = s.up(context.Background()) })
	if s.err != nil {
		t.Fatalf("storetest: %v", s.err)
	}
	return s.val
}

func (s *shared[T]) down() error {
	if s.stop == nil {
		return nil
	}
	return s.stop()
}

// mostSlots bounds the folders that stay behind; go test runs as many
// processes at a time as it has processors.
const mostSlots = 256

// takeSlot calls start with one folder after the other until one is not in use
// by another test process.
func takeSlot[T any](kind string, start func(dir string) (T, error)) (T, error) {
	root := filepath.Join(os.TempDir(), fmt.Sprintf("qoa-test-%d", os.Getuid()))
	var val T
	err := embedded.ErrInUse
	for n := 0; n < mostSlots && errors.Is(err, embedded.ErrInUse); n++ {
		val, err = start(filepath.Join(root, fmt.Sprintf("%s-%d", kind, n)))
	}
	return val, err
}
