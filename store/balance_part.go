package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// walletPart is an enrollment, or a campaign that one could begin, with what is
// shown of it.
type walletPart struct {
	holding
	owner, shopName        string
	lastShop               loyalty.ID
	shops                  []loyalty.ID
	rewardsLeft, moneyLeft *int64
}

// in is the part's balance in a unit.
func (p *walletPart) in(u loyalty.Unit, tier loyalty.TierStanding, pending map[pendingKey]int64, expiring map[expiringKey]Expiring) Balance {
	b := Balance{
		Campaign: p.campaign, OwnerName: p.owner, EnrollmentID: p.ID, Enrolled: p.ID != "", Shop: p.shopName, ShopID: p.Shop,
		Unit: u, Goal: p.campaign.GoalOf(u), Balance: p.balance(u), Pending: pending[pendingKey{p.campaign.ID, p.Shop, u}],
		Shops: p.shops, LastShop: p.lastShop, LastEarned: p.LastEarned, Tier: tierView(p.campaign.Tiers, tier),
	}
	hideBusiness(&b.Terms)
	if e, ok := expiring[expiringKey{p.ID, u}]; ok && e.Amount > 0 {
		b.Expiring = &e
	}
	return b
}

// mayBegin says whether the campaign is for this consumer.
func (p *walletPart) mayBegin(segments []loyalty.ID, all []*walletPart, now time.Time) bool {
	return p.campaign.Audience.Admits(&loyalty.Sale{Segments: segments, Holds: func(campaign loyalty.ID, tier string) bool {
		return slices.ContainsFunc(all, func(o *walletPart) bool {
			t := o.campaign.Tiers
			return o.ID != "" && o.campaign.ID == campaign && t.Rank(o.tier(now).Level) >= max(t.Rank(tier), 1)
		})
	}})
}

// parts reads them, the one used last in front. A campaign can be begun at those
// of the consumer's shops for which there is no enrollment yet.
func (tx *Tx) parts(ctx context.Context, person loyalty.ID) ([]*walletPart, error) {
	rows, err := tx.tx.Query(ctx, `
		WITH own AS MATERIALIZED (
		  SELECT ca.id AS card, ca.shop_id FROM cards ca JOIN shops s ON s.id = ca.shop_id WHERE ca.person_id = $1 AND s.active
		), mine AS MATERIALIZED (
		  SELECT id, campaign_id, shop_id, stamps, points, standing, last_shop_id, last_earned_at, next_expiry_at FROM enrollments WHERE person_id = $1
		), part AS (
		  SELECT m.*, ARRAY(SELECT o.shop_id::text FROM own o WHERE (m.shop_id IS NULL OR m.shop_id = o.shop_id) AND `+takesPart(`o.shop_id`)+` ORDER BY o.card) AS shops
		  FROM mine m JOIN campaigns c ON c.id = m.campaign_id WHERE c.status IN ('active', 'paused', 'ended')
		  UNION ALL
		  SELECT NULL, c.id, NULL, 0, 0, NULL, NULL, NULL, NULL, b.shops
		  FROM campaigns c CROSS JOIN LATERAL (SELECT ARRAY(SELECT o.shop_id::text FROM own o WHERE `+takesPart(`o.shop_id`)+`
		    AND NOT EXISTS (SELECT FROM mine m WHERE m.campaign_id = c.id AND (m.shop_id IS NULL OR m.shop_id = o.shop_id)) ORDER BY o.card) AS shops) b
		  WHERE c.status = 'active' AND c.starts_at <= $2 AND (c.ends_at IS NULL OR c.ends_at > $2) AND cardinality(b.shops) > 0
		)
		SELECT coalesce(p.id::text, ''), p.campaign_id, coalesce(p.shop_id::text, ''), p.stamps, p.points, coalesce(p.standing, '{}'),
		  coalesce(p.last_earned_at, '0001-01-01 00:00:00+00'), p.next_expiry_at, coalesce(z.time_zone, ''), `+campaignCore+`,
		  coalesce(g.name, os.name, ''), coalesce(es.name, ''), coalesce(p.last_shop_id::text, ''), p.shops,
		  (SELECT q.cap - q.used FROM quotas q WHERE q.campaign_id = c.id AND q.name = 'reward'), g.budget_cents - g.reserved_cents
		FROM part p JOIN campaigns c ON c.id = p.campaign_id
		LEFT JOIN cpgs g ON g.id = c.cpg_id LEFT JOIN shops os ON os.id = c.shop_id
		LEFT JOIN shops es ON es.id = p.shop_id LEFT JOIN shops z ON z.id = p.last_shop_id
		ORDER BY p.last_earned_at DESC NULLS LAST, c.id, p.id`, person, tx.now)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*walletPart, error) {
		p := &walletPart{holding: holding{person: person}}
		var zone string
		to := append([]any{&p.ID, &p.Campaign, &p.Shop, &p.Stamps, &p.Points, &p.Standing, &p.LastEarned, &p.NextExpiry, &zone}, coreOf(&p.campaign)...)
		err := row.Scan(append(to, &p.owner, &p.shopName, &p.lastShop, &p.shops, &p.rewardsLeft, &p.moneyLeft)...)
		p.zone = loyalty.Zone(zone)
		return p, err
	})
}

// segmentsOf a consumer.
func (tx *Tx) segmentsOf(ctx context.Context, person loyalty.ID) (segments []loyalty.ID, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT ARRAY(SELECT segment_id::text FROM segment_members WHERE person_id = $1)`, person).Scan(&segments)
	return segments, err
}

// takenOf counts what the consumer took of those rewards of which one may take
// only so many.
func (tx *Tx) takenOf(ctx context.Context, person loyalty.ID, rewards []Reward) (map[loyalty.ID]int64, error) {
	var limited []loyalty.ID
	for _, r := range rewards {
		if r.PerConsumer != nil {
			limited = append(limited, r.ID)
		}
	}
	taken := map[loyalty.ID]int64{}
	if len(limited) == 0 {
		return taken, nil
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT reward_id, count(*) FROM redemptions
		WHERE person_id = $1 AND reward_id = ANY($2) AND status IN ('requested', 'delivered') GROUP BY 1`, person, limited)
	if err != nil {
		return nil, err
	}
	var id loyalty.ID
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		taken[id] = n
		return nil
	})
	return taken, err
}

// expiringKey is a balance of which something may end.
type expiringKey struct {
	enrollment loyalty.ID
	unit       loyalty.Unit
}

// expiringOf gives what ends next, of the balances that come close to it.
func (tx *Tx) expiringOf(ctx context.Context, parts []*walletPart) (map[expiringKey]Expiring, error) {
	all := map[expiringKey]Expiring{}
	for _, p := range parts {
		x := p.campaign.Expiry
		if p.ID == "" || x == nil || p.NextExpiry == nil || p.NextExpiry.After(tx.now.Add(warnBefore(x))) {
			continue
		}
		accounts, err := tx.accounts(ctx, &p.holding)
		if err != nil {
			return nil, err
		}
		for u, a := range accounts {
			if at := a.NextExpiry(tx.now); !at.IsZero() && !at.After(tx.now.Add(warnBefore(x))) {
				all[expiringKey{p.ID, u}] = Expiring{Amount: a.Due(at), At: at}
			}
		}
	}
	return all, nil
}

// pendingKey is a balance for which something waits.
type pendingKey struct {
	campaign loyalty.ID
	shop     loyalty.ID // where the campaign counts per shop
	unit     loyalty.Unit
}

// pendingOf adds up what the consumer's yes would bring.
func (tx *Tx) pendingOf(ctx context.Context, person loyalty.ID) (map[pendingKey]int64, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT x.campaign_id, CASE WHEN (c.terms->>'per_shop')::boolean THEN p.shop_id::text ELSE '' END, x.unit, sum(x.amount)::bigint
		FROM purchases p CROSS JOIN LATERAL jsonb_to_recordset(coalesce(p.settled, p.receipt)->'pending') AS x (campaign_id uuid, unit text, amount bigint)
		JOIN campaigns c ON c.id = x.campaign_id
		WHERE p.person_id = $1 AND p.status = 'pending' GROUP BY 1, 2, 3`, person)
	if err != nil {
		return nil, err
	}
	all := map[pendingKey]int64{}
	var key pendingKey
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&key.campaign, &key.shop, &key.unit, &n}, func() error {
		all[key] += n
		return nil
	})
	return all, err
}
