package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/migrations"
	"github.com/qoa-conectados/qoa/store"
)

// down takes the schema back until a table is gone.
func (w *world) down(table string) (err error) {
	for err == nil && w.count(`SELECT count(*) FROM pg_tables WHERE tablename = $1`, table) > 0 {
		err = migrations.Down(w.t.Context(), w.url)
	}
	return err
}

// The schema for WhatsApp can be taken back with all kinds of messages in it, and
// be put on again: what was known stays known.
func TestTheSchemaForWhatsAppCanBeTakenBack(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", longAgo)
	for i, kind := range []string{
		store.KindText, store.KindImage, store.KindPoll, store.KindPollVote, store.KindReaction, store.KindEdit, store.KindDelete,
		store.KindUndecryptable, store.KindText,
	} {
		w.gets(store.Inbound{Number: n.ID, MessageID: string(rune('a' + i)), Kind: kind, Text: "x", Of: "y", Media: &store.MediaSource{Mime: "image/png"}})
	}
	w.clock.Advance(time.Minute)
	for w.answers() != "" {
	}
	person, _ := w.writes(ana["all"], "z", "hola")
	for _, state := range []string{"", "delivered", "read"} {
		out, ok := w.claim(person, n.ID)
		require.True(t, ok)
		w.do(func(tx *store.Tx) error {
			if state != "" {
				require.NoError(t, tx.Delivered(ctx, []string{out.MessageID}, w.now(), state))
			}
			return tx.Sent(ctx, out.ID, "x")
		})
	}
	require.NoError(t, w.down("whatsapp_numbers"))
	require.EqualValues(t, 9, w.count(`SELECT count(*) FROM inbox WHERE person_id = $1`, person))
	require.EqualValues(t, 3, w.count(`SELECT count(*) FROM outbox WHERE status = 'sent'`))
	require.NoError(t, migrations.Up(ctx, w.url))
	require.True(t, w.gets(store.Inbound{MessageID: "a", Kind: store.KindText}))
	require.False(t, w.gets(store.Inbound{MessageID: "new", Kind: store.KindText, Text: "hola"}))
	require.Equal(t, "text:hola", w.answers())
	w.verify()
}

// Persons who turned out to be one cannot be told apart again: the older schema,
// which knows no such thing, is refused.
func TestMergedPersonsKeepTheirSchema(t *testing.T) {
	w := newWorld(t, 4)
	w.onboards("phone")
	w.onboards("LID")
	one := w.merges()
	require.ErrorContains(t, w.down("whatsapp_numbers"), "turned out to be one")
	require.NoError(t, migrations.Up(t.Context(), w.url))
	require.Equal(t, one, w.merges())
	w.verify()
}
