package wasim

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"
)

// guard lets nothing read and write back the Signal sessions of a phone while
// something else does. whatsmeow has no such lock between sending, receiving and
// sending again on request; where two of them overlap, a counter is used twice,
// and the other side drops a message as one that it has had. A test must not
// blame its bot for that.
//
// A turn begins when sessions are read and ends when they are written.
type guard struct {
	turn chan struct{} // holds one token while nobody has the turn
}

func newGuard() *guard {
	g := &guard{turn: make(chan struct{}, 1)}
	g.turn <- struct{}{}
	return g
}

// install puts the guard around the stores of a device that is paired: pairing
// installs fresh ones. Decryption must run in transactions of the event buffer.
func (g *guard) install(d *store.Device) {
	d.EventBuffer = guardedEvents{d.EventBuffer, g}
	d.Sessions = &guardedSessions{SessionStore: d.Sessions, g: g}
}

func (g *guard) take(ctx context.Context) error {
	select {
	case <-g.turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *guard) give() { g.turn <- struct{}{} }

type turnKey struct{}

// sending marks a context as that of one send. done ends its turn, should it
// still have one.
func (g *guard) sending(ctx context.Context) (marked context.Context, done func()) {
	t := &turn{g: g}
	return context.WithValue(ctx, turnKey{}, t), t.end
}

// turn is that of one send or of one decryption.
type turn struct {
	g    *guard
	mu   sync.Mutex
	held bool
}

func (t *turn) begin(ctx context.Context) error {
	if err := t.g.take(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = true
	return nil
}

func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held {
		t.held = false
		t.g.give()
	}
}

func turnOf(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	return t
}

type guardedEvents struct {
	store.EventBuffer
	g *guard
}

func (e guardedEvents) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	ctx, done := e.g.sending(ctx)
	if err := turnOf(ctx).begin(ctx); err != nil {
		return err
	}
	defer done()
	return e.EventBuffer.DoDecryptionTxn(ctx, fn)
}

type guardedSessions struct {
	store.SessionStore
	g *guard

	mu       sync.Mutex
	unmarked *time.Timer // ends the turn of a reader that never writes
}

// GetManySessions begins the turn of a send.
func (s *guardedSessions) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	if t := turnOf(ctx); t != nil {
		if err := t.begin(ctx); err != nil {
			return nil, err
		}
	}
	return s.SessionStore.GetManySessions(ctx, addresses)
}

// PutManySessions ends the turn of a send.
func (s *guardedSessions) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	if t := turnOf(ctx); t != nil {
		defer t.end()
	}
	return s.SessionStore.PutManySessions(ctx, sessions)
}

// GetSession begins a turn where there is none: a message is about to be sent
// again to who could not read it. Nothing tells when that has failed, so its
// turn ends by itself.
func (s *guardedSessions) GetSession(ctx context.Context, address string) ([]byte, error) {
	if turnOf(ctx) == nil {
		if err := s.g.take(ctx); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.unmarked = time.AfterFunc(time.Second, s.g.give)
		s.mu.Unlock()
	}
	return s.SessionStore.GetSession(ctx, address)
}

// PutSession ends the turn that GetSession began.
func (s *guardedSessions) PutSession(ctx context.Context, address string, session []byte) error {
	if turnOf(ctx) == nil {
		defer s.release()
	}
	return s.SessionStore.PutSession(ctx, address, session)
}

func (s *guardedSessions) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unmarked != nil && s.unmarked.Stop() {
		s.g.give()
	}
	s.unmarked = nil
}
