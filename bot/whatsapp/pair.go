package whatsapp

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/templates"
)

// How long QRs hold. The server tells the client none of this; its own clients
// show the first for a minute and the others for twenty seconds.
const (
	firstQR = 60 * time.Second
	otherQR = 20 * time.Second
)

// pairRounds is how often new QRs are asked for when nobody scanned the last: a
// page left open must not knock at WhatsApp's door for ever. One round is about
// two and a half minutes.
const pairRounds = 4

// pair links a device to the phone that scans its QR. The client that does it is
// thrown away: pairing puts fresh stores into its device, without our guard. A
// verdict whose next is goOn says that the number has a device now.
func (s *session) pair() verdict {
	s.note(verdict{status: statusPairing})
	for range pairRounds {
		v, again := s.pairRound()
		if !again || s.ctx.Err() != nil || s.deleted() {
			return v
		}
		if v.next == reconnect && !s.pause(backoff(s.fleet.opt.Timing.Backoff, 2)) {
			return v
		}
	}
	return verdict{status: statusPairing, reason: reasonExpired, next: giveUp}
}

// pairRound shows the QRs of one connection. again says that nobody scanned one.
func (s *session) pairRound() (v verdict, again bool) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	failed := verdict{status: statusPairing, reason: reasonFailed, next: giveUp}
	c := s.fleet.client(s.fleet.devices.fresh(), s.log)
	// The number knows its device before WhatsApp does: a process that dies in
	// between leaves no link that nobody owns. Who lost the lease links nothing.
	c.PrePairCallback = func(jid types.JID, _, _ string) bool { return s.adopt(ctx, jid) == nil }
	signals := make(chan any, 16)
	c.AddEventHandler(func(evt any) {
		select {
		case signals <- evt:
		case <-ctx.Done():
		}
	})
	if err := c.ConnectContext(ctx); err != nil {
		s.log.Info("not connected for pairing", "error", withoutNumbers(err))
		return verdict{status: statusDisconnected, next: reconnect}, true
	}
	var codes []string
	show, paired := time.NewTimer(s.fleet.opt.Timing.Login), (<-chan time.Time)(nil)
	defer show.Stop()
	for {
		select {
		case <-ctx.Done():
			return failed, false
		case <-s.retiring:
			return failed, false
		case <-paired:
			return verdict{next: goOn}, false
		case <-show.C:
			if len(codes) == 0 { // the last has run out, and nobody scanned it
				return verdict{status: statusPairing, next: goOn}, true
			}
			show.Reset(s.showQR(codes[0], otherQR))
			codes = codes[1:]
		case evt := <-signals:
			switch e := evt.(type) {
			case *events.QR:
				if len(e.Codes) > 0 {
					codes = e.Codes[1:]
					show.Reset(s.showQR(e.Codes[0], firstQR))
				}
			case *events.PairSuccess:
				// The server ends this connection next; it need not be waited for
				// long.
				show.Stop()
				paired = time.After(pairedTime)
			case *events.ManualLoginReconnect:
				return verdict{next: goOn}, false
			case *events.PairError:
				s.log.Warn("pairing failed", "error", withoutNumbers(e.Error))
				s.forgetDevice()
				return failed, false
			case *events.PairPasskeyRequest, *events.PairPasskeyError:
				s.log.Warn("WhatsApp asks for a passkey; this account cannot be linked by QR alone")
				return failed, false
			case *events.Disconnected:
				if paired == nil {
					return verdict{status: statusPairing, next: reconnect}, true
				}
				return verdict{next: goOn}, false
			default:
				if v, ok := judge(evt, time.Now()); ok && v.next == giveUp {
					return v, false
				}
			}
		}
	}
}

// pairedTime is how long the server has to end the connection of a pairing.
const pairedTime = 5 * time.Second

// adopt makes the device the number's, before it is linked.
func (s *session) adopt(ctx context.Context, jid types.JID) error {
	device, phone, now := jid.String(), string(phoneOf(jid.ToNonAD())), time.Now()
	state := store.NumberState{JID: &device, PairedAt: &now}
	if phone != "" {
		state.Phone = &phone
	}
	if err := s.save(ctx, state); err != nil {
		return err
	}
	s.mu.Lock()
	s.number.JID = device
	s.mu.Unlock()
	return nil
}

// showQR puts a QR where people look: the page, and the terminal where there is
// one. It gives how long the QR holds. Whoever reads a QR can take the device, so
// no log has it.
func (s *session) showQR(text string, holds time.Duration) time.Duration {
	until := time.Now().Add(holds)
	if err := s.save(s.ctx, store.NumberState{QR: &text, QRUntil: &until}); err != nil {
		return holds
	}
	s.log.Info("a QR is ready to be scanned; see the number's page in the backoffice", "until", until)
	if t := s.fleet.opt.Terminal; t != nil {
		if drawn, err := templates.QRTerminal(text); err == nil {
			fmt.Fprintf(t, "\n  WhatsApp «%s»\n%s\n", s.number.Label, drawn)
		}
	}
	return holds
}
