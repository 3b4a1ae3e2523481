package store

import (
	"context"
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// AdjustmentInput is a correction of a balance by hand.
type AdjustmentInput struct {
	Campaign loyalty.ID
	CardCode string
	ShopCode string // where the campaign counts per shop
	Unit     loyalty.Unit
	Amount   int64  // signed, not 0
	Reason   string // 1 to 500 characters
	Key      string // of the cause, at most 128 characters; "" is a cause of its own
}

// Adjustment is a correction that was made.
type Adjustment struct {
	ID         loyalty.ID   `db:"id" json:"id"`
	CampaignID loyalty.ID   `db:"campaign_id" json:"campaign_id"`
	Campaign   string       `db:"campaign" json:"campaign"`
	Unit       loyalty.Unit `db:"unit" json:"unit"`
	Amount     int64        `db:"amount" json:"amount"`
	Balance    int64        `db:"balance" json:"balance"` // after it
	Reason     string       `db:"reason" json:"reason"`
	Actor      string       `db:"actor" json:"actor"`
	CreatedAt  time.Time    `db:"created_at" json:"created_at"`
}

// maxAdjustment bounds what one correction may change.
const maxAdjustment = 1_000_000

// Adjust corrects a balance (an admin), and tells the consumer. It may make it
// negative, and begins the enrollment where there is none. The same key again
// gives the first answer, and replayed. Errors: VALIDATION_FAILED, FORBIDDEN,
// CARD_NOT_FOUND, CAMPAIGN_NOT_FOUND, SHOP_NOT_FOUND, IDEMPOTENCY_KEY_REUSED.
func (tx *Tx) Adjust(ctx context.Context, scope loyalty.Scope, in AdjustmentInput) (a Adjustment, replayed bool, err error) {
	if err := adminOnly(scope); err != nil {
		return a, false, err
	}
	card, kind := loyalty.ScannedCode(in.CardCode)
	var c check
	c.id("campaign_id", &in.Campaign)
	c.want(kind == loyalty.CardCode, "card_code", "no es un código de tarjeta válido; revisa que esté bien escrito")
	c.want(in.Unit == loyalty.Stamp || in.Unit == loyalty.Point, "unit", "debe ser stamp o point")
	c.want(in.Amount != 0, "amount", "no puede ser 0")
	c.between("amount", in.Amount, -maxAdjustment, maxAdjustment)
	c.text("reason", &in.Reason, 1, 500)
	c.text("key", &in.Key, 0, 128)
	if err := c.err(); err != nil {
		return a, false, err
	}
	id := tx.newID()
	first, err := tx.claim(ctx, "adjust:"+scope.Actor(), in.Key, in, id)
	if err != nil {
		return a, false, err
	}
	if first != "" {
		a, err = tx.adjustment(ctx, first)
		return a, true, err
	}
	h, err := tx.adjusted(ctx, card, in)
	if err != nil {
		return a, false, err
	}
	if !h.campaign.Scheme.Has(in.Unit) {
		return a, false, loyalty.Invalid("unit", "esa campaña no cuenta así")
	}
	tx.later(`INSERT INTO adjustments (id, enrollment_id, unit, amount, reason, actor, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id, h.ID, in.Unit, in.Amount, in.Reason, scope.Actor(), tx.now)
	tx.enter(h, movement{kind: "adjust", unit: in.Unit, amount: in.Amount, adjustment: id})
	tx.keep(h)
	_, err = tx.Notify(ctx, Notice{
		Person: h.person, Lane: LaneReceipt, Template: "adjustment.done", Cause: "adjustment:" + string(id),
		Vars: map[string]string{
			"campaign": h.campaign.Name, "unit": string(in.Unit), "amount": strconv.FormatInt(in.Amount, 10),
			"balance": strconv.FormatInt(h.balance(in.Unit), 10), "reason": in.Reason, varCardURL: "",
		},
	})
	if err != nil {
		return a, false, err
	}
	tx.audit(scope, Adjusted, "balance", h.person, h.campaign.Name, difference(string(in.Unit), nil, in.Amount))
	a, err = tx.adjustment(ctx, id)
	return a, false, err
}

func (tx *Tx) adjustment(ctx context.Context, id loyalty.ID) (Adjustment, error) {
	return fetch[Adjustment](ctx, tx, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese ajuste."), `
		SELECT a.id, c.id AS campaign_id, c.name AS campaign, a.unit, a.amount, l.balance, a.reason, a.actor, a.created_at
		FROM adjustments a JOIN ledger l ON l.adjustment_id = a.id JOIN campaigns c ON c.id = l.campaign_id WHERE a.id = $1`, id)
}

// adjusted locks the card's consumer and gives the enrollment that is meant; it
// begins where there is none.
func (tx *Tx) adjusted(ctx context.Context, card string, in AdjustmentInput) (*holding, error) {
	var person loyalty.ID
	var merged bool
	err := tx.tx.QueryRow(ctx, `
		SELECT c.person_id, c.merged_into IS NOT NULL FROM consumers c JOIN persons p ON p.id = c.person_id
		WHERE `+ownsCard(`$1`)+` AND p.erased_at IS NULL FOR NO KEY UPDATE OF c`, card).Scan(&person, &merged)
	if none(err) {
		return nil, loyalty.NotFound(loyalty.CodeCardNotFound, "No encontramos esa tarjeta. Revisa el código.")
	}
	if err == nil && merged {
		err = errMoved
	}
	if err != nil {
		return nil, err
	}
	var perShop bool
	err = tx.tx.QueryRow(ctx, `
		SELECT (terms->>'per_shop')::boolean FROM campaigns WHERE id = $1 AND status IN ('active', 'paused', 'ended')`, in.Campaign).Scan(&perShop)
	if none(err) {
		return nil, errNoCampaign()
	}
	if err != nil {
		return nil, err
	}
	var shop loyalty.ID
	if perShop {
		if in.ShopCode == "" {
			return nil, loyalty.Invalid("shop_code", "esa campaña cuenta por tienda: falta el código")
		}
		s, err := tx.ShopByCode(ctx, in.ShopCode)
		if err != nil {
			return nil, err
		}
		shop = s.ID
	}
	tx.begin(person, in.Campaign, shop)
	all, err := tx.holdings(ctx, `e.person_id = $1 AND e.campaign_id = $2 AND e.shop_id IS NOT DISTINCT FROM $3::uuid`, person, in.Campaign, optional(shop))
	if err != nil {
		return nil, err
	}
	return all[0], nil
}
