package wasim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types/events"
	"google.golang.org/protobuf/proto"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// linked is a plain client that is a device of Ana's.
func linked(t *testing.T, s *wasim.Server) (*client, *wasim.Device) {
	t.Helper()
	c := newClient(t, s)
	require.NoError(t, c.Connect())
	d, err := s.Account(ana).Scan(soon(t), await[*events.QR](c, "QR codes").Codes[0])
	require.NoError(t, err)
	require.NoError(t, d.WaitOnline(soon(t)))
	await[*events.Connected](c, "connected")
	return c, d
}

func TestDroppedClientComesBack(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	d.Drop()
	await[*events.Disconnected](c, "disconnected")
	s.Wait(t, "the client to be back", func() bool { return d.Logins() == 2 && d.Online() })
	require.Empty(t, s.Overlaps())
}

func TestServerIsOutOfReach(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	s.Refuse()
	s.DropAll()
	await[*events.Disconnected](c, "disconnected")
	s.Wait(t, "the client to be gone", func() bool { return !d.Online() })
	other := newClient(t, s)
	require.Error(t, other.Connect())
	s.Allow()
	s.Wait(t, "the client to be back", d.Online)
}

func TestStreamErrorIsFollowedByReconnect(t *testing.T) {
	s := wasim.New(t)
	_, d := linked(t, s)
	d.StreamError(503)
	s.Wait(t, "the client to be back", func() bool { return d.Logins() == 2 && d.Online() })
	require.Empty(t, s.Overlaps())
}

func TestLostMessageIsNeitherAcknowledgedNorDelivered(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	a.Account.LoseNext(1)
	_, err := a.Client.SendMessage(t.Context(), b.Account.PN(), text("uno"), whatsmeow.SendRequestExtra{Timeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, whatsmeow.ErrMessageTimedOut)
	a.SendText(beto, "dos")
	require.Equal(t, "dos", b.Next().Text)
	require.True(t, a.Account.Sent()[0].Lost)
	require.False(t, a.Account.Sent()[1].Lost)
}

func TestMessageIsDeliveredThoughItsAckIsLost(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	a.Account.DropAcks(1)
	_, err := a.Client.SendMessage(t.Context(), b.Account.PN(), text("uno"), whatsmeow.SendRequestExtra{Timeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, whatsmeow.ErrMessageTimedOut)
	require.Equal(t, "uno", b.Next().Text)
	require.True(t, a.Account.Sent()[0].AckDropped)
}

func TestRefusedMessageIsNotDelivered(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	a.Account.RefuseSends(463, 1)
	_, err := a.Send(t.Context(), beto, text("uno"), "")
	require.ErrorIs(t, err, whatsmeow.ErrServerReturnedError)
	require.ErrorContains(t, err, "463")
	require.Equal(t, 463, a.Account.Sent()[0].Error)
	a.SendText(beto, "dos")
	require.Equal(t, "dos", b.Next().Text)
}

func TestCorruptMessageIsSentAgain(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.Account.CorruptNext(1)
	id := a.SendText(beto, "hola") // a first contact
	got := b.Next()
	require.Equal(t, id, got.ID)
	require.Equal(t, "hola", got.Text)
	require.Equal(t, 1, got.RetryCount)
	require.Equal(t, id, b.Failures()[0].ID)

	b.SendText(ana, "dime")
	require.Equal(t, "dime", a.Next().Text)
	b.Account.CorruptNext(2) // also the repetition
	id = a.SendText(beto, "otra")
	got = b.Next()
	require.Equal(t, id, got.ID)
	require.Equal(t, 2, got.RetryCount)
	require.Len(t, b.Failures(), 3)
	s.Wait(t, "all to be acknowledged", func() bool { return b.Device.Waiting() == 0 })
}

func TestMutedPingsAreNoticed(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	s.Wait(t, "a ping", func() bool { return d.Pings() > 0 })
	d.MutePings(true)
	await[*events.KeepAliveTimeout](c, "the client to notice")
	d.MutePings(false)
	await[*events.KeepAliveRestored](c, "the client to be content")
}

func TestStalledConnectionIsGivenUp(t *testing.T) {
	s := wasim.New(t)
	_, d := linked(t, s)
	d.Stall(true)
	s.Wait(t, "the client to try anew", func() bool { return d.Logins() == 2 })
	d.Stall(false)
	require.Empty(t, s.Overlaps())
}

func TestLoginIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		how   wasim.LoginFailure
		event func(t *testing.T, c *client)
	}{
		"logged out": {wasim.LoggedOut, func(t *testing.T, c *client) {
			require.Equal(t, events.ConnectFailureLoggedOut, await[*events.LoggedOut](c, "the event").Reason)
		}},
		"phone gone": {wasim.PhoneGone, func(t *testing.T, c *client) {
			require.Equal(t, events.ConnectFailureMainDeviceGone, await[*events.LoggedOut](c, "the event").Reason)
		}},
		"banned": {wasim.Banned, func(t *testing.T, c *client) {
			require.Equal(t, events.ConnectFailureUnknownLogout, await[*events.LoggedOut](c, "the event").Reason)
		}},
		"outdated": {wasim.Outdated, func(t *testing.T, c *client) { await[*events.ClientOutdated](c, "the event") }},
		"unknown": {wasim.LoginFailure{Reason: 418}, func(t *testing.T, c *client) {
			require.Equal(t, events.ConnectFailureClientUnknown, await[*events.ConnectFailure](c, "the event").Reason)
		}},
		"for a while, 101": {wasim.TempBan(101, time.Hour), banned(101)},
		"for a while, 102": {wasim.TempBan(102, time.Hour), banned(102)},
		"for a while, 104": {wasim.TempBan(104, time.Hour), banned(104)},
		"for a while, 106": {wasim.TempBan(106, time.Hour), banned(106)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := wasim.New(t)
			cli, d := linked(t, s)
			d.Account().FailLogin(c.how)
			d.Drop()
			c.event(t, cli)
			require.Equal(t, 1, d.Logins())
		})
	}
}

func banned(code int) func(t *testing.T, c *client) {
	return func(t *testing.T, c *client) {
		ban := await[*events.TemporaryBan](c, "the event")
		require.Equal(t, events.TempBanReason(code), ban.Code)
		require.Equal(t, time.Hour, ban.Expire)
	}
}

func TestUnavailableServerIsTriedAgain(t *testing.T) {
	s := wasim.New(t)
	_, d := linked(t, s)
	once := wasim.Unavailable
	once.Times = 1
	d.Account().FailLogin(once)
	d.Drop()
	s.Wait(t, "the client to be back", func() bool { return d.Logins() == 2 })
}

func TestLoginIsAllowedAgain(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	d.Account().FailLogin(wasim.TempBan(101, time.Hour))
	d.Drop()
	await[*events.TemporaryBan](c, "the event")
	d.Account().AllowLogin()
	require.NoError(t, reconnect(c))
	s.Wait(t, "the client to be back", d.Online)
}

// reconnect connects a client whose server has yet to close the last connection.
func reconnect(c *client) error {
	c.Disconnect()
	return c.Connect()
}

func TestReplacedStreamIsNotReconnected(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	d.Replace()
	await[*events.StreamReplaced](c, "the event")
	s.Wait(t, "the connection to end", func() bool { return s.Connections() == 0 })
	require.Equal(t, 1, d.Logins())
}

func TestSessionConnectedTwiceIsNoticed(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	second := clientOf(t, s, c.Store, func() {})
	require.NoError(t, second.Connect())
	await[*events.StreamReplaced](c, "the first to be sent away")
	s.Wait(t, "the second to be online", func() bool { return d.Logins() == 2 && d.Online() })
	require.Len(t, s.Overlaps(), 1)
	require.Equal(t, d.LID(), s.Overlaps()[0].Device)
}

func TestQuickReconnectsAreNoOverlap(t *testing.T) {
	s := wasim.New(t)
	a := s.NewPhone(t, ana)
	for range 20 {
		require.NoError(t, a.Reconnect())
	}
	require.Empty(t, s.Overlaps())
	require.Equal(t, 21, a.Device.Logins())
}

func TestUnlinkedDeviceIsLoggedOut(t *testing.T) {
	s := wasim.New(t)
	b := s.NewPhone(t, beto)
	c, d := linked(t, s)
	d.Unlink()
	require.False(t, await[*events.LoggedOut](c, "the event").OnConnect)
	require.False(t, d.Linked())
	require.Empty(t, s.Account(ana).Devices())
	b.SendText(ana, "¿hay alguien?") // only the phone is left to read it
}

func TestDeviceUnlinkedWhileAwayLearnsAtLogin(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	c.Disconnect()
	s.Wait(t, "the client to be away", func() bool { return !d.Online() })
	d.Unlink()
	require.NoError(t, c.Connect())
	require.True(t, await[*events.LoggedOut](c, "the event").OnConnect)
}

func TestDeviceUnlinksItself(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	require.NoError(t, c.Logout(t.Context()))
	require.False(t, d.Linked())
	require.Empty(t, s.Account(ana).Devices())
}

func TestAccountMovesToAnotherPhone(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.SendText(ana, "uno")
	require.Equal(t, "uno", a.Next().Text)
	changed := make(chan *events.IdentityChange, 4)
	b.Handle(func(e any) {
		if c, ok := e.(*events.IdentityChange); ok {
			changed <- c
		}
	})
	a.Account.Reinstall()
	require.Equal(t, a.Account.LID(), (<-changed).JID)
	anew := s.NewPhone(t, ana)
	s.Wait(t, "beto to take the news in", b.Device.Idle)
	b.SendText(ana, "dos")
	require.Equal(t, "dos", anew.Next().Text)
	anew.SendText(beto, "tres")
	require.Equal(t, "tres", b.Next().Text)
}

func TestMessageThatIsNeverRepeatedStaysUnreadable(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.Account.CorruptNext(1)
	a.Account.LoseNextRetries(1)
	id := a.SendText(beto, "uno")
	s.Wait(t, "the failure", func() bool { return len(b.Failures()) == 1 })
	require.Equal(t, id, b.Failures()[0].ID)
	s.Wait(t, "the repetition to be lost", func() bool { return len(a.Account.Sent()) == 2 && a.Account.Sent()[1].Lost })
	a.SendText(beto, "dos")
	require.Equal(t, "dos", b.Next().Text)
	require.Len(t, b.Readable(), 1)
}

func TestReachoutTimelockIsTold(t *testing.T) {
	s := wasim.New(t)
	c, d := linked(t, s)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	d.Account().ReachoutTimelock(true, until)
	lock := await[*events.NotifyAccountReachoutTimelock](c, "the event")
	require.True(t, lock.IsActive)
	require.Equal(t, until.Unix(), lock.TimeEnforcementEnds.Unix())
}

func TestUnknownStanzaIsRefusedAndRemembered(t *testing.T) {
	s, err := wasim.Start(wasim.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	c, _ := linked(t, s)
	_, err = c.GetContactQRLink(t.Context(), false)
	require.Error(t, err)
	require.False(t, errors.Is(err, whatsmeow.ErrIQTimedOut))
	require.Len(t, s.Unhandled(), 1)
	require.Contains(t, s.Unhandled()[0], "w:qr")
	//lint:ignore SA1019 nothing else sends a stanza that the client has no method for
	require.NoError(t, c.DangerousInternals().SendNode(t.Context(), waBinary.Node{Tag: "call", Attrs: waBinary.Attrs{"id": "1"}}))
	s.Wait(t, "the call to be noticed", func() bool { return len(s.Unhandled()) == 2 })
}

func text(s string) *waE2E.Message { return &waE2E.Message{Conversation: proto.String(s)} }
