package templates

import "io"

// scanApp keeps the barcode reader as well: it is loaded when the camera is first
// used, which may be where there is no network.
var scanApp = app{
	name: "Qoa Mi tienda", short: "Qoa tienda", text: "Registra ventas y entrega premios.",
	icons: "scan-icon", script: "scan-sw.js", cache: "qoa-tienda-",
	shell: []string{"app.css", "desk.css", "scan.css", "logo.svg", "scan.js", "scan-queue.js", "scan-camera.js", "scan-decoder.js", "zxing.js"},
}

// ScanManifest writes what a phone installs the scan page by.
func (s *Set) ScanManifest(w io.Writer) error {
	return s.manifest(w, scanApp, appIDs{id: "/tienda", start: "/tienda"})
}

// ScanWorker writes the script that keeps the scan page for when there is no
// network.
func (s *Set) ScanWorker(w io.Writer) error {
	return s.worker(w, scanApp, map[string]string{"queue": "scan-queue.js"})
}
