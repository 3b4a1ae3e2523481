package templates

import "io"

var cardApp = app{
	name: "Mi tarjeta Qoa", short: "Mi tarjeta", text: "Tu código, tus sellos y tus premios.",
	icons: "card-icon", script: "card-sw.js", cache: "qoa-tarjeta-",
	shell: []string{"app.css", "card.css", "logo.svg", "card.js", "card-months.js"},
}

// CardManifest writes what a phone installs a card's page by: own is the page's
// address, which nobody else may know, and public is the card's, which everybody
// may.
func (s *Set) CardManifest(w io.Writer, own, public string) error {
	return s.manifest(w, cardApp, appIDs{id: public, start: own})
}

// CardWorker writes the script that keeps cards for when there is no network. It
// is the same for all of them: which card it keeps, its scope says.
func (s *Set) CardWorker(w io.Writer) error { return s.worker(w, cardApp, nil) }
