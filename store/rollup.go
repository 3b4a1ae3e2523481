package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// rollupSpan makes the rollups of some days: $1 is the first and $2 the last of
// them, $3 the campaign where it is about one only. A day is the shop's; the
// bounds on occurred_at hold in every time zone, for the index.
//
// The lines that count for a campaign are of a PLI, without what was returned, of
// a purchase that waits for no yes in it, at a shop that takes part, inside the
// campaign's dates and before somebody ended it. Pauses are not left out: the
// brand's products were sold all the same.
//
// It is one statement, so that all tables tell of the same purchases. In
// activity_daily a purchase is one however many of its lines are PLIs, and what it
// gave, less what was taken back, is in the unit that the card is about: stamps,
// where the scheme is both. It completed a card that it brought to the goal.
// campaign_daily is what the other two add up to.
const rollupSpan = `
	WITH sold AS MATERIALIZED (
	  SELECT c.id AS campaign_id, p.day, p.shop_id, p.person_id, p.id AS purchase_id, c.goal,
	    CASE c.scheme WHEN 'points' THEN 'point' ELSE 'stamp' END AS unit,
	    i.product_id, i.quantity - i.returned AS quantity, (i.quantity - i.returned) * i.unit_price_cents AS cents, i.price_estimated
	  FROM (
	    SELECT p.id, p.shop_id, p.person_id, p.occurred_at, p.pending_campaigns, (p.occurred_at AT TIME ZONE s.time_zone)::date AS day
	    FROM purchases p JOIN shops s ON s.id = p.shop_id
	    WHERE p.status <> 'reversed' AND p.occurred_at >= $1::date - 1 AND p.occurred_at < $2::date + 2
	  ) p
	  JOIN purchase_items i ON i.purchase_id = p.id AND i.quantity > i.returned
	  JOIN campaign_products cp ON cp.product_id = i.product_id
	  JOIN campaigns c ON c.id = cp.campaign_id
	  WHERE p.day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR c.id = $3) AND c.status IN ('active', 'paused', 'ended')
	    AND c.id <> ALL(coalesce(p.pending_campaigns, '{}')) AND p.occurred_at >= c.starts_at AND (c.ends_at IS NULL OR p.occurred_at < c.ends_at)
	    AND (c.ended_at IS NULL OR p.occurred_at < c.ended_at)
	    AND (c.all_shops OR EXISTS (SELECT FROM campaign_shops cs WHERE cs.campaign_id = c.id AND cs.shop_id = p.shop_id))
	), sales AS (
	  INSERT INTO sales_daily (campaign_id, day, shop_id, product_id, purchases, units, revenue_cents, estimated_cents)
	  SELECT campaign_id, day, shop_id, product_id, count(DISTINCT purchase_id), sum(quantity), sum(cents),
	    coalesce(sum(cents) FILTER (WHERE price_estimated), 0)
	  FROM sold GROUP BY 1, 2, 3, 4 RETURNING *
	), activity AS (
	  INSERT INTO activity_daily (campaign_id, day, shop_id, person_id, purchases, given, completed)
	  SELECT b.campaign_id, b.day, b.shop_id, b.person_id, count(DISTINCT b.purchase_id), coalesce(sum(l.amount), 0),
	    count(*) FILTER (WHERE l.kind = 'earn' AND l.balance >= b.goal AND l.balance - l.amount < b.goal)
	  FROM (SELECT DISTINCT campaign_id, day, shop_id, person_id, purchase_id, unit, goal FROM sold) b
	  LEFT JOIN ledger l ON l.purchase_id = b.purchase_id AND l.campaign_id = b.campaign_id AND l.unit = b.unit
	  GROUP BY 1, 2, 3, 4 RETURNING *
	)
	INSERT INTO campaign_daily (campaign_id, day, consumers, purchases, given, completed, units, revenue_cents, estimated_cents)
	SELECT a.campaign_id, a.day, a.consumers, a.purchases, a.given, a.completed, s.units, s.revenue, s.estimated
	FROM (SELECT campaign_id, day, count(DISTINCT person_id) AS consumers, sum(purchases) AS purchases, sum(given) AS given, sum(completed) AS completed
	  FROM activity GROUP BY 1, 2) a
	JOIN (SELECT campaign_id, day, sum(units) AS units, sum(revenue_cents) AS revenue, sum(estimated_cents) AS estimated
	  FROM sales GROUP BY 1, 2) s USING (campaign_id, day)`

// Two bounds of catching up.
const (
	// A purchase may commit after one that was begun later: so much is looked at
	// again.
	lateCommit = time.Minute
	// However many people look at reports, they are not made fresh more often.
	freshFor = 500 * time.Millisecond
)

// Report runs fn, which may only read, on rollups that know what was committed
// before, and on one view of the database: its queries agree with each other.
// fn may run more than once.
func (db *DB) Report(ctx context.Context, fn func(*Tx) error) error {
	if err := db.FreshenSales(ctx); err != nil {
		return err
	}
	return db.ReadOnly(ctx, fn)
}

// ReadOnly runs fn in a transaction that sees one moment and can write nothing.
func (db *DB) ReadOnly(ctx context.Context, fn func(*Tx) error) error {
	return translate(pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(pgtx pgx.Tx) error {
		return fn(&Tx{tx: pgtx, db: db, now: db.opt.Now().UTC().Truncate(time.Microsecond)})
	}))
}

// FreshenSales catches up where a report would miss something. It never waits:
// while somebody else is at it, there is what there is.
func (db *DB) FreshenSales(ctx context.Context) error {
	return db.InTx(ctx, func(tx *Tx) error {
		at, err := tx.rolledUp(ctx)
		if err != nil || !tx.worthwhile(at) {
			return err
		}
		mine := false
		if err := tx.tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(hashtext('rollup'))`).Scan(&mine); err != nil || !mine {
			return err
		}
		// Whoever had the lock a moment ago may have done it.
		if at, err = tx.rolledUp(ctx); err != nil || !tx.worthwhile(at) {
			return err
		}
		return tx.catchUp(ctx, at)
	})
}

// CatchUpSales is FreshenSales that waits for its turn and is never too early. A
// job does it each minute.
func (db *DB) CatchUpSales(ctx context.Context) error {
	return db.InTx(ctx, func(tx *Tx) error {
		if err := tx.lockRollup(ctx); err != nil {
			return err
		}
		at, err := tx.rolledUp(ctx)
		if err != nil || !at.behind {
			return err
		}
		return tx.catchUp(ctx, at)
	})
}

// RebuildSales computes the last days anew, one after another, so that nobody
// waits for all of them: the net under catching up, for what committed late or
// was changed by hand.
func (db *DB) RebuildSales(ctx context.Context, days int) error {
	today := dayOf(db.Now().In(loyalty.Zone(loyalty.DefaultTimeZone)))
	for n := range days + 1 {
		day := today.AddDate(0, 0, 1-n) // it may be tomorrow elsewhere
		err := db.InTx(ctx, func(tx *Tx) error {
			if err := tx.lockRollup(ctx); err != nil {
				return err
			}
			return tx.rollup(ctx, day, day, nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// RollupSales computes the rollups that reports read, anew for all days from the
// given one on (its clock time does not matter); the zero time is all there is.
// Again is harmless; two at once run one after the other.
func (tx *Tx) RollupSales(ctx context.Context, from time.Time) error {
	if err := tx.lockRollup(ctx); err != nil {
		return err
	}
	if !from.IsZero() {
		return tx.rollup(ctx, dayOf(from), lastDay(), nil)
	}
	return tx.catchUp(ctx, rollupState{})
}

// lockRollup lets one transaction at a time write rollups.
func (tx *Tx) lockRollup(ctx context.Context) error {
	_, err := tx.tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('rollup'))`)
	return err
}

// rollupState says how far the rollups go.
type rollupState struct {
	upto   loyalty.ID // the newest purchase then; "" where there never were any
	at     time.Time
	behind bool // there are purchases or changed campaigns that they do not know
}

// worthwhile says whether a report should wait for catching up.
func (tx *Tx) worthwhile(s rollupState) bool {
	age := tx.now.Sub(s.at)
	return s.behind && (age < 0 || age >= freshFor)
}

func (tx *Tx) rolledUp(ctx context.Context) (s rollupState, err error) {
	var seen int64
	var changes bool
	err = tx.tx.QueryRow(ctx, `
		SELECT coalesce(r.upto::text, ''), coalesce(r.seen, 0), coalesce(r.at, '0001-01-01 00:00:00+00'), EXISTS (SELECT FROM rollup_changes)
		FROM (SELECT) one LEFT JOIN rollups r ON r.name = 'sales'`).Scan(&s.upto, &seen, &s.at, &changes)
	if err != nil {
		return s, err
	}
	newest, err := tx.newestPurchase(ctx)
	if err != nil {
		return s, err
	}
	if s.behind = changes || newest != s.upto; s.behind || newest == "" {
		if changes {
			s.at = time.Time{} // somebody has just changed a campaign, and looks at what comes of it
		}
		return s, nil
	}
	now, err := tx.purchasesSince(ctx, s.upto)
	s.behind = now != seen
	return s, err
}

// newestPurchase gives the ID of the newest purchase, "" where there is none.
func (tx *Tx) newestPurchase(ctx context.Context) (id loyalty.ID, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT id FROM purchases ORDER BY id DESC LIMIT 1`).Scan(&id)
	return id, ignoreNone(err)
}

// shortlyBefore is the ID from which on a purchase may have been missed by who
// saw the given one.
func shortlyBefore(id loyalty.ID) loyalty.ID { return loyalty.IDAt(id.Time().Add(-lateCommit)) }

func (tx *Tx) purchasesSince(ctx context.Context, id loyalty.ID) (n int64, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT count(*) FROM purchases WHERE id >= $1`, shortlyBefore(id)).Scan(&n)
	return n, err
}

// catchUp makes anew the days into which the purchases fall that were recorded
// since s, late ones with their own days, the days on which purchases changed, and
// all days of the campaigns that changed. The order matters: what is noted as seen was there before any sum was
// made, and what came later will be found again.
func (tx *Tx) catchUp(ctx context.Context, s rollupState) error {
	changed, err := tx.changes(ctx)
	if err != nil {
		return err
	}
	newest, err := tx.newestPurchase(ctx)
	if err != nil {
		return err
	}
	var seen int64
	if newest != "" {
		if seen, err = tx.purchasesSince(ctx, newest); err != nil {
			return err
		}
	}
	if s.upto == "" {
		err = tx.rollup(ctx, firstDay(), lastDay(), nil)
	} else {
		err = tx.rollupTouched(ctx, s.upto, changed)
	}
	if err != nil || newest == "" {
		return err
	}
	_, err = tx.tx.Exec(ctx, `
		INSERT INTO rollups (name, upto, seen, at) VALUES ('sales', $1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET upto = $1, seen = $2, at = $3`, newest, seen, tx.now)
	return err
}

// rollupTouched makes anew what purchases since the given one touch, and what
// changed.
func (tx *Tx) rollupTouched(ctx context.Context, since loyalty.ID, changed []rollupChange) error {
	var noted []time.Time
	for _, c := range changed {
		if c.Day != nil {
			noted = append(noted, *c.Day)
		}
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT (p.occurred_at AT TIME ZONE s.time_zone)::date AS day
		FROM purchases p JOIN shops s ON s.id = p.shop_id WHERE p.id >= $1
		UNION SELECT unnest($2::date[]) ORDER BY day`, shortlyBefore(since), noted)
	if err != nil {
		return err
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return err
	}
	for len(days) > 0 {
		n := 1 // days in a row are made at once
		for n < len(days) && days[n].Equal(days[0].AddDate(0, 0, n)) {
			n++
		}
		if err := tx.rollup(ctx, days[0], days[n-1], nil); err != nil {
			return err
		}
		days = days[n:]
	}
	for _, c := range changed {
		if c.Campaign == nil {
			continue
		}
		if err := tx.rollup(ctx, dayOf(*c.StartsAt).AddDate(0, 0, -1), lastDay(), c.Campaign); err != nil {
			return err
		}
	}
	return nil
}

// rollup makes the days from first to last anew, of one campaign where one is
// given: then nothing of its other days stays.
func (tx *Tx) rollup(ctx context.Context, first, last time.Time, campaign *loyalty.ID) error {
	for _, table := range []string{"sales_daily", "activity_daily", "campaign_daily"} {
		sql, args := `DELETE FROM `+table+` WHERE campaign_id = $1`, []any{campaign}
		if campaign == nil {
			// Naming the campaigns lets the primary key find the days.
			sql, args = `DELETE FROM `+table+` WHERE campaign_id = ANY(ARRAY(SELECT id FROM campaigns)) AND day BETWEEN $1 AND $2`, []any{first, last}
		}
		if _, err := tx.tx.Exec(ctx, sql, args...); err != nil {
			return err
		}
	}
	_, err := tx.tx.Exec(ctx, rollupSpan, first, last, campaign)
	return err
}

// firstDay and lastDay lie around all that can be reported on.
func firstDay() time.Time { return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) }
func lastDay() time.Time  { return time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC) }

// rollupChange is a campaign of which all days are to be made anew, or a day of
// all campaigns.
type rollupChange struct {
	Campaign *loyalty.ID `db:"id"`
	StartsAt *time.Time  `db:"starts_at"`
	Day      *time.Time  `db:"day"`
}

// changes takes note of what changed, with the lock of the rollup held.
func (tx *Tx) changes(ctx context.Context) ([]rollupChange, error) {
	return collect[rollupChange](ctx, tx, `
		WITH changed AS (DELETE FROM rollup_changes RETURNING campaign_id, day)
		SELECT DISTINCT c.id, c.starts_at, x.day FROM changed x LEFT JOIN campaigns c ON c.id = x.campaign_id
		WHERE c.id IS NOT NULL OR x.day IS NOT NULL`)
}

// rollupChanged notes, in the transaction that changes a campaign, that other
// sales may count for it now.
func (tx *Tx) rollupChanged(ctx context.Context, campaign loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `INSERT INTO rollup_changes (campaign_id) VALUES ($1)`, campaign)
	return err
}

// rollupDay notes, in the transaction that changes a purchase, the day of its
// shop on which other sums are due now.
func (tx *Tx) rollupDay(_ context.Context, at time.Time, zone string) error {
	tx.later(`INSERT INTO rollup_changes (day) VALUES ($1)`, dayOf(at.In(loyalty.Zone(zone))))
	return nil
}

// rollupMoved is rollupChanged for the campaigns of a shop whose days begin at
// another hour now.
func (tx *Tx) rollupMoved(ctx context.Context, shop loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO rollup_changes (campaign_id) SELECT c.id FROM campaigns c WHERE c.status IN ('active', 'paused', 'ended')
		AND (c.all_shops OR EXISTS (SELECT FROM campaign_shops s WHERE s.campaign_id = c.id AND s.shop_id = $1))`, shop)
	return err
}
