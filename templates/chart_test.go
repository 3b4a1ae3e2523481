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
	if count["tr"] != len(weeks)+1 || count["title"] == 0 || count["desc"] != 1 {
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
		if n := strings.Count(chart, `class="gridline"`); n > 8 {
			t.Errorf("%s: %d grid lines", name, n)
		}
	}
}
