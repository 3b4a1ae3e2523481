package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Tool gives the path of a client program of Postgres, such as pg_dump: the one in
// PATH, which the operator has chosen, else the newest that is installed.
func Tool(ctx context.Context, name string) (path string, err error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	newest := 0
	for _, pattern := range postgresPlaces {
		found, err := filepath.Glob(filepath.Join(pattern, name))
		if err != nil {
			return "", err
		}
		for _, p := range found {
			if _, err := os.Stat(p); err != nil {
				continue
			}
			if major, err := majorVersion(ctx, p); err == nil && major > newest {
				path, newest = p, major
			}
		}
	}
	if path == "" {
		return "", fmt.Errorf("no %s on this machine: `sudo apt-get install postgresql-client` (macOS: `brew install libpq`), of the server's major version", name)
	}
	return path, nil
}
