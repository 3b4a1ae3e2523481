package templates

import (
	"html/template"
	"io"
)

// CatalogueView lists companies, brands, products or shops. The filter is a GET
// form to Action.
type CatalogueView struct {
	Desk     DeskView
	Title    string
	Intro    string
	Flash    string
	Error    string
	NewURL   string
	NewLabel string
	Import   string // where files are imported; "" where there is nothing to import
	Files    Files
	Action   string
	Filters  []FormField
	Filtered bool   // it shows only some
	Total    string // "512 tiendas"; may be empty
	Items    []CatalogueLine
	Empty    string // what such things are, where there is none
	Posters  *CataloguePosters
	NextURL  string
	FirstURL string
}

// CatalogueLine is one thing of a list.
type CatalogueLine struct {
	ID      string
	URL     string
	Name    string
	Sub     string
	Facts   []string
	Picture string // address; "" draws the emblem
	Off     string // "desactivada"; "" where it is active
}

// CataloguePosters is the form that prints posters of the shops of the list: it
// posts which ("picked", with shop, or "all", with Filter), and as (pdf or
// zip) to Action.
type CataloguePosters struct {
	Action string
	All    int // shops of the filter
	Most   int
	Filter []ConfirmField
}

// CatalogueItemView is one thing of the catalogue with what can be done with it.
type CatalogueItemView struct {
	Desk     DeskView
	List     string // its name
	ListURL  string
	Name     string
	Sub      string
	Flash    string
	Error    string
	Active   bool
	State    string // "activa", "desactivado"
	EditURL  string
	Facts    []CatalogueFact
	Links    []DeskLink // what belongs to it
	Picture  *CataloguePicture
	Shop     *CatalogueShop
	Switch   string // where it is deactivated, or reactivated: posts active (0 or 1)
	Inactive string // what being deactivated means
}

// CatalogueFact is a line of what is known.
type CatalogueFact struct {
	Name string
	Text string
	URL  string
	Code bool
}

// CataloguePicture is the picture of a product. A file is posted to Action as
// picture; remove=1 takes the picture away.
type CataloguePicture struct {
	URL    string // "" where there is none
	Action string
	Error  string
}

// CatalogueShop is what a shop has beside its data.
type CatalogueShop struct {
	QR        template.HTML
	QRURL     string
	PosterURL string
	Counts    []AdminCount
	Chart     template.HTML
	Tenderos  []CatalogueTendero
	MoreURL   string // all tenderos
	Sales     []ScanSale
}

// CatalogueTendero is who keeps a shop.
type CatalogueTendero struct {
	Name   string
	URL    string // their conversation
	Phone  string // its last digits
	Active bool
}

// Catalogue renders a list.
func (s *Set) Catalogue(w io.Writer, v CatalogueView) error {
	return s.render(w, "catalogue", "layout", v)
}

// CatalogueItem renders the page of one thing.
func (s *Set) CatalogueItem(w io.Writer, v CatalogueItemView) error {
	return s.render(w, "catalogue_item", "layout", v)
}
