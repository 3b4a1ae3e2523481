package flows_test

import (
	"os"
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

// TestBrokenDefinitions holds a definition for every error, with the exact words.
func TestBrokenDefinitions(t *testing.T) {
	want := map[string]string{
		"name":                     `flow Broken Flow: the name must be of the letters a to z and _`,
		"version":                  `flow broken: the version must be 1 or more`,
		"audience":                 `flow broken: the audience must be consumer, tendero or anyone, not "everybody"`,
		"title":                    `flow broken: the title is missing`,
		"start":                    `flow broken: it starts in state "a", which it does not have`,
		"moves":                    `flow broken: moves old to "a", which is no state that waits`,
		"two_things":               `flow broken: state a: it must do exactly one of say, ask, do and end`,
		"nothing":                  `flow broken: state a: it must do exactly one of say, ask, do and end`,
		"wrong_key":                `flow broken: state a: retry has no place in a state that does say`,
		"unknown_key":              `unknown field "says"`,
		"twice":                    `mapping key "a" already defined`,
		"event_twice":              `mapping key "done" already defined`,
		"event_reserved":           `flow broken: state a: on names timeout, which is no outcome: the pair of event and state would be there twice`,
		"no_next":                  `flow broken: state a: next is missing`,
		"media":                    `flow broken: state a: there is no media "gif"`,
		"expect":                   `flow broken: state a: there is no kind of answer "maybe"`,
		"no_timeout":               `flow broken: state a: it waits without a timeout`,
		"no_time":                  `flow broken: state a: the timeout must be longer than nothing`,
		"bad_duration":             `"soon" is no duration (write 15m or 24h)`,
		"retry":                    `flow broken: state a: retry must be 0 to 5`,
		"target":                   `flow broken: state a: next leads to "c", which does not exist`,
		"action":                   `flow broken: state a: there is no action "dance"`,
		"outcome_missing":          `flow broken: state a: outcome unknown of load_profile is not handled`,
		"outcome_extra":            `flow broken: state a: opt_in has no outcome refused`,
		"answer_missing":           `flow broken: state a: answer no is not handled`,
		"answer_extra":             `flow broken: state a: an answer of kind yes_no is never maybe`,
		"choice_gap":               `flow broken: state a: answer 2 is not handled`,
		"unreachable":              `flow broken: state b: nothing leads here`,
		"endless":                  `flow broken: state b: it never comes to an end`,
		"loop":                     `flow broken: state a: it leads back to itself without waiting`,
		"timeout_acts":             `flow broken: state a: the timeout must only say and end, but leads to b`,
		"text_missing":             `flow broken: state a: there is no text no.such_text`,
		"text_variable":            `flow broken: state a: text evidence.used needs code, which is not always set`,
		"text_variable_on_one_way": `flow broken: state b: text balance.none needs card_url, which is not always set`,
		"media_variable":           `flow broken: state a: media card_qr needs card_code, which is not always set`,
		"choice_without_list":      `flow broken: state a: a choice needs choices, which is not always set`,
		"then_missing":             `flow broken: state a: goes on with flow "nowhere", which does not exist`,
		"then_audience":            `flow broken: state a: goes on with flow evidence, which is not for everyone here`,
		"then_loop":                `flow broken: it leads back to itself through other flows without waiting`,
	}
	files, err := os.ReadDir("testdata/broken")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(want) {
		t.Errorf("%d broken definitions, %d messages", len(files), len(want))
	}
	m := texts(t)
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".yaml")
		data, err := os.ReadFile("testdata/broken/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if flows.LintAll(&b, m, []flows.File{{Name: f.Name(), Data: data}}) {
			t.Errorf("%s passes", name)
		}
		if !strings.Contains(b.String(), want[name]) || want[name] == "" {
			t.Errorf("%s: got\n%s\nwant %s", name, b.String(), want[name])
		}
	}
}

// TestBajaMustLeadOut: without its route, no question may be published.
func TestBajaMustLeadOut(t *testing.T) {
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	routes, err := flows.LibraryRoutes()
	if err != nil {
		t.Fatal(err)
	}
	for i := range routes {
		if routes[i].Intent == flows.OptOut {
			routes[i].Flow = "thanks"
		}
	}
	all := ""
	for _, p := range flows.Lint(defs, routes, flows.Actions(), texts(t)) {
		all += p.Error() + "\n"
	}
	for _, d := range defs {
		for name, s := range d.States {
			if s.Ask != "" && !strings.Contains(all, "flow "+d.Flow+": state "+name+": a ") {
				t.Errorf("%s, %s: nobody misses BAJA", d.Flow, name)
			}
		}
	}
}

func TestRoutesAreChecked(t *testing.T) {
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	routes, err := flows.ParseRoutes([]byte(`
- { intent: dance, flow: thanks }
- { intent: balance, flow: nowhere }
- { intent: evidence, flow: evidence }
`))
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, p := range flows.Lint(defs, routes, flows.Actions(), texts(t)) {
		all += p.Error() + "\n"
	}
	for _, want := range []string{
		"route dance: there is no such intent",
		`route balance: there is no flow "nowhere"`,
		"route evidence: flow evidence is for tenderos only",
		"route thanks: a consumer has none",
		"route shop_qr: a tendero has none",
	} {
		if !strings.Contains(all, want+"\n") {
			t.Errorf("nobody says %q", want)
		}
	}
	if _, err := flows.ParseRoutes([]byte("- { intent: yes, to: ack }")); err == nil {
		t.Error("a row with an unknown key is taken")
	}
}

func TestMigratable(t *testing.T) {
	parse := func(s string) *flows.Definition {
		d, err := flows.ParseDefinition([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const head = "flow: x\naudience: anyone\ntitle: x\nstart: a\n"
	old := parse(head + "version: 1\nstates:\n  a: { ask: q, expect: name, on: { name: b }, timeout: { after: 5m, to: b } }\n  b: { end: true }\n")
	for name, c := range map[string]struct{ next, want string }{
		"same":    {head + "version: 2\nstates:\n  a: { ask: q2, expect: name, on: { name: b }, timeout: { after: 5m, to: b } }\n  b: { end: true }\n", ""},
		"moved":   {head + "version: 2\nmoves: { a: c }\nstates:\n  c: { ask: q, expect: text, on: { text: b }, timeout: { after: 5m, to: b } }\n  b: { end: true }\n", ""},
		"gone":    {head + "version: 2\nstates:\n  b: { end: true }\n", "flow x: sessions wait in a, which no longer waits: name where they go in moves"},
		"changed": {head + "version: 2\nstates:\n  a: { ask: q, expect: yes_no }\n", "flow x: sessions wait in a for name, which now expects yes_no: name where they go in moves"},
		"astray":  {head + "version: 2\nmoves: { a: b }\nstates:\n  b: { end: true }\n", `flow x: moves a to "b", which is no state that waits`},
		"older":   {head + "version: 1\nstates:\n  a: { ask: q, expect: name }\n", "flow x: version 1 cannot follow version 1"},
	} {
		got := ""
		for _, p := range flows.Migratable(old, parse(c.next)) {
			got += p.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	if got := flows.Migratable(old, parse("flow: y\nversion: 2\n")); len(got) != 1 {
		t.Errorf("another flow follows: %v", got)
	}
}
