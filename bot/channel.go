package bot

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Channel is a way to reach people: the simulator, WhatsApp by a linked device,
// WhatsApp by Meta's API. It may be used by many goroutines at once.
type Channel interface {
	// Name is what inbox and outbox call the channel.
	Name() string
	// Start brings the channel up and returns; from then on, until Stop, what
	// people write goes to the sink. A channel is started once.
	Start(ctx context.Context, sink Sink) error
	// Stop ends in order: what is being received is finished, and nothing comes
	// after it has returned.
	Stop(ctx context.Context) error
	// Send hands a message over; its Body is the text, or the caption of its
	// media. The same MessageID twice must reach the person once. Errors are
	// *SendError where they have a meaning.
	Send(ctx context.Context, m store.Outbound) error
	// Status says how the channel is, without asking anybody far away.
	Status(ctx context.Context) Health
}

// Sink takes what a channel receives. An error means that it was not persisted:
// the channel must not acknowledge it, so that it comes again.
type Sink interface {
	// Receive persists a message. One that is known already is no error.
	Receive(ctx context.Context, in store.Inbound) error
	// Delivered notes how far messages of ours came: see the constants.
	Delivered(ctx context.Context, messageIDs []string, at time.Time, state string) error
}

// How far a sent message came.
const (
	StateDelivered = "delivered" // it is on the person's phone
	StateRead      = "read"
)

// Health is how a channel is.
type Health struct {
	State   string         // ok, degraded or down
	Detail  string         // a sentence for a person, es-MX; may be empty
	Numbers []NumberHealth // that this process holds; none where the channel knows no numbers
}

// What a channel's state can be.
const (
	HealthOK       = "ok"
	HealthDegraded = "degraded"
	HealthDown     = "down"
)

// NumberHealth is how one number is. It holds no phone.
type NumberHealth struct {
	Number  loyalty.ID
	Status  string    // as in store.NumberStatus
	AliveAt time.Time // the last round trip to the other side and back
}

// SendError is a failure to send, with its meaning. What is for logs and the
// admin's page and so holds no personal data; Err may, and is shown nowhere.
type SendError struct {
	What  string
	Final bool          // trying again is useless
	After time.Duration // try again no sooner than this; 0 leaves it to who sends
	Held  bool          // the message is not the reason: the attempt need not count
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

// RetryAfter is how long to wait at least before the next attempt.
func (e *SendError) RetryAfter() time.Duration { return e.After }

// Uncounted says whether the attempt failed for a reason that is not the
// message's own, such as a number that may not send now.
func (e *SendError) Uncounted() bool { return e.Held }
