package templates

import "io"

// PasswordView is where staff choose or change their password. It posts old
// where AskOld, password and again to Action. What was typed never comes back.
type PasswordView struct {
	Desk   DeskView // the zero value where nobody has entered yet
	Title  string
	Intro  string
	Flash  string
	Action string
	Submit string
	AskOld bool
	Old    string // what is wrong with it
	New    string
	Again  string
}

// Password renders the page.
func (s *Set) Password(w io.Writer, v PasswordView) error {
	return s.render(w, "password", "layout", v)
}
