package jobs

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// A task that failed is tried again soon and not for long: after that, the
// sweep or the scheduler finds the row that still waits.
const maxRetry = 3

// queue puts tasks into Redis.
type queue struct {
	client    *asynq.Client
	inspector *asynq.Inspector
}

func newQueue(client redis.UniversalClient) *queue {
	return &queue{client: asynq.NewClientFromRedisClient(client), inspector: asynq.NewInspectorFromRedisClient(client)}
}

// task is one task to be put: its ID is the row or slot that it is about.
type task struct {
	kind, queue, id, payload string
	timeout                  time.Duration
}

// put enqueues a task. That it is there already is no error.
func (q *queue) put(ctx context.Context, t task) error {
	if err := q.enqueue(ctx, t); !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	return nil
}

func (q *queue) enqueue(ctx context.Context, t task) error {
	if t.timeout == 0 {
		t.timeout = time.Minute
	}
	_, err := q.client.EnqueueContext(ctx, asynq.NewTask(t.kind, []byte(t.payload)),
		asynq.Queue(t.queue), asynq.TaskID(t.id), asynq.MaxRetry(maxRetry), asynq.Timeout(t.timeout))
	return err
}

// redrive enqueues a task for a row that still waits although it should not.
// asynq refuses an ID that it knows, also of a task that it has given up or
// that died with its worker: the row says that there is work, so it must run.
func (q *queue) redrive(ctx context.Context, t task, now time.Time) error {
	// At work in another process, or orphaned by a killed one: asynq needs half a
	// minute to tell, we don't wait.
	return q.again(ctx, t, now, func() bool { return true })
}

// begin enqueues the task of a job whose slot is not done. One that is at work is
// left alone, however long it takes, until asynq says that nobody is at it.
func (q *queue) begin(ctx context.Context, t task, now time.Time) error {
	return q.again(ctx, t, now, func() bool {
		active, err := q.inspector.ListActiveTasks(t.queue, asynq.PageSize(1000))
		return err == nil && slices.ContainsFunc(active, func(a *asynq.TaskInfo) bool { return a.ID == t.id && a.IsOrphaned })
	})
}

// again enqueues a task that may be known already; lost says of one that is active
// whether to run it all the same.
func (q *queue) again(ctx context.Context, t task, now time.Time, lost func() bool) error {
	err := q.enqueue(ctx, t)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	info, err := q.inspector.GetTaskInfo(t.queue, t.id)
	if err == nil {
		switch info.State {
		case asynq.TaskStatePending, asynq.TaskStateScheduled, asynq.TaskStateRetry, asynq.TaskStateAggregating:
			return nil // its time comes
		case asynq.TaskStateArchived, asynq.TaskStateCompleted:
			if err := q.inspector.DeleteTask(t.queue, t.id); err == nil {
				return q.put(ctx, t)
			}
		case asynq.TaskStateActive:
			if !lost() {
				return nil
			}
		}
	}
	t.id += "@" + strconv.FormatInt(now.Unix()/10, 10)
	return q.put(ctx, t)
}
