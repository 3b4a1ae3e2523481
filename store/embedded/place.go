package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// maxSocketPath is what fits into a socket address on every system we know
// (107 bytes on Linux, 103 on macOS).
const maxSocketPath = 103

// place answers where the data of dir really lies: there, or, where the
// account that runs the server cannot get there (a repository under a private
// home, started by root), in a folder under /var/tmp named after it. The same
// dir always gives the same place, so every command finds it.
func place(dir string, a account, log *slog.Logger) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return "", err
	}
	// Two paths to one folder must not become two databases.
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", err
	}
	if a.reaches(filepath.Join(abs, "x")) {
		return abs, nil
	}
	alt := filepath.Join("/var/tmp", "qoa-"+shortHash(abs))
	if err := os.Mkdir(alt, 0o755); err != nil && !os.IsExist(err) {
		return "", err
	}
	info, err := os.Lstat(alt)
	if err != nil {
		return "", err
	}
	if uid, _, _ := ownerOf(alt); uid != os.Geteuid() || !info.IsDir() {
		return "", fmt.Errorf("%s was not made by this user; remove it, or choose another folder (QOA_DATA_DIR)", alt)
	}
	log.Info("the data folder lies under a private folder that the server's user may not enter; its data is kept elsewhere",
		"asked", abs, "used", alt)
	return alt, nil
}

// socketDir is a private folder for the socket: beside the data, or, where
// that path is too long for a socket address, a short one.
func socketDir(base string, a account) (string, error) {
	dir := filepath.Join(base, "sock")
	if len(filepath.Join(dir, socketName)) > maxSocketPath {
		tmp := os.TempDir()
		if len(filepath.Join(tmp, "qoa-0123456789ab", socketName)) > maxSocketPath {
			tmp = "/tmp"
		}
		dir = filepath.Join(tmp, "qoa-"+shortHash(base))
	}
	return dir, a.mkdir(dir)
}

func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
