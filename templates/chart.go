package templates

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// WeekPoint is one week of a campaign.
type WeekPoint struct {
	Start             time.Time // its Monday
	RevenueCents      int64
	ContributionCents int64
	CostCents         int64 // rewards and fee
}

// The drawing's own units; CSS scales it to the page.
const (
	chartWidth  = 720
	chartHeight = 280
	chartLeft   = 88
	chartRight  = 12
	chartTop    = 22
	chartBottom = 34
)

// WeeklyChart draws contribution against cost, a pair of bars a week, and the
// same numbers as a table: the drawing is for a glance, the table for those who
// read, hear or copy. Colours come from CSS classes, so dark mode and print
// follow the page; cost is hatched too, since colour alone must not tell.
func WeeklyChart(title string, weeks []WeekPoint) template.HTML {
	if len(weeks) == 0 {
		return `<p class="empty">Todavía no hay semanas que dibujar.</p>`
	}
	var b strings.Builder
	b.WriteString(`<figure class="chart">`)
	drawWeeks(&b, title, weeks)
	b.WriteString(`<figcaption class="legend">` +
		`<span><svg class="key" viewBox="0 0 16 16" aria-hidden="true"><rect class="bar-gain" width="16" height="16" rx="3"/></svg>Contribución (ventas × margen)</span>` +
		`<span><svg class="key" viewBox="0 0 16 16" aria-hidden="true"><rect class="bar-cost" width="16" height="16" rx="3"/><path class="hatch" d="M-2 10 10 -2M2 18 18 2"/></svg>Costo (premios y cuota)</span>` +
		`</figcaption>`)
	tableWeeks(&b, title, weeks)
	b.WriteString(`</figure>`)
	return template.HTML(b.String()) //nolint:gosec // numbers, dates, and a title that is escaped
}

func drawWeeks(b *strings.Builder, title string, weeks []WeekPoint) {
	var top, bottom int64
	for _, w := range weeks {
		top = max(top, w.ContributionCents, w.CostCents)
		bottom = min(bottom, w.ContributionCents, w.CostCents)
	}
	step := axisStep(max(top-bottom, 1))
	top = ceilTo(max(top, step), step)
	bottom = -ceilTo(-bottom, step)

	plot := float64(chartHeight - chartTop - chartBottom)
	y := func(cents int64) float64 {
		return chartTop + plot*float64(top-cents)/float64(top-bottom)
	}
	fmt.Fprintf(b, `<svg class="plot" viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartHeight, html.EscapeString(title))
	fmt.Fprintf(b, `<title>%s</title><desc>%s</desc>`, html.EscapeString(title), html.EscapeString(describeWeeks(weeks)))
	b.WriteString(`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>`)
	for tick := bottom; tick <= top; tick += step {
		class := "gridline"
		if tick == 0 {
			class = "axis"
		}
		fmt.Fprintf(b, `<path class="%s" d="M%d %.1fH%d"/><text class="tick end" x="%d" y="%.1f">%s</text>`,
			class, chartLeft, y(tick), chartWidth-chartRight, chartLeft-8, y(tick)+4, axisLabel(tick))
	}
	slot := float64(chartWidth-chartLeft-chartRight) / float64(len(weeks))
	bar := min(slot*0.34, 30)
	every := (len(weeks) + 11) / 12 // a label a week up to twelve, then fewer
	for i, w := range weeks {
		middle := chartLeft + slot*(float64(i)+0.5)
		drawBar(b, "bar-gain", middle-bar-1, y(0), y(w.ContributionCents), bar, false)
		drawBar(b, "bar-cost", middle+1, y(0), y(w.CostCents), bar, true)
		if i%every == 0 {
			class := "tick middle"
			if (i/every)%2 == 1 && len(weeks) > 4 {
				class += " thin" // a phone has room for every second one
			}
			fmt.Fprintf(b, `<text class="%s" x="%.1f" y="%d">%s</text>`, class, middle, chartHeight-12, viewDay(w.Start))
		}
	}
	b.WriteString(`</svg>`)
}

// drawBar draws from the zero line up, or down for a loss. A bar of cost gets
// the hatching on top.
func drawBar(b *strings.Builder, class string, x, zero, end, width float64, hatch bool) {
	from, height := min(zero, end), max(zero, end)-min(zero, end)
	if height == 0 {
		return
	}
	fmt.Fprintf(b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, class, x, from, width, height)
	if hatch {
		fmt.Fprintf(b, `<rect fill="url(#hatch)" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, x, from, width, height)
	}
}

func tableWeeks(b *strings.Builder, title string, weeks []WeekPoint) {
	b.WriteString(`<details class="fold"><summary>Ver los números</summary><div class="scroll" role="group" aria-label="Tabla" tabindex="0"><table><caption class="hidden">` + html.EscapeString(title) + `</caption>` +
		`<thead><tr><th scope="col">Semana del</th><th scope="col" class="n">Ventas</th><th scope="col" class="n">Contribución</th><th scope="col" class="n">Costo</th></tr></thead><tbody>`)
	for _, w := range weeks {
		fmt.Fprintf(b, `<tr><th scope="row">%s</th><td class="n">%s</td><td class="n">%s</td><td class="n">%s</td></tr>`,
			viewLongDay(w.Start), viewMoney(w.RevenueCents), viewMoney(w.ContributionCents), viewMoney(w.CostCents))
	}
	b.WriteString(`</tbody></table></div></details>`)
}

func describeWeeks(weeks []WeekPoint) string {
	var gain, cost int64
	for _, w := range weeks {
		gain += w.ContributionCents
		cost += w.CostCents
	}
	return fmt.Sprintf("%s, del %s al %s. Contribución total %s, costo total %s. Los números por semana están en la tabla.",
		viewPlural(len(weeks), "semana", "semanas"), viewLongDay(weeks[0].Start), viewLongDay(weeks[len(weeks)-1].Start),
		viewMoney(gain), viewMoney(cost))
}

// axisStep is a round number of pesos that cuts span into three to six parts.
func axisStep(span int64) int64 {
	step := int64(100)
	for {
		for _, factor := range [...]int64{1, 2, 5} {
			if span <= step*factor*5 {
				return step * factor
			}
		}
		step *= 10
	}
}

// axisLabel is short enough for a phone: "$12 mil", "$1.5 M".
func axisLabel(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "−", -cents
	}
	pesos := float64(cents) / 100
	short := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case pesos >= 1e6:
		return sign + "$" + short(pesos/1e6) + " M"
	case pesos >= 1e4:
		return sign + "$" + short(pesos/1e3) + " mil"
	}
	return sign + viewPesos(cents)
}

func ceilTo(n, step int64) int64 {
	if n <= 0 {
		return 0
	}
	return (n + step - 1) / step * step
}
