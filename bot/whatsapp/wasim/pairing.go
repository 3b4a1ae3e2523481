package wasim

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waAdv"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// How long the QR codes of one offer hold, as WhatsApp has it.
const (
	offered      = 6
	firstHolds   = 60 * time.Second
	anotherHolds = 20 * time.Second
)

// pairing is a client that shows a QR code, or that somebody has just scanned.
type pairing struct {
	c       *conn
	refs    []string
	since   time.Time
	expiry  *time.Timer
	asked   string // ID of the query that offered, or that confirms
	device  *Device
	secret  []byte
	outcome chan error // of the scan; nil once the device is linked
}

// offerPairing gives a new client what its QR codes are made of.
func (s *Server) offerPairing(c *conn) {
	p := &pairing{c: c, since: time.Now(), asked: s.nextID()}
	var refs []node
	for range offered {
		raw := make([]byte, 48)
		_, _ = rand.Read(raw)
		ref := "2@" + base64.StdEncoding.EncodeToString(raw)
		p.refs = append(p.refs, ref)
		s.pairings[ref] = p
		refs = append(refs, node{Tag: "ref", Content: []byte(ref)})
	}
	c.pairing = p
	p.expiry = time.AfterFunc(firstHolds+(offered-1)*anotherHolds, func() { _ = c.ws.CloseNow() })
	c.send(node{
		Tag:     "iq",
		Attrs:   attrs{"from": types.ServerJID, "type": "set", "id": p.asked, "xmlns": "md"},
		Content: []node{{Tag: "pair-device", Content: refs}},
	})
	s.touch()
}

func (s *Server) dropPairing(p *pairing) {
	p.expiry.Stop()
	for _, ref := range p.refs {
		delete(s.pairings, ref)
	}
	p.finish(errors.New("wasim: the client went away while it was being linked"))
}

func (p *pairing) finish(err error) {
	if p.outcome != nil {
		p.outcome <- err
		p.outcome = nil
	}
}

// holds says whether the ref can still be scanned.
func (p *pairing) holds(ref string, now time.Time) bool {
	until := p.since.Add(firstHolds)
	for _, r := range p.refs {
		if r == ref {
			return now.Before(until)
		}
		until = until.Add(anotherHolds)
	}
	return false
}

// Scan plays the phone that scans the QR code with this text: it links the
// client that shows it, and returns when the client has confirmed. The client
// reconnects and logs in after that; WaitOnline waits for it.
func (a *Account) Scan(ctx context.Context, qr string) (*Device, error) {
	outcome := make(chan error, 1)
	d, err := a.scan(qr, outcome)
	if err != nil {
		return nil, err
	}
	select {
	case err = <-outcome:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (a *Account) scan(qr string, outcome chan error) (*Device, error) {
	_, after, ok := strings.Cut(qr, "#")
	if !ok {
		after = qr
	}
	parts := strings.Split(after, ",")
	if len(parts) < 4 {
		return nil, fmt.Errorf("wasim: not the text of a QR code: %d parts", len(parts))
	}
	var keys [3][]byte
	for i := range keys {
		raw, err := base64.StdEncoding.DecodeString(parts[i+1])
		if err != nil || len(raw) != 32 {
			return nil, errors.New("wasim: a key in the QR code is damaged")
		}
		keys[i] = raw
	}
	noise, identity, secret := [32]byte(keys[0]), [32]byte(keys[1]), keys[2]

	s := a.s
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.touch()
	p := s.pairings[parts[0]]
	if p == nil || !p.holds(parts[0], time.Now()) {
		return nil, errors.New("wasim: the QR code is no longer valid")
	}
	registration := p.c.who.payload.GetDevicePairingData()
	if p.c.who.static != noise || [32]byte(registration.GetEIdent()) != identity {
		return nil, errors.New("wasim: the QR code holds other keys than the client that offers it")
	}
	a.last++
	d := &Device{
		s: s, account: a, number: a.last, index: uint32(a.last), noise: noise, identity: identity,
		registration: binary.BigEndian.Uint32(registration.GetERegid()),
		signed:       preKey{id: registration.GetESkeyID(), value: registration.GetESkeyVal(), signature: registration.GetESkeySig()},
	}
	vouched, err := a.vouch(d, secret)
	if err != nil {
		return nil, err
	}
	p.device, p.secret, p.outcome, p.asked = d, secret, outcome, s.nextID()
	p.c.send(node{
		Tag:   "iq",
		Attrs: attrs{"from": types.ServerJID, "type": "set", "id": p.asked, "xmlns": "md", "t": unix(time.Now())},
		Content: []node{{Tag: "pair-success", Content: []node{
			{Tag: "device-identity", Content: vouched},
			{Tag: "device", Attrs: attrs{"jid": d.PN(), "lid": d.LID()}},
			{Tag: "platform", Attrs: attrs{"name": "android"}},
		}}},
	})
	return d, nil
}

// vouch is what the phone says about a device's key: signed with its own, and
// sealed with the secret of the QR code.
func (a *Account) vouch(d *Device, secret []byte) ([]byte, error) {
	details, err := proto.Marshal(&waAdv.ADVDeviceIdentity{
		RawID: proto.Uint32(a.regID), Timestamp: proto.Uint64(uint64(time.Now().Unix())), KeyIndex: &d.index,
		AccountType: waAdv.ADVEncryptionType_E2EE.Enum(), DeviceType: waAdv.ADVEncryptionType_E2EE.Enum(),
	})
	if err != nil {
		return nil, err
	}
	sum := signature(a.identity, whatsmeow.AdvAccountSignaturePrefix, details, d.identity[:])
	fault := a.faults.pairing
	a.faults.pairing = PairsFine
	if fault == PairsBadSignature {
		sum[0] ^= 0xff
	}
	signedIdentity, err := proto.Marshal(&waAdv.ADVSignedDeviceIdentity{
		Details: details, AccountSignatureKey: a.identity.Pub[:], AccountSignature: sum,
	})
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(signedIdentity)
	seal := mac.Sum(nil)
	if fault == PairsBadSeal {
		seal[0] ^= 0xff
	}
	return proto.Marshal(&waAdv.ADVSignedDeviceIdentityHMAC{Details: signedIdentity, HMAC: seal})
}

// handleUnpaired is one stanza of a client that is no device yet, or no longer.
func (s *Server) handleUnpaired(c *conn, n *node) {
	p := c.pairing
	switch {
	case n.Tag == "ib" || p == nil:
	case n.Tag == "iq" && text(n, "id") == p.asked && text(n, "type") == "error":
		failure, _ := child(n, "error")
		p.finish(fmt.Errorf("wasim: the client refused to be linked: %s %s", text(&failure, "code"), text(&failure, "text")))
	case n.Tag == "iq" && text(n, "id") == p.asked && p.device != nil:
		s.confirmPairing(p, n)
	case n.Tag == "iq" && text(n, "type") == "result": // has seen the offer
	case n.Tag == "iq" && text(n, "xmlns") == "w:p":
		c.send(result(n))
	default:
		s.unhandled(c, n.String())
		if n.Tag == "iq" {
			c.send(refused(n, errNotImplemented))
		}
	}
}

// confirmPairing checks the device's own signature and links it.
func (s *Server) confirmPairing(p *pairing, n *node) {
	d, a := p.device, p.device.account
	confirmed, _ := child(n, "pair-device-sign", "device-identity")
	var own waAdv.ADVSignedDeviceIdentity
	if err := proto.Unmarshal(body(confirmed), &own); err != nil {
		p.finish(err)
		return
	}
	if !signed(d.identity, own.GetDeviceSignature(), whatsmeow.AdvDeviceSignaturePrefix, own.GetDetails(), d.identity[:], a.identity.Pub[:]) {
		p.finish(errors.New("wasim: the device's signature is wrong"))
		return
	}
	a.devices = append(a.devices, d)
	a.devicesChanged(d)
	p.finish(nil)
	p.c.last(node{Tag: "stream:error", Attrs: attrs{"code": "515"}})
}

// WaitOnline waits until the device has logged in and said it is active.
func (d *Device) WaitOnline(ctx context.Context) error {
	return d.s.Until(ctx, d.Online)
}

// Online says whether the device is logged in and active.
func (d *Device) Online() bool {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	return d.conn != nil && d.active
}
