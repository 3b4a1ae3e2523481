package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser  = "qoa"
	database   = "qoa"
	socketName = ".s.PGSQL.5432"

	// handover is how long a start waits for another process that is just
	// finishing with the folder: a `qoa dev` that drains, a short command.
	handover = 2 * time.Second
	// orphanPatience is how long the server of a killed process gets to go down.
	orphanPatience = 10 * time.Second
	// bootPatience bounds a boot, crash recovery included.
	bootPatience = 60 * time.Second
)

// ErrInUse says that another process runs the server of this folder.
var ErrInUse = errors.New("another qoa process is using this data folder")

// PostgresConfig says where the data lies and how dear it is.
type PostgresConfig struct {
	// Dir is the folder for this server alone; it is made when absent.
	Dir string
	// Fast trades durability for speed. For tests: a kill or a power cut may lose
	// data, and data that does not come up again is thrown away.
	Fast bool
	// NoWait answers ErrInUse at once instead of giving the other process a
	// moment to finish.
	NoWait bool
	// Log gets what the person at the terminal should know; nil for nothing.
	Log *slog.Logger
}

// Postgres is a running server, ours or one that we attached to.
type Postgres struct {
	url   string
	child *child   // nil when attached
	owner *os.File // the locks, held until Stop; nil when attached
	alive *os.File

	tmpSock string // the socket's folder where it lies outside of ours
}

// StartPostgres runs the server of the folder, after making the folder, the
// cluster and the database `qoa` where they do not exist. It is ErrInUse when
// another process already does.
func StartPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	f, err := openFolder(ctx, cfg)
	if err != nil {
		return nil, err
	}
	patience := handover
	if cfg.NoWait {
		patience = 0
	}
	owner, err := lockWithin(ctx, f.ownerLock(), patience)
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("%w: %s (process %s); stop it first, or set QOA_DATA_DIR", ErrInUse, f.base, readOwner(f.ownerLock()))
	}
	if err != nil {
		return nil, err
	}
	return f.start(ctx, owner)
}

// OpenPostgres gives a server for the folder whether or not one runs: it
// attaches to the one that another process runs, and starts one otherwise.
// Stop leaves a server that it attached to alone.
func OpenPostgres(ctx context.Context, cfg PostgresConfig) (*Postgres, error) {
	f, err := openFolder(ctx, cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, bootPatience)
	defer cancel()
	var pg *Postgres
	err = poll(ctx, func() (bool, error) {
		owner, err := lock(f.ownerLock())
		if err == nil {
			pg, err = f.start(ctx, owner)
			return true, err
		}
		if !errors.Is(err, errLocked) {
			return false, err
		}
		// Its owner may be booting it, or stopping it: look again until it is
		// ready or the lock is ours.
		if p := readPidfile(f.data()); !p.ready || !serves(p.pid, f.data()) {
			return false, nil
		}
		if f.ensureDatabase(ctx) != nil {
			return false, nil
		}
		pg = &Postgres{url: f.url(database)}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("postgres in %s: %w", f.base, err)
	}
	return pg, nil
}

// URL is the connection URL of the database `qoa`.
func (p *Postgres) URL() string { return p.url }

// Attached tells that the server belongs to another process.
func (p *Postgres) Attached() bool { return p.child == nil }

// Exited is closed when the server has gone, asked or not. It never is for a
// server that belongs to another process.
func (p *Postgres) Exited() <-chan struct{} {
	if p.child == nil {
		return nil
	}
	return p.child.done
}

// Stop shuts the server down in order, open connections or not, and gives the
// folder up. It is safe to call again.
func (p *Postgres) Stop() error {
	if p.child == nil {
		return nil
	}
	// Fast shutdown, then immediate shutdown, then the axe.
	err := p.child.stop(orphanPatience, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL)
	if p.tmpSock != "" {
		_ = os.Remove(p.tmpSock) // a short one in the shared /tmp; the next start makes it again
	}
	p.alive.Close()
	p.owner.Close()
	return err
}

// folder is one data folder with the server and the account that run it.
type folder struct {
	cfg     PostgresConfig
	base    string
	sock    string
	bin     binaries
	account account
}

func openFolder(ctx context.Context, cfg PostgresConfig) (*folder, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	f := &folder{cfg: cfg}
	var err error
	if f.account, err = chooseAccount(newestData(cfg.Dir), "postgres", "nobody"); err != nil {
		return nil, err
	}
	if f.base, err = place(cfg.Dir, f.account, cfg.Log); err != nil {
		return nil, err
	}
	if f.bin, err = findBinaries(ctx, func(major int) bool {
		return initialised(filepath.Join(f.base, fmt.Sprintf("pg%d", major), "data"))
	}); err != nil {
		return nil, err
	}
	if other := newestData(f.base); other != "" && !initialised(f.data()) {
		cfg.Log.Warn("the data here was written by another version of PostgreSQL, which is not installed; starting with an empty database beside it",
			"data", other, "version", f.bin.major)
	}
	if err := f.account.mkdir(f.dir()); err != nil {
		return nil, err
	}
	if f.sock, err = socketDir(f.dir(), f.account); err != nil {
		return nil, err
	}
	return f, nil
}

// Data of different major versions cannot be mixed, so each has its folder.
func (f *folder) dir() string        { return filepath.Join(f.base, fmt.Sprintf("pg%d", f.bin.major)) }
func (f *folder) data() string       { return filepath.Join(f.dir(), "data") }
func (f *folder) log() string        { return filepath.Join(f.dir(), "postgres.log") }
func (f *folder) ownerLock() string  { return filepath.Join(f.base, "owner.lock") }
func (f *folder) serverLock() string { return filepath.Join(f.base, "server.lock") }

func (f *folder) url(db string) string {
	q := url.Values{"host": {f.sock}, "port": {"5432"}, "sslmode": {"disable"}}
	return "postgres://" + superuser + "@/" + db + "?" + q.Encode()
}

func initialised(data string) bool {
	_, err := os.Stat(filepath.Join(data, "PG_VERSION"))
	return err == nil
}

// newestData is the data folder of the newest version that wrote here, or "".
func newestData(base string) string {
	found, err := filepath.Glob(filepath.Join(base, "pg[0-9][0-9]", "data"))
	if err != nil || len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// start runs the server; the owner lock is ours, and given up on failure.
func (f *folder) start(ctx context.Context, owner *os.File) (*Postgres, error) {
	writeOwner(owner)
	alive, err := f.clearOrphan(ctx)
	if err != nil {
		owner.Close()
		return nil, err
	}
	fail := func(err error) (*Postgres, error) {
		alive.Close()
		owner.Close()
		return nil, err
	}
	if !initialised(f.data()) {
		if err := f.initdb(ctx); err != nil {
			return fail(err)
		}
	}
	c, err := f.boot(ctx, alive)
	if err != nil && f.cfg.Fast && ctx.Err() == nil {
		if err = errors.Join(os.RemoveAll(f.data()), f.initdb(ctx)); err == nil {
			c, err = f.boot(ctx, alive)
		}
	}
	if err != nil {
		return fail(err)
	}
	pg := &Postgres{url: f.url(database), child: c, owner: owner, alive: alive}
	if filepath.Dir(f.sock) != f.dir() {
		pg.tmpSock = f.sock
	}
	if err := f.ensureDatabase(ctx); err != nil {
		return nil, errors.Join(err, pg.Stop())
	}
	return pg, nil
}

// clearOrphan waits for what an owner that was killed left behind, helps it
// go, and returns the server lock.
func (f *folder) clearOrphan(ctx context.Context) (*os.File, error) {
	alive, err := lock(f.serverLock())
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		if !errors.Is(err, errLocked) {
			break
		}
		if p := readPidfile(f.data()); serves(p.pid, f.data()) {
			f.cfg.Log.Info("waiting for the Postgres of an earlier run to stop", "pid", p.pid)
			// Gone in between is what we want.
			_ = syscall.Kill(p.pid, sig)
		}
		alive, err = lockWithin(ctx, f.serverLock(), orphanPatience)
	}
	if err != nil {
		return nil, fmt.Errorf("an earlier Postgres in %s does not stop: %w", f.base, err)
	}
	// With the lock ours, none of our servers is left: the number in the file is
	// a zombie's or went to somebody else, and Postgres would refuse to start.
	// The one exception is a server that a person started by hand on this data.
	if p := readPidfile(f.data()); !serves(p.pid, f.data()) {
		socket := filepath.Join(f.sock, socketName)
		for _, stale := range []string{pidfilePath(f.data()), socket, socket + ".lock"} {
			if err := os.Remove(stale); err != nil && !os.IsNotExist(err) {
				alive.Close()
				return nil, err
			}
		}
	}
	return alive, nil
}

// boot starts the server and waits until it takes connections. What a crash
// left behind may need some seconds to go (shared memory, a lock file).
func (f *folder) boot(ctx context.Context, alive *os.File) (*child, error) {
	deadline := time.Now().Add(orphanPatience)
	for {
		c, err := f.bootOnce(ctx, alive)
		if err == nil {
			return c, nil
		}
		tail := tailOf(f.log())
		transient := strings.Contains(tail, "postmaster.pid\" already exists") ||
			strings.Contains(tail, "pre-existing shared memory block")
		if !transient || time.Now().After(deadline) || ctx.Err() != nil {
			return nil, fmt.Errorf("postgres in %s: %w\n%s", f.base, err, tail)
		}
		again := time.NewTimer(200 * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-again.C:
		}
		again.Stop()
	}
}

func (f *folder) bootOnce(ctx context.Context, alive *os.File) (*child, error) {
	c, err := start(spec{
		path: f.bin.postgres(), args: f.args(), dir: f.dir(), log: f.log(),
		account: f.account, inherit: alive, death: syscall.SIGINT,
	})
	if err != nil {
		return nil, err
	}
	bootCtx, cancel := context.WithTimeout(ctx, bootPatience)
	defer cancel()
	err = poll(bootCtx, func() (bool, error) {
		if c.exited() {
			return false, fmt.Errorf("the server ended while starting: %w", c.err)
		}
		p := readPidfile(f.data())
		return p.ready && p.pid == c.cmd.Process.Pid, nil
	})
	if err != nil {
		if !c.exited() {
			err = errors.Join(err, c.stop(orphanPatience, syscall.SIGQUIT, syscall.SIGKILL))
		}
		return nil, err
	}
	return c, nil
}

func (f *folder) args() []string {
	set := []string{
		"listen_addresses=",
		"unix_socket_permissions=0700",
		"timezone=UTC",
		"log_timezone=UTC",
		// Failing statements carry names and phones: they are not logged here,
		// whoever ran them gets the error.
		"log_min_messages=log",
		"log_error_verbosity=terse",
	}
	if f.cfg.Fast {
		set = append(set,
			"fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
			"wal_level=minimal", "max_wal_senders=0", "max_wal_size=256MB", "max_connections=200",
		)
	}
	args := []string{"-D", f.data(), "-k", f.sock, "-p", "5432"}
	for _, s := range set {
		args = append(args, "-c", s)
	}
	return args
}

// ensureDatabase makes the database where a first boot did not get to it.
func (f *folder) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, f.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var exists bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", database).Scan(&exists); err != nil {
		return err
	}
	if exists {
		return nil
	}
	_, err = conn.Exec(ctx, "create database "+pgx.Identifier{database}.Sanitize())
	return err
}

// tailOf is the end of a log file, for an error message.
func tailOf(path string) string {
	const most = 2000
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return strings.TrimSpace(string(b))
}
