package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Balance is where a consumer stands in one campaign, in one unit: an enrollment,
// or a campaign at one of the consumer's shops that is still to be begun. The
// terms are without what is the owner's own business.
type Balance struct {
	loyalty.Campaign
	OwnerName    string     // of the CPG, or of the shop that owns the campaign
	EnrollmentID loyalty.ID // "" where it is to be begun
	Enrolled     bool
	Shop         string // name of the shop that it counts for, where the campaign counts per shop
	ShopID       loyalty.ID
	Unit         loyalty.Unit
	Goal         int64 // that completes the card in this unit
	Balance      int64 // goes on past the goal; may be negative
	Pending      int64 // that waits for the consumer's yes
	Expiring     *Expiring
	Tier         *TierView
	Ready        bool         // some reward can be requested now
	Shops        []loyalty.ID // of the consumer's, in which it runs
	Rewards      []OfferedReward
	Products     []OfferProduct
	LastShop     loyalty.ID
	LastEarned   time.Time
}

// Missing is how much the goal still takes.
func (b Balance) Missing() int64 { return max(b.Goal-b.Balance, 0) }

// Expiring is what of a balance ends next, as soon as its owner is to be warned.
type Expiring struct {
	Amount int64
	At     time.Time
}

// TierView is where a consumer stands in a campaign's tiers.
type TierView struct {
	Level    string // "" below the first
	Discount string // that it brings, in words
	AtRisk   bool   // only the grace days keep it
	Until    string // the day, "2006-01-02", on which it is lost; "" where it is not at risk
	Next     string // to be reached, or kept; "" at the top
	Missing  loyalty.Progress
}

// OfferedReward is a reward with what keeps the consumer from requesting it.
type OfferedReward struct {
	Reward
	Locked Lock // "": it can be requested now
}

// balances gives every campaign that the person is in or could begin at one of
// the shops of the wallet, with rewards and PLIs.
func (tx *Tx) balances(ctx context.Context, r *walletReading) ([]Balance, error) {
	expiring, err := tx.expiringOf(ctx, r.parts)
	if err != nil {
		return nil, err
	}
	var all []Balance
	for _, p := range r.parts {
		tier := p.tier(r.now)
		for _, u := range p.campaign.Scheme.Units() {
			b := p.in(u, tier, expiring)
			b.Pending = r.waiting(p, u)
			a := asker{
				now: r.now, balance: b.Balance, tiers: p.campaign.Tiers, tier: tier.Level, segments: r.segments, taken: r.taken(p),
				rewardsLeft: p.rewardsLeft, moneyLeft: p.moneyLeft,
			}
			b.offer(p, &a)
			all = append(all, b)
		}
	}
	return all, nil
}

// offer adds the rewards of the balance's unit that the asker may know of.
func (b *Balance) offer(p *walletPart, a *asker) {
	for _, r := range p.offer.rewards {
		if r.Unit != b.Unit {
			continue
		}
		if left := p.left(r.ID); left != nil {
			r.Stock, r.Taken = left.Stock, left.Taken
		}
		lock := r.lockFor(a)
		if lock == LockSegment {
			continue
		}
		if lock == "" && !b.Enrolled {
			lock = LockThreshold
		}
		r.Cost = 0 // the brand's own business
		b.Rewards = append(b.Rewards, OfferedReward{Reward: r, Locked: lock})
		b.Ready = b.Ready || lock == ""
	}
}

func tierView(t *loyalty.Tiers, s loyalty.TierStanding) *TierView {
	if t == nil {
		return nil
	}
	v := TierView{Level: s.Level, AtRisk: s.AtRisk(), Until: s.GraceUntil}
	if rank := t.Rank(s.Level); rank > 0 {
		v.Discount = t.Levels[rank-1].Discount
	}
	if next, missing := t.Next(s); next != nil {
		v.Next, v.Missing = next.Name, missing
	}
	return &v
}

// hideBusiness takes from terms what only their owner may know (law 7).
func hideBusiness(t *loyalty.Terms) {
	t.MarginBPS, t.Fee, t.Budget = 0, 0, nil
}
