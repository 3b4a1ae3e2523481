package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// holding is an enrollment with its campaign, as who changes a balance needs it.
// It is read with the consumer's row locked, and so stays true until the commit.
type holding struct {
	enrollmentRow
	person   loyalty.ID
	merged   loyalty.ID // the enrollment that has its balance now; "" is itself
	campaign loyalty.Campaign
	zone     *time.Location // of the shop where it was used last
}

// lockConsumer holds the consumer's row: who changes balances has it.
func (tx *Tx) lockConsumer(ctx context.Context, person loyalty.ID) error {
	var merged bool
	err := tx.tx.QueryRow(ctx, `SELECT merged_into IS NOT NULL, `+shareBudgets+` FROM consumers WHERE person_id = $1 FOR NO KEY UPDATE`, person).Scan(&merged, nil)
	if none(err) {
		return loyalty.NotFound(loyalty.CodeCardNotFound, "Todavía no tienes una tarjeta.")
	}
	if err == nil && merged {
		return errMoved
	}
	return err
}

// lockConsumers holds the rows of several consumers, in one order for everybody.
func (tx *Tx) lockConsumers(ctx context.Context, people []loyalty.ID) error {
	var merged bool
	err := tx.tx.QueryRow(ctx, `
		SELECT coalesce(bool_or(l.merged), false), max(l.shared) FROM (SELECT merged_into IS NOT NULL AS merged, `+shareBudgets+` AS shared FROM consumers
		  WHERE person_id = ANY($1) ORDER BY person_id FOR NO KEY UPDATE) l`, nonNil(people)).Scan(&merged, nil)
	if err == nil && merged { // what was read of them is another's by now
		return errMoved
	}
	return err
}

// holdings reads those that a condition on enrollment e and campaign c picks.
func (tx *Tx) holdings(ctx context.Context, condition string, args ...any) ([]*holding, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT e.id, e.campaign_id, coalesce(e.shop_id::text, ''), e.stamps, e.points, coalesce(e.standing, '{}'),
		  coalesce(e.last_earned_at, '0001-01-01 00:00:00+00'), e.next_expiry_at, e.person_id, coalesce(e.merged_into::text, ''), coalesce(z.time_zone, ''), `+campaignCore+`
		FROM enrollments e JOIN campaigns c ON c.id = e.campaign_id LEFT JOIN shops z ON z.id = e.last_shop_id
		WHERE `+condition+` ORDER BY e.id`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*holding, error) {
		h := new(holding)
		var zone string
		err := row.Scan(append([]any{&h.ID, &h.Campaign, &h.Shop, &h.Stamps, &h.Points, &h.Standing,
			&h.LastEarned, &h.NextExpiry, &h.person, &h.merged, &zone}, coreOf(&h.campaign)...)...)
		h.zone = loyalty.Zone(zone)
		return h, err
	})
}

// tier is how the holding's tier stands at a moment.
func (h *holding) tier(at time.Time) loyalty.TierStanding {
	return h.campaign.Tiers.At(h.Standing.Tier, at, h.zone)
}

// movement is a change of a balance that no purchase brought. Its causes are IDs
// of rows; "" is none.
type movement struct {
	kind                                       string
	unit                                       loyalty.Unit
	amount                                     int64
	version                                    int // of the campaign that judged it; 0: the one in force
	purchase, reversal, redemption, adjustment loyalty.ID
}

// enter changes the holding's balance and appends the ledger entry. What it gives
// ends like what is earned now. The row itself is written by keep.
func (tx *Tx) enter(h *holding, m movement) {
	if m.unit == loyalty.Stamp {
		h.Stamps += m.amount
	} else {
		h.Points += m.amount
	}
	if m.version == 0 {
		m.version = h.campaign.Version
	}
	var ends *time.Time
	if m.amount > 0 {
		if at := expiryOf(&h.campaign.Terms, tx.now); !at.IsZero() {
			ends = &at
		}
		h.NextExpiry = nextExpiry(h.NextExpiry, &h.campaign.Terms, tx.now)
	}
	tx.later(`
		INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance,
		  purchase_id, reversal_id, redemption_id, adjustment_id, expires_at, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		tx.newID(), h.ID, h.Campaign, m.version, m.kind, m.unit, m.amount, h.balance(m.unit),
		optional(m.purchase), optional(m.reversal), optional(m.redemption), optional(m.adjustment), ends, tx.now)
}

// keep writes what has changed of the holding.
func (tx *Tx) keep(h *holding) {
	tx.later(`UPDATE enrollments SET stamps = $2, points = $3, standing = $4, next_expiry_at = $5 WHERE id = $1`,
		h.ID, h.Stamps, h.Points, h.Standing, h.NextExpiry)
	tx.ring(Event{Kind: CardChanged, ID: h.person})
}
