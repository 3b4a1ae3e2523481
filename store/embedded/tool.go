package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Tool gives the path and the major version of a client program of Postgres, such as
// pg_dump: the one in PATH, which the operator has chosen, else the newest that is
// installed.
func Tool(ctx context.Context, name string) (path string, major int, err error) {
	if path, err := exec.LookPath(name); err == nil {
		major, err := majorVersion(ctx, path)
		return path, major, err
	}
	for _, pattern := range postgresPlaces {
		found, err := filepath.Glob(filepath.Join(pattern, name))
		if err != nil {
			return "", 0, err
		}
		for _, p := range found {
			if _, err := os.Stat(p); err != nil {
				continue
			}
			if m, err := majorVersion(ctx, p); err == nil && m > major {
				path, major = p, m
			}
		}
	}
	if path == "" {
		return "", 0, fmt.Errorf("no %s on this machine: `sudo apt-get install postgresql-client` (macOS: `brew install libpq`), of the server's major version", name)
	}
	return path, major, nil
}
