package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Answers go through the number that was written to; notices through the one that
// was written to last; each number has its own.
func TestMessagesGoThroughTheirNumber(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	one, two := w.number("uno", longAgo), w.number("dos", longAgo)
	person, _ := w.writesTo(one, "m1")
	w.reply(person, "r1")
	w.notify(person, store.LaneReceipt, "n1")
	w.clock.Advance(time.Second)
	w.writesTo(two, "m2")
	w.reply(person, "r2")
	w.notify(person, store.LaneReceipt, "n2")
	_, ok := w.claim(person, "")
	require.False(t, ok, "nothing without a number")
	for number, want := range map[loyalty.ID][]string{one.ID: {"r1", "n1"}, two.ID: {"r2", "n2"}} {
		for _, text := range want {
			out, ok := w.claim(person, number)
			require.True(t, ok)
			require.Equal(t, text, out.Body+out.Template)
			require.Equal(t, number, out.Number)
			require.Equal(t, "whatsapp", out.Channel)
			w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "x") })
		}
		_, ok = w.claim(person, number)
		require.False(t, ok)
	}
	// A row that names no number goes through the person's.
	require.NoError(t, w.exec(`UPDATE outbox SET status = 'queued', channel = NULL, number_id = NULL, due_at = due_at - interval '1 minute' WHERE template = 'n1'`))
	require.Equal(t, []loyalty.ID{person}, w.dueThrough(two))
	require.Empty(t, w.dueThrough(one))
	_, ok = w.claim(person, one.ID)
	require.False(t, ok)
	out, ok := w.claim(person, two.ID)
	require.True(t, ok)
	require.Equal(t, two.ID, out.Number)
}

func (w *world) writesTo(n store.Number, id string) (person loyalty.ID, repeated bool) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		repeated, err = tx.Receive(w.t.Context(), store.Inbound{Channel: "whatsapp", Number: n.ID, Sender: ana["phone"], MessageID: id, Kind: store.KindText, Text: id})
		if err != nil {
			return err
		}
		person, err = tx.FindPhone(w.t.Context(), anaPhone)
		return err
	})
	return person, repeated
}

func (w *world) reply(person loyalty.ID, text string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		turn, ok, err := tx.NextTurn(w.t.Context(), person)
		require.NoError(w.t, err)
		require.True(w.t, ok)
		return tx.EndTurn(w.t.Context(), turn.Message, json.RawMessage("{}"), store.Reply{Body: text})
	})
}

// What waits for a number that is gone goes through the one that the person writes
// to next, and not before.
func TestWhatWaitsOutlivesItsNumber(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	one, two := w.number("uno", longAgo), w.number("dos", longAgo)
	person, _ := w.writesTo(one, "m1")
	w.reply(person, "r1")
	w.notify(person, store.LaneService, "nudge")
	w.do(func(tx *store.Tx) error { return tx.DeleteNumber(ctx, w.admin, one.ID) })
	w.clock.Advance(2 * time.Second)
	for _, n := range []store.Number{one, two} {
		require.Empty(t, w.dueThrough(n))
		_, ok := w.claim(person, n.ID)
		require.False(t, ok)
	}
	w.writesTo(two, "m2")
	w.reply(person, "r2")
	w.clock.Advance(2 * time.Second)
	require.NotEmpty(t, w.dueThrough(two))
	for _, want := range []string{"r1", "r2", "nudge"} {
		out, ok := w.claim(person, two.ID)
		require.True(t, ok, want)
		require.Equal(t, want, out.Body+out.Template)
		require.Equal(t, two.ID, out.Number)
		w.do(func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "x") })
	}
}

// States go on and never back, in whatever order the receipts come.
func TestDeliveryStatesNeverGoBack(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", longAgo)
	person, _ := w.writesTo(n, "m1")
	steps := map[string]func(out store.Outbound) error{
		"sent": func(out store.Outbound) error {
			return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.Sent(ctx, out.ID, "dicho") })
		},
		"failed": func(out store.Outbound) error {
			return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.Fail(ctx, out.ID, "timed out") })
		},
		"retried": func(out store.Outbound) error {
			return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.Retry(ctx, out.ID, "timed out", w.now()) })
		},
	}
	for _, state := range []string{"delivered", "read"} {
		steps[state] = func(out store.Outbound) error {
			return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.Delivered(ctx, []string{out.MessageID, "unknown"}, w.now(), state) })
		}
	}
	for _, c := range []struct {
		order []string
		want  string
	}{
		{[]string{"sent"}, "sent"},
		{[]string{"sent", "delivered"}, "delivered"},
		{[]string{"sent", "delivered", "read"}, "read"},
		{[]string{"sent", "read", "delivered"}, "read"},
		{[]string{"delivered", "sent"}, "delivered"}, // the receipt was faster than our commit
		{[]string{"read", "sent", "delivered"}, "read"},
		{[]string{"retried", "delivered"}, "delivered"}, // a timeout was none
		{[]string{"failed", "delivered"}, "delivered"},
		{[]string{"failed", "sent"}, "failed"},
		{[]string{"read", "failed"}, "read"},
		{[]string{"delivered", "retried", "sent"}, "delivered"},
	} {
		w.notify(person, store.LaneReply, "x")
		out, ok := w.claim(person, n.ID)
		require.True(t, ok)
		for _, step := range c.order {
			require.NoError(t, steps[step](out), "%v", c.order)
		}
		require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE id = $1 AND status = $2`, out.ID, c.want), "%v", c.order)
		require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE id = $1 AND (status NOT IN ('delivered', 'read') OR delivered_at IS NOT NULL) AND (status = 'read') = (read_at IS NOT NULL)`,
			out.ID), "%v", c.order)
		_, ok = w.claim(person, n.ID)
		require.False(t, ok, "%v", c.order)
	}
	require.Zero(t, w.count(`SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL AND (body <> 'dicho' OR vars IS NOT NULL)`), "what was said is kept, without secrets")
	// Of what was never tried nobody has a receipt.
	w.notify(person, store.LaneReply, "x")
	require.NoError(t, w.exec(`UPDATE outbox SET channel = 'whatsapp', message_id = 'never' WHERE status = 'queued'`))
	w.do(func(tx *store.Tx) error { return tx.Delivered(ctx, []string{"never"}, w.now(), "read") })
	require.EqualValues(t, 1, w.count(`SELECT count(*) FROM outbox WHERE status = 'queued'`))
	require.Error(t, w.db.InTx(ctx, func(tx *store.Tx) error { return tx.Delivered(ctx, nil, w.now(), "lost") }))
}

// A dead letter can be sent again, before all that waits, and once.
func TestADeadLetterIsSentAgain(t *testing.T) {
	w := newWorld(t, 4)
	ctx := t.Context()
	n := w.number("uno", longAgo)
	person, _ := w.writesTo(n, "m1")
	w.notify(person, store.LaneReply, "dead")
	out, _ := w.claim(person, n.ID)
	w.do(func(tx *store.Tx) error { return tx.Fail(ctx, out.ID, "refused") })
	w.notify(person, store.LaneReply, "younger")
	redrive := func(scope loyalty.Scope, id loyalty.ID) error {
		return w.db.InTx(ctx, func(tx *store.Tx) error { return tx.Redrive(ctx, scope, id) })
	}
	require.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(redrive(loyalty.Scope{Role: loyalty.RoleCPG, CPG: w.cpg}, out.ID)))
	require.NoError(t, redrive(w.admin, out.ID))
	require.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(redrive(w.admin, out.ID)), "it waits already")
	again, ok := w.claim(person, n.ID)
	require.True(t, ok)
	require.Equal(t, out.MessageID, again.MessageID, "the same message to whoever got it before")
	require.Equal(t, 1, again.Attempts)
	w.do(func(tx *store.Tx) error { return tx.Sent(ctx, again.ID, "x") })
	require.Equal(t, loyalty.CodeNotFound, loyalty.CodeOf(redrive(w.admin, out.ID)))
}

// A new owner of a number goes on at once with what the one before had in hand.
func TestANewOwnerTakesUpWhatWasInHand(t *testing.T) {
	w := newWorld(t, 4)
	n := w.number("uno", longAgo)
	person, _ := w.writesTo(n, "m1")
	w.notify(person, store.LaneReply, "x")
	first, ok := w.claim(person, n.ID)
	require.True(t, ok)
	w.do(func(tx *store.Tx) error { return tx.FreeClaims(t.Context(), n.ID) })
	again, ok := w.claim(person, n.ID)
	require.True(t, ok)
	require.Equal(t, first.MessageID, again.MessageID)
}

// What was queued for somebody just as they turned out to be another reaches them.
func TestAStrayNoticeFindsWhoItIsFor(t *testing.T) {
	w := newWorld(t, 4)
	phone, _ := w.onboards("phone")
	lid, _ := w.onboards("LID")
	one := w.merges()
	require.Equal(t, phone, one)
	w.notify(one, store.LaneReceipt, "stray")
	require.NoError(t, w.exec(`UPDATE outbox SET person_id = $1`, string(lid)))
	_, ok := w.claim(lid, "")
	require.False(t, ok)
	out, ok := w.claim(one, "")
	require.True(t, ok)
	require.Equal(t, "stray", out.Template)
	require.Equal(t, anaLID, out.Chat)
}
