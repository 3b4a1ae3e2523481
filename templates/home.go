package templates

import "io"

// HomeView is the front door. Doors and Demo are shown in development; a public
// installation leaves them empty and keeps the explanation.
type HomeView struct {
	WhatsAppURL string
	PrivacyURL  string
	Doors       []HomeDoor
	Demo        []HomeLogin
}

// HomeDoor is one front of the product.
type HomeDoor struct {
	Icon string // a name of the icon set
	Name string
	Text string
	URL  string
}

// HomeLogin is a demo login, shown only where fixed secrets are allowed.
type HomeLogin struct {
	Who      string
	Login    string
	Password string
}

// Home renders the page.
func (s *Set) Home(w io.Writer, v HomeView) error { return s.render(w, "home", "layout", v) }
