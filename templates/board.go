package templates

import (
	"html/template"
	"io"
	"time"
)

// BoardView is a page of the backoffice that lists things of one kind, each with
// what is known of it and what can be done with it.
type BoardView struct {
	Desk     DeskView
	Title    string
	Intro    string
	Back     *DeskLink // where it belongs
	Flash    string
	Error    string
	NewURL   string
	NewLabel string
	Secret   *BoardSecret
	Counts   []AdminCount
	Tabs     []OutboxFilter
	TabsName string
	Filters  []FormField // a GET form to Action
	Action   string
	Post     bool   // the form is a POST: what is looked for belongs into no address
	List     string // the list's own address, where Action is another
	Filtered bool   // it shows only some
	Bulk     *BoardAct
	Parts    []BoardPart
	Files    Files
	NextURL  string
	FirstURL string
	NextName string // "Más antiguos"
	Live     string // address of the part that renews itself; "" where none does
	Every    int    // milliseconds
}

// BoardSecret is what is shown this once.
type BoardSecret struct {
	Title string
	Body  string
	Text  string // to be copied
	QR    template.HTML
	URL   string // a chat in which it can be sent; "" for none
	Label string
}

// BoardPart is a list with a heading of its own, "" where the page's is enough.
type BoardPart struct {
	Title string
	Icon  string
	Intro string
	Rows  []BoardRow
	Empty string
	More  *DeskLink
}

// BoardRow is one thing.
type BoardRow struct {
	Name   string
	URL    string
	Sub    string
	At     time.Time // of what happened then
	State  OutboxStatus
	Facts  []BoardFact
	Diff   []BoardDiff
	Note   string // in somebody's own words
	Wrong  string // what is wrong
	Advice string // what to do about it
	Rename string // the form of its name; "" where there is none
	Acts   []BoardAct
}

// BoardFact is something known of it.
type BoardFact struct {
	Name string
	Text string
	Code bool
	At   time.Time
}

// BoardDiff is what changed of it.
type BoardDiff struct{ Name, Was, Now string }

// BoardAct is something to be done: it posts its fields to Action.
type BoardAct struct {
	Label  string
	About  string // of what, for who does not see the row
	Action string
	Fields []ConfirmField
	Danger bool
}

// Board renders the page.
func (s *Set) Board(w io.Writer, v BoardView) error { return s.render(w, "board", "layout", v) }

// BoardLive renders the part that renews itself.
func (s *Set) BoardLive(w io.Writer, v BoardView) error { return s.render(w, "board", "live", v) }
