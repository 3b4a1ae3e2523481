package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Inspector looks into the queues, for who operates them. What it takes away, the
// sweep and the scheduler put back while there is something to do: the truth is in
// Postgres (law 4).
type Inspector struct{ asynq *asynq.Inspector }

// NewInspector makes an inspector.
func NewInspector(client redis.UniversalClient) *Inspector {
	return &Inspector{asynq.NewInspectorFromRedisClient(client)}
}

// Queue is how a queue is.
type Queue struct {
	Name                                        string
	Paused                                      bool
	Pending, Active, Scheduled, Retry, Archived int
	Latency                                     time.Duration // age of the oldest that waits
	Processed, Failed                           int           // today, in UTC
}

// Task is one task: IDs only.
type Task struct {
	Queue, ID, Kind, Payload, State string
	Retried, Retries                int
	Problem                         string
	FailedAt, NextAt                time.Time
}

// TaskStates are those by which tasks are listed.
func TaskStates() []string { return []string{"pending", "active", "scheduled", "retry", "archived"} }

// Queues gives all queues, also those that nothing was put into yet.
func (i *Inspector) Queues(context.Context) (all []Queue, err error) {
	begun, err := i.asynq.Queues()
	if err != nil {
		return nil, away(err)
	}
	for _, name := range []string{queueTalk, queueNotices, queueTime} {
		if !slices.Contains(begun, name) {
			all = append(all, Queue{Name: name})
			continue
		}
		info, err := i.asynq.GetQueueInfo(name)
		if err != nil {
			return nil, away(err)
		}
		all = append(all, Queue{
			Name: name, Paused: info.Paused, Pending: info.Pending, Active: info.Active, Scheduled: info.Scheduled, Retry: info.Retry,
			Archived: info.Archived, Latency: info.Latency, Processed: info.Processed, Failed: info.Failed,
		})
	}
	return all, nil
}

// Tasks gives a page of a queue's tasks in a state, the first page being 1.
func (i *Inspector) Tasks(_ context.Context, queue, state string, page, size int) ([]Task, error) {
	lists := map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"pending": i.asynq.ListPendingTasks, "active": i.asynq.ListActiveTasks, "scheduled": i.asynq.ListScheduledTasks,
		"retry": i.asynq.ListRetryTasks, "archived": i.asynq.ListArchivedTasks,
	}
	list, ok := lists[state]
	if _, known := queueWeights()[queue]; !ok || !known {
		return nil, loyalty.NotFound(loyalty.CodeNotFound, "No hay una fila o un estado con ese nombre.")
	}
	found, err := list(queue, asynq.Page(page), asynq.PageSize(size))
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, away(err)
	}
	tasks := make([]Task, len(found))
	for n, t := range found {
		tasks[n] = Task{
			Queue: queue, ID: t.ID, Kind: t.Type, Payload: string(t.Payload), State: state, Retried: t.Retried, Retries: t.MaxRetry,
			Problem: t.LastErr, FailedAt: t.LastFailedAt, NextAt: t.NextProcessAt,
		}
	}
	return tasks, nil
}

// Act does something to one task: run, archive or delete it.
func (i *Inspector) Act(_ context.Context, queue, id, verb string) error {
	do, ok := map[string]func(string, string) error{"run": i.asynq.RunTask, "archive": i.asynq.ArchiveTask, "delete": i.asynq.DeleteTask}[verb]
	if !ok {
		return loyalty.NotFound(loyalty.CodeNotFound, "Eso no se le puede hacer a una tarea.")
	}
	err := do(queue, id)
	switch {
	case errors.Is(err, asynq.ErrQueueNotFound), errors.Is(err, asynq.ErrTaskNotFound):
		return loyalty.NotFound(loyalty.CodeNotFound, "Esa tarea ya no está en la fila.")
	case err != nil: // it is at work, or as wished already; or Redis is away
		return &loyalty.Error{Kind: loyalty.KindConflict, Code: loyalty.CodeConflict, Detail: "Esa tarea está en marcha o ya cambió. Vuelve a verla.", Err: err}
	}
	return nil
}

// ActAll does something to all of a queue's tasks in a state, and says to how many.
func (i *Inspector) ActAll(_ context.Context, queue, state, verb string) (int, error) {
	all := map[string]func(string) (int, error){
		"run scheduled": i.asynq.RunAllScheduledTasks, "run retry": i.asynq.RunAllRetryTasks, "run archived": i.asynq.RunAllArchivedTasks,
		"archive pending": i.asynq.ArchiveAllPendingTasks, "archive scheduled": i.asynq.ArchiveAllScheduledTasks, "archive retry": i.asynq.ArchiveAllRetryTasks,
		"delete pending": i.asynq.DeleteAllPendingTasks, "delete scheduled": i.asynq.DeleteAllScheduledTasks, "delete retry": i.asynq.DeleteAllRetryTasks,
		"delete archived": i.asynq.DeleteAllArchivedTasks,
	}
	do, ok := all[verb+" "+state]
	if !ok {
		return 0, loyalty.NotFound(loyalty.CodeNotFound, "Eso no se le puede hacer a estas tareas.")
	}
	n, err := do(queue)
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0, loyalty.NotFound(loyalty.CodeNotFound, "No hay una fila con ese nombre.")
	}
	if err != nil {
		return n, away(err)
	}
	return n, nil
}

// Pause stops a queue, or lets it go on. As it is already is no error.
func (i *Inspector) Pause(ctx context.Context, queue string, stop bool) error {
	all, err := i.Queues(ctx)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(q Queue) bool { return q.Name == queue })
	switch {
	case at < 0:
		return loyalty.NotFound(loyalty.CodeNotFound, "No hay una fila con ese nombre.")
	case all[at].Paused == stop:
		return nil
	case stop:
		err = i.asynq.PauseQueue(queue)
	default:
		err = i.asynq.UnpauseQueue(queue)
	}
	if err != nil {
		return away(err)
	}
	return nil
}

// away says that Redis did not answer.
func away(err error) error {
	return &loyalty.Error{
		Kind: loyalty.KindUnavailable, Code: loyalty.CodeUnavailable, Detail: "Redis no responde: los mensajes siguen saliendo, por barrido.",
		Err: fmt.Errorf("jobs: inspect: %w", err),
	}
}

// Scheduled are the jobs that run by the clock.
func Scheduled() (names []string) {
	for _, job := range periodic() {
		names = append(names, job.name)
	}
	return names
}
