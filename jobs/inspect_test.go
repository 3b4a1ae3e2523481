package jobs

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/cache"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// What an operator sees of the queues, and what can be done to them, in a real
// Redis.
func TestQueuesAreLookedIntoAndChanged(t *testing.T) {
	client, err := cache.Open(storetest.Redis(t))
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	i, q := NewInspector(client), newQueue(client)
	ctx := t.Context()
	talk := func() Queue {
		all, err := i.Queues(ctx)
		require.NoError(t, err)
		require.Len(t, all, len(queueWeights()))
		require.Equal(t, queueTalk, all[0].Name)
		return all[0]
	}
	assert.Equal(t, Queue{Name: queueTalk}, talk(), "also before anything was put into it")
	for _, id := range []string{"a", "b", "c"} {
		require.NoError(t, q.put(ctx, task{kind: KindTurn, queue: queueTalk, id: id, payload: "person-" + id}))
	}
	assert.Equal(t, 3, talk().Pending)
	tasks, err := i.Tasks(ctx, queueTalk, "pending", 1, 2)
	require.NoError(t, err)
	require.Len(t, tasks, 2)
	assert.Equal(t, KindTurn, tasks[0].Kind)
	assert.Contains(t, tasks[0].Payload, "person-")
	second, err := i.Tasks(ctx, queueTalk, "pending", 2, 2)
	require.NoError(t, err)
	assert.Len(t, second, 1)

	require.NoError(t, i.Act(ctx, queueTalk, "a", "archive"))
	require.NoError(t, i.Act(ctx, queueTalk, "b", "delete"))
	assert.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(i.Act(ctx, queueTalk, "b", "delete")))
	assert.Equal(t, loyalty.CodeConflict, loyalty.CodeOf(i.Act(ctx, queueTalk, "c", "run")), "it is about to run")
	assert.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(i.Act(ctx, queueTalk, "c", "explode")))
	assert.Equal(t, 1, talk().Archived)
	n, err := i.ActAll(ctx, queueTalk, "archived", "run")
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, 2, talk().Pending)
	for range 2 { // a double tap
		require.NoError(t, i.Pause(ctx, queueTalk, true))
		assert.True(t, talk().Paused)
	}
	require.NoError(t, i.Pause(ctx, queueTalk, false))
	assert.False(t, talk().Paused)

	_, err = i.Tasks(ctx, "nada", "pending", 1, 2)
	assert.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(err))
	_, err = i.ActAll(ctx, queueTalk, "active", "delete")
	assert.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(err))
	assert.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(i.Pause(ctx, "nada", true)))
	none, err := i.Tasks(ctx, queueNotices, "archived", 1, 2)
	require.NoError(t, err)
	assert.Empty(t, none)
	client.Close()
	_, err = i.Queues(ctx)
	assert.Equal(t, loyalty.CodeUnavailable, loyalty.CodeOf(err))
}
