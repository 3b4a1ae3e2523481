package wasim

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/store/sqlstore"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"
	waLog "go.mau.fi/whatsmeow/util/log"
	"google.golang.org/protobuf/proto"
	_ "modernc.org/sqlite" // keeps the phones' sessions
)

// sendTimeout is how long a phone waits for the server's word about a message
// unless told otherwise.
const sendTimeout = 15 * time.Second

// Phone is somebody with WhatsApp: a real client, linked to an account of the
// server, whose sessions are kept in memory.
type Phone struct {
	// Client is the client, for what the methods do not cover. Send with the
	// methods: they are guarded, see Send.
	Client  *whatsmeow.Client
	Account *Account
	Device  *Device

	s       *Server
	t       testing.TB // nil outside tests
	guard   *guard
	db      *sql.DB
	scanned chan string
	timeout time.Duration

	lost, ended chan struct{} // the connection; the phone
	ending      sync.Once
	done        sync.WaitGroup
	line        sync.Mutex // held while connecting and disconnecting
	wanted      bool       // online; guarded by line

	mu       sync.Mutex
	received []Received
	read     int // how many Next has given
	sent     map[string]sentMessage
	receipts []Receipt
	onEvent  []func(any)
	came     int // how often it got online
}

type sentMessage struct {
	to  types.JID
	msg *waE2E.Message
}

// Received is a message that a phone got, or one that it could not decrypt.
type Received struct {
	ID         string
	From       types.JID // who wrote, with the device
	FromAlt    types.JID // their other address, where it came along
	Chat       types.JID // where to answer
	FromMe     bool      // by another device of the same account
	Text       string    // of a text or an edit; of media, the caption
	Media      []byte    // of a file, decrypted
	MediaType  string    // its MIME type
	MediaError error     // why Media is missing
	RetryCount int       // which repetition
	Failed     bool      // could not be decrypted; another with its ID may follow
	Message    *waE2E.Message
	Info       types.MessageInfo
	At         time.Time
}

// Receipt is what a phone was told about messages that it had sent.
type Receipt struct {
	IDs  []string
	Type types.ReceiptType // delivered, read, inactive, retry …
	From types.JID
	At   time.Time
}

// PhoneOption changes a phone before it connects.
type PhoneOption func(*Phone)

// WithLog makes the phone's client say what it does.
func WithLog(log waLog.Logger) PhoneOption { return func(p *Phone) { p.Client.Log = log } }

// WithName sets the name that goes with the phone's messages.
func WithName(name string) PhoneOption { return func(p *Phone) { p.Client.Store.PushName = name } }

// WithTimeout sets how long the phone waits for the server's word about a
// message before it calls sending it a failure.
func WithTimeout(d time.Duration) PhoneOption { return func(p *Phone) { p.timeout = d } }

// NewPhone gives a phone that is linked, by the flow of the QR code, and
// connected. It ends with the test.
func (s *Server) NewPhone(t testing.TB, number string, opts ...PhoneOption) *Phone {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := s.Link(ctx, number, opts...)
	if err != nil {
		t.Fatalf("wasim: phone: %v", err)
	}
	p.t = t
	t.Cleanup(p.Close)
	return p
}

// NewPhones is NewPhone for many numbers at once.
func (s *Server) NewPhones(t testing.TB, numbers []string, opts ...PhoneOption) []*Phone {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	phones, failed := make([]*Phone, len(numbers)), make([]error, len(numbers))
	var busy sync.WaitGroup
	for i, number := range numbers {
		busy.Go(func() { phones[i], failed[i] = s.Link(ctx, number, opts...) })
	}
	busy.Wait()
	for _, p := range phones {
		if p != nil {
			p.t = t
			t.Cleanup(p.Close)
		}
	}
	if err := errors.Join(failed...); err != nil {
		t.Fatalf("wasim: phones: %v", err)
	}
	return phones
}

// Link is NewPhone outside of a test. Close the phone.
func (s *Server) Link(ctx context.Context, number string, opts ...PhoneOption) (*Phone, error) {
	db, err := sql.Open("sqlite", ":memory:?_pragma=foreign_keys(1)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	container := sqlstore.NewWithDB(db, "sqlite", waLog.Noop)
	if err := container.Upgrade(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	p := &Phone{s: s, db: db, guard: newGuard(), scanned: make(chan string, 1), timeout: sendTimeout, lost: make(chan struct{}, 1), ended: make(chan struct{}), sent: map[string]sentMessage{}, Account: s.Account(number)}
	p.Client = whatsmeow.NewClient(container.NewDevice(), waLog.Noop)
	p.Client.Store.PushName = "wasim " + p.Account.Number()
	s.Redirect(p.Client)
	p.Client.EnableDecryptedEventBuffer = true // for the guard
	p.Client.SynchronousAck = true
	p.Client.DisableLoginAutoReconnect = true // the guard goes in between
	p.Client.ManualHistorySyncDownload = true
	p.Client.EnableAutoReconnect = false // stay does it
	for _, o := range opts {
		o(p)
	}
	p.Account.SetName(p.Client.Store.PushName)
	p.Client.AddEventHandler(p.handle)
	p.done.Go(p.stay)
	if err := p.link(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Redirect makes a client go to the server rather than to WhatsApp. Call it
// before Connect.
func (s *Server) Redirect(client *whatsmeow.Client) {
	client.SetWebsocketHTTPClient(s.HTTPClient())
	client.SetPreLoginHTTPClient(s.HTTPClient())
	client.SetMediaHTTPClient(s.HTTPClient())
}

func (p *Phone) link(ctx context.Context) error {
	if err := p.Client.Connect(); err != nil {
		return err
	}
	var qr string
	select {
	case qr = <-p.scanned:
	case <-ctx.Done():
		return ctx.Err()
	}
	d, err := p.Account.Scan(ctx, qr)
	if err != nil {
		return err
	}
	p.Device = d
	p.Client.Disconnect()
	p.guard.install(p.Client.Store)
	return p.connect(ctx)
}

// connect connects and waits until both sides agree that the phone is online:
// the server may still hold the connection before for alive.
func (p *Phone) connect(ctx context.Context) error {
	count := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.came
	}
	before := count()
	p.line.Lock()
	p.wanted = true
	p.line.Unlock()
	p.lose(false)
	return p.s.Until(ctx, func() bool { return count() > before && p.Device.Online() })
}

// handle takes in what the client says. Handlers run one by one, so the order
// is that in which things came.
func (p *Phone) handle(event any) {
	switch e := event.(type) {
	case *events.QR:
		select {
		case p.scanned <- e.Codes[0]:
		default:
		}
	case *events.Message:
		p.take(p.read1(e))
	case *events.UndecryptableMessage:
		p.take(Received{ID: e.Info.ID, From: e.Info.Sender, FromAlt: e.Info.SenderAlt, Chat: e.Info.Chat, FromMe: e.Info.IsFromMe, Failed: true, Info: e.Info, At: time.Now()})
	case *events.Disconnected:
		p.lose(false)
	case *events.KeepAliveTimeout:
		if time.Since(e.LastSuccess) > whatsmeow.KeepAliveMaxFailTime {
			p.lose(true)
		}
	case *events.Connected:
		p.mu.Lock()
		p.came++
		p.mu.Unlock()
	case *events.Receipt:
		p.mu.Lock()
		p.receipts = append(p.receipts, Receipt{IDs: e.MessageIDs, Type: e.Type, From: e.Sender, At: time.Now()})
		p.mu.Unlock()
	}
	p.mu.Lock()
	handlers := slices.Clone(p.onEvent)
	p.mu.Unlock()
	for _, h := range handlers {
		h(event)
	}
	p.s.mu.Lock()
	p.s.touch()
	p.s.mu.Unlock()
}

func (p *Phone) take(r Received) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received = append(p.received, r)
}

// read1 reads one message, and fetches its file.
func (p *Phone) read1(e *events.Message) Received {
	r := Received{
		ID: e.Info.ID, From: e.Info.Sender, FromAlt: e.Info.SenderAlt, Chat: e.Info.Chat, FromMe: e.Info.IsFromMe,
		RetryCount: e.RetryCount, Message: e.Message, Info: e.Info, At: time.Now(),
	}
	m := e.Message
	if edit := m.GetProtocolMessage().GetEditedMessage(); edit != nil {
		m = edit
	}
	r.Text = m.GetConversation() + m.GetExtendedTextMessage().GetText()
	var file whatsmeow.DownloadableMessage
	switch {
	case m.ImageMessage != nil:
		file, r.Text, r.MediaType = m.ImageMessage, m.ImageMessage.GetCaption(), m.ImageMessage.GetMimetype()
	case m.DocumentMessage != nil:
		file, r.Text, r.MediaType = m.DocumentMessage, m.DocumentMessage.GetCaption(), m.DocumentMessage.GetMimetype()
	case m.AudioMessage != nil:
		file, r.MediaType = m.AudioMessage, m.AudioMessage.GetMimetype()
	case m.VideoMessage != nil:
		file, r.Text, r.MediaType = m.VideoMessage, m.VideoMessage.GetCaption(), m.VideoMessage.GetMimetype()
	case m.StickerMessage != nil:
		file, r.MediaType = m.StickerMessage, m.StickerMessage.GetMimetype()
	default:
		return r
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	r.Media, r.MediaError = p.Client.Download(ctx, file)
	return r
}

// Handle adds a function that is given every event of the client, after the
// phone has taken it in. Messages come one by one; events of the connection may
// come at the same time.
func (p *Phone) Handle(h func(event any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onEvent = append(p.onEvent, h)
}

// Send sends any message to a number or an address and waits for the server's
// acknowledgement. An ID of "" is a fresh one; the ID is given also where
// sending failed. Several goroutines may send, and receive meanwhile.
func (p *Phone) Send(ctx context.Context, to string, msg *waE2E.Message, id string) (string, error) {
	address, err := addressOf(to)
	if err != nil {
		return "", err
	}
	if id == "" {
		id = p.Client.GenerateMessageID()
	}
	p.mu.Lock()
	p.sent[id] = sentMessage{to: address, msg: msg}
	p.mu.Unlock()
	// The client's own timeout is not for what it sends again after a reconnect:
	// for the acknowledgement of that it would wait for ever.
	ctx, cancel := context.WithTimeout(ctx, 2*p.timeout)
	defer cancel()
	ctx, done := p.guard.sending(ctx)
	defer done()
	_, err = p.Client.SendMessage(ctx, address, msg, whatsmeow.SendRequestExtra{ID: id, Timeout: p.timeout})
	return id, err
}

// Insist is Send until the server acknowledges, with one ID, whenever the phone
// is online: what a real phone does. The recipient may get the message more than
// once. It gives up where the context ends, and where the server refuses.
func (p *Phone) Insist(ctx context.Context, to string, msg *waE2E.Message) (string, error) {
	id := p.Client.GenerateMessageID()
	for {
		_, err := p.Send(ctx, to, msg, id)
		if err == nil || ctx.Err() != nil || errors.Is(err, whatsmeow.ErrServerReturnedError) {
			return id, err
		}
		if err := p.s.Until(ctx, func() bool { return p.Client.IsConnected() && p.Device.Online() }); err != nil {
			return id, err
		}
	}
}

func addressOf(to string) (types.JID, error) {
	if strings.Contains(to, "@") {
		return types.ParseJID(to)
	}
	if digits(to) == "" {
		return types.EmptyJID, fmt.Errorf("wasim: %q is no number and no address", to)
	}
	return types.NewJID(digits(to), types.DefaultUserServer), nil
}

// must fails the test, from whatever goroutine, and otherwise hands on.
func (p *Phone) must(id string, err error) string {
	if err != nil {
		if p.t == nil {
			panic(err)
		}
		p.t.Helper()
		p.t.Errorf("wasim: phone: %v", err)
	}
	return id
}

// SendText sends a text and gives its ID; it fails the test if the server does
// not acknowledge it.
func (p *Phone) SendText(to, text string) string {
	return p.must(p.Send(context.Background(), to, &waE2E.Message{Conversation: &text}, ""))
}

// SendImage sends a picture with a caption.
func (p *Phone) SendImage(to string, picture []byte, mime, caption string) string {
	up, err := p.Client.Upload(context.Background(), picture, whatsmeow.MediaImage)
	if err != nil {
		return p.must("", err)
	}
	return p.SendMessage(to, &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		Caption: proto.String(caption), Mimetype: proto.String(mime),
		URL: &up.URL, DirectPath: &up.DirectPath, MediaKey: up.MediaKey,
		FileEncSHA256: up.FileEncSHA256, FileSHA256: up.FileSHA256, FileLength: &up.FileLength,
	}})
}

// SendMessage sends anything.
func (p *Phone) SendMessage(to string, msg *waE2E.Message) string {
	return p.must(p.Send(context.Background(), to, msg, ""))
}

// Resend sends a message that the phone has sent again, with the same ID.
func (p *Phone) Resend(id string) error {
	p.mu.Lock()
	was, ok := p.sent[id]
	p.mu.Unlock()
	if !ok {
		return errors.New("wasim: the phone has sent no such message")
	}
	_, err := p.Send(context.Background(), was.to.String(), was.msg, id)
	return err
}

// Received are all messages so far, in order.
func (p *Phone) Received() []Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.received)
}

// Readable are those of Received that could be decrypted.
func (p *Phone) Readable() []Received {
	return slices.DeleteFunc(p.Received(), func(r Received) bool { return r.Failed })
}

// Failures are those of Received that could not be decrypted.
func (p *Phone) Failures() []Received {
	return slices.DeleteFunc(p.Received(), func(r Received) bool { return !r.Failed })
}

// Receipts are what the phone was told about its messages, in order.
func (p *Phone) Receipts() []Receipt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.receipts)
}

// Told says whether the phone got a receipt of a type for a message.
func (p *Phone) Told(id string, kind types.ReceiptType) bool {
	return slices.ContainsFunc(p.Receipts(), func(r Receipt) bool { return r.Type == kind && slices.Contains(r.IDs, id) })
}

// Next is the next message that could be decrypted. It fails the test if none
// comes.
func (p *Phone) Next() Received {
	p.t.Helper()
	var next Received
	p.s.Wait(p.t, "the next message", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for p.read < len(p.received) {
			r := p.received[p.read]
			p.read++
			if !r.Failed {
				next = r
				return true
			}
		}
		return false
	})
	return next
}

// WaitFor waits until n messages could be decrypted and gives them.
func (p *Phone) WaitFor(n int) []Received {
	p.t.Helper()
	p.s.Wait(p.t, fmt.Sprintf("%d messages", n), func() bool { return len(p.Readable()) >= n })
	return p.Readable()
}

// Connect brings it back, and returns when it is online.
func (p *Phone) Connect() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.connect(ctx)
}

// Reconnect is Disconnect and Connect.
func (p *Phone) Reconnect() error {
	p.Disconnect()
	return p.Connect()
}

// Close disconnects the phone and forgets its sessions.
func (p *Phone) Close() {
	p.ending.Do(func() { close(p.ended) })
	p.Disconnect()
	p.done.Wait()
	_ = p.db.Close()
}
