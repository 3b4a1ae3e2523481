package store

import (
	"context"
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// WarnExpiry tells consumers, by day, that something of a balance is about to
// end: one message for all that ends while its warning runs, and no other before
// that. It looks at no more than limit enrollments, and says at how many.
func (tx *Tx) WarnExpiry(ctx context.Context, limit int) (int, error) {
	due, err := collect[struct {
		ID     loyalty.ID `db:"id"`
		Person loyalty.ID `db:"person_id"`
	}](ctx, tx, `
		SELECT e.id, e.person_id FROM enrollments e JOIN campaigns c ON c.id = e.campaign_id
		WHERE `+toBeWarned+` ORDER BY e.next_expiry_at LIMIT $2`, tx.now, limit)
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
	holdings, err := tx.holdings(ctx, toBeWarned+` AND e.id = ANY($2)`, tx.now, ids)
	if err != nil {
		return 0, err
	}
	for _, h := range holdings {
		if err := tx.warn(ctx, h); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// toBeWarned picks enrollments e of campaign c of which something may end within
// the days of warning, and that were not told so at $1.
const toBeWarned = `e.next_expiry_at > $1 AND (e.expiry_warned_for IS NULL OR e.expiry_warned_for < e.next_expiry_at)
	AND e.next_expiry_at <= $1::timestamptz + make_interval(days => coalesce(nullif((c.terms->'expiry'->>'warn_days_before')::int, 0), 7))`

// warn tells what ends of a holding, unit by unit, and notes until when it has
// told. What was used in the meantime is no reason to write: then it notes when
// to look next.
func (tx *Tx) warn(ctx context.Context, h *holding) error {
	until := tx.now.Add(warnDays * oneDay)
	if x := h.campaign.Expiry; x != nil {
		until = tx.now.Add(warnBefore(x))
	}
	accounts, err := tx.accounts(ctx, h)
	if err != nil {
		return err
	}
	var next *time.Time
	warned := false
	for _, u := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
		a := accounts[u]
		if a == nil {
			continue
		}
		first := a.NextExpiry(tx.now)
		if a.Due(tx.now) > 0 { // it is taken when it is looked at next
			first = *h.NextExpiry
		}
		if first.IsZero() {
			continue
		}
		if next == nil || first.Before(*next) {
			next = &first
		}
		if first.After(until) {
			continue
		}
		warned = true
		date := loyalty.DayInWords(first.In(h.zone))
		if y, m, d := first.In(h.zone).Date(); a.Due(until) > a.Due(time.Date(y, m, d+1, 0, 0, 0, 0, h.zone)) {
			date += " y los días siguientes"
		}
		_, err := tx.Notify(ctx, Notice{
			Person: h.person, Lane: LaneService, Template: "expiry.warning", Zone: h.zone.String(),
			Cause: "expiry:" + string(h.ID) + ":" + string(u) + ":" + first.In(h.zone).Format(time.DateOnly),
			Vars: map[string]string{
				"campaign": h.campaign.Name, "unit": string(u), "amount": strconv.FormatInt(a.Due(until), 10),
				"date": date, varCardURL: "",
			},
		})
		if err != nil {
			return err
		}
	}
	if warned {
		tx.later(`UPDATE enrollments SET expiry_warned_for = $2 WHERE id = $1`, h.ID, until)
	}
	h.NextExpiry = next
	tx.keep(h)
	return nil
}

// ScheduleExpiry finds, in campaigns whose balances end together, those for which
// nobody has noted when: the terms said nothing of it when something was entered
// last. It notes it for at most limit enrollments, and says for how many. Whoever
// has been silent for longer than new terms allow loses nothing until they have
// held for that long, but for a day.
func (tx *Tx) ScheduleExpiry(ctx context.Context, limit int) (int, error) {
	// Who uses the balance at this moment is left for the next time.
	tag, err := tx.tx.Exec(ctx, `
		UPDATE enrollments e SET next_expiry_at = x.at FROM (
		  SELECT e.id, CASE WHEN c.terms->'expiry' ? 'on' THEN (c.terms->'expiry'->>'on')::timestamptz
		    ELSE greatest(e.last_earned_at, $1::timestamptz - interval '1 day') + make_interval(days => (c.terms->'expiry'->>'inactive_days')::int) END AS at
		  FROM campaigns c JOIN enrollments e ON e.campaign_id = c.id
		  WHERE c.status IN ('active', 'paused', 'ended') AND (e.stamps > 0 OR e.points > 0) AND CASE
		    WHEN c.terms->'expiry' ? 'on' THEN (c.terms->'expiry'->>'on')::timestamptz > $1
		      AND (e.next_expiry_at IS NULL OR e.next_expiry_at > (c.terms->'expiry'->>'on')::timestamptz)
		    WHEN c.terms->'expiry' ? 'inactive_days' THEN e.next_expiry_at IS NULL ELSE false END
		  LIMIT $2 FOR NO KEY UPDATE OF e SKIP LOCKED) x
		WHERE e.id = x.id`, tx.now, limit)
	return int(tag.RowsAffected()), err
}
