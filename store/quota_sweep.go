package store

import "context"

// keptQuotaDays is how long a limit's quota is kept after its period: a purchase
// may come 30 days late.
const keptQuotaDays = 40

// SweepQuotas deletes quotas of limits that count all cards ("limit:shop:hour")
// whose period is long over. Those of budgets have no period in their name, and
// stay. It takes at most limit of them, and says how many it took.
func (tx *Tx) SweepQuotas(ctx context.Context, limit int) (int, error) {
	// An hour "2026-01-31T09" begins with its day, so both sort like days.
	tag, err := tx.tx.Exec(ctx, `
		DELETE FROM quotas WHERE (campaign_id, name) IN (
			SELECT campaign_id, name FROM quotas
			WHERE name LIKE '%:%:____-__-__%' AND split_part(name, ':', 3) < $1 LIMIT $2)`,
		tx.now.AddDate(0, 0, -keptQuotaDays).Format("2006-01-02"), limit)
	return int(tag.RowsAffected()), err
}
