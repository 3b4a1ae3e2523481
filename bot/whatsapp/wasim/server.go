package wasim

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/util/keys"
)

// Options of a server; the zero value is what most tests want.
type Options struct {
	// Addr is where to listen; "" is a free port of 127.0.0.1.
	Addr string
	// FullPreKeys lets a device that has none on the server upload 812 one-time
	// keys, as in life. Otherwise it is told that one is left, and uploads 50.
	FullPreKeys bool
	// Trace is written every stanza, in and out. Ciphertexts stay ciphertexts,
	// but the numbers of accounts are in it.
	Trace io.Writer
	// Window is how many stanzas a device may have unacknowledged before the
	// next ones wait; 0 is 1,000. The client loses the order past 2,048.
	Window int
}

// Server is an emulated WhatsApp.
type Server struct {
	opts  Options
	gate  *gate
	http  *http.Server
	out   *http.Client
	key   *keys.KeyPair
	chain []byte // certificates

	ctx    context.Context
	cancel context.CancelFunc
	busy   sync.WaitGroup

	mu       sync.Mutex // guards all below, and all of accounts, devices and connections
	changed  chan struct{}
	conns    map[*conn]bool
	accounts map[string]*Account // by number and by LID, see key
	pairings map[string]*pairing // by ref
	media    mediaStore
	serial   int
	overlaps []Overlap
	strange  []string
}

// New starts a server that ends with the test, and fails it if a client sent
// anything that the server does not know.
func New(t testing.TB, opts ...Options) *Server {
	t.Helper()
	var o Options
	if len(opts) > 0 {
		o = opts[0]
	}
	s, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		for _, strange := range s.Unhandled() {
			t.Errorf("wasim: no answer is known to %s", strange)
		}
	})
	return s
}

// Start starts a server outside a test. Close it.
func Start(o Options) (*Server, error) {
	Trust()
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Window == 0 {
		o.Window = 1000
	}
	key := keys.NewKeyPair()
	chain, err := certify(key)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: o, gate: &gate{Listener: listener}, key: key, chain: chain,
		changed: make(chan struct{}), conns: map[*conn]bool{},
		accounts: map[string]*Account{}, pairings: map[string]*pairing{},
		media: mediaStore{files: map[string][]byte{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.out = clientTo(s.Addr())

	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws/chat", s.serveSocket)
	mux.HandleFunc("POST /mms/{kind}/{token}", s.upload)
	mux.HandleFunc("DELETE /mms/{kind}/{token}", s.forget)
	mux.HandleFunc("GET /v/{path...}", s.download)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.unhandled(nil, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		http.NotFound(w, r)
	})
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.busy.Go(func() { _ = s.http.Serve(s.gate) })
	return s, nil
}

// Addr is the server's TCP address.
func (s *Server) Addr() string { return s.gate.Addr().String() }

// Root is the key that its clients must trust: Root().
func (s *Server) Root() [32]byte { return Root() }

// HTTPClient goes to the server by plain TCP, whatever host a URL names: for
// SetWebsocketHTTPClient, SetPreLoginHTTPClient and SetMediaHTTPClient.
func (s *Server) HTTPClient() *http.Client { return s.out }

func clientTo(addr string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DialTLSContext: dial, MaxIdleConnsPerHost: 16}}
}

// Close ends all connections and waits for what was going on.
func (s *Server) Close() {
	s.cancel()
	_ = s.http.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.cut()
	}
	s.mu.Unlock()
	s.out.CloseIdleConnections()
	s.busy.Wait()
}

// touch wakes who waits for something to happen. The lock is held.
func (s *Server) touch() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Until waits for a condition, which is tried anew whenever anything happened
// on the server or on one of its phones. It gives the context's error if the
// condition did not come to hold.
func (s *Server) Until(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// Wait is Until for tests: it fails the test after half a minute.
func (s *Server) Wait(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.Until(ctx, holds) != nil {
		t.Fatalf("wasim: waited in vain for %s", what)
	}
}

// nextID makes an ID of a stanza of the server's own. The lock is held.
func (s *Server) nextID() string {
	s.serial++
	return "wasim-" + strconv.Itoa(s.serial)
}

func (s *Server) unhandled(c *conn, what string) {
	if c != nil && c.device != nil {
		what = fmt.Sprintf("%s (from %s)", what, c.device.LID())
	}
	s.strange = append(s.strange, what)
}

func (s *Server) trace(c *conn, arrow string, n *waBinary.Node) {
	if s.opts.Trace == nil {
		return
	}
	who := "?"
	if c.device != nil {
		who = c.device.PN().String()
	}
	fmt.Fprintf(s.opts.Trace, "%s %s %s %s\n", time.Now().Format("15:04:05.000"), who, arrow, n.String())
}

// gate is a listener that can turn callers away as soon as they ring.
type gate struct {
	net.Listener
	mu   sync.Mutex
	shut bool
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.mu.Lock()
		shut := g.shut
		g.mu.Unlock()
		if !shut {
			return c, nil
		}
		_ = c.Close()
	}
}
