package loyalty_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// bucketDay is a day of the histories in these tests; 0 is never.
func bucketDay(n int) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Date(2026, 5, n, 12, 0, 0, 0, time.UTC)
}

func earn(purchase loyalty.ID, amount int64, expires int) loyalty.Entry {
	return loyalty.Entry{ID: "earn " + purchase, Kind: "earn", Amount: amount, Purchase: purchase, ExpiresAt: bucketDay(expires)}
}

func reverse(purchase loyalty.ID, amount int64) loyalty.Entry {
	return loyalty.Entry{Kind: "reverse", Amount: -amount, Purchase: purchase}
}

func redeem(amount int64) loyalty.Entry {
	return loyalty.Entry{Kind: "redeem", Amount: -amount, Redemption: "r"}
}

func giveBack(amount int64, expires int) loyalty.Entry {
	return loyalty.Entry{ID: "back", Kind: "reverse", Amount: amount, Redemption: "r", ExpiresAt: bucketDay(expires)}
}

func adjust(amount int64, expires int) loyalty.Entry {
	return loyalty.Entry{ID: "adjust", Kind: "adjust", Amount: amount, ExpiresAt: bucketDay(expires)}
}

func expire(amount int64, at int) loyalty.Entry {
	return loyalty.Entry{Kind: "expire", Amount: -amount, At: bucketDay(at)}
}

func TestReplay(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []loyalty.Entry
		want    string // what is left of each bucket, in order, and the debt
	}{
		{"nothing", nil, ""},
		{"earnings, adjustments and what is given back are buckets", []loyalty.Entry{earn("a", 3, 1), adjust(2, 2), redeem(3), giveBack(3, 5)}, "adjust 2, back 3"},
		{"what expires first comes first, what never does comes last", []loyalty.Entry{earn("a", 1, 0), earn("b", 2, 9), earn("c", 3, 4)}, "earn c 3, earn b 2, earn a 1"},
		{"what expires together stays in the ledger's order", []loyalty.Entry{earn("a", 1, 4), earn("b", 2, 4), earn("c", 3, 0), earn("d", 4, 0)}, "earn a 1, earn b 2, earn c 3, earn d 4"},
		{"a redemption takes the oldest expiry first", []loyalty.Entry{earn("a", 5, 9), earn("b", 5, 4), redeem(7)}, "earn a 3"},
		{"a redemption takes what never expires last", []loyalty.Entry{earn("a", 5, 0), earn("b", 5, 4), redeem(7)}, "earn a 3"},
		{"a redemption takes what was entered first", []loyalty.Entry{earn("a", 5, 4), earn("b", 5, 4), redeem(2)}, "earn a 3, earn b 5"},
		{"an adjustment takes like a redemption", []loyalty.Entry{earn("a", 5, 9), earn("b", 5, 4), adjust(-7, 0)}, "earn a 3"},
		{"a reversal takes from its own purchase first", []loyalty.Entry{earn("a", 5, 4), earn("b", 5, 9), reverse("b", 4)}, "earn a 5, earn b 1"},
		{"then from the others in the same order", []loyalty.Entry{earn("a", 5, 9), earn("b", 2, 0), earn("c", 5, 4), reverse("b", 8)}, "earn a 4"},
		{"a reversal of what was spent takes from the others", []loyalty.Entry{earn("a", 5, 4), redeem(5), earn("b", 5, 9), reverse("a", 3)}, "earn b 2"},
		{"what is not there is a debt", []loyalty.Entry{earn("a", 5, 4), redeem(5), reverse("a", 3)}, "debt 3"},
		{"the next earning pays a debt", []loyalty.Entry{earn("a", 5, 4), redeem(5), reverse("a", 3), earn("b", 5, 9)}, "earn b 2"},
		{"several earnings pay a debt", []loyalty.Entry{adjust(-7, 0), earn("a", 4, 1), earn("b", 3, 1), earn("c", 2, 1)}, "earn c 2"},
		{"what is given back pays a debt", []loyalty.Entry{earn("a", 5, 4), redeem(5), reverse("a", 3), giveBack(5, 4)}, "back 2"},
		{"expiry takes what is due", []loyalty.Entry{earn("a", 5, 9), earn("b", 5, 4), expire(5, 4)}, "earn a 5"},
		{"expiry takes what is due in order", []loyalty.Entry{earn("a", 5, 4), earn("b", 5, 3), earn("c", 5, 9), expire(7, 4)}, "earn a 3, earn c 5"},
		{"expiry for want of activity takes what has no day", []loyalty.Entry{earn("a", 5, 0), expire(5, 9)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := loyalty.Replay(c.entries)
			var got string
			for _, b := range a.Buckets {
				got += fmt.Sprintf(", %s %d", b.Entry, b.Left)
			}
			if a.Debt != 0 {
				got += fmt.Sprintf(", debt %d", a.Debt)
			}
			require.Equal(t, c.want, got[min(2, len(got)):])
			var sum int64
			for _, e := range c.entries {
				sum += e.Amount
			}
			require.Equal(t, sum, a.Balance())
		})
	}
}

func TestAccountSaysWhatExpires(t *testing.T) {
	a := loyalty.Replay([]loyalty.Entry{earn("a", 1, 4), earn("b", 2, 9), earn("c", 4, 9), earn("d", 8, 0)})
	for _, c := range []struct {
		name string
		at   time.Time
		due  int64
		next time.Time
	}{
		{"before all", bucketDay(1), 0, bucketDay(4)},
		{"just before the first", bucketDay(4).Add(-1), 0, bucketDay(4)},
		{"the moment itself is due", bucketDay(4), 1, bucketDay(9)},
		{"between", bucketDay(8), 1, bucketDay(9)},
		{"all that ever expires", bucketDay(9), 7, time.Time{}},
		{"long after", bucketDay(9).AddDate(9, 0, 0), 7, time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.due, a.Due(c.at))
			require.Equal(t, c.next, a.NextExpiry(c.at))
		})
	}
}

func TestExpiredOf(t *testing.T) {
	a := loyalty.Replay([]loyalty.Entry{
		earn("a", 5, 4), earn("b", 5, 4), adjust(5, 4), redeem(3), expire(12, 4), // 2 of a, 5 of b, 5 of the adjustment
		earn("c", 5, 9), redeem(5),
	})
	require.Equal(t, int64(2), a.ExpiredOf("a"), "what was spent has not expired")
	require.Equal(t, int64(5), a.ExpiredOf("b"))
	require.Zero(t, a.ExpiredOf("c"))
	require.Zero(t, a.ExpiredOf(""), "an adjustment is no purchase")
}

// coin is the naive model of a balance: one for each stamp or point.
type coin struct {
	entry    int
	purchase loyalty.ID
	expires  time.Time
}

// bestCoin is the one to be used first among those that fit; -1 where none does.
func bestCoin(coins []coin, fits func(coin) bool) int {
	best := -1
	for i, c := range coins {
		if !fits(c) {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		b := coins[best]
		if !c.expires.IsZero() && (b.expires.IsZero() || c.expires.Before(b.expires)) || c.expires.Equal(b.expires) && c.entry < b.entry {
			best = i
		}
	}
	return best
}

// Whatever happened, replaying leaves what counting coins one by one leaves.
func TestReplayMatchesCoins(t *testing.T) {
	purchases := []loyalty.ID{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		var entries []loyalty.Entry
		var coins []coin
		var debt, sum int64
		expired := map[loyalty.ID]int64{}
		for i := range rapid.IntRange(0, 25).Draw(t, "entries") {
			e := loyalty.Entry{
				ID: loyalty.ID(fmt.Sprint(i)), At: bucketDay(rapid.IntRange(1, 9).Draw(t, "at")),
				Kind: rapid.SampledFrom([]string{"earn", "earn", "earn", "redeem", "reverse", "give back", "adjust", "expire"}).Draw(t, "kind"),
			}
			amount := rapid.Int64Range(1, 9).Draw(t, "amount")
			switch e.Kind {
			case "earn":
				e.Purchase = rapid.SampledFrom(purchases).Draw(t, "purchase")
			case "redeem", "expire":
				amount = -amount
			case "reverse":
				e.Purchase, amount = rapid.SampledFrom(purchases).Draw(t, "purchase"), -amount
			case "give back":
				e.Kind, e.Redemption = "reverse", "r"
			case "adjust":
				if rapid.Bool().Draw(t, "down") {
					amount = -amount
				}
			}
			if e.Amount = amount; amount > 0 {
				e.ExpiresAt = bucketDay(rapid.IntRange(0, 9).Draw(t, "expires"))
			}
			entries = append(entries, e)
			sum += amount

			for range amount {
				if debt > 0 {
					debt--
				} else {
					coins = append(coins, coin{i, e.Purchase, e.ExpiresAt})
				}
			}
			for range -amount {
				n := -1
				if e.Kind == "reverse" {
					n = bestCoin(coins, func(c coin) bool { return c.purchase == e.Purchase })
				}
				if e.Kind == "expire" {
					n = bestCoin(coins, func(c coin) bool { return !c.expires.IsZero() && !c.expires.After(e.At) })
				}
				if n < 0 {
					n = bestCoin(coins, func(coin) bool { return true })
				}
				if n < 0 {
					debt++
					continue
				}
				if e.Kind == "expire" {
					expired[coins[n].purchase]++
				}
				coins = slices.Delete(coins, n, n+1)
			}
		}

		a := loyalty.Replay(entries)
		require.Equal(t, sum, a.Balance(), "the balance is the sum of the amounts")
		require.Equal(t, debt, a.Debt)
		left := map[loyalty.ID]int64{}
		for i, b := range a.Buckets {
			require.Positive(t, b.Left)
			require.Zero(t, left[b.Entry], "one bucket an entry")
			left[b.Entry] = b.Left
			if i > 0 && b.ExpiresAt.IsZero() == a.Buckets[i-1].ExpiresAt.IsZero() {
				require.False(t, b.ExpiresAt.Before(a.Buckets[i-1].ExpiresAt), "in the order of their expiry")
			}
		}
		at := bucketDay(rapid.IntRange(1, 9).Draw(t, "asked for"))
		counted := map[loyalty.ID]int64{}
		var due int64
		var next time.Time
		for _, c := range coins {
			counted[loyalty.ID(fmt.Sprint(c.entry))]++
			if c.expires.IsZero() {
				continue
			}
			if !c.expires.After(at) {
				due++
			} else if next.IsZero() || c.expires.Before(next) {
				next = c.expires
			}
		}
		require.Equal(t, counted, left)
		require.Equal(t, due, a.Due(at))
		require.Equal(t, next, a.NextExpiry(at))
		for _, p := range purchases {
			require.Equal(t, expired[p], a.ExpiredOf(p))
		}
	})
}
