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
// it as of its own time, by the versions that held then, without what was
// returned since. The consumer is told, where that is wanted. ok is false where it
// does not wait any more.
func (tx *Tx) settlePending(ctx context.Context, id loyalty.ID, tell bool) (r Receipt, ok bool, err error) {
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
		SELECT occurred_at, pending_campaigns, receipt, basis FROM purchases WHERE id = $1 AND status = 'pending'`, id).
		Scan(&at, &waiting, &r, &bases)
	if err != nil {
		return r, false, ignoreNone(err)
	}
	p := &purchase{
		in:   PurchaseInput{Key: "settle:" + string(id), ShopCode: shop, Captured: "scan"},
		code: card, kind: loyalty.CardCode, at: at, receipt: r,
	}
	if err := p.readItems(ctx, tx, id); err != nil {
		return r, false, err
	}
	if err := p.read(ctx, tx, loyalty.System()); err != nil {
		return r, false, err
	}
	p.parts = slices.DeleteFunc(p.parts, func(pt part) bool { return !slices.Contains(waiting, pt.campaign.ID) })
	for i := range p.parts { // what exclusive campaigns kept out then stays out
		p.parts[i].basis = bases[p.parts[i].campaign.ID]
	}
	p.receipt.Status, p.receipt.Pending, p.receipt.Notes = "recorded", nil, nil
	evaluate(p.parts, &p.sale)
	p.report()
	return p.receipt, true, p.settle(ctx, tx, tell)
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
		UPDATE purchases SET status = 'recorded', pending_campaigns = NULL, matures_at = NULL, settled = $5,
		  basis = coalesce(basis, '{}') || coalesce($6::jsonb, '{}')
		WHERE id = $1
	), message AS (
		` + receiptSQL("$7", "$4", "$1", 8) + `
	), ` + earningsSQL("$2", "$3", "$4", "$1", 13)

// settle writes down what the purchase gave after all.
func (p *purchase) settle(ctx context.Context, tx *Tx, tell bool) error {
	p.person.Hears = p.person.Hears && tell
	receipt, err := json.Marshal(p.receipt)
	if err != nil {
		return err
	}
	e := newEarnings(tx, p)
	e.enroll(tx)
	args := append([]any{p.receipt.ID, p.known.shop.ID, p.at, tx.now, receipt, p.bases(), p.person.ID}, p.notice(ctx, tx)...)
	tx.later(settlePurchase, append(args, e.args()...)...)
	if err := tx.rollupDay(ctx, p.at, p.known.shop.TimeZone); err != nil {
		return err
	}
	tx.ring(Event{Kind: CardChanged, ID: p.person.ID})
	e.reserve(tx)
	return nil
}
