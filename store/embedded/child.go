package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// child is a server process that lives no longer than this one.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the process is gone and reaped
	err  error         // how it ended; read only after done
}

// spec says what to run and how.
type spec struct {
	path    string
	args    []string
	dir     string
	stdin   io.Reader
	log     string // file that gets both output streams
	account account
	inherit *os.File // held open by the server for as long as it lives: its lock
	death   syscall.Signal
}

// start runs the server in a process group of its own, so that Ctrl-C in the
// terminal reaches us first and we stop the server in order.
func start(s spec) (*child, error) {
	out, err := openOwned(s.log, os.O_WRONLY|os.O_TRUNC)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(s.path, s.args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = s.dir, s.stdin, out, out
	cmd.Env = cleanEnv()
	cmd.ExtraFiles = []*os.File{s.inherit}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.account.credential()}
	dieWithParent(cmd.SysProcAttr, s.death)

	c := &child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The parent-death signal is sent when the thread that forked ends, not
		// the process. So the thread is kept for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		c.err = cmd.Wait()
		close(c.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", s.path, err)
	}
	return c, nil
}

// cleanEnv keeps PG*, LC_* and TZ of whoever started us away from the server:
// it must behave the same on every machine.
func cleanEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LANG=C", "TZ=UTC"}
}

// exited tells whether the process is gone.
func (c *child) exited() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// stop sends the signals one after the other, each with its patience, until
// the process is gone.
func (c *child) stop(patience time.Duration, signals ...syscall.Signal) error {
	for _, sig := range signals {
		if err := c.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		enough := time.NewTimer(patience)
		select {
		case <-c.done:
			enough.Stop()
			return nil
		case <-enough.C:
		}
	}
	return fmt.Errorf("process %d does not stop", c.cmd.Process.Pid)
}
