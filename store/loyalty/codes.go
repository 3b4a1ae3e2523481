package loyalty

import (
	"fmt"
	"io"
	"strings"
)

// CodeAlphabet holds the 32 symbols of every code: Crockford's base 32, which
// leaves out I, L, O and U.
const CodeAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// CodeKind says what a code stands for. Length and first symbol tell it.
type CodeKind int

// The kinds of codes.
const (
	NotACode       CodeKind = iota
	ShopCode                // 6 symbols
	CardCode                // 8 symbols, beginning with neither E nor R
	EvidenceCode            // 8 symbols, beginning with E
	RedemptionCode          // 8 symbols, beginning with R
)

// ParseCode reads a code as a person may write it: any case, with spaces or
// dashes, I and L for 1, O for 0. It gives the canonical form without dashes
// and the kind; NotACode where length, symbols or check symbol don't fit.
func ParseCode(s string) (string, CodeKind) {
	var b [8]byte
	n := 0
	for _, r := range s {
		switch {
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u2011' || r == '\u2013' || r == '\u2014':
			continue
		case r >= 'a' && r <= 'z':
			r += 'A' - 'a'
		}
		switch r {
		case 'I', 'L':
			r = '1'
		case 'O':
			r = '0'
		}
		if r > 'Z' || symbolValue(byte(r)) < 0 || n == len(b) {
			return "", NotACode
		}
		b[n] = byte(r)
		n++
	}
	code := string(b[:n])
	if n != 6 && n != 8 || CheckSymbol(code[:n-1]) != code[n-1] {
		return "", NotACode
	}
	switch {
	case n == 6:
		return code, ShopCode
	case code[0] == 'E':
		return code, EvidenceCode
	case code[0] == 'R':
		return code, RedemptionCode
	}
	return code, CardCode
}

// FormatCode shows an 8-symbol code as XXXX-XXXX; others are left as they are.
func FormatCode(code string) string {
	if len(code) != 8 {
		return code
	}
	return code[:4] + "-" + code[4:]
}

// NewCode draws a code of the given kind from random. About 2^35 evidence codes
// and 2^25 shop codes exist; uniqueness is the database's to enforce. Each has
// a digit, so that nobody's code looks like a word when it is typed without its
// dash. It panics when random cannot be read.
func NewCode(kind CodeKind, random io.Reader) string {
	n := 8
	if kind == ShopCode {
		n = 6
	}
	raw := make([]byte, n-1)
	for {
		if _, err := io.ReadFull(random, raw); err != nil {
			panic(fmt.Sprintf("loyalty: random source failed: %v", err))
		}
		body := make([]byte, n-1)
		for i, c := range raw {
			body[i] = CodeAlphabet[c&31]
		}
		switch {
		case kind == EvidenceCode:
			body[0] = 'E'
		case kind == RedemptionCode:
			body[0] = 'R'
		case kind == CardCode && (body[0] == 'E' || body[0] == 'R'):
			continue
		}
		if code := string(body) + string(CheckSymbol(string(body))); strings.ContainsAny(code, "0123456789") {
			return code
		}
	}
}

// CheckSymbol computes the last symbol of a code: Luhn's algorithm modulo 32
// over CodeAlphabet. It catches any single wrong symbol and nearly every swap
// of neighbours. body must hold symbols of CodeAlphabet only.
func CheckSymbol(body string) byte {
	factor, sum := 2, 0
	for i := len(body) - 1; i >= 0; i-- {
		v := symbolValue(body[i]) * factor
		sum += v/32 + v%32
		factor = 3 - factor
	}
	return CodeAlphabet[(32-sum%32)%32]
}

func symbolValue(c byte) int { return strings.IndexByte(CodeAlphabet, c) }
