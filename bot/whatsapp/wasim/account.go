package wasim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
)

// Addressing is how an account's stanzas name their sender.
type Addressing int

// The three ways in which senders are seen in life.
const (
	ByLID      Addressing = iota // from=LID, sender_pn=phone number
	ByPhone                      // from=phone number, sender_lid=LID
	ByLIDAlone                   // from=LID, and nothing about the phone number
)

// Account is a WhatsApp account: a phone number, its LID, and the devices that
// are linked to it. The phone itself, device 0, is played by the server: it
// scans QR codes, has keys that others encrypt to, and reads nothing.
type Account struct {
	s        *Server
	number   string
	lid      string
	identity *keys.KeyPair // of the phone
	signed   *keys.PreKey
	regID    uint32

	// Guarded by the server's lock.
	name       string
	addressing Addressing
	devices    []*Device // device 0 first; those unlinked are gone
	last       uint16    // number of the device linked last
	online     bool
	askers     map[*Account]bool // who asked for its devices
	watchers   map[*Device]bool  // who subscribed to its presence
	privacy    map[string]string
	blocked    []types.JID
	faults     accountFaults
	sent       []Sent
	presences  []Presence
	chatStates []ChatState
}

// Account is the account of a phone number, in any spelling that begins with
// the country's code; it is made when first asked for.
func (s *Server) Account(number string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	number = digits(number)
	if a := s.accounts[number]; a != nil {
		return a
	}
	identity := keys.NewKeyPair()
	a := &Account{
		s: s, number: number, lid: lidOf(number), identity: identity, signed: identity.CreateSignedPreKey(1),
		askers: map[*Account]bool{}, watchers: map[*Device]bool{}, privacy: defaultPrivacy(),
	}
	a.regID = fnv32(a.lid)
	a.devices = []*Device{{s: s, account: a, identity: *identity.Pub, registration: a.regID}}
	s.accounts[number], s.accounts[a.lid+"@"+types.HiddenUserServer] = a, a
	return a
}

// find is the account of an address, nil where there is none. The lock is held.
func (s *Server) find(j types.JID) *Account {
	switch j.Server {
	case types.DefaultUserServer, types.LegacyUserServer:
		return s.accounts[digits(j.User)]
	case types.HiddenUserServer:
		return s.accounts[j.User+"@"+types.HiddenUserServer]
	default:
		return nil
	}
}

// Number is the phone number, digits only.
func (a *Account) Number() string { return a.number }

// PN is the account's address by phone number.
func (a *Account) PN() types.JID { return types.NewJID(a.number, types.DefaultUserServer) }

// LID is the account's other address, which does not tell the phone number. It
// follows from the number, so that it is the same on every server.
func (a *Account) LID() types.JID { return types.NewJID(a.lid, types.HiddenUserServer) }

// SetName sets the name that goes with the account's messages, until a device
// announces another with its presence.
func (a *Account) SetName(name string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.name = name
}

// SetAddressing sets how the account's stanzas name their sender from now on.
func (a *Account) SetAddressing(by Addressing) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.addressing = by
}

// Devices are the linked devices, oldest first, without the phone itself.
func (a *Account) Devices() []*Device {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return slices.Clone(a.companions())
}

// Device is the device linked last; nil where there is none.
func (a *Account) Device() *Device {
	all := a.Devices()
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

func (a *Account) companions() []*Device { return a.devices[1:] }

func (a *Account) device(number uint16) *Device {
	for _, d := range a.devices {
		if d.number == number {
			return d
		}
	}
	return nil
}

// sender gives the attributes that say who a stanza is from.
func (a *Account) sender(device uint16) attrs {
	lid, pn := a.LID(), a.PN()
	switch a.addressing {
	case ByPhone:
		from := pn
		from.Device = device
		return attrs{"from": from, "sender_lid": lid, "addressing_mode": "pn"}
	case ByLIDAlone:
		lid.Device = device
		return attrs{"from": lid, "addressing_mode": "lid"}
	default:
		lid.Device = device
		return attrs{"from": lid, "sender_pn": pn, "addressing_mode": "lid"}
	}
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// lidOf makes a LID of fifteen digits.
func lidOf(number string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(number))
	return fmt.Sprintf("%d", 100_000_000_000_000+h.Sum64()%900_000_000_000_000)
}

func fnv32(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}
