package store

import (
	"context"
	"log/slog"
)

type traceKey struct{}

// WithTrace gives a context that carries a trace ID: what one request, message
// or job sets off is found in the logs by it, across doors and processes.
func WithTrace(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, traceKey{}, id)
}

// Trace is the trace ID that ctx carries, or "".
func Trace(ctx context.Context) string {
	id, _ := ctx.Value(traceKey{}).(string)
	return id
}

// TraceHandler gives each line of a log the trace ID of its context, so that no
// caller has to: an HTTP request, the message that it caused and the job that
// sent it are found by one word.
type TraceHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (t TraceHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := Trace(ctx); id != "" {
		r.AddAttrs(slog.String("trace_id", id))
	}
	return t.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (t TraceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return TraceHandler{t.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (t TraceHandler) WithGroup(name string) slog.Handler {
	return TraceHandler{t.Handler.WithGroup(name)}
}
