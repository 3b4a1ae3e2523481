package templates

import (
	"io"
	"time"
)

// ScanView is the tendero's page /tienda. Everything works as plain forms; the
// script only makes them quicker.
//
// The sale form posts to Action: key (idempotency), shop (code), code
// (card or evidence, also as a URL), scanned (the code that a scan brought to the
// page, which makes it no typed one), qty_<gtin> and price_<gtin> (pesos, may be
// empty) for each product, and gtin, gtin_qty, gtin_price for one typed or read
// by a barcode reader. The delivery form posts to DeliverAction: key,
// shop, code (R…). The same page is rendered as the answer.
//
// The script posts the same fields and asks for JSON; what the phone keeps until
// there is a network it posts later, with at (RFC 3339), the sale's own time.
type ScanView struct {
	Tendero  string    // first name; may be empty
	Owner    string    // whose sales the phone may keep: who else enters there does not send them
	Now      time.Time // by our clock: a phone's own may be wrong
	Shop     ScanShop
	Shops    []ScanShop // all of this tendero; chosen by GET /tienda?shop=CODE
	PageURL  string     // /tienda
	Action   string
	Key      string // fresh after a recorded sale, the same after an error
	Code     string // as typed, after an error
	Scanned  string // the code that was scanned to open the page
	Links    []DeskLink
	Products []ScanProduct

	OtherGTIN  string
	OtherQty   int
	OtherPrice string

	Result *ScanResult
	Today  ScanToday

	DeliverAction string
	DeliverKey    string
	DeliverCode   string
	Delivered     *ScanResult

	QRURL        string
	PosterURL    string
	LogoutAction string
}

// ScanShop is one shop of the tendero.
type ScanShop struct {
	Code  string
	Name  string
	Place string
}

// ScanProduct is a participating product as a big button.
type ScanProduct struct {
	GTIN       string
	Name       string
	Picture    string // address; "" draws the emblem
	Earn       string // "1 sello"
	PriceCents int64  // reference price, shown as the hint of the price field
	Quantity   int    // as typed, after an error
	Price      string // as typed, after an error
}

// ScanResult is the answer to a form: green or red, one glance.
type ScanResult struct {
	OK     bool
	Title  string // "Venta guardada", "Ese código ya se usó"
	Detail string
	Earned []ScanEarned
	Waits  []string // what the customer must confirm: "1 sello en Junta 10"
	Notes  []string // why less was given than the rules say
	Undo   *ScanUndo
}

// ScanUndo takes a sale back that was just made: a form of its own, for so long.
type ScanUndo struct {
	Action  string
	Shop    string // its code
	Seconds int    // that are left
}

// ScanEarned is what one campaign gave, and where the card stands now.
type ScanEarned struct {
	Campaign string
	Stamps   bool
	Amount   int
	Balance  int
	Goal     int
	Ready    bool
}

// Unit is what was given, in the number of Amount.
func (e ScanEarned) Unit() string { return CardBalance{Stamps: e.Stamps}.Unit(e.Amount) }

// Filled is the balance inside the bar's ends.
func (e ScanEarned) Filled() int { return min(max(e.Balance, 0), e.Full()) }

// Full is the end of the bar, never zero.
func (e ScanEarned) Full() int { return max(e.Goal, 1) }

// ScanToday is the day so far in this shop.
type ScanToday struct {
	Sales       int
	Stamps      int
	Points      int
	Redemptions int
	Last        []ScanSale // newest first, a handful
	AllURL      string     // of all of today's
}

// ScanSale is one line of today.
type ScanSale struct {
	URL     string // where it can be taken back
	At      time.Time
	Items   string
	Earned  string
	Pending bool // its customer is to confirm it
	Undone  bool // taken back whole
}

// Scan renders the page.
func (s *Set) Scan(w io.Writer, v ScanView) error { return s.render(w, "scan", "layout", v) }

// ScanResult renders an answer alone, for the page's script.
func (s *Set) ScanResult(w io.Writer, v *ScanResult) error {
	return s.render(w, "scan", "scan_result", v)
}

// ScanToday renders the day so far alone, for the page's script.
func (s *Set) ScanToday(w io.Writer, v ScanToday) error { return s.render(w, "scan", "scan_today", v) }

// ScanLoginView tells a tendero how to enter: there is no password, the phone is
// the key.
type ScanLoginView struct {
	WhatsAppURL string // opens the chat with the text "hola"
	Number      string // the bot's number, to be read
}

// ScanLogin renders the page.
func (s *Set) ScanLogin(w io.Writer, v ScanLoginView) error {
	return s.render(w, "scan_login", "layout", v)
}
