package main_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/storetest"
)

// Three processes with a role each, on a Postgres and a Redis of the operator's:
// what one accepts, the other answers. SIGTERM drains, and the exit code is 0.
func TestServeWithRolesApart(t *testing.T) {
	port := freePort(t)
	env := []string{
		"DATABASE_URL=" + storetest.Database(t), "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=http://localhost:" + port,
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "WHATSAPP_CHANNEL=sim",
	}
	out, code := qoa(t, env, "", "seed", "demo")
	require.Equal(t, 0, code, out)
	api := startServe(t, "api", port, env)
	require.Eventually(t, func() bool { return api.call("GET", "/health/ready", nil, nil, nil) == http.StatusOK }, 20*time.Second, 20*time.Millisecond)
	const ana = "+525587659999"
	require.Equal(t, http.StatusAccepted, api.write(ana, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)", "before-the-worker"))
	require.Empty(t, api.answers(ana), "nobody is there to answer yet")

	worker := startServe(t, "worker", port, env)
	bot := startServe(t, "bot", port, env)
	first := api.waitAnswers(ana, 1)
	require.Regexp(t, cardLink, first[0].Text)
	_, card := api.onboard("+525587659998")
	_, status := api.buy("serve-1", card, 1)
	require.Equal(t, http.StatusCreated, status)
	api.waitAnswers("+525587659998", 2)

	for _, p := range []*dev{worker, bot, api} {
		p.stop()
		require.Equal(t, 0, p.cmd.ProcessState.ExitCode(), p.log.String())
	}
}

// freePort asks the kernel for a port that nobody has.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}
