package wasim_test

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

func TestServersOfAProcessShareARoot(t *testing.T) {
	first, second := wasim.New(t), wasim.New(t)
	require.Equal(t, first.Root(), second.Root())
	require.Equal(t, whatsmeow.WACertPubKey, first.Root())
	root := first.Root()
	require.Equal(t, hex.EncodeToString(root[:]), wasim.RootHex())
	require.NotEqual(t, first.Addr(), second.Addr())
	first.NewPhone(t, ana)
	second.NewPhone(t, ana)
}

func TestServerListensWhereItIsTold(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())
	s := wasim.New(t, wasim.Options{Addr: addr})
	require.Equal(t, addr, s.Addr())
	_, err = wasim.Start(wasim.Options{Addr: addr})
	require.Error(t, err)
}

func TestAccountIsTheSameInAnySpelling(t *testing.T) {
	s := wasim.New(t)
	require.Same(t, s.Account("+52 1 55 1111 1111"), s.Account("5215511111111"))
	require.Equal(t, s.Account(ana).LID(), wasim.New(t).Account(ana).LID())
	require.NotEqual(t, s.Account(ana).LID(), s.Account(beto).LID())
}

func TestTraceHoldsStanzas(t *testing.T) {
	var trace lines
	s := wasim.New(t, wasim.Options{Trace: &trace})
	s.NewPhone(t, ana)
	require.Contains(t, trace.String(), "← <success")
	require.Contains(t, trace.String(), "→ <iq")
}

func TestUnknownRequestIsRemembered(t *testing.T) {
	s, err := wasim.Start(wasim.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	res, err := s.HTTPClient().Get("https://static.whatsapp.net/sticker")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusNotFound, res.StatusCode)
	require.Equal(t, []string{"GET /sticker"}, s.Unhandled())
}

func TestCallerThatIsNoClientDoesNoHarm(t *testing.T) {
	s := wasim.New(t)
	conn, err := net.Dial("tcp", s.Addr())
	require.NoError(t, err)
	_, err = conn.Write([]byte("GET /ws/chat HTTP/1.1\r\nHost: x\r\n\r\n")) // and no websocket
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	s.NewPhone(t, ana) // the server does not mind
}

func TestUntilGivesUp(t *testing.T) {
	s := wasim.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Until(ctx, func() bool { return false }), context.Canceled)
}

// lines is a buffer that several goroutines may write to.
type lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
