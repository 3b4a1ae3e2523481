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

// gets is a message of any kind by ana's phone, and whether it was known.
func (w *world) gets(in store.Inbound) (repeated bool) {
	w.t.Helper()
	in.Channel, in.Sender = "whatsapp", ana["phone"]
	w.do(func(tx *store.Tx) (err error) {
		repeated, err = tx.Receive(w.t.Context(), in)
		return err
	})
	return repeated
}

// answers gives what ana's next turn is about, and answers it; "" where there is
// none.
func (w *world) answers() (said string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		person, err := tx.FindPhone(w.t.Context(), anaPhone)
		require.NoError(w.t, err)
		turn, ok, err := tx.NextTurn(w.t.Context(), person)
		if err != nil || !ok {
			return err
		}
		said = turn.Message.Kind + ":" + turn.Message.Text
		return tx.EndTurn(w.t.Context(), turn.Message, json.RawMessage("{}"), store.Reply{Body: "re " + said})
	})
	return said
}

// What asks for no answer has no turn; all else has one, in order.
func TestMessagesThatAskForNoAnswerHaveNoTurn(t *testing.T) {
	w := newWorld(t, 4)
	for i, kind := range []string{
		store.KindText, store.KindReaction, store.KindImage, store.KindPollVote, store.KindAudio, store.KindVideo, store.KindSticker,
		store.KindDocument, store.KindLocation, store.KindContact, store.KindPoll, store.KindUnsupported,
	} {
		require.False(t, w.gets(store.Inbound{MessageID: fmt.Sprint("m", i), Kind: kind, Text: "x", Of: "m0"}))
		require.True(t, w.gets(store.Inbound{MessageID: fmt.Sprint("m", i), Kind: kind, Text: "x", Of: "m0"}))
	}
	for _, kind := range []string{
		store.KindText, store.KindImage, store.KindAudio, store.KindVideo, store.KindSticker, store.KindDocument, store.KindLocation,
		store.KindContact, store.KindPoll, store.KindUnsupported,
	} {
		require.Equal(t, kind+":x", w.answers())
	}
	require.Empty(t, w.answers())
	require.EqualValues(t, 12, w.count(`SELECT count(*) FROM inbox WHERE status = 'done' AND done_at IS NOT NULL AND of_id = 'm0'`))
}

// An edit changes what still waits; what was answered is answered anew.
func TestAnEditIsTheMessageOrAnother(t *testing.T) {
	w := newWorld(t, 4)
	w.gets(store.Inbound{MessageID: "m1", Kind: store.KindText, Text: "slado"})
	w.gets(store.Inbound{MessageID: "e1", Kind: store.KindEdit, Of: "m1", Text: "saldo"})
	require.True(t, w.gets(store.Inbound{MessageID: "e1", Kind: store.KindEdit, Of: "m1", Text: "saldo"}))
	require.Equal(t, "text:saldo", w.answers())
	require.Empty(t, w.answers())
	w.gets(store.Inbound{MessageID: "e2", Kind: store.KindEdit, Of: "m1", Text: "mi saldo"})
	w.gets(store.Inbound{MessageID: "e3", Kind: store.KindEdit, Of: "of nobody", Text: "premios"})
	require.Equal(t, "text:mi saldo", w.answers())
	require.Equal(t, "text:premios", w.answers())
	require.Empty(t, w.answers())
}

// An edit that comes while the message has its turn is not lost.
func TestAnEditAmidTheTurnIsAnsweredAfterIt(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	w.gets(store.Inbound{MessageID: "m1", Kind: store.KindText, Text: "slado"})
	edited := make(chan struct{})
	w.do(func(tx *store.Tx) error {
		person, err := tx.FindPhone(ctx, anaPhone)
		require.NoError(t, err)
		turn, ok, err := tx.NextTurn(ctx, person)
		require.NoError(t, err)
		require.True(t, ok)
		go func() {
			defer close(edited)
			w.gets(store.Inbound{MessageID: "e1", Kind: store.KindEdit, Of: "m1", Text: "saldo"})
		}()
		w.waiting(1) // the edit, for the turn
		require.NoError(t, tx.SaveName(ctx, person, "Ana"))
		return tx.EndTurn(ctx, turn.Message, nil, store.Reply{Body: "no entendí"})
	})
	<-edited
	require.Equal(t, "text:saldo", w.answers())
	require.Empty(t, w.answers())
}

// What is deleted is forgotten, with its file; what waits is not answered.
func TestADeletedMessageIsForgotten(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	w.gets(store.Inbound{MessageID: "m1", Kind: store.KindImage, Text: "mi ticket", Media: &store.MediaSource{Mime: "image/png", Size: 9, Ref: []byte("x")}})
	w.do(func(tx *store.Tx) error {
		due, err := tx.DueMedia(ctx, "", 5)
		require.NoError(t, err)
		require.Len(t, due, 1)
		return tx.SaveMedia(ctx, due[0].Inbox, png)
	})
	require.Equal(t, "image:mi ticket", w.answers())
	w.gets(store.Inbound{MessageID: "m2", Kind: store.KindText, Text: "ups"})
	w.gets(store.Inbound{MessageID: "m3", Kind: store.KindText, Text: "hola"})
	w.gets(store.Inbound{MessageID: "d1", Kind: store.KindDelete, Of: "m1"})
	w.gets(store.Inbound{MessageID: "d2", Kind: store.KindDelete, Of: "m2"})
	w.gets(store.Inbound{MessageID: "d3", Kind: store.KindDelete, Of: "of nobody"})
	require.Equal(t, "text:hola", w.answers())
	require.Empty(t, w.answers())
	require.Zero(t, w.count(`SELECT count(*) FROM inbox WHERE message_id IN ('m1', 'm2') AND text <> ''`))
	require.Zero(t, w.count(`SELECT count(*) FROM media WHERE content IS NOT NULL`))
	// Nobody deletes what another wrote.
	w.do(func(tx *store.Tx) error {
		_, err := tx.Receive(ctx, store.Inbound{Channel: "whatsapp", Sender: store.Sender{Phone: "+525511112222"}, MessageID: "d4", Kind: store.KindDelete, Of: "m3"})
		return err
	})
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM inbox WHERE message_id = 'm3' AND text = 'hola'`))
}

// P20: what could not be read may come again for a while; then its sender is asked
// once to write it anew, however many there were.
func TestPitfallP20WhatCannotBeReadIsAskedForOnce(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	unread := func(id string) bool { return w.gets(store.Inbound{MessageID: id, Kind: store.KindUndecryptable}) }
	due := func() (n int) {
		w.do(func(tx *store.Tx) error {
			all, err := tx.DueTurns(ctx, time.Second, 100)
			for _, e := range all {
				if e.ID != w.person {
					n++
				}
			}
			return err
		})
		return n
	}
	require.False(t, unread("m1"))
	require.True(t, unread("m1"))
	require.Empty(t, w.answers())
	w.clock.Advance(5 * time.Second)
	require.Zero(t, due(), "it has its time")
	require.False(t, w.gets(store.Inbound{MessageID: "m1", Kind: store.KindText, Text: "hola"}), "it is here after all")
	require.True(t, unread("m1"), "what was read stays read")
	require.Equal(t, "text:hola", w.answers())
	w.clock.Advance(time.Minute)
	require.Empty(t, w.answers())
	require.Zero(t, due())

	unread("m2")
	w.gets(store.Inbound{MessageID: "m3", Kind: store.KindText, Text: "¿hay alguien?"})
	require.Equal(t, "text:¿hay alguien?", w.answers(), "what can be read does not wait for it")
	w.clock.Advance(10 * time.Second)
	unread("m4")
	w.clock.Advance(11 * time.Second)
	require.Equal(t, 1, due())
	require.Equal(t, "undecryptable:", w.answers())
	w.clock.Advance(time.Minute)
	require.Empty(t, w.answers(), "asked once")
	require.False(t, w.gets(store.Inbound{MessageID: "m4", Kind: store.KindText, Text: "tarde"}), "later than one would think")
	require.Equal(t, "text:tarde", w.answers())
	require.Empty(t, w.answers())
}

// What could not be read can come again only while its number is connected: nobody
// is asked for it meanwhile, nor in the moment in which the number is back.
func TestNobodyIsAskedWhileTheNumberIsAway(t *testing.T) {
	w := newWorld(t, 4)
	n := w.number("Principal", time.Hour)
	due := func() (n int) {
		w.do(func(tx *store.Tx) error {
			all, err := tx.DueTurns(t.Context(), time.Second, 100)
			n = len(all)
			return err
		})
		return n
	}
	w.clock.Advance(2 * time.Second) // who else waits has waited
	before := due()
	w.gets(store.Inbound{Number: n.ID, MessageID: "m1", Kind: store.KindUndecryptable})
	w.clock.Advance(21 * time.Second) // its owner was killed: nobody renews
	require.Equal(t, before, due())
	require.Empty(t, w.answers())
	w.state(n, store.NumberDisconnected, store.NumberState{})
	require.Equal(t, before, due())
	require.Empty(t, w.answers())
	w.state(n, store.NumberConnected, store.NumberState{})
	require.Empty(t, w.answers(), "it has its time to come")
	w.clock.Advance(10 * time.Second)
	w.state(n, store.NumberConnected, store.NumberState{}) // it goes on living
	w.clock.Advance(11 * time.Second)
	require.Equal(t, before+1, due())
	require.Equal(t, "undecryptable:", w.answers())
}

// Whatever arrives at once for a person who is being answered, each message has
// its turn, and nobody waits in a circle.
func TestEditsAndDeletionsAmidTurns(t *testing.T) {
	w := newWorld(t, 10)
	ctx := t.Context()
	w.gets(store.Inbound{MessageID: "first", Kind: store.KindText, Text: "0"})
	var person loyalty.ID
	w.do(func(tx *store.Tx) (err error) {
		person, err = tx.FindPhone(ctx, anaPhone)
		return err
	})
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			in := store.Inbound{Channel: "whatsapp", Sender: ana["phone"], MessageID: fmt.Sprint("m", n), Kind: store.KindText, Text: fmt.Sprint(n)}
			switch n % 4 {
			case 1:
				in.Kind, in.Of = store.KindEdit, fmt.Sprint("m", n-1)
			case 2:
				in.Kind, in.Of = store.KindDelete, fmt.Sprint("m", n-2)
			}
			err := w.db.InTx(ctx, func(tx *store.Tx) error {
				_, err := tx.Receive(ctx, in)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			err = w.db.InTx(ctx, func(tx *store.Tx) error {
				turn, ok, err := tx.NextTurn(ctx, person)
				if err != nil || !ok {
					return err
				}
				if err := tx.SaveName(ctx, person, "Ana "+turn.Message.Text); err != nil {
					return err
				}
				return tx.EndTurn(ctx, turn.Message, nil, store.Reply{Body: "re"})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for w.answers() != "" {
	}
	require.Zero(t, w.count(`SELECT count(*) FROM inbox WHERE person_id = $1 AND status <> 'done'`, person))
	require.EqualValues(t, 41, w.count(`SELECT count(*) FROM inbox WHERE person_id = $1`, person))
	require.Zero(t, w.count(`SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`))
}
