package templates

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// asset is one static file: its bytes, the same bytes packed, and its type.
type asset struct {
	body        []byte
	packed      map[string]func() []byte // by content coding
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
		sum := sha256.Sum256(body)
		hashed := strings.TrimSuffix(entry.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		s.names[entry.Name()] = hashed
		s.assets[hashed] = asset{body: body, packed: packers(ext, body), contentType: kind}
	}
	return nil
}

// Static returns a static file by its hashed name, as in /static/<name>.
func (s *Set) Static(name string) (body []byte, contentType string, ok bool) {
	a, ok := s.assets[name]
	return a.body, a.contentType, ok
}

// StaticPacked is Static for a client that accepts some content codings: the
// best of them, or "" where a file is sent as it is.
func (s *Set) StaticPacked(name string, accepts func(coding string) bool) (body []byte, coding string) {
	a := s.assets[name]
	for _, coding := range []string{"br", "gzip"} {
		if pack, ok := a.packed[coding]; ok && accepts(coding) {
			return pack(), coding
		}
	}
	return a.body, ""
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

// packers pack a file at the best level each has, when it is first asked for:
// brotli takes half a second for all of them.
func packers(ext string, body []byte) map[string]func() []byte {
	if ext == ".png" {
		return nil // it is packed already
	}
	return map[string]func() []byte{
		"br": sync.OnceValue(func() []byte {
			var out bytes.Buffer
			return packed(&out, brotli.NewWriterLevel(&out, brotli.BestCompression), body)
		}),
		"gzip": sync.OnceValue(func() []byte {
			var out bytes.Buffer
			zw, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
			if err != nil {
				panic(err) // the level is a constant
			}
			return packed(&out, zw, body)
		}),
	}
}

func packed(out *bytes.Buffer, w io.WriteCloser, body []byte) []byte {
	_, err := w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		panic(err) // memory takes everything
	}
	return out.Bytes()
}
