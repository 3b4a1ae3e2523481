package flows_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// demo is a small catalogue in the manner of the demo's.
func demo() []flows.Product {
	return []flows.Product{
		{GTIN: "7501055300075", Name: "Coca-Cola 600 ml", Nicknames: []string{"coca", "coca cola", "coquita", "refresco de cola"}},
		{GTIN: "7501055310883", Name: "Sprite 600 ml", Nicknames: []string{"sprite", "esprait"}},
		{GTIN: "7501000111206", Name: "Gansito 50 g", Nicknames: []string{"gansito", "ganso"}},
		{GTIN: "7501011115361", Name: "Sabritas Sal 45 g", Nicknames: []string{"sabritas", "papas", "papas sabritas"}},
		{GTIN: "7501011115378", Name: "Sabritas Adobadas 45 g", Nicknames: []string{"sabritas adobadas", "papas", "adobadas"}},
	}
}

func words(t testing.TB) *flows.Understander {
	t.Helper()
	u, err := flows.NewUnderstander(demo())
	if err != nil {
		t.Fatal(err)
	}
	return u
}

type utterance struct {
	role   flows.Audience
	text   string
	intent flows.Intent
}

func utterances(t testing.TB, file string) []utterance {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var all []utterance
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") || s.Text() == "" {
			continue
		}
		part := strings.Split(s.Text(), "\t")
		if len(part) != 3 {
			t.Fatalf("%s: %q has no three columns", file, s.Text())
		}
		all = append(all, utterance{flows.Audience(part[0]), part[1], flows.Intent(part[2])})
	}
	return all
}

// TestUtterancesOfTheContract holds the bot to every example it was promised to understand.
func TestUtterancesOfTheContract(t *testing.T) {
	u := words(t)
	for _, x := range utterances(t, "testdata/utterances.tsv") {
		if got := u.Understand(x.role, x.text); got.Intent != x.intent {
			t.Errorf("%s %q: got %s (confidence %d), want %s", x.role, x.text, got.Intent, got.Confidence, x.intent)
		}
	}
}

// TestHeldOutUtterances holds the lexicon to what it reaches on four sets that
// it was not written from. When each was first run, before anything was learnt
// from it, it gave 303 of 304, 190 of 238 and 151 of 180 (both much talk, many
// typos), and 109 of 111 (in the manner of the contract's examples). A floor
// may be raised, never lowered.
func TestHeldOutUtterances(t *testing.T) {
	u := words(t)
	for file, floor := range map[string]float64{
		"testdata/heldout.tsv": 0.99, "testdata/heldout2.tsv": 0.98, "testdata/heldout3.tsv": 0.97, "testdata/heldout4.tsv": 0.99,
	} {
		all := utterances(t, file)
		right := 0
		for _, x := range all {
			got := u.Understand(x.role, x.text)
			if got.Intent == x.intent {
				right++
				continue
			}
			t.Logf("%s %q: got %s (confidence %d), want %s", x.role, x.text, got.Intent, got.Confidence, x.intent)
		}
		accuracy := float64(right) / float64(len(all))
		t.Logf("%s: %d of %d right: %.3f", file, right, len(all), accuracy)
		if accuracy < floor {
			t.Errorf("%s: accuracy %.3f fell below %.3f", file, accuracy, floor)
		}
	}
}

func TestSlots(t *testing.T) {
	u := words(t)
	for _, c := range []struct {
		role flows.Audience
		text string
		want string
	}{
		{flows.Consumer, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)", `{"shop_code":"K7M2QR","shop_name":"Abarrotes Lupita"}`},
		{flows.Consumer, "Quiero crear mi tarjeta de puntos de Miscelánea El Güero (k7m2qr) 😊", `{"shop_code":"K7M2QR","shop_name":"Miscelánea El Güero"}`},
		{flows.Consumer, "quiero crear mi tarjeta de puntos de abarrotes lupita", `{"shop_name":"abarrotes lupita"}`},
		{flows.Consumer, "Hola quiero mi tarjeta de la tienda don pepe", `{"shop_name":"don pepe"}`},
		{flows.Consumer, "quiero mi tarjeta de la tienda que se llama La Esperanza porfa", `{"shop_name":"La Esperanza"}`},
		{flows.Consumer, "quiero mi tarjeta k7m2 qr", `{"shop_code":"K7M2QR"}`},
		{flows.Consumer, "ek7 m2qxs", `{"evidence_code":"EK7M2QXS"}`},
		{flows.Consumer, "Quiero crear mi tarjeta de puntos de La Esquinita", `{"shop_name":"La Esquinita"}`},
		{flows.Consumer, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QX)", `{"shop_name":"Abarrotes Lupita"}`},
		{flows.Consumer, "kiero crear mi targeta d puntos", `{}`},
		{flows.Consumer, "me quiero registrar", `{}`},
		{flows.Consumer, "quiero mi tarjeta de puntos", `{}`},
		{flows.Tendero, "EK7M-2QXS 7501055300075", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml"}`},
		{flows.Tendero, "ek7m2qxs", `{"evidence_code":"EK7M2QXS"}`},
		{flows.Tendero, "el codigo es EK7M 2QXS y llevo 2 cocas", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":2}`},
		{flows.Tendero, "EK7M – 2QXS dos cocas", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":2}`},
		{flows.Tendero, "EK7M-2QXS coca x3", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":3}`},
		{flows.Tendero, "EK7M-2QXS 0 cocas", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":0}`},
		{flows.Tendero, "EK7M-2QXS 2 cocas y un gansito", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":2,"items":[{"gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":2},{"gtin":"7501000111206","product":"Gansito 50 g","quantity":1}]}`},
		{flows.Tendero, "EK7M-2QXS 3 chocorroles", `{"evidence_code":"EK7M2QXS","product":"chocorroles","quantity":3}`},
		{flows.Tendero, "EK7M-2QXS 2 cocas y 3 boings", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":2,"items":[{"gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":2},{"product":"boings","quantity":3}]}`},
		{flows.Tendero, "una señora me dio el codigo EK7M-2QXS y llevó una coca de 20 pesos", `{"evidence_code":"EK7M2QXS","gtin":"7501055300075","product":"Coca-Cola 600 ml","quantity":1}`},
		{flows.Tendero, "EK7M-2QXS 2 papas adobadas", `{"evidence_code":"EK7M2QXS","gtin":"7501011115378","product":"Sabritas Adobadas 45 g","quantity":2}`},
		{flows.Tendero, "4h7k-2mqz 1 sprait", `{"card_code":"4H7K2MQZ","gtin":"7501055310883","product":"Sprite 600 ml","quantity":1}`},
		{flows.Tendero, "R234-5675", `{"redemption_code":"R2345675"}`},
		{flows.Consumer, "canjear refresco gratis", `{}`},
	} {
		if got := u.Understand(c.role, c.text).Slots.JSON(); got != c.want {
			t.Errorf("%q:\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestPitfall_WordsAreNoCodes: P23, "ANA", "SALDO", "STOP" are parsed as codes
// elsewhere; here plain words are not, even where the check symbol fits.
func TestPitfall_WordsAreNoCodes(t *testing.T) {
	u := words(t)
	for _, text := range []string{
		"ANA", "SALDO", "STOP", "GRACIAS1", "PARA 2000", "coca2000", "12051990", "5512345678", "cuanto cuesta", "KMMQRM",
		"ESCALERA", "mi numero es 55 1234 5678", "AGUACATE", "hola, ¿cómo están?",
	} {
		for _, role := range []flows.Audience{flows.Consumer, flows.Tendero} {
			s := u.Understand(role, text).Slots
			if s.EvidenceCode+s.CardCode+s.RedemptionCode+s.ShopCode+s.BadCode != "" {
				t.Errorf("%s %q holds a code: %+v", role, text, s)
			}
		}
	}
	// Words whose check symbol fits by accident; written as a code, letters will do.
	tried := 0
	for _, body := range []string{"EMPANAD", "ESTAMPA", "CAMPANA", "MANTECA", "CERVEZA", "RECARGA", "PAGARES", "ENTRADA"} {
		check := loyalty.CheckSymbol(body)
		if check < 'A' {
			continue
		}
		tried++
		word := body + string(check)
		if s := u.Understand(flows.Tendero, word).Slots; s.EvidenceCode+s.CardCode+s.RedemptionCode != "" {
			t.Errorf("%s: %+v", word, s)
		}
		if s := u.Understand(flows.Tendero, loyalty.FormatCode(word)).Slots; s.EvidenceCode+s.CardCode+s.RedemptionCode != word {
			t.Errorf("%s: %+v", loyalty.FormatCode(word), s)
		}
	}
	if tried == 0 {
		t.Error("no word was tried")
	}
	if s := u.Understand(flows.Consumer, "Quiero crear mi tarjeta de puntos de Lupita (KMMQRM)").Slots; s.ShopCode != "KMMQRM" {
		t.Errorf("(KMMQRM): %+v", s)
	}
	// One wrong symbol is noticed and said, not taken for another code.
	if r := u.Understand(flows.Tendero, "EK7M-2QXT 2 cocas"); r.Intent != flows.Evidence || r.Slots.EvidenceCode != "" || r.Slots.BadCode != "EK7M-2QXT" {
		t.Errorf("a mistyped code: %+v", r)
	}
}

// FuzzUnderstand: whatever is written, understanding answers and stays bounded.
func FuzzUnderstand(f *testing.F) {
	for _, s := range []string{"", " ", "hola", "EK7M-2QXS 2 cocas", "¿?", "👍", "\xff\xfe", "a\u0301\u0301\u0301", "1\ufe0f\u20e3", "Quiero crear mi tarjeta de puntos de (K7M2QR)", "ﬁ ﬀ Ⅷ ½", "---- EK7M-", "x2x2x2"} {
		f.Add(s)
	}
	u, err := flows.NewUnderstander(demo())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, role := range []flows.Audience{flows.Consumer, flows.Tendero} {
			if r := u.Understand(role, text); r.Intent == "" || !json.Valid([]byte(r.Slots.JSON())) {
				t.Errorf("%q: %+v", text, r)
			}
		}
	})
}

// TestTenThousandCharacters: a long text costs no more than a short one.
func TestTenThousandCharacters(t *testing.T) {
	u := words(t)
	for _, unit := range []string{"a", "asdfgh ", "quiero ", "no me pusieron puntos ", "EK7M-2QXS ", "\u0301", "coca 2 ", "ñ", "1 "} {
		text := strings.Repeat(unit, 10000/len(unit))
		if allocs := testing.AllocsPerRun(3, func() { u.Understand(flows.Tendero, text) }); allocs > 20000 {
			t.Errorf("%q ten thousand times: %v allocations", unit, allocs)
		}
	}
}

func BenchmarkUnderstand(b *testing.B) {
	u := words(b)
	for name, text := range map[string]string{
		"phrase": "saldo", "pattern": "oye cuantos puntos llevo ya en mi tarjeta porfa", "slots": "el codigo es EK7M 2QXS y llevo 2 cocas",
		"unknown": "cuanto cuesta un vuelo a cancun", "typos": "kiero krear mi targetta d pumtos", "long": strings.Repeat("asdfgh qwerty ", 700),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				u.Understand(flows.Tendero, text)
			}
		})
	}
}
