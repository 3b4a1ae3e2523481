package loyalty

import (
	"slices"
	"time"
)

// Entry is a movement of an enrollment's balance in one unit, as replaying the
// ledger sees it.
type Entry struct {
	ID         ID
	Kind       string    // earn, redeem, expire, reverse or adjust
	Amount     int64     // signed
	At         time.Time // when it was entered
	Purchase   ID        // of earn, and of reverse where a purchase is taken back
	Redemption ID        // of redeem, and of reverse where a reward is given back
	ExpiresAt  time.Time // of what a positive entry gives; zero: never
}

// Bucket is what is left of a positive entry.
type Bucket struct {
	Entry     ID
	Purchase  ID // "" where no purchase gave it
	Left      int64
	ExpiresAt time.Time // zero: never
}

// dueBy says whether what is in it has expired by a moment.
func (b *Bucket) dueBy(at time.Time) bool {
	return !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(at)
}

// Account is a balance in one unit, by what it is made of.
type Account struct {
	// Buckets that are not empty, in the order in which they are used: what
	// expires first, then what was entered first; what never expires comes last.
	Buckets []Bucket
	// Debt is what was taken without being there. What is entered next pays it
	// first, so there are no buckets while there is a debt.
	Debt    int64
	expired map[ID]int64 // by purchase
}

// Replay finds what an enrollment's entries of one unit, in the ledger's order,
// have left.
func Replay(entries []Entry) Account {
	var a Account
	for i := range entries {
		if e := &entries[i]; e.Amount > 0 {
			a.give(e)
		} else {
			a.take(e)
		}
	}
	return a
}

func (a *Account) give(e *Entry) {
	paid := min(a.Debt, e.Amount)
	a.Debt -= paid
	if paid == e.Amount {
		return
	}
	b := Bucket{Entry: e.ID, Purchase: e.Purchase, Left: e.Amount - paid, ExpiresAt: e.ExpiresAt}
	i := len(a.Buckets)
	for i > 0 && b.goesBefore(&a.Buckets[i-1]) {
		i--
	}
	a.Buckets = slices.Insert(a.Buckets, i, b)
}

// goesBefore says whether a bucket is used before one that was entered earlier.
func (b *Bucket) goesBefore(earlier *Bucket) bool {
	return !b.ExpiresAt.IsZero() && (earlier.ExpiresAt.IsZero() || b.ExpiresAt.Before(earlier.ExpiresAt))
}

// take empties what is used first. A reversal begins with what the purchase gave;
// expiry needs no such rule, as what is due comes first anyway.
func (a *Account) take(e *Entry) {
	left := -e.Amount
	from := func(b *Bucket) {
		n := min(b.Left, left)
		b.Left -= n
		left -= n
		if n > 0 && e.Kind == "expire" && b.Purchase != "" {
			if a.expired == nil {
				a.expired = map[ID]int64{}
			}
			a.expired[b.Purchase] += n
		}
	}
	if e.Kind == "reverse" && e.Purchase != "" {
		for i := range a.Buckets {
			if a.Buckets[i].Purchase == e.Purchase {
				from(&a.Buckets[i])
			}
		}
	}
	for i := range a.Buckets {
		from(&a.Buckets[i])
	}
	a.Debt += left
	a.Buckets = slices.DeleteFunc(a.Buckets, func(b Bucket) bool { return b.Left == 0 })
}

// Balance is the sum of all amounts.
func (a *Account) Balance() int64 {
	sum := -a.Debt
	for i := range a.Buckets {
		sum += a.Buckets[i].Left
	}
	return sum
}

// Due is how much has expired by a moment, and is still in the balance. For a
// moment ahead it is what will have expired by then, unless it is used before.
func (a *Account) Due(at time.Time) int64 {
	var sum int64
	for i := range a.Buckets {
		if a.Buckets[i].dueBy(at) {
			sum += a.Buckets[i].Left
		}
	}
	return sum
}

// NextExpiry is when something of the balance expires first after a moment; zero
// where nothing does.
func (a *Account) NextExpiry(after time.Time) time.Time {
	for i := range a.Buckets {
		if t := a.Buckets[i].ExpiresAt; t.After(after) {
			return t
		}
	}
	return time.Time{}
}

// ExpiredOf is how much of what a purchase gave has already been taken by expiry.
func (a *Account) ExpiredOf(purchase ID) int64 { return a.expired[purchase] }
