package embedded

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the user a server runs as.
type account struct {
	uid, gid int
	drop     bool // we are root and must step down to it
}

// chooseAccount answers who runs the server on this folder: ourselves, or,
// since Postgres refuses root, an unprivileged user. Data that somebody else
// began goes on belonging to them, so that `sudo` once does not lock them out.
func chooseAccount(data string, names ...string) (account, error) {
	if os.Geteuid() != 0 {
		return account{uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	if uid, gid, ok := ownerOf(data); ok && uid != 0 {
		return account{uid: uid, gid: gid, drop: true}, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return account{}, err
		}
		return account{uid: uid, gid: gid, drop: true}, nil
	}
	return account{}, fmt.Errorf("running as root, and none of the users %q exists to run the server instead", names)
}

func ownerOf(path string) (uid, gid int, ok bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

// credential is what the child's start needs; nil keeps our own.
func (a account) credential() *syscall.Credential {
	if !a.drop {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

// mkdir makes a folder that only this account may enter.
func (a account) mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	// A folder under a shared /tmp may have been laid there by somebody else.
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	uid, _, ok := ownerOf(dir)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder", dir)
	case ok && uid != a.uid && uid != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d, the server would run as user %d: use that user, or another folder (QOA_DATA_DIR)", dir, uid, a.uid)
	}
	if a.drop {
		if err := os.Lchown(dir, a.uid, a.gid); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o700)
}

// reaches tells whether the account may pass through every parent of dir.
func (a account) reaches(dir string) bool {
	if !a.drop {
		return true
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return false
		}
		uid, gid, _ := ownerOf(parent)
		mode := info.Mode().Perm()
		switch {
		case uid == a.uid && mode&0o100 != 0:
		case uid != a.uid && gid == a.gid && mode&0o010 != 0:
		case uid != a.uid && gid != a.gid && mode&0o001 != 0:
		default:
			return false
		}
		if parent == filepath.Dir(parent) {
			return true
		}
	}
}

// openOwned opens or makes a file that belongs to whoever owns its folder, so
// that what root began, the folder's owner can go on with. Links are refused:
// root writes here, in a folder where somebody else may lay one.
func openOwned(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if uid, gid, ok := ownerOf(filepath.Dir(path)); ok {
			if err := f.Chown(uid, gid); err != nil {
				f.Close()
				return nil, err
			}
		}
	}
	return f, nil
}
