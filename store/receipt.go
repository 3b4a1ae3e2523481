package store

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// notice is the template of what the consumer is told of a purchase: what it
// brought, and a question where something waits for a yes. A purchase that
// brought nothing is no reason to write, unless nothing is left to be given.
func (r *Receipt) notice() string {
	switch {
	case len(r.Pending) > 0:
		return "receipt.pending"
	case len(r.Earned) > 0:
		return "receipt.earned"
	case slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Why == loyalty.WhyBudget }):
		return "receipt.nothing"
	}
	return ""
}

// varPurchase is the variable of a notice about a purchase: what it says is
// looked up when it is delivered.
const varPurchase = "purchase_id"

// addReceipt gives a notice about a purchase what its text is made of.
func (tx *Tx) addReceipt(ctx context.Context, out *Outbound) error {
	purchase, of := out.Vars[varPurchase]
	if !of {
		return nil
	}
	delete(out.Vars, varPurchase)
	var r Receipt
	var shop string
	err := tx.tx.QueryRow(ctx, `
		SELECT coalesce(p.settled, p.receipt), s.name FROM purchases p JOIN shops s ON s.id = p.shop_id WHERE p.id = $1`, purchase).
		Scan(&r, &shop)
	if err != nil {
		return err
	}
	if out.Template == "receipt.pending" && len(r.Pending) == 0 { // settled meanwhile
		out.Template = "receipt.earned"
	}
	out.Vars["shop"], out.Vars["purchased"], out.Vars["earned"] = shop, r.PurchasedRows(), r.EarnedRows()
	if len(r.Pending) > 0 {
		out.Vars["waiting"] = r.WaitingRows()
	}
	if len(r.Notes) > 0 {
		out.Vars["notes"] = r.NoteRows()
	}
	return nil
}

// PurchasedRows is what was bought, as message templates take a list: JSON in one
// variable, words and numbers as text.
func (r *Receipt) PurchasedRows() string {
	list := make([]map[string]string, len(r.Items))
	for i, item := range r.Items {
		list[i] = map[string]string{"product": item.Name, "quantity": strconv.FormatInt(item.Quantity, 10)}
	}
	return rows(list)
}

// EarnedRows is what the purchase brought.
func (r *Receipt) EarnedRows() string {
	list := make([]map[string]string, len(r.Earned))
	for i, e := range r.Earned {
		list[i] = e.row()
	}
	return rows(list)
}

// WaitingRows is what the consumer's yes will bring.
func (r *Receipt) WaitingRows() string {
	list := make([]map[string]string, len(r.Pending))
	for i, e := range r.Pending {
		list[i] = map[string]string{"campaign": e.Campaign, "unit": string(e.Unit), "amount": strconv.FormatInt(e.Amount, 10)}
	}
	return rows(list)
}

// NoteRows are the reasons why campaigns gave less than their rules say.
func (r *Receipt) NoteRows() string {
	list := make([]map[string]string, len(r.Notes))
	for i, note := range r.Notes {
		list[i] = map[string]string{"campaign": note.Campaign, "why": string(note.Why)}
	}
	return rows(list)
}

// rows writes a list as message templates take it.
func rows(list []map[string]string) string {
	b, err := json.Marshal(list)
	if err != nil { // strings always marshal
		return "[]"
	}
	return string(b)
}

func (e Earned) row() map[string]string {
	ready, goal := "", ""
	if e.RewardReady {
		ready = "yes"
	}
	if e.Goal > 0 {
		goal = strconv.FormatInt(e.Goal, 10)
	}
	return map[string]string{
		"campaign": e.Campaign, "unit": string(e.Unit), "amount": strconv.FormatInt(e.Amount, 10),
		"balance": strconv.FormatInt(e.Balance, 10), "goal": goal, "ready": ready,
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
