package flows_test

import (
	"strings"
	"testing"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/templates"
)

func texts(t testing.TB) flows.Texts {
	t.Helper()
	m, err := templates.LoadMessages()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTheLibraryIsSound(t *testing.T) {
	var b strings.Builder
	if !flows.LintAll(&b, texts(t), nil) {
		t.Errorf("%s", b.String())
	}
}
