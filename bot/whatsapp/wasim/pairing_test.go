package wasim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

func TestClientIsLinkedByQRCode(t *testing.T) {
	s := wasim.New(t)
	c := newClient(t, s)
	require.NoError(t, c.Connect())
	offer := await[*events.QR](c, "QR codes")
	require.Len(t, offer.Codes, 6)

	d, err := s.Account(ana).Scan(soon(t), offer.Codes[2])
	require.NoError(t, err)
	require.NoError(t, d.WaitOnline(soon(t))) // after 515 it reconnects by itself
	await[*events.Connected](c, "connected")

	require.Equal(t, d.PN(), *c.Store.ID)
	require.Equal(t, d.LID(), c.Store.LID)
	require.Equal(t, uint16(1), d.Number())
	require.Equal(t, 1, d.Logins())
	require.Equal(t, 50, d.PreKeys())
}

func TestQRChannelEndsInSuccess(t *testing.T) {
	s := wasim.New(t)
	c := newClient(t, s)
	codes, err := c.GetQRChannel(soon(t))
	require.NoError(t, err)
	require.NoError(t, c.Connect())
	first := <-codes
	require.Equal(t, whatsmeow.QRChannelEventCode, first.Event)
	_, err = s.Account(ana).Scan(soon(t), first.Code)
	require.NoError(t, err)
	require.Equal(t, whatsmeow.QRChannelSuccess.Event, (<-codes).Event)
}

func TestFullPreKeysAreUploadedOnRequest(t *testing.T) {
	s := wasim.New(t, wasim.Options{FullPreKeys: true})
	require.Equal(t, 812, s.NewPhone(t, ana).Device.PreKeys())
}

func TestPreKeysAreReplenished(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	for left := a.Device.PreKeys() - 1; left >= 4; left-- { // each bundle takes one
		//lint:ignore SA1019 nothing else fetches keys without beginning a session
		_, err := b.Client.DangerousInternals().FetchPreKeys(t.Context(), []types.JID{a.Device.LID()})
		require.NoError(t, err)
	}
	s.Wait(t, "new keys", func() bool { return a.Device.PreKeys() >= 50 })
}

func TestPairingFails(t *testing.T) {
	for name, c := range map[string]struct {
		fault wasim.PairingFault
		want  error
	}{
		"signed by another": {wasim.PairsBadSignature, whatsmeow.ErrPairInvalidDeviceSignature},
		"another seal":      {wasim.PairsBadSeal, whatsmeow.ErrPairInvalidDeviceIdentityHMAC},
	} {
		t.Run(name, func(t *testing.T) {
			s := wasim.New(t)
			cli := newClient(t, s)
			require.NoError(t, cli.Connect())
			qr := await[*events.QR](cli, "QR codes").Codes[0]
			s.Account(ana).FailPairing(c.fault)
			_, err := s.Account(ana).Scan(soon(t), qr)
			require.Error(t, err)
			require.ErrorIs(t, await[*events.PairError](cli, "an error").Error, c.want)
			require.Empty(t, s.Account(ana).Devices())
		})
	}
}

func TestScanRefusesWhatIsNoOffer(t *testing.T) {
	s := wasim.New(t)
	c, other := newClient(t, s), newClient(t, s)
	require.NoError(t, c.Connect())
	require.NoError(t, other.Connect())
	qr := await[*events.QR](c, "QR codes").Codes[0]
	theirs := await[*events.QR](other, "QR codes").Codes[0]

	_, err := s.Account(ana).Scan(soon(t), "hola")
	require.Error(t, err, "no QR code")
	ref, _, _ := strings.Cut(qr, ",")
	_, rest, _ := strings.Cut(theirs, ",")
	_, err = s.Account(ana).Scan(soon(t), ref+","+rest)
	require.Error(t, err, "keys of another client")
	c.Disconnect()
	s.Wait(t, "one client less", func() bool { return s.Connections() == 1 })
	_, err = s.Account(ana).Scan(soon(t), qr)
	require.Error(t, err, "the client is gone")
}

func TestAccountHasSeveralDevices(t *testing.T) {
	s := wasim.New(t)
	a, tablet, b := s.NewPhone(t, ana), s.NewPhone(t, ana), s.NewPhone(t, beto)
	require.Len(t, s.Account(ana).Devices(), 2)
	require.Equal(t, uint16(2), tablet.Device.Number())

	b.SendText(ana, "hola a las dos")
	require.Equal(t, "hola a las dos", a.Next().Text)
	require.Equal(t, "hola a las dos", tablet.Next().Text)

	a.SendText(beto, "hola")
	require.Equal(t, "hola", b.Next().Text)
	copied := tablet.Next()
	require.True(t, copied.FromMe)
	require.Equal(t, "hola", copied.Text)
	require.Equal(t, s.Account(beto).LID(), copied.Chat)
}

func TestSenderLearnsOfNewDevices(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.SendText(ana, "uno") // now b knows a's devices
	require.Equal(t, "uno", a.Next().Text)

	tablet := s.NewPhone(t, ana)
	s.Wait(t, "beto to take the news in", func() bool { return b.Device.Idle() })
	b.SendText(ana, "dos")
	require.Equal(t, "dos", a.Next().Text)
	require.Equal(t, "dos", tablet.Next().Text)
}
