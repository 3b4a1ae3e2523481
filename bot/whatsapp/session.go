package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// session is one number, for as long as this process holds its lease: it pairs,
// connects, connects again, and knows when not to. One goroutine, run, decides;
// whatsmeow's goroutines tell it what happens.
type session struct {
	fleet  *Fleet
	number store.Number // as it was when the lease was taken
	lease  store.Lease
	log    *slog.Logger

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
	expiry *time.Timer // ends the session before its lease ends

	events   chan any      // of the connection, for run
	refusals chan struct{} // something could not be persisted
	retiring chan struct{} // the number was deleted
	retired  sync.Once
	turn     chan struct{} // one token: one send at a time
	files    chan struct{} // a file is to be fetched
	stopped  func()        // ends the serving of the number's queue

	refusing atomic.Bool // until the next connection nothing is taken in

	mu       sync.Mutex
	client   *whatsmeow.Client // of the device; nil before it is opened
	guard    *guard
	upNow    bool
	up       chan struct{} // closed while connected
	status   string
	reason   string
	until    time.Time // of a ban or a restriction
	alive    time.Time
	aliveDB  time.Time // what the database was told last
	unsaved  bool      // the database does not know yet
	gaveUp   bool
	resets   int            // how often in a row the row was seen set back
	failures map[string]int // how often a message could not be persisted, by ID
}

func newSession(f *Fleet, n store.Number) *session {
	ctx, cancel := context.WithCancelCause(f.ctx)
	s := &session{
		fleet: f, number: n, lease: n.Lease(), log: f.log.With("number_id", string(n.ID)), ctx: ctx, cancel: cancel,
		done: make(chan struct{}), events: make(chan any, 64), refusals: make(chan struct{}, 1), retiring: make(chan struct{}),
		turn: make(chan struct{}, 1), files: make(chan struct{}, 1), up: make(chan struct{}),
		status: string(n.Status), reason: n.Reason, failures: map[string]int{},
	}
	s.turn <- struct{}{}
	if n.Until != nil {
		s.until = *n.Until
	}
	s.expiry = time.AfterFunc(time.Hour, func() { s.end(errExpired) })
	return s
}

// extend says until when the lease is ours.
func (s *session) extend(until time.Time) { s.expiry.Reset(time.Until(until)) }

// end stops the session at once: the connection goes with its context.
func (s *session) end(why error) { s.cancel(why) }

func (s *session) ended() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// retire logs the device out, and ends the session.
func (s *session) retire() { s.retired.Do(func() { close(s.retiring) }) }

// drain ends the session in order: nothing new is sent, what is under way is
// finished, the connection is closed, the lease goes back.
func (s *session) drain(ctx context.Context) {
	s.stopServing()
	s.end(errStopped)
	select {
	case <-s.done:
	case <-ctx.Done():
		return // the lease will run out
	}
	s.release(ctx)
}

func (s *session) release(ctx context.Context) {
	err := s.fleet.opt.DB.InTx(ctx, func(tx *store.Tx) error { return tx.ReleaseNumber(ctx, s.lease) })
	if err != nil && !errors.Is(err, store.ErrLeaseLost) {
		s.log.WarnContext(ctx, "lease not given back; it runs out by itself", "error", err)
	}
}

// wantsAnew says whether somebody asked for another try with a number that we
// gave up: its row was set back.
func (s *session) wantsAnew(n store.Number) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	again := n.Status == store.NumberPairing || n.Status == store.NumberDisconnected
	if !s.gaveUp || s.unsaved || !again || n.Reason != "" {
		s.resets = 0
		return false
	}
	s.resets++
	return s.resets > 1 // the first may have been read before we wrote
}

// run is the session's life.
func (s *session) run() {
	defer close(s.done)
	defer s.expiry.Stop()
	if s.number.Status == store.NumberConnected || s.number.Status == store.NumberRestricted {
		s.note(verdict{status: statusDisconnected}) // that was somebody else's connection
	}
	s.startServing()
	var files sync.WaitGroup
	files.Go(s.fetchAll)
	defer files.Wait()
	defer s.stopServing()
	defer s.disconnect()
	for s.ctx.Err() == nil {
		v := s.live()
		switch {
		case s.deleted():
			s.logOut()
			return
		case s.ctx.Err() != nil:
		case v.status == statusLoggedOut:
			s.forgetDevice()
			if s.isPairing() {
				continue // it was what an interrupted pairing had left behind
			}
			s.rest(v)
		default:
			s.rest(v)
		}
	}
	if cause := context.Cause(s.ctx); !errors.Is(cause, errStopped) {
		s.log.Warn("session ended", "reason", cause.Error())
	}
}

// live opens the device, pairs where there is none, and keeps it connected. It
// gives the verdict with which that ended.
func (s *session) live() verdict {
	device, g, err := s.fleet.devices.open(s.ctx, s.jid())
	if err != nil {
		return s.later(err)
	}
	if device == nil {
		if !s.isPairing() {
			return s.unlinked()
		}
		if v := s.pair(); v.next != goOn {
			return v
		}
		if device, g, err = s.fleet.devices.open(s.ctx, s.jid()); err != nil || device == nil {
			return s.later(err)
		}
	}
	s.use(device, g)
	if s.deleted() {
		return verdict{next: giveUp}
	}
	if s.bannedStill() {
		return verdict{status: statusBanned, reason: s.reason, until: s.until, next: waitUntil}
	}
	return s.keepConnected()
}

// later is a failure of the database: worth another try in a moment.
func (s *session) later(err error) verdict {
	if err != nil && s.ctx.Err() == nil {
		s.log.Warn("device not opened", "error", withoutNumbers(err))
	}
	return verdict{status: statusDisconnected, until: time.Now().Add(s.fleet.opt.Timing.Renew), next: waitUntil}
}

// use makes the client of a device.
func (s *session) use(d *deviceStore, g *guard) {
	g.away = s.refuse
	c := s.fleet.client(d, s.log)
	c.AddEventHandlerWithSuccessStatus(func(evt any) bool { return s.handle(c, evt) })
	s.mu.Lock()
	s.client, s.guard = c, g
	s.mu.Unlock()
}

// keepConnected connects, and connects again, until that is useless.
func (s *session) keepConnected() verdict {
	tries := 0
	for {
		begun := time.Now()
		v := s.connection()
		s.disconnect()
		if s.ctx.Err() != nil || s.deleted() || v.next == giveUp || v.next == waitUntil {
			return v
		}
		if time.Since(begun) > steadyTime {
			tries = 0
		}
		s.note(verdict{status: statusDisconnected, reason: v.reason})
		if !s.pause(backoff(s.fleet.opt.Timing.Backoff, tries)) {
			return v
		}
		tries++
	}
}

// mostBackoff bounds the wait between two connections. It begins anew after one
// that stood for steadyTime.
const (
	mostBackoff = 30 * time.Second
	steadyTime  = 10 * time.Second
)

// backoff doubles with each try, and is spread so that many numbers do not
// knock at the same moment.
func backoff(begin time.Duration, tries int) time.Duration {
	d := min(begin<<min(tries, 10), mostBackoff)
	return d/2 + time.Duration(rand.Int64N(int64(d))) //nolint:gosec // a jitter
}

// pause waits; false says that the session is over.
func (s *session) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
	case <-s.retiring:
	}
	return false
}

// connection is one connection, from its begin to its end.
func (s *session) connection() verdict {
	ctx, hangUp := context.WithCancel(s.ctx)
	// This closes it, and its handlers acknowledge nothing on the next.
	defer hangUp()
	s.drainSignals()
	s.fleet.metrics.reconnects.WithLabelValues(string(s.number.ID)).Inc()
	lost := verdict{status: statusDisconnected, next: reconnect}
	if err := s.dial(ctx); err != nil {
		if s.ctx.Err() == nil {
			s.log.Info("not connected", "error", withoutNumbers(err))
		}
		return lost
	}
	t := s.fleet.opt.Timing
	login := time.NewTimer(t.Login)
	defer login.Stop()
	pings := time.NewTicker(t.Ping)
	defer pings.Stop()
	pongs, asking := make(chan bool, 1), false
	var end <-chan time.Time // of a restriction
	restrict := func() {
		if d := time.Until(s.restrictedUntil()); d > 0 {
			end = time.After(d)
		}
	}
	stood := false
	for {
		select {
		case <-ctx.Done():
			return lost
		case <-s.retiring:
			return lost
		case <-s.refusals:
			return verdict{status: statusDisconnected, reason: reasonRefused, next: reconnect}
		case <-login.C:
			s.log.Info("no login in time")
			return lost
		case <-end:
			s.note(verdict{status: statusConnected})
		case ok := <-pongs:
			if asking = false; ok {
				s.lives()
			}
		case <-pings.C:
			if !stood {
				continue
			}
			s.saveAgain()
			if time.Since(s.aliveAt()) > t.Dead {
				return verdict{status: statusDisconnected, reason: reasonSilent, next: reconnect}
			}
			if !asking {
				asking = true
				go func() { pongs <- s.ping(ctx) }()
			}
		case e := <-s.events:
			v, ok := judge(e, time.Now())
			switch {
			case !ok:
			case v.status == statusConnected && isLogin(e):
				login.Stop()
				stood = true
				s.connected()
				restrict()
			case v.next == goOn:
				s.note(v)
				restrict()
			case v.next == reconnect && s.isConnected():
				// of a connection before this one
			default:
				return v
			}
		}
	}
}

func isLogin(e any) bool { _, ok := e.(*events.Connected); return ok }

// drainSignals forgets what an earlier connection had to say.
func (s *session) drainSignals() {
	for {
		select {
		case <-s.events:
		case <-s.refusals:
		default:
			s.refusing.Store(false)
			return
		}
	}
}

// dial connects. whatsmeow does not let go of a handshake when its context ends;
// the session does.
func (s *session) dial(ctx context.Context) error {
	result := make(chan error, 1)
	c := s.current()
	go func() { result <- c.ConnectContext(ctx) }()
	select {
	case err := <-result:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// disconnect waits until the connection, whose context has ended, is closed. The
// context is the way to close one: whatsmeow's own Disconnect trips over a server
// that hangs up at the same moment.
func (s *session) disconnect() {
	s.setUp(false)
	c := s.current()
	if c == nil {
		return
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for began := time.Now(); c.IsConnected() && time.Since(began) < closeTime; {
			time.Sleep(time.Millisecond)
		}
		// Its reader may still be letting go of the socket, which whatsmeow guards
		// by nothing: the next connection must not come in between.
		time.Sleep(lettingGo)
	}()
	select {
	case <-closed:
	case <-time.After(closeTime): // it is stuck in a handshake, which ends by itself
	}
}

const (
	// closeTime is how long closing a connection may take.
	closeTime = 2 * time.Second
	lettingGo = 20 * time.Millisecond
)

// ping is a round trip: the server answers, so it hears us and we hear it. It is
// whatsmeow's own keep-alive, which tells nobody when it succeeds.
func (s *session) ping(ctx context.Context) bool {
	//lint:ignore SA1019 a keep-alive does no harm, and nothing public is as small
	ok, _ := s.current().DangerousInternals().SendKeepAlive(ctx)
	return ok
}

// connected notes that the device is logged in.
func (s *session) connected() {
	s.setUp(true)
	now := time.Now()
	s.mu.Lock()
	s.alive, s.number.Status = now, store.NumberConnected
	restricted := s.status == statusRestricted || s.until.After(now) && s.status != statusBanned
	until := s.until
	s.mu.Unlock()
	v := verdict{status: statusConnected}
	if restricted && until.After(now) { // a new connection does not end it
		v = verdict{status: statusRestricted, until: until}
	}
	s.note(v)
	go s.sayOnline()
	s.fetchFiles()
}

// sayOnline makes the second tick of what people wrote show, and our name. It
// fails until the phone has told the device its name, and is tried again then.
func (s *session) sayOnline() {
	c := s.current()
	if c == nil || c.Store.PushName == "" {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.fleet.opt.Timing.Ack)
	defer cancel()
	if err := c.SendPresence(ctx, types.PresenceAvailable); err != nil {
		s.log.Debug("not shown as online", "error", withoutNumbers(err))
	}
}

// rest is where a session waits that cannot go on by itself: for the end of a ban,
// or for a person.
func (s *session) rest(v verdict) {
	s.note(v)
	var timer <-chan time.Time
	if v.next == waitUntil {
		timer = time.After(time.Until(v.until))
	} else {
		s.log.Warn("number given up until somebody helps", "status", v.status, "reason", v.reason)
		s.mu.Lock()
		s.gaveUp = true
		s.mu.Unlock()
	}
	retry := time.NewTicker(s.fleet.opt.Timing.Renew)
	defer retry.Stop()
	for {
		select {
		case <-timer:
			s.mu.Lock()
			s.until = time.Time{}
			s.mu.Unlock()
			return
		case <-retry.C:
			s.saveAgain()
		case <-s.ctx.Done():
			return
		case <-s.retiring:
			return
		}
	}
}

// handle takes whatsmeow's events, one after the other. What it gives back is
// whether a message may be acknowledged: so a panic of ours, which whatsmeow would
// take for success, must say no.
func (s *session) handle(c *whatsmeow.Client, evt any) (done bool) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("event handler panicked", "event", fmt.Sprintf("%T", evt), "panic", longNumber.ReplaceAllString(fmt.Sprint(p), "…"))
			s.refuse()
			done = false
		}
	}()
	switch e := evt.(type) {
	case *events.Message:
		return s.receive(c, e)
	case *events.UndecryptableMessage:
		s.unreadable(c, e)
	case *events.Receipt:
		return s.receipt(e)
	case *events.PushNameSetting, *events.AppStateSyncComplete:
		go s.sayOnline()
	default:
		if _, ok := judge(evt, time.Now()); ok {
			select {
			case s.events <- evt:
			case <-s.ctx.Done():
			}
		}
	}
	return true
}

// logOut unlinks the device of a deleted number, and lets go of the number.
func (s *session) logOut() {
	ctx, cancel := context.WithTimeout(s.ctx, s.fleet.opt.Timing.Login)
	defer cancel()
	if c := s.current(); c != nil && c.Store.ID != nil {
		err := s.connectOnce(ctx)
		if err == nil {
			err = c.Logout(ctx)
		}
		if err != nil {
			// The phone shows a device that never connects again; its owner can
			// remove it there.
			s.log.WarnContext(ctx, "device not unlinked, only forgotten", "error", withoutNumbers(err))
		}
	}
	if err := s.fleet.devices.forget(ctx, s.jid()); err != nil {
		s.log.WarnContext(ctx, "keys of a device not deleted", "error", withoutNumbers(err))
	}
	none := ""
	if err := s.save(ctx, store.NumberState{JID: &none}); err != nil {
		return // it is tried again by whoever takes the number next
	}
	s.release(ctx)
	s.end(errRetired)
}

// connectOnce connects to say one thing.
func (s *session) connectOnce(ctx context.Context) error {
	c := s.current()
	if c.IsConnected() && c.IsLoggedIn() {
		return nil
	}
	if err := s.dial(ctx); err != nil && !errors.Is(err, whatsmeow.ErrAlreadyConnected) {
		return err
	}
	if !c.WaitForConnection(s.fleet.opt.Timing.WaitUp) {
		return whatsmeow.ErrNotConnected
	}
	return nil
}

// forgetDevice drops a device that WhatsApp does not know any more, or never did.
func (s *session) forgetDevice() {
	none, jid := "", s.jid()
	ctx := context.WithoutCancel(s.ctx)
	if err := s.fleet.devices.forget(ctx, jid); err != nil {
		s.log.WarnContext(ctx, "keys of a device not deleted", "error", withoutNumbers(err))
	}
	s.mu.Lock()
	s.number.JID, s.client, s.guard = "", nil, nil
	s.mu.Unlock()
	if jid != "" {
		_ = s.save(ctx, store.NumberState{JID: &none}) // a lost lease has ended the session
	}
}

// startServing lets the outbox of the number be sent by this process.
func (s *session) startServing() {
	if s.fleet.opt.Serve == nil || s.number.Deleted {
		return
	}
	stop := s.fleet.opt.Serve(s.ctx, s.number.ID, s.send)
	s.mu.Lock()
	s.stopped = sync.OnceFunc(stop)
	s.mu.Unlock()
}

func (s *session) stopServing() {
	s.mu.Lock()
	stop := s.stopped
	s.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// What run and whatsmeow's goroutines both look at.

func (s *session) current() *whatsmeow.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client
}

func (s *session) isConnected() bool {
	c := s.current()
	return c != nil && c.IsConnected()
}

func (s *session) jid() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number.JID
}

// isPairing says whether the number was never connected: it has no pairing time
// that holds, or somebody asked for a new pairing.
func (s *session) isPairing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number.Status == store.NumberPairing
}

// unlinked is the verdict on a number without keys: what WhatsApp had said when it
// took the device, or that somebody else lost them.
func (s *session) unlinked() verdict {
	v := verdict{status: statusLoggedOut, reason: reasonNoDevice, next: giveUp}
	if s.number.Status == store.NumberLoggedOut {
		v.reason = s.number.Reason
	}
	return v
}

func (s *session) bannedStill() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status == statusBanned && s.until.After(time.Now())
}

func (s *session) restrictedUntil() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status != statusRestricted {
		return time.Time{}
	}
	return s.until
}

func (s *session) deleted() bool {
	select {
	case <-s.retiring:
		return true
	default:
		return false
	}
}

func (s *session) setUp(up bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if up == s.upNow {
		return
	}
	if s.upNow = up; up {
		close(s.up)
		return
	}
	s.up = make(chan struct{})
}

// upChan is closed while the number is connected.
func (s *session) upChan() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up
}

func (s *session) aliveAt() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alive
}

func (s *session) health() bot.NumberHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bot.NumberHealth{Number: s.number.ID, Status: s.status, AliveAt: s.alive}
}

func (s *session) id() loyalty.ID { return s.number.ID }
