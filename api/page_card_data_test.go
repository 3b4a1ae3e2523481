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
)

// Messages go off and on again on the page as by BAJA and ALTA in the chat, each
// with its proof; saying it twice is once.
func TestMessagesGoOffAndOnOnTheCard(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	consents := func() (all store.Agreed) {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			var err error
			all, err = tx.Consents(ctx, ana.Person)
			require.NoError(t, err)
		})
		return all
	}
	say := func(value, notice string) {
		w.Clock.Advance(time.Minute)
		res := form(w, ana.URL+"/messages", "", "messages", value)
		require.Equal(t, http.StatusSeeOther, res.Status)
		require.Equal(t, ana.URL+"/datos"+notice, res.Header.Get("Location"))
	}
	page := w.Do("GET", ana.URL+"/datos", nil)
	assert.Contains(t, page.Text(), "Encendidos")
	assert.Contains(t, page.Text(), "Te dimos el aviso de privacidad")
	require.True(t, consents().Messages)

	say("tal vez", "")
	require.Len(t, consents().All, 1, "what is neither changes nothing")
	for range 2 {
		say("no", "?aviso=mensajes-no")
	}
	off := consents()
	require.False(t, off.Messages)
	require.Len(t, off.All, 2)
	require.Equal(t, store.OptOut, off.All[0].Kind)
	page = w.Do("GET", ana.URL+"/datos?aviso=mensajes-no", nil)
	assert.Contains(t, page.Text(), "Listo: ya no te escribimos.")
	assert.Contains(t, page.Text(), "Apagados")
	assert.Contains(t, page.Text(), "BAJA")
	say("si", "?aviso=mensajes-si")
	require.True(t, consents().Messages)
	require.Len(t, consents().All, 3)
}

// Nobody is forgotten by one tap, by a GET or by a wrong word; who writes it is, at
// once and for good.
func TestWhoWritesTheWordIsForgotten(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	stream, cancel := events(t, w, ana.URL+"/events")
	defer cancel()
	wait(t, stream, "retry:")
	for _, word := range []string{"", "si", "borra", "BORRAR TODO"} {
		res := form(w, ana.URL+"/erasure", "", "word", word)
		require.Equal(t, http.StatusSeeOther, res.Status)
		require.Equal(t, ana.URL+"/datos?aviso=palabra", res.Header.Get("Location"))
	}
	assert.Contains(t, w.Do("GET", ana.URL+"/datos?aviso=palabra", nil).Text(), "No borramos nada")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Do("GET", ana.URL+"/erasure?word=BORRAR", nil).Status)
	require.Equal(t, http.StatusOK, w.Do("GET", ana.URL, nil).Status)

	w.Clock.Advance(time.Minute)
	res := form(w, ana.URL+"/erasure", "", "word", " borrar ")
	require.Equal(t, http.StatusSeeOther, res.Status)
	require.Equal(t, "/c/adios", res.Header.Get("Location"), "an address that says nothing of who it was")
	assert.Contains(t, w.Do("GET", "/c/adios", nil).Text(), "Borramos tus datos")
	wait(t, stream, "event: changed") // a page that is open hears of it
	for _, path := range []string{"", "/fragment", "/datos", "/historial", "/events"} {
		assert.Equal(t, http.StatusNotFound, w.Do("GET", ana.URL+path, nil).Status, path)
	}
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		agreed, err := tx.Consents(ctx, ana.Person)
		require.NoError(t, err)
		assert.Equal(t, store.Erasure, agreed.All[0].Kind)
	})
}
