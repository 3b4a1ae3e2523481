package bot

import (
	"context"

	"github.com/qoa-conectados/qoa/store"
)

// Channel is a way to reach people: the simulator, WhatsApp, later others.
type Channel interface {
	// Name is what inbox and outbox call the channel.
	Name() string
	// Send hands a message over; its Body is the text, or the caption of its
	// media. The same MessageID twice must reach the person once. Errors are
	// *SendError where they have a meaning.
	Send(ctx context.Context, m store.Outbound) error
}

// SendError is a failure to send, with its meaning. What is for logs and the
// admin's page and so holds no personal data; Err may, and is shown nowhere.
type SendError struct {
	What  string
	Final bool // trying again is useless
	Err   error
}

// Error implements error.
func (e *SendError) Error() string {
	if e.Err == nil {
		return e.What
	}
	return e.What + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *SendError) Unwrap() error { return e.Err }

// Problem says what happened, without personal data.
func (e *SendError) Problem() string { return e.What }

// Permanent says whether trying again is useless.
func (e *SendError) Permanent() bool { return e.Final }
