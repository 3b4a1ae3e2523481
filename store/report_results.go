package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Results is a campaign's life from one day to another: its ROI, who came, what
// became of its rewards, and the same of as many days before, to compare.
type Results struct {
	ROIReport
	Joined    int64 // consumers who joined in these days
	Members   int64 // all who take part by now
	Completed int64 // purchases that brought a card to its goal
	Requested int64 // rewards asked for
	Expired   int64 // rewards that nobody fetched
	Cancelled int64 // rewards given back

	ByDay    []ResultDay
	ByReward []ResultReward
	ByTier   []ResultTier // now; empty where the campaign has no tiers
	// Before is the period before this one, without its parts; nil where the campaign
	// had not begun when that began.
	Before *Results
}

// ResultDay is one day, also of those on which nothing happened. What is bought
// and delivered is of the shop's day; who joins and what is asked for happens in
// no shop, and is of the programme's.
type ResultDay struct {
	Day         time.Time     `db:"day"`
	Revenue     loyalty.Cents `db:"revenue"`
	Units       int64         `db:"units"`
	Consumers   int64         `db:"consumers"` // who bought: days do not add up
	Purchases   int64         `db:"purchases"`
	Given       int64         `db:"given"`
	Completed   int64         `db:"completed"`
	Joined      int64         `db:"joined"`
	Requested   int64         `db:"requested"`
	Redemptions int64         `db:"redemptions"` // delivered
	Expired     int64         `db:"expired"`
	RewardsCost loyalty.Cents `db:"rewards_cost"`
}

// ResultReward is what became of one reward.
type ResultReward struct {
	ID        loyalty.ID    `db:"id"`
	Name      string        `db:"name"`
	Unit      loyalty.Unit  `db:"unit"`
	Threshold int64         `db:"threshold"`
	Stock     *int64        `db:"stock"` // units ever made available; nil is unlimited
	Taken     int64         `db:"taken"`
	Requested int64         `db:"requested"`
	Delivered int64         `db:"delivered"`
	Expired   int64         `db:"expired"`
	Cancelled int64         `db:"cancelled"`
	Waiting   int64         `db:"waiting"` // now, to be fetched
	Cost      loyalty.Cents `db:"cost"`    // of what was delivered
}

// ResultTier is how many are in a tier now.
type ResultTier struct {
	Name      string `db:"name"` // "" is below the first
	Consumers int64  `db:"consumers"`
}

// Results reports on a campaign as ROI does, to the same people.
func (tx *Tx) Results(ctx context.Context, scope loyalty.Scope, campaign loyalty.ID, from, to time.Time) (Results, error) {
	var r Results
	var err error
	if r.ROIReport, err = tx.ROI(ctx, scope, campaign, from, to); err != nil {
		return Results{}, err
	}
	c := r.Campaign
	if err = tx.people(ctx, &r); err != nil {
		return Results{}, err
	}
	if r.ByDay, err = collect[ResultDay](ctx, tx, resultsByDay, c.ID, r.From, r.To, loyalty.DefaultTimeZone); err != nil {
		return Results{}, err
	}
	if r.ByReward, err = collect[ResultReward](ctx, tx, resultsByReward, c.ID, r.From, r.To, loyalty.DefaultTimeZone); err != nil {
		return Results{}, err
	}
	if c.Tiers != nil {
		if r.ByTier, err = tx.resultTiers(ctx, c); err != nil {
			return Results{}, err
		}
	}
	before := Results{ROIReport: ROIReport{Campaign: c, From: r.From.AddDate(0, 0, -r.Days()), To: r.From.AddDate(0, 0, -1)}}
	if first := dayOf(c.StartsAt.In(loyalty.Zone(loyalty.DefaultTimeZone))); before.From.Before(first) {
		return r, nil
	}
	if err = tx.sum(ctx, &before.ROIReport); err != nil {
		return Results{}, err
	}
	r.Before = &before
	return r, tx.people(ctx, &before)
}

// Days is how long a report is.
func (r *ROIReport) Days() int { return int(r.To.Sub(r.From).Hours()/24) + 1 }

// people fills in what a report's days add up to beside ROIReport's sums.
func (tx *Tx) people(ctx context.Context, r *Results) error {
	return tx.tx.QueryRow(ctx, resultSums, r.Campaign.ID, r.From, r.To, loyalty.DefaultTimeZone).
		Scan(&r.Completed, &r.Joined, &r.Members, &r.Requested, &r.Expired, &r.Cancelled)
}

// resultTiers counts who is in which tier, from the lowest to the highest.
func (tx *Tx) resultTiers(ctx context.Context, c Campaign) ([]ResultTier, error) {
	found, err := collect[ResultTier](ctx, tx, `
		SELECT coalesce(standing->'tier'->>'level', '') AS name, count(DISTINCT person_id) AS consumers
		FROM enrollments WHERE campaign_id = $1 AND merged_into IS NULL GROUP BY 1`, c.ID)
	if err != nil {
		return nil, err
	}
	counted := map[string]int64{}
	for _, t := range found {
		counted[t.Name] = t.Consumers
	}
	all := []ResultTier{{Consumers: counted[""]}}
	for _, level := range c.Tiers.Levels {
		all = append(all, ResultTier{Name: level.Name, Consumers: counted[level.Name]})
	}
	return all, nil
}

// joined are those who joined the campaign $1 from $2 to $3, days of the zone $4.
// Where balances count
// for each shop, somebody joins once for all of them.
const joined = `
	SELECT (e.created_at AT TIME ZONE $4)::date AS day FROM enrollments e
	WHERE e.campaign_id = $1 AND e.merged_into IS NULL
	  AND e.created_at >= ($2::date::timestamp AT TIME ZONE $4) AND e.created_at < (($3::date + 1)::timestamp AT TIME ZONE $4)
	  AND NOT EXISTS (SELECT FROM enrollments o WHERE o.campaign_id = e.campaign_id AND o.person_id = e.person_id AND o.merged_into IS NULL AND o.id < e.id)`

// redeemed is what became of the campaign's rewards from $2 to $3. What was
// delivered comes of the shop's days.
const redeemed = `
	SELECT r.reward_id, 'requested' AS what, (r.requested_at AT TIME ZONE $4)::date AS day, 0::bigint AS cost_cents
	FROM redemptions r WHERE r.campaign_id = $1
	  AND r.requested_at >= ($2::date::timestamp AT TIME ZONE $4) AND r.requested_at < (($3::date + 1)::timestamp AT TIME ZONE $4)
	UNION ALL
	SELECT r.reward_id, r.status, (r.settled_at AT TIME ZONE coalesce(s.time_zone, $4))::date, r.cost_cents
	FROM redemptions r LEFT JOIN shops s ON s.id = r.shop_id WHERE r.campaign_id = $1
	  AND r.settled_at >= $2::date - 1 AND r.settled_at < $3::date + 2
	  AND (r.settled_at AT TIME ZONE coalesce(s.time_zone, $4))::date BETWEEN $2 AND $3`

const resultSums = `
	SELECT (SELECT coalesce(sum(completed), 0)::bigint FROM campaign_daily WHERE campaign_id = $1 AND day BETWEEN $2 AND $3),
	  (SELECT count(*) FROM (` + joined + `) j),
	  (SELECT count(*) FROM (SELECT DISTINCT person_id FROM enrollments WHERE campaign_id = $1 AND merged_into IS NULL) m),
	  count(*) FILTER (WHERE what = 'requested'), count(*) FILTER (WHERE what = 'expired'), count(*) FILTER (WHERE what = 'cancelled')
	FROM (` + redeemed + `) r`

const resultsByDay = `
	SELECT w.day::date AS day, coalesce(c.revenue_cents, 0) AS revenue, coalesce(c.units, 0) AS units, coalesce(c.consumers, 0) AS consumers,
	  coalesce(c.purchases, 0) AS purchases, coalesce(c.given, 0) AS given, coalesce(c.completed, 0) AS completed, coalesce(j.joined, 0) AS joined,
	  coalesce(d.requested, 0) AS requested, coalesce(d.delivered, 0) AS redemptions, coalesce(d.expired, 0) AS expired, coalesce(d.cost, 0) AS rewards_cost
	FROM generate_series($2::date::timestamp, $3::date::timestamp, '1 day') AS w(day)
	LEFT JOIN campaign_daily c ON c.campaign_id = $1 AND c.day = w.day::date AND c.day BETWEEN $2 AND $3
	LEFT JOIN (SELECT day, count(*) AS joined FROM (` + joined + `) x GROUP BY 1) j ON j.day = w.day::date
	LEFT JOIN (SELECT day, count(*) FILTER (WHERE what = 'requested') AS requested, count(*) FILTER (WHERE what = 'delivered') AS delivered,
	    count(*) FILTER (WHERE what = 'expired') AS expired, coalesce(sum(cost_cents) FILTER (WHERE what = 'delivered'), 0)::bigint AS cost
	  FROM (` + redeemed + `) x GROUP BY 1) d ON d.day = w.day::date
	ORDER BY w.day`

const resultsByReward = `
	SELECT w.id, w.name, w.unit, w.threshold, w.stock, w.taken, coalesce(d.requested, 0) AS requested, coalesce(d.delivered, 0) AS delivered,
	  coalesce(d.expired, 0) AS expired, coalesce(d.cancelled, 0) AS cancelled, coalesce(d.cost, 0) AS cost,
	  (SELECT count(*) FROM redemptions o WHERE o.campaign_id = $1 AND o.settled_at IS NULL AND o.reward_id = w.id) AS waiting
	FROM rewards w
	LEFT JOIN (SELECT reward_id, count(*) FILTER (WHERE what = 'requested') AS requested, count(*) FILTER (WHERE what = 'delivered') AS delivered,
	    count(*) FILTER (WHERE what = 'expired') AS expired, count(*) FILTER (WHERE what = 'cancelled') AS cancelled,
	    coalesce(sum(cost_cents) FILTER (WHERE what = 'delivered'), 0)::bigint AS cost
	  FROM (` + redeemed + `) x GROUP BY 1) d ON d.reward_id = w.id
	WHERE w.campaign_id = $1 AND (w.active OR d.reward_id IS NOT NULL)
	ORDER BY w.threshold, w.id`
