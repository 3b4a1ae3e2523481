package store

import (
	"cmp"
	"context"
	"slices"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// round are purchases of different consumers that are recorded in one
// transaction: the same two round trips, statements and commit for all of them.
// What each is, is what it would be alone. One that is refused does not stop the
// others.
type round []*purchase

// patience says what a round does about consumers whom another holds.
type patience string

const (
	waits      patience = "" // for one of one: who waits for the next while holding others may wait in a circle
	passesOver patience = " SKIP LOCKED"
)

// record carries the round through. An error is the transaction's; what is wrong
// with one of the purchases is in its refused.
func (tx *Tx) record(ctx context.Context, r round, held patience) error {
	quotas, err := r.read(ctx, tx, held)
	if err != nil {
		return err
	}
	var accepted round
	for _, p := range r {
		switch {
		case p.refused != nil || p.busy:
		case p.first != nil:
			p.refused = p.replay()
		default:
			if p.refused = p.check(tx.now); p.refused == nil {
				p.judge(tx, quotas)
				accepted = append(accepted, p)
			}
		}
	}
	if len(accepted) == 0 {
		return nil
	}
	// Who writes the same keys as another does so in the same order.
	slices.SortFunc(accepted, func(a, b *purchase) int {
		return cmp.Or(cmp.Compare(a.in.Key, b.in.Key), cmp.Compare(a.actor, b.actor))
	})
	return accepted.write(tx)
}

// open are those about which something is still to be found out.
func (r round) open() round {
	return slices.DeleteFunc(slices.Clone(r), func(p *purchase) bool { return p.refused != nil || p.busy || p.first != nil })
}

// quotaKey names a quota.
type quotaKey struct {
	campaign loyalty.ID
	name     string
}

// quotaState is how much of a quota is used, by others and by what the round
// judged already, and its bound.
type quotaState struct{ cap, used int64 }

// quotaStates are the quotas that a round may use; one that is not in it has no
// row yet.
type quotaStates map[quotaKey]*quotaState

// left gives what the quotas that a sale may use still allow in a campaign. Shared
// limits are those of the terms that judge, whoever made the row.
func (q quotaStates) left(pt *part, sale *loyalty.Sale) map[string]int64 {
	var left map[string]int64
	for _, name := range pt.quotas(sale) {
		s, ok := q[quotaKey{pt.campaign.ID, name}]
		if !ok {
			continue
		}
		if left == nil {
			left, pt.caps = map[string]int64{}, map[string]int64{}
		}
		limit := s.cap
		if shared := pt.campaign.SharedLimit(name); shared > 0 {
			limit = shared
		}
		left[name], pt.caps[name] = limit-s.used, limit
	}
	return left
}

// take notes what a judgement used, for those that are judged after it.
func (q quotaStates) take(pt *part) {
	if pt.judgement == nil || !pt.judgement.Earned() || pt.judgement.Pending {
		return
	}
	for _, t := range pt.judgement.Takes {
		key := quotaKey{pt.campaign.ID, t.Name}
		if q[key] == nil {
			q[key] = &quotaState{cap: pt.campaign.SharedLimit(t.Name)}
		}
		q[key].used += t.Amount
	}
}
