package templates

import (
	"io"
	"time"
)

// ChatView is one person's conversation, the oldest message shown first. Of the
// phone there are the last digits, and no link of the person's works.
type ChatView struct {
	Desk   DeskView
	Back   string
	Flash  string
	Error  string
	Name   string
	Card   string
	Phone  string // "…1234"
	Facts  []BoardFact
	Cases  []BoardRow
	Lines  []ChatLine
	Older  string // address of what was before; "" for none
	Newest string
}

// ChatLine is one message. AgainAction posts back.
type ChatLine struct {
	Day         bool // the first of its day
	At          time.Time
	Ours        bool
	Kind        string // "Foto"; "" for a text
	Text        string
	Status      OutboxStatus
	Problem     string
	Picture     string // addresses of a file that was kept
	Audio       string
	Video       string
	File        string
	Note        string // of a file that is not there
	AgainAction string
	Again       string // text of the button
}

// Chat renders the page.
func (s *Set) Chat(w io.Writer, v ChatView) error { return s.render(w, "chat", "layout", v) }
