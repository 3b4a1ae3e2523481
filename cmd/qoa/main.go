// Command qoa is the whole of Qoa Conectados in one binary: the HTTP API and
// pages, the bot, and the workers, together or apart.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // shops have time zones, and a bare image has no zone files
)

// Set by the build (see Makefile).
var (
	version = "dev"
	commit  = "unknown"
)

func main() {
	// A first signal drains; a second one, while draining, ends at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, console{os.Args[1:], os.Stdin, os.Stdout, os.Stderr}))
}

// console is what a command may read and write.
type console struct {
	args     []string
	in       io.Reader
	out, err io.Writer
}

// command is one word of the command line.
type command struct {
	name    string
	usage   string
	explain string
	run     func(ctx context.Context, c console) error
}

func commands() []command {
	return []command{
		{"dev", "dev [--public]", "everything in one process, with Postgres and Redis of its own and demo data", runDev},
		{"serve", "serve [--roles api,bot,worker]", "for production: needs DATABASE_URL, REDIS_URL, QOA_SECRET, PUBLIC_URL", runServe},
		{"migrate", "migrate up|down|status", "the database's schema", runMigrate},
		{"seed", "seed demo", "demo data; a second time changes nothing", runSeed},
		{"admin", "admin create --email E", "first admin; the password is read from standard input", runAdmin},
		{"ledger", "ledger verify", "recomputes every balance and stock; exit code 1 when one differs", runLedger},
		{"backup", "backup FILE", "the whole database into one file, while everything runs; needs pg_dump", runBackup},
		{"restore", "restore FILE", "such a file into an empty database; verifies the ledger; needs pg_restore", runRestore},
		{"health", "health [live|ready]", "asks the server of this machine; exit code 1 when it is not well", runHealth},
		{"flows", "flows lint|test [FILE…]", "checks conversation definitions; runs their transcripts", runFlows},
		{"understand", "understand [--role consumer|tendero]", "reads one message a line, prints intent and slots", runUnderstand},
		{"version", "version", "version, commit, Go version", runVersion},
		{"help", "help [env]", "this, or all settings", runHelp},
	}
}

// errUsage means that the command line was not understood.
var errUsage = errors.New("usage")

// errSilent means that the command has said all there is to say.
var errSilent = errors.New("failed")

// run finds the command and gives the process's exit code: 0 done, 1 failed,
// 2 not understood.
func run(ctx context.Context, c console) int {
	name := "help"
	if len(c.args) > 0 {
		name, c.args = c.args[0], c.args[1:]
	}
	for _, cmd := range commands() {
		if cmd.name != name {
			continue
		}
		err := cmd.run(ctx, c)
		switch {
		case err == nil:
			return 0
		case errors.Is(err, errUsage):
			fmt.Fprintln(c.err, "usage: qoa "+cmd.usage)
			return 2
		case !errors.Is(err, errSilent):
			fmt.Fprintln(c.err, "qoa "+name+": "+err.Error())
		}
		return 1
	}
	fmt.Fprintf(c.err, "qoa: there is no command %q; see qoa help\n", name)
	return 2
}
