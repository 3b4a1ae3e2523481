package store

import (
	"slices"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Lock says why a reward cannot be requested now; "" is that it can.
type Lock string

// The locks, in the order in which they are looked at.
const (
	LockSegment   Lock = "segment"   // it is for others
	LockValidity  Lock = "validity"  // it is not valid yet, or no more
	LockTier      Lock = "tier"      // it needs a tier
	LockLimit     Lock = "limit"     // as many were taken as one consumer may
	LockThreshold Lock = "threshold" // the balance is not enough yet
	LockStock     Lock = "stock"     // there are none left
	LockBudget    Lock = "budget"    // the campaign, or its owner, can pay no more
)

// refusals are what a request is told where a lock is on.
var refusals = map[Lock]*loyalty.Error{
	LockSegment:   loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardNotForYou, "Ese premio es solo para algunos clientes invitados."),
	LockValidity:  loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardNotValidNow, "Ese premio no se puede pedir en estas fechas."),
	LockTier:      loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardNeedsTier, "Ese premio es de un nivel más alto. Sigue comprando para alcanzarlo."),
	LockLimit:     loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardLimitReached, "Ya pediste ese premio todas las veces que se puede."),
	LockThreshold: loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardNotReady, "Todavía no juntas lo necesario para ese premio."),
	LockStock:     loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardOutOfStock, "Ese premio se agotó. Lo que juntaste sigue en tu tarjeta."),
	LockBudget:    loyalty.Fail(loyalty.KindConflict, loyalty.CodeBudgetExhausted, "Por ahora ya no hay premios en esta promoción. Lo que juntaste sigue en tu tarjeta."),
}

// asker is what a lock is decided by: a consumer with a balance in a campaign.
type asker struct {
	now         time.Time
	balance     int64
	tiers       *loyalty.Tiers
	tier        string
	segments    []loyalty.ID
	taken       map[loyalty.ID]int64 // rewards that are limited: how many the consumer took
	rewardsLeft *int64               // of the campaign's budget; nil: no bound
	moneyLeft   *int64               // of the CPG's
}

// lockFor says why the asker cannot have the reward.
func (v *Reward) lockFor(a *asker) Lock {
	switch {
	case v.Segment != "" && !slices.Contains(a.segments, v.Segment):
		return LockSegment
	case !v.StartsAt.IsZero() && a.now.Before(v.StartsAt) || !v.EndsAt.IsZero() && !a.now.Before(v.EndsAt):
		return LockValidity
	case v.MinTier != "" && a.tiers.Rank(a.tier) < max(a.tiers.Rank(v.MinTier), 1):
		return LockTier
	case v.PerConsumer != nil && a.taken[v.ID] >= int64(*v.PerConsumer):
		return LockLimit
	case a.balance < v.Threshold:
		return LockThreshold
	case v.Stock != nil && v.Taken >= *v.Stock:
		return LockStock
	case a.rewardsLeft != nil && *a.rewardsLeft < 1 || a.moneyLeft != nil && *a.moneyLeft < int64(v.Cost):
		return LockBudget
	}
	return ""
}
