package whatsapp

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types"

	"github.com/qoa-conectados/qoa/store"
)

func TestPairingByQR(t *testing.T) {
	w := newWorld(t)
	terminal := &lines{}
	w.fleet(newInbox(w), func(o *Options) { o.Terminal = terminal })
	n := w.create()
	qr := w.qr(n.ID)
	require.Equal(t, store.NumberPairing, w.get(n.ID).Status)
	require.NotContains(t, w.log.String(), qr, "who reads a QR can take the device")
	w.eventually("QR on the terminal", func() bool { return strings.Contains(terminal.String(), "▄") })

	device, err := w.server.Account(botPhone).Scan(t.Context(), qr)
	require.NoError(t, err)
	require.NoError(t, device.WaitOnline(t.Context()))

	n = w.untilStatus(n.ID, store.NumberConnected)
	require.Equal(t, botPhone, *n.Phone)
	require.NotEmpty(t, n.JID)
	require.Empty(t, n.QR)
	require.NotNil(t, n.PairedAt)
	require.NotNil(t, n.AliveAt)
	require.Empty(t, w.server.Overlaps())
}

func TestMessagesBothWays(t *testing.T) {
	w := newWorld(t)
	in := newInbox(w)
	f := w.fleet(in)
	n, device := w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)

	id := ana.SendText(botPhone, "hola")
	got := in.next(t)
	require.Equal(t, "hola", got.Text)
	require.Equal(t, store.KindText, got.Kind)
	require.Equal(t, n.ID, got.Number)
	require.Equal(t, id, got.MessageID)
	require.Equal(t, "+525511111111", string(got.Sender.Phone), "+521 and +52 are one phone")
	require.NotEmpty(t, got.Sender.LID)
	require.NotEmpty(t, got.Sender.Wire)
	w.eventually("acknowledgement", func() bool { return len(device.Acked()) == 1 })

	require.NoError(t, f.Send(t.Context(), answer(got, "3EB0AAAAAAAAAAAAAAAAAA", "Aquí está tu tarjeta: https://qoa.test/c/abc. ¡Gracias!")))
	reply := ana.Next()
	require.Equal(t, "3EB0AAAAAAAAAAAAAAAAAA", reply.ID)
	require.Equal(t, "Aquí está tu tarjeta: https://qoa.test/c/abc. ¡Gracias!", reply.Text)
	preview := reply.Message.GetExtendedTextMessage()
	require.Equal(t, "https://qoa.test/c/abc", preview.GetMatchedText())
	require.NotEmpty(t, preview.GetTitle())
	require.NotEmpty(t, preview.GetDescription())
	w.eventually("blue ticks before the answer", func() bool { return ana.Told(id, types.ReceiptTypeRead) })
	w.eventually("delivery", func() bool { return in.state("3EB0AAAAAAAAAAAAAAAAAA") != "" })

	picture := answer(got, "3EB0BBBBBBBBBBBBBBBBBB", "Tu QR")
	picture.Media, picture.MediaRef = "card_qr", "QK7M2QR4"
	require.NoError(t, f.Send(t.Context(), picture))
	reply = ana.Next()
	require.Equal(t, "Tu QR", reply.Message.GetImageMessage().GetCaption())
	require.Contains(t, string(reply.Media[:8]), "PNG")
	require.NotEmpty(t, reply.Message.GetImageMessage().GetJPEGThumbnail())

	require.NotContains(t, w.log.String(), "5511111111", "no phone is in the log")
	require.NotContains(t, w.log.String(), got.Sender.LID[:8], "nor a LID")
}
