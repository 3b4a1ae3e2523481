package main

import (
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
		return slog.New(store.TraceHandler{Handler: slog.NewJSONHandler(w, opt)})
	}
	return slog.New(store.TraceHandler{Handler: slog.NewTextHandler(w, opt)})
}
