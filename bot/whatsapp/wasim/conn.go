package wasim

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/socket"
)

// grace is how long a connection stays open after the last word: the client no
// longer handles what it has received once its socket is closed.
const grace = 250 * time.Millisecond

// conn is one connection of a client.
type conn struct {
	s      *Server
	ws     *websocket.Conn
	frames *frames
	in     sealed
	outKey sealed
	who    hello

	gone chan struct{} // closed when it has ended
	wake chan struct{} // says that there is something to write

	// Guarded by the server's lock.
	device  *Device  // once logged in
	pairing *pairing // while unpaired
	out     [][]byte // marshalled stanzas, in order
	over    bool     // nothing more is read or written, but for what is in out
}

func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	s.busy.Add(1)
	defer s.busy.Done()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }()
	ws.SetReadLimit(socket.FrameMaxSize + 1024)

	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	c := &conn{s: s, ws: ws, frames: &frames{ws: ws}, gone: make(chan struct{}), wake: make(chan struct{}, 1)}
	who, reads, writes, err := shake(socket.WAConnHeader, s.key, s.chain,
		func(data []byte) error { return c.frames.write(ctx, data) },
		func() ([]byte, error) { return c.frames.next(ctx) })
	if err != nil {
		return
	}
	c.who, c.in, c.outKey = who, sealed{aead: reads}, sealed{aead: writes}

	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
	s.busy.Go(func() { c.write(ctx) })
	defer s.end(c)

	if who.payload.GetDevicePairingData() != nil {
		s.mu.Lock()
		s.offerPairing(c)
		s.mu.Unlock()
	} else {
		s.login(c)
	}
	c.read(ctx)
}

// read handles stanzas, one by one, until the connection ends.
func (c *conn) read(ctx context.Context) {
	for {
		frame, err := c.frames.next(ctx)
		if err != nil {
			return
		}
		plain, err := c.in.open(frame)
		if err != nil {
			return
		}
		n, err := decode(plain)
		if err != nil {
			return
		}
		c.s.mu.Lock()
		if !c.over {
			c.s.trace(c, "→", n)
			c.s.handle(c, n)
			c.s.touch()
		}
		c.s.mu.Unlock()
	}
}

// write sends what is in out until the connection ends.
func (c *conn) write(ctx context.Context) {
	for {
		select {
		case <-c.wake:
		case <-c.gone:
			return
		case <-ctx.Done():
			return
		}
		c.s.mu.Lock()
		out := c.out
		c.out = nil
		c.s.mu.Unlock()
		for _, data := range out {
			if c.frames.write(ctx, c.outKey.seal(data)) != nil {
				return
			}
		}
	}
}

// send puts a stanza on its way. The lock is held.
func (c *conn) send(n node) {
	if c.over {
		return
	}
	data, err := waBinary.Marshal(n)
	if err != nil {
		c.s.unhandled(c, "own stanza that cannot be written: "+err.Error())
		return
	}
	c.s.trace(c, "←", &n)
	c.out = append(c.out, data)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// last sends the last word and closes the connection a little later. The lock
// is held.
func (c *conn) last(n node) {
	c.send(n)
	c.over = true
	time.AfterFunc(grace, func() { _ = c.ws.CloseNow() })
}

// cut ends the connection at once, without a word. The lock is held.
func (c *conn) cut() {
	c.over = true
	c.out = nil
	s := c.s
	s.busy.Go(func() { _ = c.ws.CloseNow() })
}

// end is what follows the end of a connection.
func (s *Server) end(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.over = true
	close(c.gone)
	delete(s.conns, c)
	if c.pairing != nil {
		s.dropPairing(c.pairing)
	}
	if c.device != nil {
		c.device.disconnected(c)
	}
	s.touch()
}

// handle is the switchboard: one stanza of a client. The lock is held.
func (s *Server) handle(c *conn, n *node) {
	if c.device == nil {
		s.handleUnpaired(c, n)
		return
	}
	if c.device.stalled {
		return
	}
	switch n.Tag {
	case "iq":
		s.onIQ(c, n)
	case "message":
		s.onMessage(c, n)
	case "receipt":
		s.onReceipt(c, n)
	case "ack":
		s.onAck(c, n)
	case "presence":
		s.onPresence(c, n)
	case "chatstate":
		s.onChatState(c, n)
	case "ib": // telemetry; nobody waits for an answer
	default:
		s.unhandled(c, n.String())
	}
}
