package wasim_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

func TestBacklogArrivesInOrderAndIsAnnounced(t *testing.T) {
	const n = 300
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.Disconnect()
	s.Wait(t, "beto to be offline", func() bool { return !b.Device.Online() })
	for i := range n {
		a.SendText(beto, fmt.Sprint(i))
	}
	require.Equal(t, n, b.Device.Waiting())

	ended := make(chan int, 1)
	b.Handle(func(e any) {
		if done, ok := e.(*events.OfflineSyncCompleted); ok && done.Count > 0 {
			ended <- done.Count
		}
	})
	require.NoError(t, b.Connect())
	for i, got := range b.WaitFor(n) {
		require.Equal(t, fmt.Sprint(i), got.Text)
	}
	require.GreaterOrEqual(t, <-ended, n) // receipts and notifications count too
	s.Wait(t, "all to be acknowledged", func() bool { return len(b.Device.Acked()) == n })
	for _, d := range b.Device.Deliveries() {
		require.True(t, d.Offline)
		require.Equal(t, 1, d.Attempts)
	}
}

func TestUnacknowledgedMessageIsDeliveredAgain(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.Device.Stall(true) // what b says is lost
	a.SendText(beto, "hola")
	b.Device.Drop()
	s.Wait(t, "beto to be back", func() bool { return b.Device.Logins() == 2 })
	b.Device.Stall(false)

	require.Equal(t, "hola", b.Next().Text)
	s.Wait(t, "the message to be acknowledged", func() bool { return len(b.Device.Acked()) == 1 })
	require.Zero(t, b.Device.Waiting())
}
