package api

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// span is the days that a page is about: as they were asked for by name
// (?periodo=7, 30 or todo) or by date (?from, ?to), and what was wrong with that.
type span struct {
	from, to time.Time // days, at midnight UTC
	preset   string    // "" where dates were given
	query    url.Values
	wrong    templates.FormError
}

// mostDays is the longest span of a report.
const mostDays = 3 * 365

// typedDays reads from and to; either may be zero. What cannot be read is told.
func typedDays(c *fiber.Ctx) (from, to time.Time, wrong templates.FormError) {
	read := func(name string) (day time.Time) {
		text := queryText(c, name)
		if text == "" {
			return day
		}
		day, err := time.Parse(time.DateOnly, text)
		if (err != nil || day.Year() < 2000 || day.Year() > 2199) && wrong.Text == "" {
			wrong = templates.FormError{At: name, Text: "Escribe una fecha como 2026-11-21."}
		}
		return day
	}
	from, to = read("from"), read("to")
	switch {
	case wrong.Text != "" || from.IsZero() || to.IsZero():
	case to.Before(from):
		wrong = templates.FormError{At: "to", Text: "El último día va antes que el primero."}
	case to.Sub(from) >= mostDays*24*time.Hour:
		wrong = templates.FormError{At: "to", Text: "Elige como máximo tres años."}
	}
	return from, to, wrong
}

// calendarDay is the programme's day of a moment, at midnight UTC.
func calendarDay(t time.Time) time.Time {
	y, m, d := t.In(loyalty.Zone("")).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// lifeOf gives the first day of a campaign and its last until now.
func lifeOf(c store.Campaign, now time.Time) (first, last time.Time) {
	first, last = calendarDay(c.StartsAt), calendarDay(now)
	for _, end := range []time.Time{c.EndsAt, c.EndedAt} {
		if !end.IsZero() && calendarDay(end.Add(-time.Microsecond)).Before(last) {
			last = calendarDay(end.Add(-time.Microsecond))
		}
	}
	if c.StartsAt.IsZero() || last.Before(first) {
		first = last
	}
	return first, last
}

// spanOf reads the span of a campaign's results: the latest 30 days where none is
// asked for, and all of a campaign that is over.
func spanOf(c *fiber.Ctx, campaign store.Campaign, now time.Time) span {
	first, last := lifeOf(campaign, now)
	from, to, wrong := typedDays(c)
	v := span{from: from, to: to, wrong: wrong, query: url.Values{}}
	if wrong.Text == "" && !(from.IsZero() && to.IsZero()) {
		if to.IsZero() {
			v.to = last
		}
		if from.IsZero() {
			v.from = first
		}
		if v.to.Before(v.from) {
			v.from = v.to
		}
		v.query.Set("from", v.from.Format(time.DateOnly))
		v.query.Set("to", v.to.Format(time.DateOnly))
		return v
	}
	v.preset = queryText(c, "periodo")
	if v.preset != "7" && v.preset != "30" && v.preset != "todo" {
		v.preset = "30"
		if campaign.Status == loyalty.Ended {
			v.preset = "todo"
		}
	}
	days := map[string]int{"7": 7, "30": 30, "todo": mostDays}[v.preset]
	v.to, v.from = last, last.AddDate(0, 0, 1-days)
	if v.from.Before(first) {
		v.from = first
	}
	v.query.Set("periodo", v.preset)
	return v
}

// presets are the spans that have names.
func (v span) presets(page string) []templates.DeskLink {
	var all []templates.DeskLink
	for _, p := range [][2]string{{"7", "7 días"}, {"30", "30 días"}, {"todo", "Toda la campaña"}} {
		all = append(all, templates.DeskLink{Name: p[1], URL: page + "?periodo=" + p[0], Here: v.preset == p[0]})
	}
	return all
}

// daysWords names days with their year.
func daysWords(from, to time.Time) string {
	year := func(t time.Time) string { return " de " + t.Format("2006") }
	switch {
	case from.Equal(to):
		return "El " + loyalty.DayInWords(from) + year(from)
	case from.Year() == to.Year():
		return upperFirst(loyalty.PeriodInWords(from, to)) + year(to)
	}
	return "Del " + loyalty.DayInWords(from) + year(from) + " al " + loyalty.DayInWords(to) + year(to)
}
