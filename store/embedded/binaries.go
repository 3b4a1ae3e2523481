package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// minPostgres is the oldest major version that our SQL is written for.
const minPostgres = 15

// ErrNoPostgres says that this machine has no usable Postgres, and what to do.
var ErrNoPostgres = fmt.Errorf("no PostgreSQL %d or newer on this machine: run `make deps`, or `sudo apt-get install postgresql` (macOS: `brew install postgresql`), or set DATABASE_URL", minPostgres)

// binaries is one installed Postgres.
type binaries struct {
	dir   string
	major int
}

func (b binaries) postgres() string { return filepath.Join(b.dir, "postgres") }
func (b binaries) initdb() string   { return filepath.Join(b.dir, "initdb") }

// places where packages put Postgres without adding it to PATH.
var postgresPlaces = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries chooses among what is installed: the version that wrote the
// data that is there, else the one in PATH, else the newest.
func findBinaries(ctx context.Context, hasData func(major int) bool) (binaries, error) {
	var dirs []string
	if p, err := exec.LookPath("postgres"); err == nil {
		// A link in PATH leads to the folder that has initdb as well.
		if p, err = filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(p))
		}
	}
	inPath := len(dirs)
	for _, pattern := range postgresPlaces {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return binaries{}, err
		}
		dirs = append(dirs, found...)
	}
	var all []binaries
	var first binaries
	for i, dir := range dirs {
		b := binaries{dir: dir}
		if _, err := os.Stat(b.initdb()); err != nil {
			continue
		}
		major, err := majorVersion(ctx, b.postgres())
		if err != nil || major < minPostgres {
			continue
		}
		b.major = major
		if i < inPath {
			first = b
		}
		all = append(all, b)
	}
	if len(all) == 0 {
		return binaries{}, ErrNoPostgres
	}
	slices.SortStableFunc(all, func(a, b binaries) int { return b.major - a.major })
	for _, b := range all {
		if hasData(b.major) {
			return b, nil
		}
	}
	if first.dir != "" {
		return first, nil
	}
	return all[0], nil
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func majorVersion(ctx context.Context, postgres string) (int, error) {
	out, err := exec.CommandContext(ctx, postgres, "--version").Output()
	if err != nil {
		return 0, err
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return 0, errors.New("unreadable version of " + postgres)
	}
	return strconv.Atoi(string(m[1]))
}
