package wasim_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

func TestReceiptsReachTheSender(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	id := a.SendText(beto, "hola")
	got := b.Next()
	s.Wait(t, "the receipt of one who is not looking", func() bool { return a.Told(id, types.ReceiptTypeInactive) })

	require.NoError(t, b.Client.MarkRead(context.Background(), []string{id}, time.Now(), got.Chat, got.From))
	s.Wait(t, "the read receipt", func() bool { return a.Told(id, types.ReceiptTypeRead) })

	require.NoError(t, b.Client.SendPresence(context.Background(), types.PresenceAvailable))
	id = a.SendText(beto, "¿sigues?")
	s.Wait(t, "the receipt of one who is looking", func() bool { return a.Told(id, types.ReceiptTypeDelivered) })
}

func TestReceiptsWaitForWhoIsAway(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.Disconnect()
	s.Wait(t, "beto to be offline", func() bool { return !b.Device.Online() })
	id := a.SendText(beto, "hola")
	a.Disconnect()
	require.NoError(t, b.Connect())
	b.Next()
	s.Wait(t, "the acknowledgement", func() bool { return len(b.Device.Acked()) == 1 })
	require.NoError(t, a.Connect())
	s.Wait(t, "the receipt", func() bool { return a.Told(id, types.ReceiptTypeInactive) })
}

func TestTypingAndPresenceAreSeen(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana, wasim.WithName("Ana")), s.NewPhone(t, beto)
	ctx := context.Background()
	states, presences := make(chan *events.ChatPresence, 4), make(chan *events.Presence, 4)
	b.Handle(func(e any) {
		switch e := e.(type) {
		case *events.ChatPresence:
			states <- e
		case *events.Presence:
			presences <- e
		}
	})
	require.NoError(t, b.Client.SendPresence(ctx, types.PresenceAvailable))
	require.NoError(t, b.Client.SubscribePresence(ctx, a.Account.LID()))
	require.True(t, (<-presences).Unavailable)
	require.NoError(t, a.Client.SendPresence(ctx, types.PresenceAvailable))
	require.False(t, (<-presences).Unavailable)

	require.NoError(t, a.Client.SendChatPresence(ctx, b.Account.LID(), types.ChatPresenceComposing, ""))
	require.Equal(t, types.ChatPresenceComposing, (<-states).State)

	require.Equal(t, "Ana", a.Account.Presences()[0].Name)
	require.Equal(t, "composing", a.Account.ChatStates()[0].State)
	require.Equal(t, b.Account.LID(), a.Account.ChatStates()[0].To)

	a.SendText(beto, "hola")
	require.Equal(t, "Ana", b.Next().Info.PushName)
}
