package flows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Transcript is a conversation that was, or must be: who writes what, and what
// is answered.
type Transcript struct {
	Name  string   `yaml:"name"`
	Role  Audience `yaml:"role"`
	Lines []Line   `yaml:"lines"`
}

// Line is one message of a transcript and the answer to it.
type Line struct {
	// After is how long after the line before it was written; a minute when
	// nothing is said.
	After Duration    `yaml:"after,omitempty"`
	In    string      `yaml:"in"`
	Kind  MessageKind `yaml:"kind,omitempty"`
	// Do are the actions that the engine must ask for, in their order, each with
	// the outcome it is given: resolve_shop=found.
	Do []string `yaml:"do,omitempty"`
	// With are variables that the outcomes set instead of the samples.
	With map[string]string `yaml:"with,omitempty"`
	// Args must be among the arguments of the actions.
	Args map[string]string `yaml:"args,omitempty"`
	// Out are the keys of the texts answered, in their order.
	Out []string `yaml:"out"`
	// Text must stand in the answer as it is read.
	Text []string `yaml:"text,omitempty"`
	// Media is the picture that goes with the answer.
	Media Media `yaml:"media,omitempty"`
	// Open says which flow waits for an answer afterwards; none when empty.
	Open string `yaml:"open,omitempty"`
}

// ParseTranscripts reads a list of transcripts.
func ParseTranscripts(data []byte) ([]Transcript, error) {
	var list []Transcript
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&list); err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	return list, nil
}

// FormatTranscripts writes transcripts as ParseTranscripts reads them.
func FormatTranscripts(list []Transcript) ([]byte, error) {
	data, err := yaml.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	return data, nil
}

// MarshalYAML writes a duration as it is read.
func (d Duration) MarshalYAML() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// LibraryTranscripts reads the transcripts that come with the program.
func LibraryTranscripts() ([]Transcript, error) {
	entries, err := libraryFiles.ReadDir("library/transcripts")
	if err != nil {
		return nil, fmt.Errorf("transcripts: %w", err)
	}
	var all []Transcript
	for _, entry := range entries {
		data, err := libraryFiles.ReadFile("library/transcripts/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("transcripts: %w", err)
		}
		list, err := ParseTranscripts(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", entry.Name(), err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// Coverage is what transcripts passed through.
type Coverage struct {
	Flows    map[string]bool
	Outcomes map[string]bool // action=outcome
}

// RunTranscripts runs the library's transcripts; or, given files, those in
// them. A file may also be a definition: it takes the place of the library's of
// its name. What fails is written to w.
func RunTranscripts(w io.Writer, texts Texts, files []File) bool {
	var list []Transcript
	var defs []File
	for _, f := range files {
		if t, err := ParseTranscripts(f.Data); err == nil {
			list = append(list, t...)
			continue
		} else if _, asDefinition := ParseDefinition(f.Data); asDefinition != nil {
			return report(w, []error{fmt.Errorf("%s: neither %w nor %w", f.Name, err, asDefinition)})
		}
		defs = append(defs, f)
	}
	e, err := transcriptEngine(defs)
	if err != nil {
		return report(w, []error{err})
	}
	if len(list) == 0 {
		if list, err = LibraryTranscripts(); err != nil {
			return report(w, []error{err})
		}
	}
	var problems []error
	for _, t := range list {
		if _, err := t.Run(e, Actions(), texts); err != nil {
			problems = append(problems, err)
		}
	}
	if report(w, problems) {
		_, err = fmt.Fprintf(w, "ok: %d transcripts\n", len(list))
		return err == nil
	}
	return false
}

func transcriptEngine(files []File) (*Engine, error) {
	defs, err := withFiles(files)
	if err != nil {
		return nil, err
	}
	routes, err := LibraryRoutes()
	if err != nil {
		return nil, err
	}
	words, err := NewUnderstander(sampleProducts())
	if err != nil {
		return nil, err
	}
	return NewEngine(defs, routes, words)
}

// transcriptStart is when every transcript begins.
var transcriptStart = time.Date(2026, 1, 15, 16, 0, 0, 0, time.UTC)

// Run plays a transcript. The session is written out and read back between all
// messages, as it is in life.
func (t Transcript) Run(e *Engine, reg Registry, texts Texts) (Coverage, error) {
	c := Coverage{Flows: map[string]bool{}, Outcomes: map[string]bool{}}
	var s Session
	now := transcriptStart
	for i, line := range t.Lines {
		now = now.Add(max(time.Duration(line.After), time.Minute))
		stored, err := json.Marshal(s)
		if err != nil {
			return c, fmt.Errorf("%s: %w", t.Name, err)
		}
		s = Session{}
		if err := json.Unmarshal(stored, &s); err != nil {
			return c, fmt.Errorf("%s: %w", t.Name, err)
		}
		play := player{line: line, reg: reg, coverage: c, args: map[string]string{}}
		in := Input{
			Message: &Message{Kind: line.Kind, Text: line.In}, Role: t.Role, Now: now,
			Given: map[string]string{VarPrivacyURL: "https://qoa.test/privacidad"},
		}
		next, replies, err := e.Turn(s, in, play.do)
		if err == nil {
			err = play.check(next, replies, texts)
		}
		if err != nil {
			return c, fmt.Errorf("%s: line %d, %q: %w", t.Name, i+1, cut(line.In, 40), err)
		}
		s = next
	}
	return c, nil
}

// player stands in for the runner on one line.
type player struct {
	line     Line
	reg      Registry
	coverage Coverage
	done     int
	args     map[string]string
}

// do gives the outcome that the script names next.
func (p *player) do(call Call) (Outcome, error) {
	p.coverage.Flows[call.flow] = true
	if p.done >= len(p.line.Do) {
		return Outcome{}, errors.New("the transcript does not have it here")
	}
	name, outcome, _ := strings.Cut(p.line.Do[p.done], "=")
	p.done++
	if name != call.Action {
		return Outcome{}, fmt.Errorf("the transcript has %s here", name)
	}
	o, ok := p.reg[name].Outcome(outcome)
	if !ok {
		return Outcome{}, fmt.Errorf("it has no outcome %q", outcome)
	}
	p.coverage.Outcomes[name+"="+outcome] = true
	maps.Copy(p.args, call.Args)
	vars := map[string]string{}
	for _, v := range o.Sets {
		value, ok := p.line.With[v]
		if !ok {
			if value, ok = sampleVars()[v]; !ok {
				return Outcome{}, fmt.Errorf("variable %s has no sample", v)
			}
		}
		vars[v] = value
	}
	return Outcome{Name: outcome, Vars: vars}, nil
}

// check holds the answer against the line.
func (p *player) check(s Session, replies []Reply, texts Texts) error {
	if p.done < len(p.line.Do) {
		return fmt.Errorf("%s was not asked for", p.line.Do[p.done])
	}
	var keys, parts []string
	var media Media
	for _, r := range replies {
		keys = append(keys, r.Template)
		text, err := texts.Render(r.Template, r.Vars)
		if err != nil {
			return err
		}
		parts = append(parts, text)
		if r.Media != "" {
			media = r.Media
		}
		p.coverage.Flows[r.flow] = true
	}
	if !slices.Equal(keys, p.line.Out) {
		return fmt.Errorf("answers %v, not %v", keys, p.line.Out)
	}
	text := strings.Join(parts, "\n\n")
	for _, want := range p.line.Text {
		if !strings.Contains(text, want) {
			return fmt.Errorf("the answer does not say %q:\n%s", want, text)
		}
	}
	if media != p.line.Media {
		return fmt.Errorf("the picture is %q, not %q", media, p.line.Media)
	}
	if s.Flow != p.line.Open {
		return fmt.Errorf("flow %q is open, not %q", s.Flow, p.line.Open)
	}
	for _, name := range sortedKeys(p.line.Args) {
		if p.args[name] != p.line.Args[name] {
			return fmt.Errorf("argument %s is %q, not %q", name, p.args[name], p.line.Args[name])
		}
	}
	return nil
}

// sampleProducts is the catalogue of all transcripts.
func sampleProducts() []Product {
	return []Product{
		{GTIN: "7501055300075", Name: "Coca-Cola 600 ml", Nicknames: []string{"coca", "coca cola"}},
		{GTIN: "7501000111206", Name: "Gansito 50 g", Nicknames: []string{"gansito"}},
	}
}

// sampleVars are the values that outcomes set in transcripts.
func sampleVars() map[string]string {
	return map[string]string{
		VarShopCode: "K7M2QR", VarShop: "Abarrotes Lupita", VarQuery: "la esquina",
		VarChoices: EncodeList([]Row{{"id": "K7M2QR", "label": "Abarrotes Lupita"}, {"id": "4H7K2M", "label": "Miscelánea Don Pepe"}}),
		VarCardURL: "https://qoa.test/c/4n8Xk2mQpL0sVtYw7Rb9Ag/4H7K-2MQZ", VarCardCode: "4H7K2MQZ",
		VarProduct: "Coca-Cola 600 ml", VarGoal: "10", VarUnit: "stamp", VarReward: "Coca-Cola gratis", VarCampaign: "Junta y gana",
		VarName: "Ana", VarMissing: "3", VarExpires: "mañana a las 10:00", VarCase: "A-17", VarCode: "EK7M2QXS",
		VarEvidenceCode: "EK7M2QXS", VarRedemptionCode: "R2345675",
		VarBalances: EncodeList([]Row{{"campaign": "Junta y gana", "shop": "Abarrotes Lupita", "unit": "stamp", "balance": "7", "goal": "10", "missing": "3", "reward": "Coca-Cola gratis", "ready": "", "tier": "", "discount": "", "at_risk": "", "expiring": "", "expires": ""}}),
		VarPending:  EncodeList(nil), VarTier: "Oro", VarShops: "Abarrotes Lupita", VarNotes: EncodeList(nil),
		VarWaiting:   EncodeList([]Row{{"campaign": "Junta y gana", "unit": "stamp", "amount": "2"}}),
		VarMovements: EncodeList([]Row{{"date": "14 ene", "shop": "Abarrotes Lupita", "detail": "2 Coca-Cola 600 ml", "unit": "stamp", "amount": "2", "kind": "earn"}}),
		VarRewards:   EncodeList([]Row{{"reward": "Coca-Cola gratis", "campaign": "Junta y gana", "threshold": "10", "unit": "stamp", "missing": "3", "ready": ""}}),
		VarCampaigns: EncodeList([]Row{{"campaign": "Junta y gana", "products": "Coca-Cola 600 ml", "goal": "10", "unit": "stamp", "reward": "Coca-Cola gratis", "until": "31 de enero"}}),
		VarItems:     EncodeList([]Row{{"gtin": "7501055300075", "product": "Coca-Cola 600 ml", "quantity": "2", "query": "cocas", "candidates": ""}}),
		VarPurchased: EncodeList([]Row{{"product": "Coca-Cola 600 ml", "quantity": "2"}}),
		VarEarned:    EncodeList([]Row{{"campaign": "Junta y gana", "unit": "stamp", "amount": "2", "balance": "9", "goal": "10", "ready": ""}}),
		VarPeriod:    "del 8 al 14 de enero", VarPurchases: "12", VarUnits: "31", VarTotal: "$620.00", VarConsumers: "9",
		VarTop:       EncodeList([]Row{{"product": "Coca-Cola 600 ml", "quantity": "20"}}),
		VarPosterURL: "https://qoa.test/v1/shops/K7M2QR/poster.pdf", VarScanURL: "https://qoa.test/t/abc",
	}
}
