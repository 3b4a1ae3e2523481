package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// oneDay is what a day of expiry lasts: it is counted from a moment, not by a
// calendar.
const oneDay = 24 * time.Hour

// expiryOf is when what is earned at a moment ends by itself; zero: never. Where
// all of a balance ends together, at a date or after silence, no part has a date
// of its own.
func expiryOf(t *loyalty.Terms, at time.Time) time.Time {
	if t.Expiry == nil || t.Expiry.Days == 0 {
		return time.Time{}
	}
	return at.Add(time.Duration(t.Expiry.Days) * oneDay)
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
		next = at.Add(time.Duration(days) * oneDay)
	} else if !next.After(at) {
		next = at.Add(giveBackGrace)
	}
	if !next.After(at) || current != nil && current.Before(next) {
		return current // what is entered after the date does not end with it
	}
	return &next
}

// warnDays is how long before its end a balance's owner is warned where the
// campaign says nothing else.
const warnDays = 7

// warnBefore is how long before the end the owner is warned.
func warnBefore(x *loyalty.Expiry) time.Duration {
	if x.WarnDays > 0 {
		return time.Duration(x.WarnDays) * oneDay
	}
	return warnDays * oneDay
}

// accounts replay the holding's ledger, unit by unit.
func (tx *Tx) accounts(ctx context.Context, h *holding) (map[loyalty.Unit]*loyalty.Account, error) {
	entries, err := tx.entries(ctx, h.ID)
	if err != nil {
		return nil, err
	}
	all := map[loyalty.Unit]*loyalty.Account{}
	for _, u := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
		if len(entries[u]) > 0 {
			a := loyalty.Replay(dated(entries[u], h.campaign.Expiry, h.LastEarned))
			all[u] = &a
		}
	}
	return all, nil
}

// entries of an enrollment's ledger, by unit.
func (tx *Tx) entries(ctx context.Context, enrollment loyalty.ID) (map[loyalty.Unit][]loyalty.Entry, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT unit, id, kind, amount, at, coalesce(purchase_id::text, ''), coalesce(redemption_id::text, ''), coalesce(expires_at, '0001-01-01 00:00:00+00')
		FROM ledger WHERE enrollment_id = $1 ORDER BY id`, enrollment)
	if err != nil {
		return nil, err
	}
	all := map[loyalty.Unit][]loyalty.Entry{}
	var u loyalty.Unit
	var e loyalty.Entry
	_, err = pgx.ForEachRow(rows, []any{&u, &e.ID, &e.Kind, &e.Amount, &e.At, &e.Purchase, &e.Redemption, &e.ExpiresAt}, func() error {
		all[u] = append(all[u], e)
		return nil
	})
	return all, err
}

// giveBackGrace is how long the balance of a reward can be used again that came
// back after the date on which all of it had ended.
const giveBackGrace = 7 * oneDay

// dated gives entries the date on which a whole balance ends, where the campaign
// has one: what was entered before a date ends on it; and all ends after so many
// days of silence, which whatever is entered breaks.
func dated(entries []loyalty.Entry, x *loyalty.Expiry, lastEarned time.Time) []loyalty.Entry {
	if x == nil || x.Days > 0 {
		return entries
	}
	end := x.On
	if x.InactiveDays > 0 {
		for _, e := range entries {
			if e.Amount > 0 && e.At.After(lastEarned) {
				lastEarned = e.At
			}
		}
		end = lastEarned.Add(time.Duration(x.InactiveDays) * oneDay)
	}
	if end.IsZero() {
		return entries
	}
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Amount <= 0:
		case e.At.Before(end):
			if e.ExpiresAt.IsZero() || end.Before(e.ExpiresAt) {
				e.ExpiresAt = end
			}
		case e.Redemption != "" && x.InactiveDays == 0:
			// A reward asked for before the date and given back after it was to end
			// with the rest.
			e.ExpiresAt = e.At.Add(giveBackGrace)
		}
	}
	return entries
}

// ExpireBalances takes what has ended from at most limit enrollments, and says
// how many it looked at.
func (tx *Tx) ExpireBalances(ctx context.Context, limit int) (int, error) {
	due, err := collect[struct {
		ID     loyalty.ID `db:"id"`
		Person loyalty.ID `db:"person_id"`
	}](ctx, tx, `SELECT id, person_id FROM enrollments WHERE next_expiry_at <= $1 AND merged_into IS NULL ORDER BY next_expiry_at LIMIT $2`, tx.now, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	people, ids := make([]loyalty.ID, len(due)), make([]loyalty.ID, len(due))
	for i, d := range due {
		people[i], ids[i] = d.Person, d.ID
	}
	if err := tx.lockConsumers(ctx, people); err != nil {
		return 0, err
	}
	// Read again: another worker may have been here while we waited.
	holdings, err := tx.holdings(ctx, `e.id = ANY($1) AND e.next_expiry_at <= $2`, ids, tx.now)
	if err != nil {
		return 0, err
	}
	for _, h := range holdings {
		if err := tx.expire(ctx, h); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// expire takes what has ended of a holding, and finds when to look again.
func (tx *Tx) expire(ctx context.Context, h *holding) error {
	accounts, err := tx.accounts(ctx, h)
	if err != nil {
		return err
	}
	h.NextExpiry = nil
	for _, u := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
		a := accounts[u]
		if a == nil {
			continue
		}
		if amount := a.Due(tx.now); amount > 0 {
			tx.enter(h, movement{kind: "expire", unit: u, amount: -amount})
		}
		if next := a.NextExpiry(tx.now); !next.IsZero() && (h.NextExpiry == nil || next.Before(*h.NextExpiry)) {
			h.NextExpiry = &next
		}
	}
	tx.keep(h)
	return nil
}
