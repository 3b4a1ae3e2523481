package templates

import (
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
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
	At          time.Time // of what the page says

	SiteURL     string // before a path, for who has to copy an address
	OwnURL      string // the page's own path, a secret
	ManifestURL string
	HistoryURL  string // month by month
	DataURL     string // messages, and what is kept
	EventsURL   string // Server-Sent Events; "changed" asks for the fragment
	FragmentURL string // answers with CardFragment

	EvidenceAction string // POST: issues an evidence code
	RedeemAction   string // POST: fields reward, enrollment, key
	CancelAction   string // POST: field code; gives a requested reward back
	ConfirmAction  string // POST: fields purchase, answer (si or no)
	EnrollAction   string // POST: field campaign

	Flash       string // one sentence after a POST, such as an error
	Evidence    *CardEvidence
	Redemptions []CardRedemption // requested, not yet delivered
	Waiting     []CardPending    // purchases that ask for a yes
	Wallet      []CardShop
	Also        []CardShop // where what is in the wallet counts as well
	History     []CardPurchase
}

// CardEvidence is a live evidence code.
type CardEvidence struct {
	Code    string
	Expires time.Time
}

// CardRedemption is a reward on its way over the counter.
type CardRedemption struct {
	Code     string        // R…
	QR       template.HTML // QRSVG of the code
	Reward   string
	Campaign string
	Where    []string // shops of the consumer's that deliver it
	Expires  time.Time
}

// CardShop is one card of the wallet: membership with a shop or a brand.
type CardShop struct {
	Name      string
	Place     string // neighbourhood and city, what tells two "Lupita" apart
	ShareURL  string // the path on the shop's counter, which anybody may know; empty for a brand's
	Campaigns []CardCampaign
}

// CardPending is a purchase that earns only after the consumer's yes.
type CardPending struct {
	ID    string
	At    time.Time
	Shop  string
	Items []string
	Gives []string // "1 sello en Junta 10"
}

// CardCampaign is what one campaign holds for the consumer.
type CardCampaign struct {
	ID       string // campaign ID, sent back by the form that joins
	Name     string
	Brand    string
	Shop     string   // where it counts for this shop alone
	Join     bool     // begins only when the consumer asks for it
	Earn     string   // "1 sello por cada pieza"
	Products []string // participating
	Where    []string // participating shops, nearest first
	Until    time.Time
	Tier     *CardTier
	Balances []CardBalance // the one that the card is about first
}

// CardTier is where the consumer stands in the campaign's levels.
type CardTier struct {
	Name     string // "" below the first
	Discount string
	AtRisk   string // the day on which it is lost, in words; "" where it is safe
	Next     string // to be reached, or kept
	Missing  string // "Te falta 1 compra o $50.00 de compra"
}

// CardBalance is what a campaign holds in sellos or in puntos.
type CardBalance struct {
	ID         string // unique on the page
	Campaign   string // its name, for those who hear the page
	Enrollment string // that pays, sent back by the redeem form
	Stamps     bool   // else points
	Balance    int    // goes on past Goal; negative after a reversal
	Goal       int
	Pending    int // that waits for a yes
	Expiring   int // of it ends at ExpiresAt
	ExpiresAt  time.Time
	Rewards    []CardReward // by threshold
}

// CardReward is one thing to be had.
type CardReward struct {
	ID     string
	Name   string
	Cost   int    // stamps or points
	Locked bool   // it cannot be asked for now
	Why    string // what keeps it locked, where that is not the balance alone
}

// CardPurchase is one line of the history: a purchase, a reward that was taken, or
// what else became of a balance.
type CardPurchase struct {
	At       time.Time
	What     string // in front of all else, where it is neither a purchase nor a reward
	Less     bool   // it took something
	Note     string // what became of it since
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

// CardPreview draws cards as their consumer would see them, for who makes the
// campaigns. What is to be pressed on them leads nowhere.
func (s *Set) CardPreview(wallet ...CardShop) (template.HTML, error) {
	var b strings.Builder
	if err := s.render(&b, "card", "stamps", nil); err != nil {
		return "", err
	}
	err := s.render(&b, "card", "wallet", CardView{Wallet: wallet})
	return template.HTML(b.String()), err //nolint:gosec // what our own template made
}

// maxDrawnGoal is the largest goal drawn stamp by stamp; beyond it a bar says
// more than a wall of circles.
const maxDrawnGoal = 20

// Drawn tells whether stamps are drawn one by one.
func (c CardBalance) Drawn() bool { return c.Stamps && c.Goal > 0 && c.Goal <= maxDrawnGoal }

// Slots are the places of the stamp grid, left to right.
func (c CardBalance) Slots() []CardSlot {
	slots := make([]CardSlot, c.Goal)
	for i := range slots {
		slots[i] = CardSlot{Number: i + 1, Filled: i < c.Balance, Last: i == c.Goal-1, Tilt: (i*37)%25 - 12}
	}
	return slots
}

// Stamped are the slots as they are drawn. Like the movements, they are written by
// hand; there is nothing in them but numbers.
func (c CardBalance) Stamped() template.HTML {
	b := make([]byte, 0, 120*c.Goal)
	for _, slot := range c.Slots() {
		b = append(b, `<div class="slot">`...)
		switch {
		case slot.Filled:
			b = append(b, `<svg class="on" viewBox="0 0 48 48"><use href="#st" transform="rotate(`...)
			b = append(strconv.AppendInt(b, int64(slot.Tilt), 10), ` 24 24)"/></svg>`...)
		case slot.Last:
			b = append(b, `<svg viewBox="0 0 48 48"><use href="#pz"/></svg>`...)
		default:
			b = append(b, `<svg viewBox="0 0 48 48"><use href="#em"/></svg><span>`...)
			b = append(strconv.AppendInt(b, int64(slot.Number), 10), `</span>`...)
		}
		b = append(b, `</div>`...)
	}
	return template.HTML(b) //nolint:gosec // numbers and constants only
}

// CardSlot is one place of the grid. Tilt is a few degrees, so that a row looks
// stamped by hand; it depends on the place alone, so that it never jumps.
type CardSlot struct {
	Number int
	Filled bool
	Last   bool
	Tilt   int
}

// OfGoal tells whether the balance is said as a part of the goal.
func (c CardBalance) OfGoal() bool { return c.Drawn() && c.Balance <= c.Goal }

// Columns is the number of stamps in a row that leaves no ragged end.
func (c CardBalance) Columns() string {
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
func (c CardBalance) Unit(n int) string {
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
func (c CardBalance) Ready() []CardReward {
	var ready []CardReward
	for _, r := range c.Rewards {
		if !r.Locked {
			ready = append(ready, r)
		}
	}
	return ready
}

// Next is what the bar leads to: the first reward that only the balance keeps out
// of reach, or the campaign's goal where there is none.
func (c CardBalance) Next() CardReward {
	for _, r := range c.Rewards {
		if r.Cost > c.Balance && r.Why == "" {
			return r
		}
	}
	if n := len(c.Rewards); n > 0 {
		return c.Rewards[n-1]
	}
	return CardReward{Cost: c.Goal}
}

// Lacks says how much the balance lacks of a cost; "" where it lacks nothing.
func (c CardBalance) Lacks(cost int) string {
	n := cost - c.Balance
	switch {
	case n <= 0:
		return ""
	case n == 1:
		return "Te falta 1 " + c.Unit(1)
	}
	return "Te faltan " + viewNumber(n) + " " + c.Unit(n)
}

// Toward is how far the balance has come on the way to a cost.
func (c CardBalance) Toward(cost int) int { return min(max(c.Balance, 0), cost) }

// Missing is how much the next reward still takes, zero when nothing.
func (c CardBalance) Missing() int { return max(c.Next().Cost-c.Balance, 0) }

// Filled is the balance as the bar shows it, inside the bar's ends.
func (c CardBalance) Filled() int { return min(max(c.Balance, 0), max(c.Next().Cost, 1)) }

// Full is the end of the bar, never zero.
func (c CardBalance) Full() int { return max(c.Next().Cost, 1) }

// Debt is how far a reversal left the balance below zero.
func (c CardBalance) Debt() int { return max(-c.Balance, 0) }

// Progress is the balance as a sentence: the label of the drawing for those who
// hear the page, and what is announced when it changes.
func (c CardBalance) Progress() string {
	text := c.Campaign + ": " + viewNumber(c.Balance) + " " + c.Unit(c.Balance)
	if c.Goal > 0 && c.Balance <= c.Goal {
		text = c.Campaign + ": " + viewNumber(c.Balance) + " de " + viewNumber(c.Goal) + " " + c.Unit(c.Goal)
	}
	if len(c.Ready()) > 0 {
		text += ". ¡Ya tienes tu premio!"
	}
	return text
}

// AnyReady tells whether some reward waits to be asked for.
func (v CardView) AnyReady() bool { return slices.ContainsFunc(v.Wallet, CardShop.AnyReady) }

// AnyReady tells whether some reward of the shop's waits to be asked for.
func (s CardShop) AnyReady() bool {
	return slices.ContainsFunc(s.Campaigns, func(c CardCampaign) bool {
		return slices.ContainsFunc(c.Balances, func(b CardBalance) bool { return len(b.Ready()) > 0 })
	})
}

// Listed tells whether the rewards need a list: one alone, to which only the
// balance leads, is what the drawing says already.
func (c CardBalance) Listed() bool {
	return len(c.Rewards) > 1 || len(c.Rewards) == 1 && (c.Rewards[0].Why != "" || c.Rewards[0].Cost != c.Goal)
}
