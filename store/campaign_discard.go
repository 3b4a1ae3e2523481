package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// onlyWritten is the condition that campaign c is a draft that nobody but its
// authors ever saw: it was never in review, and nobody joined or got anything.
const onlyWritten = `(c.status = 'draft'
	AND NOT EXISTS (SELECT FROM campaign_versions v WHERE v.campaign_id = c.id AND v.status <> 'draft')
	AND NOT EXISTS (SELECT FROM enrollments e WHERE e.campaign_id = c.id)
	AND NOT EXISTS (SELECT FROM ledger l WHERE l.campaign_id = c.id)
	AND NOT EXISTS (SELECT FROM redemptions d WHERE d.campaign_id = c.id))`

// Discardable says whether a draft may be thrown away.
func (tx *Tx) Discardable(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (bool, error) {
	v, err := tx.Campaign(ctx, scope, id)
	if err != nil || !owns(scope, &v.Campaign) {
		return false, err
	}
	var may bool
	err = tx.tx.QueryRow(ctx, `SELECT `+onlyWritten+` FROM campaigns c WHERE c.id = $1`, id).Scan(&may)
	return may, err
}

// discarded are the tables that hold what a draft is made of, its row the last.
// What happened in a campaign stands in others, whose keys keep it.
var discarded = []string{
	`DELETE FROM campaign_versions WHERE campaign_id = $1`,
	`DELETE FROM campaign_participants WHERE campaign_id = $1`,
	`DELETE FROM campaign_products WHERE campaign_id = $1`,
	`DELETE FROM campaign_shops WHERE campaign_id = $1`,
	`DELETE FROM quotas WHERE campaign_id = $1`,
	`DELETE FROM rewards WHERE campaign_id = $1`,
	`DELETE FROM campaigns WHERE id = $1`,
}

// DiscardCampaign throws a draft away, for good: only the audit remembers it, and
// gives what it was. Errors: CAMPAIGN_NOT_FOUND, FORBIDDEN, CONFLICT where it is
// more than a draft, or once was.
func (tx *Tx) DiscardCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Campaign, error) {
	v, err := tx.campaignToChange(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	may, err := tx.Discardable(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	if !may {
		return Campaign{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict,
			"Solo se descarta un borrador que nunca se envió a revisión.")
	}
	for _, sql := range discarded {
		if _, err := tx.tx.Exec(ctx, sql, id); err != nil {
			return Campaign{}, err
		}
	}
	tx.audit(scope, Deleted, "campaign", id, v.Name)
	return v, nil
}

// StartCampaign makes a draft, or gives the one of the same owner and name that
// the caller made already and nobody wrote on since: who begins twice has begun
// once.
func (tx *Tx) StartCampaign(ctx context.Context, scope loyalty.Scope, in CampaignInput) (Campaign, error) {
	if err := ownersOnly(scope); err != nil {
		return Campaign{}, err
	}
	tx.lockPlaces()
	var id loyalty.ID
	err := tx.tx.QueryRow(ctx, `
		SELECT c.id FROM campaigns c JOIN campaign_versions v ON v.campaign_id = c.id
		WHERE (c.cpg_id = $1 OR c.shop_id = $2) AND c.name = $3 AND c.status = 'draft' AND v.author = $4
		  AND NOT EXISTS (SELECT FROM campaign_versions n WHERE n.campaign_id = c.id AND n.version > 1)
		ORDER BY c.id DESC LIMIT 1`, optional(in.CPG), optional(in.Owner), in.Terms.Name, scope.Actor()).Scan(&id)
	switch {
	case none(err):
		return tx.CreateCampaign(ctx, scope, in)
	case err != nil:
		return Campaign{}, err
	}
	v, err := tx.Campaign(ctx, scope, id)
	if err == nil && !owns(scope, &v.Campaign) {
		return Campaign{}, loyalty.Forbidden()
	}
	return v, err
}
