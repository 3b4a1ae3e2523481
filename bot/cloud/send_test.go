package cloud_test

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/cloud/graphtest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestATextIsSentOnceWithItsPreviewAndMarksTheQuestionRead(t *testing.T) {
	w := open(t)
	ana := w.anaWrote()
	m := w.reply(ana, store.Reply{Body: "Tu tarjeta: https://qoa.test/c/x"})
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	require.NoError(t, w.Cloud.Send(t.Context(), m), "what Meta has is not sent again")
	got := w.ana().Received()
	require.Len(t, got, 1)
	assert.Equal(t, graphtest.Message{ID: got[0].ID, Type: "text", Text: m.Body, Preview: true, Opaque: m.MessageID}, got[0])
	assert.Equal(t, []string{m.ReplyTo}, w.Meta.Seen())

	w.ana().Writes("gracias")
	w.settled()
	m = w.reply(ana, store.Reply{Body: "¡De nada!"})
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	assert.False(t, w.ana().Received()[1].Preview, "no link, no preview")
}

func TestAPictureIsUploadedOnce(t *testing.T) {
	w := open(t)
	ana := w.anaWrote()
	send := func() graphtest.Message {
		m := w.reply(ana, store.Reply{Body: "¡Bienvenida!", Media: "card_qr", MediaRef: "7H2KQ9M4"})
		require.NoError(t, w.Cloud.Send(t.Context(), m))
		w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), m.ID, m.Body) })
		w.ana().Writes("otra vez")
		w.settled()
		got := w.ana().Received()
		return got[len(got)-1]
	}
	first := send()
	assert.Equal(t, "¡Bienvenida!", first.Text)
	_, err := png.Decode(bytes.NewReader(first.Image))
	require.NoError(t, err)
	assert.Equal(t, first.Image, send().Image)
	assert.Equal(t, 1, w.Meta.Media())

	// Meta has lost it: the attempt fails in passing, and the next one uploads anew.
	w.Meta.LoseMedia()
	w.Clock.Advance(time.Hour)
	m := w.reply(ana, store.Reply{Body: "¡Aquí está!", Media: "card_qr", MediaRef: "7H2KQ9M4"})
	var failed *bot.SendError
	require.ErrorAs(t, w.Cloud.Send(t.Context(), m), &failed)
	assert.False(t, failed.Final)
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	assert.Equal(t, 1, w.Meta.Media())
}

func TestLongTextsAreCutAtMetasLimit(t *testing.T) {
	w := open(t)
	ana := w.anaWrote()
	m := w.reply(ana, store.Reply{Body: strings.Repeat("ñandú\n", 1000)})
	require.NoError(t, w.Cloud.Send(t.Context(), m)) // the server checks the length
	assert.True(t, strings.HasSuffix(w.ana().Received()[0].Text, "ñandú…"))
}

// notify queues a notice and gives it as it is to be sent.
func (w *world) notify(person loyalty.ID, template string, vars map[string]string) store.Outbound {
	w.T.Helper()
	w.Do(func(tx *store.Tx) error {
		queued, err := tx.Notify(w.T.Context(), store.Notice{Person: person, Lane: store.LaneReply, Template: template, Vars: vars})
		require.True(w.T, queued)
		return err
	})
	return w.claim(person)
}

func TestAfterADayATemplateStandsForTheText(t *testing.T) {
	w := open(t)
	ana := w.anaWrote()
	otp := map[string]string{"code": "482913", "minutes": "5"}
	m := w.notify(ana, "otp.code", otp)
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), m.ID, m.Body) })
	assert.Equal(t, "text", w.ana().Received()[0].Type)

	w.Clock.Advance(25 * time.Hour)
	m = w.notify(ana, "otp.code", otp)
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), m.ID, m.Body) })
	got := w.ana().Received()[1]
	assert.Equal(t, []any{"template", "qoa_codigo", []string{"482913"}, "482913"}, []any{got.Type, got.Template, got.Vars, got.Button})

	// What has no template says so, and asks Meta nothing.
	var failed *bot.SendError
	require.ErrorAs(t, w.Cloud.Send(t.Context(), w.notify(ana, "conversation.parked", nil)), &failed)
	assert.True(t, failed.Final)
	assert.Equal(t, "the 24-hour window is closed, and no template stands for conversation.parked", failed.What)
}

func TestALateAnswerIsADeadLetter(t *testing.T) {
	w := open(t)
	ana := w.anaWrote()
	w.Clock.Advance(25 * time.Hour)
	var failed *bot.SendError
	require.ErrorAs(t, w.Cloud.Send(t.Context(), w.reply(ana, store.Reply{Body: "Perdón por la espera"})), &failed)
	assert.True(t, failed.Final)
	assert.Contains(t, failed.What, "the 24-hour window is closed")
	assert.Empty(t, w.ana().Received())
}

func TestAnAddressOfAnotherKindIsRefused(t *testing.T) {
	w := open(t)
	m := w.reply(w.anaWrote(), store.Reply{Body: "hola"})
	m.Chat = "99887766@lid"
	var failed *bot.SendError
	require.ErrorAs(t, w.Cloud.Send(t.Context(), m), &failed)
	assert.True(t, failed.Final)
}

// What each failure means for the message.
func TestFailuresHaveTheirMeaning(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  graphtest.Fault
		final  bool
		held   bool
		after  time.Duration // at least
		says   string
		number string // what is then wrong with the number
	}{
		{"too fast", graphtest.Fault{Code: 130429, Status: 429}, false, true, time.Second, "too many messages", ""},
		{"too fast for one person", graphtest.Fault{Code: 131056}, false, true, 6 * time.Second, "this person", ""},
		{"too many calls", graphtest.Fault{Code: 4, Status: 429}, false, true, time.Second, "too many requests", ""},
		{"too many calls of the account", graphtest.Fault{Code: 80007}, false, true, time.Second, "too many requests", ""},
		{"nobody there", graphtest.Fault{Code: 131026}, true, false, 0, "cannot be reached", ""},
		{"the window closed meanwhile", graphtest.Fault{Code: 131047}, true, false, 0, "24-hour window", ""},
		{"no such template", graphtest.Fault{Code: 132001, Status: 404}, true, false, 0, "not approved", ""},
		{"a bad request", graphtest.Fault{Code: 131009}, true, false, 0, "meta 131009", ""},
		{"a code nobody knows", graphtest.Fault{Code: 139999}, true, false, 0, "meta 139999", ""},
		{"Meta is down", graphtest.Fault{Code: 2, Status: 503}, false, false, time.Second, "meta 2", ""},
		{"Meta's proxy is down", graphtest.Fault{Status: 502}, false, false, time.Second, "http 502", ""},
		{"the token is over", graphtest.Fault{Code: 190, Status: 401}, false, true, time.Second, "no longer valid", "token"},
		{"a permission is gone", graphtest.Fault{Code: 10, Status: 403}, false, true, time.Second, "meta 10", "token"},
		{"no payment", graphtest.Fault{Code: 131042}, false, true, time.Second, "payment", "payment"},
		{"blocked", graphtest.Fault{Code: 368, Status: 403}, false, true, time.Second, "policy", "blocked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			require.Eventually(t, func() bool { return w.Cloud.Status(t.Context()).State == bot.HealthOK }, 10*time.Second, time.Millisecond)
			m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
			w.Meta.Fail(c.fault)
			err := w.Cloud.Send(t.Context(), m)
			var failed *bot.SendError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, []bool{c.final, c.held}, []bool{failed.Final, failed.Held})
			assert.GreaterOrEqual(t, failed.After, c.after)
			assert.Contains(t, failed.What, c.says)
			assert.NotContains(t, failed.What, "5512345678")
			assert.Empty(t, w.ana().Received())
			health := w.Cloud.Status(t.Context())
			if c.number == "" {
				assert.Equal(t, bot.HealthOK, health.State)
				require.NoError(t, w.Cloud.Send(t.Context(), m), "Meta is well again")
				return
			}
			assert.Equal(t, bot.HealthDown, health.State)
			assert.NotEmpty(t, health.Detail)
			require.ErrorAs(t, w.Cloud.Send(t.Context(), m), &failed, "a broken account is left alone")
			assert.Equal(t, "the number cannot send: "+c.number, failed.What)
			w.Clock.Advance(2 * time.Minute)
			require.NoError(t, w.Cloud.Send(t.Context(), m), "and then tried again")
			assert.Equal(t, bot.HealthOK, w.Cloud.Status(t.Context()).State)
			assert.Len(t, w.ana().Received(), 1)
		})
	}
}

// A number that cannot send is seen by processes that only receive.
func TestEveryProcessSeesThatTheTokenIsOver(t *testing.T) {
	w := open(t)
	m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
	other := w.channel("an old token")
	require.Error(t, other.Send(t.Context(), m))
	health := w.Cloud.Status(t.Context())
	assert.Equal(t, bot.HealthDown, health.State)
	assert.Contains(t, health.Detail, "CLOUD_TOKEN")
}

func TestThePhoneOfTheNumberIsAskedFor(t *testing.T) {
	w := open(t)
	require.Eventually(t, func() bool { return w.Cloud.Phone(t.Context()) == graphtest.Phone }, 10*time.Second, time.Millisecond)
}

// P24 and the doubt: Meta has accepted the message, and nobody heard. Its status
// says so before the next attempt, which then sends nothing.
func TestWhatWasAcceptedUnheardIsNotSentAgain(t *testing.T) {
	for name, fault := range map[string]graphtest.Fault{"the connection breaks": {Accepted: true}, "no answer comes": {Accepted: true, Hang: true}} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
			w.Meta.Fail(fault)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var failed *bot.SendError
			require.ErrorAs(t, w.Cloud.Send(ctx, m), &failed)
			assert.False(t, failed.Final || failed.Held)
			assert.GreaterOrEqual(t, failed.After, 20*time.Second, "time for a status to come")
			w.settled()
			require.NoError(t, w.Cloud.Send(t.Context(), m))
			assert.Len(t, w.ana().Received(), 1)
		})
	}
}

// The window that remains, as the package's documentation says: without a status,
// nobody can tell, and a message twice is better than none.
func TestWithoutAStatusTheMessageGoesAgain(t *testing.T) {
	w := open(t)
	m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
	w.Meta.Hold(true)
	w.Meta.Fail(graphtest.Fault{Accepted: true})
	require.Error(t, w.Cloud.Send(t.Context(), m))
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	assert.Len(t, w.ana().Received(), 2)
	w.Meta.Hold(false)
}

func TestAHangingMetaIsGivenUp(t *testing.T) {
	w := open(t)
	m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
	w.Meta.Fail(graphtest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := w.Cloud.Send(ctx, m)
	require.Error(t, err)
	assert.True(t, errors.Is(err, context.DeadlineExceeded), "%v", err)
}

// How far a message came is followed, whatever the order of the news.
func TestStatusesAreFollowed(t *testing.T) {
	w := open(t)
	m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	w.settled() // delivered comes before we have noted that it is sent
	w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), m.ID, m.Body) })
	status, _ := w.outboxRow(m)
	assert.Equal(t, "delivered", status)
	got := w.ana().Received()[0]
	w.ana().Reports(got, "read", 0)
	w.ana().Reports(got, "delivered", 0)
	w.ana().Reports(got, "failed", 131026)
	w.settled()
	status, _ = w.outboxRow(m)
	assert.Equal(t, "read", status, "never backwards")
}

// A message that fails after Meta took it is a dead letter, and can be sent again.
func TestAFailureByStatusIsADeadLetter(t *testing.T) {
	w := open(t)
	m := w.reply(w.anaWrote(), store.Reply{Body: "¡Hola!"})
	w.Meta.Hold(true)
	w.Meta.Fail(graphtest.Fault{Code: 131026, Later: true})
	require.NoError(t, w.Cloud.Send(t.Context(), m))
	w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), m.ID, m.Body) })
	w.Meta.Hold(false)
	w.settled()
	status, problem := w.outboxRow(m)
	assert.Equal(t, []string{"failed", "meta 131026: the person cannot be reached over WhatsApp"}, []string{status, problem})

	w.Do(func(tx *store.Tx) error { return tx.Redrive(t.Context(), loyalty.System(), m.ID) })
	again := w.claim(m.Person)
	require.NoError(t, w.Cloud.Send(t.Context(), again))
	w.Do(func(tx *store.Tx) error { return tx.Sent(t.Context(), again.ID, again.Body) })
	w.settled()
	require.Len(t, w.ana().Received(), 1)
	status, _ = w.outboxRow(m)
	assert.Equal(t, "delivered", status)
}

// What belongs in a log and what does not.
func TestNothingPersonalIsLogged(t *testing.T) {
	w := open(t)
	ana := w.anaWrote()
	for _, f := range []graphtest.Fault{{Code: 131026}, {Code: 190, Status: 401}, {Accepted: true}} {
		w.Clock.Advance(2 * time.Minute)
		w.ana().Writes("un secreto")
		w.settled()
		m := w.reply(ana, store.Reply{Body: "otro secreto"})
		w.Meta.Fail(f)
		w.Cloud.Send(t.Context(), m) //nolint:errcheck // what is logged matters here
		w.Do(func(tx *store.Tx) error { return tx.Fail(t.Context(), m.ID, "x") })
	}
	for _, secret := range []string{"5512345678", "secreto", graphtest.Token, "MX."} {
		assert.NotContains(t, w.Log.String(), secret)
	}
}
