package templates

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// asset is one static file: its bytes, the same bytes compressed once at start,
// and its type.
type asset struct {
	body        []byte
	gzip        []byte
	contentType string
}

// StaticPrefix is where static files are served. Their names carry a hash of
// their content, so every answer below it may be cached forever (immutable).
const StaticPrefix = "/static/"

func (s *Set) loadStatic(files fs.FS) error {
	s.assets = make(map[string]asset)
	s.names = make(map[string]string)
	entries, err := fs.ReadDir(files, "static")
	if err != nil {
		return fmt.Errorf("templates: static: %w", err)
	}
	for _, entry := range entries {
		body, err := fs.ReadFile(files, "static/"+entry.Name())
		if err != nil {
			return fmt.Errorf("templates: static: %w", err)
		}
		ext := path.Ext(entry.Name())
		kind, err := contentType(ext)
		if err != nil {
			return fmt.Errorf("templates: static %s: %w", entry.Name(), err)
		}
		packed, err := compress(body)
		if err != nil {
			return fmt.Errorf("templates: static %s: %w", entry.Name(), err)
		}
		sum := sha256.Sum256(body)
		hashed := strings.TrimSuffix(entry.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		s.names[entry.Name()] = hashed
		s.assets[hashed] = asset{body: body, gzip: packed, contentType: kind}
	}
	return nil
}

// Static returns a static file by its hashed name, as in /static/<name>.
func (s *Set) Static(name string) (body []byte, contentType string, ok bool) {
	a, ok := s.assets[name]
	return a.body, a.contentType, ok
}

// StaticGzip is Static for a client that accepts gzip: the file was compressed
// once, at the best level, when the Set was made.
func (s *Set) StaticGzip(name string) (body []byte, contentType string, ok bool) {
	a, ok := s.assets[name]
	return a.gzip, a.contentType, ok
}

// StaticURL is the address of a static file known by its plain name ("app.css").
func (s *Set) StaticURL(name string) (string, error) {
	hashed, ok := s.names[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return StaticPrefix + hashed, nil
}

// contentType is spelled out because mime.TypeByExtension reads the machine's
// own tables, and a wrong one makes a browser refuse a style under nosniff.
func contentType(ext string) (string, error) {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8", nil
	case ".js":
		return "text/javascript; charset=utf-8", nil
	case ".svg":
		return "image/svg+xml", nil
	case ".png":
		return "image/png", nil
	}
	return "", fmt.Errorf("no content type for %q", ext)
}

func compress(body []byte) ([]byte, error) {
	var out bytes.Buffer
	zw, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zw.Write(body); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
