// Package cache is what we keep in Redis and may lose: signals between
// processes, and counters of attempts. Nothing in here is the truth about
// anything (law 4).
package cache

import (
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Client is a connection to Redis, whatever its shape: one server, Sentinel or
// Cluster. It has a name here so that who wires need not know the library.
type Client = redis.UniversalClient

// Open makes a client for a redis:// or rediss:// URL. It does not connect yet:
// an unreachable Redis must slow us down, not keep us from starting.
func Open(url string) (Client, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("cache: Redis URL: %w", err)
	}
	// A ring of the bell has a deadline; without this a hanging Redis would
	// make every purchase wait for it.
	opt.ContextTimeoutEnabled = true
	return redis.NewClient(opt), nil
}
