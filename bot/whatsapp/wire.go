package whatsapp

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"go.mau.fi/whatsmeow"
)

// Endpoint points the client at an emulator instead of WhatsApp. It is refused in
// production: who answers there reads everything.
type Endpoint struct {
	Addr string   // 127.0.0.1:PORT; spoken to without TLS
	Root [32]byte // the key that signs its certificates
}

// trust makes whatsmeow, in the whole process, believe in the emulator.
func (e *Endpoint) trust() {
	if e != nil && whatsmeow.WACertPubKey != e.Root {
		whatsmeow.WACertPubKey = e.Root
	}
}

// dialTime is how long a connection may take to come about. whatsmeow waits
// without end otherwise, and nothing else of the number happens meanwhile.
const dialTime = 10 * time.Second

// httpClient makes what a device speaks through: its socket, and files.
func httpClient(e *Endpoint) *http.Client {
	dial := (&net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}).DialContext
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext, t.TLSHandshakeTimeout, t.ResponseHeaderTimeout = dial, dialTime, 2*dialTime
	if e != nil {
		plain := func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, e.Addr) }
		t.Proxy, t.DialContext, t.DialTLSContext = nil, plain, plain
	}
	return &http.Client{Transport: t}
}

// errTooLarge is a file that is larger than what we keep.
var errTooLarge = errors.New("the file is too large")

// limited refuses to read more of an answer than most bytes, whatever was
// promised: whatsmeow reads files into memory.
type limited struct {
	http.RoundTripper
	most int64
}

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > l.most {
		resp.Body.Close() //nolint:errcheck // nothing was read
		return nil, errTooLarge
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: l.most}
	return resp, nil
}

type limitedBody struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}
