package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// The two environment variables make the test binary play another process: a
// `qoa dev` that is killed, a `qoa ledger verify` beside it.
const (
	roleVar = "EMBEDDED_TEST_ROLE"
	dirVar  = "EMBEDDED_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "start":
		playOther(StartPostgres)
	case "open":
		playOther(OpenPostgres)
	default:
		os.Exit(m.Run())
	}
}

// playOther brings a server up, says so, and keeps it until standard input
// ends or somebody kills us.
func playOther(up func(context.Context, PostgresConfig) (*Postgres, error)) {
	pg, err := up(context.Background(), PostgresConfig{Dir: os.Getenv(dirVar)})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("up attached", pg.Attached())
	if _, err := os.Stdin.Read(make([]byte, 1)); err == nil {
		os.Exit(2)
	}
	if err := pg.Stop(); err != nil {
		fmt.Println("error:", err)
	}
	os.Exit(0)
}

// other is such a process.
type other struct {
	cmd *exec.Cmd
	in  interface{ Close() error }
	say string // its first line
}

func startOther(t *testing.T, role, dir string) other {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"="+role, dirVar+"="+dir)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line := make([]byte, 2000)
	n, err := out.Read(line)
	if err != nil {
		t.Fatalf("the other process said nothing: %v", err)
	}
	return other{cmd, in, strings.TrimSpace(string(line[:n]))}
}

// kill is what the machine does at the worst moment.
func (o other) kill(t *testing.T) {
	t.Helper()
	must(t, o.cmd.Process.Kill())
	_ = o.cmd.Wait()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tempDir is a folder that an unprivileged user can reach: t.TempDir is not,
// where TMPDIR or its parents are private.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "qoa-embedded-test-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	return dir
}

func up(t *testing.T, dir string) *Postgres {
	t.Helper()
	// The durable settings: what is shown here is that nothing gets lost.
	pg, err := StartPostgres(t.Context(), PostgresConfig{Dir: dir})
	must(t, err)
	t.Cleanup(func() { must(t, pg.Stop()) })
	return pg
}

func query(t *testing.T, url, sql string) (answer string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer conn.Close(t.Context())
	must(t, conn.QueryRow(t.Context(), sql).Scan(&answer))
	return answer
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), sql)
	must(t, err)
}

const (
	writeNote = "create table note (text text); insert into note values ('still here')"
	readNote  = "select text from note"
)

func expectNote(t *testing.T, url string) {
	t.Helper()
	if got := query(t, url, readNote); got != "still here" {
		t.Fatalf("read %q", got)
	}
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	p := readPidfile(newestData(dir))
	if p.pid == 0 {
		t.Fatal("no postmaster.pid")
	}
	return p.pid
}

func TestFirstBootAndRestartKeepsData(t *testing.T) {
	dir := tempDir(t)
	pg := up(t, dir)
	exec1(t, pg.URL(), writeNote)
	for want, sql := range map[string]string{
		"qoa":     "select current_database()",
		"UTF8":    "show server_encoding",
		"C.UTF-8": "select datcollate from pg_database where datname = 'qoa'",
		"UTC":     "show timezone",
		"on":      "show fsync",
		"":        "show listen_addresses",
	} {
		if got := query(t, pg.URL(), sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
	must(t, pg.Stop())
	must(t, pg.Stop())
	<-pg.Exited()

	expectNote(t, up(t, dir).URL())
}

func TestKilledPostmasterRecovers(t *testing.T) {
	dir := tempDir(t)
	pg := up(t, dir)
	exec1(t, pg.URL(), writeNote)
	must(t, syscall.Kill(postmaster(t, dir), syscall.SIGKILL))
	<-pg.Exited() // its owner learns of it
	must(t, pg.Stop())

	expectNote(t, up(t, dir).URL())
}

func TestKilledOwnerRecovers(t *testing.T) {
	dir := tempDir(t)
	o := startOther(t, "start", dir)
	exec1(t, urlOf(t, dir), writeNote)
	pid := postmaster(t, dir)
	o.kill(t)

	// At once, while the orphan is still going down.
	expectNote(t, up(t, dir).URL())
	if isPostgres(pid) {
		t.Error("the orphan still runs")
	}
}

func TestKilledOwnerAndPostmasterRecover(t *testing.T) {
	dir := tempDir(t)
	o := startOther(t, "start", dir)
	exec1(t, urlOf(t, dir), writeNote)
	must(t, syscall.Kill(postmaster(t, dir), syscall.SIGKILL))
	o.kill(t)

	expectNote(t, up(t, dir).URL())
}

func TestPidfileOfSomebodyElseIsCleared(t *testing.T) {
	dir := tempDir(t)
	pg := up(t, dir)
	must(t, pg.Stop())
	// The number in a stale file now belongs to another living process.
	stale := fmt.Sprintf("%d\n%s\n0\n5432\n\n\n\nready   \n", os.Getppid(), newestData(dir))
	must(t, os.WriteFile(pidfilePath(newestData(dir)), []byte(stale), 0o644))
	up(t, dir)
}

func TestSecondStartIsRefused(t *testing.T) {
	dir := tempDir(t)
	up(t, dir)
	_, err := StartPostgres(t.Context(), PostgresConfig{Dir: dir, Fast: true})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Fatalf("got %v, want ErrInUse naming the process", err)
	}
}

func TestOpenAttachesWhileRunningAndLeavesItRunning(t *testing.T) {
	dir := tempDir(t)
	pg := up(t, dir)
	exec1(t, pg.URL(), writeNote)
	o := startOther(t, "open", dir)
	if o.say != "up attached true" {
		t.Fatal(o.say)
	}
	must(t, o.in.Close())
	must(t, o.cmd.Wait())
	expectNote(t, pg.URL())

	attached, err := OpenPostgres(t.Context(), PostgresConfig{Dir: dir})
	must(t, err)
	expectNote(t, attached.URL())
	must(t, attached.Stop())
	expectNote(t, pg.URL())
}

func TestOpenStartsWhereNothingRuns(t *testing.T) {
	dir := tempDir(t)
	pg, err := OpenPostgres(t.Context(), PostgresConfig{Dir: dir, Fast: true})
	must(t, err)
	if pg.Attached() {
		t.Error("attached to nothing")
	}
	pid := postmaster(t, dir)
	must(t, pg.Stop())
	if isPostgres(pid) {
		t.Error("still runs after Stop")
	}
}

func TestLongFolderGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(tempDir(t), strings.Repeat("largo", 20))
	pg := up(t, dir)
	if got := query(t, pg.URL(), "select 'yes'"); got != "yes" {
		t.Fatal(got)
	}
}

// As root the server runs as somebody else, also below a private home.
func TestRootStepsDown(t *testing.T) {
	if os.Geteuid() != 0 {
		// Nothing to step down from; the rest of this file is the proof then.
		return
	}
	home := tempDir(t)
	must(t, os.Chmod(home, 0o700))
	dir := filepath.Join(home, "var", "postgres")
	var said strings.Builder
	cfg := PostgresConfig{Dir: dir, Fast: true, Log: slog.New(slog.NewTextHandler(&said, nil))}
	for range 2 { // the same place is found again
		pg, err := StartPostgres(t.Context(), cfg)
		must(t, err)
		exec1(t, pg.URL(), "create table if not exists note (text text)")
		must(t, pg.Stop())
	}
	used := filepath.Join("/var/tmp", "qoa-"+shortHash(dir))
	t.Cleanup(func() { must(t, os.RemoveAll(used)) })
	if !strings.Contains(said.String(), used) {
		t.Errorf("the log does not name %s: %s", used, said.String())
	}
	uid, _, ok := ownerOf(newestData(used))
	if !ok || uid == 0 {
		t.Errorf("the data belongs to user %d", uid)
	}
}

// urlOf is what a second process works out without asking the first.
func urlOf(t *testing.T, dir string) string {
	t.Helper()
	pg, err := OpenPostgres(t.Context(), PostgresConfig{Dir: dir, Fast: true})
	must(t, err)
	if !pg.Attached() {
		t.Fatal("not attached")
	}
	return pg.URL()
}

func TestPostgresStat(t *testing.T) {
	for stat, want := range map[string]bool{
		"12 (postgres) S 1 2":      true,
		"12 (postgres) Z 1 2":      false,
		"12 (redis-server) S 1":    false,
		"12 (a) b (postgres) S 1":  false,
		"12 (postgres: x (y)) R 1": true,
		"":                         false,
	} {
		if got := postgresStat([]byte(stat)); got != want {
			t.Errorf("%q: %v", stat, got)
		}
	}
}

func TestFastDataThatDoesNotComeUpIsMadeAnew(t *testing.T) {
	dir := tempDir(t)
	cfg := PostgresConfig{Dir: dir, Fast: true, NoWait: true}
	for range 2 {
		pg, err := StartPostgres(t.Context(), cfg)
		must(t, err)
		exec1(t, pg.URL(), writeNote)
		if _, err := StartPostgres(t.Context(), cfg); !errors.Is(err, ErrInUse) {
			t.Errorf("second start: %v", err)
		}
		must(t, pg.Stop())
		must(t, os.Remove(filepath.Join(newestData(dir), "global", "pg_control")))
	}
}
