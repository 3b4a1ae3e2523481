package loyalty_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Whatever campaigns there are and whatever happens, the engine with its
// summaries says what the naive model says, which scans all that ever happened.
// And when everything is returned, nothing is left of it anywhere.
func TestEngineIsLikeTheNaiveModel(t *testing.T) {
	rapid.Check(t, likeTheNaiveModel)
}

func FuzzEngineIsLikeTheNaiveModel(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(likeTheNaiveModel))
}

func likeTheNaiveModel(t *rapid.T) {
	w := newWorld(dice{t})
	w.live()
	for n := range w.purchases {
		w.leave(n, nil)
	}
	for key, e := range w.enrollments {
		require.Empty(t, e.standing.Counters, key)
		require.Zero(t, e.standing.Tier, key)
		require.Zero(t, e.standing.Purchases, key)
	}
	for id, quotas := range w.quotas {
		for name, n := range quotas {
			require.Zero(t, n, "%s %s", id, name)
		}
	}
}

// At the ends of all ranges nothing overflows, and nothing is below zero.
func TestEngineAtTheExtremes(t *testing.T) {
	rapid.Check(t, atTheExtremes)
}

func FuzzEngineAtTheExtremes(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(atTheExtremes))
}

func atTheExtremes(t *rapid.T) {
	d := dice{t}
	w := newWorld(d)
	for _, c := range w.campaigns {
		for i := range c.Earn {
			c.Earn[i].Amount, c.Earn[i].Each = pick[int64](d, 1, 1000), pick[int64](d, 0, 1, 999_983, 1_000_000)
		}
		for i := range c.Boosts {
			c.Boosts[i].Percent, c.Boosts[i].Bonus = pick[int64](d, 101, 1000), pick[int64](d, 0, 1_000_000)
		}
		for i := range c.Limits {
			c.Limits[i].Max = pick[int64](d, 1, 1<<62)
		}
	}
	for range d.n(1, 3) {
		w.buyMuch()
	}
	for n, r := range w.purchases {
		for _, given := range r.given {
			for u, amount := range given {
				require.GreaterOrEqual(t, amount, int64(0), u)
			}
		}
		w.leave(n, d.less(r.sale.Lines))
	}
}

// buyMuch records a purchase of as many lines as there may be.
func (w *world) buyMuch() {
	sale := w.sale()
	sale.Lines = nil
	for range loyalty.MaxLines {
		sale.Lines = append(sale.Lines, line(pick(w.dice, agua, cola), pick[int64](w.dice, 1, 999), pick(w.dice, 0, 1, loyalty.MaxPrice-1, loyalty.MaxPrice)))
	}
	w.record("ana", sale)
}
