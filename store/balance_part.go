package store

import (
	"cmp"
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
	offer                  *offered
	shopName               string
	lastShop               loyalty.ID
	shops                  []loyalty.ID
	rewards                []rewardLeft
	rewardsLeft, moneyLeft *int64
}

// rewardLeft is what changes of a reward with each one that is taken. Only rewards
// that somebody may run out of have it.
type rewardLeft struct {
	ID    loyalty.ID `json:"id"`
	Stock *int64     `json:"stock"`
	Taken int64      `json:"taken"`
	Own   int64      `json:"own"` // how many the consumer took, where one may take only so many
}

// selectParts reads the enrollments of a holder, with what is left of what their
// campaigns give away.
func selectParts(of whose) string {
	return `
		SELECT e.id, e.person_id, e.campaign_id, coalesce(e.shop_id::text, ''), e.stamps, e.points, e.standing->'tier',
		  coalesce(e.last_earned_at, '0001-01-01 00:00:00+00'), e.next_expiry_at, coalesce(e.last_shop_id::text, ''),
		  coalesce((SELECT z.time_zone FROM shops z WHERE z.id = e.last_shop_id), ''),
		  coalesce((SELECT s.name FROM shops s WHERE s.id = e.shop_id), ''),
		  (SELECT jsonb_agg(jsonb_build_object('id', r.id, 'stock', r.stock, 'taken', r.taken, 'own', CASE WHEN r.per_consumer IS NOT NULL THEN
		      (SELECT count(*) FROM redemptions d WHERE d.person_id = e.person_id AND d.reward_id = r.id AND d.status IN ('requested', 'delivered')) END))
		    FROM rewards r WHERE r.campaign_id = e.campaign_id AND r.active AND num_nonnulls(r.stock, r.per_consumer) > 0),
		  (SELECT q.cap - q.used FROM quotas q WHERE q.campaign_id = e.campaign_id AND q.name = 'reward'),
		  (SELECT g.budget_cents - g.reserved_cents FROM campaigns c JOIN cpgs g ON g.id = c.cpg_id WHERE c.id = e.campaign_id)
		FROM enrollments e WHERE e.merged_into IS NULL AND e.person_id = ` + of.person
}

func scanPart(row pgx.CollectableRow) (*walletPart, error) {
	p := new(walletPart)
	var zone string
	var tier *loyalty.TierStanding
	err := row.Scan(&p.ID, &p.person, &p.Campaign, &p.Shop, &p.Stamps, &p.Points, &tier, &p.LastEarned, &p.NextExpiry, &p.lastShop,
		&zone, &p.shopName, &p.rewards, &p.rewardsLeft, &p.moneyLeft)
	set(&p.Standing.Tier, tier)
	p.zone = loyalty.Zone(zone)
	return p, err
}

// compare puts the part that was used last in front, and of one campaign what is
// to be begun behind.
func (p *walletPart) compare(o *walletPart) int {
	if c := cmp.Or(o.LastEarned.Compare(p.LastEarned), cmp.Compare(p.Campaign, o.Campaign)); c != 0 {
		return c
	}
	if p.ID == "" || o.ID == "" {
		return cmp.Compare(o.ID, p.ID)
	}
	return cmp.Compare(p.ID, o.ID)
}

// left gives what is left of a reward; nil where nobody can run out of it.
func (p *walletPart) left(reward loyalty.ID) *rewardLeft {
	if i := slices.IndexFunc(p.rewards, func(r rewardLeft) bool { return r.ID == reward }); i >= 0 {
		return &p.rewards[i]
	}
	return nil
}

// in is the part's balance in a unit.
func (p *walletPart) in(u loyalty.Unit, tier loyalty.TierStanding, expiring map[expiringKey]Expiring) Balance {
	b := Balance{
		Campaign: p.campaign, OwnerName: p.offer.owner, EnrollmentID: p.ID, Enrolled: p.ID != "", Shop: p.shopName, ShopID: p.Shop,
		Unit: u, Goal: p.campaign.GoalOf(u), Balance: p.balance(u), Shops: p.shops, Products: p.offer.products,
		LastShop: p.lastShop, LastEarned: p.LastEarned, Tier: tierView(p.campaign.Tiers, tier),
	}
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

// taken counts what the consumer took of a campaign's rewards of which one may
// take only so many.
func (r *walletReading) taken(p *walletPart) map[loyalty.ID]int64 {
	if len(p.rewards) == 0 {
		return nil
	}
	taken := make(map[loyalty.ID]int64, len(p.rewards))
	for _, v := range p.rewards {
		taken[v.ID] = v.Own
	}
	return taken
}

// waiting adds up what the consumer's yes would bring to a part.
func (r *walletReading) waiting(p *walletPart, u loyalty.Unit) (sum int64) {
	for i := range r.pending {
		sale := &r.pending[i]
		if p.campaign.PerShop && sale.ShopID != p.Shop {
			continue
		}
		for _, e := range sale.Pending {
			if e.CampaignID == p.Campaign && e.Unit == u {
				sum += e.Amount
			}
		}
	}
	return sum
}

// expiringKey is a balance of which something may end.
type expiringKey struct {
	enrollment loyalty.ID
	unit       loyalty.Unit
}

// expiringOf gives what ends next, of the balances that come close to it.
func (tx *Tx) expiringOf(ctx context.Context, parts []*walletPart) (map[expiringKey]Expiring, error) {
	var all map[expiringKey]Expiring
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
				if all == nil {
					all = map[expiringKey]Expiring{}
				}
				all[expiringKey{p.ID, u}] = Expiring{Amount: a.Due(at), At: at}
			}
		}
	}
	return all, nil
}
