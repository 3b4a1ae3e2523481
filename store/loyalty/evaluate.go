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
	At    time.Time
	Lines []Line
}

// Candidate is a campaign that may apply: the caller has found that the shop
// takes part in it, says which of the sale's products are PLIs, whether the
// person is enrolled, and what the person earned on the sale's day so far.
type Candidate struct {
	Campaign    Campaign
	PLI         func(product ID) bool
	Enrolled    bool
	EarnedToday int64
}

// DayPeriod names the shop's day on which a sale counts against daily limits.
func DayPeriod(at time.Time, zone *time.Location) string {
	return "day:" + at.In(zone).Format(time.DateOnly)
}

// Earning is what a purchase brings in one campaign. Amount is above zero.
type Earning struct {
	Campaign Campaign
	Unit     Unit
	Amount   int64
}

// Evaluate judges a sale by each candidate. It is pure: the same values always
// give the same earnings, in the order of the candidates.
func Evaluate(candidates []Candidate, sale Sale) []Earning {
	var earnings []Earning
	for _, c := range candidates {
		if !c.Campaign.RunsAt(sale.At) || c.Campaign.Enrolment == OnRequest && !c.Enrolled {
			continue
		}
		amount := clip(c.Campaign.Rule, earned(c, sale.Lines), c.EarnedToday)
		if amount <= 0 {
			continue
		}
		earnings = append(earnings, Earning{Campaign: c.Campaign, Unit: c.Campaign.Scheme.Unit(), Amount: amount})
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
