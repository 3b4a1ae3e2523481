package wasim

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"go.mau.fi/whatsmeow/types"
)

// Device is one device of an account.
type Device struct {
	s       *Server
	account *Account
	number  uint16
	index   uint32 // of its key, as the phone signed it

	noise        [32]byte // proves who logs in
	identity     [32]byte
	registration uint32

	// Guarded by the server's lock.
	signed   preKey
	oneTime  []preKey
	warned   bool // that few keys are left
	unlinked bool
	conn     *conn // nil while offline
	active   bool  // wants what is in its queue
	synced   bool  // has been told where its backlog ends
	queue    []*parcel
	stalled  bool
	fate     func(*conn) // what awaits the connection when it becomes active
	muted    bool

	logins     int
	pings      int
	deliveries []*Delivery
	acked      []string
}

// Account is whose device it is.
func (d *Device) Account() *Account { return d.account }

// Number is the device's number, 1 or more.
func (d *Device) Number() uint16 { return d.number }

// PN is the device's address by phone number.
func (d *Device) PN() types.JID {
	j := d.account.PN()
	j.Device = d.number
	return j
}

// LID is the device's address by LID.
func (d *Device) LID() types.JID {
	j := d.account.LID()
	j.Device = d.number
	return j
}

func (d *Device) phone() bool { return d.number == 0 }

// remove unlinks the device. The lock is held.
func (d *Device) remove() {
	a := d.account
	d.unlinked = true
	d.queue = nil
	a.devices = slices.DeleteFunc(a.devices, func(x *Device) bool { return x == d })
	a.devicesChanged(d)
}

// devicesChanged tells the account's other devices, and everybody who asked for
// its devices before, that this one is new or gone.
func (a *Account) devicesChanged(which *Device) {
	s := a.s
	list := make([]node, 0, len(a.devices))
	for _, d := range a.devices {
		list = append(list, node{Tag: "device", Attrs: attrs{"jid": d.LID()}})
	}
	for _, d := range a.companions() {
		if d == which {
			continue
		}
		d.notify("account_sync", attrs{"from": a.LID()}, node{
			Tag: "devices", Attrs: attrs{"dhash": listHash(a.devices)}, Content: list,
		})
	}
	for asker := range a.askers {
		if asker == a {
			continue
		}
		for _, d := range asker.companions() {
			d.notify("devices", attrs{"from": a.LID()}, node{Tag: "update", Attrs: attrs{"hash": s.nextID()}})
		}
	}
}

// notify posts a notification to the device. The lock is held.
func (d *Device) notify(kind string, from attrs, content ...node) {
	id := d.s.nextID()
	d.post(&parcel{class: "notification", kind: kind, id: id, node: with(node{
		Tag: "notification", Attrs: attrs{"id": id, "type": kind, "t": unix(time.Now())}, Content: content,
	}, from)})
}

// listHash is the short hash of a list of devices that both sides compare.
func listHash(devices []*Device) string {
	names := make([]string, 0, len(devices))
	for _, d := range devices {
		names = append(names, d.LID().ADString())
	}
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, "")))
	return "2:" + base64.RawStdEncoding.EncodeToString(sum[:6])
}
