package wasim_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/store/sqlstore"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// client is a whatsmeow client as it comes, with its events: what the server is
// for, where Phone is what the server brings along.
type client struct {
	*whatsmeow.Client
	t *testing.T
	s *wasim.Server

	mu     sync.Mutex
	events []any
}

func newClient(t *testing.T, s *wasim.Server) *client {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:?_pragma=foreign_keys(1)")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	container := sqlstore.NewWithDB(db, "sqlite", nil)
	require.NoError(t, container.Upgrade(context.Background()))
	return clientOf(t, s, container.NewDevice(), func() { _ = db.Close() })
}

func clientOf(t *testing.T, s *wasim.Server, device *store.Device, after func()) *client {
	c := &client{Client: whatsmeow.NewClient(device, nil), t: t, s: s}
	s.Redirect(c.Client)
	c.AddEventHandler(func(e any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, e)
	})
	t.Cleanup(func() {
		c.Disconnect()
		after()
	})
	return c
}

// seen gives the events of a type so far.
func seen[E any](c *client) []E {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []E
	for _, e := range c.events {
		if is, ok := e.(E); ok {
			all = append(all, is)
		}
	}
	return all
}

// await waits for an event of a type and gives the latest.
func await[E any](c *client, what string) E {
	c.t.Helper()
	var last E
	require.Eventually(c.t, func() bool {
		all := seen[E](c)
		if len(all) > 0 {
			last = all[len(all)-1]
		}
		return len(all) > 0
	}, 20*time.Second, 5*time.Millisecond, what)
	return last
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
