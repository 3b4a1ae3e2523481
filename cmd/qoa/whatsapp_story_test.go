package main_test

import (
	"bytes"
	"image"
	_ "image/png"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/types"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

// The whole flow between two real clients and a process of the real program: the
// phrase of the counter's poster, the card's link and QR, a purchase and its
// receipt through all states, an evidence code that the tendero sends, a reminder,
// and BAJA, after which nothing comes.
func TestTheStoryOverWhatsApp(t *testing.T) {
	w := newTown(t)
	d := w.serve(w.port)
	l := w.link(d, botPhone)
	phones := w.whatsapp.NewPhones(t, []string{"+5215587651234", "+5215500000001"})
	ana, tendero := phones[0], phones[1]

	// The phrase brings the link, and the card's QR as a picture.
	welcome := l.ask(ana, phrase)
	link := cardLink.FindStringSubmatch(welcome.Text)
	require.NotNil(t, link, welcome.Text)
	card := link[2]
	require.Equal(t, "image/png", welcome.MediaType)
	require.NoError(t, welcome.MediaError)
	require.Contains(t, readQR(t, welcome.Media), card)
	opened, err := client.Get(d.url + link[1])
	require.NoError(t, err)
	opened.Body.Close()
	require.Equal(t, http.StatusOK, opened.StatusCode)

	// A purchase through the API while the number is offline: its receipt waits.
	w.whatsapp.Refuse()
	l.device.Drop()
	l.until(d, "disconnected", func(n number) bool { return n.Status == "disconnected" })
	_, status := d.buy("story-1", card, 1)
	require.Equal(t, http.StatusCreated, status)
	receipt := func() (letter, bool) {
		all := l.letters(d)
		i := slices.IndexFunc(all, func(m letter) bool { return m.Lane == "receipt" })
		if i < 0 {
			return letter{}, false
		}
		return all[i], true
	}
	reaches := func(state string) {
		t.Helper()
		w.until("receipt that is "+state, func() bool { m, ok := receipt(); return ok && m.Status == state })
	}
	reaches("queued")
	// Back online it is sent; the consumer's phone is off, so it is no more than that.
	ana.Disconnect()
	w.whatsapp.Allow()
	reaches("sent")
	first, _ := receipt()
	require.Equal(t, "1234", first.To, "of a phone, the last digits alone")
	// Her phone is on: delivered; she looks: read.
	require.NoError(t, ana.Connect())
	reaches("delivered")
	stamp := w.waitHeard(ana, 2)
	require.Contains(t, stamp.Text, "Abarrotes Lupita")
	require.NoError(t, ana.Client.MarkRead(t.Context(), []types.MessageID{stamp.ID}, time.Now(), stamp.Chat, types.EmptyJID))
	reaches("read")

	// Where scanning fails: her code, typed by the tendero.
	code := regexpFind(t, `E[0-9A-Z]{3}-[0-9A-Z]{4}`, l.ask(ana, "código").Text)
	require.Contains(t, l.ask(tendero, code+" 2 cocas").Text, "2")
	require.Contains(t, w.waitHeard(ana, 4).Text, "Abarrotes Lupita")
	require.Contains(t, l.ask(tendero, code+" 2 cocas").Text, "ya se usó")

	// She is reminded of her card, once.
	w.quiet()
	nudges := func() (n struct{ Data struct{ Messages int } }) {
		t.Helper()
		require.Equal(t, http.StatusAccepted, d.asAdmin("POST", "/v1/jobs/nudges/runs", map[string]any{}, &n))
		return n
	}
	require.Equal(t, 1, nudges().Data.Messages, "one consumer is quiet")
	require.Contains(t, w.waitHeard(ana, 5).Text, "BAJA")
	require.Zero(t, nudges().Data.Messages, "once")

	// BAJA: answered, and then neither receipts nor reminders come.
	require.NotEmpty(t, l.ask(ana, "BAJA").Text)
	_, status = d.buy("story-2", card, 1)
	require.Equal(t, http.StatusCreated, status)
	w.sql(`UPDATE enrollments SET nudged_at = nudged_at - interval '20 days'`)
	w.quiet()
	require.Zero(t, nudges().Data.Messages)
	// What came after BAJA would have come before the answer to this, and is not
	// in the queue either.
	require.NotEmpty(t, l.ask(ana, "saldo").Text)
	require.Len(t, heard(ana), 7)
	for _, m := range l.letters(d) {
		require.NotEqual(t, "queued", m.Status)
	}

	d.stop()
	require.Equal(t, 0, d.cmd.ProcessState.ExitCode(), d.log.String())
	require.Empty(t, w.whatsapp.Overlaps())
	require.Len(t, heard(ana), 7)
	require.Empty(t, unreadable(ana, tendero))
}

// readQR reads the code in a picture, as a camera does.
func readQR(t *testing.T, picture []byte) string {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(picture))
	require.NoError(t, err)
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	require.NoError(t, err)
	result, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	require.NoError(t, err)
	return result.GetText()
}

// unreadable are the messages that phones never could decrypt.
func unreadable(phones ...*wasim.Phone) (ids []string) {
	for _, p := range phones {
		read := map[string]bool{}
		for _, m := range p.Readable() {
			read[m.ID] = true
		}
		for _, m := range p.Failures() {
			if !read[m.ID] {
				ids = append(ids, m.ID)
			}
		}
	}
	return ids
}
