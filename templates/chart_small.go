package templates

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// Ranking is a list from the most to the least, each with a bar as long as its
// value. It is text already: no table has to say it again.
type Ranking struct {
	Rows []RankRow
	Most int // rows that are drawn; 0 is all
}

// RankRow is one of a Ranking.
type RankRow struct {
	Name  string
	Note  string
	Value int64
	Text  string // the value as it is read
}

// HTML is the list.
func (r Ranking) HTML() template.HTML {
	rows := r.Rows
	if r.Most > 0 {
		rows = rows[:min(len(rows), r.Most)]
	}
	var most int64
	for _, row := range rows {
		most = max(most, row.Value)
	}
	var b strings.Builder
	b.WriteString(`<ol class="rank">`)
	for _, row := range rows {
		share := 0.0
		if most > 0 && row.Value > 0 {
			share = 100 * float64(row.Value) / float64(most)
		}
		note := ""
		if row.Note != "" {
			note = " <small>" + html.EscapeString(row.Note) + "</small>"
		}
		fmt.Fprintf(&b, `<li><span class="rank-name">%s%s</span><b>%s</b><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="rank-track" width="100" height="8"/><rect class="bar-gain" width="%.1f" height="8"/></svg></li>`,
			html.EscapeString(row.Name), note, html.EscapeString(row.Text), share)
	}
	b.WriteString(`</ol>`)
	return template.HTML(b.String()) //nolint:gosec // numbers, and texts that are escaped
}

// Spark draws values without axes, for a trend that words tell beside it.
func Spark(values []int64) template.HTML {
	if len(values) < 2 {
		return ""
	}
	const width, height, edge = 160.0, 44.0, 3.0
	most := int64(1)
	for _, v := range values {
		most = max(most, v)
	}
	x := func(i int) float64 { return edge + (width-2*edge)*float64(i)/float64(len(values)-1) }
	y := func(v int64) float64 { return height - edge - (height-2*edge)*float64(max(v, 0))/float64(most) }
	var d strings.Builder
	for i, v := range values {
		fmt.Fprintf(&d, "%c%.1f %.1f", "ML"[min(i, 1)], x(i), y(v))
	}
	last := len(values) - 1
	//nolint:gosec // numbers
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 160 44" aria-hidden="true" focusable="false"><path class="area" d="%sL%.1f %.1fL%.1f %.1fZ"/><path class="line" d="%[1]s"/><circle class="dot" cx="%.1f" cy="%.1f" r="3.5"/></svg>`,
		d.String(), x(last), height-edge, x(0), height-edge, x(last), y(values[last])))
}
