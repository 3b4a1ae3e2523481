package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// DeliverRedemption settles a redemption at a shop that hands the reward out: one
// that the reward names, or any that takes part in the campaign where it names
// none. Errors: REDEMPTION_UNKNOWN, REDEMPTION_ALREADY_DELIVERED,
// REDEMPTION_CLOSED, SHOP_NOT_FOUND, SHOP_INACTIVE, FORBIDDEN.
func (tx *Tx) DeliverRedemption(ctx context.Context, scope loyalty.Scope, code, shopCode string) (Redemption, error) {
	var r Redemption
	shop, err := tx.ShopByCode(ctx, shopCode)
	if err != nil {
		return r, err
	}
	if !scope.SellsAt(shop.ID) {
		return r, loyalty.Forbidden()
	}
	code, kind := loyalty.ScannedCode(code)
	if kind != loyalty.RedemptionCode {
		return r, errNoRedemption()
	}
	var person loyalty.ID
	var handsOut bool
	err = tx.tx.QueryRow(ctx, `
		SELECT d.id, d.person_id, CASE WHEN r.shop_ids = '{}' THEN `+takesPart(`$2`)+` ELSE $2 = ANY(r.shop_ids) END
		FROM redemptions d JOIN campaigns c ON c.id = d.campaign_id JOIN rewards r ON r.id = d.reward_id
		WHERE d.code = $1 FOR UPDATE OF d`, code, shop.ID).Scan(&r.ID, &person, &handsOut)
	switch {
	case none(err):
		return r, errNoRedemption()
	case err != nil:
		return r, err
	case !handsOut:
		return r, loyalty.Fail(loyalty.KindConflict, loyalty.CodeShopInactive, "Ese premio no se entrega en esta tienda.")
	}
	// Read again: the lock may have had to wait for somebody who settled it.
	if r, err = fetch[Redemption](ctx, tx, errNoRedemption(), redemptionFields+` WHERE d.id = $1`, r.ID); err != nil {
		return r, err
	}
	if err := r.open(tx.now); err != nil {
		return r, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE redemptions SET status = 'delivered', settled_at = $2, shop_id = $3 WHERE id = $1`, r.ID, tx.now, shop.ID)
	if err != nil {
		return r, err
	}
	r.Status = "delivered"
	tx.ring(Event{Kind: CardChanged, ID: person})
	_, err = tx.Notify(ctx, Notice{
		Person: person, Lane: LaneReceipt, Template: "redemption.delivered",
		Vars: map[string]string{"reward": r.Reward, "shop": shop.Name}, Cause: "delivered:" + string(r.ID),
	})
	return r, err
}

// open says why a redemption cannot be settled any more; nil where it can.
func (r *Redemption) open(now time.Time) error {
	switch {
	case r.Status == "delivered":
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeRedemptionDone, "Ese premio ya se entregó.")
	case r.Status == "cancelled":
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeRedemptionClosed, "Ese código de premio se canceló. El cliente puede pedir uno nuevo.")
	case r.Status != "requested" || !now.Before(r.ExpiresAt):
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeRedemptionClosed, "Ese código de premio ya venció. El cliente puede pedir uno nuevo.")
	}
	return nil
}

// CancelRedemption gives back what was requested and not fetched (the consumer
// itself, an admin): balance, stock and budgets. Errors: REDEMPTION_UNKNOWN,
// REDEMPTION_ALREADY_DELIVERED, REDEMPTION_CLOSED.
func (tx *Tx) CancelRedemption(ctx context.Context, scope loyalty.Scope, code string) (Redemption, error) {
	code, kind := loyalty.ScannedCode(code)
	if kind != loyalty.RedemptionCode {
		return Redemption{}, errNoRedemption()
	}
	all, err := collect[returned](ctx, tx, returnedFields+` WHERE d.code = $1`, code)
	if err != nil {
		return Redemption{}, err
	}
	if len(all) == 0 || !scope.All() && (scope.Person == "" || scope.Person != all[0].Person) {
		return Redemption{}, errNoRedemption()
	}
	back, err := tx.giveBack(ctx, all, "cancelled")
	if err != nil {
		return Redemption{}, err
	}
	r, err := fetch[Redemption](ctx, tx, errNoRedemption(), redemptionFields+` WHERE d.id = $1`, all[0].ID)
	if err == nil && back == 0 {
		err = r.open(tx.now)
	}
	if scope.Staff != "" {
		tx.audit(scope, Cancelled, "redemption", r.ID, r.Reward)
	}
	return r, err
}

// ExpireRedemptions gives back what nobody fetched. It takes at most limit of
// them, and says how many it took.
func (tx *Tx) ExpireRedemptions(ctx context.Context, limit int) (int, error) {
	all, err := collect[returned](ctx, tx, returnedFields+`
		WHERE d.status = 'requested' AND d.expires_at <= $1 ORDER BY d.expires_at LIMIT $2`, tx.now, limit)
	if err != nil {
		return 0, err
	}
	return tx.giveBack(ctx, all, "expired")
}

// returned is a redemption that is to be given back.
type returned struct {
	ID         loyalty.ID            `db:"id"`
	Person     loyalty.ID            `db:"person_id"`
	Reward     loyalty.ID            `db:"reward_id"`
	Enrollment loyalty.ID            `db:"enrollment_id"`
	Unit       loyalty.Unit          `db:"unit"`
	Amount     int64                 `db:"amount"`
	Cost       loyalty.Cents         `db:"cost_cents"`
	TierBefore *loyalty.TierStanding `db:"tier_before"`
}

const returnedFields = `SELECT d.id, d.person_id, d.reward_id, d.enrollment_id, d.unit, d.amount, d.cost_cents, d.tier_before FROM redemptions d`

// giveBack closes redemptions and gives back all that they took, as if they had
// never been requested: but in a campaign where balances end some days after they
// were earned, what comes back begins anew. Those that others settled meanwhile
// are left. It says how many it closed.
func (tx *Tx) giveBack(ctx context.Context, all []returned, status string) (int, error) {
	if len(all) == 0 {
		return 0, nil
	}
	people, ids := make([]loyalty.ID, len(all)), make([]loyalty.ID, len(all))
	for i, d := range all {
		people[i], ids[i] = d.Person, d.ID
	}
	if err := tx.lockConsumers(ctx, people); err != nil {
		return 0, err
	}
	closed, err := collect[struct {
		ID loyalty.ID `db:"id"`
	}](ctx, tx, `UPDATE redemptions SET status = $2, settled_at = $3 WHERE id = ANY($1) AND status = 'requested' RETURNING id`, ids, status, tx.now)
	if err != nil || len(closed) == 0 {
		return 0, err
	}
	mine := map[loyalty.ID]bool{}
	for _, c := range closed {
		mine[c.ID] = true
	}
	all = slices.DeleteFunc(all, func(d returned) bool { return !mine[d.ID] })
	enrollments := make([]loyalty.ID, len(all))
	for i, d := range all {
		enrollments[i] = d.Enrollment
	}
	holdings, err := tx.holdings(ctx, `e.id = ANY($1)`, enrollments)
	if err != nil {
		return 0, err
	}
	heirs, err := tx.heirs(ctx, holdings)
	if err != nil {
		return 0, err
	}
	rewards, quotas, money := map[loyalty.ID]int64{}, map[loyalty.ID]int64{}, map[loyalty.ID]int64{}
	for _, h := range holdings {
		into := heirs[h.ID]
		for _, d := range all {
			if d.Enrollment != h.ID {
				continue
			}
			tx.enter(h, movement{kind: "reverse", unit: d.Unit, amount: d.Amount, redemption: d.ID})
			if d.TierBefore != nil {
				into.Standing.Tier = h.campaign.Tiers.GaveBack(into.Standing.Tier, *d.TierBefore)
			}
			rewards[d.Reward]++
			quotas[h.Campaign]++
			if h.campaign.CPG != "" && d.Cost > 0 {
				money[h.campaign.CPG] += int64(d.Cost)
			}
		}
		if into != h {
			if err := tx.forward(ctx, h, into); err != nil {
				return 0, err
			}
		}
		tx.keep(into)
	}
	for _, give := range []struct {
		sql  string
		back map[loyalty.ID]int64
	}{
		{`UPDATE rewards SET taken = taken - $2 WHERE id = $1`, rewards},
		{`UPDATE quotas SET used = greatest(used - $2, 0) WHERE campaign_id = $1 AND name = 'reward'`, quotas},
		{`UPDATE cpgs SET reserved_cents = reserved_cents - $2 WHERE id = $1`, money},
	} {
		for _, id := range slices.Sorted(maps.Keys(give.back)) {
			tx.later(give.sql, id, give.back[id])
		}
	}
	return len(all), nil
}
