package bot

import (
	"context"

	"github.com/qoa-conectados/qoa/flows"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
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

// Act carries out one action as if it were in a turn of the person's, and holds
// its outcome against the registry.
func (r *Runner) Act(ctx context.Context, tx *store.Tx, person loyalty.ID, message, name string, args map[string]string) (flows.Outcome, error) {
	_, products, err := r.catalog.at(ctx, tx)
	if err != nil {
		return flows.Outcome{}, err
	}
	who, err := tx.Person(ctx, person)
	if err != nil {
		return flows.Outcome{}, err
	}
	shops, err := tx.TenderoShops(ctx, person)
	if err != nil {
		return flows.Outcome{}, err
	}
	t := &turn{
		tx: tx, now: tx.Now(), person: who, tendero: len(shops) > 0, products: products, url: r.db.PublicURL(),
		message: store.Message{ID: loyalty.ID(message), MessageID: message, Channel: store.Sim, Person: person},
	}
	return r.do(ctx, t, flows.Call{Action: name, Args: args})
}

// HistoryRows are the lines of one purchase in a history.
func HistoryRows(m store.Movement) []flows.Row { return historyRows(m) }
