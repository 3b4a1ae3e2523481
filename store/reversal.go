package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// ReversalInput says what of a purchase is taken back.
type ReversalInput struct {
	Reason string         // 1 to 500 characters
	Items  []ReversalItem // empty: all that is left
	Key    string         // of the cause, at most 128 characters; "" is a cause of its own
}

// ReversalItem is a quantity of a product that came back.
type ReversalItem struct {
	GTIN     string `json:"gtin"`
	Quantity int64  `json:"quantity"`
}

// Reversal is what was taken back.
type Reversal struct {
	ID         loyalty.ID     `json:"id"`
	PurchaseID loyalty.ID     `json:"purchase_id"`
	Status     string         `json:"status"` // of the purchase after it
	Items      []ReversalItem `json:"items"`
	Taken      []TakenBack    `json:"taken"`
	Reason     string         `json:"reason"`
}

// TakenBack is what a reversal took of one balance.
type TakenBack struct {
	CampaignID loyalty.ID   `json:"campaign_id"`
	Campaign   string       `json:"campaign"`
	Unit       loyalty.Unit `json:"unit"`
	Amount     int64        `json:"amount"`
	Balance    int64        `json:"balance"` // after it; negative where what was given had been used
}

// ReversePurchase takes back a purchase, whole or by item, with exactly what it
// gave for that, whatever happened since: a balance may go negative, and says so;
// what had expired is not taken again (an admin, the shop's tendero, the
// integration that recorded it). A purchase that is reversed already gives its
// last answer to who asks for all of it, and replayed; so does the same key.
// Errors: NOT_FOUND, VALIDATION_FAILED, REVERSAL_TOO_MUCH,
// IDEMPOTENCY_KEY_REUSED.
func (tx *Tx) ReversePurchase(ctx context.Context, scope loyalty.Scope, id loyalty.ID, in ReversalInput) (r Reversal, replayed bool, err error) {
	var c check
	c.text("reason", &in.Reason, 1, 500)
	c.text("key", &in.Key, 0, 128)
	c.want(len(in.Items) <= MaxItems, "items", "son demasiados")
	for i, item := range in.Items {
		_, err := loyalty.ParseGTIN(item.GTIN)
		c.want(err == nil, fmt.Sprintf("items[%d].gtin", i), "no es un código de barras válido")
		c.between(fmt.Sprintf("items[%d].quantity", i), item.Quantity, 1, MaxQuantity)
	}
	if err := c.err(); err != nil {
		return r, false, err
	}
	var actor string
	var shop loyalty.ID
	err = tx.tx.QueryRow(ctx, `SELECT actor, shop_id FROM purchases WHERE id = $1`, id).Scan(&actor, &shop)
	may := scope.All() || scope.Role == loyalty.RoleTendero && scope.SellsAt(shop) || scope.Role == loyalty.RoleIntegration && actor == scope.Actor()
	if none(err) || err == nil && !may {
		return r, false, errNoPurchase()
	}
	if err != nil {
		return r, false, err
	}
	r, replayed, err = tx.reverse(ctx, id, scope.Actor(), in)
	if scope.Staff != "" && !replayed {
		tx.audit(scope, Reversed, "purchase", id, "", difference("status", nil, r.Status))
	}
	return r, replayed, err
}

func errNoPurchase() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa compra.")
}

// reversing is a purchase on its way back.
type reversing struct {
	id       loyalty.ID // of the reversal
	in       ReversalInput
	purchase loyalty.ID
	person   loyalty.ID
	shop     Shop
	status   string
	bases    map[loyalty.ID]loyalty.Basis
	lines    []soldLine
	sale     loyalty.Sale // with the lines that stand
	remains  []loyalty.Line
	takes    []takeBack
}

// soldLine is a line of a purchase as it stands.
type soldLine struct {
	loyalty.Line
	number int
	gtin   loyalty.GTIN
	left   int64 // of the quantity, before this reversal
	back   int64 // of it, that this reversal takes
}

// takeBack is what is taken of a holding.
type takeBack struct {
	*loyalty.Return
	from   *holding // to which it was given
	into   *holding // that has the balance now: the same, unless two consumers turned out to be one
	amount map[loyalty.Unit]int64
}

func (tx *Tx) reverse(ctx context.Context, purchase loyalty.ID, actor string, in ReversalInput) (r Reversal, replayed bool, err error) {
	v := &reversing{id: tx.newID(), in: in, purchase: purchase}
	first, err := tx.claim(ctx, "reverse:"+actor, in.Key, []any{purchase, in.Items, in.Reason}, v.id)
	if err != nil {
		return r, false, err
	}
	if first != "" {
		r, err = tx.answered(ctx, `id = $1`, first)
		return r, true, err
	}
	if err := tx.readReversing(ctx, v); err != nil {
		return r, false, err
	}
	if v.status == "reversed" && len(in.Items) == 0 {
		r, err = tx.answered(ctx, `purchase_id = $1`, purchase)
		tx.later(`UPDATE causes SET result_id = $3 WHERE scope = $1 AND key = $2`, "reverse:"+actor, in.Key, r.ID)
		return r, true, err
	}
	if err := v.pick(); err != nil {
		return r, false, err
	}
	if err := tx.takesBack(ctx, v); err != nil {
		return r, false, err
	}
	r = v.answer()
	return r, false, tx.writeReversal(ctx, v, r, actor)
}

// answered gives the answer of the latest reversal that a condition picks.
func (tx *Tx) answered(ctx context.Context, condition string, id loyalty.ID) (r Reversal, err error) {
	err = tx.tx.QueryRow(ctx, `SELECT answer FROM reversals WHERE `+condition+` ORDER BY id DESC LIMIT 1`, id).Scan(&r)
	return r, err
}

// readReversing locks the consumer and reads the purchase as it stands.
func (tx *Tx) readReversing(ctx context.Context, v *reversing) error {
	err := tx.tx.QueryRow(ctx, `SELECT person_id FROM purchases WHERE id = $1`, v.purchase).Scan(&v.person)
	if err != nil {
		return err
	}
	if err := tx.lockConsumer(ctx, v.person); err != nil {
		return err
	}
	var shop loyalty.ID
	err = tx.tx.QueryRow(ctx, `SELECT status, shop_id, occurred_at, basis FROM purchases WHERE id = $1`, v.purchase).
		Scan(&v.status, &shop, &v.sale.At, &v.bases)
	if err != nil {
		return err
	}
	if v.shop, err = fetch[Shop](ctx, tx, errNoShop(), shopFields+` WHERE id = $1`, shop); err != nil {
		return err
	}
	v.sale.Shop, v.sale.Zone = shop, loyalty.Zone(v.shop.TimeZone)
	rows, err := tx.tx.Query(ctx, `
		SELECT i.line, p.gtin, p.id, p.brand_id, p.cpg_id, i.unit_price_cents, i.quantity - i.returned
		FROM purchase_items i JOIN products p ON p.id = i.product_id WHERE i.purchase_id = $1 ORDER BY i.line`, v.purchase)
	if err != nil {
		return err
	}
	v.lines, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l soldLine, err error) {
		err = row.Scan(&l.number, &l.gtin, &l.Product, &l.Brand, &l.CPG, &l.UnitPrice, &l.left)
		return l, err
	})
	return err
}

// pick finds the lines from which the items come back: of a product on several
// lines the last first.
func (v *reversing) pick() error {
	for i := range v.lines {
		if len(v.in.Items) == 0 {
			v.lines[i].back = v.lines[i].left
		}
	}
	for n, item := range v.in.Items {
		gtin, err := loyalty.ParseGTIN(item.GTIN)
		if err != nil {
			return err
		}
		wanted := item.Quantity
		for i := range slices.Backward(v.lines) {
			l := &v.lines[i]
			if l.gtin == gtin {
				take := min(wanted, l.left-l.back)
				l.back += take
				wanted -= take
			}
		}
		if wanted > 0 {
			return &loyalty.Error{
				Kind: loyalty.KindUnprocessable, Code: loyalty.CodeReversalTooMuch, Detail: "No se puede devolver más de lo que queda de la compra.",
				Fields: []loyalty.FieldError{{Field: fmt.Sprintf("items[%d].quantity", n), Reason: "de ese producto queda por devolver " + strconv.FormatInt(item.Quantity-wanted, 10)}},
			}
		}
	}
	for _, l := range v.lines {
		if l.Quantity = l.left; l.Quantity > 0 {
			v.sale.Lines = append(v.sale.Lines, l.Line)
		}
		if l.Quantity = l.left - l.back; l.Quantity > 0 {
			v.remains = append(v.remains, l.Line)
		}
	}
	return nil
}

// takesBack finds what is taken of which balances.
func (tx *Tx) takesBack(ctx context.Context, v *reversing) error {
	campaigns, err := tx.judges(ctx, v.bases)
	if err != nil {
		return err
	}
	holdings, err := tx.holdings(ctx, `e.id IN (SELECT l.enrollment_id FROM ledger l WHERE l.purchase_id = $1)`, v.purchase)
	if err != nil {
		return err
	}
	given, err := tx.givenBy(ctx, v.purchase)
	if err != nil {
		return err
	}
	heirs, err := tx.heirs(ctx, holdings)
	if err != nil {
		return err
	}
	returns := loyalty.TakeBack(campaigns, v.bases, given, &v.sale, v.remains)
	for i := range returns {
		t := takeBack{Return: &returns[i], amount: map[loyalty.Unit]int64{}}
		n := slices.IndexFunc(holdings, func(h *holding) bool { return h.Campaign == t.Campaign.ID })
		if n < 0 { // the ledger knows where it gave
			return fmt.Errorf("store: purchase %s gave in campaign %s to nobody", v.purchase, t.Campaign.ID)
		}
		t.from = holdings[n]
		t.into = heirs[t.from.ID]
		accounts, err := tx.accounts(ctx, t.from)
		if err != nil {
			return err
		}
		for _, u := range t.Campaign.Scheme.Units() {
			stands := given[t.Campaign.ID][u]
			if a := accounts[u]; a != nil {
				stands -= a.ExpiredOf(v.purchase)
			}
			t.amount[u] = max(min(t.Amount(u), stands), 0)
		}
		v.takes = append(v.takes, t)
	}
	return nil
}

// judges gives the campaigns in the versions that judged a purchase.
func (tx *Tx) judges(ctx context.Context, bases map[loyalty.ID]loyalty.Basis) ([]*loyalty.Campaign, error) {
	ids, versions := []loyalty.ID{}, []int{}
	for id, b := range bases {
		ids, versions = append(ids, id), append(versions, b.Version)
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT `+campaignCore+`, v.version, v.terms FROM unnest($1::uuid[], $2::int[]) AS b (id, version)
		JOIN campaigns c ON c.id = b.id JOIN campaign_versions v ON v.campaign_id = b.id AND v.version = b.version ORDER BY c.id`, ids, versions)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*loyalty.Campaign, error) {
		c, now := new(loyalty.Campaign), new(loyalty.Terms)
		to := coreOf(c)
		to[len(to)-1] = now // the terms of today judge nothing
		return c, row.Scan(append(to, &c.Version, &c.Terms)...)
	})
}

// givenBy is what of a purchase stands by the ledger: what it earned, less what was
// taken back.
func (tx *Tx) givenBy(ctx context.Context, purchase loyalty.ID) (map[loyalty.ID]map[loyalty.Unit]int64, error) {
	rows, err := tx.tx.Query(ctx, `SELECT campaign_id, unit, sum(amount)::bigint FROM ledger WHERE purchase_id = $1 GROUP BY 1, 2`, purchase)
	if err != nil {
		return nil, err
	}
	given := map[loyalty.ID]map[loyalty.Unit]int64{}
	var campaign loyalty.ID
	var unit loyalty.Unit
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&campaign, &unit, &n}, func() error {
		if given[campaign] == nil {
			given[campaign] = map[loyalty.Unit]int64{}
		}
		given[campaign][unit] = n
		return nil
	})
	return given, err
}

// answer is what the reversal says.
func (v *reversing) answer() Reversal {
	r := Reversal{ID: v.id, PurchaseID: v.purchase, Status: v.status, Items: []ReversalItem{}, Taken: []TakenBack{}, Reason: v.in.Reason}
	if len(v.remains) == 0 {
		r.Status = "reversed"
	}
	for _, l := range v.lines {
		if l.back > 0 {
			r.Items = append(r.Items, ReversalItem{GTIN: string(l.gtin), Quantity: l.back})
		}
	}
	for _, t := range v.takes {
		for _, u := range t.Campaign.Scheme.Units() {
			if n := t.amount[u]; n > 0 {
				r.Taken = append(r.Taken, TakenBack{CampaignID: t.Campaign.ID, Campaign: t.from.campaign.Name, Unit: u, Amount: n, Balance: t.into.balance(u) - n})
			}
		}
	}
	return r
}

// writeReversal records all of it. Quotas come last, in one order for everybody.
func (tx *Tx) writeReversal(ctx context.Context, v *reversing, r Reversal, actor string) error {
	type back struct {
		Line     int   `json:"line"`
		Quantity int64 `json:"quantity"`
	}
	var items []back
	for _, l := range v.lines {
		if l.back > 0 {
			items = append(items, back{l.number, l.back})
			tx.later(`UPDATE purchase_items SET returned = returned + $3 WHERE purchase_id = $1 AND line = $2`, v.purchase, l.number, l.back)
		}
	}
	answer, err := json.Marshal(r)
	if err != nil {
		return err
	}
	tx.later(`INSERT INTO reversals (id, purchase_id, reason, items, answer, actor, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		v.id, v.purchase, v.in.Reason, items, answer, actor, tx.now)
	if r.Status == "reversed" {
		tx.later(`UPDATE purchases SET status = 'reversed', pending_campaigns = NULL, matures_at = NULL WHERE id = $1`, v.purchase)
	}
	var quotas []quotaTake
	for _, t := range v.takes {
		for _, u := range t.Campaign.Scheme.Units() {
			if n := t.amount[u]; n > 0 {
				tx.enter(t.from, movement{kind: "reverse", unit: u, amount: -n, version: t.Campaign.Version, purchase: v.purchase, reversal: v.id})
				quotas = append(quotas, quotaTake{campaign: t.Campaign.ID, name: string(u), amount: n})
			}
		}
		for _, q := range t.Quotas {
			if q.Name != loyalty.QuotaStamps && q.Name != loyalty.QuotaPoints { // a budget's are those that the ledger took
				quotas = append(quotas, quotaTake{campaign: t.Campaign.ID, name: q.Name, amount: q.Amount})
			}
		}
		if t.into != t.from {
			if err := tx.forward(ctx, t.from, t.into); err != nil {
				return err
			}
		}
		t.into.Standing = t.into.Standing.Without(t.Return, t.into.campaign.Tiers, &v.sale)
		tx.keep(t.into)
		if t.Gone { // no cooldown runs from what came back
			tx.later(`
				UPDATE enrollments e SET last_earned_at = x.at, last_earned_on = CASE WHEN x.at IS NOT NULL THEN least(e.last_earned_on, (x.at AT TIME ZONE 'UTC')::date) END
				FROM (SELECT max(p.occurred_at) AS at FROM ledger l JOIN purchases p ON p.id = l.purchase_id
				  WHERE l.enrollment_id IN (SELECT m.id FROM enrollments m WHERE m.id = $1 OR m.merged_into = $1)
				    AND l.kind = 'earn' AND p.id <> $2 AND p.status <> 'reversed') x WHERE e.id = $1`, t.into.ID, v.purchase)
		}
	}
	if err := tx.rollupDay(ctx, v.sale.At, v.shop.TimeZone); err != nil {
		return err
	}
	tx.ring(Event{Kind: CardChanged, ID: v.person})
	if err := tx.tellReversal(ctx, v, r); err != nil {
		return err
	}
	slices.SortFunc(quotas, func(a, b quotaTake) int {
		return cmp.Or(cmp.Compare(a.campaign, b.campaign), cmp.Compare(a.name, b.name))
	})
	for _, q := range quotas {
		tx.later(`UPDATE quotas SET used = greatest(used - $3, 0) WHERE campaign_id = $1 AND name = $2`, q.campaign, q.name, q.amount)
	}
	return nil
}

// tellReversal tells the consumer what was taken; where nothing was, there is
// nothing to tell.
func (tx *Tx) tellReversal(ctx context.Context, v *reversing, r Reversal) error {
	if len(r.Taken) == 0 {
		return nil
	}
	taken, negative := make([]map[string]string, len(r.Taken)), ""
	for i, t := range r.Taken {
		below := ""
		if t.Balance < 0 {
			below, negative = "yes", "yes"
		}
		taken[i] = map[string]string{
			"campaign": t.Campaign, "unit": string(t.Unit), "amount": strconv.FormatInt(t.Amount, 10),
			"balance": strconv.FormatInt(t.Balance, 10), "negative": below,
		}
	}
	_, err := tx.Notify(ctx, Notice{
		Person: v.person, Lane: LaneReceipt, Template: "reversal.done", Cause: "reversal:" + string(r.ID),
		Vars: map[string]string{
			"shop": v.shop.Name, "date": loyalty.DayInWords(v.sale.At.In(v.sale.Zone)), "taken": rows(taken), "negative": negative, varCardURL: "",
		},
	})
	return err
}

// Reversals gives what was taken back of a purchase, oldest first, to who may see
// it.
func (tx *Tx) Reversals(ctx context.Context, scope loyalty.Scope, purchase loyalty.ID) ([]Reversal, error) {
	if _, err := tx.Purchase(ctx, scope, purchase); err != nil {
		return nil, err
	}
	rows, err := tx.tx.Query(ctx, `SELECT answer FROM reversals WHERE purchase_id = $1 ORDER BY created_at, id`, purchase)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[Reversal])
}
