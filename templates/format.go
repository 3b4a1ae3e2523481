package templates

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Everything here writes for people in Mexico: pesos with comma thousands,
// months in Spanish, 24-hour clock. Times come in already in the shop's zone:
// a page never guesses one.

func viewMoney(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "−", -cents
	}
	frac := strconv.FormatInt(cents%100, 10)
	if len(frac) == 1 {
		frac = "0" + frac
	}
	return sign + "$" + viewNumber(cents/100) + "." + frac
}

// viewPesos drops the centavos, for headlines and axes where they are noise.
func viewPesos(cents int64) string {
	if cents < 0 {
		return "−$" + viewNumber((-cents+50)/100)
	}
	return "$" + viewNumber((cents+50)/100)
}

// viewNumber takes any whole number, because views hold int and int64 alike.
func viewNumber(v any) string {
	var n int64
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	}
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

func viewPlural(n int, one, many string) string {
	if n == 1 || n == -1 {
		return viewNumber(n) + " " + one
	}
	return viewNumber(n) + " " + many
}

// viewCode shows an eight-symbol code in two groups, which is how people read
// one aloud over a counter. Anything else is left as it is.
func viewCode(code string) string {
	plain := strings.ToUpper(strings.ReplaceAll(code, "-", ""))
	if len(plain) == 8 {
		return plain[:4] + "-" + plain[4:]
	}
	return code
}

func monthName(m time.Month) string {
	return [...]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
		"septiembre", "octubre", "noviembre", "diciembre"}[m-1]
}

func viewDay(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return strconv.Itoa(t.Day()) + " " + monthName(t.Month())[:3]
}

func viewLongDay(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return strconv.Itoa(t.Day()) + " de " + monthName(t.Month()) + " de " + strconv.Itoa(t.Year())
}

func viewClock(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.Format("15:04")
}

func viewMoment(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return viewDay(t) + ", " + viewClock(t)
}

func viewISO(t time.Time) string {
	return t.Format(time.RFC3339)
}

// viewList joins names as one says them: "a, b y c"; "i" sounds turn "y" into "e".
func viewList(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := names[len(names)-1]
	and := " y "
	sound := strings.ToLower(last)
	if strings.HasPrefix(sound, "i") || strings.HasPrefix(sound, "í") ||
		(strings.HasPrefix(sound, "hi") && !strings.HasPrefix(sound, "hie")) {
		and = " e "
	}
	return strings.Join(names[:len(names)-1], ", ") + and + last
}

// viewTone gives a name one of the four colours of the house, always the same,
// so that a shop is recognised by its awning on every visit.
func viewTone(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return "tone-" + strconv.Itoa(int(h.Sum32()%4)+1)
}

func viewInitial(name string) string {
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return string(unicode.ToUpper(r))
		}
	}
	return "Q"
}

// viewUpper begins a sentence.
func viewUpper(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return ""
}
