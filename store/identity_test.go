package store_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// The forms in which one person may be named.
const (
	anaLID  = "204816327@lid"
	anaWire = "5215587654321@s.whatsapp.net"
)

var anaPhone = func() loyalty.Phone {
	p, err := loyalty.ParsePhone("+52 1 55 8765 4321")
	if err != nil {
		panic(err)
	}
	return p
}()

// ana in the forms in which WhatsApp names her.
var ana = map[string]store.Sender{
	"phone":         {Phone: anaPhone, Wire: anaWire},
	"bare phone":    {Phone: anaPhone, Wire: "525587654321@s.whatsapp.net"},
	"LID":           {LID: anaLID, Wire: anaLID},
	"LID and phone": {Phone: anaPhone, LID: anaLID, Wire: anaLID},
	"phone and LID": {Phone: anaPhone, LID: anaLID, Wire: anaWire},
	"scoped":        {Other: "MX.991", Wire: "MX.991"},
	"all":           {Phone: anaPhone, LID: anaLID, Other: "MX.991", Wire: anaLID},
}

// writes is a message by WhatsApp, and who wrote it.
func (w *world) writes(s store.Sender, id, text string) (person loyalty.ID, repeated bool) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		repeated, err = tx.Receive(w.t.Context(), store.Inbound{Channel: "whatsapp", Sender: s, MessageID: id, Kind: store.KindText, Text: text})
		if err != nil {
			return err
		}
		a, err := tx.AddressOfSender(w.t.Context(), s)
		person = a.Person
		return err
	})
	return person, repeated
}

// P25: whatever a person is called first and next, it is one person, as soon as
// anything says so.
func TestPitfallP25EveryOrderOfArrivalIsOnePerson(t *testing.T) {
	for _, order := range [][]string{
		{"phone", "bare phone"},
		{"phone", "LID and phone", "LID"},
		{"LID", "LID and phone", "phone"},
		{"LID", "phone and LID", "bare phone"},
		{"LID and phone", "LID", "phone"},
		{"phone and LID", "bare phone", "LID"},
		{"phone", "LID", "LID and phone"},
		{"LID", "phone", "phone and LID"},
		{"scoped", "phone", "LID", "all"},
		{"scoped", "all", "LID", "phone"},
		{"LID", "scoped", "phone", "all", "bare phone"},
	} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			w := newWorld(t, 4)
			before := w.count(`SELECT count(*) FROM persons`)
			for i, form := range order {
				_, repeated := w.writes(ana[form], fmt.Sprintf("m%d", i), "hola")
				require.False(t, repeated)
			}
			last, _ := w.writes(ana[order[len(order)-1]], "z", "adiós")
			for _, form := range order {
				person, repeated := w.writes(ana[form], "z", "adiós")
				require.True(t, repeated, form)
				require.Equal(t, last, person, form)
			}
			require.Equal(t, before+1, w.count(`SELECT count(*) FROM persons WHERE merged_into IS NULL`))
			require.EqualValues(t, len(order)+1, w.count(`SELECT count(*) FROM inbox WHERE person_id = $1`, last))
			require.Zero(t, w.count(`SELECT count(*) FROM addresses a JOIN persons p ON p.id = a.person_id WHERE p.merged_into IS NOT NULL`))
			require.Zero(t, w.count(`SELECT count(*) FROM inbox i JOIN persons p ON p.id = i.person_id WHERE p.merged_into IS NOT NULL`))
		})
	}
}

// The same in any interleaving.
func TestPitfallP25AtOnceIsOnePersonToo(t *testing.T) {
	w := newWorld(t, 8)
	forms := []string{"phone", "LID", "LID and phone", "scoped", "phone and LID", "all", "bare phone"}
	for round := range 6 {
		before := w.count(`SELECT count(*) FROM persons WHERE merged_into IS NULL`)
		of := func(form string) store.Sender {
			s := ana[form]
			if s.Phone != "" {
				s.Phone = loyalty.Phone(fmt.Sprintf("+52558765%04d", round))
			}
			if s.LID != "" {
				s.LID = fmt.Sprintf("77%d@lid", round)
			}
			if s.Other != "" {
				s.Other = fmt.Sprintf("MX.%d", round)
			}
			s.Wire = ""
			return s
		}
		var wg sync.WaitGroup
		for n := range 21 {
			wg.Go(func() {
				err := w.db.InTx(t.Context(), func(tx *store.Tx) error {
					_, err := tx.Receive(t.Context(), store.Inbound{
						Channel: "whatsapp", Sender: of(forms[n%7]), MessageID: fmt.Sprint(round, "-", n/3), Kind: store.KindText, Text: "hola",
					})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, before+1, w.count(`SELECT count(*) FROM persons WHERE merged_into IS NULL`))
		require.EqualValues(t, 7, w.count(`SELECT count(*) FROM inbox WHERE status = 'pending' AND message_id LIKE $1`, fmt.Sprint(round, "-%")), "seven messages, three times each")
	}
}

// P26: one message that comes by LID and by phone is one, also where nobody knew
// until then that both are the same person.
func TestPitfallP26OneMessageByBothAddressesIsOne(t *testing.T) {
	w := newWorld(t, 4)
	_, repeated := w.writes(ana["LID"], "m1", "hola")
	require.False(t, repeated)
	_, repeated = w.writes(ana["phone and LID"], "m1", "hola")
	require.True(t, repeated)
	_, repeated = w.writes(ana["phone"], "m1", "hola")
	require.True(t, repeated)
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM inbox WHERE message_id = 'm1'`))

	// Both came in as two persons', and are answered once if nobody has answered.
	bea := store.Sender{Phone: "+525500001234"}
	_, _ = w.writes(bea, "m2", "hola")
	_, repeated = w.writes(store.Sender{LID: "9@lid"}, "m2", "hola")
	require.False(t, repeated)
	bea.LID = "9@lid"
	w.writes(bea, "m3", "hola")
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM inbox WHERE message_id = 'm2' AND status = 'pending'`))
}

// Answers go to the chat that was written from, in the form in which it wrote.
func TestAnswersGoToTheChatThatWrote(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	for i, c := range []struct{ form, chat string }{
		{"LID", anaLID}, {"bare phone", "525587654321@s.whatsapp.net"}, {"phone", anaWire}, {"LID and phone", anaLID}, {"phone and LID", anaWire}, {"LID", anaLID},
	} {
		id := fmt.Sprint("m", i)
		person, _ := w.writes(ana[c.form], id, "hola")
		w.do(func(tx *store.Tx) error {
			turn, ok, err := tx.NextTurn(ctx, person)
			require.NoError(t, err)
			require.True(t, ok)
			return tx.EndTurn(ctx, turn.Message, nil, store.Reply{Body: "¡Hola!"})
		})
		out, ok := w.claim(person, "")
		require.True(t, ok)
		require.Equal(t, c.chat, out.Chat, c.form)
		require.Equal(t, id, out.ReplyTo)
		w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, out.Body) })
		// A notice goes where the person wrote last.
		w.do(func(tx *store.Tx) error {
			_, err := tx.Notify(ctx, store.Notice{Person: person, Lane: store.LaneReceipt, Template: "x"})
			return err
		})
		out, ok = w.claim(person, "")
		require.True(t, ok)
		require.Equal(t, c.chat, out.Chat, c.form)
		w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "x") })
	}
}

// Who was erased and writes again is somebody new, by whichever address.
func TestTheErasedAreNobodyWhateverTheirAddress(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	gone, _ := w.writes(ana["phone"], "m1", "hola")
	w.do(func(tx *store.Tx) error { return tx.Erase(ctx, gone, "borrar") })
	other, _ := w.writes(ana["LID"], "m2", "hola")
	require.NotEqual(t, gone, other)
	again, _ := w.writes(ana["LID and phone"], "m3", "hola")
	require.Equal(t, other, again)
	require.Zero(t, w.count(`SELECT count(*) FROM persons WHERE merged_into = $1 OR id = $1 AND merged_into IS NOT NULL`, gone))
	require.Zero(t, w.count(`SELECT count(*) FROM addresses WHERE person_id = $1`, gone))
	phoneOf, _ := w.writes(ana["phone"], "m4", "hola")
	require.Equal(t, other, phoneOf)
}

func (w *world) claim(person, number loyalty.ID) (out store.Outbound, ok bool) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		out, ok, err = tx.Claim(w.t.Context(), person, number, 30e9)
		return err
	})
	return out, ok
}
