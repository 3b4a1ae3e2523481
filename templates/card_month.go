package templates

import (
	"html/template"
	"io"
	"time"
)

// CardMonthView is one month of a card's history. Without scripts its links lead
// from month to month; with them an older one is put below.
type CardMonthView struct {
	BackURL string // the card's page, a secret
	Month   time.Time
	Totals  []CardTotal
	Lines   []CardPurchase
	Full    bool // there is more than the lines tell

	OlderURL, NewerURL string // "" where there is none
	Older, Newer       time.Time
}

// CardTotal is what a month brought or took in one way.
type CardTotal struct {
	Name  string   // "Ganaste"
	Much  []string // "12 sellos", "30 puntos"
	Minus bool
}

// CardMonth renders the page.
func (s *Set) CardMonth(w io.Writer, v CardMonthView) error {
	return s.render(w, "card_month", "layout", v)
}

// Movements are the lines as the card's page writes them.
func (v CardMonthView) Movements(gift template.HTML) template.HTML { return movements(v.Lines, gift) }

// viewMonth is a month in words: "noviembre de 2026".
func viewMonth(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return monthName(t.Month()) + t.Format(" de 2006")
}
