package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Attention is what waits for somebody of Qoa's.
type Attention struct {
	Backlog
	Cases      int64          // open
	OldestCase *time.Time     // nil where there is none
	InReview   []InReview     // campaigns that wait for a yes, the oldest first
	Imports    []HalfImported // of the last days, the newest first
	Verified   time.Time      // when the ledger was recomputed last; zero: never
	Differing  int            // figures that differed then
	Size       int64          // of the database, in bytes
	Postgres   string         // its version
}

// InReview is a campaign that its owner wants approved.
type InReview struct {
	ID    loyalty.ID `db:"id"`
	Name  string     `db:"name"`
	Owner string     `db:"owner"`
	Since time.Time  `db:"updated_at"`
}

// HalfImported is an import of which some rows could not be applied.
type HalfImported struct {
	ID     loyalty.ID `db:"id"`
	File   string     `db:"file"`
	Failed int64      `db:"failed"`
}

// importDays is for how long an import that went wrong is brought up.
const importDays = 7

// mostInReview is how many campaigns are named; who approves these sees the others.
const mostInReview = 10

// Attention says what waits (an admin).
func (tx *Tx) Attention(ctx context.Context, scope loyalty.Scope) (a Attention, err error) {
	if err := adminOnly(scope); err != nil {
		return a, err
	}
	if a.Backlog, err = tx.Backlog(ctx); err != nil {
		return a, err
	}
	err = tx.tx.QueryRow(ctx, `
		SELECT count(*), min(created_at), pg_database_size(current_database()), current_setting('server_version') FROM cases WHERE closed_at IS NULL`).
		Scan(&a.Cases, &a.OldestCase, &a.Size, &a.Postgres)
	if err != nil {
		return a, err
	}
	a.InReview, err = collect[InReview](ctx, tx, `
		SELECT c.id, c.name, coalesce(g.name, s.name, '') AS owner, c.updated_at
		FROM campaigns c LEFT JOIN cpgs g ON g.id = c.cpg_id LEFT JOIN shops s ON s.id = c.shop_id
		WHERE c.status = 'in_review' ORDER BY c.updated_at, c.id LIMIT $1`, mostInReview)
	if err != nil {
		return a, err
	}
	a.Imports, err = collect[HalfImported](ctx, tx, `
		SELECT id, file, failed FROM imports WHERE status = 'done' AND failed > 0 AND id >= $1 ORDER BY id DESC LIMIT $2`,
		loyalty.IDAt(tx.now.AddDate(0, 0, -importDays)), mostInReview)
	if err != nil {
		return a, err
	}
	a.Verified, a.Differing, err = tx.LastVerified(ctx, scope)
	return a, err
}
