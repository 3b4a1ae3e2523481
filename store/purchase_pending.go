package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// settlePending gives what a pending purchase waited to give: its campaigns judge
// it as of its own time, in the versions that judged it then, wherever they stand
// now, and without what was returned since. Without the consumer's yes, only those
// give that do without it by now. The consumer is told, where that is wanted. ok is
// false where nothing waits any more.
func (tx *Tx) settlePending(ctx context.Context, id loyalty.ID, yes, tell bool) (r Receipt, ok bool, err error) {
	var card, shop string
	err = tx.tx.QueryRow(ctx, `
		SELECT c.card_code, s.code FROM purchases p JOIN consumers c ON c.person_id = p.person_id JOIN shops s ON s.id = p.shop_id
		WHERE p.id = $1 FOR NO KEY UPDATE OF c`, id).Scan(&card, &shop)
	if err != nil {
		return r, false, ignoreNone(err)
	}
	// After the lock: nobody settles it or takes it back meanwhile.
	var at time.Time
	var waiting []loyalty.ID
	var bases map[loyalty.ID]loyalty.Basis
	err = tx.tx.QueryRow(ctx, `
		SELECT occurred_at, pending_campaigns, coalesce(settled, receipt), basis FROM purchases WHERE id = $1 AND status = 'pending'`, id).
		Scan(&at, &waiting, &r, &bases)
	if err != nil {
		return r, false, ignoreNone(err)
	}
	o := &order{
		in: PurchaseInput{Key: "settle:" + string(id), ShopCode: shop, Captured: "scan"}, scope: loyalty.System(), trace: Trace(ctx),
		code: card, kind: loyalty.CardCode, at: at,
	}
	p := o.begin()
	p.receipt = r
	if p.waits, err = tx.waits(ctx, waiting, bases); err != nil {
		return r, false, err
	}
	if !yes {
		p.waits = p.due(tx)
	}
	if len(p.waits) == 0 {
		return r, false, nil
	}
	if err := p.readItems(ctx, tx, id); err != nil {
		return r, false, err
	}
	quotas, err := round{p}.read(ctx, tx, waits)
	if err != nil {
		return r, false, err
	}
	p.receipt.Status, p.receipt.Notes = "recorded", nil
	if len(p.pending) > 0 {
		p.receipt.Status = "pending"
	}
	p.receipt.Pending = slices.DeleteFunc(p.receipt.Pending, func(x Expected) bool { return !slices.Contains(p.pending, x.CampaignID) })
	evaluate(p.parts, &p.sale, quotas)
	p.report()
	return p.receipt, true, p.settle(ctx, tx, tell)
}

// waits are the parts of the campaigns that wait, as they judged the purchase. That
// they were there for it, and for its consumer, is certain.
func (tx *Tx) waits(ctx context.Context, waiting []loyalty.ID, bases map[loyalty.ID]loyalty.Basis) ([]part, error) {
	judged := map[loyalty.ID]loyalty.Basis{}
	for _, id := range waiting {
		judged[id] = bases[id]
	}
	campaigns, err := tx.judges(ctx, judged)
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(campaigns))
	for i, c := range campaigns {
		c.Status, c.Audience = loyalty.Active, loyalty.Audience{}
		rule := new(ruledCampaign)
		err := tx.tx.QueryRow(ctx, `SELECT `+ruleOf+` FROM campaigns c WHERE c.id = $1`, c.ID).Scan(&rule.rewards, &rule.quotas)
		if err != nil {
			return nil, err
		}
		// What exclusive campaigns kept out then stays out.
		parts[i] = part{rule: rule, campaign: c, basis: judged[c.ID]}
	}
	return parts, nil
}

// due gives the parts that do without the consumer's yes by now. The others go on
// waiting.
func (p *purchase) due(tx *Tx) (due []part) {
	for _, pt := range p.waits {
		if at := p.maturesAt(pt.campaign); at != nil && !at.After(tx.now) {
			due = append(due, pt)
		} else {
			p.wait(pt.campaign)
		}
	}
	return due
}

// readItems reads what is left of the purchase's lines.
func (p *purchase) readItems(ctx context.Context, tx *Tx, id loyalty.ID) error {
	rows, err := tx.tx.Query(ctx, `
		SELECT pr.gtin, i.quantity - i.returned, i.unit_price_cents FROM purchase_items i JOIN products pr ON pr.id = i.product_id
		WHERE i.purchase_id = $1 AND i.quantity > i.returned ORDER BY i.line`, id)
	if err != nil {
		return err
	}
	var gtin loyalty.GTIN
	var quantity, price int64
	_, err = pgx.ForEachRow(rows, []any{&gtin, &quantity, &price}, func() error {
		paid := price
		p.gtins = append(p.gtins, gtin)
		p.in.Items = append(p.in.Items, ItemInput{GTIN: string(gtin), Quantity: quantity, UnitPriceCents: &paid})
		return nil
	})
	return err
}

var settlePurchase = `
	WITH purchase AS (
		UPDATE purchases SET status = $3, pending_campaigns = $4, matures_at = $5, settled = $6,
		  basis = coalesce(basis, '{}') || coalesce($7::jsonb, '{}')
		WHERE id = $2
	), message AS (
		` + noticesSQL("$1", 8) + `
	), ` + earningsSQL("$1", 14)

// settle writes down what the purchase gave after all.
func (p *purchase) settle(ctx context.Context, tx *Tx, tell bool) error {
	p.person.Hears = p.person.Hears && tell
	receipt, err := json.Marshal(p.receipt)
	if err != nil {
		return err
	}
	var n noticeRows
	p.notice(tx, &n)
	e := newEarnings()
	e.of(tx, p)
	e.enroll(tx)
	args := []any{tx.now, p.receipt.ID, p.receipt.Status, p.pending, p.matures, receipt, p.bases()}
	tx.later(settlePurchase, slices.Concat(args, n.args(), e.args())...)
	if err := tx.rollupDay(ctx, p.at, p.known.shop.TimeZone); err != nil {
		return err
	}
	tx.ring(Event{Kind: CardChanged, ID: p.person.ID})
	e.reserve(tx)
	return nil
}
