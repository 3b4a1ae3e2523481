package templates

import (
	"io"
	"time"
)

// OutboxView is what goes out and what did not get through: messages by state,
// and messages of people that were set aside. It shows no text and of a phone
// the last digits alone.
type OutboxView struct {
	Desk     DeskView
	Flash    string
	Error    string
	Counts   []AdminCount
	Filters  []OutboxFilter
	Sieve    []FormField // a GET form to Action
	Action   string
	Filtered bool
	Reasons  []OutboxReason
	Letters  []OutboxLetter
	Parked   []OutboxParked
	Inbox    bool // the messages shown are those that were set aside
	NextURL  string
	FirstURL string // "" on the first page
}

// OutboxReason is why messages failed. Sending all of them again posts
// problem to Action.
type OutboxReason struct {
	Problem string
	Count   int64
	Latest  time.Time
	URL     string // to those messages
	Action  string
}

// OutboxFilter leads to the messages of one state.
type OutboxFilter struct {
	Name string
	URL  string
	Here bool
}

// OutboxLetter is a message of ours. Sending it again posts to AgainAction.
type OutboxLetter struct {
	What        string // "Respuesta", "Recordatorio"
	Template    string // key of its text; "" where it has none
	To          string // "…4567"
	Number      string // label of the number that sends it
	Status      OutboxStatus
	Steps       []OutboxStep
	DueAt       time.Time // when it is tried; zero where it is not waiting
	Attempts    int
	Problem     string
	AgainAction string
}

// OutboxStatus is a state in words; Tone is a class of pills.
type OutboxStatus struct{ Word, Tone string }

// OutboxStep is one of queued, sent, delivered, read.
type OutboxStep struct {
	Word string
	At   time.Time // zero where it is not reached, or nobody noted when
	Done bool
}

// OutboxParked is a message of somebody that made the conversation fail.
type OutboxParked struct {
	What        string // "Texto", "Imagen"
	From        string // "…4567"
	At          time.Time
	Attempts    int
	Problem     string
	AgainAction string
}

// Outbox renders the page.
func (s *Set) Outbox(w io.Writer, v OutboxView) error { return s.render(w, "outbox", "layout", v) }
