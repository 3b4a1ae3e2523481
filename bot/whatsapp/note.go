package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/qoa-conectados/qoa/store"
)

// What a session writes down about its number, each write by its lease: a process
// that lost it learns so by its next write, and stops.

// note says how the number stands, for pages, API and the outbox. What the
// database cannot take now is written when it can.
func (s *session) note(v verdict) {
	s.mu.Lock()
	changed := s.status != v.status || s.reason != v.reason || !s.until.Equal(v.until)
	s.status, s.reason = v.status, v.reason
	if v.status != statusDisconnected { // a lost connection ends no restriction
		s.until = v.until
	}
	s.unsaved = true
	s.mu.Unlock()
	if changed {
		s.log.Info("WhatsApp number", "status", v.status, "reason", v.reason)
		s.tell(v)
	}
	s.saveAgain()
}

// lives notes a round trip. The database need not hear of each: with every message
// that is sent there is one.
func (s *session) lives() {
	s.mu.Lock()
	s.alive = time.Now()
	tell := s.alive.Sub(s.aliveDB) > s.fleet.opt.Timing.Ping/2
	s.unsaved = s.unsaved || tell
	s.mu.Unlock()
	if tell {
		s.saveAgain()
	}
}

// saveAgain writes how the number stands, where the database does not know.
func (s *session) saveAgain() {
	s.mu.Lock()
	if !s.unsaved {
		s.mu.Unlock()
		return
	}
	status, reason, until, alive, none := store.NumberStatus(s.status), s.reason, s.until, s.alive, ""
	state := store.NumberState{Status: &status, Reason: &reason, Until: &until}
	if !alive.IsZero() {
		state.AliveAt = &alive
	}
	state.QR, state.QRUntil = &none, &time.Time{} // with each change, an older one is of no use
	s.unsaved, s.aliveDB = false, alive
	s.mu.Unlock()
	if err := s.save(s.ctx, state); err != nil {
		s.mu.Lock()
		s.unsaved = true
		s.mu.Unlock()
	}
}

// save writes a state by the lease. Where the lease is lost the session ends.
func (s *session) save(ctx context.Context, state store.NumberState) error {
	err := s.fleet.opt.DB.InTx(ctx, func(tx *store.Tx) error { return tx.NumberState(ctx, s.lease, state) })
	switch {
	case errors.Is(err, store.ErrLeaseLost):
		s.end(errLost)
	case err != nil && s.ctx.Err() == nil:
		s.log.WarnContext(ctx, "state of a WhatsApp number not written", "error", err)
	}
	return err
}

// tell says to who sits at the terminal how the number stands, in the words of
// the page.
func (s *session) tell(v verdict) {
	if s.fleet.opt.Terminal == nil {
		return
	}
	words := v.status
	if s.fleet.opt.Words != nil {
		words = s.fleet.opt.Words(v.status, v.reason, v.until)
	}
	fmt.Fprintf(s.fleet.opt.Terminal, "\n  WhatsApp «%s»: %s\n", s.number.Label, words)
}
