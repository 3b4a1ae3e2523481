package whatsapp_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/bot/whatsapp"
	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

func TestConformance(t *testing.T) {
	bottest.Conformance(t, func(t *testing.T) bottest.Fixture { return newFixture(t) })
}

const fixturePhone = "+525500000000"

// fixture is a linked number, with consumers' real clients at the other end.
type fixture struct {
	t      *testing.T
	server *wasim.Server
	db     *store.DB
	url    string
	texts  *templates.Messages
	number store.Number
	device *wasim.Device
	phones map[int]*farPhone
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, server: wasim.New(t, wasim.Options{}), url: storetest.Database(t), phones: map[int]*farPhone{}}
	var err error
	f.db, err = store.Open(t.Context(), store.Options{
		URL: f.url, MaxConns: 16, Now: time.Now, Random: rand.Reader,
		Secret: []byte("a secret for tests, long enough!"), PublicURL: "https://qoa.test",
	})
	require.NoError(t, err)
	t.Cleanup(f.db.Close)
	f.texts, err = templates.LoadMessages()
	require.NoError(t, err)
	require.NoError(t, f.db.InTx(t.Context(), func(tx *store.Tx) (err error) {
		f.number, err = tx.CreateNumber(t.Context(), loyalty.System(), "Mostrador")
		return err
	}))
	return f
}

func (f *fixture) DB() *store.DB      { return f.db }
func (f *fixture) URL() string        { return f.url }
func (f *fixture) Number() loyalty.ID { return f.number.ID }
func (f *fixture) Receipts() bool     { return true }
func (f *fixture) Redeliver()         {} // the session connects again by itself

func (f *fixture) Open(*bottest.Sink) bot.Channel {
	return whatsapp.New(whatsapp.Options{
		DB: f.db, Owner: "test-" + rand.Text(), Texts: f.texts, Log: slog.New(slog.DiscardHandler),
		Emulator: &whatsapp.Endpoint{Addr: f.server.Addr(), Root: f.server.Root()},
		Timing:   whatsapp.Timing{Renew: 100 * time.Millisecond, Backoff: 50 * time.Millisecond, Ack: time.Second},
	})
}

// Ready links the device, the first time.
func (f *fixture) Ready() {
	f.t.Helper()
	if f.device == nil {
		f.until(func(n store.Number) bool { return n.QR != "" })
		device, err := f.server.Account(fixturePhone).Scan(f.t.Context(), f.number.QR)
		require.NoError(f.t, err)
		f.device = device
	}
	require.NoError(f.t, f.device.WaitOnline(f.t.Context()))
	f.until(func(n store.Number) bool { return n.Status == store.NumberConnected })
}

func (f *fixture) until(is func(store.Number) bool) {
	f.t.Helper()
	require.Eventually(f.t, func() bool {
		require.NoError(f.t, f.db.InTx(f.t.Context(), func(tx *store.Tx) (err error) {
			f.number, err = tx.Number(f.t.Context(), loyalty.System(), f.number.ID)
			return err
		}))
		return is(f.number)
	}, 30*time.Second, 10*time.Millisecond)
}

func (f *fixture) FailNext(how bottest.Failure) bool {
	account := f.server.Account(fixturePhone)
	switch how {
	case bottest.FailsForGood:
		account.RefuseSends(479, 1)
	case bottest.FailsInPassing:
		account.RefuseSends(503, 1)
	case bottest.FailsUnanswered:
		account.DropAcks(1)
	}
	return true
}

func (f *fixture) Kinds() []string {
	return []string{
		store.KindText, store.KindImage, store.KindAudio, store.KindVideo, store.KindSticker, store.KindDocument, store.KindLocation, store.KindContact,
		store.KindPoll, store.KindPollVote, store.KindReaction, store.KindEdit, store.KindDelete, store.KindUnsupported,
	}
}

func (f *fixture) Phone(n int) bottest.FarPhone {
	f.t.Helper()
	p, ok := f.phones[n]
	if !ok {
		number := []string{"+5215512345678", "+5215587654321"}[n]
		p = &farPhone{Phone: f.server.NewPhone(f.t, number), f: f}
		f.phones[n] = p
	}
	return p
}

type farPhone struct {
	*wasim.Phone
	f *fixture
}

func (p *farPhone) Number() loyalty.Phone {
	p.f.t.Helper()
	n, err := loyalty.ParsePhone(p.Account.Number())
	require.NoError(p.f.t, err)
	return n
}

func (p *farPhone) Write(m bottest.Written) (id string) {
	p.f.t.Helper()
	return p.SendMessage(fixturePhone, message(m))
}

func (p *farPhone) Again(id string) {
	p.f.t.Helper()
	require.NoError(p.f.t, p.Resend(id))
}

func (p *farPhone) Acknowledged(id string) bool { return slices.Contains(p.f.device.Acked(), id) }

// Received shows what a phone does: of two messages with one ID, one.
func (p *farPhone) Received() (all []bottest.Shown) {
	seen := map[string]bool{}
	for _, m := range p.Readable() {
		if seen[m.ID] || m.FromMe {
			continue
		}
		seen[m.ID] = true
		picture := m.Message.GetImageMessage()
		text := m.Text
		if picture != nil {
			text = picture.GetCaption()
		}
		all = append(all, bottest.Shown{Text: text, Picture: picture != nil})
	}
	return all
}

func (p *farPhone) Read() {
	p.f.t.Helper()
	for _, m := range p.Readable() {
		require.NoError(p.f.t, p.Client.MarkRead(context.Background(), []types.MessageID{m.ID}, time.Now(), m.Info.Chat, m.Info.Sender))
	}
}

// message is what a phone sends for a kind.
func message(m bottest.Written) *waE2E.Message {
	key := &waCommon.MessageKey{ID: &m.Of, FromMe: proto.Bool(true), RemoteJID: proto.String("525500000000@s.whatsapp.net")}
	caption := &m.Text
	switch m.Kind {
	case store.KindText:
		return &waE2E.Message{Conversation: &m.Text}
	case store.KindImage:
		return &waE2E.Message{ImageMessage: &waE2E.ImageMessage{Caption: caption, Mimetype: proto.String("image/png")}}
	case store.KindAudio:
		return &waE2E.Message{AudioMessage: &waE2E.AudioMessage{Mimetype: proto.String("audio/ogg; codecs=opus")}}
	case store.KindVideo:
		return &waE2E.Message{VideoMessage: &waE2E.VideoMessage{Caption: caption, Mimetype: proto.String("video/mp4")}}
	case store.KindSticker:
		return &waE2E.Message{StickerMessage: &waE2E.StickerMessage{Mimetype: proto.String("image/webp")}}
	case store.KindDocument:
		return &waE2E.Message{DocumentWithCaptionMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{
			DocumentMessage: &waE2E.DocumentMessage{Caption: caption, Mimetype: proto.String("application/pdf")},
		}}}
	case store.KindLocation:
		return &waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(19.4)}}
	case store.KindContact:
		return &waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Beto")}}
	case store.KindPoll:
		return &waE2E.Message{PollCreationMessageV3: &waE2E.PollCreationMessage{}}
	case store.KindPollVote:
		return &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{PollCreationMessageKey: key}}
	case store.KindReaction:
		return &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: key, Text: &m.Text}}
	case store.KindEdit:
		return &waE2E.Message{EditedMessage: &waE2E.FutureProofMessage{Message: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
			Key: key, Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: &waE2E.Message{Conversation: &m.Text},
		}}}}
	case store.KindDelete:
		return &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Key: key, Type: waE2E.ProtocolMessage_REVOKE.Enum()}}
	}
	return &waE2E.Message{SendPaymentMessage: &waE2E.SendPaymentMessage{}}
}
