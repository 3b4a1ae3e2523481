package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// initdb makes the cluster. It is built beside its place and moved there when
// whole, so that a kill in the middle leaves nothing that looks like data.
func (f *folder) initdb(ctx context.Context) error {
	building := filepath.Join(f.dir(), "data.new")
	if err := os.RemoveAll(building); err != nil {
		return err
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "C" // macOS has no C.UTF-8; the encoding is UTF8 all the same
	}
	args := []string{
		"-D", building, "-U", superuser, "-A", "trust", "-E", "UTF8",
		"--locale=" + locale, "--no-instructions",
	}
	if f.cfg.Fast {
		args = append(args, "--no-sync")
	}
	// Access is by the socket's folder, which only the account may enter, so
	// "trust" trusts nobody else.
	cmd := exec.CommandContext(ctx, f.bin.initdb(), args...)
	cmd.Dir, cmd.Env = f.dir(), cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: f.account.credential()}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", f.dir(), err, out)
	}
	return os.Rename(building, f.data())
}
