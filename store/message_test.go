package store_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func (w *world) receive(phone, id, text string) (repeated bool, err error) {
	p, err := loyalty.ParsePhone(phone)
	if err != nil {
		return false, err
	}
	err = w.db.InTx(w.t.Context(), func(tx *store.Tx) (err error) {
		repeated, err = tx.Receive(w.t.Context(), store.Inbound{Channel: store.Sim, From: p, MessageID: id, Kind: "text", Text: text})
		return err
	})
	return repeated, err
}

// P25: one phone in all its spellings is one person, however many first
// messages arrive at once.
func TestPitfallP25OnePhoneInAllSpellingsIsOnePerson(t *testing.T) {
	w := newWorld(t, 8)
	before := w.count(`SELECT count(*) FROM persons`)
	spellings := []string{"+525598765432", "+5215598765432", "5215598765432", "55 9876 5432", "+52 1 55 9876 5432", "52 (55) 9876-5432"}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if _, err := w.receive(spellings[i%len(spellings)], fmt.Sprintf("m%d", i), "hola"); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, before+1, w.count(`SELECT count(*) FROM persons`))
	require.Equal(t, int64(24), w.count(`SELECT count(*) FROM inbox i JOIN addresses a ON a.id = i.address_id WHERE a.address = '+525598765432'`))
}

// P26: the same message twice is one message.
func TestPitfallP26TheSameMessageTwiceIsOne(t *testing.T) {
	w := newWorld(t, 8)
	var fresh, wg = make(chan bool, 16), sync.WaitGroup{}
	for range 16 {
		wg.Go(func() {
			repeated, err := w.receive("5598765432", "the-same", "hola")
			if err != nil {
				t.Error(err)
			}
			if !repeated {
				fresh <- true
			}
		})
	}
	wg.Wait()
	require.Len(t, fresh, 1)
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM inbox WHERE message_id = 'the-same'`))
}

// What Postgres cannot store arrives all the same, without what it cannot.
func TestReceiveKeepsAnyText(t *testing.T) {
	w := newWorld(t, 8)
	_, err := w.receive("5598765432", "odd", "ho\x00la \xff 🙏")
	require.NoError(t, err)
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM inbox WHERE text = 'hola '||chr(65533)||' 🙏'`))
}

// P24 and law 3: answer, session and the message's end are one commit.
func TestPitfallP24AnswerAndStateAreOneCommit(t *testing.T) {
	w := newWorld(t, 8)
	failure := fmt.Errorf("the process dies here")
	err := w.db.InTx(t.Context(), func(tx *store.Tx) error {
		turn, ok, err := tx.NextTurn(t.Context(), w.person)
		require.NoError(t, err)
		require.True(t, ok)
		require.NoError(t, tx.EndTurn(t.Context(), turn.Message, json.RawMessage(`{"flow":"x"}`), store.Reply{Body: "¡Hola!"}))
		return failure
	})
	require.ErrorIs(t, err, failure)
	require.Zero(t, w.count(`SELECT count(*) FROM outbox`))
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM inbox WHERE status = 'pending'`))
}

// P35: nothing is begun with a stranger, nor after BAJA, and no cause has two
// notices.
func TestPitfallP35NoticesReachOnlyWhoWroteAndStayed(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	notify := func(person loyalty.ID, lane store.Lane, cause string) (queued bool) {
		w.do(func(tx *store.Tx) (err error) {
			queued, err = tx.Notify(ctx, store.Notice{Person: person, Lane: lane, Template: "x", Cause: cause})
			return err
		})
		return queued
	}
	var stranger loyalty.ID
	w.do(func(tx *store.Tx) (err error) {
		stranger, err = tx.PersonByPhone(ctx, "+525511112222")
		return err
	})
	require.False(t, notify(stranger, store.LaneService, "a"), "a stranger")
	require.True(t, notify(w.person, store.LaneService, "b"))
	require.False(t, notify(w.person, store.LaneService, "b"), "the same cause")
	require.False(t, notify(w.person, store.LanePromotion, "c"), "promotions need opt-in")

	w.do(func(tx *store.Tx) error { return tx.OptOut(ctx, w.person, "baja-1") })
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM outbox WHERE status = 'dropped'`), "what waited is dropped at once")
	require.False(t, notify(w.person, store.LaneService, "d"), "after BAJA")
	require.False(t, notify(w.person, store.LaneReceipt, "e"), "after BAJA")
	require.True(t, notify(w.person, store.LaneReply, "f"), "what was asked for is answered")

	w.do(func(tx *store.Tx) error { return tx.OptIn(ctx, w.person, "alta-1") })
	require.True(t, notify(w.person, store.LanePromotion, "g"), "after ALTA")
	require.Equal(t, int64(3), w.count(`SELECT count(*) FROM consents WHERE person_id = $1`, w.person), "notice, BAJA and ALTA are on record")
}

// P31: reminders come after the quiet days, by day, once, and not again before
// the campaign allows.
func TestPitfallP31RemindersAreDueOnceByDay(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	_, _, err := w.buy("n-1", w.card, 4)
	require.NoError(t, err)
	nudges := func() (n int) {
		w.do(func(tx *store.Tx) (err error) {
			n, _, err = tx.QueueNudges(ctx, "", 100)
			return err
		})
		return n
	}
	require.Zero(t, nudges(), "the card is not quiet yet")
	w.clock.Set(time.Date(2026, 3, 9, 5, 0, 0, 0, time.UTC)) // 23:00 in Mexico City
	var wg sync.WaitGroup
	total := make(chan int, 4)
	for range 4 {
		wg.Go(func() {
			n := 0
			err := w.db.InTx(ctx, func(tx *store.Tx) (err error) {
				n, _, err = tx.QueueNudges(ctx, "", 100)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			total <- n
		})
	}
	wg.Wait()
	close(total)
	sum := 0
	for n := range total {
		sum += n
	}
	require.Equal(t, 1, sum, "four schedulers, one reminder")
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM outbox WHERE template = 'nudge.complete_card' AND due_at = '2026-03-09 15:00Z'`),
		"what is due at night waits for 09:00 there")
	w.clock.Advance(6 * 24 * time.Hour)
	require.Zero(t, nudges(), "not before the campaign's gap")
	w.clock.Advance(2 * 24 * time.Hour)
	require.Equal(t, 1, nudges())
	_, _, err = w.buy("n-2", w.card, 6)
	require.NoError(t, err)
	w.clock.Advance(30 * 24 * time.Hour)
	require.Zero(t, nudges(), "a complete card needs no reminder")
}

// Order: nothing of a person overtakes what is older, even while that waits to
// be tried again; a claim is one worker's; a lost worker's claim runs out.
func TestDeliveryKeepsOrderAndClaimsRunOut(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	for i := range 3 {
		w.do(func(tx *store.Tx) error {
			_, err := tx.Notify(ctx, store.Notice{Person: w.person, Lane: store.LaneReply, Template: fmt.Sprintf("n%d", i)})
			return err
		})
	}
	claim := func() (out store.Outbound, ok bool) {
		w.do(func(tx *store.Tx) (err error) {
			out, ok, err = tx.Claim(ctx, w.person, "", 30*time.Second)
			return err
		})
		return out, ok
	}
	first, ok := claim()
	require.True(t, ok)
	require.Equal(t, "n0", first.Template)
	require.Equal(t, "+525512345678", first.Chat)
	_, ok = claim()
	require.False(t, ok, "another has it")

	w.do(func(tx *store.Tx) error { return tx.Retry(ctx, first.ID, "no signal", w.now().Add(time.Minute)) })
	_, ok = claim()
	require.False(t, ok, "the younger do not overtake what waits to be tried again")
	w.clock.Advance(time.Minute)
	again, ok := claim()
	require.True(t, ok)
	require.Equal(t, first.MessageID, again.MessageID, "a resend keeps its message ID")
	w.clock.Advance(31 * time.Second)
	again, ok = claim()
	require.True(t, ok, "the claim of a lost worker runs out")
	w.do(func(tx *store.Tx) error { return tx.Sent(ctx, again.ID, "texto") })
	second, ok := claim()
	require.True(t, ok)
	require.Equal(t, "n1", second.Template)
}

// A consumer can be erased: no phone, no name, no text is left, the ledger
// keeps its sums, and whoever writes again is somebody new.
func TestEraseForgetsThePersonAndKeepsTheLedger(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	_, _, err := w.buy("x-1", w.card, 4)
	require.NoError(t, err)
	w.do(func(tx *store.Tx) error { return tx.SaveName(ctx, w.person, "Ana") })
	w.do(func(tx *store.Tx) error { return tx.Erase(ctx, w.person, "borrar") })
	forget := func(want int64) {
		t.Helper()
		w.do(func(tx *store.Tx) error {
			n, err := tx.ForgetAddresses(ctx)
			require.Equal(t, want, n)
			return err
		})
	}
	forget(0) // a message still waits for its answer
	w.do(func(tx *store.Tx) error {
		turn, _, err := tx.NextTurn(ctx, w.person)
		require.NoError(t, err)
		return tx.EndTurn(ctx, turn.Message, nil, store.Reply{})
	})
	forget(1)
	require.Zero(t, w.count(`SELECT count(*) FROM addresses WHERE address = '+525512345678'`))
	require.Zero(t, w.count(`SELECT count(*) FROM persons WHERE name IS NOT NULL`))
	require.Zero(t, w.count(`SELECT count(*) FROM inbox WHERE person_id = $1 AND text <> ''`, w.person))
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM ledger`))
	_, _, err = w.buy("x-2", w.card, 1)
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(err))
	require.NotEqual(t, w.person, w.consumer("+525512345678"))
	w.verify()
}

// P22: the link in the chat opens the card and can be revoked; anything else
// does not, and says no more than that.
func TestPitfallP22ChatLinkOpensAndCanBeRevoked(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	open := func(secret string) (err error) {
		return w.db.InTx(ctx, func(tx *store.Tx) error {
			person, err := tx.OpenChatLink(ctx, secret, w.card)
			if err == nil {
				require.Equal(t, w.person, person)
			}
			return err
		})
	}
	secretOf := func(url string) string { return url[len("http://localhost:3000/c/") : len(url)-len("/")-len(w.card)] }
	var first, second string
	w.do(func(tx *store.Tx) (err error) {
		first, _, err = tx.ChatLink(ctx, w.person)
		return err
	})
	require.NoError(t, open(secretOf(first)))
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(open("AAAAAAAAAAAAAAAAAAAAAA")))
	w.do(func(tx *store.Tx) (err error) {
		second, _, err = tx.ReissueLink(ctx, w.person)
		return err
	})
	require.NotEqual(t, first, second)
	require.NoError(t, open(secretOf(second)))
	require.Equal(t, loyalty.CodeCardNotFound, loyalty.CodeOf(open(secretOf(first))), "the old link is void")
}

// A chat link is made when a notice leaves, and kept nowhere.
func TestSecretsAreNotKeptWithMessages(t *testing.T) {
	w := newWorld(t, 8)
	ctx := t.Context()
	_, _, err := w.buy("s-1", w.card, 1)
	require.NoError(t, err)
	var out store.Outbound
	var link string
	w.do(func(tx *store.Tx) (err error) {
		if link, _, err = tx.ReissueLink(ctx, w.person); err != nil { // after the notice was queued
			return err
		}
		var ok bool
		out, ok, err = tx.Claim(ctx, w.person, "", time.Minute)
		require.True(t, ok)
		return err
	})
	require.Equal(t, link, out.Vars["card_url"])
	w.do(func(tx *store.Tx) error {
		return tx.Sent(ctx, out.ID, "Tu tarjeta: "+link+" y tu tienda: http://localhost:3000/t/qoa_ln_AAAAAAAAAAAAAAAAAAAAAAAA fin")
	})
	secret := link[len("http://localhost:3000/c/") : len(link)-len("/")-len(w.card)]
	require.Zero(t, w.count(`SELECT count(*) FROM outbox o WHERE o::text LIKE '%' || $1 || '%' OR o::text LIKE '%qoa_ln_%'`, secret))
	require.Equal(t, int64(1), w.count(`SELECT count(*) FROM outbox WHERE body LIKE 'Tu tarjeta: http://localhost:3000/c/…/%fin'`))
}
