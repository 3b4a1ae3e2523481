package store

import (
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// day is what a day of expiry lasts: it is counted from a moment, not by a
// calendar.
const day = 24 * time.Hour

// expiryOf is when what is earned at a moment ends by itself; zero: never. Where
// all of a balance ends together, at a date or after silence, no part has a date
// of its own.
func expiryOf(t *loyalty.Terms, at time.Time) time.Time {
	if t.Expiry == nil || t.Expiry.Days == 0 {
		return time.Time{}
	}
	return at.Add(time.Duration(t.Expiry.Days) * day)
}

// nextExpiry is when to look next whether something of an enrollment has ended,
// after something was entered at a moment. It may be too early, since what was to
// end may be used before, or silence be broken; it is never too late. That it
// seldom moves keeps purchases out of its index.
func nextExpiry(current *time.Time, t *loyalty.Terms, at time.Time) *time.Time {
	x := t.Expiry
	if x == nil {
		return current
	}
	next := x.On
	if days := max(x.Days, x.InactiveDays); days > 0 {
		next = at.Add(time.Duration(days) * day)
	}
	if !next.After(at) || current != nil && current.Before(next) {
		return current // what is entered after the date does not end with it
	}
	return &next
}
