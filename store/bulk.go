package store

import (
	"context"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Bulk is the way in for what is not a use case: history that was made
// elsewhere, such as the demo's. Constraints guard it, rules do not. It is for
// operators' commands, and never within reach of a caller from outside.
type Bulk struct{ tx *Tx }

// Bulk opens that way in a transaction.
func (tx *Tx) Bulk() Bulk { return Bulk{tx} }

// Once claims a cause: false when it had its effect before (law 2). Two who
// claim it at once wait for each other.
func (b Bulk) Once(ctx context.Context, scope, key string) (bool, error) {
	tag, err := b.tx.tx.Exec(ctx, `INSERT INTO causes (scope, key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, scope, key, b.tx.now)
	return tag.RowsAffected() == 1, err
}

// Copy adds rows to a table, thousands in a moment. IDs may be loyalty.ID.
func (b Bulk) Copy(ctx context.Context, table string, columns []string, rows [][]any) error {
	_, err := b.tx.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(rows))
	return err
}

// CountUsed makes the stock, budgets and money that are used be what the entries
// say.
func (b Bulk) CountUsed(ctx context.Context) error {
	for _, sql := range []string{
		`UPDATE rewards r SET taken = d.n FROM (
		   SELECT reward_id, count(*) AS n FROM redemptions WHERE status IN ('requested', 'delivered') GROUP BY 1) d
		 WHERE d.reward_id = r.id AND r.taken <> d.n`,
		`UPDATE quotas q SET used = l.n FROM (
		   SELECT campaign_id, unit, sum(amount) AS n FROM ledger WHERE purchase_id IS NOT NULL GROUP BY 1, 2) l
		 WHERE l.campaign_id = q.campaign_id AND l.unit = q.name`,
		`UPDATE quotas q SET used = d.n FROM (
		   SELECT campaign_id, count(*) AS n FROM redemptions WHERE status IN ('requested', 'delivered') GROUP BY 1) d
		 WHERE d.campaign_id = q.campaign_id AND q.name = 'reward'`,
		`UPDATE cpgs g SET reserved_cents = d.cost FROM (
		   SELECT c.cpg_id, sum(d.cost_cents) AS cost FROM redemptions d JOIN campaigns c ON c.id = d.campaign_id
		   WHERE d.status IN ('requested', 'delivered') AND c.cpg_id IS NOT NULL GROUP BY 1) d
		 WHERE d.cpg_id = g.id`,
	} {
		if _, err := b.tx.tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// Seeded gives the same database with another source of randomness: what is
// made through it is the same in every run.
func (db *DB) Seeded(random io.Reader) *DB {
	opt := db.opt
	opt.Random = random
	return db.with(opt)
}

// Wrote lets a person count as one who wrote before, so that the bot may write.
func (b Bulk) Wrote(ctx context.Context, person loyalty.ID) error {
	_, err := b.tx.tx.Exec(ctx, `
		UPDATE persons SET first_wrote_at = coalesce(first_wrote_at, $2), last_wrote_at = coalesce(last_wrote_at, $2) WHERE id = $1`,
		person, b.tx.now)
	return err
}

// At gives the same transaction at another time: history has times of its own.
func (b Bulk) At(t time.Time) *Tx { return &Tx{tx: b.tx.tx, pipe: b.tx.pipe, db: b.tx.db, now: t} }
