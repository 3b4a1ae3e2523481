package flows

import "strconv"

// numberWords are the numbers people write out.
var numberWords = map[string]int{
	"un": 1, "uno": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9, "diez": 10,
	"once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "dieciseis": 16, "diecisiete": 17, "dieciocho": 18, "diecinueve": 19,
	"veinte": 20, "veinticuatro": 24, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "cien": 100, "ciento": 100,
	"docena": 12, "par": 2, "six": 6, "cero": 0, "ninguna": 0, "ninguno": 0,
}

// number reads a word as a quantity. A number too large to be one is given as
// it is, so that somebody can say so.
func number(plain string) (int, bool) {
	if n, ok := numberWords[plain]; ok {
		return n, true
	}
	if len(plain) > 0 && len(plain) <= 7 {
		if n, err := strconv.Atoi(plain); err == nil && n >= 0 {
			return n, true
		}
	}
	return 0, false
}

// ordinalWords are ways to name a place in a list.
var ordinalWords = map[string]int{
	"primero": 1, "primera": 1, "primer": 1, "segundo": 2, "segunda": 2, "tercero": 3, "tercera": 3, "cuarto": 4, "cuarta": 4, "quinto": 5, "quinta": 5,
}

// readNumber reads a text that is hardly more than one number: "2", "la 2",
// "opción dos", "el segundo", "2 piezas porfa".
func readNumber(text string) (int, bool) {
	tokens := tokenize(text)
	if len(tokens) > 5 {
		return 0, false
	}
	n, found := 0, 0
	for i, t := range tokens {
		v, ok := ordinalWords[t.plain]
		if !ok {
			v, ok = number(t.plain)
		}
		if !ok {
			continue
		}
		// "una" and "un" may be articles: only alone do they count.
		if (t.plain == "un" || t.plain == "una") && (len(tokens) > 1 && i != len(tokens)-1) {
			continue
		}
		n, found = v, found+1
	}
	return n, found == 1
}
