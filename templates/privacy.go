package templates

import (
	"io"
	"time"
)

// PrivacyView is the aviso de privacidad. Who is responsible is configuration:
// the operator's name, address and mailbox.
type PrivacyView struct {
	Responsible string
	Address     string
	Contact     string // mail address for ARCO requests
	WhatsAppURL string
	Version     string
	Date        time.Time
}

// Privacy renders the page.
func (s *Set) Privacy(w io.Writer, v PrivacyView) error { return s.render(w, "privacy", "layout", v) }
