package templates

import (
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// Charts are SVG made here: a drawing for a glance and the same numbers as a
// table, for those who read, hear or copy. Colours come from CSS classes, so dark
// mode and print follow the page; series differ by hatching or dashes too, since
// colour alone must not tell.

// ChartKind is how a chart is drawn.
type ChartKind int

// The kinds.
const (
	ChartBars ChartKind = iota // beside each other, for two series at most
	ChartLine                  // the first filled to the ground, the others dashed
)

// Chart is numbers over time.
type Chart struct {
	ID     string // unique on its page
	Title  string
	Kind   ChartKind
	Money  bool        // values are centavos
	Weeks  bool        // points are weeks, told by their Mondays; else days
	Points []time.Time // one after another, without gaps
	Series []ChartSeries
}

// ChartSeries is one value a point.
type ChartSeries struct {
	Name   string
	Values []int64
	Told   bool // in the table only
}

// canvas is a drawing's own units; CSS scales it to the page.
type canvas struct {
	class                                 string
	width, height, left, right, top, foot int
	labels                                int // below, at most
}

// Each chart is drawn twice, and CSS shows one of them: what fills a desk cannot
// be read on a phone.
var (
	wideCanvas   = canvas{"plot wide", 720, 280, 88, 24, 22, 34, 12}
	narrowCanvas = canvas{"plot narrow", 340, 240, 58, 22, 16, 30, 5}
)

// WeekPoint is one week of a campaign.
type WeekPoint struct {
	Start             time.Time // its Monday
	RevenueCents      int64
	ContributionCents int64
	CostCents         int64 // rewards and fee
}

// WeeklyChart draws contribution against cost, a pair of bars a week.
func WeeklyChart(title string, weeks []WeekPoint) template.HTML {
	c := Chart{ID: "semanas", Title: title, Kind: ChartBars, Money: true, Weeks: true, Series: []ChartSeries{
		{Name: "Ventas", Told: true}, {Name: "Contribución (ventas × margen)"}, {Name: "Costo (premios y cuota)"},
	}}
	for _, w := range weeks {
		c.Points = append(c.Points, w.Start)
		for i, cents := range []int64{w.RevenueCents, w.ContributionCents, w.CostCents} {
			c.Series[i].Values = append(c.Series[i].Values, cents)
		}
	}
	return c.HTML()
}

// drawn are the series that are not only told.
func (c Chart) drawn() []ChartSeries {
	var all []ChartSeries
	for _, s := range c.Series {
		if !s.Told {
			all = append(all, s)
		}
	}
	return all
}

// HTML is the figure.
func (c Chart) HTML() template.HTML {
	if len(c.Points) == 0 {
		return `<p class="empty">Todavía no hay nada que dibujar.</p>`
	}
	var b strings.Builder
	b.WriteString(`<figure class="chart">`)
	c.draw(&b, wideCanvas)
	c.draw(&b, narrowCanvas)
	b.WriteString(`<figcaption class="legend">`)
	for i, s := range c.drawn() {
		fmt.Fprintf(&b, `<span><svg class="key" viewBox="0 0 16 16" aria-hidden="true">%s</svg>%s</span>`, c.key(i), html.EscapeString(s.Name))
	}
	b.WriteString(`</figcaption>`)
	c.table(&b)
	b.WriteString(`</figure>`)
	return template.HTML(b.String()) //nolint:gosec // numbers, dates, and texts that are escaped
}

// key is a series' sign in the legend.
func (c Chart) key(i int) string {
	switch {
	case c.Kind == ChartLine && i == 0:
		return `<path class="area" d="M0 9 16 5V16H0Z"/><path class="line" d="M0 9 16 5"/>`
	case c.Kind == ChartLine:
		return `<path class="line dashed" d="M0 8H16"/>`
	case i == 0:
		return `<rect class="bar-gain" width="16" height="16" rx="3"/>`
	}
	return `<rect class="bar-cost" width="16" height="16" rx="3"/><path class="hatch" d="M-2 10 10 -2M2 18 18 2"/>`
}

func (c Chart) draw(b *strings.Builder, on canvas) {
	series := c.drawn()
	var top, bottom int64
	for _, s := range series {
		for _, v := range s.Values {
			top, bottom = max(top, v), min(bottom, v)
		}
	}
	least := int64(1)
	if c.Money {
		least = 100
	}
	step := axisStep(max(top-bottom, 1), least)
	top = ceilTo(max(top, step), step)
	bottom = -ceilTo(-bottom, step)

	plot := float64(on.height - on.top - on.foot)
	y := func(v int64) float64 { return float64(on.top) + plot*float64(top-v)/float64(top-bottom) }
	fmt.Fprintf(b, `<svg class="%s" viewBox="0 0 %d %d" role="img" aria-label="%s">`, on.class, on.width, on.height, html.EscapeString(c.Title))
	fmt.Fprintf(b, `<title>%s</title><desc>%s</desc>`, html.EscapeString(c.Title), html.EscapeString(c.describe()))
	for tick := bottom; tick <= top; tick += step {
		class := "gridline"
		if tick == 0 {
			class = "axis"
		}
		fmt.Fprintf(b, `<path class="%s" d="M%d %.1fH%d"/><text class="tick end" x="%d" y="%.1f">%s</text>`,
			class, on.left, y(tick), on.width-on.right, on.left-8, y(tick)+4, c.axisLabel(tick))
	}
	slot := float64(on.width-on.left-on.right) / float64(len(c.Points))
	x := func(i int) float64 { return float64(on.left) + slot*(float64(i)+0.5) }
	if c.Kind == ChartLine {
		c.lines(b, series, x, y)
	} else {
		c.bars(b, series, c.ID+on.class[len("plot "):], slot, x, y)
	}
	every := (len(c.Points) + on.labels - 1) / on.labels // a label a point while there is room, then fewer
	for i, at := range c.Points {
		if i%every == 0 {
			fmt.Fprintf(b, `<text class="tick middle" x="%.1f" y="%d">%s</text>`, x(i), on.height-on.foot/3, viewDay(at))
		}
	}
	b.WriteString(`</svg>`)
}

// bars stand on the zero line, or hang from it for a loss. Those of the second
// series are hatched.
func (c Chart) bars(b *strings.Builder, series []ChartSeries, id string, slot float64, x func(int) float64, y func(int64) float64) {
	fmt.Fprintf(b, `<defs><pattern id="%s-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>`, html.EscapeString(id))
	width := min(slot*0.34, 30)
	for i := range c.Points {
		for n, s := range series {
			left, class := x(i)-width-min(slot*.03, 1), "bar-gain"
			if n > 0 {
				left, class = x(i)+min(slot*.03, 1), "bar-cost"
			}
			from, to := min(y(0), y(s.Values[i])), max(y(0), y(s.Values[i]))
			if to-from < 0.05 {
				continue
			}
			place := fmt.Sprintf(`x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"`, left, from, width, to-from)
			fmt.Fprintf(b, `<rect class="%s" %s/>`, class, place)
			if n > 0 {
				fmt.Fprintf(b, `<rect fill="url(#%s-hatch)" %s/>`, html.EscapeString(id), place)
			}
		}
	}
}

func (c Chart) lines(b *strings.Builder, series []ChartSeries, x func(int) float64, y func(int64) float64) {
	for n, s := range series {
		var d strings.Builder
		for i, v := range s.Values {
			fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(i, 1)], x(i), y(v))
		}
		if n > 0 {
			fmt.Fprintf(b, `<path class="line dashed" d="%s"/>`, d.String())
			continue
		}
		fmt.Fprintf(b, `<path class="area" d="%sL%.1f %.1fL%.1f %.1fZ"/><path class="line" d="%s"/>`,
			d.String(), x(len(s.Values)-1), y(0), x(0), y(0), d.String())
		if len(s.Values) == 1 {
			fmt.Fprintf(b, `<circle class="dot" cx="%.1f" cy="%.1f" r="5"/>`, x(0), y(s.Values[0]))
		}
	}
}

func (c Chart) table(b *strings.Builder) {
	head := "Día"
	if c.Weeks {
		head = "Semana del"
	}
	fmt.Fprintf(b, `<details class="fold"><summary>Ver como tabla</summary><div class="scroll" role="group" aria-label="Tabla: %s" tabindex="0"><table><caption class="hidden">%[1]s</caption><thead><tr><th scope="col">%s</th>`,
		html.EscapeString(c.Title), head)
	for _, s := range c.Series {
		fmt.Fprintf(b, `<th scope="col" class="n">%s</th>`, html.EscapeString(s.Name))
	}
	b.WriteString(`</tr></thead><tbody>`)
	for i, at := range c.Points {
		fmt.Fprintf(b, `<tr><th scope="row">%s</th>`, viewLongDay(at))
		for _, s := range c.Series {
			fmt.Fprintf(b, `<td class="n">%s</td>`, c.value(s.Values[i]))
		}
		b.WriteString(`</tr>`)
	}
	b.WriteString(`</tbody></table></div></details>`)
}

func (c Chart) value(v int64) string {
	if c.Money {
		return viewMoney(v)
	}
	return viewNumber(v)
}

func (c Chart) describe() string {
	span := viewPlural(len(c.Points), "día", "días")
	if c.Weeks {
		span = viewPlural(len(c.Points), "semana", "semanas")
	}
	text := fmt.Sprintf("%s, del %s al %s.", span, viewLongDay(c.Points[0]), viewLongDay(c.Points[len(c.Points)-1]))
	for _, s := range c.drawn() {
		most, sum := 0, int64(0)
		for i, v := range s.Values {
			sum += v
			if v > s.Values[most] {
				most = i
			}
		}
		total := ""
		if c.Money { // people do not add up
			total = c.value(sum) + " en total, "
		}
		text += fmt.Sprintf(" %s: %slo más alto es %s, el %s.", s.Name, total, c.value(s.Values[most]), viewLongDay(c.Points[most]))
	}
	return text + " Los números están en la tabla."
}

// axisStep is a round number, of least or more, that cuts span into three to six
// parts.
func axisStep(span, least int64) int64 {
	step := least
	for {
		for _, factor := range [...]int64{1, 2, 5} {
			if span <= step*factor*5 {
				return step * factor
			}
		}
		step *= 10
	}
}

// axisLabel is short enough for a phone: "$12 mil", "$1.5 M", "12 mil".
func (c Chart) axisLabel(v int64) string {
	sign, whole := "", float64(v)
	if v < 0 {
		sign, whole = "−", -whole
	}
	if c.Money {
		sign, whole = sign+"$", whole/100
	}
	short := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case whole >= 1e6:
		return sign + short(whole/1e6) + " M"
	case whole >= 1e4:
		return sign + short(whole/1e3) + " mil"
	}
	return sign + viewNumber(int64(whole+0.5))
}

func ceilTo(n, step int64) int64 {
	if n <= 0 {
		return 0
	}
	return (n + step - 1) / step * step
}
