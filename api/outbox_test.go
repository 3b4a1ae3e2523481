package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type letter struct {
	ID          loyalty.ID
	To          string
	Status      string
	Problem     string
	Attempts    int
	Lane        string
	NumberID    *loyalty.ID `json:"number_id"`
	SentAt      *time.Time  `json:"sent_at"`
	DeliveredAt *time.Time  `json:"delivered_at"`
	ReadAt      *time.Time  `json:"read_at"`
}

func letters(t *testing.T, w *apitest.World, query string) []letter {
	t.Helper()
	return apitest.Data[[]letter](w.On(t).As(w.Admin), http.StatusOK, "GET", "/v1/outbox"+query, nil)
}

// TestALetterIsFollowedToItsReader: queued, sent, delivered, read, with the number
// that carried it.
func TestALetterIsFollowedToItsReader(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	w.Connect(t, w.Number, "+525512340001")
	ana := w.Shoppers[0]
	var sent store.Outbound
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.Receive(ctx, store.Inbound{
			Channel: "whatsapp", Number: w.Number, MessageID: "A1", Kind: "text", Text: "hola", Sender: store.Sender{Phone: ana.Phone, Wire: "5215512345670@s.whatsapp.net"},
		})
		require.NoError(t, err)
		for {
			turn, ok, err := tx.NextTurn(ctx, ana.Person)
			require.NoError(t, err)
			if !ok {
				break
			}
			require.NoError(t, tx.EndTurn(ctx, turn.Message, nil, store.Reply{Body: "un secreto"}))
		}
		out, ok, err := tx.Claim(ctx, ana.Person, w.Number, time.Minute)
		require.NoError(t, err)
		require.True(t, ok)
		sent = out
	})
	of := func() letter {
		for _, l := range letters(t, w, "?number_id="+string(w.Number)) {
			if l.ID == sent.ID {
				return l
			}
		}
		t.Fatal("the letter is gone")
		return letter{}
	}
	step := func(do func(context.Context, *store.Tx) error) letter {
		w.Clock.Advance(time.Second)
		w.Tx(t, func(ctx context.Context, tx *store.Tx) { require.NoError(t, do(ctx, tx)) })
		return of()
	}
	now := of()
	assert.Equal(t, "queued", now.Status)
	assert.Equal(t, string(ana.Phone[len(ana.Phone)-4:]), now.To)
	assert.Equal(t, w.Number, *now.NumberID)
	now = step(func(ctx context.Context, tx *store.Tx) error { return tx.Sent(ctx, sent.ID, "un secreto") })
	assert.Equal(t, "sent", now.Status)
	assert.NotNil(t, now.SentAt)
	for _, state := range []string{"delivered", "read"} {
		now = step(func(ctx context.Context, tx *store.Tx) error {
			return tx.Delivered(ctx, []string{sent.MessageID}, w.Clock.Now(), state)
		})
		assert.Equal(t, state, now.Status)
		page := w.Do("GET", "/admin/mensajes?estado="+state, nil, apitest.Cookie(w.AdminPage)).Text()
		assert.Contains(t, page, "Recibo a <span class=\"num\">…5670</span>")
		assert.Contains(t, page, "por Qoa Centro")
		assert.NotContains(t, page, "un secreto")
		assert.NotContains(t, page, string(ana.Phone))
	}
	assert.NotNil(t, now.DeliveredAt)
	assert.NotNil(t, now.ReadAt)
	assert.NotContains(t, w.As(w.Admin).Do("GET", "/v1/outbox", nil).Text(), "un secreto")
	assert.Empty(t, letters(t, w, "?status=dropped"))
	assert.Contains(t, w.Do("GET", "/metrics", nil).Text(), `qoa_outbox_hour_messages{state="read"} 1`)
	assert.Contains(t, w.Do("GET", "/admin/whatsapp", nil, apitest.Cookie(w.AdminPage)).Text(), `<dt>entregados</dt><dd>1</dd>`)
}

// TestADeadLetterIsSentAgain, from REST and from the page.
func TestADeadLetterIsSentAgain(t *testing.T) {
	w := apitest.New(t)
	admin := w.As(w.Admin)
	id := w.DeadLetter(t, "el canal <no> lo quiso")
	failed := letters(t, w, "?status=failed")
	require.Len(t, failed, 1)
	assert.Equal(t, "el canal <no> lo quiso", failed[0].Problem)
	apitest.Data[thing](admin, http.StatusAccepted, "POST", "/v1/outbox/"+string(id)+"/redrive", nil)
	assert.Empty(t, letters(t, w, "?status=failed"))
	code, _ := admin.Problem(http.StatusNotFound, "POST", "/v1/outbox/"+string(id)+"/redrive", nil)
	assert.Equal(t, "NOT_FOUND", code, "what is not dead is not sent twice")
	admin.Problem(http.StatusNotFound, "POST", "/v1/outbox/x/redrive", nil)

	require.Equal(t, id, w.DeadLetter(t, "otra vez"), "it is the oldest again")
	page := w.Do("GET", "/admin/mensajes?estado=failed", nil, apitest.Cookie(w.AdminPage)).Text()
	action := "/admin/mensajes/" + string(id) + "/reenvio"
	assert.Contains(t, page, `action="`+action+`"`)
	assert.Contains(t, page, "otra vez")
	done := form(w, action, w.AdminPage)
	require.Equal(t, http.StatusSeeOther, done.Status)
	after := w.Do("GET", done.Header.Get("Location"), nil, apitest.Cookie(w.AdminPage)).Text()
	assert.Contains(t, after, "vuelve a la fila")
	assert.NotContains(t, after, action)
	twice := form(w, action, w.AdminPage)
	assert.Equal(t, http.StatusNotFound, twice.Status)
	assert.Contains(t, twice.Text(), "no está detenido")
	assert.Equal(t, http.StatusBadRequest, w.Do("GET", "/admin/mensajes?estado=perdido", nil, apitest.Cookie(w.AdminPage)).Status)
}

// TestAParkedMessageIsAnsweredAfterAll: it has its turn before what came later,
// and its own answer beside the apology.
func TestAParkedMessageIsAnsweredAfterAll(t *testing.T) {
	w := apitest.New(t)
	admin, ana := w.As(w.Admin), w.Shoppers[0]
	id := w.Park(t, "no template x")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.SimReceive(ctx, ana.Phone, "later", "saldo", "text", "")
		require.NoError(t, err)
	})
	parked := apitest.Data[[]obj](admin, http.StatusOK, "GET", "/v1/inbox", nil)
	require.Len(t, parked, 1)
	assert.Equal(t, "no template x", parked[0]["problem"])
	assert.Equal(t, "5670", parked[0]["from"])
	page := w.Do("GET", "/admin/mensajes?estado=parked", nil, apitest.Cookie(w.AdminPage)).Text()
	assert.Contains(t, page, "Contestar otra vez")
	assert.NotContains(t, page, "quiero mi tarjeta")

	done := form(w, "/admin/mensajes/recibidos/"+string(id)+"/reintento", w.AdminPage)
	require.Equal(t, http.StatusSeeOther, done.Status)
	assert.Contains(t, w.Do("GET", done.Header.Get("Location"), nil, apitest.Cookie(w.AdminPage)).Text(), "vuelve a la conversación")
	admin.Problem(http.StatusNotFound, "POST", "/v1/inbox/"+string(id)+"/redrive", nil)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		turn, ok, err := tx.NextTurn(ctx, ana.Person)
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, id, turn.Message.ID)
		assert.Zero(t, turn.Message.Attempts)
		require.NoError(t, tx.EndTurn(ctx, turn.Message, nil, store.Reply{Body: "aquí está"}))
	})
	// Whoever asked to be forgotten is not written to.
	again := w.Park(t, "otra cosa")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) { require.NoError(t, tx.Erase(ctx, ana.Person, "m")) })
	code, _ := admin.Problem(http.StatusConflict, "POST", "/v1/inbox/"+string(again)+"/redrive", nil)
	assert.Equal(t, "CONFLICT", code)
}

func TestTheOutboxGoesOnWhereItEnded(t *testing.T) {
	w := apitest.New(t)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for _, cause := range []string{"a", "b", "c"} {
			queued, err := tx.Notify(ctx, store.Notice{Person: w.Shoppers[0].Person, Lane: store.LaneService, Template: "nudge.complete_card", Cause: cause})
			require.NoError(t, err)
			require.True(t, queued)
		}
	})
	all := letters(t, w, "")
	require.Len(t, all, 4)
	for i := 1; i < len(all); i++ {
		assert.Greater(t, all[i-1].ID, all[i].ID, "the newest first")
	}
	rest := letters(t, w, "?limit=100&cursor="+string(all[0].ID))
	assert.Equal(t, all[1:], rest)
}
