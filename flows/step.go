package flows

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on what one person can make the engine hold or read.
const (
	// MaxText is how many characters of a message are read.
	MaxText = 300
	// longText is from where on a message that says nothing is called too long.
	longText = 600
	// maxStack is how many interrupted questions are remembered.
	maxStack = 2
	// maxStates is how many states a step may pass without an action or a wait.
	maxStates = 64
)

// Step takes a conversation one step further.
func (e *Engine) Step(s Session, in Input) (Session, Output, error) {
	t := &turn{e: e, s: s.clone(), in: in}
	var err error
	switch {
	case in.Message != nil:
		err = t.message(*in.Message)
	case in.Outcome != nil:
		err = t.outcome(*in.Outcome)
	default:
		err = errors.New("flows: a step needs a message or an outcome")
	}
	if err != nil {
		return s, Output{}, err
	}
	t.out.Wait = t.out.Do == nil && t.s.Open()
	return t.s, t.out, nil
}

// turn is the work on one step.
type turn struct {
	e   *Engine
	s   Session
	in  Input
	out Output
}

// message takes what a person sent.
func (t *turn) message(m Message) error {
	t.migrate()
	if err := t.expire(); err != nil {
		return err
	}
	text := strings.TrimSpace(strings.ToValidUTF8(m.words(), " "))
	if text == "" {
		kind := string(m.Kind)
		if m.Kind == TextMessage {
			kind = "empty"
		}
		t.say("unsupported." + kind)
		return t.askAgain()
	}
	full := utf8.RuneCountInString(text)
	text = cut(text, MaxText)

	state, asked := t.question()
	r := t.e.words.Understand(t.in.Role, text)
	if r.Intent == OptOut && r.Sure() {
		return t.begin(r, text)
	}
	if !asked {
		if r.Intent == Unknown && full > longText {
			t.say("unsupported.long")
			return nil
		}
		return t.begin(r, text)
	}
	if isCancel(text) {
		t.s = Session{}
		t.say("conversation.cancelled")
		return nil
	}
	if event, vars, ok := t.e.answer(state, t.in.Role, text, r, t.s.Vars); ok {
		t.set(vars)
		t.set(map[string]string{VarText: text})
		t.s.Retries = 0
		return t.move(event)
	}
	if _, routed := t.e.routes.find(t.in.Role, r); routed && r.Intent != Unknown && r.Intent != Yes && r.Intent != No {
		return t.begin(r, text)
	}
	if state.Soft {
		t.close()
		return t.begin(r, text)
	}
	return t.retry(state)
}

// outcome goes on after an action.
func (t *turn) outcome(o Outcome) error {
	f, state, err := t.here()
	if err != nil {
		return err
	}
	if state.Do == "" {
		return fmt.Errorf("flow %s: state %s waits for no action", f.Flow, t.s.State)
	}
	t.set(o.Vars)
	return t.move(o.Name)
}

// here is the state in which the session stands.
func (t *turn) here() (*flow, State, error) {
	f, ok := t.e.flows[t.s.Flow]
	if !ok {
		return nil, State{}, fmt.Errorf("no flow named %q", t.s.Flow)
	}
	state, ok := f.States[t.s.State]
	if !ok {
		return nil, State{}, fmt.Errorf("flow %s has no state %q", f.Flow, t.s.State)
	}
	return f, state, nil
}

// question is the question that is open, if one is.
func (t *turn) question() (State, bool) {
	if !t.s.Open() {
		return State{}, false
	}
	_, state, err := t.here()
	return state, err == nil && state.Ask != ""
}

// migrate takes a session into the version now published; a place that is gone
// and was not moved is closed, so that nobody is stuck in a flow of yesterday.
func (t *turn) migrate() {
	if !t.e.current(&t.s.Frame) {
		t.close()
	}
	var kept []Frame
	for _, f := range t.s.Stack {
		if t.e.current(&f) {
			kept = append(kept, f)
		}
	}
	t.s.Stack = kept
}

// current brings a frame up to date; false when its question is no more.
func (e *Engine) current(f *Frame) bool {
	if f.Flow == "" {
		return false
	}
	d, ok := e.flows[f.Flow]
	if !ok {
		return false
	}
	if to, moved := d.Moves[f.State]; moved && f.Version < d.Version {
		f.State = to
	}
	f.Version = d.Version
	return d.States[f.State].Ask != ""
}

// expire closes a question whose time is over, with what the flow says then.
// The message that follows is understood on its own.
func (t *turn) expire() error {
	if !t.s.Open() || t.s.Deadline.IsZero() || t.in.Now.Before(t.s.Deadline) {
		return nil
	}
	t.s.Stack = nil
	if err := t.move(eventTimeout); err != nil {
		return err
	}
	if t.out.Do != nil || t.s.Open() {
		return fmt.Errorf("flow %s: a timeout must only say and end", t.s.Flow)
	}
	return nil
}

// begin starts the flow for what was understood. An open question waits on the
// stack, unless the same flow begins anew or the new one closes all.
func (t *turn) begin(r Result, text string) error {
	name, ok := t.e.routes.find(t.in.Role, r)
	if !ok {
		return fmt.Errorf("no route for intent %s", r.Intent)
	}
	f := t.e.flows[name]
	if state, asked := t.question(); asked && !state.Soft {
		t.s.Stack = append(t.s.Stack, t.s.Frame)
	}
	if f.ClosesOpen {
		t.s.Stack = nil
	}
	t.dropWaiting(name)
	if n := len(t.s.Stack); n > maxStack {
		t.s.Stack = t.s.Stack[n-maxStack:]
	}
	vars := r.vars()
	vars[VarText] = text
	return t.start(f, vars)
}

// dropWaiting forgets the waiting questions of a flow that begins anew.
func (t *turn) dropWaiting(flow string) {
	var kept []Frame
	for _, frame := range t.s.Stack {
		if frame.Flow != flow {
			kept = append(kept, frame)
		}
	}
	t.s.Stack = kept
}

func (t *turn) start(f *flow, vars map[string]string) error {
	t.s.Frame = Frame{Flow: f.Flow, Version: f.Version, State: f.Start, Vars: vars}
	return t.run()
}

// close forgets the flow that is open.
func (t *turn) close() { t.s.Frame = Frame{} }

// move follows an event and runs on from there.
func (t *turn) move(event string) error {
	f, _, err := t.here()
	if err != nil {
		return err
	}
	to, ok := f.machine.next(t.s.State, event)
	if !ok {
		return fmt.Errorf("flow %s: state %s does not handle %q", f.Flow, t.s.State, event)
	}
	t.s.State = to
	return t.run()
}

// run passes states until one waits, acts or ends.
func (t *turn) run() error {
	for range maxStates {
		f, state, err := t.here()
		if err != nil {
			return err
		}
		switch state.Kind() {
		case "say":
			t.say(state.Say)
			t.out.Replies[len(t.out.Replies)-1].Media = state.Media
			to, ok := f.machine.next(t.s.State, eventNext)
			if !ok {
				return fmt.Errorf("flow %s: state %s has no next", f.Flow, t.s.State)
			}
			t.s.State = to
		case "ask":
			t.s.Retries = 0
			t.ask(state)
			return nil
		case "do":
			t.out.Do = &Call{Action: state.Do, Args: t.vars(), flow: t.s.Flow}
			return nil
		case "end":
			if then, ok := t.e.flows[state.Then]; ok {
				vars := map[string]string{}
				if text, ok := t.s.Vars[VarText]; ok {
					vars[VarText] = text
				}
				t.dropWaiting(then.Flow)
				t.s.Frame = Frame{Flow: then.Flow, Version: then.Version, State: then.Start, Vars: vars}
				continue
			}
			t.close()
			return t.resume()
		default:
			return fmt.Errorf("flow %s: state %s does not do one thing", f.Flow, t.s.State)
		}
	}
	return ErrStepLimit
}

// resume goes back to the question that was interrupted last.
func (t *turn) resume() error {
	for len(t.s.Stack) > 0 {
		last := len(t.s.Stack) - 1
		frame := t.s.Stack[last]
		t.s.Stack = t.s.Stack[:last]
		if !frame.Deadline.IsZero() && !t.in.Now.Before(frame.Deadline) {
			continue
		}
		t.s.Frame = frame
		return t.askAgain()
	}
	t.s.Stack = nil
	return nil
}

// askAgain repeats the open question after something else was answered.
func (t *turn) askAgain() error {
	state, asked := t.question()
	if !asked || state.Soft {
		return nil
	}
	t.set(map[string]string{VarTopic: t.e.flows[t.s.Flow].Title})
	t.say("conversation.resume")
	t.ask(state)
	return nil
}

// ask says the question and lets its time begin.
func (t *turn) ask(state State) {
	t.say(state.Ask)
	t.s.Since = t.in.Now
	t.s.Deadline = time.Time{}
	if state.Timeout != nil {
		t.s.Deadline = t.in.Now.Add(time.Duration(state.Timeout.After))
	}
}

// retry answers an answer that does not fit.
func (t *turn) retry(state State) error {
	if t.s.Retries >= state.Retry {
		return t.move(eventGiveUp)
	}
	t.s.Retries++
	key := state.RetrySay
	if key == "" {
		key = "retry." + string(state.Expect)
	}
	t.say(key)
	t.ask(state)
	return nil
}

// say adds a text to the answer, with the variables as they are now.
func (t *turn) say(template string) {
	t.out.Replies = append(t.out.Replies, Reply{Template: template, Vars: t.vars(), flow: t.s.Flow})
}

func (t *turn) set(vars map[string]string) {
	if t.s.Vars == nil {
		t.s.Vars = map[string]string{}
	}
	maps.Copy(t.s.Vars, vars)
}

// vars is a copy of the flow's variables with those the runner gave.
func (t *turn) vars() map[string]string {
	vars := make(map[string]string, len(t.s.Vars)+len(t.in.Given))
	maps.Copy(vars, t.s.Vars)
	maps.Copy(vars, t.in.Given)
	return vars
}

// cut shortens a text to n characters.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}
