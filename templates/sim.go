package templates

import "io"

// SimView is the simulator /sim: a phone on which anyone can be anyone. The page
// reads ?phone= and ?text= itself.
type SimView struct {
	BotName     string
	People      []SimPerson
	Shops       []SimShop
	MessagesURL string // GET ?phone=&after=, POST {from,text,id}
}

// SimPerson is someone of the demo data to be.
type SimPerson struct {
	Phone string // +52…
	Name  string
	Role  string // "tendero", "marca", "consumidor"
	Note  string // "Abarrotes Lupita"
}

// SimShop is a counter QR of the demo data to be scanned.
type SimShop struct {
	Name   string
	Code   string
	Phrase string // what the QR makes the phone write
}

// Sim renders the page.
func (s *Set) Sim(w io.Writer, v SimView) error { return s.render(w, "sim", "layout", v) }
