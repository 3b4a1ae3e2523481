package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Difference is a cached figure that is not what the entries say.
type Difference struct {
	What string // which figure: balance, running balance, stock, receipt, evidence
	ID   string // of the row that holds it
	Has  int64
	Want int64
}

// String describes the difference for an operator.
func (d Difference) String() string {
	return fmt.Sprintf("%s of %s is %d, its entries say %d", d.What, d.ID, d.Has, d.Want)
}

// verifications recompute, each in one statement, a cached figure from the
// rows that are the truth; each gives what, id, has, want.
var verifications = []string{
	// A balance is the sum of its ledger entries.
	`SELECT 'stamps', e.id::text, e.stamps, coalesce(l.stamps, 0) FROM enrollments e
	 LEFT JOIN (SELECT enrollment_id, sum(amount) FILTER (WHERE unit = 'stamp') AS stamps FROM ledger GROUP BY 1) l ON l.enrollment_id = e.id
	 WHERE e.stamps <> coalesce(l.stamps, 0)`,
	`SELECT 'points', e.id::text, e.points, coalesce(l.points, 0) FROM enrollments e
	 LEFT JOIN (SELECT enrollment_id, sum(amount) FILTER (WHERE unit = 'point') AS points FROM ledger GROUP BY 1) l ON l.enrollment_id = e.id
	 WHERE e.points <> coalesce(l.points, 0)`,
	// A running balance is the one before it, plus the amount. Entries of one
	// millisecond have no order by ID, so the set of balances is compared with
	// the set that the amounts allow: each balance - amount is another's balance
	// or the zero of the beginning.
	`SELECT 'running balance', l.id::text, l.balance, l.balance - l.amount FROM ledger l
	 WHERE l.balance <> l.amount AND NOT EXISTS (
	   SELECT FROM ledger b WHERE b.enrollment_id = l.enrollment_id AND b.unit = l.unit AND b.id <> l.id AND b.balance = l.balance - l.amount)
	   AND l.balance - l.amount <> 0`,
	// A reward is taken by the redemptions that were not given back.
	`SELECT 'taken stock', r.id::text, r.taken, count(d.id) FROM rewards r
	 LEFT JOIN redemptions d ON d.reward_id = r.id AND d.status IN ('requested', 'delivered')
	 GROUP BY r.id HAVING r.taken <> count(d.id)`,
	// A redemption that stands was paid, one that was given back was not.
	`SELECT 'payment of redemption', d.id::text, coalesce(l.paid, 0), CASE WHEN d.status IN ('requested', 'delivered') THEN -d.amount ELSE 0 END
	 FROM redemptions d LEFT JOIN (SELECT redemption_id, sum(amount) AS paid FROM ledger WHERE redemption_id IS NOT NULL GROUP BY 1) l ON l.redemption_id = d.id
	 WHERE coalesce(l.paid, 0) <> CASE WHEN d.status IN ('requested', 'delivered') THEN -d.amount ELSE 0 END`,
	// What a receipt says was earned is what the ledger gave.
	`SELECT 'earnings of receipt', p.id::text, r.said, coalesce(l.earned, 0) FROM purchases p
	 CROSS JOIN LATERAL (SELECT coalesce(sum((x->>'amount')::bigint), 0) AS said FROM jsonb_array_elements(p.receipt->'earned') x) r
	 LEFT JOIN (SELECT purchase_id, sum(amount) AS earned FROM ledger WHERE kind = 'earn' GROUP BY 1) l ON l.purchase_id = p.id
	 WHERE r.said <> coalesce(l.earned, 0)`,
	// A limit's counter is what was earned in its period; only campaigns with
	// a limit keep one.
	`SELECT 'counter ' || n.period, n.enrollment_id::text, n.earned, coalesce(sum(l.amount), 0) FROM earning_counters n
	 LEFT JOIN (ledger l JOIN purchases p ON p.id = l.purchase_id JOIN shops s ON s.id = p.shop_id)
	   ON l.enrollment_id = n.enrollment_id AND l.kind = 'earn' AND n.period = 'day:' || (p.occurred_at AT TIME ZONE s.time_zone)::date::text
	 GROUP BY n.enrollment_id, n.period, n.earned HAVING n.earned > coalesce(sum(l.amount), 0)`,
}

// Verify recomputes every balance and stock from the entries that are the
// truth, and gives what differs (law 1). It reads one snapshot.
func (db *DB) Verify(ctx context.Context) ([]Difference, error) {
	var found []Difference
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, sql := range verifications {
			rows, err := tx.Query(ctx, sql)
			if err != nil {
				return err
			}
			some, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Difference])
			if err != nil {
				return err
			}
			found = append(found, some...)
		}
		return nil
	})
	return found, translate(err)
}
