package bot

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Times as people say them, in es-MX.

func in(t time.Time, zone string) time.Time { return t.In(loyalty.Zone(zone)) }

// moment says when something ends: hoy a las 18:30, mañana a las 9:05, el 3 de
// mayo a las 12:00.
func moment(t, now time.Time, zone string) string {
	t, now = in(t, zone), in(now, zone)
	at := "a las "
	if t.Hour() == 1 {
		at = "a la "
	}
	return dayWord(t, now) + " " + at + t.Format("15:04")
}

func dayWord(t, now time.Time) string {
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "hoy"
	case now.AddDate(0, 0, 1).Format(time.DateOnly):
		return "mañana"
	}
	return "el " + loyalty.DayInWords(t)
}

// particles are the words in a name that stay small.
var particles = map[string]bool{"de": true, "del": true, "la": true, "las": true, "los": true, "y": true, "e": true}

// tidyName makes a name that was written in a hurry presentable: ANA PÉREZ and
// ana pérez are Ana Pérez; what mixes cases was meant so. Empty: no name.
func tidyName(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if n := utf8.RuneCountInString(s); n == 0 || n > 80 || !utf8.ValidString(s) || strings.IndexFunc(s, unicode.IsLetter) < 0 {
		return ""
	}
	if s != strings.ToLower(s) && s != strings.ToUpper(s) {
		return s
	}
	words := strings.Fields(strings.ToLower(s))
	for i, w := range words {
		if i > 0 && particles[w] {
			continue
		}
		first, size := utf8.DecodeRuneInString(w)
		words[i] = string(unicode.ToUpper(first)) + w[size:]
	}
	return strings.Join(words, " ")
}

// isBirthday says whether s is a day that existed: MM-DD, or YYYY-MM-DD not
// after now.
func isBirthday(s string, now time.Time) bool {
	if len(s) == len("01-02") {
		_, err := time.Parse(time.DateOnly, "2000-"+s) // a leap year
		return err == nil
	}
	t, err := time.Parse(time.DateOnly, s)
	return err == nil && !t.After(now) && t.Year() >= 1900
}
