package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/qoa-conectados/qoa/store"
)

// newLog writes structured lines that carry the trace ID of what they are about.
func newLog(w io.Writer, c config) *slog.Logger {
	var level slog.LevelVar
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level.Set(slog.LevelInfo) // check has refused such a setting
	}
	opt := &slog.HandlerOptions{Level: &level}
	if c.LogFormat == "json" {
		return slog.New(traced{slog.NewJSONHandler(w, opt)})
	}
	return slog.New(traced{slog.NewTextHandler(w, opt)})
}

// traced adds the context's trace ID to each line, so that an HTTP request, the
// message that it caused and the job that sent it are found by one word.
type traced struct{ slog.Handler }

// Handle implements slog.Handler.
func (t traced) Handle(ctx context.Context, r slog.Record) error {
	if id := store.Trace(ctx); id != "" {
		r.AddAttrs(slog.String("trace", id))
	}
	return t.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
