package whatsapp

import (
	"context"
	"sync"
	"time"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	ours "github.com/qoa-conectados/qoa/store"
)

// guard lets one at a time use the keys of a device's contacts.
//
// A Signal session is a pair of ratchets: every message, sent or received, reads
// it, turns it and writes it back. whatsmeow does that in four places, and locks
// between none of them:
//
//   - receiving: decryptDM → EventBuffer.DoDecryptionTxn(decrypt: GetSession …
//     PutSession), on the goroutine of the connection;
//   - sending: SendMessage → encryptMessageForDevices → Device.WithCachedSessions
//     (GetManySessions), encrypt in memory, Device.PutCachedSessions
//     (PutManySessions), on the sender's goroutine;
//   - resending, when a recipient could not read a message (handleRetryReceipt),
//     and requests to the own phone (sendPeerMessage): encryptMessageForDevice
//     without a cache, thus GetSession … PutSession, on yet other goroutines;
//   - what changes sessions in one statement: MigratePNToLID, DeleteSession.
//
// Where two overlap, the later write puts the ratchet back to where it was before
// the earlier: a counter is used twice, the recipient takes the second message
// for a repetition of the first, drops it and even confirms it, and nobody hears
// of it. A bot that answers from a queue loses up to half of its answers so (see
// TestGuardSavesEveryReply, which fails without the guard).
//
// So all four hold one lock from their read to their write. A send gives it back
// before it waits for the server's word on the message: that takes long, and those
// who decrypt would wait. Only a first message to a device waits with it, for the
// keys to begin a session with.
type guard struct {
	free chan struct{} // holds one token

	away   func() // told when the database failed in a decryption; may be nil
	orphan time.Duration

	mu   sync.Mutex
	loan *loan // of who holds the lock without a context of ours
}

// newGuard makes a guard. Wrap the device that pairing has left behind, when it
// is opened again: pairing installs fresh stores.
func newGuard() *guard {
	g := &guard{free: make(chan struct{}, 1), orphan: orphanLoan}
	g.free <- struct{}{}
	return g
}

// wrap puts the guard between a device and its stores.
func (g *guard) wrap(d *store.Device) {
	d.EventBuffer = guardedEvents{d.EventBuffer, g}
	d.Sessions = guardedSessions{d.Sessions, g}
	d.Identities = guardedIdentities{d.Identities, g}
}

func (g *guard) lock(ctx context.Context) error {
	select {
	case <-g.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *guard) unlock() { g.free <- struct{}{} }

// hold is the mark of a context whose owner may have the lock.
type hold struct {
	guard *guard
	mu    sync.Mutex
	has   bool
}

type holdKey struct{}

func holdOf(ctx context.Context) *hold {
	h, _ := ctx.Value(holdKey{}).(*hold)
	return h
}

// sending marks the context of a send. The lock is taken by the prefetch of the
// sessions and given back by their write-back; end gives it back where there was
// nothing to write, or an error came before.
func (g *guard) sending(ctx context.Context) (marked context.Context, end func()) {
	h := &hold{guard: g}
	return context.WithValue(ctx, holdKey{}, h), h.release
}

func (h *hold) take(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.has {
		return nil
	}
	if err := h.guard.lock(ctx); err != nil {
		return err
	}
	h.has = true
	return nil
}

func (h *hold) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.has {
		h.has = false
		h.guard.unlock()
	}
}

// holds says whether the context's owner has the lock now.
func holds(ctx context.Context) bool {
	h := holdOf(ctx)
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.has
}

// orphanLoan is how long a read may wait for its write on the paths that give us
// no context of our own. Between the two are three statements and no network, so
// only one that failed without a word gets there.
const orphanLoan = 3 * time.Second

// loan is the lock of a resend: taken with the read of one session, given back
// with its write. whatsmeow runs resends on goroutines and contexts of its own,
// so there is nothing else to tie it to; what is sure is that a read of a session
// outside of receiving and sending is followed by a write of the same.
type loan struct {
	address string
	timer   *time.Timer
}

func (g *guard) lend(ctx context.Context, address string) error {
	if err := g.lock(ctx); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l := &loan{address: address}
	l.timer = time.AfterFunc(g.orphan, func() { g.giveBack(func(now *loan) bool { return now == l }) })
	g.loan = l
	return nil
}

// giveBack ends the loan if it is one of those meant.
func (g *guard) giveBack(meant func(*loan) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.loan == nil || !meant(g.loan) {
		return
	}
	g.loan.timer.Stop()
	g.loan = nil
	g.unlock()
}

func (g *guard) giveBackOf(address string) {
	g.giveBack(func(l *loan) bool { return l.address == address })
}

// guardedEvents holds the lock around a decryption and its transaction: it ends
// with the commit, and a send may read the session only then.
type guardedEvents struct {
	store.EventBuffer
	guard *guard
}

// DoDecryptionTxn implements store.EventBuffer.
func (e guardedEvents) DoDecryptionTxn(ctx context.Context, fn func(context.Context) error) error {
	marked, end := e.guard.sending(ctx)
	defer end()
	if err := holdOf(marked).take(ctx); err != nil {
		return err
	}
	return e.guard.postpone(e.EventBuffer.DoDecryptionTxn(marked, fn))
}

// GetBufferedEvent implements store.EventBuffer.
func (e guardedEvents) GetBufferedEvent(ctx context.Context, ciphertextHash [32]byte) (*store.BufferedEvent, error) {
	event, err := e.EventBuffer.GetBufferedEvent(ctx, ciphertextHash)
	return event, e.guard.postpone(err)
}

// postpone keeps a message from being given up because the database was away
// while it was decrypted. whatsmeow takes any failure for a message that cannot be
// read: it acknowledges it and asks its sender for another. A failure that says
// that it was cancelled it leaves alone, and the message comes again.
func (g *guard) postpone(err error) error {
	if err == nil || !ours.OfDatabase(err) {
		return err
	}
	if g.away != nil {
		g.away()
	}
	return postponed{err}
}

// postponed is a failure that whatsmeow takes for its context's end.
type postponed struct{ error }

// Is implements the interface of errors.Is.
func (postponed) Is(target error) bool { return target == context.Canceled }

// Unwrap gives the failure.
func (p postponed) Unwrap() error { return p.error }

type guardedSessions struct {
	store.SessionStore
	guard *guard
}

// GetManySessions begins a send's use of the sessions.
func (s guardedSessions) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	h := holdOf(ctx)
	if h == nil || len(addresses) == 0 {
		return s.SessionStore.GetManySessions(ctx, addresses)
	}
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	all, err := s.SessionStore.GetManySessions(ctx, addresses)
	if err != nil {
		h.release()
	}
	return all, err
}

// PutManySessions ends it.
func (s guardedSessions) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	if h := holdOf(ctx); h != nil {
		defer h.release()
	}
	return s.SessionStore.PutManySessions(ctx, sessions)
}

// GetSession begins a resend's use of one session, unless it is part of a send
// or a decryption, which have the lock.
func (s guardedSessions) GetSession(ctx context.Context, address string) ([]byte, error) {
	if holds(ctx) {
		return s.SessionStore.GetSession(ctx, address)
	}
	if err := s.guard.lend(ctx, address); err != nil {
		return nil, err
	}
	session, err := s.SessionStore.GetSession(ctx, address)
	if err != nil { // nothing will be written back
		s.guard.giveBackOf(address)
	}
	return session, err
}

// PutSession ends it.
func (s guardedSessions) PutSession(ctx context.Context, address string, session []byte) error {
	if !holds(ctx) {
		defer s.guard.giveBackOf(address)
	}
	return s.SessionStore.PutSession(ctx, address, session)
}

// MigratePNToLID moves sessions from a phone's name to a LID's.
func (s guardedSessions) MigratePNToLID(ctx context.Context, pn, lid types.JID) error {
	return s.alone(ctx, func() error { return s.SessionStore.MigratePNToLID(ctx, pn, lid) })
}

// DeleteSession must not fall between a read and a write: the write would bring
// the session back.
func (s guardedSessions) DeleteSession(ctx context.Context, address string) error {
	return s.alone(ctx, func() error { return s.SessionStore.DeleteSession(ctx, address) })
}

// DeleteAllSessions is the same for all devices of a contact.
func (s guardedSessions) DeleteAllSessions(ctx context.Context, phone string) error {
	return s.alone(ctx, func() error { return s.SessionStore.DeleteAllSessions(ctx, phone) })
}

func (s guardedSessions) alone(ctx context.Context, do func() error) error {
	if holds(ctx) {
		return do()
	}
	if err := s.guard.lock(ctx); err != nil {
		return err
	}
	defer s.guard.unlock()
	return do()
}

// guardedIdentities sees a resend fail between its read and its write: an
// identity that is not trusted, or a database that does not answer.
type guardedIdentities struct {
	store.IdentityStore
	guard *guard
}

// IsTrustedIdentity implements store.IdentityStore.
func (i guardedIdentities) IsTrustedIdentity(ctx context.Context, address string, key [32]byte) (bool, error) {
	trusted, err := i.IdentityStore.IsTrustedIdentity(ctx, address, key)
	if (err != nil || !trusted) && !holds(ctx) {
		i.guard.giveBackOf(address)
	}
	return trusted, err
}

// PutIdentity implements store.IdentityStore.
func (i guardedIdentities) PutIdentity(ctx context.Context, address string, key [32]byte) error {
	err := i.IdentityStore.PutIdentity(ctx, address, key)
	if err != nil && !holds(ctx) {
		i.guard.giveBackOf(address)
	}
	return err
}
