package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Pacing is how fast a number starts conversations by itself: WhatsApp bans those
// that behave like machines.
type Pacing struct {
	Least, Most time.Duration // between two starts: chance chooses
	PerHour     int           // at most, in any hour
	// WarmUp is how many a day of the first days after pairing may have: so many as
	// there are. After them only PerHour bounds.
	WarmUp []int
}

// DefaultPacing is that of a number that nobody complains about.
func DefaultPacing() Pacing {
	return Pacing{Least: 5 * time.Second, Most: 30 * time.Second, PerHour: 60, WarmUp: []int{10, 20, 40, 80, 150, 250, 400}}
}

func (tx *Tx) pacing() Pacing {
	if p := tx.db.opt.Pacing; p.Most > 0 {
		return p
	}
	return DefaultPacing()
}

// mayTalk says of a number n whether what answers people may go through it.
const mayTalk = `coalesce(n.status IN ('connected', 'restricted') AND n.deleted_at IS NULL, false)`

// mayStart says of a number n whether it may start anything at a moment, given as
// a parameter: a restriction that has an end holds until then, whatever the status
// says.
func mayStart(now string) string {
	return `coalesce(n.status = 'connected' AND n.deleted_at IS NULL AND coalesce(n.until_at <= ` + now + `, true) AND coalesce(n.next_start_at <= ` + now + `, true), false)`
}

// start takes the number's next start for a message; ok is false where it has none
// now. Who starts through a number waits for the others who do.
func (tx *Tx) start(ctx context.Context, number, row loyalty.ID) (ok bool, err error) {
	var paired *time.Time
	err = tx.tx.QueryRow(ctx, `SELECT n.paired_at FROM whatsapp_numbers n WHERE n.id = $1 AND `+mayStart(`$2`)+` FOR NO KEY UPDATE`, number, tx.now).Scan(&paired)
	if err != nil {
		return false, ignoreNone(err)
	}
	p := tx.pacing()
	next := tx.now.Add(p.Least)
	if span := p.Most - p.Least; span > 0 {
		next = next.Add(time.Duration(binary.BigEndian.Uint64(tx.random(8)) % uint64(span))) //nolint:gosec // less than the span
	}
	for _, bound := range p.bounds(paired, tx.now) {
		// The start that has to be over before there is room for another.
		var at time.Time
		err := tx.tx.QueryRow(ctx, `
			SELECT started_at FROM outbox WHERE number_id = $1 AND started_at > $2 ORDER BY started_at DESC OFFSET $3 LIMIT 1`,
			number, tx.now.Add(-bound.in), bound.most-1).Scan(&at)
		if err == nil { // nothing more until that one is long enough ago
			next = at.Add(bound.in)
			if !bound.until.IsZero() && bound.until.Before(next) {
				next = bound.until
			}
			_, err = tx.tx.Exec(ctx, `UPDATE whatsapp_numbers SET next_start_at = $2 WHERE id = $1`, number, next)
			return false, err
		}
		if !none(err) {
			return false, err
		}
	}
	tx.later(`UPDATE whatsapp_numbers SET next_start_at = $2 WHERE id = $1`, number, next)
	tx.later(`UPDATE outbox SET started_at = $2 WHERE id = $1`, row, tx.now)
	return true, nil
}

// bound is how many starts there may be in a time.
type bound struct {
	most  int
	in    time.Duration
	until time.Time // when it is another; zero: never
}

func (p *Pacing) bounds(paired *time.Time, now time.Time) []bound {
	var all []bound
	if p.PerHour > 0 {
		all = append(all, bound{most: p.PerHour, in: time.Hour})
	}
	if paired == nil {
		paired = &now
	}
	if day := max(int(now.Sub(*paired)/oneDay), 0); day < len(p.WarmUp) {
		all = append(all, bound{most: max(p.WarmUp[day], 1), in: oneDay, until: paired.Add(time.Duration(day+1) * oneDay)})
	}
	return all
}

// startCandidates is how many messages the sweep offers a number that may start
// one: the first may turn out to be for the day, or for nobody.
const startCandidates = 3

// dueStarts finds messages that numbers could start now.
func (tx *Tx) dueStarts(ctx context.Context, numbers []loyalty.ID) ([]Event, error) {
	return tx.dueEvents(ctx, DeliveryDue, `
		SELECT o.person_id, o.id, n.id FROM whatsapp_numbers n
		CROSS JOIN LATERAL (
			SELECT o.person_id, o.id FROM outbox o
			WHERE o.number_id = n.id AND o.status = 'queued' AND o.lane IN ('service', 'promotion') AND o.due_at <= $2
			  AND (o.claimed_until IS NULL OR o.claimed_until <= $2)
			  AND NOT EXISTS (SELECT FROM outbox t WHERE t.person_id = o.person_id AND t.status = 'queued' AND t.lane NOT IN ('service', 'promotion'))
			ORDER BY o.due_at LIMIT $1) o
		WHERE n.id = ANY($3) AND `+mayStart(`$2`), startCandidates, tx.now, numbers)
}
