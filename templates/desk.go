package templates

// DeskView is the frame of the pages on which people of brands, of shops and of
// Qoa work: who is there, and where one can go.
type DeskView struct {
	Place        string // "Bebidas del Valle", "Operación", "Abarrotes Lupita"
	User         string
	HomeURL      string
	LogoutAction string
	CSRF         string
	Links        []DeskLink
}

// DeskLink leads to a page of the desk.
type DeskLink struct {
	Name string
	URL  string
	Here bool
}
