package templates

import "io"

// CardPublicView is what a stranger sees who opens a card's bare URL: nothing of
// the card's owner, not even whether there is one.
type CardPublicView struct {
	CardCode    string // as asked for; it is in the URL anyway
	WhatsAppURL string // makes one's own card
	ShopURL     string // the scan page, for the tendero who scanned with the camera
	PrivacyURL  string
}

// CardPublic renders the page.
func (s *Set) CardPublic(w io.Writer, v CardPublicView) error {
	return s.render(w, "card_public", "layout", v)
}
