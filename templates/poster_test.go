package templates

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

func samplePoster(shop string) PosterView {
	return PosterView{
		Shop: shop, Place: "Narvarte, Ciudad de México", Code: "K7M2QR", URL: "https://qoa.example/q/K7M2QR",
		PrivacyURL: "https://qoa.example/privacidad", Created: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func TestPosterIsOnePageAndAlwaysTheSame(t *testing.T) {
	for _, shop := range []string{
		"Abarrotes Lupita",
		"",
		"Ñ",
		"Miscelánea y Cremería “La Niña de los Ángeles” de Doña Concepción Ordóñez e Hijos",
		strings.Repeat("Abarrotes ", 60),
		strings.Repeat("Supermercadísimo", 20),
		"Súper 🛒 日本",
	} {
		first, err := Poster(samplePoster(shop))
		if err != nil {
			t.Fatalf("%q: %v", shop, err)
		}
		second, err := Poster(samplePoster(shop))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("%q: two posters of one shop differ", shop)
		}
		if !bytes.HasPrefix(first, []byte("%PDF-")) || bytes.Count(first, []byte("/Type /Page\n")) != 1 {
			t.Errorf("%q: not a PDF of one page", shop)
		}
		if len(first) > 64<<10 {
			t.Errorf("%q: %d bytes", shop, len(first))
		}
	}
}

func TestPosterRefusesAURLThatFitsNoCode(t *testing.T) {
	v := samplePoster("Abarrotes Lupita")
	v.URL = strings.Repeat("x", 5000)
	if _, err := Poster(v); err == nil {
		t.Error("a poster without a code was made")
	}
}

func TestLatinKeepsSpanishAndDropsTheRest(t *testing.T) {
	if got, want := latin("Ñandú “Güicho” — ¡Ánimo! 🛒\n"), "\xd1and\xfa \x93G\xfcicho\x94 \x97 \xa1\xc1nimo!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCutKeepsLinesInsideTheRoom(t *testing.T) {
	p := &posterPage{fpdf.New("P", "mm", "Letter", "")}
	p.pdf.SetFont("Helvetica", "B", 22)
	for _, line := range []string{"", "a", strings.Repeat("W", 300), latin(strings.Repeat("ñ", 300))} {
		if got := p.cut(line, 100); p.pdf.GetStringWidth(got) > 100 {
			t.Errorf("%q is %.1f mm wide", got, p.pdf.GetStringWidth(got))
		}
	}
}
