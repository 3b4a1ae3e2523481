package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Discrepancy is a cached figure that is not what the entries say.
type Discrepancy struct {
	What string // which figure: stamps, running balance, taken stock, …
	ID   string // of the row that holds it
	Has  int64
	Want int64
}

// String describes it for an operator.
func (d Discrepancy) String() string {
	return fmt.Sprintf("%s of %s is %d, its entries say %d", d.What, d.ID, d.Has, d.Want)
}

// verifications recompute, each in one statement, cached figures from the rows
// that are the truth; each gives what, id, has, want. every(enrollment) and
// ofSome(purchase) stand for which of them are looked at: see verify.
var verifications = []string{
	// A balance is the sum of its ledger entries.
	`SELECT x.unit || 's', e.id::text, x.balance, coalesce(l.sum, 0)::bigint FROM enrollments e
	 CROSS JOIN LATERAL (VALUES ('stamp', e.stamps), ('point', e.points)) AS x (unit, balance)
	 LEFT JOIN (SELECT enrollment_id, unit, sum(amount) AS sum FROM ledger l WHERE every(l.enrollment_id) GROUP BY 1, 2) l
	   ON l.enrollment_id = e.id AND l.unit = x.unit
	 WHERE every(e.id) AND x.balance <> coalesce(l.sum, 0)`,
	// A running balance is the one before it, plus the amount. Entries of one
	// moment have no order by ID: but each begins where another ended, so that as
	// many begin at any balance as end there, but for the first, at zero, and the
	// last, at the balance that the enrollment has.
	`SELECT 'running balance', x.enrollment_id::text, x.at, 0::bigint FROM (
	   SELECT enrollment_id, unit, balance AS at, 1 AS n FROM ledger l WHERE every(l.enrollment_id)
	   UNION ALL SELECT enrollment_id, unit, balance - amount, -1 FROM ledger l WHERE every(l.enrollment_id)
	   UNION ALL SELECT DISTINCT enrollment_id, unit, 0, 1 FROM ledger l WHERE every(l.enrollment_id)
	   UNION ALL SELECT l.enrollment_id, l.unit, sum(amount)::bigint, -1 FROM ledger l WHERE every(l.enrollment_id) GROUP BY 1, 2
	 ) x GROUP BY x.enrollment_id, x.unit, x.at HAVING sum(x.n) <> 0`,
	// A redemption that stands was paid, one that was given back was not.
	`SELECT 'payment of redemption', d.id::text, coalesce(l.paid, 0)::bigint, CASE WHEN d.status IN ('requested', 'delivered') THEN -d.amount ELSE 0 END
	 FROM redemptions d LEFT JOIN (SELECT redemption_id, enrollment_id, unit, sum(amount) AS paid FROM ledger l
	   WHERE redemption_id IS NOT NULL AND every(l.enrollment_id) GROUP BY 1, 2, 3) l
	   ON l.redemption_id = d.id AND l.enrollment_id = d.enrollment_id AND l.unit = d.unit
	 WHERE every(d.enrollment_id) AND coalesce(l.paid, 0) <> CASE WHEN d.status IN ('requested', 'delivered') THEN -d.amount ELSE 0 END`,
	// What a receipt says was earned is what the ledger gave.
	`SELECT 'earnings of receipt', p.id::text, r.said, coalesce(l.earned, 0)::bigint FROM purchases p
	 CROSS JOIN LATERAL (SELECT coalesce(sum((x->>'amount')::bigint), 0)::bigint AS said FROM jsonb_array_elements(coalesce(p.settled, p.receipt)->'earned') x) r
	 LEFT JOIN (SELECT purchase_id, sum(amount) AS earned FROM ledger WHERE kind = 'earn' AND ofSome(purchase_id) GROUP BY 1) l ON l.purchase_id = p.id
	 WHERE ofSome(p.id) AND r.said <> coalesce(l.earned, 0)`,
	// No more is taken back of a purchase than it gave, and all of it, but for what
	// had expired before, when all was returned.
	`SELECT 'reversals of purchase', l.purchase_id::text, -coalesce(sum(l.amount) FILTER (WHERE l.kind = 'reverse'), 0)::bigint, coalesce(sum(l.amount) FILTER (WHERE l.kind = 'earn'), 0)::bigint
	 FROM ledger l WHERE l.purchase_id IS NOT NULL AND every(l.enrollment_id) GROUP BY l.purchase_id, l.enrollment_id, l.unit HAVING sum(l.amount) < 0`,
	// A purchase is reversed when nothing of it is left, and only then.
	`SELECT 'returned units of purchase', p.id::text, coalesce(sum(i.returned), 0)::bigint, coalesce(sum(i.quantity), 0)::bigint
	 FROM purchases p JOIN purchase_items i ON i.purchase_id = p.id WHERE ofSome(p.id)
	 GROUP BY p.id HAVING (p.status = 'reversed') <> (sum(i.returned) = sum(i.quantity))`,
	// Returned units are those of the reversals.
	`SELECT 'returned units of line ' || i.line, i.purchase_id::text, i.returned::bigint, coalesce(sum((x->>'quantity')::bigint), 0)::bigint
	 FROM purchase_items i LEFT JOIN reversals r ON r.purchase_id = i.purchase_id
	 LEFT JOIN LATERAL jsonb_array_elements(r.items) x ON (x->>'line')::int = i.line
	 WHERE ofSome(i.purchase_id) GROUP BY i.purchase_id, i.line, i.returned HAVING i.returned <> coalesce(sum((x->>'quantity')::bigint), 0)`,
	// A standing counts the purchases that earned and were not taken back whole, also
	// those of enrollments that were merged into it.
	`SELECT 'counted purchases', e.id::text, coalesce((e.standing->>'purchases')::bigint, 0), coalesce(l.n, 0) FROM enrollments e
	 LEFT JOIN (SELECT l.enrollment_id, count(DISTINCT l.purchase_id) AS n FROM ledger l JOIN purchases p ON p.id = l.purchase_id
	   WHERE l.kind = 'earn' AND p.status <> 'reversed' AND every(l.enrollment_id) GROUP BY 1) l ON l.enrollment_id = e.id
	 WHERE every(e.id) AND coalesce((e.standing->>'purchases')::bigint, 0) > coalesce(l.n, 0)
	   AND coalesce((e.standing->>'purchases')::bigint, 0) > coalesce(l.n, 0) + (SELECT count(DISTINCT l.purchase_id)
	     FROM enrollments m JOIN ledger l ON l.enrollment_id = m.id JOIN purchases p ON p.id = l.purchase_id
	     WHERE m.merged_into = e.id AND l.kind = 'earn' AND p.status <> 'reversed')`,
	// What was merged is empty: all of it went into the other.
	`SELECT 'merged balance', e.id::text, e.stamps + e.points, 0::bigint FROM enrollments e WHERE every(e.id) AND e.merged_into IS NOT NULL AND (e.stamps <> 0 OR e.points <> 0)`,
	// No more expires than was given with a date, or could be.
	`SELECT 'expired ' || l.unit || 's', l.enrollment_id::text, -coalesce(sum(l.amount) FILTER (WHERE l.kind = 'expire'), 0)::bigint,
	   coalesce(sum(l.amount) FILTER (WHERE l.amount > 0), 0)::bigint
	 FROM ledger l WHERE every(l.enrollment_id) GROUP BY l.enrollment_id, l.unit
	 HAVING -coalesce(sum(l.amount) FILTER (WHERE l.kind = 'expire'), 0) > coalesce(sum(l.amount) FILTER (WHERE l.amount > 0), 0)`,
	// Entries are of their enrollment's campaign, and of its consumer: where it was
	// merged, of the other's.
	`SELECT 'campaign of entry', l.id::text, 0::bigint, 1::bigint FROM ledger l JOIN enrollments e ON e.id = l.enrollment_id
	 LEFT JOIN purchases p ON p.id = l.purchase_id LEFT JOIN redemptions d ON d.id = l.redemption_id
	 LEFT JOIN enrollments m ON m.id = e.merged_into
	 WHERE every(l.enrollment_id) AND (l.campaign_id <> e.campaign_id OR p.person_id <> coalesce(m.person_id, e.person_id) OR d.person_id <> coalesce(m.person_id, e.person_id))`,
}

// totals are what many consumers share: they are looked at only when everything
// is.
var totals = []string{
	// A reward is taken by the redemptions that were not given back.
	`SELECT 'taken stock', r.id::text, r.taken, count(d.id) FROM rewards r
	 LEFT JOIN redemptions d ON d.reward_id = r.id AND d.status IN ('requested', 'delivered')
	 GROUP BY r.id HAVING r.taken <> count(d.id)`,
	// A budget's stamps and points are used by what was earned and not taken back,
	// its rewards by redemptions.
	`SELECT 'used budget of ' || q.name || 's', q.campaign_id::text, q.used, coalesce(sum(l.amount), 0)::bigint FROM quotas q
	 LEFT JOIN ledger l ON l.campaign_id = q.campaign_id AND l.unit = q.name AND l.purchase_id IS NOT NULL
	 WHERE q.name IN ('stamp', 'point') GROUP BY q.campaign_id, q.name HAVING q.used <> coalesce(sum(l.amount), 0)`,
	`SELECT 'used budget of rewards', q.campaign_id::text, q.used, count(d.id) FROM quotas q
	 LEFT JOIN redemptions d ON d.campaign_id = q.campaign_id AND d.status IN ('requested', 'delivered')
	 WHERE q.name = 'reward' GROUP BY q.campaign_id, q.name HAVING q.used <> count(d.id)`,
	// A CPG's money is promised to redemptions that were not given back.
	`SELECT 'reserved money', g.id::text, g.reserved_cents, coalesce(sum(d.cost_cents), 0)::bigint FROM cpgs g
	 LEFT JOIN campaigns c ON c.cpg_id = g.id
	 LEFT JOIN redemptions d ON d.campaign_id = c.id AND d.status IN ('requested', 'delivered')
	 GROUP BY g.id HAVING g.reserved_cents <> coalesce(sum(d.cost_cents), 0)`,
}

// Verify recomputes every balance, stock and budget from the entries that are the
// truth, and gives what differs (law 1). It reads one snapshot.
func (db *DB) Verify(ctx context.Context) ([]Discrepancy, error) {
	return db.verify(ctx, append(slices.Clone(verifications), totals...), "true", "true")
}

// VerifySample is Verify for what belongs to n enrollments, others each time. It
// reads no more than is theirs.
func (db *DB) VerifySample(ctx context.Context, n int) ([]Discrepancy, error) {
	var sample []loyalty.ID
	err := db.InTx(ctx, func(tx *Tx) (err error) {
		sample, err = tx.sampleEnrollments(ctx, n)
		return err
	})
	if err != nil || len(sample) == 0 {
		return nil, err
	}
	return db.verify(ctx, verifications, "$1 = ANY($$1)", "$1 IN (SELECT s.purchase_id FROM ledger s WHERE s.enrollment_id = ANY($$1))", sample)
}

// sampleEnrollments gives those that follow a place in the order of IDs which
// chance chose, and goes on at the beginning. IDs begin with the time at which
// they were made; so does the chance.
func (tx *Tx) sampleEnrollments(ctx context.Context, n int) ([]loyalty.ID, error) {
	var first, last loyalty.ID
	err := tx.tx.QueryRow(ctx, `
		SELECT (SELECT id FROM enrollments ORDER BY id LIMIT 1), (SELECT id FROM enrollments ORDER BY id DESC LIMIT 1)
		WHERE EXISTS (SELECT FROM enrollments)`).Scan(&first, &last)
	if err != nil {
		return nil, ignoreNone(err)
	}
	begin := first
	if span := last.Time().Sub(first.Time()); span > 0 {
		chance := binary.BigEndian.Uint64(tx.random(8)) % uint64(span)
		begin = loyalty.IDAt(first.Time().Add(time.Duration(chance))) //nolint:gosec // less than a span of time
	}
	type row struct {
		ID loyalty.ID `db:"id"`
	}
	rows, err := collect[row](ctx, tx, `
		(SELECT id FROM enrollments WHERE id >= $1 ORDER BY id LIMIT $3)
		UNION ALL (SELECT id FROM enrollments WHERE id >= $2 AND id < $1 ORDER BY id LIMIT $3) LIMIT $3`, begin, first, n)
	ids := make([]loyalty.ID, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids, err
}

var (
	everyEnrollment = regexp.MustCompile(`every\(([a-z_.]+)\)`)
	everyPurchase   = regexp.MustCompile(`ofSome\(([a-z_.]+)\)`)
)

func (db *DB) verify(ctx context.Context, queries []string, enrollments, purchases string, args ...any) ([]Discrepancy, error) {
	var found []Discrepancy
	err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, sql := range queries {
			sql = everyPurchase.ReplaceAllString(everyEnrollment.ReplaceAllString(sql, enrollments), purchases)
			rows, err := tx.Query(ctx, sql, args...)
			if err != nil {
				return err
			}
			some, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Discrepancy])
			if err != nil {
				return err
			}
			found = append(found, some...)
		}
		return nil
	})
	return found, translate(err)
}
