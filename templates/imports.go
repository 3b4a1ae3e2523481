package templates

import (
	"io"
	"strings"
)

// ImportsView is where files are read that fill the catalogue: kind and file
// are posted to Action.
type ImportsView struct {
	Desk    DeskView
	Flash   string
	Error   string // about the file
	Action  string
	Kinds   []ImportKind
	Limits  string // "Hasta 8 MB y 20,000 renglones."
	Imports []ImportPast
}

// ImportKind is what a file can fill, with its template.
type ImportKind struct {
	Value    string
	Name     string
	Explain  string
	Chosen   bool
	Columns  []ImportColumn
	Template Files
}

// Lower is the name within a sentence.
func (k ImportKind) Lower() string { return strings.ToLower(k.Name) }

// ImportColumn is a column of a file.
type ImportColumn struct {
	Name string
	Must bool
	Help string
}

// ImportPast is a file of before.
type ImportPast struct {
	URL    string
	File   string
	What   string
	When   string
	Status CampaignStatus
}

// ImportView is one file: what it would do, what it is doing, or what it did.
type ImportView struct {
	Desk    DeskView
	ListURL string
	File    string
	What    string // "Tiendas", "Productos y marcas"
	By      string
	Status  CampaignStatus
	Live    string
	Every   int // seconds; 0 where nothing changes any more
	Counts  []AdminCount
	Ignored []string
	Ready   bool
	Working bool
	Done    int
	ToDo    int
	Failed  int

	ApplyAction   string // "" where there is nothing to apply
	ApplyLabel    string
	DiscardAction string

	Tabs    []OutboxFilter
	Columns []string
	Rows    []ImportLine
	More    int // rows that are not shown
	Wrongs  Files
}

// ImportLine is a row of the file.
type ImportLine struct {
	Line   int
	Plan   CampaignStatus
	Cells  []string
	Wrongs []ImportWrong
	Notes  []string
}

// ImportWrong is what is wrong with a cell.
type ImportWrong struct {
	Column string
	Reason string
}

// Imports renders the page of files.
func (s *Set) Imports(w io.Writer, v ImportsView) error { return s.render(w, "imports", "layout", v) }

// Import renders the page of one file.
func (s *Set) Import(w io.Writer, v ImportView) error { return s.render(w, "import", "layout", v) }

// ImportLive renders the part of it that changes.
func (s *Set) ImportLive(w io.Writer, v ImportView) error { return s.render(w, "import", "live", v) }
