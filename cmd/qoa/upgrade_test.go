package main_test

import (
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/storetest"
)

// testdata keeps a backup of each schema that was ever shipped, named by its last
// migration and filled by the program of its time: people, sales, a reversal, a
// reward on its way, messages, jobs that ran. The newest program brings each up to
// date with its ledger clean, knows what was sold, and goes on; and the way back to
// that schema, and up again, keeps the ledger.
func TestEveryOlderSchemaIsBroughtUpToDate(t *testing.T) {
	backups, err := filepath.Glob("testdata/*.dump")
	require.NoError(t, err)
	require.NotEmpty(t, backups)
	for _, backup := range backups {
		name := strings.TrimSuffix(filepath.Base(backup), ".dump")
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			database := storetest.EmptyDatabase(t)
			env := []string{
				"DATABASE_URL=" + database, "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=http://localhost:" + port,
				"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "WHATSAPP_CHANNEL=sim",
			}
			require.Contains(t, must(t, env, "restore", backup), "clean")
			require.NotContains(t, must(t, env, "migrate", "status"), "pending")
			server := startServe(t, "api,bot,worker", port, env)
			require.Eventually(t, func() bool { return server.call("GET", "/health/ready", nil, nil, nil) == http.StatusOK }, 20*time.Second, 20*time.Millisecond, "%s", server.log)

			const ana = "+525530000000"
			before := server.waitAnswers(ana, 2) // a welcome and a receipt
			card := cardLink.FindStringSubmatch(before[0].Text)[2]
			_, status := server.buy("k0-0", card, 1)
			require.Equal(t, http.StatusOK, status, "a till sends what was recorded before the upgrade")
			_, status = server.buy("after", card, 1)
			require.Equal(t, http.StatusCreated, status)
			server.waitAnswers(ana, len(before)+1)
			require.Contains(t, server.say(ana, "saldo").Text, "2 sellos")
			server.stop()
			require.Contains(t, must(t, env, "ledger", "verify"), "clean")

			then, err := strconv.ParseInt(name, 10, 64)
			require.NoError(t, err)
			for query[int64](t, database, `SELECT max(version_id) FROM goose_db_version`)[0] > then {
				must(t, env, "migrate", "down")
			}
			must(t, env, "migrate", "up")
			require.Contains(t, must(t, env, "ledger", "verify"), "clean")
		})
	}
}
