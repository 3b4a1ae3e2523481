package main_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store/storetest"
)

// A wrong setting stops the start with its name and what was expected.
func TestWrongSettingsStopTheStart(t *testing.T) {
	production := []string{
		"DATABASE_URL=postgres://localhost/none", "REDIS_URL=redis://localhost:1/0",
		"QOA_SECRET=0123456789abcdef0123456789abcdef", "PUBLIC_URL=https://qoa.example",
	}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{"serve needs a database", []string{"REDIS_URL=x", "QOA_SECRET=0123456789abcdef0123456789abcdef", "PUBLIC_URL=http://localhost:3000"}, []string{"serve"}, "DATABASE_URL"},
		{"serve needs a Redis", []string{"DATABASE_URL=x"}, []string{"serve"}, "REDIS_URL"},
		{"P41: serve needs a secret", []string{"DATABASE_URL=x"}, []string{"serve"}, "QOA_SECRET"},
		{"P41: a weak secret", append(production, "QOA_SECRET=short"), []string{"serve"}, "QOA_SECRET"},
		{"P41: the development secret", append(production, "QOA_SECRET=desarrollo-solamente-no-usar-en-produccion"), []string{"serve"}, "QOA_SECRET"},
		{"P48: the simulator in production", append(production, "WHATSAPP_CHANNEL=sim"), []string{"serve"}, "WHATSAPP_CHANNEL"},
		{"P48: the simulator in a public dev", []string{"PUBLIC_URL=https://qoa.example"}, []string{"dev"}, "WHATSAPP_CHANNEL"},
		{"P48: fixed secrets in a public dev", []string{"PUBLIC_URL=https://qoa.example"}, []string{"dev"}, "QOA_SECRET"},
		{"P48: demo data in production", []string{"PUBLIC_URL=https://qoa.example", "QOA_SECRET=0123456789abcdef0123456789abcdef"}, []string{"seed", "demo"}, "PUBLIC_URL"},
		{"P41: a secret of one letter", append(production, "QOA_SECRET="+strings.Repeat("a", 40)), []string{"serve"}, "QOA_SECRET"},
		{"P48: the simulator for the whole network", []string{"DATABASE_URL=x", "REDIS_URL=x", "QOA_SECRET=0123456789abcdef0123456789abcdef", "PUBLIC_URL=http://localhost:3000", "WHATSAPP_CHANNEL=sim", "HOST=0.0.0.0"}, []string{"serve"}, "HOST"},
		{"P48: an emulator in production", append(production, "WHATSAPP_TEST_ADDR=127.0.0.1:9000", "WHATSAPP_TEST_ROOT="+strings.Repeat("ab", 32)), []string{"serve"}, "WHATSAPP_TEST_ADDR"},
		{"P48: an emulator's key in production", append(production, "WHATSAPP_TEST_ROOT="+strings.Repeat("ab", 32)), []string{"serve"}, "WHATSAPP_TEST_ROOT"},
		{"an emulator on another machine", []string{"WHATSAPP_TEST_ADDR=192.0.2.1:9000", "WHATSAPP_TEST_ROOT=" + strings.Repeat("ab", 32)}, []string{"dev"}, "WHATSAPP_TEST_ADDR"},
		{"an emulator without a key", []string{"WHATSAPP_TEST_ADDR=127.0.0.1:9000"}, []string{"dev"}, "WHATSAPP_TEST_ROOT"},
		{"an emulator with half a key", []string{"WHATSAPP_TEST_ADDR=127.0.0.1:9000", "WHATSAPP_TEST_ROOT=abcd"}, []string{"dev"}, "WHATSAPP_TEST_ROOT"},
		{"a channel that is none", []string{"WHATSAPP_CHANNEL=paloma"}, []string{"dev"}, "WHATSAPP_CHANNEL"},
		{"a URL with a path", []string{"PUBLIC_URL=http://localhost:3000/app"}, []string{"dev"}, "PUBLIC_URL"},
		{"dev is for loopback", []string{"HOST=0.0.0.0"}, []string{"dev"}, "--public"},
		{"a port", []string{"PORT=99999"}, []string{"dev"}, "PORT"},
		{"a port that is none", []string{"PORT=abc"}, []string{"dev"}, "PORT"},
		{"a log format", []string{"LOG_FORMAT=xml"}, []string{"dev"}, "LOG_FORMAT"},
		{"a URL", []string{"PUBLIC_URL=localhost"}, []string{"dev"}, "PUBLIC_URL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, code := qoa(t, append(c.env, "QOA_DATA_DIR="+dataDir(t)), "", c.args...)
			require.Equal(t, 1, code, out)
			require.Contains(t, out, c.want)
		})
	}
}

func TestCommandsExplainThemselves(t *testing.T) {
	out, code := qoa(t, nil, "")
	require.Equal(t, 0, code)
	require.Contains(t, out, "qoa dev")
	out, code = qoa(t, nil, "", "help", "env")
	require.Equal(t, 0, code)
	for _, name := range []string{"DATABASE_URL", "QOA_SECRET", "PORT", "HOST", "QOA_DATA_DIR", "LOG_FORMAT"} {
		require.Contains(t, out, name)
	}
	out, code = qoa(t, nil, "", "version")
	require.Equal(t, 0, code)
	require.Contains(t, out, "go1.")
	for _, wrong := range [][]string{{"nothing"}, {"migrate"}, {"migrate", "sideways"}, {"ledger"}, {"seed", "x"}, {"admin", "create"}, {"flows"}, {"understand", "--role", "king"}, {"serve", "--roles", "cook"}} {
		_, code = qoa(t, nil, "", wrong...)
		require.Equal(t, 2, code, wrong)
	}
}

// The contract's examples, through the command, one line each.
func TestUnderstandCommandKnowsTheContractsExamples(t *testing.T) {
	data, err := os.ReadFile("../../flows/testdata/utterances.tsv")
	require.NoError(t, err)
	texts, intents := map[string][]string{}, map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 && f[0] != "# role" {
			texts[f[0]] = append(texts[f[0]], f[1])
			intents[f[0]] = append(intents[f[0]], f[2])
		}
	}
	require.Len(t, texts, 2)
	for role := range texts {
		out, code := qoa(t, nil, strings.Join(texts[role], "\n")+"\n", "understand", "--role", role)
		require.Equal(t, 0, code)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		require.Len(t, lines, len(texts[role]))
		for i, line := range lines {
			intent, slots, _ := strings.Cut(line, "\t")
			require.Equal(t, intents[role][i], intent, texts[role][i])
			require.True(t, strings.HasPrefix(slots, "{"), line)
		}
	}
}

func TestFlowsOfTheLibraryAreSoundAndKeepTheirTranscripts(t *testing.T) {
	for _, sub := range []string{"lint", "test"} {
		out, code := qoa(t, nil, "", "flows", sub)
		require.Equal(t, 0, code, out)
	}
	broken := t.TempDir() + "/broken.yaml"
	require.NoError(t, os.WriteFile(broken, []byte("flow: broken\nversion: 1\n"), 0o600))
	out, code := qoa(t, nil, "", "flows", "lint", broken)
	require.Equal(t, 1, code, out)
}

// The first admin is made, and the ledger verified, in the environment of the
// server that needs them, be it production.
func TestCommandsWorkInTheEnvironmentOfProduction(t *testing.T) {
	env := []string{"DATABASE_URL=" + storetest.Database(t), "PUBLIC_URL=https://qoa.example", "QOA_SECRET=0123456789abcdef0123456789abcdef", "WHATSAPP_CHANNEL=whatsmeow"}
	for _, args := range [][]string{{"migrate", "up"}, {"admin", "create", "--email", "jefa@qoa.example"}, {"ledger", "verify"}} {
		out, code := qoa(t, env, "una-contraseña-larga\n", args...)
		require.Equal(t, 0, code, "%v: %s", args, out)
	}
}

// Every migration can be taken back, one by one, and be put on again: what
// docs/deployment.md says of a way back. With data in the database one that cannot
// keep them refuses, and changes nothing.
func TestMigrationsCanBeTakenBackAndPutOnAgain(t *testing.T) {
	env := []string{"DATABASE_URL=" + storetest.Database(t)}
	applied := func() int { return strings.Count(must(t, env, "migrate", "status"), "applied") }
	all := applied()
	back := func() (refusal string) {
		for left := all; ; left-- {
			require.Equal(t, left, applied())
			if out, code := qoa(t, env, "", "migrate", "down"); code != 0 {
				require.Equal(t, left, applied())
				return out
			}
		}
	}
	require.Contains(t, back(), "no next version")
	require.Zero(t, applied())
	must(t, env, "migrate", "up")
	must(t, env, "seed", "demo")
	require.Contains(t, back(), "cannot hold")
	require.Less(t, applied(), all)
	must(t, env, "migrate", "up")
	require.Equal(t, all, applied())
	require.Contains(t, must(t, env, "ledger", "verify"), "clean")
}

// The way back to an older program alone: it starts on a schema that is newer than
// it knows, and takes nothing of it back.
func TestAnOlderProgramLeavesANewerSchemaAlone(t *testing.T) {
	database := storetest.Database(t)
	query[int64](t, database, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true) RETURNING version_id`)
	env := []string{
		"DATABASE_URL=" + database, "REDIS_URL=" + storetest.Redis(t), "PUBLIC_URL=http://localhost:3000",
		"QOA_SECRET=0123456789abcdefghijklmnopqrstuv", "WHATSAPP_CHANNEL=sim",
	}
	must(t, env, "migrate", "up")
	server := startServe(t, "api", freePort(t), env)
	require.Eventually(t, func() bool { return server.call("GET", "/health/ready", nil, nil, nil) == http.StatusOK }, 20*time.Second, 20*time.Millisecond, "%s", server.log)
	out, code := qoa(t, env, "", "migrate", "down")
	require.Equal(t, 1, code, out)
	require.NotContains(t, must(t, env, "migrate", "status"), "pending")
}

// The commands work on the embedded database while nothing runs: migrate, seed
// twice, an admin, a clean ledger.
func TestCommandsWorkOnTheEmbeddedDatabase(t *testing.T) {
	env := []string{"QOA_DATA_DIR=" + dataDir(t)}
	for _, c := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"", []string{"migrate", "up"}, ""},
		{"", []string{"migrate", "status"}, "applied"},
		{"", []string{"migrate", "down"}, ""},
		{"", []string{"migrate", "status"}, "pending"},
		{"", []string{"migrate", "up"}, ""},
		{"", []string{"seed", "demo"}, "there"},
		{"", []string{"seed", "demo"}, "there"},
		{"una-contraseña-larga\n", []string{"admin", "create", "--email", "Jefa@qoa.example"}, "jefa@qoa.example"},
		{"", []string{"ledger", "verify"}, "clean"},
	} {
		out, code := qoa(t, env, c.stdin, c.args...)
		require.Equal(t, 0, code, "%v: %s", c.args, out)
		require.Contains(t, out, c.want)
	}
	out, code := qoa(t, env, "otra-contraseña\n", "admin", "create", "--email", "jefa@qoa.example")
	require.Equal(t, 1, code, out)
}
