package main_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store/embedded"
	"github.com/qoa-conectados/qoa/store/storetest"
)

// A shop sells and a consumer chats over a linked number while a backup is taken.
// Days later, say, all is lost but that file: restored into an empty database,
// beside an empty Redis, it verifies clean and goes on. The number connects without
// being linked again, though its encryption is that of then; nobody reads a message
// twice; a sale that a till sends again is known, or recorded if it was lost.
func TestABackupIsRestoredAndGoesOn(t *testing.T) {
	whatsapp := wasim.New(t, wasim.Options{})
	port := freePort(t)
	environment := func(database string) []string {
		return []string{
			"DATABASE_URL=" + database, "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=http://localhost:" + port,
			"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "HOST=127.0.0.1",
			"WHATSAPP_TEST_ADDR=" + whatsapp.Addr(), "WHATSAPP_TEST_ROOT=" + wasim.RootHex(),
		}
	}
	start := func(env []string) *dev {
		t.Helper()
		d := startServe(t, "api,bot,worker", port, env)
		require.Eventually(t, func() bool { return d.call("GET", "/health/ready", nil, nil, nil) == http.StatusOK }, 20*time.Second, 20*time.Millisecond, "%s", d.log)
		return d
	}
	database := storetest.Database(t)
	env := environment(database)
	must(t, env, "seed", "demo")
	server := start(env)
	device := pair(t, server, whatsapp)
	ana := whatsapp.NewPhone(t, "+5215512345678")
	hears := func(database string, n int) {
		t.Helper()
		require.Eventually(t, func() bool { return len(answers(ana)) >= n && waiting(t, database) == 0 }, 30*time.Second, 50*time.Millisecond)
		require.Equal(t, n, len(answers(ana)), "each is said once")
	}
	ana.SendText(botPhone, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)")
	card := cardLink.FindStringSubmatch(ana.Next().Text)[2]
	sell := func(key string) (receipt, int) { return server.buy(key, card, 1) }

	_, status := sell("early")
	require.Equal(t, http.StatusCreated, status)
	var stop atomic.Bool
	sold, done := 1, make(chan struct{})
	go func() {
		defer close(done)
		for ; !stop.Load(); sold++ {
			_, status := sell(fmt.Sprint("sale-", sold))
			assert.Equal(t, http.StatusCreated, status)
		}
	}()
	rest := func() {
		stop.Store(true)
		<-done
	}
	t.Cleanup(rest) // however the test ends
	dir := t.TempDir()
	busy, quiet := filepath.Join(dir, "busy.dump"), filepath.Join(dir, "quiet.dump")
	must(t, env, "backup", busy)
	rest()
	_, status = sell("late")
	require.Equal(t, http.StatusCreated, status)
	said := 1 + sold + 1 // the welcome, and a receipt for each sale
	hears(database, said)
	server.stop()

	// The same in every row of every schema.
	must(t, env, "backup", quiet)
	info, err := os.Stat(quiet)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	out, code := qoa(t, env, "", "backup", quiet)
	require.Equal(t, 1, code, "no backup is overwritten")
	require.Contains(t, out, "already")
	same := storetest.EmptyDatabase(t)
	there := []string{"DATABASE_URL=" + same}
	must(t, there, "restore", quiet)
	tool, _, err := embedded.Tool(t.Context(), "pg_restore")
	require.NoError(t, err)
	listed, err := exec.Command(tool, "--list", quiet).CombinedOutput()
	require.NoError(t, err, "Postgres's tools read it without us: %s", listed)
	require.Equal(t, contents(t, database), contents(t, same))
	require.NotContains(t, must(t, there, "migrate", "status"), "pending")
	require.Contains(t, must(t, there, "ledger", "verify"), "clean")
	out, code = qoa(t, there, "", "restore", quiet)
	require.Equal(t, 1, code)
	require.Contains(t, out, "not empty")

	// The one from the middle goes on.
	then := storetest.EmptyDatabase(t)
	env = environment(then)
	require.Contains(t, must(t, env, "restore", busy), "clean")
	logins := device.Logins()
	server = start(env)
	require.NoError(t, device.WaitOnline(t.Context()))
	require.Equal(t, logins+1, device.Logins())
	ana.SendText(botPhone, "saldo")
	hears(then, said+1)
	_, status = sell("early")
	require.Equal(t, http.StatusOK, status)
	_, status = sell("late")
	require.Equal(t, http.StatusCreated, status)
	hears(then, said+2)
	require.Contains(t, must(t, env, "ledger", "verify"), "clean")
}

// A file that was cut off or damaged, or is none, leaves the database empty.
func TestABrokenBackupRestoresNothing(t *testing.T) {
	env := []string{"DATABASE_URL=" + storetest.Database(t)}
	must(t, env, "seed", "demo")
	whole, complaint, code := qoaApart(t, env, "", "backup", "-")
	require.Equal(t, 0, code, complaint)
	// The first bytes are PGDMP and the version of the format.
	damaged := func(at int) string { return whole[:at] + string(whole[at]^0x55) + whole[at+1:] }
	newer, _, _ := strings.Cut(damaged(6), "\nqoa backup sha256:")
	newer += fmt.Sprintf("\nqoa backup sha256:%x\n", sha256.Sum256([]byte(newer)))
	empty := []string{"DATABASE_URL=" + storetest.EmptyDatabase(t)}
	for _, broken := range []struct{ file, why string }{
		{whole[:len(whole)/2], "cut off"}, {whole[:len(whole)-len(whole)/100], "cut off"}, {whole[:len(whole)-1], "cut off"},
		{damaged(strings.Index(whole, "is append-only")), "damaged"}, // a message of a trigger: Postgres would take it
		{damaged(len(whole) * 3 / 4), "damaged"}, {damaged(len(whole) - 2), "damaged"},
		{newer, "newer pg_dump"}, {"", "no backup"}, {"SELECT 1;", "no backup"},
	} {
		out, code := qoa(t, empty, broken.file, "restore", "-")
		require.Equal(t, 1, code, out)
		require.Contains(t, out, broken.why)
	}
	out, code := qoa(t, empty, whole, "restore", "-")
	require.Equal(t, 0, code, out)
	require.Contains(t, out, "clean")

	// The folder is there, and no half a file in it.
	dir := t.TempDir()
	out, code = qoa(t, []string{"DATABASE_URL=postgres://qoa:hidden@127.0.0.1:1/qoa"}, "", "backup", filepath.Join(dir, "x"))
	require.Equal(t, 1, code)
	require.NotContains(t, out, "hidden")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// Tools that are not of the server's version fail with words of their own; ours say
// what to do.
func TestToolsOfAnotherVersionAreNamed(t *testing.T) {
	dir := t.TempDir()
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		script := "#!/bin/sh\n[ \"$1\" = --version ] && exec echo '" + tool + " (PostgreSQL) 9.6.24'\necho server version mismatch >&2\nexit 1\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, tool), []byte(script), 0o700))
	}
	for _, args := range [][]string{{"backup", "-"}, {"restore", "-"}} {
		out, code := qoa(t, []string{"DATABASE_URL=" + storetest.EmptyDatabase(t), "PATH=" + dir + ":" + os.Getenv("PATH")}, "", args...)
		require.Equal(t, 1, code)
		require.Contains(t, out, "mismatch")
		require.Contains(t, out, "of Postgres 9, the server of 1")
		require.Contains(t, out, "install postgresql-client-1")
	}
}

// must runs a command that ends well.
func must(t *testing.T, env []string, args ...string) string {
	t.Helper()
	out, code := qoa(t, env, "", args...)
	require.Equal(t, 0, code, "%v: %s", args, out)
	return out
}

// pair links the bot's number as the backoffice does.
func pair(t *testing.T, server *dev, whatsapp *wasim.Server) *wasim.Device {
	t.Helper()
	admin := map[string]string{"Authorization": "Bearer " + server.admin()}
	var n struct {
		Data struct{ ID, Status, QR string }
	}
	require.Equal(t, http.StatusCreated, server.call("POST", "/v1/whatsapp/numbers", admin, map[string]string{"label": "Mostrador"}, &n))
	is := func(ok func() bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			return server.call("GET", "/v1/whatsapp/numbers/"+n.Data.ID, admin, nil, &n) == http.StatusOK && ok()
		}, 20*time.Second, 50*time.Millisecond)
	}
	is(func() bool { return n.Data.QR != "" })
	device, err := whatsapp.Account(botPhone).Scan(t.Context(), n.Data.QR)
	require.NoError(t, err)
	require.NoError(t, device.WaitOnline(t.Context()))
	is(func() bool { return n.Data.Status == "connected" })
	return device
}

// query runs one on a database.
func query[T any](t *testing.T, url, sql string) []T {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // it ends with the test
	rows, err := c.Query(t.Context(), sql)
	require.NoError(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(t, err)
	return all
}

// waiting are the messages that are still to be answered or sent.
func waiting(t *testing.T, url string) int64 {
	t.Helper()
	return query[int64](t, url, `SELECT (SELECT count(*) FROM inbox WHERE status = 'pending') + (SELECT count(*) FROM outbox WHERE status = 'queued')`)[0]
}

// contents are the rows of every table of every schema, by number and checksum.
func contents(t *testing.T, url string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, table := range query[string](t, url, `
		SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`) {
		all[table] = query[string](t, url, `SELECT count(*) || ' ' || coalesce(md5(string_agg(r::text, E'\n' ORDER BY r::text COLLATE "C")), '') FROM `+table+` r`)[0]
	}
	for _, table := range []string{"public.ledger", "public.purchases", "public.outbox", "whatsmeow.whatsmeow_device"} {
		require.Contains(t, all, table)
		require.False(t, strings.HasPrefix(all[table], "0 "), "%s has rows", table)
	}
	return all
}
