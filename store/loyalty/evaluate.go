package loyalty

import "time"

// Line is one product of a purchase.
type Line struct {
	Product   ID
	Quantity  int64
	UnitPrice Cents
}

// Sale is a purchase as the rules see it.
type Sale struct {
	At    time.Time // in the shop's time zone: its date is the day that limits count
	Lines []Line
}

// Counter is what a person earned so far in the period that a limit counts.
type Counter struct {
	Day    string // the shop's date, 2006-01-02
	Earned int64
}

// Candidate is a campaign that may apply: the caller has found that the shop
// takes part in it, says which of the sale's products are PLIs, whether the
// person is enrolled, and what was earned so far.
type Candidate struct {
	Campaign Campaign
	PLI      func(product ID) bool
	Enrolled bool
	Counter  Counter
}

// Earning is what a purchase brings in one campaign. Amount is above zero.
type Earning struct {
	Campaign Campaign
	Unit     Unit
	Amount   int64
	Counter  Counter // as it stands afterwards
}

// Evaluate judges a sale by each candidate. It is pure: the same values always
// give the same earnings, in the order of the candidates.
func Evaluate(candidates []Candidate, sale Sale) []Earning {
	var earnings []Earning
	day := sale.At.Format(time.DateOnly)
	for _, c := range candidates {
		if !c.Campaign.RunsAt(sale.At) || c.Campaign.Enrolment == OnRequest && !c.Enrolled {
			continue
		}
		counter := c.Counter
		if counter.Day != day {
			counter = Counter{Day: day}
		}
		amount := clip(c.Campaign.Rule, earned(c, sale.Lines), counter.Earned)
		if amount <= 0 {
			continue
		}
		counter.Earned += amount
		earnings = append(earnings, Earning{
			Campaign: c.Campaign, Unit: c.Campaign.Scheme.Unit(), Amount: amount, Counter: counter,
		})
	}
	return earnings
}

// earned is what the sale is worth before limits.
func earned(c Candidate, lines []Line) int64 {
	var units int64
	var spent Cents
	for _, l := range lines {
		if c.PLI(l.Product) {
			units += l.Quantity
			spent += l.UnitPrice * Cents(l.Quantity)
		}
	}
	return units*c.Campaign.Rule.PerUnit + int64(spent)*c.Campaign.Rule.PerPeso/100
}

// clip cuts an amount to what the limits still allow: a limit counts what is
// earned, not how many purchases there were.
func clip(r Rule, amount, today int64) int64 {
	if r.MaxPerPurchase > 0 {
		amount = min(amount, r.MaxPerPurchase)
	}
	if r.MaxPerDay > 0 {
		amount = min(amount, r.MaxPerDay-today)
	}
	return amount
}
