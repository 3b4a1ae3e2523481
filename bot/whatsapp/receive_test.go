package whatsapp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What could not be persisted is not acknowledged, comes again, and nothing of the
// same person overtakes it.
func TestWhatWasNotPersistedComesAgainInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	w.fleet(in)
	_, device := w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	in.refuseAll(&loyalty.Error{Kind: loyalty.KindUnavailable, Code: loyalty.CodeUnavailable, Err: errAway})
	for i := range 5 {
		ana.SendText(botPhone, fmt.Sprint(i))
	}
	w.eventually("refusals on two connections", func() bool { return in.refusals() >= 2 && device.Logins() >= 3 })
	require.Empty(t, device.Acked())
	in.refuseAll(nil)
	for i := range 5 {
		require.Equal(t, fmt.Sprint(i), in.next(t).Text)
	}
	w.eventually("acknowledgements", func() bool { return len(device.Acked()) == 5 })
	require.Equal(t, 5, w.count(`SELECT count(*) FROM inbox`))
}

// The database fails while a message is decrypted: that is no message which cannot
// be read, and its sender is not bothered.
func TestADatabaseThatFailsInADecryptionCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	w.fleet(in)
	_, device := w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	for _, table := range []string{"whatsmeow_event_buffer", "whatsmeow_sessions"} {
		logins := device.Logins()
		w.exec(`ALTER TABLE whatsmeow.` + table + ` RENAME TO gone`)
		id := ana.SendText(botPhone, table)
		w.eventually("connections anew", func() bool { return device.Logins() >= logins+2 })
		require.NotContains(t, device.Acked(), id)
		w.exec(`ALTER TABLE whatsmeow.gone RENAME TO ` + table)
		got := in.next(t)
		require.Equal(t, table, got.Text)
		w.eventually("acknowledgement", func() bool { return slices.Contains(device.Acked(), id) })
	}
	for _, d := range device.Deliveries() {
		require.Zero(t, d.Retry, "nothing was asked for again")
	}
}

// crashing persists, and dies before anybody hears of it: as a process killed
// between its commit and the acknowledgement.
type crashing struct {
	*inbox
	crashes atomic.Int32
	panics  bool
}

func (c *crashing) Receive(ctx context.Context, in store.Inbound) error {
	err := c.inbox.Receive(ctx, in)
	if c.crashes.Add(-1) >= 0 {
		if c.panics {
			panic("a defect")
		}
		return errAway
	}
	return err
}

func TestACrashAfterPersistingMakesNoSecondMessage(t *testing.T) {
	for name, panics := range map[string]bool{"it fails": false, "it panics": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			in := &crashing{inbox: newInbox(w), panics: panics}
			in.crashes.Store(2)
			w.fleet(in)
			_, device := w.number(botPhone)
			w.server.NewPhone(t, anaPhone).SendText(botPhone, "hola")
			w.eventually("acknowledgement", func() bool { return len(device.Acked()) == 1 })
			require.Negative(t, in.crashes.Load(), "it came three times")
			require.Equal(t, 1, w.count(`SELECT count(*) FROM inbox`))
		})
	}
}

// allergic cannot take a message of a certain text, whatever the weather.
type allergic struct{ *inbox }

func (a allergic) Receive(ctx context.Context, in store.Inbound) error {
	if in.Text == "veneno" {
		return loyalty.Invalid("text", "no")
	}
	return a.inbox.Receive(ctx, in)
}

func TestAMessageThatCannotBeKeptStopsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := allergic{newInbox(w)}
	w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	ana.SendText(botPhone, "veneno")
	ana.SendText(botPhone, "hola")
	require.Equal(t, store.KindUnsupported, in.next(t).Kind, "that it came is kept, and answered")
	require.Equal(t, "hola", in.next(t).Text)
}

func TestTheSameMessageTwiceIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	w.fleet(in)
	_, device := w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	id := ana.SendText(botPhone, "hola")
	in.next(t)
	require.NoError(t, ana.Resend(id))
	require.Equal(t, id, in.next(t).MessageID, "whatsmeow tells of it again")
	device.Redeliver(id)
	ana.SendText(botPhone, "adiós")
	require.Equal(t, "adiós", in.next(t).Text)
	require.Equal(t, 2, w.count(`SELECT count(*) FROM inbox`))
}

// Whoever writes by phone, by LID, or by LID alone, is one person (P25).
func TestOnePersonUnderAllAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	f := w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	for i, how := range []wasim.Addressing{wasim.ByPhone, wasim.ByLID, wasim.ByLIDAlone} {
		ana.Account.SetAddressing(how)
		ana.SendText(botPhone, fmt.Sprint(i))
		m := in.next(t)
		require.NotEmpty(t, m.Sender.LID, "%v", how)
		require.Equal(t, "+525511111111", string(m.Sender.Phone), "%v", how)
		require.NoError(t, f.Send(t.Context(), answer(m, fmt.Sprintf("3EB0EE%016d", i), "respuesta "+fmt.Sprint(i))))
		require.Equal(t, "respuesta "+fmt.Sprint(i), ana.Next().Text)
	}
	require.Equal(t, 1, w.count(`SELECT count(*) FROM persons`))
}

// A first message that could not be read is asked for again, and is one message
// (P20).
func TestAnUnreadableMessageComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	w.server.Account(botPhone).CorruptNext(1)
	id := ana.SendText(botPhone, "hola")
	var kinds []string
	for range 2 {
		m := in.next(t)
		require.Equal(t, id, m.MessageID)
		kinds = append(kinds, m.Kind)
	}
	require.Equal(t, []string{store.KindUndecryptable, store.KindText}, kinds)
	require.Equal(t, 1, w.count(`SELECT count(*) FROM inbox WHERE status = 'pending'`))
	require.Equal(t, 1, w.count(`SELECT count(*) FROM inbox WHERE status = 'pending' AND text = 'hola'`))
}

// A phone that could not read an answer asks for it again, also while others are
// being written to.
func TestAnAnswerThatCouldNotBeReadIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	f := w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	ana.SendText(botPhone, "hola")
	m := in.next(t)
	ana.Account.CorruptNext(3)
	const answers = 20
	for i := range answers {
		ana.SendText(botPhone, fmt.Sprint(i)) // the bot decrypts while it sends again
		require.NoError(t, f.Send(t.Context(), answer(m, fmt.Sprintf("3EB0FF%016d", i), fmt.Sprint(i))))
	}
	read := func() map[string]bool {
		all := map[string]bool{}
		for _, r := range ana.Readable() {
			all[r.ID] = true
		}
		return all
	}
	w.eventually("all answers", func() bool { return len(read()) == answers })
}

// failing breaks the media servers when a message comes in: after its file was
// uploaded, and before the bot wants it.
type failing struct {
	*inbox
	server *wasim.Server
	status atomic.Int32
}

func (f *failing) Receive(ctx context.Context, in store.Inbound) error {
	if status := f.status.Swap(0); status != 0 {
		f.server.FailMedia(int(status), 1)
	}
	return f.inbox.Receive(ctx, in)
}

func TestFilesAreFetchedAfterwards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := &failing{inbox: newInbox(w), server: w.server}
	w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	png := "\x89PNG\r\n\x1a\n" + "and so on"

	in.status.Store(http.StatusInternalServerError)
	ana.SendImage(botPhone, []byte(png), "image/png", "mi ticket")
	require.Equal(t, "mi ticket", in.next(t).Text)
	w.eventually("a failed try", func() bool {
		return w.count(`SELECT count(*) FROM media WHERE status = 'waiting' AND problem <> ''`) == 1
	})
	w.exec(`UPDATE media SET due_at = now()`)
	w.eventually("the file", func() bool {
		return w.count(`SELECT count(*) FROM media WHERE status = 'stored' AND mime = 'image/png' AND content = $1`, []byte(png)) == 1
	})

	in.status.Store(http.StatusNotFound)
	ana.SendImage(botPhone, []byte(png+"!"), "image/png", "otro")
	in.next(t)
	w.eventually("the end of the tries", func() bool {
		return w.count(`SELECT count(*) FROM media WHERE status = 'refused' AND ref IS NULL AND problem LIKE 'gone%'`) == 1
	})
}

// Who lies about a file's size fills no memory.
func TestAFileIsNotReadBeyondTheLimit(t *testing.T) {
	t.Parallel()
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/says-so" {
			w.Header().Set("Content-Length", "1000")
		}
		for range 10 {
			w.Write(make([]byte, 100)) //nolint:errcheck // the client hangs up
			w.(http.Flusher).Flush()
		}
	}))
	t.Cleanup(files.Close)
	client := &http.Client{Transport: limited{http.DefaultTransport, 150}}
	for _, path := range []string{"/says-so", "/says-nothing"} {
		resp, err := client.Get(files.URL + path) //nolint:noctx // a test's
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close() //nolint:errcheck // a test's
		}
		require.ErrorIs(t, err, errTooLarge, path)
		problem, final := mediaProblem(err)
		require.Equal(t, "too big", problem)
		require.True(t, final)
	}
}

func TestEveryKindIsPersisted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	id := ana.SendText(botPhone, "hola")
	in.next(t)
	key := &waCommon.MessageKey{ID: &id, FromMe: proto.Bool(true), RemoteJID: proto.String("5215500000000@s.whatsapp.net")}
	for want, m := range map[string]*waE2E.Message{
		store.KindLocation:    {LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(19)}},
		store.KindContact:     {ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Beto")}},
		store.KindReaction:    {ReactionMessage: &waE2E.ReactionMessage{Key: key, Text: proto.String("👍")}},
		store.KindPoll:        {PollCreationMessageV3: &waE2E.PollCreationMessage{Name: proto.String("¿?")}},
		store.KindEdit:        {EditedMessage: wrapped(&waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Key: key, Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: said("adiós")}})},
		store.KindDelete:      {ProtocolMessage: &waE2E.ProtocolMessage{Key: key, Type: waE2E.ProtocolMessage_REVOKE.Enum()}},
		store.KindUnsupported: {SendPaymentMessage: &waE2E.SendPaymentMessage{}},
	} {
		ana.SendMessage(botPhone, m)
		got := in.next(t)
		require.Equal(t, want, got.Kind)
		if want == store.KindReaction || want == store.KindEdit || want == store.KindDelete {
			require.Equal(t, id, got.Of)
		}
	}
}

// Sends and their errors.
func TestWhatAFailedSendMeans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := newInbox(w)
	f := w.fleet(in)
	w.number(botPhone)
	ana := w.server.NewPhone(t, anaPhone)
	a := w.server.Account(botPhone)
	ana.SendText(botPhone, "hola")
	m := in.next(t)
	send := func(id string, change ...func(*store.Outbound)) *bot.SendError {
		out := answer(m, id, "respuesta")
		for _, c := range change {
			c(&out)
		}
		var failed *bot.SendError
		require.ErrorAs(t, f.Send(t.Context(), out), &failed)
		require.NotContains(t, failed.Problem(), "55", "what is shown holds no phone")
		return failed
	}
	require.True(t, send("3EB001", func(o *store.Outbound) { o.Chat = "120363000000000000@g.us" }).Final, "no groups")
	require.True(t, send("3EB002", func(o *store.Outbound) { o.Chat = "" }).Final)
	require.True(t, send("3EB003", func(o *store.Outbound) { o.Media = "x" }).Final)
	require.True(t, send("3EB004", func(o *store.Outbound) { o.Number = "018f0000-0000-7000-8000-000000000000" }).Held)

	a.RefuseSends(479, 1)
	require.True(t, send("3EB005").Final)
	a.RefuseSends(503, 1)
	require.False(t, send("3EB006").Final)

	// Not acknowledged may still mean delivered: the same ID again is the same message.
	a.DropAcks(1)
	require.False(t, send("3EB007").Final)
	require.NoError(t, f.Send(t.Context(), answer(m, "3EB007", "respuesta")))
	w.server.FailMedia(http.StatusInternalServerError, 10)
	require.False(t, send("3EB008", func(o *store.Outbound) { o.Media, o.MediaRef = "card_qr", "K7M2QR" }).Final)
	ids := map[string]bool{}
	w.eventually("delivery", func() bool {
		for _, r := range ana.Readable() {
			ids[r.ID] = true
		}
		return ids["3EB007"]
	})
	require.False(t, ids["3EB005"])
}
