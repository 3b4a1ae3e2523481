package whatsapp

import (
	"strconv"
	"time"

	"go.mau.fi/whatsmeow/types/events"
)

// verdict is what an event means for a number: how it stands, why, until when,
// and what the session does next. The sentence for people is made of status and
// reason, in one place for page, API and terminal.
type verdict struct {
	status string
	reason string // a code; "" where the status says it all
	until  time.Time
	next   step
}

// step is what a session does after an event.
type step int

const (
	goOn      step = iota // the connection stands
	reconnect             // it is gone, and worth another try
	waitUntil             // nothing until a time, then another try
	giveUp                // final: only a person can help
)

// The statuses of a number, as the contract names them.
const (
	statusPairing      = "pairing"
	statusConnected    = "connected"
	statusDisconnected = "disconnected"
	statusLoggedOut    = "logged_out"
	statusBanned       = "banned"
	statusRestricted   = "restricted"
	statusOutdated     = "outdated"
	statusReplaced     = "replaced"
)

// Reasons beside those that are WhatsApp's own codes.
const (
	reasonSilent   = "silent"    // no round trip for too long
	reasonRefused  = "refused"   // we could not keep what came, and want it again
	reasonNoDevice = "no_device" // the keys of the linked device are gone
	reasonExpired  = "expired"   // nobody scanned the QR
	reasonFailed   = "failed"    // the phone scanned it, and linking failed
)

// judge says what an event of the connection means. ok is false for all others.
// Loss of the connection is worth another try; what the server decided about the
// device is not: trying again is what gets numbers banned.
func judge(evt any, now time.Time) (v verdict, ok bool) {
	switch e := evt.(type) {
	case *events.Connected:
		return verdict{status: statusConnected}, true
	case *events.Disconnected, *events.ManualLoginReconnect:
		return verdict{status: statusDisconnected, next: reconnect}, true
	case *events.LoggedOut:
		v := verdict{status: statusLoggedOut, next: giveUp}
		if e.Reason != events.ConnectFailureLoggedOut { // 403: the phone is gone; 406: the account is banned for good
			v.reason = code(int(e.Reason))
		}
		return v, true
	case *events.TemporaryBan:
		v := verdict{status: statusBanned, reason: code(int(e.Code)), next: giveUp}
		if e.Expire > 0 {
			v.until, v.next = now.Add(e.Expire), waitUntil
		}
		return v, true
	case *events.ClientOutdated:
		return verdict{status: statusOutdated, next: giveUp}, true
	case *events.StreamReplaced:
		return verdict{status: statusReplaced, next: giveUp}, true
	case *events.ConnectFailure:
		return verdict{status: statusDisconnected, reason: code(int(e.Reason)), next: giveUp}, true
	case *events.NotifyAccountReachoutTimelock:
		if !e.IsActive {
			return verdict{status: statusConnected}, true
		}
		v := verdict{status: statusRestricted, until: e.TimeEnforcementEnds.Time}
		if !v.until.After(now) {
			v.until = now.Add(unknownTimelock)
		}
		return v, true
	}
	return verdict{}, false
}

// unknownTimelock is how long we start nothing where WhatsApp refuses a message
// (463), or announces a timelock, without saying until when.
const unknownTimelock = time.Hour

func code(n int) string { return strconv.Itoa(n) }
