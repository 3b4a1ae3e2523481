package flows

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/looplab/fsm"
)

// Events that are no outcome: a state's next, a question's timeout, and the
// end of the patience with wrong answers. No outcome may be named so.
const (
	eventNext    = "next"
	eventTimeout = "timeout"
	eventGiveUp  = "give_up"
)

// machine answers whether and where a definition moves on an event. Saying and
// doing happen outside: the library skips callbacks on self-loops and keeps
// the new state when a callback fails, so it is asked for the state and for
// nothing else.
type machine struct {
	pool sync.Pool
}

// newMachine compiles a definition. It must have passed Lint: the library
// overwrites duplicates and accepts unknown states without a word.
func newMachine(d *Definition) *machine {
	var events []fsm.EventDesc
	for _, t := range transitions(d) {
		events = append(events, fsm.EventDesc{Name: t.event, Src: []string{t.from}, Dst: t.to})
	}
	m := &machine{}
	m.pool.New = func() any { return fsm.NewFSM(d.Start, events, nil) }
	return m
}

// next says where event leads from state; false when it leads nowhere.
func (m *machine) next(state, event string) (string, bool) {
	f := m.pool.Get().(*fsm.FSM)
	defer m.pool.Put(f)
	f.SetState(state)
	err := f.Event(context.Background(), event)
	if errors.As(err, &fsm.NoTransitionError{}) { // a state that leads to itself
		return state, true
	}
	if err != nil {
		return "", false
	}
	return f.Current(), true
}

// transition is one arrow of a definition.
type transition struct{ from, event, to string }

// transitions lists the arrows of a definition in a stable order.
func transitions(d *Definition) []transition {
	var all []transition
	for _, name := range sortedKeys(d.States) {
		s := d.States[name]
		if s.Next != "" {
			all = append(all, transition{name, eventNext, s.Next})
		}
		for _, outcome := range sortedKeys(s.On) {
			all = append(all, transition{name, outcome, s.On[outcome]})
		}
		if s.Timeout != nil {
			all = append(all, transition{name, eventTimeout, s.Timeout.To})
		}
		if to := s.giveUp(); to != "" {
			all = append(all, transition{name, eventGiveUp, to})
		}
	}
	return all
}

// giveUp is where a question leads after too many wrong answers.
func (s State) giveUp() string {
	if s.GiveUp != "" {
		return s.GiveUp
	}
	if s.Timeout != nil {
		return s.Timeout.To
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
