package main_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/storetest"
)

// A process says how it is whatever its roles, to `qoa health` as well: on
// HEALTH_PORT, or, where there is none, on the port of the role api. HEALTH_PORT
// shows health and metrics, and nothing of the API.
func TestEveryRoleSaysHowItIs(t *testing.T) {
	port := freePort(t)
	env := []string{
		"DATABASE_URL=" + storetest.Database(t), "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=http://localhost:" + port,
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "WHATSAPP_CHANNEL=sim", "PORT=" + port,
	}
	healthy := func(env []string) bool {
		_, code := qoa(t, env, "", "health")
		return code == 0
	}
	out, code := qoa(t, env, "", "health")
	require.Equal(t, 1, code, "nobody is there: %s", out)

	for _, c := range []struct{ roles, metric string }{
		{"worker", "qoa_turn_seconds_count"},
		{"bot", "go_goroutines"},
		{"api,bot,worker", "qoa_turn_seconds_count"},
	} {
		t.Run(c.roles, func(t *testing.T) {
			monitor := freePort(t)
			env := append(env, "HEALTH_PORT="+monitor)
			p := startServe(t, c.roles, port, env)
			require.Eventually(t, func() bool { return healthy(env) }, 20*time.Second, 50*time.Millisecond, "%s", p.log)
			out, code := qoa(t, env, "", "health", "live")
			require.Equal(t, 0, code, out)
			require.Contains(t, out, `"status":"ok"`)
			out, _ = qoa(t, env, "", "health", "ready")
			require.Contains(t, out, `"postgres":"ok"`)

			url := "http://127.0.0.1:" + monitor
			res, err := client.Get(url + "/metrics")
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			res.Body.Close()
			require.True(t, strings.Contains(string(body), c.metric), "%s", c.metric)
			for _, path := range []string{"/", "/docs", "/v1/shops", "/sim", "/openapi.json"} {
				res, err := client.Get(url + path)
				require.NoError(t, err)
				res.Body.Close()
				require.Equal(t, http.StatusNotFound, res.StatusCode, path)
			}
			p.stop()
			require.Equal(t, 0, p.cmd.ProcessState.ExitCode(), p.log.String())
			require.False(t, healthy(env))
		})
	}
	api := startServe(t, "api", port, env)
	require.Eventually(t, func() bool { return healthy(env) }, 20*time.Second, 50*time.Millisecond, "%s", api.log)
	taken, code := qoa(t, append(env, "HEALTH_PORT="+port), "", "serve", "--roles", "worker")
	require.Equal(t, 1, code)
	require.Contains(t, taken, "HEALTH_PORT")
}
