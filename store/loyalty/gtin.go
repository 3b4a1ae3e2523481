package loyalty

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
