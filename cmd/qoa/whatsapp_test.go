package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store/storetest"
)

const botPhone = "+525500000000"

// Two processes serve WhatsApp. A number is linked over REST; a consumer writes
// and gets her card. The process that runs the number is killed: the other takes
// it over within 15 s, and what was written meanwhile is answered, once.
func TestServeOverWhatsApp(t *testing.T) {
	whatsapp := wasim.New(t, wasim.Options{})
	port := freePort(t)
	env := []string{
		"DATABASE_URL=" + storetest.Database(t), "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=http://localhost:" + port,
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "HOST=127.0.0.1",
		"WHATSAPP_TEST_ADDR=" + whatsapp.Addr(), "WHATSAPP_TEST_ROOT=" + wasim.RootHex(),
	}
	out, code := qoa(t, env, "", "seed", "demo")
	require.Equal(t, 0, code, out)
	api := startServe(t, "api,worker", port, env)
	first := startServe(t, "bot,worker", port, env)
	require.Eventually(t, func() bool { return api.call("GET", "/health/ready", nil, nil, nil) == http.StatusOK }, 20*time.Second, 20*time.Millisecond)

	admin := map[string]string{"Authorization": "Bearer " + api.admin()}
	type number struct {
		Data struct{ ID, Status, QR, Phone, Detail string }
	}
	var n number
	require.Equal(t, http.StatusCreated, api.call("POST", "/v1/whatsapp/numbers", admin, map[string]string{"label": "Mostrador"}, &n))
	path := "/v1/whatsapp/numbers/" + n.Data.ID
	get := func() (n number) {
		require.Equal(t, http.StatusOK, api.call("GET", path, admin, nil, &n))
		return n
	}
	require.Eventually(t, func() bool { return get().Data.QR != "" }, 20*time.Second, 50*time.Millisecond)
	device, err := whatsapp.Account(botPhone).Scan(t.Context(), get().Data.QR)
	require.NoError(t, err)
	require.NoError(t, device.WaitOnline(t.Context()))
	require.Eventually(t, func() bool { return get().Data.Status == "connected" }, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, botPhone, get().Data.Phone)

	ana := whatsapp.NewPhone(t, "+5215512345678")
	ana.SendText(botPhone, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)")
	welcome := ana.Next()
	require.Regexp(t, cardLink, welcome.Text)

	startServe(t, "bot,worker", port, env)
	first.kill()
	killed := time.Now()
	logins := device.Logins()
	ana.SendText(botPhone, "Ana")
	require.Contains(t, ana.Next().Text, "Ana")
	require.Less(t, time.Since(killed), 15*time.Second)
	require.Equal(t, logins+1, device.Logins())
	ana.SendText(botPhone, "saldo")
	ana.Next()
	require.Len(t, answers(ana), 3, "one answer each")
	require.Empty(t, whatsapp.Overlaps())
}

// answers are the messages that a consumer's phone shows: of two with one ID, one.
func answers(p *wasim.Phone) map[string]string {
	all := map[string]string{}
	for _, m := range p.Readable() {
		if !m.FromMe {
			all[m.ID] = strings.TrimSpace(m.Text)
		}
	}
	return all
}
