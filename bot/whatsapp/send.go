package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
)

// send hands a message to WhatsApp and waits until it has it. The message keeps
// its ID through all attempts: one that timed out may have arrived, and whoever
// receives the second knows it by its ID.
func (s *session) send(ctx context.Context, m store.Outbound) error {
	err := s.trySend(ctx, m)
	result := "sent"
	var failed *bot.SendError
	if errors.As(err, &failed) {
		if result = "retry"; failed.Final {
			result = "failed"
		}
	}
	s.fleet.metrics.sent.WithLabelValues(string(s.id()), result).Inc()
	return err
}

func (s *session) trySend(ctx context.Context, m store.Outbound) error {
	to, err := chatOf(m.Chat)
	if err != nil {
		return &bot.SendError{What: "no chat to write to", Final: true, Err: err}
	}
	// The lease's end is the send's end, too.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if err := s.waitUp(ctx); err != nil {
		return err
	}
	c, g := s.device()
	if c == nil {
		return errNotLinked
	}
	if m.Lane == store.LaneReply && m.ReplyTo != "" {
		s.attend(ctx, c, to, m.ReplyTo)
	}
	message, err := s.compose(ctx, c, m)
	if err != nil {
		return err
	}
	// One at a time. whatsmeow would let the others wait where no context reaches
	// them, and send what its sender has long given up.
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return &bot.SendError{What: "another message took too long", Held: true, Err: ctx.Err()}
	}
	marked, end := g.sending(ctx)
	defer end()
	_, err = c.SendMessage(marked, to, message, whatsmeow.SendRequestExtra{ID: m.MessageID, Timeout: s.fleet.opt.Timing.Ack})
	if err != nil {
		return s.sendError(err)
	}
	s.lives() // a round trip as good as any
	return nil
}

var errNotLinked = &bot.SendError{What: "the number is not linked", Held: true}

// waitUp waits a moment for a connection that is being made.
func (s *session) waitUp(ctx context.Context) error {
	t := time.NewTimer(s.fleet.opt.Timing.WaitUp)
	defer t.Stop()
	select {
	case <-s.upChan():
		return nil
	case <-t.C:
	case <-ctx.Done():
	}
	return &bot.SendError{What: "the number is not connected", Held: true, Err: ctx.Err()}
}

// attend shows that the message was read and is being answered. Both are a
// courtesy: an answer does not fail for them.
func (s *session) attend(ctx context.Context, c *whatsmeow.Client, to types.JID, messageID string) {
	err := c.MarkRead(ctx, []types.MessageID{messageID}, time.Now(), to, types.EmptyJID)
	if err == nil {
		err = c.SendChatPresence(ctx, to, types.ChatPresenceComposing, types.ChatPresenceMediaText)
	}
	if err != nil {
		s.log.Debug("not shown as read", "error", withoutNumbers(err))
	}
}

// compose makes the message, and uploads its picture.
func (s *session) compose(ctx context.Context, c *whatsmeow.Client, m store.Outbound) (*waE2E.Message, error) {
	if m.Media == "" {
		return s.fleet.textMessage(m.Body), nil
	}
	png, err := bot.Picture(s.fleet.opt.DB.PublicURL(), m)
	if err != nil {
		return nil, &bot.SendError{What: "its picture cannot be drawn", Final: true, Err: err}
	}
	up, err := c.Upload(ctx, png, whatsmeow.MediaImage)
	if err != nil {
		return nil, &bot.SendError{What: "its picture was not uploaded", Err: err}
	}
	message, err := imageMessage(m.Body, png, up)
	if err != nil {
		return nil, &bot.SendError{What: "its picture cannot be drawn", Final: true, Err: err}
	}
	return message, nil
}

// WhatsApp's own codes for a message that it does not take.
const (
	codeTimelock = 463 // this number may not begin conversations now
	codeTooMany  = 429
)

// sendError says what a failure to send means.
func (s *session) sendError(err error) error {
	failure := &bot.SendError{What: "WhatsApp did not take it", Err: err}
	if n, ok := refusal(err); ok {
		failure.What = fmt.Sprintf("WhatsApp refused it (%d)", n)
		switch {
		case n == codeTimelock:
			failure.Held, failure.After = true, unknownTimelock/4
			select {
			case s.events <- &events.NotifyAccountReachoutTimelock{IsActive: true}:
			default: // run is busy, and the next refusal tells it
			}
		case n == codeTooMany:
			failure.Held, failure.After = true, time.Minute
		case n >= 400 && n < 500:
			failure.Final = true
		}
		return failure
	}
	var cut *whatsmeow.DisconnectedError
	switch {
	case errors.Is(err, whatsmeow.ErrMessageTimedOut):
		failure.What = "WhatsApp did not confirm it in time"
	case errors.As(err, &cut), errors.Is(err, whatsmeow.ErrNotConnected):
		failure.What = "the connection broke"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		failure.What = "there was no time left"
	case errors.Is(err, whatsmeow.ErrNotLoggedIn):
		failure.What, failure.Held = "the number is not linked", true
	}
	return failure
}

// refusal reads the code with which the server refused a message. whatsmeow gives
// it as words.
func refusal(err error) (code int, ok bool) {
	if !errors.Is(err, whatsmeow.ErrServerReturnedError) {
		return 0, false
	}
	_, scanErr := fmt.Sscanf(err.Error(), whatsmeow.ErrServerReturnedError.Error()+" %d", &code)
	return code, scanErr == nil
}

// device gives the client with its guard: they belong together.
func (s *session) device() (*whatsmeow.Client, *guard) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client, s.guard
}
