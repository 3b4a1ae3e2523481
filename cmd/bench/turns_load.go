package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// talks are people who write to the bot and wait for its answer. What arrives on
// their phones is read from the simulator's table on one connection: asking by
// HTTP for each person would cost the server more than the turn.
type talks struct {
	site *site

	mu      sync.Mutex
	waiting map[string]chan time.Time // by chat
	failed  error                     // of the watcher
	stray   int                       // answers that nobody waited for
}

// watchPause is how often arrivals are looked for: what an answer may seem to
// take longer than it did.
const watchPause = 4 * time.Millisecond

// startTalks begins to watch the phones.
func (b *bench) startTalks(ctx context.Context, s *site) (*talks, func(), error) {
	t := &talks{site: s, waiting: map[string]chan time.Time{}}
	conn, err := pgx.Connect(ctx, b.url(s.database))
	if err != nil {
		return nil, nil, err
	}
	var last int64
	if err := conn.QueryRow(ctx, `SELECT coalesce(max(seq), 0) FROM sim_messages`).Scan(&last); err != nil {
		return nil, nil, errors.Join(err, conn.Close(ctx))
	}
	watching, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := t.watch(watching, conn, last); err != nil && watching.Err() == nil {
			t.mu.Lock()
			t.failed = err
			t.mu.Unlock()
		}
	})
	return t, func() {
		cancel()
		wg.Wait()
		conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it only read
	}, nil
}

// watch reads what arrives. Numbers are drawn before the commit, so one that is
// missing may still come: it is read from the first that is missing, for a while.
func (t *talks) watch(ctx context.Context, conn *pgx.Conn, last int64) error {
	seen := map[int64]bool{} // above last
	var since time.Time      // the number after last is missing since
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for {
		rows, err := conn.Query(ctx, `SELECT seq, direction = 'out', chat FROM sim_messages WHERE seq > $1 ORDER BY seq`, last)
		if err != nil {
			return err
		}
		now := time.Now()
		var seq int64
		var out bool
		var chat string
		if _, err := pgx.ForEachRow(rows, []any{&seq, &out, &chat}, func() error {
			if !seen[seq] {
				seen[seq] = true
				if out {
					t.arrived(chat, now)
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if len(seen) > 0 && !seen[last+1] {
			if since.IsZero() {
				since = now
			} else if now.Sub(since) > time.Second { // its transaction was taken back
				seen[last+1] = true
			}
		}
		for seen[last+1] {
			since = time.Time{}
			delete(seen, last+1)
			last++
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (t *talks) arrived(chat string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.waiting[chat]; ok {
		delete(t.waiting, chat)
		c <- at
		return
	}
	t.stray++
}

// expect is asked before the message is written: the answer may be quick.
func (t *talks) expect(chat string) (<-chan time.Time, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed != nil {
		return nil, t.failed
	}
	c := make(chan time.Time, 1)
	t.waiting[chat] = c
	return c, nil
}

func phoneOf(card int) string { return fmt.Sprintf("+52551%07d", card) }

// spent is what a turn took: from the first byte of the message, and from the
// answer that says that it is durable, to the delivery.
type spent struct{ whole, fromPersisted time.Duration }

// phone is a person's connection to the simulator.
type phone struct {
	talks *talks
	conn  net.Conn
	in    *bufio.Reader
	out   bytes.Buffer
	body  []byte
}

func (t *talks) phone() (*phone, error) {
	conn, err := net.Dial("tcp", t.site.server.address)
	if err != nil {
		return nil, err
	}
	return &phone{talks: t, conn: conn, in: bufio.NewReaderSize(conn, 4<<10)}, nil
}

// turn writes for a card's owner, and waits for the answer.
func (p *phone) turn(ctx context.Context, card int) (s spent, err error) {
	chat := phoneOf(card)
	answer, err := p.talks.expect(chat)
	if err != nil {
		return s, err
	}
	message := `{"from":"` + chat + `","text":"` + turnText + `"}`
	p.out.Reset()
	fmt.Fprintf(&p.out, "POST /sim/messages HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", p.talks.site.server.address, len(message), message)
	began := time.Now()
	if _, err := p.conn.Write(p.out.Bytes()); err != nil {
		return s, err
	}
	var status int
	if status, p.body, err = readAnswer(p.in, p.body); err != nil {
		return s, err
	}
	persisted := time.Now()
	if status != http.StatusAccepted {
		return s, fmt.Errorf("a message was answered with %d: %.300s", status, p.body)
	}
	late := time.NewTimer(turnTimeout)
	defer late.Stop()
	select {
	case at := <-answer:
		return spent{at.Sub(began), max(at.Sub(persisted), 0)}, nil
	case <-late.C:
		return s, fmt.Errorf("no answer within %s", turnTimeout)
	case <-ctx.Done():
		return s, ctx.Err()
	}
}

// once has one turn on a connection of its own.
func (t *talks) once(ctx context.Context, card int) (spent, error) {
	p, err := t.phone()
	if err != nil {
		return spent{}, err
	}
	defer p.conn.Close()
	return p.turn(ctx, card)
}

// drive lets so many people talk until the channel is closed, each in one
// conversation after the other, and gives what the turns took that ended while
// recording was true. A turn that has begun comes to its end.
func (t *talks) drive(ctx context.Context, until <-chan struct{}, people int, count func(s spent)) error {
	failed := make([]error, people)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			if failed[i] = t.talker(ctx, until, i, people, count); failed[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return first(failed)
}

// talker is one of so many people. The conversations of each are its own.
func (t *talks) talker(ctx context.Context, until <-chan struct{}, i, people int, count func(s spent)) error {
	p, err := t.phone()
	if err != nil {
		return err
	}
	defer p.conn.Close()
	for {
		select {
		case <-until:
			return nil
		default:
		}
		s, err := p.turn(ctx, i+people*rand.IntN(cards/people)) //nolint:gosec // who writes is no secret
		if err != nil {
			return err
		}
		count(s)
	}
}

// first is the failure that came before those that it caused.
func first(all []error) error {
	var found error
	for _, err := range all {
		if err != nil && (found == nil || errors.Is(found, context.Canceled)) {
			found = err
		}
	}
	return found
}

func micros(d time.Duration) uint32 { return uint32(d.Microseconds()) } //nolint:gosec // less than an hour

// counter collects what turns took.
type counter struct {
	mu        sync.Mutex
	took      latencies
	recording bool
	done      int
}

func (c *counter) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	if c.recording {
		c.took = append(c.took, micros(d))
	}
}

func (c *counter) record(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recording = on
}

// talk measures a closed loop of so many people.
func (b *bench) talk(ctx context.Context, s *site, people int) (f figures, err error) {
	var c counter
	return b.watched(ctx, s, people, &c, func(t *talks, until <-chan struct{}) error {
		return t.drive(ctx, until, people, func(s spent) { c.add(s.whole) })
	})
}

// talkOpen lets turns begin at openRate, at random moments, whether or not those
// before have ended.
func (b *bench) talkOpen(ctx context.Context, s *site) (f figures, err error) {
	var c counter
	return b.watched(ctx, s, openRate, &c, func(t *talks, until <-chan struct{}) error {
		var wg sync.WaitGroup
		defer wg.Wait()
		failed := make(chan error, 1)
		for card := 0; ; card = (card + 1) % cards {
			gap := time.NewTimer(time.Duration(rand.ExpFloat64() / openRate * float64(time.Second))) //nolint:gosec // as above
			select {
			case <-until:
				gap.Stop()
				return nil
			case err := <-failed:
				gap.Stop()
				return err
			case <-gap.C:
			}
			wg.Go(func() {
				s, err := t.once(ctx, card)
				if err == nil {
					c.add(s.fromPersisted)
					return
				}
				select {
				case failed <- err:
				default:
				}
			})
		}
	})
}

// watched runs a load, first to warm up, then for the window that counts.
func (b *bench) watched(ctx context.Context, s *site, people int, c *counter, load func(t *talks, until <-chan struct{}) error) (f figures, err error) {
	if err := b.checkpoint(ctx); err != nil {
		return f, err
	}
	t, stop, err := b.startTalks(ctx, s)
	if err != nil {
		return f, err
	}
	defer stop()
	trips, err := s.server.roundTrips(ctx)
	if err != nil {
		return f, err
	}
	until, ended := make(chan struct{}), make(chan error, 1)
	end := sync.OnceFunc(func() { close(until) })
	defer end()
	go func() { ended <- s.server.blame(load(t, until)) }()
	if err := pause(ctx, b.warmUp, ended); err != nil {
		return f, err
	}
	before, began := b.clocks(s), time.Now()
	c.record(true)
	if err := pause(ctx, b.window, ended); err != nil {
		return f, err
	}
	c.record(false)
	after, window := b.clocks(s), time.Since(began)
	end()
	if err := <-ended; err != nil {
		return f, err
	}
	more, err := s.server.roundTrips(ctx)
	if err != nil {
		return f, err
	}
	f = newFigures(people, c.took, window)
	n := len(c.took)
	f.Server, f.Postgres = each(after.server-before.server, n), each(after.postgres-before.postgres, n)
	f.Redis, f.Load = each(after.redis-before.redis, n), each(after.load-before.load, n)
	f.Trips = (more - trips - s.asking) / float64(max(c.done, 1))
	return f, t.strays()
}

// strays are answers that nobody had asked for: there must be none.
func (t *talks) strays() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stray > 0 {
		return fmt.Errorf("%d answers that nobody waited for", t.stray)
	}
	return t.failed
}

// idleReport is what conversations cost that nobody is in.
type idleReport struct {
	Conversations int     `json:"conversations"`
	Before        float64 `json:"before_mb"` // of the server's memory, warmed up
	After         float64 `json:"after_mb"`
	Grown         float64 `json:"grown_mb"`
}

// idle lets everybody have a turn, and looks at the server's memory before and
// after.
func (b *bench) idle(ctx context.Context, s *site) (r idleReport, err error) {
	b.say("%d conversations", idleTalks)
	t, stop, err := b.startTalks(ctx, s)
	if err != nil {
		return r, err
	}
	defer stop()
	const people = turnsAt
	talk := func(from, to int) error { return t.each(ctx, people, from, to) }
	// What the server is made of grows to its size with the first few.
	const few = 500
	if err := talk(0, few); err != nil {
		return r, s.server.blame(err)
	}
	if r.Before, err = memoryOf(s.server.cmd.Process.Pid); err != nil {
		return r, err
	}
	if err := talk(few, idleTalks); err != nil {
		return r, s.server.blame(err)
	}
	r.After, err = memoryOf(s.server.cmd.Process.Pid)
	r.Conversations, r.Grown = idleTalks, r.After-r.Before
	return r, err
}

// each lets so many people have one turn for each of a row of cards.
func (t *talks) each(ctx context.Context, people, from, to int) error {
	failed := make([]error, people)
	var wg sync.WaitGroup
	for i := range people {
		wg.Go(func() {
			p, err := t.phone()
			if err != nil {
				failed[i] = err
				return
			}
			defer p.conn.Close()
			for card := from + i; card < to && failed[i] == nil; card += people {
				_, failed[i] = p.turn(ctx, card)
			}
		})
	}
	wg.Wait()
	return first(failed)
}

// memoryOf is what a process holds in memory, in megabytes.
func memoryOf(pid int) (float64, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 64)
			return kb / 1024, err
		}
	}
	return 0, errors.New("/proc does not say what the server holds in memory")
}
