package bottest

import (
	"context"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// conformance is what every channel promises.
var conformance = []struct {
	name string
	run  func(*bench)
}{
	{"what is acknowledged was persisted before", acknowledgesLate},
	{"what is not persisted is not acknowledged, and comes again once", refusesAndTakesAgain},
	{"the same message twice is one", knowsMessages},
	{"every kind has its place in the inbox", keepsKinds},
	{"a reply reaches the chat that wrote, and no other", repliesToTheChat},
	{"replies arrive once and in order", repliesInOrder},
	{"the same message sent twice is shown once", sendsOnce},
	{"a picture comes with its caption", sendsPictures},
	{"how far a message came is told", tellsReceipts},
	{"a failure says whether trying again helps", classesFailures},
	{"an unanswered send is not doubled", doubtsWithoutDoubling},
	{"a channel that was stopped goes on where it was", stopsAndGoesOn},
	{"a stranger gets nothing", leavesStrangersAlone},
	{"its state is told", tellsState},
}

func acknowledgesLate(b *bench) {
	ana := b.Phone(0)
	var mu sync.Mutex
	early := map[string]bool{}
	b.sink.mu.Lock()
	b.sink.before = func(in store.Inbound) {
		mu.Lock()
		defer mu.Unlock()
		early[in.MessageID] = ana.Acknowledged(in.MessageID)
	}
	b.sink.mu.Unlock()
	id := b.writes(ana, "hola")
	b.eventually("the message is acknowledged", func() bool { return ana.Acknowledged(id) })
	mu.Lock()
	defer mu.Unlock()
	assert.False(b, early[id], "acknowledged before it was persisted")
	assert.Equal(b, 1, b.kept(id))
}

func refusesAndTakesAgain(b *bench) {
	ana := b.Phone(0)
	b.writes(ana, "antes")
	b.sink.Fail(1)
	id := ana.Write(Written{Kind: store.KindText, Text: "hola"})
	b.eventually("the refusal", func() bool { return b.sink.spent() })
	if b.kept(id) == 0 { // it may have come again already
		b.Redeliver()
	}
	b.arrives(id)
	b.eventually("the message is acknowledged", func() bool { return ana.Acknowledged(id) })
	assert.Equal(b, 1, b.kept(id))
}

// spent says whether all refusals were used.
func (s *Sink) spent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fails == 0
}

func knowsMessages(b *bench) {
	ana := b.Phone(0)
	id := b.writes(ana, "hola")
	ana.Again(id)
	b.writes(ana, "hola") // the same words are another message
	assert.Equal(b, 1, b.kept(id))
	assert.Equal(b, 2, b.query().Count(`SELECT count(*) FROM inbox`))
}

// keepsKinds writes one message of each kind, and about a message where a kind is.
func keepsKinds(b *bench) {
	ana := b.Phone(0)
	first := b.writes(ana, "primero")
	for _, kind := range b.Kinds() {
		m := Written{Kind: kind}
		switch kind {
		case store.KindText, store.KindImage, store.KindVideo, store.KindDocument:
			m.Text = "palabras de " + kind
		case store.KindEdit:
			m.Text, m.Of = "primero, corregido", first
		case store.KindReaction:
			m.Text, m.Of = "👍", first
		case store.KindDelete:
			m.Of = b.writes(ana, "un error")
		}
		id := ana.Write(m)
		b.arrives(id)
		var got, text, status string
		b.query().Scan(`SELECT kind, text, status FROM inbox WHERE message_id = $1`, []any{id}, &got, &text, &status)
		assert.Equal(b, kind, got)
		assert.Equal(b, m.Text, text, kind)
		about := m.Of != ""
		assert.Equal(b, about || kind == store.KindPollVote, status == "done", "%s waits for an answer, or not", kind)
		if kind == store.KindDelete {
			assert.Equal(b, 1, b.query().Count(`SELECT count(*) FROM inbox WHERE message_id = $1 AND text = '' AND status = 'done'`, m.Of), "what is deleted is forgotten")
		}
		if kind == store.KindEdit {
			assert.Equal(b, 1, b.query().Count(`SELECT count(*) FROM inbox WHERE message_id = $1 AND text = 'primero, corregido'`, first))
		}
	}
	assert.Equal(b, 1, b.query().Count(`SELECT count(DISTINCT person_id) FROM inbox`))
}

func repliesToTheChat(b *bench) {
	ana, beto := b.Phone(0), b.Phone(1)
	id := b.writes(ana, "soy Ana")
	b.writes(beto, "soy Beto")
	require.NotEqual(b, b.person(ana), b.person(beto))
	toAna := b.answer(ana, store.Reply{Body: "Hola, Ana"})
	assert.Equal(b, id, toAna.ReplyTo)
	b.send(b.answer(beto, store.Reply{Body: "Hola, Beto"}))
	b.send(toAna)
	assert.Equal(b, []Shown{{Text: "Hola, Ana"}}, b.shows(ana, 1))
	assert.Equal(b, []Shown{{Text: "Hola, Beto"}}, b.shows(beto, 1))
}

func repliesInOrder(b *bench) {
	const n = 12
	ana := b.Phone(0)
	for i := range n {
		b.writes(ana, fmt.Sprint("pregunta ", i))
	}
	for i := range n {
		b.send(b.answer(ana, store.Reply{Body: fmt.Sprint("respuesta ", i)}))
	}
	for i, m := range b.settles(ana, n) {
		assert.Equal(b, fmt.Sprint("respuesta ", i), m.Text)
	}
}

func sendsOnce(b *bench) {
	ana := b.Phone(0)
	b.writes(ana, "hola")
	m := b.answer(ana, store.Reply{Body: "¡Hola!"})
	require.NoError(b, b.channel.Send(context.Background(), m)) // and nobody notes it
	b.shows(ana, 1)
	b.send(m)
	b.settles(ana, 1)
}

func sendsPictures(b *bench) {
	ana := b.Phone(0)
	b.writes(ana, "mi tarjeta")
	b.send(b.answer(ana, store.Reply{Body: "Tu tarjeta 👇\n\n*Ábrela* cuando quieras.", Media: "card_qr", MediaRef: "7H2KQ9M4"}))
	assert.Equal(b, []Shown{{Text: "Tu tarjeta 👇\n\n*Ábrela* cuando quieras.", Picture: true}}, b.shows(ana, 1))
}

func tellsReceipts(b *bench) {
	ana := b.Phone(0)
	b.writes(ana, "hola")
	m := b.answer(ana, store.Reply{Body: "¡Hola!"})
	b.send(m)
	b.shows(ana, 1)
	if !b.Receipts() {
		assert.Equal(b, "sent", b.state(m))
		return
	}
	b.eventually("the message is delivered", func() bool { return b.state(m) == "delivered" })
	ana.Read()
	b.eventually("the message is read", func() bool { return b.state(m) == "read" })
}

func classesFailures(b *bench) {
	ana := b.Phone(0)
	for _, f := range []Failure{FailsForGood, FailsInPassing} {
		if !b.FailNext(f) {
			continue
		}
		b.writes(ana, string(f))
		m := b.answer(ana, store.Reply{Body: "falla " + string(f)})
		ctx, cancel := context.WithTimeout(context.Background(), farPatience)
		err := b.channel.Send(ctx, m)
		cancel()
		var failed *bot.SendError
		require.ErrorAs(b, err, &failed, string(f))
		assert.Equal(b, f == FailsForGood, failed.Final, string(f))
		assert.NotEmpty(b, failed.Problem())
		assert.NotContains(b, failed.Problem(), string(ana.Number())[3:], "a problem names no phone")
		if failed.Final {
			b.do(func(tx *store.Tx) error { return tx.Fail(context.Background(), m.ID, failed.Problem()) })
		} else {
			b.send(m)
		}
	}
}

func doubtsWithoutDoubling(b *bench) {
	ana := b.Phone(0)
	b.writes(ana, "hola")
	m := b.answer(ana, store.Reply{Body: "¡Hola!"})
	if !b.FailNext(FailsUnanswered) {
		return // this channel always knows
	}
	ctx, cancel := context.WithTimeout(context.Background(), farPatience)
	defer cancel()
	err := b.channel.Send(ctx, m)
	var failed *bot.SendError
	require.ErrorAs(b, err, &failed)
	require.False(b, failed.Final)
	b.shows(ana, 1)
	if b.Receipts() {
		// As the outbox would: it waits before it tries again.
		b.eventually("the receipt", func() bool { return b.state(m) == "delivered" })
	}
	b.send(m)
	b.settles(ana, 1)
}

func stopsAndGoesOn(b *bench) {
	ana := b.Phone(0)
	b.writes(ana, "antes")
	unsent := b.answer(ana, store.Reply{Body: "después"})
	b.stop()
	id := ana.Write(Written{Kind: store.KindText, Text: "mientras"})
	b.start()
	b.arrives(id)
	b.eventually("the message is acknowledged", func() bool { return ana.Acknowledged(id) })
	assert.Equal(b, 1, b.kept(id))
	b.send(unsent)
	b.send(b.answer(ana, store.Reply{Body: "y esto"}))
	assert.Equal(b, []Shown{{Text: "después"}, {Text: "y esto"}}, b.shows(ana, 2))
}

func leavesStrangersAlone(b *bench) {
	ana, stranger := b.Phone(0), b.Phone(1)
	b.writes(ana, "hola")
	var person loyalty.ID
	b.do(func(tx *store.Tx) (err error) {
		if person, err = tx.PersonByPhone(context.Background(), stranger.Number()); err != nil {
			return err
		}
		queued, err := tx.Notify(context.Background(), store.Notice{Person: person, Lane: store.LaneReply, Template: "conversation.parked"})
		assert.False(b, queued)
		return err
	})
	_, ok := b.claim(person)
	assert.False(b, ok)
	b.send(b.answer(ana, store.Reply{Body: "¡Hola!"}))
	b.shows(ana, 1)
	assert.Empty(b, stranger.Received())
}

func tellsState(b *bench) {
	b.eventually("it says that it is well", func() bool { return b.channel.Status(context.Background()).State == bot.HealthOK })
	assert.NotEmpty(b, b.channel.Name())
}
