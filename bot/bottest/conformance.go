package bottest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Fixture is a channel with people's phones at its other end, for Conformance.
// Only what the far side does is the fixture's: the suite answers messages and
// sends them as a worker does.
type Fixture interface {
	// DB is the bot's store, and URL where it is.
	DB() *store.DB
	URL() string
	// Open makes the channel, not started, as a process that starts anew does: the
	// suite opens another after it has stopped one. It writes to sink; a channel
	// whose messages come in by another way asks sink.Refuses itself.
	Open(sink *Sink) bot.Channel
	// Ready returns when a channel that was just started reaches people.
	Ready()
	// Number is the bot's, through which messages go; "" where the channel has none.
	Number() loyalty.ID
	// Phone is that of the nth person, from 0: always the same.
	Phone(n int) FarPhone
	// Redeliver lets come again what the bot did not acknowledge, where that needs
	// somebody to do something.
	Redeliver()
	// FailNext lets the next send fail; false where this channel cannot fail so.
	FailNext(f Failure) bool
	// Kinds are the kinds of messages that people can write here, "text" too.
	Kinds() []string
	// Receipts says whether the channel tells how far messages came.
	Receipts() bool
}

// FarPhone is a person's phone, at the far side of a channel.
type FarPhone interface {
	// Number is the phone's, as the store knows it.
	Number() loyalty.Phone
	// Write sends a message to the bot and gives its ID as the inbox will call it.
	// It does not wait until the bot has it.
	Write(m Written) (id string)
	// Again lets the same message come once more, under its ID.
	Again(id string)
	// Acknowledged says whether the bot has said that it has the message.
	Acknowledged(id string) bool
	// Received is what the phone shows of the bot, oldest first.
	Received() []Shown
	// Read reads all of it, which a channel with receipts reports.
	Read()
}

// Written is a message of a person's.
type Written struct {
	Kind string // one of the inbox's
	Text string // or the caption
	Of   string // the ID of the message that a reaction, an edit or a deletion is about
}

// Shown is a message of the bot's on a phone.
type Shown struct {
	Text    string // or the caption
	Picture bool
}

// Failure is how a send fails.
type Failure string

// The failures.
const (
	FailsForGood    Failure = "for good"   // trying again is useless
	FailsInPassing  Failure = "in passing" // later it may go
	FailsUnanswered Failure = "unanswered" // the other side has it, and did not say so
)

// Sink is the store, as a channel's sink, which can be told to refuse.
type Sink struct {
	bot.Sink
	mu     sync.Mutex
	fails  int
	before func(store.Inbound)
}

// errRefused is what a sink says that was told to refuse.
var errRefused = errors.New("the database is away, says the test")

// Fail lets the next n messages not be persisted.
func (s *Sink) Fail(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = n
}

// Refuses spends one refusal: the error, where the next message is not to be
// persisted.
func (s *Sink) Refuses() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails == 0 {
		return nil
	}
	s.fails--
	return errRefused
}

// Receive implements bot.Sink.
func (s *Sink) Receive(ctx context.Context, in store.Inbound) error {
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before(in)
	}
	if err := s.Refuses(); err != nil {
		return err
	}
	return s.Sink.Receive(ctx, in)
}

// bench is what a case of the suite works with.
type bench struct {
	*testing.T
	Fixture
	sink    *Sink
	channel bot.Channel
}

// Conformance holds a channel to what all channels promise. open makes a fixture
// of its own for each case.
func Conformance(t *testing.T, open func(t *testing.T) Fixture) {
	for _, c := range conformance {
		t.Run(c.name, func(t *testing.T) {
			f := open(t)
			b := &bench{T: t, Fixture: f, sink: &Sink{Sink: bot.NewInbox(f.DB())}}
			b.start()
			c.run(b)
		})
	}
}

// start opens the channel and brings it up; the end of the test stops it.
func (b *bench) start() {
	b.Helper()
	b.channel = b.Open(b.sink)
	require.NoError(b, b.channel.Start(context.Background(), b.sink))
	b.Cleanup(b.stop)
	b.Ready()
}

// stop ends the channel, as a process does that is told to; a channel that was
// stopped before takes no harm.
func (b *bench) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), farPatience)
	defer cancel()
	assert.NoError(b, b.channel.Stop(ctx))
}

// farPatience is how long the suite waits for what must come.
const farPatience = 30 * time.Second

func (b *bench) eventually(what string, is func() bool) {
	b.Helper()
	require.Eventually(b, is, farPatience, 5*time.Millisecond, what)
}

func (b *bench) do(fn func(*store.Tx) error) {
	b.Helper()
	require.NoError(b, b.DB().InTx(context.Background(), fn))
}

func (b *bench) query() *World { return &World{T: b.T, URL: b.URL()} }

// kept is how often the inbox has a message.
func (b *bench) kept(id string) int {
	b.Helper()
	return b.query().Count(`SELECT count(*) FROM inbox WHERE message_id = $1`, id)
}

// arrives waits until the inbox has a message.
func (b *bench) arrives(id string) {
	b.Helper()
	b.eventually("the message comes in", func() bool { return b.kept(id) > 0 })
}

// writes lets a person write a text, and waits until it is kept.
func (b *bench) writes(p FarPhone, text string) (id string) {
	b.Helper()
	id = p.Write(Written{Kind: store.KindText, Text: text})
	b.arrives(id)
	return id
}

// person is who has the phone.
func (b *bench) person(p FarPhone) (id loyalty.ID) {
	b.Helper()
	b.do(func(tx *store.Tx) (err error) {
		id, err = tx.FindPhone(context.Background(), p.Number())
		return err
	})
	require.NotEmpty(b, id, "nobody has the phone")
	return id
}

// answer ends the oldest turn of a person with a reply, and gives what is to be
// sent, claimed.
func (b *bench) answer(p FarPhone, r store.Reply) store.Outbound {
	b.Helper()
	person := b.person(p)
	b.do(func(tx *store.Tx) error {
		turn, ok, err := tx.NextTurn(context.Background(), person)
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("no message waits for an answer")
		}
		return tx.EndTurn(context.Background(), turn.Message, []byte(`{}`), r)
	})
	m, ok := b.claim(person)
	require.True(b, ok, "nothing is to be sent")
	return m
}

func (b *bench) claim(person loyalty.ID) (m store.Outbound, ok bool) {
	b.Helper()
	b.do(func(tx *store.Tx) (err error) {
		m, ok, err = tx.Claim(context.Background(), person, b.Number(), time.Minute)
		return err
	})
	return m, ok
}

// send hands a message to the channel, and notes it as a worker does.
func (b *bench) send(m store.Outbound) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), farPatience)
	defer cancel()
	require.NoError(b, b.channel.Send(ctx, m))
	b.do(func(tx *store.Tx) error { return tx.Sent(ctx, m.ID, m.Body) })
}

// shows waits until a phone shows so many messages, and gives them.
func (b *bench) shows(p FarPhone, n int) []Shown {
	b.Helper()
	b.eventually(fmt.Sprintf("%d messages on the phone", n), func() bool { return len(p.Received()) >= n })
	return p.Received()
}

// settles sends one more message and waits for it: whatever was on its way before
// has come by then.
func (b *bench) settles(p FarPhone, expected int) []Shown {
	b.Helper()
	b.writes(p, "¿y?")
	b.send(b.answer(p, store.Reply{Body: "Hasta aquí."}))
	all := b.shows(p, expected+1)
	require.Len(b, all, expected+1)
	assert.Equal(b, "Hasta aquí.", all[expected].Text)
	return all[:expected]
}

func (b *bench) state(m store.Outbound) (status string) {
	b.Helper()
	b.query().Scan(`SELECT status FROM outbox WHERE id = $1`, []any{m.ID}, &status)
	return status
}
