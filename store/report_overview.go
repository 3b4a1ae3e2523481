package store

import (
	"context"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Glance is a campaign in one line: its whole life until now, and how its
// latest days compare with those before.
type Glance struct {
	ROIReport         // of its life, without its parts
	Members   int64   // all who take part
	Waiting   int64   // rewards to be fetched
	Recent    int64   // purchases of the latest glanceDays days
	Previous  int64   // of as many before
	ByDay     []int64 // purchases of the latest days, one by one
}

// glanceDays is how long the latest days are.
const glanceDays = 28

// Glances report on campaigns that the caller owns; a page of them, as Campaigns
// lists them.
func (tx *Tx) Glances(ctx context.Context, scope loyalty.Scope, f CampaignFilter, page Page) ([]Glance, loyalty.ID, error) {
	campaigns, next, err := tx.Campaigns(ctx, scope, f, page)
	if err != nil {
		return nil, "", err
	}
	today := dayOf(tx.now.In(loyalty.Zone(loyalty.DefaultTimeZone)))
	var ids []loyalty.ID
	all := make([]Glance, 0, len(campaigns))
	for _, c := range campaigns {
		if !owns(scope, &c.Campaign) {
			continue
		}
		ids = append(ids, c.ID)
		first := dayOf(c.StartsAt.In(loyalty.Zone(loyalty.DefaultTimeZone)))
		all = append(all, Glance{ROIReport: ROIReport{Campaign: c, From: first, To: today}})
	}
	type line struct {
		Campaign    loyalty.ID    `db:"id"`
		Revenue     loyalty.Cents `db:"revenue"`
		Estimated   loyalty.Cents `db:"estimated"`
		Units       int64         `db:"units"`
		Purchases   int64         `db:"purchases"`
		Given       int64         `db:"given"`
		Redemptions int64         `db:"redemptions"`
		Cost        loyalty.Cents `db:"cost"`
		Waiting     int64         `db:"waiting"`
		Members     int64         `db:"members"`
		Previous    int64         `db:"previous"`
		ByDay       []int64       `db:"by_day"`
	}
	lines, err := collect[line](ctx, tx, glances, ids, today, glanceDays)
	if err != nil {
		return nil, "", err
	}
	for i, l := range lines { // in the order of ids
		g := &all[i]
		g.Revenue, g.Estimated, g.Units, g.Purchases, g.Given = l.Revenue, l.Estimated, l.Units, l.Purchases, l.Given
		g.Redemptions, g.RewardsCost, g.Waiting, g.Members, g.Consumers = l.Redemptions, l.Cost, l.Waiting, l.Members, l.Members
		g.Previous, g.ByDay = l.Previous, l.ByDay
		for _, n := range l.ByDay {
			g.Recent += n
		}
		g.FeeDays = feeDays(g.Campaign, g.From, g.To, tx.now)
		g.settle()
	}
	return all, next, nil
}

// glances reads, for the campaigns $1, what their days add up to, and the
// purchases of the $3 days until $2.
const glances = `
	SELECT c.id, coalesce(s.revenue, 0) AS revenue, coalesce(s.estimated, 0) AS estimated, coalesce(s.units, 0) AS units,
	  coalesce(s.purchases, 0) AS purchases, coalesce(s.given, 0) AS given, coalesce(s.previous, 0) AS previous,
	  coalesce(r.delivered, 0) AS redemptions, coalesce(r.cost, 0) AS cost, coalesce(r.waiting, 0) AS waiting, coalesce(e.members, 0) AS members,
	  ARRAY(SELECT coalesce(d.purchases, 0) FROM generate_series(($2::date - $3::int + 1)::timestamp, $2::date::timestamp, '1 day') AS w(day)
	    LEFT JOIN campaign_daily d ON d.campaign_id = c.id AND d.day = w.day::date ORDER BY w.day) AS by_day
	FROM unnest($1::uuid[]) WITH ORDINALITY AS c (id, n)
	LEFT JOIN LATERAL (
	  SELECT sum(revenue_cents)::bigint AS revenue, sum(estimated_cents)::bigint AS estimated, sum(units)::bigint AS units,
	    sum(purchases)::bigint AS purchases, sum(given)::bigint AS given,
	    coalesce(sum(purchases) FILTER (WHERE day > $2::date - 2 * $3::int AND day <= $2::date - $3::int), 0)::bigint AS previous
	  FROM campaign_daily WHERE campaign_id = c.id) s ON true
	LEFT JOIN LATERAL (
	  SELECT count(*) FILTER (WHERE status = 'delivered') AS delivered, coalesce(sum(cost_cents) FILTER (WHERE status = 'delivered'), 0)::bigint AS cost,
	    count(*) FILTER (WHERE status = 'requested') AS waiting
	  FROM redemptions WHERE campaign_id = c.id) r ON true
	LEFT JOIN LATERAL (
	  SELECT count(*) AS members FROM (SELECT DISTINCT person_id FROM enrollments WHERE campaign_id = c.id AND merged_into IS NULL) p) e ON true
	ORDER BY c.n`
