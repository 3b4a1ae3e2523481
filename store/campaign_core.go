package store

import "github.com/qoa-conectados/qoa/store/loyalty"

// campaignCore are the columns of campaign c that make a loyalty.Campaign of the
// version in force; coreOf are their targets.
const campaignCore = `c.id, coalesce(c.cpg_id::text, ''), coalesce(c.shop_id::text, ''), c.status, c.version, c.terms`

func coreOf(c *loyalty.Campaign) []any {
	return []any{&c.ID, &c.CPG, &c.Owner, &c.Status, &c.Version, &c.Terms}
}

// takesPart is the condition that a shop, named by its SQL expression, takes part
// in campaign c.
func takesPart(shop string) string {
	return `((c.all_shops OR EXISTS (SELECT FROM campaign_shops tp WHERE tp.campaign_id = c.id AND tp.shop_id = ` + shop + `))
	  AND NOT EXISTS (SELECT FROM cpg_shops cs WHERE cs.cpg_id = c.cpg_id AND cs.shop_id = ` + shop + ` AND NOT cs.active))`
}
