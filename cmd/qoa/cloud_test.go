package main_test

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/cloud/graphtest"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// In production over Meta's Cloud API: a consumer writes and gets her card. The
// process that takes the webhook is killed, and so is the one that answers; what
// was written meanwhile is answered when others have taken their place, once.
func TestServeOverTheCloudAPI(t *testing.T) {
	meta := graphtest.New(t, time.Now)
	port := freePort(t)
	env := []string{
		"DATABASE_URL=" + storetest.Database(t), "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=https://qoa.example",
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "HOST=127.0.0.1", "WHATSAPP_CHANNEL=cloud",
		"CLOUD_TOKEN=" + graphtest.Token, "CLOUD_PHONE_ID=" + graphtest.PhoneID, "CLOUD_APP_SECRET=" + graphtest.AppSecret,
		"CLOUD_VERIFY_TOKEN=" + graphtest.VerifyToken, "CLOUD_API_URL=" + meta.URL(),
	}
	// Demo data is for a loopback address only, and here stands for data.
	out, code := qoa(t, append(slices.Clone(env), "PUBLIC_URL=http://localhost"), "", "seed", "demo")
	require.Equal(t, 0, code, out)
	api := startServe(t, "api", port, env)
	worker := startServe(t, "worker,bot", port, env)
	healthy := func() bool {
		var state struct{ Whatsapp string }
		return api.call("GET", "/health/ready", nil, nil, &state) == http.StatusOK && state.Whatsapp == "ok"
	}
	require.Eventually(t, healthy, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, meta.Subscribe(api.url+"/webhooks/whatsapp"))

	ana := meta.Person("5215512345678", "MX.13491208655302741918")
	received := func(n int) []graphtest.Message {
		require.Eventually(t, func() bool { return len(ana.Received()) >= n }, 30*time.Second, 10*time.Millisecond, "%d messages", n)
		got := ana.Received()
		require.Len(t, got, n)
		return got
	}
	asked := ana.Writes("Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)")
	welcome := received(1)[0]
	require.Regexp(t, regexp.MustCompile(`https://qoa\.example/c/[\w-]{22,}/[0-9A-Z]{8}`), welcome.Text)
	require.NotEmpty(t, welcome.Image, "the card's QR")
	require.Contains(t, meta.Seen(), asked)

	// The counter QR leads to the number that Meta says is ours.
	res, err := client.Get(api.url + "/q/K7M2QR")
	require.NoError(t, err)
	res.Body.Close()
	require.True(t, strings.HasPrefix(res.Header.Get("Location"), "https://wa.me/"+graphtest.Phone[1:]), res.Header.Get("Location"))

	api.kill()
	ana.Writes("Ana")
	require.Eventually(t, func() bool {
		posts := meta.Posts()
		return posts[len(posts)-1].Status == 0
	}, 20*time.Second, 10*time.Millisecond, "nobody acknowledges")
	worker.kill()
	api = startServe(t, "api", port, env)
	require.Eventually(t, func() bool { return meta.Waiting() == 0 }, 30*time.Second, 10*time.Millisecond, "Meta posts it again")
	startServe(t, "worker", port, env)
	require.Contains(t, received(2)[1].Text, "Ana")
	ana.Writes("saldo")
	received(3)

	for _, m := range ana.Received() {
		ana.Reports(m, "read", 0)
	}
	require.Eventually(t, func() bool { return meta.Waiting() == 0 }, 20*time.Second, 10*time.Millisecond)
}

// A setting that is missing stops the start, and says what was expected.
func TestTheCloudAPINeedsItsSettings(t *testing.T) {
	env := []string{
		"DATABASE_URL=postgres://localhost/x", "REDIS_URL=redis://localhost", "PUBLIC_URL=https://qoa.example",
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "WHATSAPP_CHANNEL=cloud", "CLOUD_PHONE_ID=+525512345678", "CLOUD_API_URL=http://meta.example/v23.0",
	}
	out, code := qoa(t, env, "", "serve")
	require.NotEqual(t, 0, code)
	for _, name := range []string{"CLOUD_TOKEN", "CLOUD_PHONE_ID", "CLOUD_APP_SECRET", "CLOUD_VERIFY_TOKEN", "CLOUD_API_URL"} {
		require.Contains(t, out, fmt.Sprintf("%s: expected ", name))
	}
}
