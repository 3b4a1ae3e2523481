package flows

import (
	"errors"
	"fmt"
)

// Engine steps conversations. It holds no state of any conversation and may be
// used by many goroutines at once.
type Engine struct {
	flows  map[string]*flow
	routes Routes
	words  *Understander
}

// flow is a definition made ready to run.
type flow struct {
	*Definition
	machine *machine
}

// NewEngine makes an engine of definitions that passed Lint.
func NewEngine(defs []*Definition, routes Routes, words *Understander) (*Engine, error) {
	e := &Engine{flows: map[string]*flow{}, routes: routes, words: words}
	var errs []error
	for _, d := range defs {
		if _, twice := e.flows[d.Flow]; twice {
			errs = append(errs, fmt.Errorf("flow %s: defined twice", d.Flow))
		}
		if err := wellFormed(d); err != nil {
			errs = append(errs, err)
			continue
		}
		e.flows[d.Flow] = &flow{Definition: d, machine: newMachine(d)}
	}
	for _, r := range routes {
		if _, ok := e.flows[r.Flow]; !ok {
			errs = append(errs, fmt.Errorf("route %s: no flow named %q", r.Intent, r.Flow))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return e, nil
}

// WithWords is the same engine with another understanding: another catalogue.
func (e *Engine) WithWords(words *Understander) *Engine {
	c := *e
	c.words = words
	return &c
}

// StepLimit is how many actions one message may cause.
const StepLimit = 32

// ErrStepLimit says that a turn did not come to rest.
var ErrStepLimit = errors.New("flows: too many steps in one turn")

// Turn takes a message through all its steps. do carries out an action. Where
// one fails, the session comes back as it was given.
func (e *Engine) Turn(s Session, in Input, do func(Call) (Outcome, error)) (Session, []Reply, error) {
	given := s
	var replies []Reply
	for range StepLimit {
		next, out, err := e.Step(s, in)
		if err != nil {
			return given, nil, err
		}
		s, replies = next, append(replies, out.Replies...)
		if out.Do == nil {
			return s, replies, nil
		}
		outcome, err := do(*out.Do)
		if err != nil {
			return given, nil, fmt.Errorf("action %s: %w", out.Do.Action, err)
		}
		in.Message, in.Outcome = nil, &outcome
	}
	return given, nil, ErrStepLimit
}
