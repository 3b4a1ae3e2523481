package templates

import (
	"html/template"
	"io"
	"strconv"
	"time"
)

// CardView is the consumer's own card page, opened by the chat link. All times
// are in the zone in which they are to be shown.
type CardView struct {
	Name        string        // first name; may be empty
	CardCode    string        // the universal card, with or without its dash
	QR          template.HTML // QRSVG of the bare card URL
	WhatsAppURL string        // back to the chat
	PrivacyURL  string

	EventsURL   string // Server-Sent Events; "changed" asks for the fragment
	FragmentURL string // answers with CardFragment

	EvidenceAction string // POST: issues an evidence code
	RedeemAction   string // POST: fields campaign, reward, key
	EnrollAction   string // POST: field campaign
	FormKey        string // idempotency key of the forms on this rendering
	CSRF           string

	Flash       string // one sentence after a POST, such as an error
	Evidence    *CardEvidence
	Redemptions []CardRedemption // requested, not yet delivered
	Wallet      []CardShop
	History     []CardPurchase
}

// CardEvidence is a live evidence code.
type CardEvidence struct {
	Code    string
	Expires time.Time
}

// CardRedemption is a reward on its way over the counter.
type CardRedemption struct {
	Code    string // R…
	Reward  string
	Where   string // the shop that delivers; may be empty
	Expires time.Time
}

// CardShop is one card of the wallet: membership with a shop or a brand.
type CardShop struct {
	Name      string
	Place     string // neighbourhood and city, what tells two "Lupita" apart
	Campaigns []CardCampaign
}

// CardCampaign is what one campaign holds for the consumer.
type CardCampaign struct {
	ID       string // campaign ID, sent back by the redeem form
	Name     string
	Brand    string
	Stamps   bool // else points
	Join     bool // begins only when the consumer asks for it
	Balance  int  // goes on past Goal; negative after a reversal
	Goal     int
	Earn     string   // "1 sello por cada pieza"
	Products []string // participating
	Where    []string // participating shops, nearest first
	Until    time.Time
	Rewards  []CardReward // by threshold
}

// CardReward is one thing to be had.
type CardReward struct {
	ID      string
	Name    string
	Cost    int // stamps or points
	SoldOut bool
}

// CardPurchase is one line of the history: a purchase, or a reward that was taken.
type CardPurchase struct {
	At       time.Time
	Reward   bool
	Shop     string   // empty for a reward that waits at the counter
	Items    []string // "2 × Coca-Cola 600 ml"
	Earned   []string // "+2 sellos"
	Pending  bool
	Reversed bool
}

// Card renders the whole page.
func (s *Set) Card(w io.Writer, v CardView) error { return s.render(w, "card", "layout", v) }

// CardFragment renders the inside of <main>: what card.js puts in place when
// something changed.
func (s *Set) CardFragment(w io.Writer, v CardView) error { return s.render(w, "card", "main", v) }

// maxDrawnGoal is the largest goal drawn stamp by stamp; beyond it a bar says
// more than a wall of circles.
const maxDrawnGoal = 20

// Drawn tells whether stamps are drawn one by one.
func (c CardCampaign) Drawn() bool { return c.Stamps && c.Goal > 0 && c.Goal <= maxDrawnGoal }

// Slots are the places of the stamp grid, left to right.
func (c CardCampaign) Slots() []CardSlot {
	slots := make([]CardSlot, c.Goal)
	for i := range slots {
		slots[i] = CardSlot{Number: i + 1, Filled: i < c.Balance, Last: i == c.Goal-1, Tilt: (i*37)%25 - 12}
	}
	return slots
}

// CardSlot is one place of the grid. Tilt is a few degrees, so that a row looks
// stamped by hand; it depends on the place alone, so that it never jumps.
type CardSlot struct {
	Number int
	Filled bool
	Last   bool
	Tilt   int
}

// Columns is the number of stamps in a row that leaves no ragged end.
func (c CardCampaign) Columns() string {
	n := 5
	switch {
	case c.Goal <= 5:
		n = c.Goal
	case c.Goal%5 == 0:
	case c.Goal%4 == 0:
		n = 4
	case c.Goal%6 == 0:
		n = 6
	case c.Goal%3 == 0 && c.Goal < 12:
		n = 3
	}
	return "cols-" + strconv.Itoa(n)
}

// Unit is what the campaign gives, in the number of n.
func (c CardCampaign) Unit(n int) string {
	switch {
	case c.Stamps && n == 1:
		return "sello"
	case c.Stamps:
		return "sellos"
	case n == 1:
		return "punto"
	}
	return "puntos"
}

// Ready are the rewards that can be asked for now.
func (c CardCampaign) Ready() []CardReward {
	var ready []CardReward
	for _, r := range c.Rewards {
		if c.Balance >= r.Cost && !r.SoldOut {
			ready = append(ready, r)
		}
	}
	return ready
}

// Next is what the bar leads to: the first reward out of reach, or the campaign's
// goal where there is none.
func (c CardCampaign) Next() CardReward {
	for _, r := range c.Rewards {
		if r.Cost > c.Balance {
			return r
		}
	}
	if n := len(c.Rewards); n > 0 {
		return c.Rewards[n-1]
	}
	return CardReward{Cost: c.Goal}
}

// Missing is how much the next reward still takes, zero when nothing.
func (c CardCampaign) Missing() int { return max(c.Next().Cost-c.Balance, 0) }

// Filled is the balance as the bar shows it, inside the bar's ends.
func (c CardCampaign) Filled() int { return min(max(c.Balance, 0), max(c.Next().Cost, 1)) }

// Full is the end of the bar, never zero.
func (c CardCampaign) Full() int { return max(c.Next().Cost, 1) }

// Debt is how far a reversal left the balance below zero.
func (c CardCampaign) Debt() int { return max(-c.Balance, 0) }

// Progress is the balance as a sentence: the label of the drawing for those who
// hear the page, and what is announced when it changes.
func (c CardCampaign) Progress() string {
	text := c.Name + ": " + viewNumber(c.Balance) + " " + c.Unit(c.Balance)
	if c.Goal > 0 {
		text = c.Name + ": " + viewNumber(c.Balance) + " de " + viewNumber(c.Goal) + " " + c.Unit(c.Goal)
	}
	if len(c.Ready()) > 0 {
		text += ". ¡Ya tienes tu premio!"
	}
	return text
}

// AnyReady tells whether some reward waits to be asked for.
func (v CardView) AnyReady() bool {
	for _, shop := range v.Wallet {
		for _, c := range shop.Campaigns {
			if len(c.Ready()) > 0 {
				return true
			}
		}
	}
	return false
}
