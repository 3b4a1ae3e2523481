package loyalty

import (
	"strconv"
	"strings"
)

// GTIN is a product's barcode number (GS1 GTIN-8, -12, -13 or -14) with a
// valid check digit. UPC-A (12 digits) is kept as the EAN-13 that scanners also
// give for it, with a leading zero.
type GTIN string

// ParseGTIN reads digits with optional spaces or dashes. The error is
// VALIDATION_FAILED on the field gtin.
func ParseGTIN(s string) (GTIN, error) {
	d := make([]byte, 0, 14)
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			d = append(d, c)
		case c == ' ' || c == '-':
		default:
			return "", Invalid("gtin", "solo lleva dígitos")
		}
	}
	switch len(d) {
	case 12:
		d = append([]byte{'0'}, d...)
	case 8, 13, 14:
	default:
		return "", Invalid("gtin", "debe tener 8, 12, 13 o 14 dígitos")
	}
	sum := 0
	for i := range len(d) - 1 {
		v := int(d[len(d)-2-i] - '0')
		if i%2 == 0 {
			v *= 3
		}
		sum += v
	}
	if (10-sum%10)%10 != int(d[len(d)-1]-'0') {
		return "", Invalid("gtin", "el dígito verificador no coincide")
	}
	return GTIN(d), nil
}

// RestoreGTIN reads a barcode number as a spreadsheet may have spoiled it: without
// its leading zeros, as a decimal or in scientific notation. Only what the check
// digit proves is taken; restored says that the text was not the number itself.
func RestoreGTIN(s string) (g GTIN, restored bool, err error) {
	text := strings.TrimSpace(s)
	text = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(text, "="), `"`), `"`) // ="0075…", which some write to keep zeros
	text = strings.TrimPrefix(text, "'")
	if whole, ok := strings.CutSuffix(text, ".0"); ok {
		text = whole
	}
	if i := strings.IndexAny(text, "eE"); i > 0 {
		if text, err = unscientific(text[:i], text[i+1:]); err != nil {
			return "", false, err
		}
	}
	if n := len(text); (n == 7 || n >= 9 && n <= 11) && strings.Trim(text, "0123456789") == "" {
		text = strings.Repeat("0", map[bool]int{true: 8, false: 13}[n == 7]-n) + text
	}
	g, err = ParseGTIN(text)
	return g, err == nil && text != strings.TrimSpace(s), err
}

// unscientific writes a number without its exponent, where no digit was lost: what
// a spreadsheet shows for a long number, 7.50106E+12, is not the number.
func unscientific(mantissa, exponent string) (string, error) {
	whole, part, _ := strings.Cut(strings.ReplaceAll(mantissa, ",", "."), ".")
	n, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	digits := whole + part
	if err != nil || len(whole) != 1 || n < 6 || n > 13 || len(digits) < 10 || len(digits) > n+1 || strings.Trim(digits, "0123456789") != "" {
		return "", Invalid("gtin", "la hoja de cálculo lo acortó; da formato de texto a la columna y escríbelo completo")
	}
	return digits + strings.Repeat("0", n+1-len(digits)), nil
}
