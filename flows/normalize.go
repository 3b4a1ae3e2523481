package flows

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// token is a word of a text, with where it stood.
type token struct {
	start, end int    // bytes of the text
	plain      string // lower case, without accents
	key        string // folded: as it sounds
}

// maxTokens bounds the work on one text.
const maxTokens = 80

// tokenize splits a text into words and numbers; everything else (emoji, marks)
// only separates. A keycap emoji counts as its digit.
func tokenize(text string) []token {
	var all []token
	start := -1
	flush := func(end int) {
		if start >= 0 && len(all) < maxTokens {
			p := plain(text[start:end])
			if p != "" {
				all = append(all, token{start: start, end: end, plain: p, key: foldWord(p)})
			}
		}
		start = -1
	}
	for i, r := range text {
		inWord := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) && r != '\ufe0f' && r != '\u20e3' && start >= 0
		switch {
		case inWord && start < 0:
			start = i
		case !inWord && start >= 0:
			flush(i)
		}
		if len(all) == maxTokens {
			return all
		}
	}
	flush(len(text))
	return all
}

// plain writes a text in lower case and without accents.
func plain(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// foldWord writes a plain word as a Mexican ear hears it, so that kiero, qiero
// and quiero, targeta and tarjeta, holaaa and ola are one. A number stays.
func foldWord(w string) string {
	if w[0] >= '0' && w[0] <= '9' {
		return w
	}
	r := []rune(w)
	out := make([]rune, 0, len(r))
	at := func(i int) rune {
		if i < len(r) {
			return r[i]
		}
		return 0
	}
	soft := func(c rune) bool { return c == 'e' || c == 'i' }
	for i := 0; i < len(r); i++ {
		c := r[i]
		switch {
		case c == 'q':
			if at(i+1) == 'u' {
				i++
			}
			c = 'k'
		case c == 'c' && at(i+1) == 'h':
			out = append(out, 'c')
			c = 'h'
			i++
		case c == 'c' && soft(at(i+1)), c == 'z':
			c = 's'
		case c == 'c':
			c = 'k'
		case c == 'v', c == 'w':
			c = 'b'
		case c == 'h':
			continue
		case c == 'l' && at(i+1) == 'l':
			c = 'y'
			i++
		case c == 'g' && at(i+1) == 'u' && soft(at(i+2)):
			i++
		case c == 'g' && soft(at(i+1)):
			c = 'j'
		}
		if n := len(out); n > 0 && out[n-1] == c {
			continue // stretched or double
		}
		out = append(out, c)
	}
	if len(out) == 0 || len(out) == 1 && len(r) > 2 { // zzz is no word
		return w
	}
	return string(out)
}

// fold gives the folded words of a text.
func fold(text string) []string {
	tokens := tokenize(text)
	keys := make([]string, len(tokens))
	for i, t := range tokens {
		keys[i] = t.key
	}
	return keys
}

// within says whether two words differ by at most max edits (insert, delete,
// replace, swap of neighbours).
func within(a, b string, max int) bool {
	if a == b {
		return true
	}
	if d := len(a) - len(b); d > max || -d > max || len(a) > 40 || len(b) > 40 {
		return false
	}
	var rows [3][42]int
	prev2, prev, cur := &rows[0], &rows[1], &rows[2]
	for j := 0; j <= len(b); j++ {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			v := min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				v = min(v, prev2[j-2]+1)
			}
			cur[j] = v
			best = min(best, v)
		}
		if best > max {
			return false
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)] <= max
}
