package store

import (
	"context"
	"strconv"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// nudge is an incomplete card that has been quiet for as long as its campaign
// says.
type nudge struct {
	Enrollment loyalty.ID   `db:"id"`
	Person     loyalty.ID   `db:"person_id"`
	Name       string       `db:"person"`
	Campaign   string       `db:"campaign"`
	Unit       loyalty.Unit `db:"unit"`
	Balance    int64        `db:"balance"`
	Threshold  int64        `db:"threshold"`
	Reward     string       `db:"reward"`
	Product    string       `db:"product"`
	Shop       string       `db:"shop"`
	Zone       string       `db:"time_zone"`
}

// QueueNudges reminds consumers to complete their cards: after the campaign's
// quiet days without a purchase, not again before its gap days, one card a
// person a day (the one nearest to its reward), by day in the zone of the shop
// where the card was last used. It says how many messages it queued.
//
// A reminder locks its card until the commit, and a purchase on the card waits
// for that: so a run takes a few at a time, in transactions of their own. It
// looks at no more than limit cards, of people after the given one, and last is
// where the next call goes on; "" where nobody is left.
func (tx *Tx) QueueNudges(ctx context.Context, after loyalty.ID, limit int) (queued int, last loyalty.ID, err error) {
	if after == "" {
		if err := tx.catchUpDays(ctx); err != nil {
			return 0, "", err
		}
	}
	due, err := collect[nudge](ctx, tx, `
		SELECT DISTINCT ON (n.person_id) n.* FROM (
			SELECT e.id, e.person_id, coalesce(p.name, '') AS person, c.name AS campaign, u.unit, u.balance,
			  coalesce(r.threshold, u.goal) AS threshold, coalesce(r.name, '') AS reward,
			  coalesce((SELECT pr.name FROM campaign_products cp JOIN products pr ON pr.id = cp.product_id
			            WHERE cp.campaign_id = c.id AND pr.active ORDER BY pr.id LIMIT 1), '') AS product,
			  s.name AS shop, s.time_zone
			FROM campaigns c
			JOIN enrollments e ON e.campaign_id = c.id
			  -- The day finds them by index.
			  AND e.last_earned_on <= ($1::timestamptz AT TIME ZONE 'UTC')::date - c.nudge_quiet_days
			  AND e.last_earned_at <= $1::timestamptz - make_interval(days => c.nudge_quiet_days)
			  AND (e.nudged_at IS NULL OR e.nudged_at <= $1::timestamptz - make_interval(days => c.nudge_gap_days))
			JOIN persons p ON p.id = e.person_id AND p.first_wrote_at IS NOT NULL AND p.opted_out_at IS NULL AND p.erased_at IS NULL
			JOIN shops s ON s.id = e.last_shop_id AND s.active
			CROSS JOIN LATERAL (VALUES ('stamp', e.stamps, c.goal),
			  ('point', e.points, CASE c.scheme WHEN 'both' THEN (c.terms->>'points_goal')::bigint ELSE c.goal END)) AS u (unit, balance, goal)
			LEFT JOIN LATERAL (
				SELECT r.threshold, r.name FROM rewards r
				WHERE r.campaign_id = c.id AND r.active AND r.unit = u.unit AND r.threshold > u.balance
				  AND (r.stock IS NULL OR r.taken < r.stock) AND (r.ends_at IS NULL OR r.ends_at > $1)
				  AND (r.segment_id IS NULL OR EXISTS (SELECT FROM segment_members m WHERE m.segment_id = r.segment_id AND m.person_id = e.person_id))
				ORDER BY r.threshold LIMIT 1) r ON true
			WHERE ($3::uuid IS NULL OR e.person_id > $3) AND c.status = 'active' AND c.starts_at <= $1 AND (c.ends_at IS NULL OR c.ends_at > $1)
		) n
		WHERE n.balance > 0 AND n.balance < n.threshold
		  -- One reminder a person a day, whichever the card.
		  AND NOT EXISTS (SELECT FROM enrollments o WHERE o.person_id = n.person_id AND o.nudged_at > $1::timestamptz - interval '20 hours')
		ORDER BY n.person_id, n.balance::float8 / n.threshold DESC, n.id
		LIMIT $2`, tx.now, limit, optional(after))
	if err != nil {
		return 0, "", err
	}
	for _, n := range due {
		ok, err := tx.queueNudge(ctx, n)
		if err != nil {
			return queued, "", err
		}
		if ok {
			queued++
		}
	}
	if len(due) == limit {
		last = due[limit-1].Person
	}
	return queued, last, nil
}

// catchUpDays brings the days by which quiet cards are found up to the last
// purchase, where it matters: purchases leave them alone, to touch no index. It
// waits for nobody, for a card in use is not quiet.
func (tx *Tx) catchUpDays(ctx context.Context) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE enrollments SET last_earned_on = (last_earned_at AT TIME ZONE 'UTC')::date
		WHERE id IN (
			SELECT e.id FROM campaigns c JOIN enrollments e ON e.campaign_id = c.id
			  AND e.last_earned_on <= ($1::timestamptz AT TIME ZONE 'UTC')::date - c.nudge_quiet_days
			WHERE c.status = 'active' AND e.last_earned_on < (e.last_earned_at AT TIME ZONE 'UTC')::date
			FOR NO KEY UPDATE OF e SKIP LOCKED)`, tx.now)
	return err
}

func (tx *Tx) queueNudge(ctx context.Context, n nudge) (bool, error) {
	if n.Reward == "" {
		n.Reward = "tu premio"
	}
	day := NextDaytime(tx.now, n.Zone).In(loyalty.Zone(n.Zone)).Format("2006-01-02")
	ok, err := tx.Notify(ctx, Notice{
		Person: n.Person, Lane: LaneService, Template: "nudge.complete_card", Zone: n.Zone,
		Cause: "nudge:" + string(n.Enrollment) + ":" + day,
		Vars: map[string]string{
			"name": n.Name, "campaign": n.Campaign, "shop": n.Shop, "unit": string(n.Unit),
			"balance": strconv.FormatInt(n.Balance, 10), "goal": strconv.FormatInt(n.Threshold, 10),
			"missing": strconv.FormatInt(n.Threshold-n.Balance, 10), "reward": n.Reward, "product": n.Product, varCardURL: "",
		},
	})
	if err != nil || !ok {
		return false, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE enrollments SET nudged_at = $2 WHERE id = $1`, n.Enrollment, tx.now)
	return true, err
}
