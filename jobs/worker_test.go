package jobs

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestEveryKindHasAHandler(t *testing.T) {
	mux := newMux(handlers{})
	kinds := []string{KindTurn, KindDeliver}
	runner := &Runner{}
	for _, job := range periodic() {
		kinds = append(kinds, job.name)
		_, err := runner.jobOf(job.name)
		assert.NoError(t, err, job.name)
	}
	assert.ElementsMatch(t, []string{
		KindTurn, KindDeliver, KindNudges, KindDigests, KindROI, KindRollup, KindRebuild, KindVersions, KindMature, KindBudgets, KindBalances,
		KindDates, KindExpire, KindWarnings, KindTiers, KindSegments, KindVerify, KindQuotas, KindImports, KindTidy,
	}, kinds)
	assert.ElementsMatch(t, []string{KindRollup, KindVersions, KindMature, KindBudgets, KindBalances, KindExpire, KindImports, KindTidy}, frequent())
	for _, kind := range kinds {
		_, pattern := mux.Handler(asynq.NewTask(kind, nil))
		assert.Equal(t, kind, pattern)
	}
}

func TestEachMessageIsAnsweredOnceInOrderByTwoWorkers(t *testing.T) {
	w := newTown(t, time.Now)
	w.worker()
	w.worker()
	const people, each = 10, 8
	w.write(people, each)
	w.arrives(people * each)
	w.inOrder(people, each)
	w.settled()
}

func TestAnAnswerIsQuick(t *testing.T) {
	w := newTown(t, time.Now)
	w.worker()
	w.write(1, 1) // whatever has to warm up
	w.arrives(1)
	start := time.Now()
	w.write(1, 1)
	w.arrives(2)
	assert.Less(t, time.Since(start), 900*time.Millisecond, "the bell, and not the sweep, brings the answer")
}

func TestAnEmptiedRedisLosesNothing(t *testing.T) {
	w := newTown(t, time.Now)
	const people, each = 10, 5
	w.write(people, each) // nobody works yet
	require.NoError(t, w.redis.FlushDB(t.Context()).Err())
	w.worker()
	w.arrives(people * each)
	w.inOrder(people, each)
	w.settled()
}

func TestRedisEmptiedAgainAndAgainUnderWay(t *testing.T) {
	w := newTown(t, time.Now)
	w.worker()
	const people, each = 8, 10
	for n := range each {
		for p := range people {
			w.do(func(tx *store.Tx) error {
				_, err := tx.SimReceive(t.Context(), number(p), "", strconv.Itoa(n), "text", "")
				return err
			})
			if p%3 == 0 { // the worker is in the midst of it
				require.NoError(t, w.redis.FlushDB(t.Context()).Err())
			}
		}
	}
	w.arrives(people * each)
	w.inOrder(people, each)
	w.settled()
}

func TestWithoutRedisEverythingIsAnsweredAllTheSame(t *testing.T) {
	clock := storetest.NewClock(time.Date(2026, 3, 5, 17, 42, 11, 0, time.UTC))
	w := newTown(t, clock.Now)
	w.redis.Close()
	const people, each = 3, 3
	w.write(people, each) // the rings are lost, the messages are not
	s := NewWorker(w.options()).sweeper
	require.NoError(t, s.sweep(t.Context()))
	got, _ := w.phone.count()
	assert.Zero(t, got, "a ring may still be under way")
	for range 2 { // what came in, then what is to go out
		clock.Advance(2 * patience)
		require.NoError(t, s.sweep(t.Context()))
	}
	w.inOrder(people, each)
	w.settled()
}

func TestATaskThatDiedWithItsWorkerIsDrivenAgain(t *testing.T) {
	for name, state := range map[string]func(t *testing.T, w *town, id string){
		"archived": func(t *testing.T, w *town, id string) {
			require.NoError(t, w.bell.queue.inspector.ArchiveTask(queueTalk, id))
		},
		"active": func(t *testing.T, w *town, id string) {
			// As a killed worker leaves it: taken off the queue, nobody at it.
			require.NoError(t, w.redis.RPopLPush(t.Context(), "asynq:{talk}:pending", "asynq:{talk}:active").Err())
			require.NoError(t, w.redis.HSet(t.Context(), "asynq:{talk}:t:"+id, "state", "active").Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t, time.Now)
			w.write(1, 1)
			tasks, err := w.bell.queue.inspector.ListPendingTasks(queueTalk)
			require.NoError(t, err)
			require.Len(t, tasks, 1)
			state(t, w, tasks[0].ID)
			w.worker()
			w.arrives(1)
			w.inOrder(1, 1)
		})
	}
}

func TestASenderThatFailsIsTriedAgainInOrder(t *testing.T) {
	w := newTown(t, time.Now)
	var failures atomic.Int64
	w.phone.failing(func(store.Outbound) error {
		if failures.Add(1) <= 2 {
			return errors.New("no connection to +525512340000")
		}
		return nil
	})
	w.worker()
	w.write(1, 3)
	w.arrives(3)
	w.inOrder(1, 3)
	assert.EqualValues(t, 5, failures.Load(), "3 messages, 2 failures: nothing was sent twice or overtook")
	w.settled()
}

func TestAMessageThatCannotBeSentIsADeadLetterAndTheNextGoes(t *testing.T) {
	w := newTown(t, time.Now)
	w.phone.failing(func(m store.Outbound) error {
		switch m.Body {
		case "echo 0":
			return failure{problem: "number is gone", permanent: true, err: errors.New("+525512340000")}
		case "echo 1":
			panic("a defect in the channel")
		}
		return nil
	})
	d := NewWorker(w.options())
	w.write(1, 3)
	person := w.person(0)
	require.NoError(t, echo{w.db}.HandleTurns(t.Context(), person))
	require.NoError(t, d.sweeper.deliver(t.Context(), person))
	w.do(func(tx *store.Tx) error {
		problems, _, err := tx.Letters(t.Context(), loyalty.System(), store.LetterFilter{Status: store.OutboxFailed}, store.Page{Limit: 10})
		require.Len(t, problems, 1)
		assert.Equal(t, "number is gone", problems[0].Problem, "and no phone")
		return err
	})
	assert.Empty(t, w.phone.of(number(0)), "the second waits to be tried again, the third behind it")
}

func (w *town) person(p int) (id loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		id, err = tx.FindPhone(context.Background(), number(p))
		return err
	})
	return id
}

func TestATemplateThatDoesNotRenderIsADeadLetter(t *testing.T) {
	w := newTown(t, time.Now)
	d := NewWorker(w.options())
	w.write(1, 1)
	w.do(func(tx *store.Tx) error {
		_, err := tx.Notify(t.Context(), store.Notice{Person: w.personIn(tx), Lane: store.LaneReceipt, Template: "broken"})
		return err
	})
	require.NoError(t, d.sweeper.deliver(t.Context(), w.person(0)))
	w.do(func(tx *store.Tx) error {
		problems, _, err := tx.Letters(t.Context(), loyalty.System(), store.LetterFilter{Status: store.OutboxFailed}, store.Page{Limit: 10})
		require.Len(t, problems, 1)
		assert.Contains(t, problems[0].Problem, "broken")
		return err
	})
}

func (w *town) personIn(tx *store.Tx) loyalty.ID {
	w.t.Helper()
	id, err := tx.FindPhone(context.Background(), number(0))
	require.NoError(w.t, err)
	return id
}

func TestBackoffGrowsAndEnds(t *testing.T) {
	last := time.Duration(0)
	for n := 1; n <= maxSends; n++ {
		assert.GreaterOrEqual(t, backoff(n), last)
		last = backoff(n)
	}
	assert.Equal(t, time.Second, backoff(1))
	assert.Equal(t, 15*time.Minute, last)
}

func TestShutdownLetsWorkEnd(t *testing.T) {
	w := newTown(t, time.Now)
	entered, leave := make(chan struct{}), make(chan struct{})
	w.phone.failing(func(store.Outbound) error {
		close(entered)
		<-leave
		return nil
	})
	worker := w.worker()
	w.write(1, 1)
	<-entered
	stopped := make(chan struct{})
	go func() {
		worker.Shutdown()
		close(stopped)
	}()
	close(leave)
	<-stopped
	w.inOrder(1, 1)
	w.settled()
}

func TestLanesRunOneAtATimeAndLookOnceMore(t *testing.T) {
	l := newLanes()
	entered, leave := make(chan struct{}), make(chan struct{})
	runs := 0
	done := make(chan error)
	go func() {
		done <- l.do("ana", func() error {
			if runs++; runs == 1 {
				close(entered)
				<-leave
			}
			return nil
		})
	}()
	<-entered
	assert.True(t, l.working("ana"))
	require.NoError(t, l.do("ana", func() error { panic("two at once") }))
	require.NoError(t, l.do("luis", func() error { return nil }), "others don't wait")
	close(leave)
	require.NoError(t, <-done)
	assert.Equal(t, 2, runs)
	assert.False(t, l.working("ana"))

	failed := errors.New("failed")
	require.ErrorIs(t, l.do("ana", func() error { return failed }), failed)
	assert.Panics(t, func() { _ = l.do("ana", func() error { panic("a defect") }) })
	assert.False(t, l.working("ana"), "neither locks the lane for ever")
}
