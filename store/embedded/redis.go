package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The two kinds of Redis.
const (
	KindRedisServer = "redis-server"
	KindInProcess   = "in-process"
)

// ErrNoRedis says that this machine has no redis-server, and what to do.
var ErrNoRedis = errors.New("no redis-server on this machine: run `make deps`, or `sudo apt-get install redis-server` (macOS: `brew install redis`), or set REDIS_URL")

// RedisConfig says where the queue is kept between runs.
type RedisConfig struct {
	// Dir is the folder for this server alone; it is made when absent.
	Dir string
	// Log gets what the person at the terminal should know; nil for nothing.
	Log *slog.Logger
	// Require makes a missing redis-server an error (ErrNoRedis) instead of
	// falling back to the in-process substitute.
	Require bool
	// Fast keeps nothing on disk. For tests.
	Fast bool
	// NoWait answers ErrInUse at once instead of giving the server of a killed
	// process time to go down.
	NoWait bool
}

// Redis is a running server of ours.
type Redis struct {
	url  string
	kind string
	stop func() error
}

// URL is a redis:// URL that go-redis and asynq both take.
func (r *Redis) URL() string { return r.url }

// Kind is KindRedisServer or KindInProcess.
func (r *Redis) Kind() string { return r.kind }

// Stop ends the server and keeps its folder. It is safe to call again.
func (r *Redis) Stop() error { return r.stop() }

// StartRedis runs redis-server on a free loopback port, or the in-process
// substitute where the machine has none.
func StartRedis(ctx context.Context, cfg RedisConfig) (*Redis, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	path, err := exec.LookPath("redis-server")
	switch {
	case err == nil:
		return startRedisServer(ctx, path, cfg)
	case cfg.Require:
		return nil, ErrNoRedis
	default:
		cfg.Log.Info("no redis-server on this machine: using the in-process substitute, slower, and empty after a restart")
		return startInProcess()
	}
}

func startRedisServer(ctx context.Context, path string, cfg RedisConfig) (*Redis, error) {
	acc, err := chooseAccount(filepath.Join(cfg.Dir, "data"), "redis", "postgres", "nobody")
	if err != nil {
		return nil, err
	}
	base, err := place(cfg.Dir, acc, cfg.Log)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(base, "data")
	if err := acc.mkdir(data); err != nil {
		return nil, err
	}
	// The server inherits this lock, so it stays taken while an orphan of a
	// killed process still writes its file.
	patience := orphanPatience
	if cfg.NoWait {
		patience = 0
	}
	alive, err := lockWithin(ctx, filepath.Join(base, "server.lock"), patience)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, base)
	}
	if err != nil {
		return nil, err
	}
	s := redisServer{path: path, data: data, log: filepath.Join(base, "redis.log"), account: acc, alive: alive, keep: !cfg.Fast}
	r, err := s.boot(ctx)
	if err != nil && ctx.Err() == nil {
		// A file that a crash left unreadable is no reason to stay down: what
		// matters is in Postgres, Redis only rings the bell.
		aof := filepath.Join(data, "appendonlydir")
		if os.Rename(aof, aof+".unreadable") == nil {
			cfg.Log.Warn("the Redis data could not be read; starting with an empty queue", "kept", aof+".unreadable")
			r, err = s.boot(ctx)
		}
	}
	if err != nil {
		alive.Close()
		return nil, err
	}
	return r, nil
}

type redisServer struct {
	path, data, log string
	account         account
	alive           *os.File
	keep            bool
}

// boot tries a few ports: between finding a free one and using it, somebody
// else may take it.
func (s redisServer) boot(ctx context.Context) (*Redis, error) {
	var err error
	for range 3 {
		var r *Redis
		if r, err = s.bootOnce(ctx); err == nil {
			return r, nil
		}
		if !strings.Contains(tailOf(s.log), "Address already in use") {
			break
		}
	}
	return nil, err
}

func (s redisServer) bootOnce(ctx context.Context) (*Redis, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	// Loopback is open to every user of the machine, so there is a password. It
	// goes in by standard input, where `ps` does not show it.
	password := rand.Text()
	c, err := start(spec{
		path: s.path, args: []string{"-"}, dir: s.data, log: s.log,
		stdin:   strings.NewReader(redisConf(addr.Port, password, s.keep)),
		account: s.account, inherit: s.alive, death: syscall.SIGTERM,
	})
	if err != nil {
		return nil, err
	}
	stop := func() error {
		err := c.stop(orphanPatience, syscall.SIGTERM, syscall.SIGKILL)
		s.alive.Close()
		return err
	}
	bootCtx, cancel := context.WithTimeout(ctx, bootPatience)
	defer cancel()
	err = poll(bootCtx, func() (bool, error) {
		if c.exited() {
			return false, fmt.Errorf("redis-server ended while starting: %w\n%s", c.err, tailOf(s.log))
		}
		return answers(addr, password), nil
	})
	if err != nil {
		if !c.exited() {
			err = errors.Join(err, c.stop(time.Second, syscall.SIGTERM, syscall.SIGKILL))
		}
		return nil, err
	}
	u := url.URL{Scheme: "redis", User: url.UserPassword("", password), Host: addr.String(), Path: "/0"}
	return &Redis{url: u.String(), kind: KindRedisServer, stop: stop}, nil
}

// answers tells whether the server is up and has read its data; until then it
// refuses the connection or answers LOADING.
func answers(addr *net.TCPAddr, password string) bool {
	conn, err := net.DialTimeout("tcp", addr.String(), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	if _, err := fmt.Fprintf(conn, "AUTH %s\r\nPING\r\nQUIT\r\n", password); err != nil {
		return false
	}
	reply, err := io.ReadAll(conn)
	return err == nil && strings.Contains(string(reply), "+PONG")
}

func redisConf(port int, password string, keep bool) string {
	appendonly := "no"
	if keep {
		appendonly = "yes"
	}
	return fmt.Sprintf(`bind 127.0.0.1
port %d
requirepass %s
dir ./
databases 64
appendonly %s
appendfsync everysec
save ""
maxmemory-policy noeviction
loglevel warning
`, port, password, appendonly)
}

func freeAddr() (*net.TCPAddr, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr), nil
}
