package jobs

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestHandsTakeWhatTheyCanAndNoMore(t *testing.T) {
	h := newHands(quiet())
	h.widen(2)
	turn := func(n int) store.Event {
		return store.Event{Kind: store.TurnDue, ID: loyalty.ID(fmt.Sprint(n))}
	}
	assert.False(t, h.take(turn(0)), "nobody here can do it")
	leave, done := make(chan struct{}), make(chan loyalty.ID, 20)
	h.learn(skill{kind: store.TurnDue}, ability{do: func(ctx context.Context, person loyalty.ID) error {
		<-leave
		done <- person
		if person == "1" {
			panic("a defect")
		}
		return ctx.Err()
	}})
	assert.False(t, h.take(store.Event{Kind: store.DeliveryDue}), "of another kind")
	assert.False(t, h.take(store.Event{Kind: store.TurnDue, Number: "n"}), "of a number that is not served here")
	const most = 2 + 2*waitingPerHand
	for n := range most {
		require.True(t, h.take(turn(n)), "%d", n)
	}
	assert.False(t, h.take(turn(most)), "more than may wait")
	close(leave)
	for range most {
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Fatal("a hand has stopped")
		}
	}
	h.forget(skill{kind: store.TurnDue})
	assert.False(t, h.take(turn(0)))
}

func TestAGateLetsTheLastOneLeave(t *testing.T) {
	var g gate
	require.True(t, g.enter())
	assert.True(t, g.open())
	assert.False(t, g.close(0), "somebody is inside")
	assert.False(t, g.open())
	assert.False(t, g.enter())
	go g.leave()
	assert.True(t, g.close(5*time.Second))
	assert.True(t, g.close(0), "again is harmless")
	assert.True(t, new(gate).close(0), "nobody was ever inside")
}

// What this process does itself does not pass through Redis; the rest does.
func TestOnlyWhatNobodyHereCanDoGoesToRedis(t *testing.T) {
	w := newTown(t, time.Now)
	w.write(2, 1)
	waiting, err := w.bell.queue.inspector.ListPendingTasks(queueTalk)
	require.NoError(t, err)
	assert.Len(t, waiting, 2, "no worker yet")
	w.worker()
	w.arrives(2)
	require.NoError(t, w.bell.queue.inspector.PauseQueue(queueTalk))
	w.write(1, 1)
	w.arrives(3)
	w.settled()
}
