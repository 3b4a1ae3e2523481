package api_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
)

const webhook = "/webhooks/whatsapp"

// subscribe lets Meta ask whether the address is ours, and post something.
func subscribe(t *testing.T, w *apitest.World) {
	t.Helper()
	res := w.Do("GET", webhook+"?hub.mode=subscribe&hub.verify_token="+apitest.VerifyToken+"&hub.challenge=1158201444", nil)
	assert.Equal(t, http.StatusOK, res.Status)
	assert.Equal(t, "1158201444", res.Text())
	assert.Equal(t, "text/plain; charset=utf-8", res.Header.Get("Content-Type"), "what is asked is never shown as a page")
	res = w.Do("POST", webhook, obj{"object": "whatsapp_business_account", "entry": []any{}}, apitest.With("X-Hub-Signature-256", apitest.Signature))
	assert.Equal(t, http.StatusOK, res.Status)
}

func TestTheWebhookIsMetas(t *testing.T) {
	w := apitest.New(t)
	subscribe(t, w)
	w.Problem(http.StatusForbidden, "GET", webhook+"?hub.mode=subscribe&hub.verify_token=adivinado&hub.challenge=1", nil)
	w.Problem(http.StatusForbidden, "GET", webhook, nil)
	w.Problem(http.StatusUnauthorized, "POST", webhook, obj{"object": "x"})
	assert.Len(t, w.Meta.Bodies, 1)
	assert.NotContains(t, w.Log.String(), apitest.VerifyToken)
}

// Law 3: what is not persisted is not acknowledged.
func TestANotificationThatIsNotPersistedIsNotAcknowledged(t *testing.T) {
	w := apitest.New(t)
	w.Meta.Fails = errors.New("the database is away")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Base+webhook, strings.NewReader(`{"object":"x"}`))
	require.NoError(t, err)
	req.Header.Set("X-Hub-Signature-256", apitest.Signature)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
	assert.Empty(t, w.Meta.Bodies)
}

// P33: the body reaches who checks its signature as it came, to the byte, also
// where it is large or says that it is compressed.
func TestPitfall33_TheRawBodyIsWhatIsSigned(t *testing.T) {
	w := apitest.New(t)
	var packed bytes.Buffer
	gz := gzip.NewWriter(&packed)
	gz.Write([]byte(`{"object":"x"}`)) //nolint:errcheck // a buffer takes everything
	require.NoError(t, gz.Close())
	signed := apitest.With("X-Hub-Signature-256", apitest.Signature)
	bodies := []string{"{ \"object\" :\t\"ñ\"\n}", packed.String(), `{"object":"` + strings.Repeat("x", 2<<20) + `"}`, "\xff\x00"}
	for _, body := range bodies {
		res := w.Do("POST", webhook, body, signed, apitest.With("Content-Encoding", "gzip"))
		assert.Equal(t, http.StatusOK, res.Status)
	}
	assert.Equal(t, bodies, w.Meta.Bodies)
	res := w.Do("POST", webhook, strings.Repeat("x", 3<<20+1), signed)
	assert.Equal(t, http.StatusRequestEntityTooLarge, res.Status)
	res = w.Do("POST", "/v1/auth/login", strings.Repeat("x", 1<<20+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, res.Status, "all else keeps its limit")
}

func TestWithoutTheChannelThereIsNoWebhook(t *testing.T) {
	w := apitest.New(t, func(d *api.Deps) { d.WhatsApp = nil })
	w.Problem(http.StatusNotFound, "GET", webhook+"?hub.mode=subscribe", nil)
	w.Problem(http.StatusNotFound, "POST", webhook, obj{})
}
