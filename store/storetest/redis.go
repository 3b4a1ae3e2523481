package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store/embedded"
)

// claimFor is how long a killed process keeps its database of a shared server.
const claimFor = 15 * time.Minute

// redisServer hands out the numbered databases of one server.
type redisServer struct {
	url   string
	count int

	mu   sync.Mutex
	used map[int]bool
}

// Redis gives the URL of an empty database of a real Redis server, for this
// test alone. It fails where there is no redis-server: the in-process
// substitute would prove less.
func Redis(t testing.TB) string {
	t.Helper()
	s := redisSrv.get(t)
	n, err := s.claim(context.Background())
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(func() {
		if err := s.release(context.Background(), n); err != nil {
			t.Errorf("storetest: %v", err)
		}
	})
	return s.database(n)
}

func startRedis(ctx context.Context) (*redisServer, func() error, error) {
	s, stop := &redisServer{url: os.Getenv("TEST_REDIS_URL"), count: 16, used: map[int]bool{}}, func() error { return nil }
	if s.url == "" {
		r, err := takeSlot("redis", func(dir string) (*embedded.Redis, error) {
			return embedded.StartRedis(ctx, embedded.RedisConfig{Dir: dir, Require: true, Fast: true, NoWait: true})
		})
		if err != nil {
			return nil, nil, err
		}
		s.url, stop = r.URL(), r.Stop
	}
	if _, err := url.Parse(s.url); err != nil {
		return nil, nil, errors.New("TEST_REDIS_URL must be a redis:// URL")
	}
	err := s.with(ctx, 0, func(c *redis.Client) error {
		conf, err := c.ConfigGet(ctx, "databases").Result()
		if n, bad := strconv.Atoi(conf["databases"]); err == nil && bad == nil {
			s.count = n
		}
		return c.Ping(ctx).Err() // a hosted server may refuse CONFIG; 16 is the default
	})
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return s, stop, nil
}

// claim takes a number that nobody uses: in this process by the map (a test may
// well flush everything), in others by a key in database 0.
func (s *redisServer) claim(ctx context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := 1; n < s.count; n++ {
		if s.used[n] {
			continue
		}
		var mine bool
		err := s.with(ctx, 0, func(c *redis.Client) (err error) {
			mine, err = c.SetNX(ctx, claimKey(n), os.Getpid(), claimFor).Result()
			return err
		})
		if err != nil {
			return 0, err
		}
		if mine {
			s.used[n] = true
			return n, s.flush(ctx, n)
		}
	}
	return 0, fmt.Errorf("all %d databases of the Redis server are in use", s.count-1)
}

func (s *redisServer) release(ctx context.Context, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.used, n)
	return errors.Join(s.flush(ctx, n), s.with(ctx, 0, func(c *redis.Client) error {
		return c.Del(ctx, claimKey(n)).Err()
	}))
}

func (s *redisServer) flush(ctx context.Context, n int) error {
	return s.with(ctx, n, func(c *redis.Client) error { return c.FlushDB(ctx).Err() })
}

func (s *redisServer) database(n int) string {
	u, err := url.Parse(s.url)
	if err != nil {
		return "" // startRedis has parsed it before
	}
	u.Path = "/" + strconv.Itoa(n)
	return u.String()
}

func (s *redisServer) with(ctx context.Context, n int, do func(*redis.Client) error) error {
	opt, err := redis.ParseURL(s.database(n))
	if err != nil {
		return err
	}
	c := redis.NewClient(opt)
	return errors.Join(do(c), c.Close())
}

func claimKey(n int) string { return fmt.Sprintf("storetest:claim:%d", n) }
