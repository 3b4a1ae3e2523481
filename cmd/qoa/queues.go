package main

import (
	"context"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/jobs"
)

// queues shows the queues of the jobs to the door of HTTP.
type queues struct{ *jobs.Inspector }

// Queues implements api.Queues.
func (q queues) Queues(ctx context.Context) ([]api.Queue, error) {
	all, err := q.Inspector.Queues(ctx)
	out := make([]api.Queue, len(all))
	for i, v := range all {
		out[i] = api.Queue(v)
	}
	return out, err
}

// Tasks implements api.Queues.
func (q queues) Tasks(ctx context.Context, queue, state string, page, size int) ([]api.Task, error) {
	all, err := q.Inspector.Tasks(ctx, queue, state, page, size)
	out := make([]api.Task, len(all))
	for i, v := range all {
		out[i] = api.Task(v)
	}
	return out, err
}
