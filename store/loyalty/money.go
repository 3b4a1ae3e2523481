package loyalty

import "strconv"

// Cents is an amount of money in centavos of a Mexican peso.
type Cents int64

// MaxPrice bounds what one unit may cost: a million pesos.
const MaxPrice Cents = 100_000_000

// String shows an amount as people write it: "$1,234.50".
func (c Cents) String() string {
	sign := ""
	if c < 0 {
		sign, c = "-", -c
	}
	return sign + "$" + Thousands(int64(c/100)) + "." + string([]byte{'0' + byte(c/10%10), '0' + byte(c%10)})
}

// Thousands writes n with commas between groups of three digits, as es-MX does.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(s) - 3; i > start; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
