package cloud_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
)

// Law 8: Meta's message IDs hold the phone in base64, so that an erased consumer's
// do not stay. Others' do.
func TestAnErasedPhoneIsInNoMessageID(t *testing.T) {
	w := open(t)
	beto := w.Meta.Person("525587654321", "")
	beto.Writes("hola")
	ana := w.anaWrote()
	for _, p := range []store.Outbound{w.reply(ana, store.Reply{Body: "¡Hola!"}), w.reply(w.person("+525587654321"), store.Reply{Body: "¡Hola!"})} {
		require.NoError(t, w.Cloud.Send(t.Context(), p))
		w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), p.ID, p.Body) })
	}
	w.ana().Sends("", "reaction", map[string]any{"reaction": map[string]any{"message_id": "wamid.X", "emoji": "❤️"}})
	last := w.ana().Writes("borra mis datos")
	w.settled()
	w.Do(func(tx *store.Tx) error { return tx.Erase(t.Context(), ana, last) })
	m := w.reply(ana, store.Reply{Body: "Listo."})
	w.Meta.Hold(true) // the statuses of the last answer come when she is forgotten
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	w.Do(func(tx *store.Tx) error {
		if err := tx.Sent(t.Context(), m.ID, m.Body); err != nil {
			return err
		}
		n, err := tx.ForgetAddresses(t.Context())
		assert.Equal(t, int64(2), n, "her phone, and the ID that hides it")
		return err
	})
	w.Meta.Hold(false)
	w.settled()
	status, _ := w.outboxRow(m)
	assert.Equal(t, "delivered", status)
	assert.Zero(t, w.Count(`SELECT count(*) FROM outbox WHERE person_id = $1 AND wire_id IS NOT NULL`, ana))
	assert.Equal(t, []int{0, 1}, []int{
		w.Count(`SELECT count(*) FROM inbox WHERE person_id = $1 AND (message_id LIKE 'wamid%' OR of_id IS NOT NULL)`, ana),
		w.Count(`SELECT count(*) FROM inbox WHERE person_id <> $1 AND message_id LIKE 'wamid%'`, ana),
	})
	assert.Zero(t, w.Count(`SELECT count(*) FROM consents WHERE message_id LIKE 'wamid%'`))
	assert.Equal(t, 1, w.Count(`SELECT count(*) FROM consents WHERE message_id LIKE 'erased:%'`))
}
