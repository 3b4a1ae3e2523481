package templates

import (
	"strconv"
	"strings"
)

// BrandROI is the return with the parts it is made of:
// (revenue × margin − rewards − fee) ÷ (rewards + fee).
type BrandROI struct {
	RevenueCents      int64
	EstimatedCents    int64 // the part of it at reference prices
	MarginBP          int   // declared margin in hundredths of a percent
	ContributionCents int64
	RewardsCents      int64
	FeeCents          int64
	Ratio             float64 // as the report computed it; 1.0 is 100 %
	Defined           bool    // false while nothing was spent
}

// Percent is the headline.
func (r BrandROI) Percent() string {
	if !r.Defined {
		return "—"
	}
	whole := strconv.FormatFloat(r.Ratio*100, 'f', 0, 64)
	if strings.HasPrefix(whole, "-") {
		return "−" + whole[1:] + " %"
	}
	return whole + " %"
}

// Margin is the declared margin as a percentage.
func (r BrandROI) Margin() string {
	return strconv.FormatFloat(float64(r.MarginBP)/100, 'f', -1, 64) + " %"
}

// CostCents is what the programme cost.
func (r BrandROI) CostCents() int64 { return r.RewardsCents + r.FeeCents }

// NetCents is what is left.
func (r BrandROI) NetCents() int64 { return r.ContributionCents - r.CostCents() }

// Sentence says the headline in pesos.
func (r BrandROI) Sentence() string {
	switch {
	case !r.Defined:
		return "Todavía no hay gasto en premios ni cuota con que comparar."
	case r.Ratio >= 0:
		return "Por cada peso invertido recuperaste ese peso y ganaste " + viewMoney(int64(r.Ratio*100+0.5)) + " más."
	default:
		return "Por cada peso invertido todavía faltan " + viewMoney(int64(-r.Ratio*100+0.5)) + " por recuperar."
	}
}

// BrandCounter is one big number.
type BrandCounter struct {
	Label string
	Value int64
}
