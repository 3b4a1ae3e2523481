package templates

import (
	"io"
	"time"
)

// ReordersView lists what tenderos want to buy again. The form is a GET to
// PageURL with shop_id, product_id, from and to.
type ReordersView struct {
	Desk     DeskView
	PageURL  string
	Shops    []FormOption
	Products []FormOption
	From, To string // as they were typed
	Wrong    FormError
	Filtered bool
	Figures  []Figure
	ByShop   ResultTable
	ByProd   ResultTable
	Reorders []BrandReorder
	Files    Files
	NextURL  string
}

// BrandReorder is a tendero's PEDIR.
type BrandReorder struct {
	At       time.Time
	Shop     string
	City     string
	Product  string
	Note     string // as the tendero wrote it; may be empty
	Quantity int
}

// Reorders renders the page.
func (s *Set) Reorders(w io.Writer, v ReordersView) error {
	return s.render(w, "brand_reorders", "layout", v)
}
