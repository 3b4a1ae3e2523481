package flows_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/qoa-conectados/qoa/flows"
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

// heldOutAccuracy is what the lexicon reaches on utterances it was not written
// from. It may be raised, never lowered.
const heldOutAccuracy = 0.95

func TestHeldOutUtterances(t *testing.T) {
	u := words(t)
	all := utterances(t, "testdata/heldout.tsv")
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
	t.Logf("%d of %d right: %.3f", right, len(all), accuracy)
	if accuracy < heldOutAccuracy {
		t.Errorf("accuracy %.3f fell below %.3f", accuracy, heldOutAccuracy)
	}
}
