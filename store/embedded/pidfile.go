package embedded

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// pidfile is what we read of postmaster.pid.
type pidfile struct {
	pid   int
	ready bool
}

// readPidfile reads the file; a missing or half-written one is the zero value.
func readPidfile(data string) pidfile {
	b, err := os.ReadFile(pidfilePath(data))
	if err != nil {
		return pidfile{}
	}
	lines := strings.Split(string(b), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return pidfile{}
	}
	// Line 8 is the state: starting, stopping, ready, standby.
	return pidfile{pid: pid, ready: len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"}
}

func pidfilePath(data string) string { return filepath.Join(data, "postmaster.pid") }

// isPostgres tells whether the process lives and is a Postgres. kill(0) is not
// enough: it also answers for zombies and for whoever got the number since.
func isPostgres(pid int) bool {
	if pid <= 1 || (syscall.Kill(pid, 0) != nil && !processExists(pid)) {
		return false
	}
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		return postgresStat(stat)
	}
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.HasPrefix(filepath.Base(strings.TrimSpace(string(out))), "postgres")
}

// serves tells whether the process is the Postgres of this data folder, which
// is the working directory of every server process.
func serves(pid int, data string) bool {
	if !isPostgres(pid) {
		return false
	}
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	return err != nil || cwd == data // where we cannot look, believe the file
}

// postgresStat reads "pid (name) state …", where the name may hold anything.
func postgresStat(stat []byte) bool {
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open || len(stat) < end+3 {
		return false
	}
	state := stat[end+2]
	return state != 'Z' && state != 'X' && bytes.HasPrefix(stat[open+1:end], []byte("postgres"))
}

// processExists is for processes of another user, whom we may not signal.
func processExists(pid int) bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}
