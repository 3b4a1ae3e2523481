package flows

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Texts is what the engine's checks need to know of the message texts.
type Texts interface {
	Has(key string) bool
	// Vars names the variables without which a text cannot be rendered.
	Vars(key string) []string
	Render(key string, vars map[string]string) (string, error)
}

// engineTexts are the texts that the engine says by itself.
func engineTexts() []string {
	keys := []string{"conversation.resume", "conversation.cancelled", "unsupported.empty", "unsupported.long"}
	for _, k := range kinds() {
		keys = append(keys, "unsupported."+string(k))
	}
	return keys
}

var wordOnly = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// wellFormed says whether a definition can be run at all; everything that Lint
// says beyond that is about whether it should be.
func wellFormed(d *Definition) error {
	l := &linter{d: d}
	l.shape()
	return errors.Join(l.problems...)
}

// Lint proves what must hold before definitions are published: see the methods
// of linter. The problems come in a stable order.
func Lint(defs []*Definition, routes Routes, reg Registry, texts Texts) []error {
	var problems []error
	byName := map[string]*Definition{}
	for _, d := range defs {
		if byName[d.Flow] != nil {
			problems = append(problems, fmt.Errorf("flow %s: defined twice", d.Flow))
		}
		byName[d.Flow] = d
	}
	sound := true
	for _, d := range defs {
		l := &linter{d: d, flows: byName, routes: routes, reg: reg, texts: texts}
		l.shape()
		if len(l.problems) > 0 {
			sound = false
		} else {
			l.outcomes()
			l.reachable()
			l.loops()
			l.timeouts()
			l.optOut()
			l.variables()
		}
		problems = append(problems, l.problems...)
	}
	problems = append(problems, lintRoutes(byName, routes)...)
	if sound {
		problems = append(problems, lintChains(defs, byName)...)
	}
	for _, key := range engineTexts() {
		if !texts.Has(key) {
			problems = append(problems, fmt.Errorf("text %s is missing: the engine says it", key))
		}
	}
	return problems
}

// linter checks one definition.
type linter struct {
	d        *Definition
	flows    map[string]*Definition
	routes   Routes
	reg      Registry
	texts    Texts
	problems []error
}

func (l *linter) flow(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf("flow %s: %s", l.d.Flow, fmt.Sprintf(format, args...)))
}

func (l *linter) state(name, format string, args ...any) {
	l.flow("state %s: %s", name, fmt.Sprintf(format, args...))
}

// shape: every state does one thing and names states that exist.
func (l *linter) shape() {
	d := l.d
	if !wordOnly.MatchString(d.Flow) {
		l.flow("the name must be of the letters a to z and _")
	}
	if d.Version < 1 {
		l.flow("the version must be 1 or more")
	}
	if d.Audience != Consumer && d.Audience != Tendero && d.Audience != Anyone {
		l.flow("the audience must be consumer, tendero or anyone, not %q", d.Audience)
	}
	if d.Title == "" {
		l.flow("the title is missing")
	}
	if _, ok := d.States[d.Start]; !ok {
		l.flow("it starts in state %q, which it does not have", d.Start)
	}
	for _, from := range sortedKeys(d.Moves) {
		if s, ok := d.States[d.Moves[from]]; !ok || s.Ask == "" {
			l.flow("moves %s to %q, which is no state that waits", from, d.Moves[from])
		}
	}
	for _, name := range sortedKeys(d.States) {
		l.shapeOf(name, d.States[name])
	}
	for _, t := range transitions(d) {
		if _, ok := d.States[t.to]; !ok {
			l.state(t.from, "%s leads to %q, which does not exist", t.event, t.to)
		}
	}
}

func (l *linter) shapeOf(name string, s State) {
	kind := s.Kind()
	if kind == "" {
		l.state(name, "it must do exactly one of say, ask, do and end")
		return
	}
	for _, k := range []struct {
		key   string
		set   bool
		kinds []string
	}{
		{"media", s.Media != "", []string{"say"}},
		{"next", s.Next != "", []string{"say"}},
		{"expect", s.Expect != "", []string{"ask"}},
		{"retry", s.Retry != 0, []string{"ask"}},
		{"retry_say", s.RetrySay != "", []string{"ask"}},
		{"give_up", s.GiveUp != "", []string{"ask"}},
		{"timeout", s.Timeout != nil, []string{"ask"}},
		{"soft", s.Soft, []string{"ask"}},
		{"on", s.On != nil, []string{"ask", "do"}},
		{"then", s.Then != "", []string{"end"}},
	} {
		if k.set && !slices.Contains(k.kinds, kind) {
			l.state(name, "%s has no place in a state that does %s", k.key, kind)
		}
	}
	for _, event := range []string{eventNext, eventTimeout, eventGiveUp} {
		if _, ok := s.On[event]; ok {
			l.state(name, "on names %s, which is no outcome: the pair of event and state would be there twice", event)
		}
	}
	switch kind {
	case "say":
		if s.Next == "" {
			l.state(name, "next is missing")
		}
		if _, ok := s.Media.needs(); s.Media != "" && !ok {
			l.state(name, "there is no media %q", s.Media)
		}
	case "ask":
		if _, ok := answerKinds()[s.Expect]; !ok {
			l.state(name, "there is no kind of answer %q", s.Expect)
		}
		switch {
		case s.Timeout == nil:
			l.state(name, "it waits without a timeout")
		case s.Timeout.After <= 0:
			l.state(name, "the timeout must be longer than nothing")
		}
		if s.Retry < 0 || s.Retry > 5 {
			l.state(name, "retry must be 0 to 5")
		}
	}
}

// outcomes: every outcome of every action and answer is handled, and no other.
func (l *linter) outcomes() {
	for _, name := range sortedKeys(l.d.States) {
		s := l.d.States[name]
		switch s.Kind() {
		case "do":
			action, ok := l.reg[s.Do]
			if !ok {
				l.state(name, "there is no action %q", s.Do)
				continue
			}
			for _, o := range action.Outcomes {
				if _, ok := s.On[o.Name]; !ok {
					l.state(name, "outcome %s of %s is not handled", o.Name, s.Do)
				}
			}
			for _, o := range sortedKeys(s.On) {
				if _, ok := action.Outcome(o); !ok {
					l.state(name, "%s has no outcome %s", s.Do, o)
				}
			}
		case "ask":
			l.answers(name, s)
		}
	}
}

func (l *linter) answers(name string, s State) {
	kind := answerKinds()[s.Expect]
	if _, listed := s.On[string(ExpectChoice)]; s.Expect == ExpectChoice && !listed {
		numbers := len(s.On)
		if _, ok := s.On[outcomeNo]; ok {
			numbers--
		}
		kind.outcomes = nil
		for n := range max(numbers, 1) {
			kind.outcomes = append(kind.outcomes, strconv.Itoa(n+1))
		}
	}
	for _, o := range kind.outcomes {
		if _, ok := s.On[o]; !ok {
			l.state(name, "answer %s is not handled", o)
		}
	}
	for _, o := range sortedKeys(s.On) {
		if !slices.Contains(kind.outcomes, o) && !slices.Contains(kind.optional, o) {
			l.state(name, "an answer of kind %s is never %s", s.Expect, o)
		}
	}
}

// reachable: every state can be come to, and come to an end.
func (l *linter) reachable() {
	forward, back := map[string][]string{}, map[string][]string{}
	for _, t := range transitions(l.d) {
		forward[t.from] = append(forward[t.from], t.to)
		back[t.to] = append(back[t.to], t.from)
	}
	var ends []string
	for _, name := range sortedKeys(l.d.States) {
		if l.d.States[name].End {
			ends = append(ends, name)
		}
	}
	reached, ending := closure(forward, l.d.Start), closure(back, ends...)
	for _, name := range sortedKeys(l.d.States) {
		if !reached[name] {
			l.state(name, "nothing leads here")
		}
		if !ending[name] {
			l.state(name, "it never comes to an end")
		}
	}
}

func closure(edges map[string][]string, from ...string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		n := from[0]
		from = from[1:]
		if !seen[n] {
			seen[n] = true
			from = append(from, edges[n]...)
		}
	}
	return seen
}

// loops: a way round passes a question.
func (l *linter) loops() {
	edges := map[string][]string{}
	for _, t := range transitions(l.d) {
		if l.d.States[t.from].Ask == "" {
			edges[t.from] = append(edges[t.from], t.to)
		}
	}
	for _, name := range sortedKeys(edges) {
		if closure(edges, edges[name]...)[name] {
			l.state(name, "it leads back to itself without waiting")
		}
	}
}

// timeouts: an expired question only says something and ends, so that the
// message that came late is understood on its own.
func (l *linter) timeouts() {
	for _, name := range sortedKeys(l.d.States) {
		s := l.d.States[name]
		if s.Timeout == nil {
			continue
		}
		at := s.Timeout.To
		for range len(l.d.States) {
			if l.d.States[at].Next == "" {
				break
			}
			at = l.d.States[at].Next
		}
		if end := l.d.States[at]; !end.End || end.Then != "" {
			l.state(name, "the timeout must only say and end, but leads to %s", at)
		}
	}
}

// optOut: BAJA leads out of every question, at once.
func (l *linter) optOut() {
	for _, role := range []Audience{Consumer, Tendero} {
		if l.d.Audience != Anyone && l.d.Audience != role {
			continue
		}
		name, ok := l.routes.find(role, Result{Intent: OptOut})
		out := l.flows[name]
		if ok && out != nil && out.ClosesOpen && out.does("opt_out") && !out.asks() {
			continue
		}
		for _, state := range sortedKeys(l.d.States) {
			if l.d.States[state].Ask != "" {
				l.state(state, "a %s cannot opt out here: BAJA needs a route to a flow that does opt_out, closes what is open and asks nothing", role)
			}
		}
	}
}

func (d *Definition) asks() bool {
	for _, s := range d.States {
		if s.Ask != "" {
			return true
		}
	}
	return false
}

func (d *Definition) does(action string) bool {
	for _, s := range d.States {
		if s.Do == action {
			return true
		}
	}
	return false
}

// variables: every text is there, and on every way to it its variables are set.
func (l *linter) variables() {
	sets := l.available()
	need := func(name, key string) {
		if !l.texts.Has(key) {
			l.state(name, "there is no text %s", key)
			return
		}
		for _, v := range l.texts.Vars(key) {
			if !sets[name][v] {
				l.state(name, "text %s needs %s, which is not always set", key, v)
			}
		}
	}
	for _, name := range sortedKeys(l.d.States) {
		s := l.d.States[name]
		switch s.Kind() {
		case "say":
			need(name, s.Say)
			if v, ok := s.Media.needs(); ok && !sets[name][v] {
				l.state(name, "media %s needs %s, which is not always set", s.Media, v)
			}
		case "ask":
			need(name, s.Ask)
			if _, listed := s.On[string(ExpectChoice)]; listed && !sets[name][VarChoices] {
				l.state(name, "a choice needs %s, which is not always set", VarChoices)
			}
			if s.Retry > 0 {
				key := s.RetrySay
				if key == "" {
					key = "retry." + string(s.Expect)
				}
				need(name, key)
			}
		}
	}
}

// available works out which variables are set in each state on every way there.
func (l *linter) available() map[string]map[string]bool {
	start := map[string]bool{VarText: true}
	for _, v := range Given() {
		start[v] = true
	}
	if slot := l.slotOfAllRoutes(); slot != "" {
		start[slot] = true
	}
	sets := map[string]map[string]bool{l.d.Start: start}
	arrows := transitions(l.d)
	for changed := true; changed; {
		changed = false
		for _, t := range arrows {
			from, ok := sets[t.from]
			if !ok {
				continue
			}
			carried := map[string]bool{}
			for v := range from {
				carried[v] = true
			}
			for _, v := range l.setBy(t) {
				carried[v] = true
			}
			to, known := sets[t.to]
			if !known {
				sets[t.to], changed = carried, true
				continue
			}
			for v := range to {
				if !carried[v] {
					delete(to, v)
					changed = true
				}
			}
		}
	}
	return sets
}

// setBy names the variables that are set on the way of an arrow.
func (l *linter) setBy(t transition) []string {
	s := l.d.States[t.from]
	switch {
	case s.Do != "":
		o, _ := l.reg[s.Do].Outcome(t.event)
		return o.Sets
	case s.Ask != "" && t.event != eventTimeout && t.event != eventGiveUp && t.event != outcomeNo:
		return answerKinds()[s.Expect].sets
	default:
		return nil
	}
}

// slotOfAllRoutes is the slot without which nothing leads to the flow.
func (l *linter) slotOfAllRoutes() string {
	slot, found := "", false
	for _, r := range l.routes {
		if r.Flow != l.d.Flow {
			continue
		}
		if r.Slot == "" || found && r.Slot != slot {
			return ""
		}
		slot, found = r.Slot, true
	}
	for _, d := range l.flows {
		for _, s := range d.States {
			if s.Then == l.d.Flow {
				return ""
			}
		}
	}
	return slot
}

// lintRoutes: every intent leads somewhere for everyone who may have it.
func lintRoutes(flows map[string]*Definition, routes Routes) []error {
	var problems []error
	own := []Intent{Evidence, EvidenceHelp, ShopReport, Reorder, ShopQR}
	for _, r := range routes {
		d, ok := flows[r.Flow]
		switch {
		case !slices.Contains(Intents(), r.Intent):
			problems = append(problems, fmt.Errorf("route %s: there is no such intent", r.Intent))
		case !ok:
			problems = append(problems, fmt.Errorf("route %s: there is no flow %q", r.Intent, r.Flow))
		case d.Audience == Tendero && r.Audience != Tendero:
			problems = append(problems, fmt.Errorf("route %s: flow %s is for tenderos only", r.Intent, r.Flow))
		}
	}
	for _, intent := range Intents() {
		for _, role := range []Audience{Consumer, Tendero} {
			if role == Consumer && slices.Contains(own, intent) {
				continue
			}
			if _, ok := routes.find(role, Result{Intent: intent}); !ok {
				problems = append(problems, fmt.Errorf("route %s: a %s has none", intent, role))
			}
		}
	}
	return problems
}

// lintChains: flows that go on with each other come to a question or an end,
// and each is for those who come to it.
func lintChains(defs []*Definition, flows map[string]*Definition) []error {
	var problems []error
	edges := map[string][]string{}
	for _, d := range defs {
		direct := map[string][]string{}
		for _, t := range transitions(d) {
			if d.States[t.from].Ask == "" {
				direct[t.from] = append(direct[t.from], t.to)
			}
		}
		passed := closure(direct, d.Start)
		for _, name := range sortedKeys(d.States) {
			then := d.States[name].Then
			if then == "" {
				continue
			}
			next, ok := flows[then]
			switch {
			case !ok:
				problems = append(problems, fmt.Errorf("flow %s: state %s: goes on with flow %q, which does not exist", d.Flow, name, then))
			case next.Audience != Anyone && next.Audience != d.Audience:
				problems = append(problems, fmt.Errorf("flow %s: state %s: goes on with flow %s, which is not for everyone here", d.Flow, name, then))
			case passed[name]:
				edges[d.Flow] = append(edges[d.Flow], then)
			}
		}
	}
	for _, name := range sortedKeys(edges) {
		if closure(edges, edges[name]...)[name] {
			problems = append(problems, fmt.Errorf("flow %s: it leads back to itself through other flows without waiting", name))
		}
	}
	return problems
}

// Migratable says whether sessions that wait in old can go on in next: each
// question of the old version is a question of the same kind in the new one,
// or is moved to a question.
func Migratable(old, next *Definition) []error {
	var problems []error
	if old.Flow != next.Flow {
		return []error{fmt.Errorf("flow %s: cannot follow flow %s", next.Flow, old.Flow)}
	}
	if next.Version <= old.Version {
		problems = append(problems, fmt.Errorf("flow %s: version %d cannot follow version %d", next.Flow, next.Version, old.Version))
	}
	for _, name := range sortedKeys(old.States) {
		was := old.States[name]
		if was.Ask == "" {
			continue
		}
		if to, moved := next.Moves[name]; moved {
			if next.States[to].Ask == "" {
				problems = append(problems, fmt.Errorf("flow %s: moves %s to %q, which is no state that waits", next.Flow, name, to))
			}
			continue
		}
		switch is, ok := next.States[name]; {
		case !ok || is.Ask == "":
			problems = append(problems, fmt.Errorf("flow %s: sessions wait in %s, which no longer waits: name where they go in moves", next.Flow, name))
		case is.Expect != was.Expect:
			problems = append(problems, fmt.Errorf("flow %s: sessions wait in %s for %s, which now expects %s: name where they go in moves", next.Flow, name, was.Expect, is.Expect))
		}
	}
	return problems
}
