package templates

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func TestWeeklyChartSaysTheSameTwice(t *testing.T) {
	weeks := sampleWeeks()
	chart := string(WeeklyChart("Ventas <de> prueba", weeks))
	if strings.Contains(chart, "<de>") || strings.Contains(chart, "style=") {
		t.Error("the title is not escaped, or a style is inline")
	}
	balanced(t, "chart", chart)
	root, err := html.Parse(strings.NewReader(chart))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			count[n.Data]++
		}
	}
	if count["tr"] != len(weeks)+1 || count["title"] == 0 || count["desc"] != 2 {
		t.Errorf("elements: %v", count)
	}
	for _, w := range weeks {
		for _, cents := range []int64{w.RevenueCents, w.ContributionCents, w.CostCents} {
			if !strings.Contains(chart, viewMoney(cents)) {
				t.Errorf("the table lacks %s", viewMoney(cents))
			}
		}
	}
}

func TestWeeklyChartTakesAnyNumbers(t *testing.T) {
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for name, weeks := range map[string][]WeekPoint{
		"none":    nil,
		"zero":    {{Start: day}},
		"loss":    {{Start: day, ContributionCents: -4200, CostCents: 900}},
		"one":     {{Start: day, ContributionCents: 1}},
		"huge":    {{Start: day, ContributionCents: 9e15, CostCents: 1}},
		"a year+": make([]WeekPoint, 60),
	} {
		chart := string(WeeklyChart("x", weeks))
		if chart == "" || strings.Contains(chart, "NaN") || strings.Contains(chart, "Inf") || strings.Contains(chart, `height="-`) {
			t.Errorf("%s: %s", name, chart)
		}
		if n := strings.Count(chart, `class="gridline"`); n > 16 {
			t.Errorf("%s: %d grid lines", name, n)
		}
	}
}

// A line's table has every point of every series, and what it draws stays inside.
func TestALineIsDrawnAndTold(t *testing.T) {
	c := Chart{ID: "x", Title: "Compras <por> día", Kind: ChartLine, Series: []ChartSeries{{Name: "Compras"}, {Name: "Personas"}, {Name: "Piezas", Told: true}}}
	day := time.Date(2026, 1, 30, 0, 0, 0, 0, time.UTC)
	for i, n := range []int64{0, 12_345, 7} {
		c.Points = append(c.Points, day.AddDate(0, 0, i))
		for s := range c.Series {
			c.Series[s].Values = append(c.Series[s].Values, n+int64(s))
		}
	}
	drawn := string(c.HTML())
	balanced(t, "line", drawn)
	for _, text := range []string{"31 de enero de 2026", ">12,345<", ">12,346<", ">12,347<", `class="line dashed"`, `class="area"`, "lo más alto es 12,345, el 31 de enero de 2026", "Ver como tabla", "15 mil"} {
		if !strings.Contains(drawn, text) {
			t.Errorf("no %q in %s", text, drawn)
		}
	}
	for _, text := range []string{"<por>", "NaN", "Piezas</span>", "style="} {
		if strings.Contains(drawn, text) {
			t.Errorf("%q in %s", text, drawn)
		}
	}
	one := Chart{ID: "y", Kind: ChartLine, Points: []time.Time{day}, Series: []ChartSeries{{Values: []int64{0}}}}
	if drawn = string(one.HTML()); !strings.Contains(drawn, "circle") || strings.Contains(drawn, "NaN") {
		t.Error(drawn)
	}
}

func TestARankingShowsShares(t *testing.T) {
	r := Ranking{Most: 2, Rows: []RankRow{{"A & B", "<x>", 200, "200"}, {"C", "", 50, "50"}, {"D", "", 1, "1"}}}
	drawn := string(r.HTML())
	balanced(t, "ranking", drawn)
	for _, text := range []string{"A &amp; B", "&lt;x&gt;", `width="100.0"`, `width="25.0"`} {
		if !strings.Contains(drawn, text) {
			t.Errorf("no %q in %s", text, drawn)
		}
	}
	if strings.Contains(drawn, ">D<") || strings.Contains(string(Ranking{Rows: []RankRow{{Value: -3}, {}}}.HTML()), "NaN") {
		t.Error(drawn)
	}
	if s := string(Spark([]int64{0, 0})); strings.Contains(s, "NaN") || Spark(nil) != "" {
		t.Error(s)
	}
}

func TestAChangeIsToldInWholePercent(t *testing.T) {
	for _, c := range []struct {
		now, before int64
		want        Change
	}{
		{112, 100, Change{Text: "12 %", Up: true}}, {88, 100, Change{Text: "12 %", Down: true}}, {0, 7, Change{Text: "100 %", Down: true}},
		{5, 5, Change{Text: "igual"}}, {0, 0, Change{Text: "igual"}}, {10_001, 10_000, Change{Text: "casi igual"}},
		{5, 0, Change{Up: true}}, {24_000, 2000, Change{Text: "12 veces", Up: true}}, {3, 2, Change{Text: "50 %", Up: true}},
	} {
		if got := changed(c.now, c.before); got != c.want {
			t.Errorf("%d after %d: %+v", c.now, c.before, got)
		}
	}
}
