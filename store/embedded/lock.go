package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// tick is how often we look again at something another process will change.
// Neither flock nor postmaster.pid can be waited for with a deadline.
const tick = 10 * time.Millisecond

// errLocked says that another process holds the lock.
var errLocked = errors.New("locked by another process")

// lock takes the exclusive lock on the file without waiting. Closing the file
// gives it up, once every process that inherited the file has closed it too.
func lock(path string) (*os.File, error) {
	f, err := openOwned(path, os.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

// lockWithin waits up to d for the lock; after that it is errLocked.
func lockWithin(ctx context.Context, path string, d time.Duration) (*os.File, error) {
	if d == 0 {
		return lock(path)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var f *os.File
	err := poll(ctx, func() (bool, error) {
		var err error
		f, err = lock(path)
		if errors.Is(err, errLocked) {
			return false, nil
		}
		return err == nil, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, errLocked
	}
	return f, err
}

// writeOwner notes who holds the lock, for the message the next one gets.
func writeOwner(f *os.File) {
	if f.Truncate(0) == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
}

// readOwner is the process ID noted in a lock file, or "?".
func readOwner(path string) string {
	b, err := os.ReadFile(path)
	if pid := strings.TrimSpace(string(b)); err == nil && pid != "" {
		return pid
	}
	return "?"
}

// poll asks until the answer is true, an error, or the context is over.
func poll(ctx context.Context, ask func() (bool, error)) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		if done, err := ask(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}
