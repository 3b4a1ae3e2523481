package templates

// DeskView is the frame of the pages on which people of brands, of shops and of
// Qoa work: who is there, and where one can go.
type DeskView struct {
	Place        string // "Bebidas del Valle", "Operación", "Abarrotes Lupita"
	User         string
	HomeURL      string
	AccountURL   string // where who is there changes their password; "" for who has none
	LogoutAction string
	Links        []DeskLink  // as tabs, where there are few pages
	Menu         []DeskGroup // where there are many
}

// Here is the page that is shown, "" where the menu has none.
func (v DeskView) Here() string {
	for _, g := range v.Menu {
		for _, l := range g.Links {
			if l.Here {
				return l.Name
			}
		}
	}
	return ""
}

// DeskGroup is a part of the menu. One without a name stands above the others.
type DeskGroup struct {
	Name  string
	Icon  string
	Links []DeskLink
}

// DeskLink leads to a page of the desk.
type DeskLink struct {
	Name string
	URL  string
	Here bool
}
