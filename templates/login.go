package templates

import "io"

// LoginView is the door of brands and admins. The form posts email, password,
// and next to Action.
type LoginView struct {
	Action string
	Next   string
	Email  string // as typed, after an error
	Error  string
	Hint   string // demo logins; empty in production
}

// Login renders the page.
func (s *Set) Login(w io.Writer, v LoginView) error { return s.render(w, "login", "layout", v) }
