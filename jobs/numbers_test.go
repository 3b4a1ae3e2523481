package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// number makes a connected number.
func (w *town) number(label string) (id loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		n, err := tx.CreateNumber(context.Background(), loyalty.System(), label)
		id = n.ID
		return err
	})
	w.do(func(tx *store.Tx) error {
		held, err := tx.LeaseNumbers(context.Background(), label, time.Hour, 1)
		if err != nil {
			return err
		}
		require.Len(w.t, held, 1)
		connected, paired := store.NumberConnected, tx.Now().Add(-100*24*time.Hour)
		return tx.NumberState(context.Background(), held[0].Lease(), store.NumberState{Status: &connected, PairedAt: &paired})
	})
	return id
}

// another is a process that shares database and Redis with the first.
func (w *town) another() *Bell { return NewBell(w.redis, nil, quiet(), NewMetrics(nil)) }

func (w *town) numbers(bell *Bell) *Numbers {
	return NewNumbers(NumbersOptions{
		DB: w.db, Redis: w.redis, Bell: bell, Texts: plain{}, Lease: 5 * time.Second, Sweep: 200 * time.Millisecond, Drain: 5 * time.Second,
	})
}

// writes lets people write to a number.
func (w *town) writes(to loyalty.ID, people, each int) {
	w.t.Helper()
	for n := range each {
		for p := range people {
			w.do(func(tx *store.Tx) error {
				_, err := tx.Receive(context.Background(), store.Inbound{
					Channel: "whatsapp", Number: to, From: number(p), MessageID: fmt.Sprintf("in-%s-%d-%d", to, p, n), Kind: store.KindText, Text: fmt.Sprint(n),
				})
				return err
			})
		}
	}
	w.bell.Flush(context.Background())
}

// The worker answers, and the process that owns the number sends.
func TestANumbersMessagesAreSentByItsOwner(t *testing.T) {
	for name, redis := range map[string]string{"rung": "", "found by the sweep": "emptied"} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, time.Now)
			to, other := w.number("one"), w.number("two")
			const people, each = 6, 4
			w.worker() // serves no number
			w.writes(to, people, each)
			w.writes(other, 1, 1)
			if redis == "emptied" {
				require.NoError(t, w.redis.FlushDB(t.Context()).Err())
			}
			stop := w.numbers(w.another()).Serve(t.Context(), to, w.phone.Send)
			w.arrives(people * each)
			w.inOrder(people, each)
			stop()
			w.do(func(tx *store.Tx) error {
				b, err := tx.Backlog(t.Context())
				assert.EqualValues(t, 1, b.Outbox, "what nobody's number has to send")
				return err
			})
			stop2 := w.numbers(w.another()).Serve(t.Context(), other, w.phone.Send)
			defer stop2()
			w.arrives(people*each + 1)
		})
	}
}

func TestWithoutRedisANumbersOwnerSendsAllTheSame(t *testing.T) {
	w := newTown(t, time.Now)
	to := w.number("one")
	w.writes(to, 3, 2)
	for p := range 3 {
		require.NoError(t, echo{w.db}.HandleTurns(t.Context(), w.person(p)))
	}
	w.redis.Close()
	bell := w.another()
	stop := w.numbers(bell).Serve(t.Context(), to, w.phone.Send)
	defer stop()
	w.arrives(6)
	w.inOrder(3, 2)
}

// holding is a sender that waits until it may go on, or is called off.
type holding struct {
	entered, leave chan struct{}
	ids            chan string
}

func newHolding() *holding {
	return &holding{entered: make(chan struct{}, 10), leave: make(chan struct{}), ids: make(chan string, 10)}
}

func (h *holding) Send(ctx context.Context, m store.Outbound) error {
	h.ids <- m.MessageID
	h.entered <- struct{}{}
	select {
	case <-h.leave:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestStoppingANumberLetsTheSendEnd(t *testing.T) {
	w := newTown(t, time.Now)
	to := w.number("one")
	h := newHolding()
	stop := w.numbers(w.bell).Serve(t.Context(), to, h.Send)
	w.worker()
	w.writes(to, 1, 2)
	<-h.entered
	stopped := make(chan struct{})
	go func() {
		stop()
		close(stopped)
	}()
	close(h.leave)
	select {
	case <-stopped:
	case <-time.After(10 * time.Second):
		t.Fatal("it does not stop")
	}
	assert.Len(t, h.ids, 1, "nothing was begun any more")
	stop() // again is harmless
	defer w.numbers(w.another()).Serve(t.Context(), to, w.phone.Send)()
	w.arrives(1)
	assert.Equal(t, []string{"echo 1"}, w.phone.of(number(0)), "the first was sent, and is noted")
}

// A lease that ends calls sends off at once, and the next owner sends the same
// message, under the same ID, without waiting.
func TestALostNumberIsSentThroughByTheNextOwner(t *testing.T) {
	for name, how := range map[string]string{"called off": "", "killed": "killed"} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, time.Now)
			to := w.number("one")
			ctx, lost := context.WithCancel(t.Context())
			h := newHolding()
			if how == "killed" {
				// As a killed process leaves it: claimed, and nobody at it.
				w.writes(to, 1, 1)
				require.NoError(t, echo{w.db}.HandleTurns(t.Context(), w.person(0)))
				w.do(func(tx *store.Tx) error {
					m, ok, err := tx.Claim(t.Context(), w.person(0), to, time.Hour)
					require.True(t, ok)
					h.ids <- m.MessageID
					return err
				})
				lost()
			} else {
				stop := w.numbers(w.bell).Serve(ctx, to, h.Send)
				w.worker()
				w.writes(to, 1, 1)
				<-h.entered
				lost()
				stop()
			}
			defer w.numbers(w.another()).Serve(t.Context(), to, w.phone.Send)()
			w.arrives(1)
			assert.Equal(t, []string{<-h.ids}, w.phone.ids)
		})
	}
}

// query is a connection for looking at rows.
func (w *town) query() *pgx.Conn {
	w.t.Helper()
	conn, err := pgx.Connect(context.Background(), w.url)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// weak is a failure to send as channels describe it.
type weak struct {
	final, held bool
	after       time.Duration
}

func (weak) Error() string               { return "to +525512340000" }
func (weak) Problem() string             { return "it did not work" }
func (e weak) Permanent() bool           { return e.final }
func (e weak) Uncounted() bool           { return e.held }
func (e weak) RetryAfter() time.Duration { return e.after }

func TestFailuresToSendAreTreatedByTheirClass(t *testing.T) {
	w := newTown(t, time.Now)
	d := NewWorker(w.options()).deliverer
	send := func(p int, failure error) (status string, attempts int, due time.Duration) {
		w.phone.failing(func(store.Outbound) error { return failure })
		w.write(p+1, 1)
		person := w.person(p)
		require.NoError(t, echo{w.db}.HandleTurns(t.Context(), person))
		require.NoError(t, d.deliver(t.Context(), person))
		require.NoError(t, w.query().QueryRow(t.Context(), `SELECT status, attempts, extract(epoch FROM due_at - now())::int FROM outbox WHERE person_id = $1`, person).
			Scan(&status, &attempts, &due))
		return status, attempts, due * time.Second
	}
	status, attempts, due := send(0, weak{})
	assert.Equal(t, "queued", status)
	assert.Equal(t, 1, attempts)
	assert.LessOrEqual(t, due, backoff(1))

	status, attempts, due = send(1, weak{after: time.Hour})
	assert.Equal(t, "queued", status)
	assert.Equal(t, 1, attempts)
	assert.InDelta(t, time.Hour, due, float64(10*time.Second))

	status, attempts, due = send(2, weak{held: true})
	assert.Equal(t, "queued", status)
	assert.Zero(t, attempts, "it is not the message's fault")
	assert.InDelta(t, leastHold, due, float64(2*time.Second))

	status, _, _ = send(3, weak{final: true})
	assert.Equal(t, "failed", status)
}

// A message that takes the process with it each time is not tried for ever.
func TestAMessageThatKillsItsSenderIsADeadLetter(t *testing.T) {
	w := newTown(t, time.Now)
	d := NewWorker(w.options()).deliverer
	w.write(1, 1)
	person := w.person(0)
	require.NoError(t, echo{w.db}.HandleTurns(t.Context(), person))
	for range maxSends {
		w.do(func(tx *store.Tx) error {
			_, ok, err := tx.Claim(t.Context(), person, "", -time.Second) // a claim that has lapsed
			require.True(t, ok)
			return err
		})
	}
	require.NoError(t, d.deliver(t.Context(), person))
	assert.Empty(t, w.phone.ids)
	w.do(func(tx *store.Tx) error {
		problems, _, err := tx.Letters(t.Context(), loyalty.System(), store.LetterFilter{Status: store.OutboxFailed}, store.Page{Limit: 10})
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0].Problem, "process ended")
		return err
	})
}

// A dead letter can be sent again, whatever asynq remembers of it.
func TestADeadLetterIsDrivenAgain(t *testing.T) {
	w := newTown(t, time.Now)
	var broken atomic.Bool
	broken.Store(true)
	w.phone.failing(func(store.Outbound) error {
		if broken.Load() {
			return failure{problem: "number is gone", permanent: true, err: errors.New("gone")}
		}
		return nil
	})
	d := NewWorker(w.options()).deliverer
	w.write(1, 1)
	person := w.person(0)
	require.NoError(t, echo{w.db}.HandleTurns(t.Context(), person))
	require.NoError(t, d.deliver(t.Context(), person))
	var row loyalty.ID
	w.do(func(tx *store.Tx) error {
		problems, _, err := tx.Letters(t.Context(), loyalty.System(), store.LetterFilter{Status: store.OutboxFailed}, store.Page{Limit: 1})
		require.Len(t, problems, 1)
		row = problems[0].ID
		return err
	})
	// asynq has given up a task of that ID, and keeps it.
	w.bell.Flush(t.Context())
	_, err := w.bell.queue.client.Enqueue(asynq.NewTask(KindDeliver, nil), asynq.TaskID(string(row)), asynq.Queue(queueTalk))
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		require.NoError(t, err)
	}
	require.NoError(t, w.bell.queue.inspector.ArchiveTask(queueTalk, string(row)))
	broken.Store(false)
	w.do(func(tx *store.Tx) error { return tx.Redrive(t.Context(), loyalty.System(), row) })
	w.worker()
	w.arrives(1)
	w.settled()
}
