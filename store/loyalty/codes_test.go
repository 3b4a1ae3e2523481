package loyalty_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

func TestParseCodeReadsWhatPeopleWrite(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
		kind loyalty.CodeKind
	}{
		{"K7M2QR", "K7M2QR", loyalty.ShopCode},
		{"k7m2qr", "K7M2QR", loyalty.ShopCode},
		{"k7m 2qr", "K7M2QR", loyalty.ShopCode},
		{"EK7M-2QXS", "EK7M2QXS", loyalty.EvidenceCode},
		{"ek7m 2qxs", "EK7M2QXS", loyalty.EvidenceCode},
		{"EK7M–2QXS", "EK7M2QXS", loyalty.EvidenceCode},
		{"K7M2QS", "", loyalty.NotACode},
		{"EK7M-2QXT", "", loyalty.NotACode},
		{"", "", loyalty.NotACode},
		{"U7M2QR", "", loyalty.NotACode},
		{"SALDO", "", loyalty.NotACode},
		{"K7M2QRK7M2QR", "", loyalty.NotACode},
		{"Ñandúes1", "", loyalty.NotACode},
	} {
		got, kind := loyalty.ParseCode(c.in)
		if got != c.want || kind != c.kind {
			t.Errorf("ParseCode(%q) = %q, %v; want %q, %v", c.in, got, kind, c.want, c.kind)
		}
	}
}

func TestNewCodeIsOfItsKindAndSurvivesMisreading(t *testing.T) {
	random := rand.NewChaCha8([32]byte{1})
	for _, kind := range []loyalty.CodeKind{loyalty.ShopCode, loyalty.CardCode, loyalty.EvidenceCode, loyalty.RedemptionCode} {
		for range 500 {
			code := loyalty.NewCode(kind, random)
			misread := strings.NewReplacer("1", "l", "0", "O").Replace(strings.ToLower(loyalty.FormatCode(code)))
			if got, k := loyalty.ParseCode(misread); got != code || k != kind {
				t.Fatalf("ParseCode(%q) = %q, %v; want %q, %v", misread, got, k, code, kind)
			}
			if !strings.ContainsAny(code, "0123456789") {
				t.Fatalf("%s looks like a word", code)
			}
			for i := range code {
				wrong := []byte(code)
				wrong[i] = loyalty.CodeAlphabet[(strings.IndexByte(loyalty.CodeAlphabet, code[i])+1+i)%32]
				if _, k := loyalty.ParseCode(string(wrong)); k != loyalty.NotACode {
					t.Fatalf("one wrong symbol in %s was not noticed: %s", code, wrong)
				}
			}
		}
	}
}
