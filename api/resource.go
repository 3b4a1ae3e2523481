package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The nouns of the catalogue all speak alike. What follows is that likeness: a
// noun says what it reads and what it shows, and calls its use case.

// tx runs one use case in its transaction.
func tx[T any](s *server, c *fiber.Ctx, fn func(context.Context, *store.Tx) (T, error)) (T, error) {
	var v T
	ctx := c.UserContext()
	err := s.DB.InTx(ctx, func(t *store.Tx) (err error) {
		v, err = fn(ctx, t)
		return err
	})
	return v, err
}

// create answers a POST: body In, use case, 201 with what was made.
func create[In, N, Out any](s *server, c *fiber.Ctx, show func(N) Out, make func(context.Context, *store.Tx, loyalty.Scope, In) (N, error)) error {
	in, err := body[In](c)
	if err != nil {
		return err
	}
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (N, error) { return make(ctx, t, scopeOf(c), in) })
	if err != nil {
		return err
	}
	return data(c, http.StatusCreated, show(v))
}

// once answers a POST that a repeat does not do again: 201, or 200 with the first
// answer.
func once[Out any](s *server, c *fiber.Ctx, do func(context.Context, *store.Tx) (Out, bool, error)) error {
	var replayed bool
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (v Out, err error) {
		v, replayed, err = do(ctx, t)
		return v, err
	})
	if err != nil {
		return err
	}
	return answerOnce(c, v, replayed)
}

// answerOnce is the answer of once.
func answerOnce[Out any](c *fiber.Ctx, v Out, replayed bool) error {
	if replayed {
		c.Set("Idempotent-Replayed", "true")
		return data(c, http.StatusOK, v)
	}
	return data(c, http.StatusCreated, v)
}

// as shows what is made to be shown.
func as[T any](v T) T { return v }

// update answers a PATCH of one thing.
func update[In, N, Out any](s *server, c *fiber.Ctx, show func(N) Out, change func(context.Context, *store.Tx, loyalty.Scope, loyalty.ID, In) (N, error)) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	in, err := body[In](c)
	if err != nil {
		return err
	}
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (N, error) { return change(ctx, t, scopeOf(c), id, in) })
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, show(v))
}

// one answers a GET of one thing.
func one[N, Out any](s *server, c *fiber.Ctx, show func(N) Out, get func(*store.Tx, context.Context, loyalty.Scope, loyalty.ID) (N, error)) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	v, err := tx(s, c, func(ctx context.Context, t *store.Tx) (N, error) { return get(t, ctx, scopeOf(c), id) })
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, show(v))
}

// many answers a GET of a list.
func many[N, Out any](s *server, c *fiber.Ctx, show func(N) Out, list func(context.Context, *store.Tx, loyalty.Scope, store.Page) ([]N, loyalty.ID, error)) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	var next loyalty.ID
	all, err := tx(s, c, func(ctx context.Context, t *store.Tx) (all []N, err error) {
		all, next, err = list(ctx, t, scopeOf(c), p)
		return all, err
	})
	if err != nil {
		return err
	}
	return c.JSON(map[string]any{"data": mapped(all, show), "next_cursor": optionalID(next)})
}

// mapped shows each; an empty list is [] and never null.
func mapped[N, Out any](all []N, show func(N) Out) []Out {
	out := make([]Out, len(all))
	for i, v := range all {
		out[i] = show(v)
	}
	return out
}

// listOf never gives null.
func listOf[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// stamps is what every stored thing has.
type stamps struct {
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// optionalID is nil for no ID.
func optionalID(id loyalty.ID) *loyalty.ID {
	if id == "" {
		return nil
	}
	return &id
}

// optionalTime is nil for the zero time.
func optionalTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
