package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// app is a page that a phone installs, and that starts without a network.
type app struct {
	name, short, text string
	icons             string // the files' prefix: -192, -512 and -maskable are what one needs
	script            string // of the worker
	cache             string // the prefix of what the worker keeps
	shell             []string
}

// appIDs are an app's addresses. What one opens may be secret, and its ID is not:
// so a new link to the same card replaces the app of the old one.
type appIDs struct{ id, start string }

// manifest writes what a phone installs an app by.
func (s *Set) manifest(w io.Writer, a app, at appIDs) error {
	type icon struct {
		Source  string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	icons := []icon{
		{"-192.png", "192x192", "image/png", "any"}, {"-512.png", "512x512", "image/png", "any"}, {"-maskable.png", "512x512", "image/png", "maskable"},
	}
	for i := range icons {
		url, err := s.StaticURL(a.icons + icons[i].Source)
		if err != nil {
			return fmt.Errorf("templates: manifest: %w", err)
		}
		icons[i].Source = url
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"id": at.id, "name": a.name, "short_name": a.short, "description": a.text,
		"lang": "es-MX", "start_url": at.start, "scope": at.start, "display": "standalone", "orientation": "portrait",
		"background_color": "#fff6e8", "theme_color": "#c4125e", "icons": icons,
	})
}

// worker writes the script that keeps an app for when there is no network. It
// names the files that it keeps, so that it changes with them; more are files by
// the names under which the script knows them.
func (s *Set) worker(w io.Writer, a app, more map[string]string) error {
	head := map[string]any{}
	for name, file := range more {
		url, err := s.StaticURL(file)
		if err != nil {
			return fmt.Errorf("templates: worker: %w", err)
		}
		head[name] = url
	}
	shell := make([]string, len(a.shell))
	for i, file := range a.shell {
		var err error
		if shell[i], err = s.StaticURL(file); err != nil {
			return fmt.Errorf("templates: worker: %w", err)
		}
	}
	source, err := s.StaticURL(a.script)
	if err != nil {
		return fmt.Errorf("templates: worker: %w", err)
	}
	body, _, _ := s.Static(strings.TrimPrefix(source, StaticPrefix))
	sum := sha256.Sum256([]byte(strings.Join(shell, " ")))
	head["name"], head["files"] = a.cache+hex.EncodeToString(sum[:6]), shell
	told, err := json.Marshal(head)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "const SHELL = %s;\n%s", told, body)
	return err
}
