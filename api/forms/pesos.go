package forms

import "strings"

// Pesos reads "18", "18.5", "18,50", "$1,234.50" as centavos.
func Pesos(text string) (int64, bool) {
	text = strings.NewReplacer("$", "", " ", "", "\u00a0", "").Replace(text)
	if i := strings.LastIndexByte(text, ','); i >= 0 && !strings.Contains(text, ".") && len(text)-i-1 <= 2 {
		text = text[:i] + "." + text[i+1:]
	}
	whole, part, _ := strings.Cut(strings.ReplaceAll(text, ",", ""), ".")
	if len(whole) > 9 || len(part) > 2 || whole == "" && part == "" {
		return 0, false
	}
	var cents int64
	for _, d := range whole + (part + "00")[:2] {
		if d < '0' || d > '9' {
			return 0, false
		}
		cents = cents*10 + int64(d-'0')
	}
	return cents, true
}
