package store

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// notify tells the consumer what the purchase brought, and asks where something
// waits for a yes; a purchase that brought nothing is no reason to write.
func (p *purchase) notify(ctx context.Context, tx *Tx) {
	if len(p.receipt.Earned)+len(p.receipt.Pending) == 0 {
		return
	}
	earned := make([]map[string]string, len(p.receipt.Earned))
	for i, e := range p.receipt.Earned {
		earned[i] = e.row()
	}
	purchased := make([]map[string]string, len(p.receipt.Items))
	for i, item := range p.receipt.Items {
		purchased[i] = map[string]string{"product": item.Name, "quantity": strconv.FormatInt(item.Quantity, 10)}
	}
	n := Notice{
		Person: p.person.ID, Lane: LaneReceipt, Template: "receipt.earned",
		Vars: map[string]string{"shop": p.known.shop.Name, "purchased": rows(purchased), "earned": rows(earned), varCardURL: ""},
	}
	if len(p.receipt.Pending) > 0 {
		waiting := make([]map[string]string, len(p.receipt.Pending))
		for i, e := range p.receipt.Pending {
			waiting[i] = map[string]string{"campaign": e.Campaign, "unit": string(e.Unit), "amount": strconv.FormatInt(e.Amount, 10)}
		}
		n.Template, n.Vars["waiting"] = "receipt.pending", rows(waiting)
	}
	tx.notifyLater(ctx, n)
}

// rows writes a list as message templates take it: JSON in one variable.
func rows(list []map[string]string) string {
	b, err := json.Marshal(list)
	if err != nil { // strings always marshal
		return "[]"
	}
	return string(b)
}

// row is the earning as message templates read it: words and numbers as text.
func (e Earned) row() map[string]string {
	ready := ""
	if e.RewardReady {
		ready = "yes"
	}
	return map[string]string{
		"campaign": e.Campaign, "unit": string(e.Unit), "amount": strconv.FormatInt(e.Amount, 10),
		"balance": strconv.FormatInt(e.Balance, 10), "goal": strconv.FormatInt(e.Goal, 10),
		"missing": strconv.FormatInt(max(e.Goal-e.Balance, 0), 10), "ready": ready,
	}
}

// Purchase gives the receipt of a purchase to who may see it: an admin, the
// tenderos of its shop, the integration or person that recorded it, and its
// consumer. To all others it does not exist.
func (tx *Tx) Purchase(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Receipt, error) {
	var r Receipt
	var status string
	err := tx.tx.QueryRow(ctx, `
		SELECT coalesce(settled, receipt), status FROM purchases
		WHERE id = $1 AND ($2 OR shop_id = ANY($3) OR actor = $4 OR person_id::text = $5)`,
		id, scope.All(), scope.Shops, scope.Actor(), string(scope.Person)).Scan(&r, &status)
	if none(err) {
		return r, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa compra.")
	}
	r.Status = status
	return r, err
}
