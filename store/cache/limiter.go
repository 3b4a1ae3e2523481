package cache

import (
	"context"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// Limiter counts attempts in Redis, so that a limit holds across all replicas.
type Limiter struct {
	limiter *redis_rate.Limiter
}

// NewLimiter makes a limiter of a client.
func NewLimiter(client redis.UniversalClient) *Limiter {
	return &Limiter{limiter: redis_rate.NewLimiter(client)}
}

// Allow counts one attempt under key, of which most are allowed in per, all of
// them at once if need be. Spent ones come back evenly, one every per/most; a
// refused attempt spends nothing. Where it is one too many, retryAfter says how
// long to wait. On an error the caller decides; Redis being away is no proof of
// guilt.
func (l *Limiter) Allow(ctx context.Context, key string, most int, per time.Duration) (ok bool, retryAfter time.Duration, err error) {
	r, err := l.limiter.Allow(ctx, key, redis_rate.Limit{Rate: most, Burst: most, Period: per})
	if err != nil {
		return false, 0, err
	}
	if r.Allowed > 0 {
		return true, 0, nil
	}
	return false, r.RetryAfter, nil
}
