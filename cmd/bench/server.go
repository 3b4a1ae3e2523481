package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// publicURL is what the server believes to be reached by: loopback, or it would
// refuse the simulator.
const publicURL = "http://127.0.0.1:3000"

// server is the real program, as its own process.
type server struct {
	cmd     *exec.Cmd
	address string
	gone    chan struct{}
	ended   error // read only after gone
	log     string
}

// startServer runs `qoa serve` with the roles that are measured.
func startServer(ctx context.Context, c *cluster, w *world, o options, database string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{address: address, gone: make(chan struct{}), log: filepath.Join(c.dir, database+".log")}
	out, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	s.cmd = exec.Command(o.binary, "serve", "--roles", o.roles)
	s.cmd.Env = append(serverEnv(c, w, database), "PORT="+address[strings.LastIndexByte(address, ':')+1:])
	s.cmd.Stdout, s.cmd.Stderr = out, out
	// Ctrl-C is ours to handle: it is stopped in order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.ended = s.cmd.Wait()
		close(s.gone)
	}()
	if err := s.await(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// serverEnv is all that the program sees of the environment.
func serverEnv(c *cluster, w *world, database string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "DATABASE_URL=" + c.url(database), "REDIS_URL=" + c.redis.URL(), "QOA_SECRET=" + w.secret,
		"PUBLIC_URL=" + publicURL, "HOST=127.0.0.1", "WHATSAPP_CHANNEL=sim", "RATE_LIMITS=off",
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// await returns when the server is ready.
func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		if body, err := s.get(ctx, "/health/ready"); err == nil {
			return body.Close()
		}
		pause := time.NewTimer(50 * time.Millisecond)
		select {
		case <-s.gone:
			said, _ := os.ReadFile(s.log)
			return fmt.Errorf("%s ended: %w\n%s", s.cmd.Path, s.ended, said)
		case <-ctx.Done():
			return fmt.Errorf("%s does not become ready: %w", s.cmd.Path, ctx.Err())
		case <-pause.C:
		}
	}
}

func (s *server) get(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("GET %s: %s", path, res.Status), res.Body.Close())
	}
	return res.Body, nil
}

// roundTrips is how often the server has waited for Postgres.
func (s *server) roundTrips(ctx context.Context) (float64, error) {
	body, err := s.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	defer body.Close()
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), "qoa_db_round_trips_total "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, errors.Join(errors.New("/metrics has no qoa_db_round_trips_total"), lines.Err())
}

// blame adds to an error what the server said about it last.
func (s *server) blame(err error) error {
	said, failed := os.ReadFile(s.log)
	if err == nil || failed != nil {
		return err
	}
	lines := strings.Split(string(said), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.Contains(lines[i], "level=ERROR") {
			return fmt.Errorf("%w\n%s", err, lines[i])
		}
	}
	return err
}

// stop lets the server drain, and waits for it.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	select {
	case <-s.gone:
		return nil
	case <-patience.C:
		return errors.Join(errors.New("the server does not stop"), s.cmd.Process.Kill())
	}
}

// verify runs `qoa ledger verify`: its error is what it said.
func verify(ctx context.Context, c *cluster, w *world, o options, database string) (string, error) {
	cmd := exec.CommandContext(ctx, o.binary, "ledger", "verify")
	cmd.Env = serverEnv(c, w, database)
	out, err := cmd.CombinedOutput()
	said := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("qoa ledger verify: %w\n%.2000s", err, said)
	}
	return said, nil
}
