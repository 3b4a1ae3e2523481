package main_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store/embedded"
)

// Everything goes wrong at random while people write: connections break, words and
// messages are lost, ciphertexts damaged, the process killed with -9, Postgres
// killed and stopped, Redis emptied and killed. Each message is answered exactly
// once, as the phones of the people see it, and in order (P24, P26 to P28).
//
// QOA_SEED repeats a storm, as far as the machine lets it.
func TestWhatsAppSoak(t *testing.T) {
	people, each, within := 10, 20, 5*time.Minute
	plan := map[string]int{
		"kill -9": 1, "Postgres killed": 1, "Postgres stopped": 1, "Redis emptied": 2, "Redis killed": 1,
		"the bot's connection cut": 1, "the server restarts": 1, "ack to the bot lost": 1, "the bot's message lost": 1,
		"a phone's connection cut": 3, "ack to a phone lost": 3, "a phone's message lost": 3,
		"message to the bot damaged": 3, "message to a phone damaged": 3, "delivered again": 4,
	}
	if os.Getenv("QOA_SOAK") != "" {
		people, each, within = 20, 100, time.Hour
		for name := range plan {
			plan[name] *= 10
		}
		plan["Postgres killed"], plan["Postgres stopped"], plan["Redis killed"] = 4, 4, 4
		plan["no word for long"] = 5
	}
	seed := uint64(time.Now().UnixNano()) % 65536
	if n, err := strconv.ParseUint(os.Getenv("QOA_SEED"), 10, 16); err == nil {
		seed = n
	}
	t.Logf("seed %d", seed)

	_, err := binary()
	require.NoError(t, err)
	began := time.Now()
	pg, bell := startOwnPostgres(t), startOwnRedis(t)
	w := newTownOn(t, pg.server.URL(), bell.url())
	s := &storm{w: w, random: rand.New(rand.NewPCG(seed, 0)), pg: pg, redis: bell, hits: map[string]int{}, bot: w.serve(w.port)}
	s.lines = []*line{w.link(s.bot, "+525500000401"), w.link(s.bot, "+525500000402")}
	s.crowd = newCrowd(w, seed, s.lines, people, wasim.WithTimeout(2*time.Second))
	ready := time.Now()

	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	done := s.crowd.write(ctx, each)
	s.rage(ctx, s.plan(plan), people*each)
	<-done
	s.calm()
	if ctx.Err() == nil {
		w.until("rest", s.crowd.settled)
	}
	took := time.Since(ready)
	v := s.crowd.judge(t)
	t.Logf("seed %d: %s", seed, v)
	t.Logf("faults: %s", s.report())
	t.Logf("%d sends were tried again, %d messages could not be read at first, %d logins; %s, and %s to begin with",
		w.count(`SELECT coalesce(sum(attempts - 1), 0) FROM outbox`), w.count(`SELECT count(*) FROM inbox WHERE kind = 'undecryptable'`),
		loginsOf(s.lines), took.Round(100*time.Millisecond), ready.Sub(began).Round(100*time.Millisecond))
	require.NoError(t, ctx.Err())
	require.Equal(t, people*each, v.answered)
	require.Zero(t, w.count(`SELECT count(*) FROM inbox WHERE status NOT IN ('done')`))
	require.Zero(t, w.count(`SELECT count(*) FROM outbox WHERE status IN ('queued', 'failed', 'dropped')`))
	require.Empty(t, w.whatsapp.Overlaps())
	stopping := time.Now()
	s.bot.stop()
	require.Equal(t, 0, s.bot.cmd.ProcessState.ExitCode())
	t.Logf("stopped in order in %s", time.Since(stopping).Round(10*time.Millisecond))
}

// storm is what goes wrong.
type storm struct {
	w      *town
	random *rand.Rand
	pg     *ownPostgres
	redis  *ownRedis
	bot    *dev
	lines  []*line
	crowd  *crowd

	hits  map[string]int
	fuses sync.WaitGroup
}

// plan puts the strikes into an order by chance.
func (s *storm) plan(counts map[string]int) []string {
	var all []string
	for name, n := range counts {
		all = append(all, slices.Repeat([]string{name}, n)...)
	}
	slices.Sort(all) // a map has no order, and the seed is to decide
	s.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// rage strikes, spread over the answers that people get; now and then twice in the
// same moment, so that one fault meets the recovery from another.
func (s *storm) rage(ctx context.Context, plan []string, messages int) {
	began := time.Now()
	for i, name := range plan {
		after := int64(i * messages / (len(plan) + 1))
		if s.random.IntN(4) > 0 && s.w.whatsapp.Until(ctx, func() bool { return s.crowd.answered.Load() >= after }) != nil {
			return
		}
		s.hits[name]++
		s.w.t.Logf("%5.1f s, %d answered: %s", time.Since(began).Seconds(), s.crowd.answered.Load(), name)
		s.strike(ctx, name)
	}
}

func (s *storm) strike(ctx context.Context, name string) {
	l, p := s.lines[s.random.IntN(len(s.lines))], s.crowd.people[s.random.IntN(len(s.crowd.people))]
	switch name {
	case "kill -9":
		s.bot.kill()
		s.bot = s.w.serve(s.w.port)
	case "Postgres killed":
		s.pg.kill()
	case "Postgres stopped":
		s.pg.restart()
	case "Redis emptied":
		s.redis.empty()
	case "Redis killed":
		s.redis.kill()
		s.redis.start()
	case "the bot's connection cut":
		l.device.Drop()
	case "the server restarts":
		l.device.StreamError(503)
	case "a phone's connection cut":
		p.phone.Device.Drop()
	case "ack to the bot lost": // as a rule since the connection breaks just then
		s.cut(ctx, l, func(m wasim.Sent) bool { return m.AckDropped })
		l.account.DropAcks(1)
	case "the bot's message lost":
		s.cut(ctx, l, func(m wasim.Sent) bool { return m.Lost })
		l.account.LoseNext(1)
	case "no word for long": // the connection stands: only time tells that the word is lost
		l.account.DropAcks(1)
	case "ack to a phone lost":
		p.phone.Account.DropAcks(1)
	case "a phone's message lost":
		p.phone.Account.LoseNext(1)
	case "message to the bot damaged":
		l.account.CorruptNext(1)
	case "message to a phone damaged":
		p.phone.Account.CorruptNext(1)
	case "delivered again":
		if all := l.device.Acked(); len(all) > 0 {
			l.device.Redeliver(all[len(all)-1-s.random.IntN(min(len(all), 10))])
		}
	default:
		s.w.t.Errorf("no such fault: %s", name)
	}
}

// cut breaks a number's connection as soon as one more of its messages is such.
func (s *storm) cut(ctx context.Context, l *line, such func(wasim.Sent) bool) {
	count := func() (n int) {
		for _, m := range l.account.Sent() {
			if such(m) {
				n++
			}
		}
		return n
	}
	before := count()
	s.fuses.Go(func() {
		if s.w.whatsapp.Until(ctx, func() bool { return count() > before || s.crowd.over.Load() }) == nil && count() > before {
			l.device.Drop()
		}
	})
}

// calm takes back the faults that have not struck.
func (s *storm) calm() {
	s.crowd.over.Store(true)
	accounts := make([]*wasim.Account, 0, len(s.lines)+len(s.crowd.people))
	for _, l := range s.lines {
		accounts = append(accounts, l.account)
	}
	for _, p := range s.crowd.people {
		accounts = append(accounts, p.phone.Account)
	}
	for _, a := range accounts {
		a.LoseNext(0)
		a.DropAcks(0)
		a.CorruptNext(0)
	}
	s.lines[0].device.Drop() // wakes the fuses
	s.fuses.Wait()
}

func (s *storm) report() string {
	names := make([]string, 0, len(s.hits))
	for name, n := range s.hits {
		names = append(names, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// ownPostgres is a server that keeps what it has acknowledged, to be killed.
type ownPostgres struct {
	t      *testing.T
	dir    string
	server *embedded.Postgres
}

func startOwnPostgres(t *testing.T) *ownPostgres {
	t.Helper()
	p := &ownPostgres{t: t, dir: t.TempDir()}
	p.start()
	data := p.data()
	t.Cleanup(func() {
		assert.NoError(t, p.server.Stop())
		os.RemoveAll(filepath.Dir(filepath.Dir(data))) // may lie elsewhere, where the server's user gets
	})
	return p
}

func (p *ownPostgres) start() {
	p.t.Helper()
	server, err := embedded.StartPostgres(p.t.Context(), embedded.PostgresConfig{Dir: p.dir})
	require.NoError(p.t, err)
	if p.server != nil {
		require.Equal(p.t, p.server.URL(), server.URL())
	}
	p.server = server
}

func (p *ownPostgres) restart() {
	p.t.Helper()
	require.NoError(p.t, p.server.Stop())
	p.start()
}

func (p *ownPostgres) kill() {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	require.NoError(p.t, err)
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	require.NoError(p.t, err)
	require.NoError(p.t, syscall.Kill(pid, syscall.SIGKILL))
	<-p.server.Exited()
	p.restart()
}

// data is the server's own folder.
func (p *ownPostgres) data() (dir string) {
	p.t.Helper()
	c, err := pgx.Connect(p.t.Context(), p.server.URL())
	require.NoError(p.t, err)
	defer c.Close(p.t.Context()) //nolint:errcheck // a test's
	require.NoError(p.t, c.QueryRow(p.t.Context(), "SHOW data_directory").Scan(&dir))
	return dir
}

// ownRedis is a server at an address that it keeps, to be killed. It remembers
// nothing.
type ownRedis struct {
	t     *testing.T
	port  string
	dir   string
	cmd   *exec.Cmd
	lives io.Closer
}

func startOwnRedis(t *testing.T) *ownRedis {
	t.Helper()
	r := &ownRedis{t: t, port: freePort(t), dir: t.TempDir()}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *ownRedis) url() string { return "redis://127.0.0.1:" + r.port + "/0" }

func (r *ownRedis) start() {
	r.t.Helper()
	// It ends when we do, in whatever way: our end of the pipe closes.
	r.cmd = exec.Command("sh", "-c", `redis-server "$@" & read _; kill -9 $!; wait`, "sh",
		"--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.dir)
	lives, err := r.cmd.StdinPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, r.cmd.Start())
	r.lives = lives
	for end := time.Now().Add(whatsappPatience); r.do(func(ctx context.Context, c *redis.Client) error { return c.Ping(ctx).Err() }) != nil; pause() {
		require.True(r.t, time.Now().Before(end), "no Redis")
	}
}

func (r *ownRedis) kill() {
	r.lives.Close() //nolint:errcheck // it may be gone
	r.cmd.Wait()    //nolint:errcheck // killed on purpose
}

func (r *ownRedis) empty() {
	r.t.Helper()
	require.NoError(r.t, r.do(func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() }))
}

func (r *ownRedis) do(what func(context.Context, *redis.Client) error) error {
	options, err := redis.ParseURL(r.url())
	if err != nil {
		return err
	}
	options.MaxRetries = -1
	c := redis.NewClient(options)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(what(ctx, c), c.Close())
}
