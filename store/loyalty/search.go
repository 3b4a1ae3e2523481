package loyalty

import (
	"strings"
	"unicode"
)

// plainLetters are the letters that Spanish (and its neighbours) write with a
// mark, and the letters that people type for them.
var plainLetters = strings.NewReplacer(
	"á", "a", "à", "a", "â", "a", "ä", "a", "ã", "a", "å", "a",
	"é", "e", "è", "e", "ê", "e", "ë", "e",
	"í", "i", "ì", "i", "î", "i", "ï", "i",
	"ó", "o", "ò", "o", "ô", "o", "ö", "o", "õ", "o",
	"ú", "u", "ù", "u", "û", "u", "ü", "u",
	"ñ", "n", "ç", "c",
)

// SearchName writes a name as it is searched: lower case, without accents, and
// nothing but letters and digits, in words parted by one space. "Abarrotes  La
// Güera, S.A." and "abarrotes la guera s a" are the same name.
func SearchName(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range plainLetters.Replace(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r): // an accent that came as a letter of its own
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}
