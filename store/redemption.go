package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// RedemptionLife is how long a requested reward waits at the counter.
const RedemptionLife = 7 * 24 * time.Hour

// Redemption is one taking of a reward, with its own code.
type Redemption struct {
	ID        loyalty.ID   `db:"id" json:"id"`
	Code      string       `db:"code" json:"code"`
	Reward    string       `db:"reward" json:"reward"`
	RewardID  loyalty.ID   `db:"reward_id" json:"reward_id"`
	Campaign  string       `db:"campaign" json:"campaign"`
	Status    string       `db:"status" json:"status"` // requested, delivered, cancelled, expired
	Amount    int64        `db:"amount" json:"amount"`
	Unit      loyalty.Unit `db:"unit" json:"unit"`
	ExpiresAt time.Time    `db:"expires_at" json:"expires_at"`
}

const redemptionFields = `
	SELECT d.id, d.code, r.name AS reward, d.reward_id, c.name AS campaign, d.status, d.amount, d.unit, d.expires_at
	FROM redemptions d JOIN rewards r ON r.id = d.reward_id JOIN campaigns c ON c.id = d.campaign_id`

// OpenRedemptions are the consumer's, requested and not yet delivered.
func (tx *Tx) OpenRedemptions(ctx context.Context, person loyalty.ID) ([]Redemption, error) {
	return collect[Redemption](ctx, tx, redemptionFields+`
		WHERE d.person_id = $1 AND d.status = 'requested' AND d.expires_at > $2 ORDER BY d.id`, person, tx.now)
}

// RequestRedemption takes a reward: the balance pays at once, the stock goes
// down, and a code waits for the shop. A request that is still open is given
// again, so that a double tap pays once. Errors: NOT_FOUND, REWARD_NOT_READY,
// REWARD_OUT_OF_STOCK.
func (tx *Tx) RequestRedemption(ctx context.Context, person, reward loyalty.ID) (Redemption, error) {
	var r Redemption
	if err := tx.lockConsumer(ctx, person); err != nil {
		return r, err
	}
	open, err := collect[Redemption](ctx, tx, redemptionFields+`
		WHERE d.person_id = $1 AND d.reward_id = $2 AND d.status = 'requested' AND d.expires_at > $3`, person, reward, tx.now)
	if err != nil {
		return r, err
	}
	if len(open) > 0 {
		return open[0], nil
	}
	var campaign, enrollment loyalty.ID
	var scheme loyalty.Scheme
	var cost loyalty.Cents
	var threshold, balance int64
	var version int
	err = tx.tx.QueryRow(ctx, `
		SELECT c.id, c.scheme, c.version, c.name, r.name, r.threshold, r.cost_cents, e.id, CASE c.scheme WHEN 'stamps' THEN e.stamps ELSE e.points END
		FROM rewards r JOIN campaigns c ON c.id = r.campaign_id
		JOIN enrollments e ON e.campaign_id = c.id AND e.person_id = $2 AND e.shop_id IS NULL
		WHERE r.id = $1 AND r.active AND c.status <> 'draft'`, reward, person).
		Scan(&campaign, &scheme, &version, &r.Campaign, &r.Reward, &threshold, &cost, &enrollment, &balance)
	if none(err) {
		return r, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese premio en tus tarjetas.")
	}
	if err != nil {
		return r, err
	}
	if balance < threshold {
		return r, loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardNotReady, "Todavía no juntas lo necesario para ese premio.")
	}
	tag, err := tx.tx.Exec(ctx, `
		UPDATE rewards SET taken = taken + 1, updated_at = $2 WHERE id = $1 AND (stock IS NULL OR taken < stock)`, reward, tx.now)
	if err != nil {
		return r, err
	}
	if tag.RowsAffected() == 0 {
		return r, loyalty.Fail(loyalty.KindConflict, loyalty.CodeRewardOutOfStock, "Ese premio se agotó. Tus puntos siguen en tu tarjeta.")
	}
	r.ID, r.RewardID, r.Status, r.Amount, r.Unit = tx.newID(), reward, "requested", threshold, scheme.Unit()
	r.ExpiresAt = tx.now.Add(RedemptionLife)
	for r.Code == "" {
		code := loyalty.NewCode(loyalty.RedemptionCode, tx.db.opt.Random)
		tag, err := tx.tx.Exec(ctx, `
			INSERT INTO redemptions (id, code, reward_id, campaign_id, person_id, status, amount, unit, cost_cents, requested_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, 'requested', $6, $7, $8, $9, $10)
			ON CONFLICT ON CONSTRAINT redemptions_code_key DO NOTHING`,
			r.ID, code, reward, campaign, person, r.Amount, r.Unit, cost, tx.now, r.ExpiresAt)
		if err != nil {
			return r, err
		}
		if tag.RowsAffected() == 1 {
			r.Code = code
		}
	}
	tx.ring(Event{Kind: CardChanged, ID: person})
	return r, tx.move(ctx, movement{
		enrollment: enrollment, campaign: campaign, version: version, kind: "redeem", unit: r.Unit, amount: -r.Amount, redemption: r.ID,
	})
}

// DeliverRedemption settles a redemption at a shop that takes part in its
// campaign. Errors: REDEMPTION_UNKNOWN, REDEMPTION_ALREADY_DELIVERED,
// REDEMPTION_CLOSED, SHOP_NOT_FOUND, FORBIDDEN.
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
	var person loyalty.ID
	var takesPart bool
	if kind == loyalty.RedemptionCode {
		err = tx.tx.QueryRow(ctx, `
			SELECT d.id, d.person_id, c.all_shops OR EXISTS (SELECT FROM campaign_shops s WHERE s.campaign_id = c.id AND s.shop_id = $2)
			FROM redemptions d JOIN campaigns c ON c.id = d.campaign_id WHERE d.code = $1 FOR UPDATE OF d`, code, shop.ID).
			Scan(&r.ID, &person, &takesPart)
	}
	switch {
	case kind != loyalty.RedemptionCode || none(err):
		return r, loyalty.NotFound(loyalty.CodeRedemptionUnknown, "Ese código de premio no existe. Revisa que esté bien escrito.")
	case err != nil:
		return r, err
	case !takesPart:
		return r, loyalty.Fail(loyalty.KindConflict, loyalty.CodeShopInactive, "Ese premio no se entrega en esta tienda.")
	}
	// Read again: the lock may have had to wait for somebody who settled it.
	if r, err = fetch[Redemption](ctx, tx, loyalty.NotFound(loyalty.CodeRedemptionUnknown, ""), redemptionFields+` WHERE d.id = $1`, r.ID); err != nil {
		return r, err
	}
	switch {
	case r.Status == "delivered":
		return r, loyalty.Fail(loyalty.KindConflict, loyalty.CodeRedemptionDone, "Ese premio ya se entregó.")
	case r.Status != "requested" || !tx.now.Before(r.ExpiresAt):
		return r, loyalty.Fail(loyalty.KindConflict, loyalty.CodeRedemptionClosed, "Ese código de premio ya venció. El cliente puede pedir uno nuevo.")
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

// ExpireRedemptions gives back what nobody fetched: balance and stock. It
// takes at most limit of them, and says how many it took.
func (tx *Tx) ExpireRedemptions(ctx context.Context, limit int) (int, error) {
	type due struct {
		ID         loyalty.ID   `db:"id"`
		Person     loyalty.ID   `db:"person_id"`
		Reward     loyalty.ID   `db:"reward_id"`
		Campaign   loyalty.ID   `db:"campaign_id"`
		Version    int          `db:"version"`
		Enrollment loyalty.ID   `db:"enrollment_id"`
		Unit       loyalty.Unit `db:"unit"`
		Amount     int64        `db:"amount"`
	}
	all, err := collect[due](ctx, tx, `
		SELECT d.id, d.person_id, d.reward_id, d.campaign_id, c.version, e.id AS enrollment_id, d.unit, d.amount
		FROM redemptions d JOIN campaigns c ON c.id = d.campaign_id
		JOIN enrollments e ON e.campaign_id = d.campaign_id AND e.person_id = d.person_id AND e.shop_id IS NULL
		WHERE d.status = 'requested' AND d.expires_at <= $1 ORDER BY d.person_id, d.reward_id LIMIT $2`, tx.now, limit)
	if err != nil {
		return 0, err
	}
	// All consumers first, in one order, and rewards after them: as everybody does.
	for _, d := range all {
		if err := tx.lockConsumer(ctx, d.Person); err != nil {
			return 0, err
		}
	}
	expired := 0
	for _, d := range all {
		tag, err := tx.tx.Exec(ctx, `UPDATE redemptions SET status = 'expired', settled_at = $2 WHERE id = $1 AND status = 'requested'`, d.ID, tx.now)
		if err != nil {
			return 0, err
		}
		if tag.RowsAffected() == 0 {
			continue // delivered, or expired by another worker, while we waited
		}
		if _, err := tx.tx.Exec(ctx, `UPDATE rewards SET taken = taken - 1 WHERE id = $1`, d.Reward); err != nil {
			return 0, err
		}
		err = tx.move(ctx, movement{
			enrollment: d.Enrollment, campaign: d.Campaign, version: d.Version, kind: "reverse", unit: d.Unit, amount: d.Amount, redemption: d.ID,
		})
		if err != nil {
			return 0, err
		}
		expired++
		tx.ring(Event{Kind: CardChanged, ID: d.Person})
	}
	return expired, nil
}

// lockConsumer holds the consumer's row: who changes balances has it.
func (tx *Tx) lockConsumer(ctx context.Context, person loyalty.ID) error {
	var one int
	err := tx.tx.QueryRow(ctx, `SELECT 1 FROM consumers WHERE person_id = $1 FOR NO KEY UPDATE`, person).Scan(&one)
	if none(err) {
		return loyalty.NotFound(loyalty.CodeCardNotFound, "Todavía no tienes una tarjeta.")
	}
	return err
}

// movement is a change of a balance that no purchase caused.
type movement struct {
	enrollment, campaign, redemption loyalty.ID
	version                          int
	kind                             string
	unit                             loyalty.Unit
	amount                           int64
}

// move changes a balance and appends its ledger entry.
func (tx *Tx) move(ctx context.Context, m movement) error {
	stamps, points := split(m.unit, m.amount)
	_, err := tx.tx.Exec(ctx, `
		WITH e AS (
			UPDATE enrollments SET stamps = stamps + $2, points = points + $3 WHERE id = $1
			RETURNING id, CASE WHEN $7 = 'stamp' THEN stamps ELSE points END AS balance
		)
		INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance, redemption_id, at)
		SELECT $4, e.id, $5, $6, $8, $7, $9, e.balance, $10, $11 FROM e`,
		m.enrollment, stamps, points, tx.newID(), m.campaign, m.version, m.unit, m.kind, m.amount, m.redemption, tx.now)
	return err
}

// Taken is a reward in a consumer's history.
type Taken struct {
	Reward      string       `db:"reward"`
	Unit        loyalty.Unit `db:"unit"`
	Amount      int64        `db:"amount"` // what it cost
	Delivered   bool         `db:"delivered"`
	Shop        string       `db:"shop"` // that delivered it
	TimeZone    string       `db:"time_zone"`
	RequestedAt time.Time    `db:"requested_at"`
}

// TakenRewards gives the consumer's latest rewards, newest first; those that were
// given back are as if they had never been.
func (tx *Tx) TakenRewards(ctx context.Context, person loyalty.ID, limit int) ([]Taken, error) {
	return collect[Taken](ctx, tx, `
		SELECT r.name AS reward, d.unit, d.amount, d.status = 'delivered' AS delivered, coalesce(s.name, '') AS shop,
		  coalesce(s.time_zone, '') AS time_zone, d.requested_at
		FROM redemptions d JOIN rewards r ON r.id = d.reward_id LEFT JOIN shops s ON s.id = d.shop_id
		WHERE d.person_id = $1 AND d.status IN ('requested', 'delivered') ORDER BY d.requested_at DESC, d.id DESC LIMIT $2`, person, limit)
}
