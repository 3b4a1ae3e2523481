package wasim

import (
	"encoding/json"
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// count is how many more times a fault strikes.
type count int

func (c *count) take() bool {
	if *c <= 0 {
		return false
	}
	*c--
	return true
}

// LoginFailure is how a login is refused. Reason is a code of the real server;
// see the variables for those that matter.
type LoginFailure struct {
	Reason int
	Code   int           // of a ban: why
	Expire time.Duration // of a ban: how long it still lasts
	Times  int           // how many logins are refused; 0 is all, until AllowLogin
}

// The login failures that clients treat differently.
var (
	LoggedOut   = LoginFailure{Reason: 401} // unlinked on the phone
	PhoneGone   = LoginFailure{Reason: 403} // locked, or the phone was logged out
	Outdated    = LoginFailure{Reason: 405} // the client is too old
	Banned      = LoginFailure{Reason: 406}
	Unavailable = LoginFailure{Reason: 503} // come back later
)

// TempBan is a temporary ban. The codes seen are 101 (wrote to too many people),
// 102 (blocked by too many), 104 (the same message too often) and 106 (too many
// messages to a broadcast list).
func TempBan(code int, expire time.Duration) LoginFailure {
	return LoginFailure{Reason: 402, Code: code, Expire: expire}
}

func (f LoginFailure) node() node {
	n := node{Tag: "failure", Attrs: attrs{"reason": strconv.Itoa(f.Reason), "location": "wasim"}}
	if f.Code != 0 {
		n.Attrs["code"] = strconv.Itoa(f.Code)
	}
	if f.Expire != 0 {
		n.Attrs["expire"] = strconv.Itoa(int(f.Expire / time.Second))
	}
	return n
}

// PairingFault is what goes wrong when a phone scans a QR code.
type PairingFault int

// The ways in which linking fails: the client finds that what vouches for it is
// signed with another key, or that it was not sealed by who saw its QR code.
const (
	PairsFine PairingFault = iota
	PairsBadSignature
	PairsBadSeal
)

// accountFaults are the faults of one account that have yet to strike.
type accountFaults struct {
	lose, loseRetries, dropAcks, corrupt, refuse count
	refuseCode                                   int
	login                                        *LoginFailure
	pairing                                      PairingFault
}

// first says whether a message goes to all devices of somebody: it is neither
// the repetition of one for a device that could not read it, nor a word to the
// account's own phone.
func first(message *node) bool {
	_, many := child(message, "participants")
	return many
}

func (f *accountFaults) loses(message *node) bool {
	if first(message) {
		return f.lose.take()
	}
	return text(message, "category") != "peer" && f.loseRetries.take()
}

func (f *accountFaults) dropsAck(message *node) bool { return first(message) && f.dropAcks.take() }

func (f *accountFaults) refuses(message *node) int {
	if first(message) && f.refuse.take() {
		return f.refuseCode
	}
	return 0
}

func (f *accountFaults) failure() *LoginFailure {
	now := f.login
	if now != nil && now.Times > 0 {
		if now.Times == 1 {
			f.login = nil
		} else {
			less := *now
			less.Times--
			f.login = &less
		}
	}
	return now
}

func (a *Account) fault(set func(*accountFaults)) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	set(&a.faults)
}

// LoseNext loses the next n messages that the account sends: they are neither
// acknowledged nor delivered. Those that it repeats on request are not meant.
func (a *Account) LoseNext(n int) { a.fault(func(f *accountFaults) { f.lose = count(n) }) }

// LoseNextRetries loses the next n messages that the account repeats on request,
// so that who could not read them never will.
func (a *Account) LoseNextRetries(n int) {
	a.fault(func(f *accountFaults) { f.loseRetries = count(n) })
}

// DropAcks delivers the next n messages that the account sends without
// acknowledging them.
func (a *Account) DropAcks(n int) { a.fault(func(f *accountFaults) { f.dropAcks = count(n) }) }

// RefuseSends answers the next n messages that the account sends with an error,
// 463 for instance: it may not write to who did not write first.
func (a *Account) RefuseSends(code, n int) {
	a.fault(func(f *accountFaults) { f.refuse, f.refuseCode = count(n), code })
}

// CorruptNext damages the next n messages on their way to a device of the
// account. Should one be delivered again, because the connection ends before the
// device acknowledges it, then it is whole: the client counts how often it asks
// for a message, and gives up on it after four times.
func (a *Account) CorruptNext(n int) { a.fault(func(f *accountFaults) { f.corrupt = count(n) }) }

// FailLogin refuses the account's devices from their next login on.
func (a *Account) FailLogin(how LoginFailure) { a.fault(func(f *accountFaults) { f.login = &how }) }

// AllowLogin ends FailLogin.
func (a *Account) AllowLogin() { a.fault(func(f *accountFaults) { f.login = nil }) }

// FailPairing makes the account's next Scan fail.
func (a *Account) FailPairing(how PairingFault) { a.fault(func(f *accountFaults) { f.pairing = how }) }

// ReachoutTimelock tells the account's devices that it may not write first to
// anybody until a time, or, where active is false, that it may again.
func (a *Account) ReachoutTimelock(active bool, until time.Time) {
	lock := map[string]any{"enforcement_type": "REACHOUT_TIMELOCK", "is_active": active}
	if !until.IsZero() {
		lock["time_enforcement_ends"] = unix(until)
	}
	update, _ := json.Marshal(map[string]any{"data": map[string]any{"xwa2_notify_account_reachout_timelock": lock}})
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	defer a.s.touch()
	for _, d := range a.companions() {
		d.notify("mex", attrs{"from": types.ServerJID}, node{
			Tag: "update", Attrs: attrs{"op_name": "NotificationUserReachoutTimelockUpdate"}, Content: update,
		})
	}
}

// Drop cuts the connections of all devices of the account, without a word.
func (a *Account) Drop() {
	for _, d := range a.Devices() {
		d.Drop()
	}
}

// Reinstall puts the account on a new phone: it has another key, all devices are
// unlinked, and who knows the account is told that its identity has changed.
func (a *Account) Reinstall() {
	for _, d := range a.Devices() {
		d.Unlink()
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	defer a.s.touch()
	a.identity = keys.NewKeyPair()
	a.signed = a.identity.CreateSignedPreKey(a.signed.KeyID + 1)
	a.regID++
	a.devices[0] = &Device{s: a.s, account: a, identity: *a.identity.Pub, registration: a.regID}
	for asker := range a.askers {
		if asker == a {
			continue
		}
		for _, d := range asker.companions() {
			d.notify("encrypt", attrs{"from": a.LID()}, node{Tag: "identity"})
		}
	}
}

// strike does something to the device's connection: at once if it is active, as
// soon as it is if it is logging in. whatsmeow has data races of its own when a
// connection ends in the middle of a login, and no test of a bot should fail
// because of them.
func (d *Device) strike(do func(c *conn)) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	defer d.s.touch()
	d.struck(do)
}

func (d *Device) struck(do func(c *conn)) {
	switch {
	case d.conn == nil:
	case d.active:
		do(d.conn)
	default:
		d.fate = do
	}
}

// Drop cuts the device's connection, without a word; that of a device that is
// logging in once it is online.
func (d *Device) Drop() { d.strike((*conn).cut) }

// Replace ends the device's connection as if it had connected from elsewhere.
func (d *Device) Replace() { d.strike(func(c *conn) { c.last(replaced()) }) }

func replaced() node {
	return node{Tag: "stream:error", Content: []node{{Tag: "conflict", Attrs: attrs{"type": "replaced"}}}}
}

// StreamError ends the device's connection with a code, 503 for instance: the
// server is about to restart.
func (d *Device) StreamError(code int) {
	d.strike(func(c *conn) {
		c.last(node{Tag: "stream:error", Attrs: attrs{"code": strconv.Itoa(code)}})
	})
}

// Unlink removes the device, as its owner does on the phone. It is told if it
// is connected, and at its next login otherwise.
func (d *Device) Unlink() {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	defer d.s.touch()
	if d.unlinked {
		return
	}
	if d.conn != nil {
		d.conn.last(node{Tag: "stream:error", Attrs: attrs{"code": "401"}, Content: []node{{Tag: "conflict", Attrs: attrs{"type": "device_removed"}}}})
	}
	d.remove()
}

// MutePings leaves the device's pings without an answer, until told otherwise.
func (d *Device) MutePings(on bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	d.muted = on
}

// Stall leaves everything that the device sends without effect, and sends it
// nothing: the connection looks alive and is not. What was to be delivered is
// when the stall ends.
func (d *Device) Stall(on bool) {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	defer d.s.touch()
	d.stalled = on
	d.pump()
}

// Redeliver delivers once more, as it was, the last message with this ID that
// the device received; it says whether there was one.
func (d *Device) Redeliver(id string) bool {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	defer d.s.touch()
	for i := len(d.deliveries) - 1; i >= 0; i-- {
		if r := d.deliveries[i]; r.ID == id {
			d.post(&parcel{class: "message", id: id, node: r.node})
			return true
		}
	}
	return false
}

// Refuse turns away whoever connects, as a network that is down, until Allow.
// Connections that exist stay; see DropAll.
func (s *Server) Refuse() { s.gate.set(true) }

// Allow ends Refuse.
func (s *Server) Allow() { s.gate.set(false) }

// DropAll cuts all connections, as Device.Drop does.
func (s *Server) DropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	for c := range s.conns {
		if c.device != nil && c.device.conn == c {
			c.device.struck((*conn).cut)
		} else {
			c.cut()
		}
	}
}
