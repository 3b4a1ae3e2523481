package templates

import (
	"io"
	"time"
)

// CardDataView is where a consumer says what may be written and kept.
type CardDataView struct {
	BackURL        string // the card's page, a secret
	PrivacyURL     string
	MessagesAction string // POST: field messages (si or no)
	EraseAction    string // POST: field word, which must be EraseWord

	Messages bool // the bot may write first
	Log      []CardConsent
	Flash    string
	Wrong    bool // what was written was not EraseWord
}

// EraseWord is what one writes to be forgotten: nobody does that by mistake.
const EraseWord = "BORRAR"

// EraseWord is for the page.
func (CardDataView) EraseWord() string { return EraseWord }

// CardConsent is one thing that was agreed to or withdrawn.
type CardConsent struct {
	At   time.Time
	Text string
}

// CardData renders the page.
func (s *Set) CardData(w io.Writer, v CardDataView) error {
	return s.render(w, "card_data", "layout", v)
}
