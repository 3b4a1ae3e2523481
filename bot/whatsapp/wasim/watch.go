package wasim

import (
	"slices"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Sent is a message that an account sent.
type Sent struct {
	ID         string
	To         types.JID
	Type       string
	Device     uint16
	At         time.Time
	Lost       bool // by a fault
	AckDropped bool // by a fault
	Error      int  // with which it was refused; 0 where it was not
}

// Delivery is a message for a device.
type Delivery struct {
	ID        string
	From      types.JID
	Retry     int  // which repetition, 0 for the first
	Attempts  int  // how often it was sent to the device
	Corrupted bool // by a fault, the first time
	Offline   bool // it came from the backlog, the last time
	Posted    time.Time
	Delivered time.Time // the last time
	Acked     time.Time // zero where it was not
	How       string    // it was acknowledged: "receipt", "receipt inactive", "ack", "ack 487"

	node node
}

// Presence is a client that said whether it was there.
type Presence struct {
	Available bool
	Name      string
	Device    uint16
	At        time.Time
}

// ChatState is a client that said it was composing, or had paused.
type ChatState struct {
	To    types.JID
	State string
	Media string
	At    time.Time
}

// Overlap is a device that logged in while it was connected.
type Overlap struct {
	Device types.JID
	At     time.Time
}

// look reads something under a server's lock.
func look[T any](s *Server, read func() T) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return read()
}

// Sent are the messages that the account sent, in order, with those of all its
// devices and those that were lost or refused.
func (a *Account) Sent() []Sent { return look(a.s, func() []Sent { return slices.Clone(a.sent) }) }

// Presences are what the account's devices said about being there, in order.
func (a *Account) Presences() []Presence {
	return look(a.s, func() []Presence { return slices.Clone(a.presences) })
}

// ChatStates are the account's signs of typing, in order.
func (a *Account) ChatStates() []ChatState {
	return look(a.s, func() []ChatState { return slices.Clone(a.chatStates) })
}

// Deliveries are the messages for the device, in the order in which they came.
func (d *Device) Deliveries() []Delivery {
	return look(d.s, func() []Delivery {
		all := make([]Delivery, 0, len(d.deliveries))
		for _, r := range d.deliveries {
			all = append(all, *r)
		}
		return all
	})
}

// Acked are the IDs of the messages that the device acknowledged, in the order
// in which it did.
func (d *Device) Acked() []string {
	return look(d.s, func() []string { return slices.Clone(d.acked) })
}

// Waiting is how many messages the device has yet to acknowledge.
func (d *Device) Waiting() int {
	return look(d.s, func() int {
		n := 0
		for _, p := range d.queue {
			if p.class == "message" {
				n++
			}
		}
		return n
	})
}

// Idle says whether the device is online and has acknowledged all that it was
// sent: messages, receipts and notifications.
func (d *Device) Idle() bool {
	return look(d.s, func() bool { return d.conn != nil && d.active && len(d.queue) == 0 })
}

// Logins is how often the device has logged in.
func (d *Device) Logins() int { return look(d.s, func() int { return d.logins }) }

// Pings is how many pings the device has sent.
func (d *Device) Pings() int { return look(d.s, func() int { return d.pings }) }

// PreKeys is how many one-time keys of the device the server has left.
func (d *Device) PreKeys() int { return look(d.s, func() int { return len(d.oneTime) }) }

// Linked says whether the device still belongs to its account.
func (d *Device) Linked() bool { return look(d.s, func() bool { return !d.unlinked }) }

// Overlaps are the times when a session was connected twice at once. It is
// empty if every session always had one owner.
func (s *Server) Overlaps() []Overlap {
	return look(s, func() []Overlap { return slices.Clone(s.overlaps) })
}

// Unhandled are the stanzas and requests that the server does not know.
func (s *Server) Unhandled() []string {
	return look(s, func() []string { return slices.Clone(s.strange) })
}

// Connections is how many clients are connected, paired or not.
func (s *Server) Connections() int { return look(s, func() int { return len(s.conns) }) }
