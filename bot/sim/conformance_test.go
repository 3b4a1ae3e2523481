package sim_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/bottest"
	"github.com/qoa-conectados/qoa/bot/sim"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestConformance(t *testing.T) {
	bottest.Conformance(t, func(t *testing.T) bottest.Fixture { return &fixture{World: bottest.New(t)} })
}

// fixture is the simulator: whoever posts a message has it acknowledged by the
// answer.
type fixture struct {
	*bottest.World
	sink *bottest.Sink
}

func (f *fixture) DB() *store.DB      { return f.World.DB }
func (f *fixture) URL() string        { return f.World.URL }
func (f *fixture) Ready()             {}
func (f *fixture) Redeliver()         {}
func (f *fixture) Number() loyalty.ID { return "" }
func (f *fixture) Receipts() bool     { return false }

func (f *fixture) Open(sink *bottest.Sink) bot.Channel {
	f.sink = sink
	return sim.New(f.World.DB)
}

func (f *fixture) FailNext(bottest.Failure) bool { return false } // it is the database, and fails with it

func (f *fixture) Kinds() []string {
	return []string{
		store.KindText, store.KindImage, store.KindAudio, store.KindVideo, store.KindSticker, store.KindDocument, store.KindLocation,
		store.KindContact, store.KindUnsupported,
	}
}

func (f *fixture) Phone(n int) bottest.FarPhone {
	return &phone{f, []loyalty.Phone{"+525512345678", "+525587654321"}[n]}
}

type phone struct {
	*fixture
	number loyalty.Phone
}

func (p *phone) Number() loyalty.Phone { return p.number }

// Write posts until it is acknowledged, as a client does.
func (p *phone) Write(m bottest.Written) (id string) {
	p.T.Helper()
	for err := p.post(&id, m); err != nil; err = p.post(&id, m) {
		require.NotEmpty(p.T, id)
	}
	return id
}

func (p *phone) post(id *string, m bottest.Written) error {
	return p.World.DB.InTx(context.Background(), func(tx *store.Tx) (err error) {
		if *id, err = tx.SimReceive(context.Background(), p.number, *id, m.Text, m.Kind, ""); err != nil {
			return err
		}
		return p.sink.Refuses()
	})
}

func (p *phone) Again(id string) {
	p.T.Helper()
	require.NoError(p.T, p.post(&id, bottest.Written{Kind: store.KindText, Text: "hola"}))
}

func (p *phone) Acknowledged(id string) bool {
	p.T.Helper()
	return p.World.Count(`SELECT count(*) FROM sim_messages WHERE direction = 'in' AND message_id = $1`, id) > 0
}

func (p *phone) Received() (all []bottest.Shown) {
	p.T.Helper()
	p.Do(func(tx *store.Tx) error {
		chat, err := tx.SimChat(context.Background(), p.number, "")
		all = nil
		for _, m := range chat {
			if m.Direction == "out" {
				all = append(all, bottest.Shown{Text: m.Text, Picture: m.Media != ""})
			}
		}
		return err
	})
	return all
}

func (p *phone) Read() {}
