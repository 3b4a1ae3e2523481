package templates

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestColoursCanBeRead computes WCAG contrast of the pairs that carry text, in
// both themes, from the style sheet itself.
func TestColoursCanBeRead(t *testing.T) {
	css, err := files.ReadFile("static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	sheet := string(css)
	dark := sheet[strings.Index(sheet, "@media (prefers-color-scheme: dark)"):]
	dark = dark[:strings.Index(dark, "\n}")]
	light := tokens(sheet[:strings.Index(sheet, "@media (prefers-color-scheme: dark)")])
	night := tokens(dark)
	for _, theme := range []struct {
		name string
		own  map[string]string
	}{{"light", nil}, {"dark", night}} {
		value := func(name string) string {
			if v, ok := theme.own[name]; ok {
				return v
			}
			return light[name]
		}
		for _, pair := range [][2]string{
			{"ink", "paper"}, {"ink", "surface"}, {"ink", "sunk"}, {"ink", "sol-soft"},
			{"ink-2", "paper"}, {"ink-2", "surface"}, {"ink-2", "sunk"}, {"ink-2", "sol-soft"},
			{"rosa-ink", "paper"}, {"rosa-ink", "surface"}, {"sol-ink", "sol-soft"},
			{"nopal-ink", "nopal-soft"}, {"nopal-ink", "surface"}, {"rojo-ink", "rojo-soft"}, {"rojo-ink", "surface"},
			{"ink", "nopal-soft"}, {"ink-2", "nopal-soft"},
			{"on", "rosa"}, {"on", "nopal"}, {"on", "talavera"}, {"on", "rojo"},
		} {
			if ratio := contrast(t, value(pair[0]), value(pair[1])); ratio < 4.5 {
				t.Errorf("%s: %s on %s is %.2f:1", theme.name, pair[0], pair[1], ratio)
			}
		}
	}
}

func tokens(css string) map[string]string {
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`--([a-z0-9-]+): (#[0-9a-f]{3,6});`).FindAllStringSubmatch(css, -1) {
		if _, ok := found[m[1]]; !ok {
			found[m[1]] = m[2]
		}
	}
	return found
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	if len(hex) != 6 {
		t.Fatalf("%q is no colour", hex)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
