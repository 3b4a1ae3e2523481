package templates

import (
	"io"
	"time"
)

// AdminView is the operator's page /admin. Job forms post to their Action.
type AdminView struct {
	Desk      DeskView
	Flash     string // after a job was run: "Se enviarán 12 mensajes."
	Counts    []AdminCount
	Health    []AdminHealth
	Jobs      []AdminJob
	Shops     []AdminShop
	Problems  []AdminProblem // last outbox rows in trouble
	Cases     []AdminCase    // open, the oldest first
	MoreCases bool           // there are more than are shown
}

// AdminCount is one number of the whole system.
type AdminCount struct {
	Label string
	Value int64
}

// AdminHealth is one dependency; State is ok, degraded or down.
type AdminHealth struct {
	Name   string
	State  string
	Detail string
}

// Word is the state in Spanish.
func (h AdminHealth) Word() string {
	switch h.State {
	case "ok":
		return "bien"
	case "degraded":
		return "con fallas"
	case "down":
		return "caído"
	}
	return h.State
}

// AdminJob is a run-now button.
type AdminJob struct {
	Name    string
	Explain string
	Action  string
	LastRun time.Time
}

// AdminShop is one shop with what is printed for it.
type AdminShop struct {
	Name      string
	Code      string
	City      string
	Kind      string
	Active    bool
	Tenderos  int
	Consumers int
	QRURL     string
	PosterURL string
}

// AdminProblem is a message that could not be delivered. It names no phone.
type AdminProblem struct {
	At       time.Time
	Kind     string
	State    string
	Attempts int
	Error    string
}

// AdminCase is what somebody waits for a human with. It names no phone: the card
// stands for the person. Closing posts csrf to CloseAction.
type AdminCase struct {
	At          time.Time
	Age         string // "hace 3 días"
	Folio       string // as the person was told
	Kind        string
	Note        string
	Card        string // code; may be empty
	CloseAction string
}

// Admin renders the page.
func (s *Set) Admin(w io.Writer, v AdminView) error { return s.render(w, "admin", "layout", v) }
