package jobs

import (
	"context"

	"github.com/hibiken/asynq"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// handlers are what tasks lead to.
type handlers struct {
	turn, deliver func(ctx context.Context, person loyalty.ID) error
	job           func(ctx context.Context, job, slot string) error
}

// newMux ties each kind to its handler; a test walks the kinds.
func newMux(h handlers) *asynq.ServeMux {
	mux := asynq.NewServeMux()
	for kind, do := range map[string]func(context.Context, loyalty.ID) error{KindTurn: h.turn, KindDeliver: h.deliver} {
		mux.HandleFunc(kind, func(ctx context.Context, t *asynq.Task) error {
			return do(ctx, loyalty.ID(t.Payload()))
		})
	}
	for _, job := range periodic() {
		mux.HandleFunc(job.name, func(ctx context.Context, t *asynq.Task) error {
			return h.job(ctx, job.name, string(t.Payload()))
		})
	}
	return mux
}
