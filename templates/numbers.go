package templates

import (
	"html/template"
	"io"
	"time"
)

// NumbersView lists the WhatsApp numbers of the bot. Adding one posts
// label to Action.
type NumbersView struct {
	Desk    DeskView
	Flash   string
	Error   string
	Closed  string // why no number can be added here; "" where it can
	Action  string
	Label   string // as it was typed
	Live    string // address of the part that renews itself
	Numbers []NumberLine
}

// NumberLine is one number of the list.
type NumberLine struct {
	URL     string
	Label   string
	Phone   string // the bot's own, as people write it; "" until it is paired
	Words   NumberWords
	Scan    bool // its QR waits to be scanned
	AliveAt time.Time
	Alive   string // "hace 12 s"
	Today   NumberDay
}

// NumberDay is what a number did today.
type NumberDay struct {
	Sent, Delivered, Failed, Waiting int
}

// Numbers renders the list.
func (s *Set) Numbers(w io.Writer, v NumbersView) error {
	return s.render(w, "numbers", "layout", v)
}

// NumbersLive renders the part of the list that renews itself.
func (s *Set) NumbersLive(w io.Writer, v NumbersView) error {
	return s.render(w, "numbers", "live", v)
}

// NumberView is one number: while it is being paired, its QR; then how it does.
// Renaming posts label to RenameAction, the others nothing.
type NumberView struct {
	Desk         DeskView
	Flash        string
	Error        string
	ListURL      string
	Live         string
	Every        int // seconds until the part that renews itself does so
	Number       NumberLine
	QR           template.HTML // "" where there is nothing to scan
	QRSeconds    int           // for how long it can be scanned
	QRLife       int           // for how long it could when it was made
	PairedAt     time.Time
	PairAction   string // "" where pairing or connecting again makes no sense
	PairLabel    string // "Vincular otra vez"
	RenameAction string
	DeleteAction string
}

// Number renders the page.
func (s *Set) Number(w io.Writer, v NumberView) error { return s.render(w, "number", "layout", v) }

// NumberLive renders the part of the page that renews itself.
func (s *Set) NumberLive(w io.Writer, v NumberView) error { return s.render(w, "number", "live", v) }
