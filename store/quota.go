package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Quota is how a campaign's budget stands in stamps, points or rewards.
type Quota struct {
	Campaign loyalty.ID `db:"campaign_id"`
	Name     string     `db:"name"` // stamp, point, reward
	Cap      int64      `db:"cap"`
	Used     int64      `db:"used"`
}

const budgetQuotas = `SELECT campaign_id, name, cap, used FROM quotas`

// Whoever changes balances shares a lock that keeps budgets from being declared
// or dropped meanwhile: what is given at that moment would be missing in them. It
// is an expression, so that it costs no statement of its own.
const (
	shareBudgets = `(SELECT 1 FROM pg_advisory_xact_lock_shared(hashtext('budgets')))`
	lockBudgets  = `SELECT pg_advisory_xact_lock(hashtext('budgets'))`
)

// saveBudget makes the quotas be those of the terms. What was given before there
// was a bound counts; where it is more than the bound, it is the bound, and the
// error says so: VALIDATION_FAILED, with everything saved.
func (tx *Tx) saveBudget(ctx context.Context, v *Campaign) error {
	var budget loyalty.Budget
	if v.Budget != nil {
		budget = *v.Budget
	}
	var c check
	tx.later(lockBudgets)
	for _, q := range []struct {
		name, field string
		bound       int64
		used        string
	}{
		{loyalty.QuotaStamps, "budget.stamps", budget.Stamps, givenInAll},
		{loyalty.QuotaPoints, "budget.points", budget.Points, givenInAll},
		{loyalty.QuotaRewards, "budget.rewards", budget.Rewards, takenInAll},
	} {
		if q.bound == 0 {
			if _, err := tx.tx.Exec(ctx, `DELETE FROM quotas WHERE campaign_id = $1 AND name = $2`, v.ID, q.name); err != nil {
				return err
			}
			continue
		}
		var fits bool
		err := tx.tx.QueryRow(ctx, `
			WITH had AS (SELECT used FROM quotas WHERE campaign_id = $1 AND name = $2 FOR UPDATE),
			now AS (SELECT coalesce((SELECT used FROM had), (`+q.used+`)) AS used),
			saved AS (
				INSERT INTO quotas (campaign_id, name, cap, used) SELECT $1, $2, greatest($3, used), used FROM now
				ON CONFLICT (campaign_id, name) DO UPDATE SET cap = excluded.cap,
				  announced = CASE WHEN quotas.used * 100 < $3 * 80 THEN 0 WHEN quotas.used < $3 THEN least(quotas.announced, 80) ELSE quotas.announced END)
			SELECT used <= $3 FROM now`, v.ID, q.name, q.bound).Scan(&fits)
		if err != nil {
			return err
		}
		c.want(fits, q.field, lessThanGiven)
	}
	return c.err()
}

// lessThanGiven is what is wrong with a bound.
const lessThanGiven = "ya se dio más que eso"

// budget refuses bounds below what is known to be used.
func (c *check) budget(v *Campaign) {
	if v.Budget == nil {
		return
	}
	for _, q := range v.Quotas {
		bound, field := v.Budget.Stamps, "budget.stamps"
		switch q.Name {
		case loyalty.QuotaPoints:
			bound, field = v.Budget.Points, "budget.points"
		case loyalty.QuotaRewards:
			bound, field = v.Budget.Rewards, "budget.rewards"
		}
		c.want(bound == 0 || bound >= q.Used, field, lessThanGiven)
	}
}

const (
	givenInAll = `SELECT coalesce(sum(l.amount), 0)::bigint FROM enrollments e JOIN ledger l ON l.enrollment_id = e.id
		WHERE e.campaign_id = $1 AND l.unit = $2 AND l.purchase_id IS NOT NULL`
	takenInAll = `SELECT count(*) FROM redemptions d WHERE d.campaign_id = $1 AND d.status IN ('requested', 'delivered')`
)
