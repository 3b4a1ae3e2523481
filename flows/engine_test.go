package flows_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/qoa-conectados/qoa/flows"
)

var start = time.Date(2026, 1, 15, 16, 0, 0, 0, time.UTC)

func said(role flows.Audience, text string, at time.Time) flows.Input {
	return flows.Input{Message: &flows.Message{Text: text}, Role: role, Now: at, Given: map[string]string{flows.VarPrivacyURL: "https://qoa.test/privacidad"}}
}

// samples gives every variable some value.
func samples(names []string) map[string]string {
	vars := map[string]string{}
	for _, n := range names {
		switch n {
		case flows.VarChoices:
			vars[n] = flows.EncodeList([]flows.Row{{"id": "K7M2QR", "label": "Lupita"}, {"id": "4H7K2M", "label": "Pepe"}})
		case flows.VarItems, flows.VarPurchased, flows.VarTop:
			vars[n] = flows.EncodeList([]flows.Row{{"gtin": "7501055300075", "product": "Coca-Cola", "quantity": "2"}})
		case flows.VarBalances, flows.VarMovements, flows.VarRewards, flows.VarCampaigns, flows.VarEarned, flows.VarPending, flows.VarWaiting, flows.VarNotes:
			vars[n] = flows.EncodeList(nil)
		case flows.VarUnit:
			vars[n] = "stamp"
		case flows.VarGoal, flows.VarMissing, flows.VarPurchases, flows.VarUnits, flows.VarConsumers:
			vars[n] = "3"
		default:
			vars[n] = n
		}
	}
	return vars
}

// anyOutcome carries out actions by drawing one of their outcomes.
func anyOutcome(r *rand.Rand) func(flows.Call) (flows.Outcome, error) {
	reg := flows.Actions()
	return func(c flows.Call) (flows.Outcome, error) {
		a := reg[c.Action]
		o := a.Outcomes[r.IntN(len(a.Outcomes))]
		return flows.Outcome{Name: o.Name, Vars: samples(o.Sets)}, nil
	}
}

// TestEveryMessageIsAnswered walks at random through all conversations, with all
// that the utterances hold and much that is no text: each message is answered,
// every answer can be read, and the session survives being written out.
func TestEveryMessageIsAnswered(t *testing.T) {
	e, m := engine(t), texts(t)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a walk must be the same every time
	var said []string
	for _, file := range []string{"testdata/utterances.tsv", "testdata/heldout.tsv", "testdata/heldout2.tsv"} {
		for _, u := range utterances(t, file) {
			said = append(said, u.text)
		}
	}
	said = append(said, "1", "2", "9", "", "   ", "Ana", "12 de mayo", "EK7M-2QXS", "EK7M-2QXT", "R234-5675", "4H7K-2MQZ", "K7M2QR", "cancelar", "BAJA", "\xff\xfe", strings.Repeat("asdf ", 2000), strings.Repeat("a", 10000))
	kinds := []flows.MessageKind{flows.Image, flows.Sticker, flows.Audio, flows.Video, flows.Location, flows.Contact, flows.Document, flows.Unreadable, flows.Other}
	steps := 6000
	if testing.Short() {
		steps = 1500
	}
	for _, role := range []flows.Audience{flows.Consumer, flows.Tendero} {
		var s flows.Session
		now := start
		for range steps {
			now = now.Add(time.Duration(r.IntN(1200)) * time.Second)
			in := flows.Input{Message: &flows.Message{Text: said[r.IntN(len(said))]}, Role: role, Now: now, Given: map[string]string{flows.VarPrivacyURL: "p"}}
			if r.IntN(12) == 0 {
				in.Message = &flows.Message{Kind: kinds[r.IntN(len(kinds))]}
			}
			next, replies, err := e.Turn(s, in, anyOutcome(r))
			if errors.Is(err, flows.ErrStepLimit) {
				continue // outcomes drawn at random may go in circles; the limit held
			}
			if err != nil {
				t.Fatalf("%s, %q in %s/%s: %v", role, in.Message.Text, s.Flow, s.State, err)
			}
			if len(replies) == 0 {
				t.Fatalf("%s, %q in %s/%s: no answer", role, in.Message.Text, s.Flow, s.State)
			}
			for _, reply := range replies {
				if _, err := m.Render(reply.Template, reply.Vars); err != nil {
					t.Fatalf("%s, %q in %s/%s: %v", role, in.Message.Text, s.Flow, s.State, err)
				}
			}
			b, err := json.Marshal(next)
			if err != nil {
				t.Fatal(err)
			}
			if len(b) > 16<<10 {
				t.Fatalf("the session grew to %d bytes", len(b))
			}
			s = flows.Session{}
			if err := json.Unmarshal(b, &s); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// waiting gives a session for every question of the library.
func waiting(t *testing.T) []flows.Session {
	t.Helper()
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	all := []string{
		flows.VarShop, flows.VarShopCode, flows.VarChoices, flows.VarQuery, flows.VarItems, flows.VarCode, flows.VarName,
	}
	var list []flows.Session
	for _, d := range defs {
		for name, state := range d.States {
			if state.Ask != "" {
				list = append(list, flows.Session{Frame: flows.Frame{Flow: d.Flow, Version: d.Version, State: name, Vars: samples(all), Since: start, Deadline: start.Add(time.Hour)}})
			}
		}
	}
	if len(list) < 10 {
		t.Fatalf("only %d questions", len(list))
	}
	return list
}

// TestGlobalWordsWorkFromEveryQuestion: BAJA ends all; saldo and ayuda are
// answered and the question comes again, unless it was only an offer.
func TestGlobalWordsWorkFromEveryQuestion(t *testing.T) {
	e := engine(t)
	ok := func(c flows.Call) (flows.Outcome, error) {
		o := flows.Actions()[c.Action].Outcomes[0]
		return flows.Outcome{Name: o.Name, Vars: samples(o.Sets)}, nil
	}
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	soft := map[string]bool{}
	for _, d := range defs {
		for name, s := range d.States {
			soft[d.Flow+"/"+name] = s.Soft
		}
	}
	for _, s := range waiting(t) {
		at := s.Flow + "/" + s.State
		for _, role := range []flows.Audience{flows.Consumer, flows.Tendero} {
			for _, word := range []string{"BAJA", "stop", "ya no me manden mensajes"} {
				next, replies, err := e.Turn(s, said(role, word, start.Add(time.Minute)), ok)
				if err != nil || next.Open() || len(next.Stack) > 0 || replies[0].Template != "opt_out.done" {
					t.Errorf("%s in %s: %+v, %v, %v", word, at, next, replies, err)
				}
			}
			for word, text := range map[string]string{"saldo": "balance.some", "mi tarjeta": "card.shown", "premios": "rewards.some", "privacidad": "privacy.notice"} {
				next, replies, err := e.Turn(s, said(role, word, start.Add(time.Minute)), ok)
				if err != nil || replies[0].Template != text {
					t.Errorf("%s in %s: %v, %v", word, at, replies, err)
					continue
				}
				again := len(replies) == 3 && replies[1].Template == "conversation.resume" && next.State == s.State && next.Flow == s.Flow
				if again == soft[at] {
					t.Errorf("%s in %s: asked again is %v: %v", word, at, again, replies)
				}
			}
			for _, word := range []string{"cancelar", "Cancela", "olvídalo"} {
				next, replies, err := e.Turn(s, said(role, word, start.Add(time.Minute)), ok)
				if err != nil || next.Open() || replies[0].Template != "conversation.cancelled" {
					t.Errorf("%s in %s: %v, %v", word, at, replies, err)
				}
			}
		}
	}
}

// TestPitfall_ExpiredQuestionIsClosedKindly: P29, from every question.
func TestPitfall_ExpiredQuestionIsClosedKindly(t *testing.T) {
	e := engine(t)
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // the same every time
	for _, s := range waiting(t) {
		for _, late := range []time.Duration{time.Hour, 90 * 24 * time.Hour} {
			next, replies, err := e.Turn(s, said(flows.Consumer, "ayuda", start.Add(late)), anyOutcome(r))
			last := replies[len(replies)-1].Template
			if err != nil || next.Open() || last != "help.consumer" || len(replies) > 2 {
				t.Errorf("%s/%s: %v, %v", s.Flow, s.State, replies, err)
			}
		}
	}
}

func TestStepChangesNothingItWasGiven(t *testing.T) {
	e := engine(t)
	r := rand.New(rand.NewPCG(5, 6)) //nolint:gosec // the same every time
	for _, s := range waiting(t) {
		s.Stack = []flows.Frame{{Flow: "onboard", Version: 1, State: "ask_name", Vars: map[string]string{"a": "b"}, Deadline: start.Add(time.Hour)}}
		before, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := e.Turn(s, said(flows.Tendero, "1", start.Add(time.Minute)), anyOutcome(r)); err != nil && !errors.Is(err, flows.ErrStepLimit) {
			t.Fatal(err)
		}
		after, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if string(before) != string(after) {
			t.Errorf("%s/%s changed", s.Flow, s.State)
		}
	}
}

// TestFailedActionLeavesTheSession: what the turn would have done is not kept.
func TestFailedActionLeavesTheSession(t *testing.T) {
	e := engine(t)
	down := errors.New("down")
	s := waiting(t)[0]
	next, replies, err := e.Turn(s, said(flows.Consumer, "saldo", start), func(flows.Call) (flows.Outcome, error) { return flows.Outcome{}, down })
	if !errors.Is(err, down) || !reflect.DeepEqual(next, s) || replies != nil {
		t.Errorf("got %+v, %v, %v", next, replies, err)
	}
}

func TestQuestionsWaitForEachOther(t *testing.T) {
	e := engine(t)
	outcomes := map[string]string{"resolve_shop": "missing", "request_redemption": "choose", "load_balance": "none"}
	do := func(c flows.Call) (flows.Outcome, error) {
		o, ok := flows.Actions()[c.Action].Outcome(outcomes[c.Action])
		if !ok {
			t.Fatalf("%s was not expected", c.Action)
		}
		return flows.Outcome{Name: o.Name, Vars: samples(o.Sets)}, nil
	}
	var s flows.Session
	turn := func(text string, want ...string) {
		t.Helper()
		next, replies, err := e.Turn(s, said(flows.Consumer, text, start), do)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range replies {
			got = append(got, r.Template)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		s = next
	}
	turn("quiero mi tarjeta", "onboarding.ask_shop")
	turn("quiero canjear", "redeem.which")
	turn("saldo", "balance.none", "conversation.resume", "redeem.which")
	turn("no", "redeem.left_open", "conversation.resume", "onboarding.ask_shop")
	turn("quiero mi tarjeta", "onboarding.ask_shop")
	if len(s.Stack) != 0 {
		t.Errorf("a flow that begins anew waits for itself: %+v", s.Stack)
	}
}

// TestSessionsOfAnotherVersion: one that can go on goes on, one that cannot is
// forgotten, and its message is understood on its own.
func TestSessionsOfAnotherVersion(t *testing.T) {
	def, err := flows.ParseDefinition([]byte(`
flow: thanks
version: 3
audience: anyone
title: algo
moves: { old_name: ask }
start: ask
states:
  ask: { ask: onboarding.ask_name, expect: name, on: { name: said }, retry: 1, timeout: { after: 1h, to: done } }
  said: { say: onboarding.name_skipped, next: done }
  done: { end: true }
`))
	if err != nil {
		t.Fatal(err)
	}
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	for i := range defs {
		if defs[i].Flow == "thanks" {
			defs[i] = def
		}
	}
	routes, err := flows.LibraryRoutes()
	if err != nil {
		t.Fatal(err)
	}
	e, err := flows.NewEngine(defs, routes, words(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flow, state string
		want        string
	}{
		{"thanks", "ask", "onboarding.name_skipped"},
		{"thanks", "old_name", "onboarding.name_skipped"},
		{"thanks", "gone", "unknown.consumer"},
		{"thanks", "done", "unknown.consumer"},
		{"no_such_flow", "x", "unknown.consumer"},
	} {
		s := flows.Session{Frame: flows.Frame{Flow: c.flow, Version: 2, State: c.state}, Stack: []flows.Frame{{Flow: "gone_too", State: "y"}}}
		_, replies, err := e.Turn(s, said(flows.Consumer, "Juan Pérez", start), func(flows.Call) (flows.Outcome, error) {
			return flows.Outcome{Name: "none"}, nil // no shop is called so
		})
		if err != nil || len(replies) != 1 || replies[0].Template != c.want {
			t.Errorf("%s/%s: %v, %v", c.flow, c.state, replies, err)
		}
	}
}

// TestEndlessTurnsStop: a definition that lint would refuse cannot hang a worker.
func TestEndlessTurnsStop(t *testing.T) {
	e := engine(t)
	calls := 0
	_, _, err := e.Turn(flows.Session{}, said(flows.Consumer, "canjear", start), func(c flows.Call) (flows.Outcome, error) {
		calls++
		return flows.Outcome{Name: "no such outcome"}, nil
	})
	if err == nil || calls != 1 {
		t.Errorf("an outcome that nobody declared is taken: %v after %d calls", err, calls)
	}
	if _, _, err := e.Step(flows.Session{}, flows.Input{Outcome: &flows.Outcome{Name: "done"}}); err == nil {
		t.Error("an outcome that nobody asked for is taken")
	}
	if _, _, err := e.Step(flows.Session{}, flows.Input{}); err == nil {
		t.Error("a step without input is taken")
	}
}

func TestNamesAndBirthdays(t *testing.T) {
	e := engine(t)
	ask := func(state, text string) (string, map[string]string) {
		s := flows.Session{Frame: flows.Frame{Flow: "onboard", Version: 1, State: state, Deadline: start.Add(time.Hour)}}
		_, out, err := e.Step(s, said(flows.Consumer, text, start))
		if err != nil {
			t.Fatal(err)
		}
		if out.Do == nil {
			return out.Replies[0].Template, nil
		}
		return out.Do.Action, out.Do.Args
	}
	for text, want := range map[string]string{
		"ANA": "ANA", "Juan Pérez": "Juan Pérez", "me llamo ana": "ana", "Hola, soy Luis Ángel": "Luis Ángel", "Mi nombre es María José Núñez.": "María José Núñez",
		"Ma. Fernanda": "Ma. Fernanda", "  Beto 😊": "Beto", "O'Connor": "O'Connor", "soy Alta": "Alta", "Ana, mucho gusto": "Ana", "José de la Cruz": "José de la Cruz",
		"Buenas tardes, soy Lety": "Lety", "buenos días Rosa": "Rosa",
	} {
		if action, args := ask("ask_name", text); action != "save_name" || args[flows.VarName] != want {
			t.Errorf("%q: %s %q, want %q", text, action, args[flows.VarName], want)
		}
	}
	for text, want := range map[string]string{
		"saldo": "load_balance", "STOP": "opt_out", "ALTA": "opt_in", "no": "onboarding.name_skipped", "¿para qué quieres mi nombre?": "privacy.notice",
		"12345": "retry.name", "no te importa": "retry.name", "😊": "retry.name", "código": "issue_evidence_code", "a b c d e f g h": "retry.name", "sí": "retry.name",
		"jajaja": "retry.name", "mañana te digo": "retry.name", "soy cliente de lupita": "retry.name", "prefiero no decirlo": "onboarding.name_skipped",
	} {
		if got, _ := ask("ask_name", text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"12 de mayo": "05-12", "12/05": "05-12", "12-05-1990": "1990-05-12", "el 3 de Septiembre de 2001": "2001-09-03", "mayo 12": "05-12", "1 ene": "01-01", "29/02/2000": "2000-02-29",
		"el quince de agosto": "08-15", "primero de enero": "01-01", "5 mayo 85": "1985-05-05",
	} {
		if action, args := ask("ask_birthday", text); action != "save_birthday" || args[flows.VarBirthday] != want {
			t.Errorf("%q: %s %q, want %q", text, action, args[flows.VarBirthday], want)
		}
	}
	for _, text := range []string{"31/02", "29/02/2001", "0/5", "mayo", "mañana", "12", "12/13", "12/05/3000"} {
		if got, _ := ask("ask_birthday", text); got != "retry.birthday" {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// TestLongTexts: ten thousand characters are answered, and kept short.
func TestLongTexts(t *testing.T) {
	e, m := engine(t), texts(t)
	_, out, err := e.Step(flows.Session{}, said(flows.Consumer, strings.Repeat("bla bli blu ", 900), start))
	if err != nil || out.Replies[0].Template != "unsupported.long" {
		t.Errorf("got %+v, %v", out, err)
	}
	_, out, err = e.Step(flows.Session{}, said(flows.Consumer, "no me pusieron mi estampa "+strings.Repeat("ñ", 10000), start))
	if err != nil || out.Do == nil || out.Do.Action != "report_missing_stamp" || utf8.RuneCountInString(out.Do.Args[flows.VarText]) > flows.MaxText {
		t.Errorf("got %+v, %v", out, err)
	}
	if !m.Has("conversation.parked") {
		t.Error("nothing to say when we fail")
	}
}

func TestEngineRefusesWhatCannotRun(t *testing.T) {
	defs, err := flows.Library()
	if err != nil {
		t.Fatal(err)
	}
	routes, err := flows.LibraryRoutes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flows.NewEngine(append(defs, defs[0]), routes, words(t)); err == nil {
		t.Error("two flows of one name are taken")
	}
	if _, err := flows.NewEngine(append(defs, &flows.Definition{Flow: "x"}), routes, words(t)); err == nil {
		t.Error("a broken definition is taken")
	}
	if _, err := flows.NewEngine(defs, append(routes, flows.Route{Intent: flows.Balance, Flow: "nowhere"}), words(t)); err == nil {
		t.Error("a route to nowhere is taken")
	}
}

func BenchmarkTurn(b *testing.B) {
	e := engine(b)
	do := func(c flows.Call) (flows.Outcome, error) {
		o := flows.Actions()[c.Action].Outcomes[0]
		return flows.Outcome{Name: o.Name, Vars: samples(o.Sets)}, nil
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := e.Turn(flows.Session{}, said(flows.Consumer, "Quiero crear mi tarjeta de puntos de Abarrotes Lupita (K7M2QR)", start), do); err != nil {
			b.Fatal(err)
		}
	}
}
