package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// scanShell are the files that the scan page needs to start without a network.
// The barcode reader is among them: it is loaded when the camera is first used,
// which may be where there is no network.
var scanShell = []string{
	"app.css", "desk.css", "scan.css", "logo.svg", "scan.js", "scan-queue.js", "scan-camera.js", "scan-decoder.js", "zxing.js",
}

// ScanManifest writes what a phone installs the scan page by.
func (s *Set) ScanManifest(w io.Writer) error {
	type icon struct {
		Source  string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	var icons []icon
	for _, i := range []icon{
		{"scan-icon-192.png", "192x192", "image/png", "any"}, {"scan-icon-512.png", "512x512", "image/png", "any"},
		{"scan-icon-maskable.png", "512x512", "image/png", "maskable"},
	} {
		url, err := s.StaticURL(i.Source)
		if err != nil {
			return fmt.Errorf("templates: manifest: %w", err)
		}
		i.Source = url
		icons = append(icons, i)
	}
	return json.NewEncoder(w).Encode(map[string]any{
		"id": "/tienda", "name": "Qoa Mi tienda", "short_name": "Qoa tienda", "description": "Registra ventas y entrega premios.",
		"lang": "es-MX", "start_url": "/tienda", "scope": "/tienda", "display": "standalone", "orientation": "portrait",
		"background_color": "#fff6e8", "theme_color": "#c4125e", "icons": icons,
	})
}

// ScanWorker writes the script that keeps the scan page for when there is no
// network. It names the files that it keeps, so that it changes with them.
func (s *Set) ScanWorker(w io.Writer) error {
	var shell []string
	for _, name := range scanShell {
		url, err := s.StaticURL(name)
		if err != nil {
			return fmt.Errorf("templates: worker: %w", err)
		}
		shell = append(shell, url)
	}
	queue, err := s.StaticURL("scan-queue.js")
	if err != nil {
		return fmt.Errorf("templates: worker: %w", err)
	}
	source, err := s.StaticURL("scan-sw.js")
	if err != nil {
		return fmt.Errorf("templates: worker: %w", err)
	}
	body, _, _ := s.Static(strings.TrimPrefix(source, StaticPrefix))
	sum := sha256.Sum256([]byte(strings.Join(shell, " ")))
	head, err := json.Marshal(map[string]any{"name": "qoa-tienda-" + hex.EncodeToString(sum[:6]), "files": shell, "queue": queue})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "const SHELL = %s;\n%s", head, body)
	return err
}
