package cloud_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/bot/cloud/graphtest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestConformance(t *testing.T) {
	bottest.Conformance(t, func(t *testing.T) bottest.Fixture { return &fixture{world: closed(t)} })
}

// fixture is Meta with two people.
type fixture struct {
	*world
	subscribed bool
}

func (f *fixture) DB() *store.DB      { return f.World.DB }
func (f *fixture) URL() string        { return f.World.URL }
func (f *fixture) Number() loyalty.ID { return "" }
func (f *fixture) Receipts() bool     { return true }
func (f *fixture) Redeliver()         {} // Meta does so by itself

func (f *fixture) Open(*bottest.Sink) bot.Channel {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Cloud = f.channel(graphtest.Token)
	return f.Cloud
}

func (f *fixture) Ready() {
	f.T.Helper()
	if !f.subscribed {
		require.NoError(f.T, f.Meta.Subscribe(f.door.URL))
		f.subscribed = true
	}
}

func (f *fixture) FailNext(how bottest.Failure) bool {
	f.Meta.Fail(map[bottest.Failure]graphtest.Fault{
		bottest.FailsForGood: {Code: 131026}, bottest.FailsInPassing: {Code: 131000, Status: 500}, bottest.FailsUnanswered: {Accepted: true},
	}[how])
	return true
}

func (f *fixture) Kinds() []string {
	return []string{
		store.KindText, store.KindImage, store.KindAudio, store.KindVideo, store.KindSticker, store.KindDocument, store.KindLocation, store.KindContact,
		store.KindPoll, store.KindPollVote, store.KindReaction, store.KindEdit, store.KindDelete, store.KindUnsupported, store.KindUndecryptable,
	}
}

func (f *fixture) Phone(n int) bottest.FarPhone {
	digits := []string{"5215512345678", "525587654321"}[n]
	scoped := []string{"MX.13491208655302741918", ""}[n]
	return &farPhone{f, f.Meta.Person(digits, scoped)}
}

// farPhone is one of Meta's people, as the suite plays them.
type farPhone struct {
	*fixture
	person *graphtest.Person
}

func (p *farPhone) Number() loyalty.Phone {
	p.T.Helper()
	n, err := loyalty.ParsePhone("+" + p.person.Digits)
	require.NoError(p.T, err)
	return n
}

// Write sends a message of a kind as Meta calls it.
func (p *farPhone) Write(m bottest.Written) string {
	type parts = map[string]any
	file := parts{"id": "404", "mime_type": "application/pdf", "caption": m.Text}
	kind, part := m.Kind, any(parts{})
	extra := parts{}
	switch m.Kind {
	case store.KindText:
		part = parts{"body": m.Text}
	case store.KindImage, store.KindAudio, store.KindVideo, store.KindSticker, store.KindDocument:
		part = file
	case store.KindContact:
		kind, part = "contacts", []any{parts{}}
	case store.KindReaction:
		part = parts{"message_id": m.Of, "emoji": m.Text}
	case store.KindEdit:
		part = parts{"original_message_id": m.Of, "message": parts{"type": "text", "text": parts{"body": m.Text}}}
	case store.KindDelete:
		kind, part = "revoke", parts{"original_message_id": m.Of}
	case store.KindPoll:
		kind, part = "unsupported", parts{"type": "poll_creation"}
	case store.KindPollVote:
		kind, part = "unsupported", parts{"type": "poll_update"}
	case store.KindUndecryptable:
		kind = "unsupported"
		extra["errors"] = []any{parts{"code": 131060}}
	}
	extra[kind] = part
	return p.person.Sends("", kind, extra)
}

func (p *farPhone) Again(id string) {
	p.person.Sends(id, "text", map[string]any{"text": map[string]any{"body": "hola"}})
}

func (p *farPhone) Acknowledged(id string) bool {
	for _, post := range p.Meta.Posts() {
		if post.Status == 200 && strings.Contains(string(post.Body), id) {
			return true
		}
	}
	return false
}

func (p *farPhone) Received() (all []bottest.Shown) {
	for _, m := range p.person.Received() {
		all = append(all, bottest.Shown{Text: m.Text, Picture: len(m.Image) > 0})
	}
	return all
}

func (p *farPhone) Read() {
	for _, m := range p.person.Received() {
		p.person.Reports(m, "read", 0)
	}
}
