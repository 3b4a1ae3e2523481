package loyalty_test

import (
	"testing"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestSearchName(t *testing.T) {
	for in, want := range map[string]string{
		"Abarrotes Lupita":            "abarrotes lupita",
		"  ABARROTES   LUPITA  ":      "abarrotes lupita",
		"Miscelánea «La Güera», S.A.": "miscelanea la guera s a",
		"La Espan\u0303ola":           "la espanola",
		"Súper Ñandú 24/7":            "super nandu 24 7",
		"🛒 Doña Mary 🛒":               "dona mary",
		"":                            "",
		" ¡¿!? ":                      "",
		"a\x00b":                      "a b",
	} {
		if got := loyalty.SearchName(in); got != want {
			t.Errorf("SearchName(%q) = %q, want %q", in, got, want)
		}
		if again := loyalty.SearchName(loyalty.SearchName(in)); again != want {
			t.Errorf("SearchName is not stable on %q: %q", in, again)
		}
	}
}
