package store

import (
	"context"
	"crypto/hmac"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CardMonth is what happened to a consumer's balances in one month: each purchase
// and each change of the ledger in the month of its own shop's days.
type CardMonth struct {
	Month   time.Time  // its first day, in the consumer's zone
	Bought  []Bought   // newest first
	Moved   []CardMove // newest first
	Full    bool       // there is more than is told
	Earlier time.Time  // the first day of the last month before it in which something happened; zero where there is none
	Later   time.Time  // the first day of the next month; zero where that has not begun
}

// CardMove is a change of a balance that is no purchase.
type CardMove struct {
	Kind       string       `db:"kind"` // redeem, reverse, expire or adjust
	Unit       loyalty.Unit `db:"unit"`
	Amount     int64        `db:"amount"` // signed
	At         time.Time    `db:"at"`
	Campaign   string       `db:"campaign"`
	Reward     string       `db:"reward"` // that was taken or given back; "" where it is none
	Redemption string       `db:"redemption"`
	Shop       string       `db:"shop"`
	TimeZone   string       `db:"time_zone"`
	Reason     string       `db:"reason"` // of an adjustment
}

// CardMonth reads the month in which a moment is, of the card that a chat link
// opens, with no more than most purchases and most other changes, in one round
// trip. Error: CARD_NOT_FOUND.
func (db *DB) CardMonth(ctx context.Context, secret, code string, of time.Time, most int) (m CardMonth, err error) {
	err = db.look(ctx, func(tx *Tx) (err error) {
		m, err = tx.cardMonth(ctx, secret, code, of, most)
		return err
	})
	return m, translate(err)
}

// zoneSlack is how far apart the same day begins in two zones of one country.
const zoneSlack = 3 * time.Hour

func (tx *Tx) cardMonth(ctx context.Context, secret, code string, moment time.Time, most int) (m CardMonth, err error) {
	of := ofCard(code)
	first := time.Date(moment.Year(), moment.Month(), 1, 0, 0, 0, 0, loyalty.Zone(""))
	from, to := first.Add(-zoneSlack), first.AddDate(0, 1, 0).Add(zoneSlack)
	var linked loyalty.ID
	var version int
	var zone string
	var found bool
	var before []time.Time
	var b pgx.Batch
	b.Queue(`
		SELECT `+of.link+`.person_id, `+of.link+`.link_version,
		  coalesce((SELECT s.time_zone FROM cards ca JOIN shops s ON s.id = ca.shop_id WHERE ca.person_id = c.person_id ORDER BY ca.id LIMIT 1), '')
		FROM `+of.consumer+` AND p.erased_at IS NULL`, of.key).
		QueryRow(func(row pgx.Row) error {
			err := row.Scan(&linked, &version, &zone)
			found = err == nil
			return ignoreNone(err)
		})
	limit := ` LIMIT ` + strconv.Itoa(most)
	b.Queue(selectBought(of)+` AND pu.occurred_at >= $2 AND pu.occurred_at < $3`+latestBought+limit, of.key, from, to).Query(func(rows pgx.Rows) error {
		m.Bought, err = pgx.CollectRows(rows, scanBought)
		return err
	})
	// An entry's ID is made at its moment: the index that has it finds the month.
	queued(&b, &m.Moved, `
		SELECT l.kind, l.unit, l.amount, l.at, c.name AS campaign, coalesce(r.name, '') AS reward, coalesce(d.status, '') AS redemption,
		  coalesce(s.name, '') AS shop, coalesce(s.time_zone, '') AS time_zone, coalesce(a.reason, '') AS reason
		FROM `+entriesOf(of)+`
		JOIN campaigns c ON c.id = l.campaign_id
		LEFT JOIN redemptions d ON d.id = l.redemption_id LEFT JOIN rewards r ON r.id = d.reward_id
		LEFT JOIN adjustments a ON a.id = l.adjustment_id LEFT JOIN purchases pu ON pu.id = l.purchase_id
		LEFT JOIN shops s ON s.id = coalesce(d.shop_id, pu.shop_id, e.shop_id)
		WHERE l.id >= $3 AND l.id < $4 AND l.kind <> 'earn' AND a.reason IS DISTINCT FROM $2 ORDER BY l.id DESC`+limit,
		of.key, mergeReason, loyalty.IDAt(from), loyalty.IDAt(to))
	b.Queue(`
		(SELECT pu.occurred_at FROM purchases pu WHERE pu.person_id = `+of.person+` AND pu.occurred_at < $2 ORDER BY pu.occurred_at DESC LIMIT 1)
		UNION ALL
		(SELECT max(l.at) FROM `+entriesOf(of)+` WHERE l.id < $3 AND l.kind <> 'earn' HAVING max(l.at) IS NOT NULL)`,
		of.key, from, loyalty.IDAt(from)).Query(func(rows pgx.Rows) error {
		before, err = pgx.CollectRows(rows, pgx.RowTo[time.Time])
		return err
	})
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return CardMonth{}, err
	}
	if !found || !hmac.Equal([]byte(secret), []byte(tx.linkSecret(linked, version))) {
		return CardMonth{}, errDeadLink()
	}
	m.Full = len(m.Bought) == most || len(m.Moved) == most
	m.keep(first, zone, before)
	here := loyalty.Zone(zone)
	m.Month = time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, here)
	if next := m.Month.AddDate(0, 1, 0); !next.After(tx.now) {
		m.Later = next
	}
	return m, nil
}

// keep leaves what was in the month by its own shop's calendar; what has no shop
// goes by the consumer's zone.
func (m *CardMonth) keep(month time.Time, zone string, before []time.Time) {
	here := loyalty.Zone(zone)
	in := func(at time.Time, shop string) bool {
		l := here
		if shop != "" {
			l = loyalty.Zone(shop)
		}
		at = at.In(l)
		own := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, month.Location())
		if own.Before(month) && own.After(m.Earlier) {
			m.Earlier = own
		}
		return own.Equal(month)
	}
	for _, at := range before {
		in(at, "")
	}
	bought := m.Bought[:0]
	for _, v := range m.Bought {
		if in(v.At, v.TimeZone) {
			bought = append(bought, v)
		}
	}
	moved := m.Moved[:0]
	for _, v := range m.Moved {
		if in(v.At, v.TimeZone) {
			moved = append(moved, v)
		}
	}
	m.Bought, m.Moved = bought, moved
}

// entriesOf are the ledger's entries of a consumer's enrollments, with those that
// were another's until two persons turned out to be one.
func entriesOf(of whose) string {
	return `(
		  SELECT o.id, o.shop_id FROM enrollments o WHERE o.person_id = ` + of.person + `
		  UNION ALL
		  SELECT o.id, o.shop_id FROM enrollments i JOIN enrollments o ON o.merged_into = i.id WHERE i.person_id = ` + of.person + `
		) e JOIN ledger l ON l.enrollment_id = e.id`
}
