package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
)

type chat struct {
	Messages []struct {
		ID        string
		Direction string
		Text      string
		MediaType string `json:"media_type"`
		MediaURL  string `json:"media_url"`
	}
}

func readChat(t *testing.T, w *apitest.World, query string) (c chat) {
	t.Helper()
	res := w.Do("GET", "/sim/messages?"+query, nil)
	require.Equal(t, http.StatusOK, res.Status, res.Text())
	require.NoError(t, json.Unmarshal(res.Body, &c))
	return c
}

// simulate lets somebody write, and lets the bot's answer with a picture arrive.
func simulate(t *testing.T, w *apitest.World) {
	t.Helper()
	res := w.Do("POST", "/sim/messages", obj{"from": "+5215588887777", "text": "hola", "id": "uno"})
	require.Equal(t, http.StatusAccepted, res.Status, res.Text())
	require.JSONEq(t, `{"id":"uno"}`, res.Text())
	require.Equal(t, http.StatusAccepted, w.Do("POST", "/sim/messages", obj{"from": "55 8888 7777", "text": "hola", "id": "uno"}).Status)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		tx.SimDeliver("+525588887777", store.SimMessage{ID: "dos", Text: "¡Hola!", MediaType: "image/png", Media: "card_qr", MediaRef: w.Shoppers[0].Card})
	})
	// The plus as it should be, as a careless script sends it, and without.
	for _, phone := range []string{"%2B525588887777", "+525588887777", "5588887777", "%2B5215588887777"} {
		c := readChat(t, w, "phone="+phone)
		require.Len(t, c.Messages, 2, phone)
		assert.Equal(t, "in", c.Messages[0].Direction)
		assert.Equal(t, "out", c.Messages[1].Direction)
		picture := w.Do("GET", strings.TrimPrefix(c.Messages[1].MediaURL, w.Base), nil)
		assert.Equal(t, "image/png", picture.Header.Get("Content-Type"))
	}
	assert.Len(t, readChat(t, w, "phone=5588887777&after=uno").Messages, 1)
	assert.Empty(t, readChat(t, w, "phone=5588887777&after=dos").Messages)
	assert.Empty(t, readChat(t, w, "phone=5500001111").Messages)
}

func TestSimulatorTakesWhatAPhoneCanSend(t *testing.T) {
	w := apitest.New(t)
	for _, body := range []obj{
		{"from": "5588887777", "text": ""},
		{"from": "5588887777", "text": strings.Repeat("á", 10_000)},
		{"from": "5588887777", "text": "el pie", "kind": "image"},
		{"from": "5588887777", "kind": "audio"},
	} {
		assert.Equal(t, http.StatusAccepted, w.Do("POST", "/sim/messages", body).Status)
	}
	assert.Len(t, readChat(t, w, "phone=5588887777").Messages, 4)
	for code, body := range map[string]obj{
		"PHONE_INVALID":     {"from": "123", "text": "hola"},
		"MESSAGE_TOO_LARGE": {"from": "5588887777", "text": strings.Repeat("x", 65_537)},
		"VALIDATION_FAILED": {"from": "5588887777", "text": "hola", "id": strings.Repeat("x", 129)},
	} {
		got, fields := w.Problem(http.StatusBadRequest, "POST", "/sim/messages", body)
		assert.Equal(t, code, got)
		assert.Len(t, fields, 1)
	}
	w.Problem(http.StatusBadRequest, "POST", "/sim/messages", obj{"from": "5588887777", "kind": "hologram"})
	w.Problem(http.StatusNotFound, "GET", "/sim/media/999", nil)
	w.Problem(http.StatusNotFound, "GET", "/sim/media/x", nil)
}

func TestSimulatorPageOffersPeopleAndShops(t *testing.T) {
	w := apitest.New(t)
	res := w.Do("GET", "/sim", nil)
	require.Equal(t, http.StatusOK, res.Status)
	assert.Contains(t, res.Text(), string(w.Keepers[0].Phone[1:]))
	assert.Contains(t, res.Text(), "Quiero crear mi tarjeta de puntos de Abarrotes Lupita ("+w.Keepers[0].Shop.Code+")")
}

var styleSheet = regexp.MustCompile(`href="(/static/app\.[0-9a-f]+\.css)"`)

func styleOf(t *testing.T, w *apitest.World) string {
	t.Helper()
	found := styleSheet.FindStringSubmatch(w.Do("GET", "/", nil).Text())
	require.Len(t, found, 2)
	return found[1]
}
