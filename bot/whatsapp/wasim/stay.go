package wasim

import (
	"errors"
	"time"

	"go.mau.fi/whatsmeow"
)

// How long a phone waits before it tries again to connect.
const (
	firstWait = 20 * time.Millisecond
	longest   = time.Second
)

// stay brings the phone back whenever it loses its connection, until it ends.
// whatsmeow would do so by itself, but waits two seconds longer each time, and
// has a data race between its reconnecting and a send that waits for it.
func (p *Phone) stay() {
	for {
		select {
		case <-p.lost:
		case <-p.ended:
			return
		}
		for wait := firstWait; p.again(); wait = min(2*wait, longest) {
			select {
			case <-time.After(wait):
			case <-p.ended:
				return
			}
		}
	}
}

// again tries once, and says whether to try once more.
func (p *Phone) again() bool {
	p.line.Lock()
	defer p.line.Unlock()
	if !p.wanted || p.Client.Store.Deleted {
		return false
	}
	err := p.Client.Connect()
	return err != nil && !errors.Is(err, whatsmeow.ErrAlreadyConnected)
}

// lose says that the connection is gone, or, where it must be given up first,
// gives it up.
func (p *Phone) lose(giveUp bool) {
	if giveUp {
		p.line.Lock()
		p.Client.Disconnect()
		p.line.Unlock()
	}
	select {
	case p.lost <- struct{}{}:
	default:
	}
}

// Disconnect takes the phone off the network.
func (p *Phone) Disconnect() {
	p.line.Lock()
	defer p.line.Unlock()
	p.wanted = false
	p.Client.Disconnect()
}
