package flows_test

import (
	"strings"
	"testing"

	"github.com/qoa-conectados/qoa/flows"
)

func engine(t testing.TB) *flows.Engine {
	t.Helper()
	e, err := flows.NewLibraryEngine(words(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestTranscripts plays every conversation of the library, and sees that every
// flow, and every outcome of every action, is in one.
func TestTranscripts(t *testing.T) {
	list, err := flows.LibraryTranscripts()
	if err != nil {
		t.Fatal(err)
	}
	e, m := engine(t), texts(t)
	passed, outcomes := map[string]bool{}, map[string]bool{}
	for _, tr := range list {
		t.Run(tr.Name, func(t *testing.T) {
			c, err := tr.Run(e, flows.Actions(), m)
			if err != nil {
				t.Error(err)
			}
			for f := range c.Flows {
				passed[f] = true
			}
			for o := range c.Outcomes {
				outcomes[o] = true
			}
		})
	}
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range defs {
		if !passed[d.Flow] {
			t.Errorf("flow %s is in no transcript", d.Flow)
		}
	}
	reg := flows.Actions()
	for _, name := range reg.Names() {
		for _, o := range reg[name].Outcomes {
			if !outcomes[name+"="+o.Name] {
				t.Errorf("%s=%s is in no transcript", name, o.Name)
			}
		}
	}
}

func TestRunTranscriptsOnFiles(t *testing.T) {
	m := texts(t)
	run := func(data string) (bool, string) {
		var b strings.Builder
		ok := flows.RunTranscripts(&b, m, []flows.File{{Name: "x.yaml", Data: []byte(data)}})
		return ok, b.String()
	}
	if ok, out := run("- name: hi\n  role: consumer\n  lines:\n    - in: hola\n      out: [greeting.consumer]\n"); !ok || !strings.Contains(out, "ok: 1 transcripts") {
		t.Errorf("a right transcript fails: %s", out)
	}
	if ok, out := run("- name: hi\n  role: consumer\n  lines:\n    - in: hola\n      out: [thanks.anyone]\n"); ok || !strings.Contains(out, "hi: line 1, \"hola\": answers [greeting.consumer], not [thanks.anyone]") {
		t.Errorf("a wrong transcript passes: %s", out)
	}
	if ok, out := run("flow: thanks\nversion: 2\naudience: anyone\ntitle: x\nstart: a\nstates:\n  a: { say: ack.anyone, next: b }\n  b: { end: true }\n"); ok || !strings.Contains(out, "small talk") {
		t.Errorf("a changed definition passes the transcripts: %s", out)
	}
	if ok, out := run("nonsense"); ok || !strings.Contains(out, "x.yaml") {
		t.Errorf("nonsense passes: %s", out)
	}
}

// TestReproducedTranscriptRuns writes a transcript out and plays it.
func TestReproducedTranscriptRuns(t *testing.T) {
	list, err := flows.LibraryTranscripts()
	if err != nil {
		t.Fatal(err)
	}
	data, err := flows.FormatTranscripts(list)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if !flows.RunTranscripts(&b, texts(t), []flows.File{{Name: "repro.yaml", Data: data}}) {
		t.Error(b.String())
	}
}
