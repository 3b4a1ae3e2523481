package templates

import (
	"io"
	"time"
)

// SalesView lists today's sales of one shop.
type SalesView struct {
	Desk    DeskView
	Shop    ScanShop
	Shops   []ScanShop // of the tendero; chosen by GET
	PageURL string
	Sales   []ScanSale
}

// Sales renders the page.
func (s *Set) Sales(w io.Writer, v SalesView) error { return s.render(w, "sales", "layout", v) }

// SaleView is one sale, with the form that takes it back: key, reason, and
// qty_<gtin> for each product.
type SaleView struct {
	Desk    DeskView
	Back    string
	Shop    string
	At      time.Time
	Total   int64
	Pending bool
	Undone  bool
	Items   []SaleItem
	Earned  []string
	Returns []SaleReturn
	Action  string // "" where nothing is left to take back
	Key     string
	Reason  string // as typed, after an error
	Result  *ScanResult
}

// SaleItem is one product of it.
type SaleItem struct {
	GTIN     string
	Name     string
	Sold     int64
	Left     int64  // that did not come back
	Quantity string // as typed, after an error; else all that is left
}

// SaleReturn is what was taken back.
type SaleReturn struct {
	Items  string
	Taken  string // "−2 sellos en Junta 10 (quedan −1)"
	Reason string
}

// Sale renders the page.
func (s *Set) Sale(w io.Writer, v SaleView) error { return s.render(w, "sale", "layout", v) }
