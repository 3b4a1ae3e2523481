package api

import (
	"bufio"
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// heartbeat is how often a quiet event stream writes: so that proxies keep it,
// and so that we notice who has gone.
const heartbeat = 15 * time.Second

// longestStream bounds an event stream; browsers come back by themselves.
const longestStream = time.Hour

// cardEvents tells the open page when its card changed. It names nothing: the
// page fetches what is new.
func (s *server) cardEvents(c *fiber.Ctx) error {
	if s.Cards == nil {
		return fiber.ErrNotFound
	}
	var person loyalty.ID
	ok, err := s.asOwner(c, func(_ context.Context, _ *store.Tx, p loyalty.ID) error {
		person = p
		return nil
	})
	if !ok {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Accel-Buffering", "no")
	if c.Method() == fiber.MethodHead {
		return nil
	}
	// The stream outlives this handler, its context and its fiber.Ctx.
	ctx := store.WithTrace(context.Background(), store.Trace(c.UserContext()))
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) { s.stream(ctx, w, person) })
	return nil
}

func (s *server) stream(ctx context.Context, w *bufio.Writer, person loyalty.ID) {
	ctx, cancel := context.WithTimeout(ctx, longestStream)
	defer cancel()
	changed, stop := s.Cards.Subscribe(ctx, person)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	write := func(text string) bool {
		_, err := w.WriteString(text)
		return err == nil && w.Flush() == nil // an error: the reader has gone
	}
	if !write("retry: 2000\n: hola\n\n") {
		return
	}
	for {
		select {
		case <-s.done:
			return
		case <-ctx.Done():
			return
		case _, open := <-changed:
			if !open || !write("event: changed\ndata: {}\n\n") {
				return
			}
		case <-beat.C:
			if !write(": sigo aquí\n\n") {
				return
			}
		}
	}
}
