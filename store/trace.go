package store

import "context"

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
