package bot

import (
	"context"

	"github.com/qoa-conectados/qoa/flows"
)

// For tests in bot_test: bottest imports this package, so they cannot be in it.

var (
	ActionNames = func() (names []string) {
		for name := range actions() {
			names = append(names, name)
		}
		return names
	}
	Declared   = declared
	TidyName   = tidyName
	IsBirthday = isBirthday
	Moment     = moment
)

// Replace puts fn in place of an action of one runner.
func (r *Runner) Replace(name string, fn func() (flows.Outcome, error)) {
	r.actions[name] = func(context.Context, *turn, vars) (flows.Outcome, error) { return fn() }
}
