package store

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CampaignOrder is how an owner's campaigns are listed.
type CampaignOrder string

// The orders.
const (
	CampaignsByNeed CampaignOrder = "" // what waits for the reader first, then what runs
	CampaignsByName CampaignOrder = "name"
	CampaignsByEnd  CampaignOrder = "ends"   // what ends first
	CampaignsNewest CampaignOrder = "newest" // what changed last
)

// CampaignListing narrows the campaigns of an owner; what is zero asks for
// nothing.
type CampaignListing struct {
	Words  string // of the name
	Status loyalty.Status
	Order  CampaignOrder
}

// campaignsOwned are those for whose owner the caller may act.
const campaignsOwned = ` AND ($1 OR c.cpg_id = $2 OR c.shop_id = ANY($5))`

// orderSQL gives the order of a list to who reads it.
func (o CampaignOrder) orderSQL(scope loyalty.Scope) string {
	const last = `, c.updated_at DESC, c.id DESC`
	switch o {
	case CampaignsByName:
		return unaccented("c.name") + `, c.id`
	case CampaignsByEnd:
		return `c.status = 'ended', c.ends_at NULLS LAST` + last
	case CampaignsNewest:
		return `c.updated_at DESC, c.id DESC`
	case CampaignsByNeed:
	}
	first := `'rejected', 'approved', 'draft', 'active', 'paused', 'in_review', 'ended'`
	if scope.All() {
		first = `'in_review', 'approved', 'active', 'paused', 'rejected', 'draft', 'ended'`
	}
	return `array_position(ARRAY[` + first + `], c.status)` + last
}

// OwnCampaigns lists the campaigns for whose owner the caller may act, from the one
// at offset on, and counts all that the words find by where they stand.
func (tx *Tx) OwnCampaigns(ctx context.Context, scope loyalty.Scope, f CampaignListing, offset, limit int) ([]Campaign, map[loyalty.Status]int64, error) {
	if err := ownersOnly(scope); err != nil {
		return nil, nil, err
	}
	args := append(tx.campaignView(scope), searchWords(f.Words))
	wanted := campaignsInView + campaignsOwned + ` AND ` + wordsIn("c.name", "$6")
	rows, err := tx.tx.Query(ctx, `SELECT status, count(*) FROM (`+wanted+`) c GROUP BY status`, args...)
	if err != nil {
		return nil, nil, err
	}
	counts := map[loyalty.Status]int64{}
	var status loyalty.Status
	var n int64
	if _, err = pgx.ForEachRow(rows, []any{&status, &n}, func() error {
		counts[status] = n
		return nil
	}); err != nil {
		return nil, nil, err
	}
	rows, err = tx.tx.Query(ctx, wanted+` AND ($7 = '' OR c.status = $7) ORDER BY `+f.Order.orderSQL(scope)+
		` LIMIT `+strconv.Itoa(limit)+` OFFSET `+strconv.Itoa(offset), append(args, clean(string(f.Status)))...)
	if err != nil {
		return nil, nil, err
	}
	all, err := pgx.CollectRows(rows, scanCampaign)
	if err != nil {
		return nil, nil, err
	}
	return all, counts, tx.complete(ctx, scope, all)
}
