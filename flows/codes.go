package flows

import (
	"strings"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// span is a part of a text, in bytes.
type span struct{ start, end int }

// readCodes finds the codes in a text and says where they stood. A word that
// happens to fit the check symbol is a code only when it looks like one: written
// XXXX-XXXX, or mixing letters and digits; with expected, letters alone do.
func readCodes(text string, expected bool, s *Slots) []span {
	words := codeWords(text)
	var used []span
	for i := 0; i < len(words); i++ {
		w := words[i]
		raw := text[w.start:w.end]
		shaped := codeShape(raw)
		code, kind := loyalty.ParseCode(raw)
		end := w.end
		ok := kind != loyalty.NotACode && len(strings.ReplaceAll(raw, "-", "")) == len(code) &&
			(shaped && (len(code) == 8 || mixed(raw)) || mixed(raw) || expected && !isNumber(raw) || parenthesised(text, w))
		if !ok && i+1 < len(words) && halves(w, words[i+1]) {
			second := text[words[i+1].start:words[i+1].end]
			if c, k := loyalty.ParseCode(raw + second); k != loyalty.NotACode && (mixed(raw) || mixed(second) || expected && mixed(raw+second)) {
				code, kind, ok = c, k, true
				end = words[i+1].end
				i++
			}
		}
		if ok {
			s.setCode(code, kind)
			used = append(used, span{w.start, end})
			continue
		}
		if s.BadCode == "" && looksLikeCode(raw, expected) {
			s.BadCode = strings.ToUpper(cut(raw, 12))
			used = append(used, w)
		}
	}
	if s.hasGoodCode() {
		s.BadCode = ""
	}
	return used
}

// halves says whether two neighbouring words can be the parts of one code that
// was written with a space: "EK7M 2QXS", "k7m2 qr".
func halves(a, b span) bool {
	n, m := a.end-a.start, b.end-b.start
	return n >= 2 && m >= 2 && (n+m == 6 || n+m == 8) && b.start-a.end <= 3
}

// codeWords splits a text into runs of ASCII letters, digits and dashes.
func codeWords(text string) []span {
	text = strings.NewReplacer("–", "---", "—", "---", "‑", "---").Replace(text) // same number of bytes
	var words []span
	start := -1
	for i := 0; i <= len(text); i++ {
		in := i < len(text) && (isAlnum(text[i]) || text[i] == '-' || text[i] >= 0x80)
		switch {
		case in && start < 0:
			start = i
		case !in && start >= 0:
			a, b := start, i
			for a < b && text[a] == '-' {
				a++
			}
			for b > a && text[b-1] == '-' {
				b--
			}
			if b > a {
				words = append(words, span{a, b})
			}
			start = -1
		}
	}
	return words
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// codeShape says whether a word is written as XXXX-XXXX or XXX-XXX.
func codeShape(w string) bool {
	return len(w) == 9 && w[4] == '-' && !strings.Contains(w[:4]+w[5:], "-") ||
		len(w) == 7 && w[3] == '-' && !strings.Contains(w[:3]+w[4:], "-")
}

// mixed says whether a word has both letters and digits.
func mixed(w string) bool {
	letter, digit := false, false
	for i := range len(w) {
		digit = digit || w[i] >= '0' && w[i] <= '9'
		letter = letter || w[i] >= 'A'
	}
	return letter && digit
}

func isNumber(w string) bool { return strings.Trim(w, "0123456789-") == "" }

func parenthesised(text string, w span) bool {
	return w.start > 0 && text[w.start-1] == '(' && w.end < len(text) && text[w.end] == ')'
}

// looksLikeCode says whether a word was meant as a code although it is none.
func looksLikeCode(w string, expected bool) bool {
	bare := strings.ReplaceAll(w, "-", "")
	if isNumber(w) || strings.ContainsFunc(bare, func(r rune) bool { return r >= 0x80 }) {
		return false
	}
	if expected && mixed(bare) && len(bare) >= 5 && len(bare) <= 10 {
		return true
	}
	if len(bare) != 8 || !mixed(bare) {
		return false
	}
	// gracias1 and coca2000 change from letters to digits once; a code oftener.
	changes := 0
	for i := 1; i < len(bare); i++ {
		if (bare[i] >= 'A') != (bare[i-1] >= 'A') {
			changes++
		}
	}
	return changes >= 2 || codeShape(w)
}
