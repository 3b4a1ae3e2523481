package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Channel says how a purchase came in.
type Channel string

// The channels.
const (
	ChannelScan       Channel = "scan"
	ChannelEvidence   Channel = "evidence"
	ChannelTConecta   Channel = "tconecta"
	ChannelAPI        Channel = "api"
	ChannelBackoffice Channel = "backoffice"
)

// Bounds of a purchase.
const (
	MaxItems    = 50
	MaxQuantity = 999
	// A queue that was offline may deliver late; a clock may be a little fast.
	maxLateness  = 30 * 24 * time.Hour
	maxEarliness = 5 * time.Minute
)

// PurchaseInput is a purchase to be recorded.
type PurchaseInput struct {
	Key        string // natural key of the cause within the caller, 1 to 128 characters
	ShopCode   string
	Code       string // card code, evidence code, or the URL of a card's QR
	Captured   string // scan (default) or typed
	Items      []ItemInput
	OccurredAt *time.Time // default: now
	Channel    Channel
}

// ItemInput is one line of it. A missing price is the reference price.
type ItemInput struct {
	GTIN           string `json:"gtin"`
	Quantity       int64  `json:"quantity"`
	UnitPriceCents *int64 `json:"unit_price_cents,omitempty"`
}

// Receipt is the answer to a purchase, the same for every repeat.
type Receipt struct {
	ID         loyalty.ID    `json:"id"`
	Status     string        `json:"status"` // recorded, pending or reversed
	ShopCode   string        `json:"shop_code"`
	CardCode   string        `json:"card_code"`
	Channel    Channel       `json:"channel"`
	Captured   string        `json:"captured"`
	Items      []ReceiptItem `json:"items"`
	TotalCents loyalty.Cents `json:"total_cents"`
	Earned     []Earned      `json:"earned"`
	OccurredAt time.Time     `json:"occurred_at"`
}

// ReceiptItem is one line of a receipt.
type ReceiptItem struct {
	GTIN           string        `json:"gtin"`
	Name           string        `json:"name"`
	Quantity       int64         `json:"quantity"`
	UnitPriceCents loyalty.Cents `json:"unit_price_cents"`
	PriceEstimated bool          `json:"price_estimated"`
}

// Earned is what a purchase brought in one campaign.
type Earned struct {
	CampaignID  loyalty.ID   `json:"campaign_id"`
	Campaign    string       `json:"campaign"`
	Unit        loyalty.Unit `json:"unit"`
	Amount      int64        `json:"amount"`
	Balance     int64        `json:"balance"`
	Goal        int64        `json:"goal"`
	RewardReady bool         `json:"reward_ready"`
}

// RecordPurchase records a sale and everything that follows from it: the
// consumer's card at the shop, what each campaign gives, the ledger, and the
// message to the consumer. The same key again gives the first receipt, and
// replayed. Errors: VALIDATION_FAILED, SHOP_NOT_FOUND, SHOP_INACTIVE,
// CARD_NOT_FOUND, EVIDENCE_CODE_UNKNOWN, EVIDENCE_CODE_USED,
// EVIDENCE_CODE_EXPIRED, PRODUCT_UNKNOWN, FORBIDDEN, IDEMPOTENCY_KEY_REUSED.
//
// Whoever changes a consumer's balances locks the consumer's row first, and any
// other row of the consumer after it; so what is read after the lock stays true
// until the commit, and nobody waits in a circle. The lock leaves the key alone,
// which rows that refer to it need.
func (tx *Tx) RecordPurchase(ctx context.Context, scope loyalty.Scope, in PurchaseInput) (r Receipt, replayed bool, err error) {
	p, err := newPurchase(tx, in)
	if err != nil {
		return r, false, err
	}
	if err := p.read(ctx, tx, scope); err != nil {
		return r, false, err
	}
	if p.first != nil {
		return p.replay()
	}
	if err := p.check(tx, scope); err != nil {
		return r, false, err
	}
	p.judge()
	return p.receipt, false, p.write(ctx, tx, scope)
}

// purchase is a purchase on its way: what was asked, what the database said,
// and what comes of it.
type purchase struct {
	in     PurchaseInput
	code   string
	kind   loyalty.CodeKind
	gtins  []string
	at     time.Time
	digest []byte

	first      *firstAnswer // set when the cause has had its effect
	shop       Shop
	person     loyalty.ID
	cardCode   string
	erased     bool
	evidence   *evidenceRow
	products   map[string]productRow
	candidates []candidateRow

	receipt  Receipt
	lines    []loyalty.Line
	earnings []loyalty.Earning
}

type firstAnswer struct {
	digest  []byte
	receipt json.RawMessage
}

type productRow struct {
	ID    loyalty.ID    `db:"id"`
	GTIN  string        `db:"gtin"`
	Name  string        `db:"name"`
	Price loyalty.Cents `db:"reference_price_cents"`
}

// candidateRow is a campaign that the shop takes part in with one of the
// products, and the person's part in it.
type candidateRow struct {
	campaign  loyalty.Campaign
	plis      []loyalty.ID
	enrolled  bool
	balance   int64
	today     int64 // earned on the sale's day so far, where a limit counts it
	threshold int64 // of the nearest reward; the goal where there is none
}

func newPurchase(tx *Tx, in PurchaseInput) (*purchase, error) {
	if in.Captured == "" {
		in.Captured = "scan"
	}
	p := &purchase{in: in, at: tx.now}
	if in.OccurredAt != nil {
		p.at = in.OccurredAt.UTC().Truncate(time.Microsecond)
	}
	var fields []loyalty.FieldError
	bad := func(field, reason string) {
		fields = append(fields, loyalty.FieldError{Field: field, Reason: reason})
	}
	if n := utf8.RuneCountInString(in.Key); n < 1 || n > 128 {
		return nil, loyalty.Fail(loyalty.KindInvalid, loyalty.CodeIdempotencyMissing, "Falta el encabezado Idempotency-Key (de 1 a 128 caracteres).")
	}
	p.in.ShopCode, _ = loyalty.ParseCode(in.ShopCode)
	if in.ShopCode == "" {
		bad("shop_code", "falta el código de la tienda")
	}
	p.code, p.kind = loyalty.ScannedCode(in.Code)
	if p.kind != loyalty.CardCode && p.kind != loyalty.EvidenceCode {
		bad("card_code", "no es un código de tarjeta válido; revisa que esté bien escrito")
	}
	if in.Captured != "scan" && in.Captured != "typed" {
		bad("captured", "debe ser scan o typed")
	}
	if len(in.Items) < 1 || len(in.Items) > MaxItems {
		bad("items", fmt.Sprintf("debe tener de 1 a %d productos", MaxItems))
	}
	for i, item := range in.Items {
		gtin, err := loyalty.ParseGTIN(item.GTIN)
		if err != nil {
			bad(fmt.Sprintf("items[%d].gtin", i), "no es un código de barras válido")
		}
		if item.Quantity < 1 || item.Quantity > MaxQuantity {
			bad(fmt.Sprintf("items[%d].quantity", i), fmt.Sprintf("debe ser de 1 a %d", MaxQuantity))
		}
		if c := item.UnitPriceCents; c != nil && (*c < 0 || *c > int64(loyalty.MaxPrice)) {
			bad(fmt.Sprintf("items[%d].unit_price_cents", i), "debe ser de 0 a 100000000 centavos")
		}
		p.gtins = append(p.gtins, string(gtin))
	}
	if p.at.After(tx.now.Add(maxEarliness)) {
		bad("occurred_at", "no puede estar en el futuro")
	}
	if p.at.Before(tx.now.Add(-maxLateness)) {
		bad("occurred_at", "no puede ser de hace más de 30 días")
	}
	if fields != nil {
		return nil, &loyalty.Error{Kind: loyalty.KindInvalid, Code: loyalty.CodeInvalid, Detail: "Revisa los datos de la compra.", Fields: fields}
	}
	// The digest is of the meaning, not the bytes: white space is no other body.
	meaning, err := json.Marshal([]any{p.in.ShopCode, p.code, in.Captured, p.gtins, in.Items, in.OccurredAt})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(meaning)
	p.digest = sum[:]
	return p, nil
}

// read claims the cause, locks the consumer, and then reads all that the
// judgement needs, in one round trip. What follows the lock in the batch runs
// with a snapshot taken after it, and so sees what the last holder wrote.
func (p *purchase) read(ctx context.Context, tx *Tx, scope loyalty.Scope) error {
	var b pgx.Batch
	claimed := false
	b.Queue(`INSERT INTO causes (scope, key, digest, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		"purchase:"+scope.Actor(), p.in.Key, p.digest, tx.now).Exec(func(tag pgconn.CommandTag) error {
		claimed = tag.RowsAffected() == 1
		return nil
	})
	b.Queue(shopFields+` WHERE code = $1`, p.in.ShopCode).Query(func(rows pgx.Rows) (err error) {
		p.shop, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Shop])
		return ignoreNone(err)
	})
	b.Queue(`SELECT id, gtin, name, reference_price_cents FROM products WHERE gtin = ANY($1) AND active`, p.gtins).
		Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowToStructByName[productRow])
			p.products = make(map[string]productRow, len(all))
			for _, r := range all {
				p.products[r.GTIN] = r
			}
			return err
		})
	// The person behind the code: the card's, or the evidence code's.
	who := `(SELECT person_id FROM consumers WHERE card_code = $1)`
	if p.kind == loyalty.EvidenceCode {
		who = `(SELECT person_id FROM evidence_codes WHERE code = $1)`
	}
	b.Queue(`SELECT person_id, card_code FROM consumers WHERE person_id = `+who+` FOR NO KEY UPDATE`, p.code).QueryRow(func(row pgx.Row) error {
		return ignoreNone(row.Scan(&p.person, &p.cardCode))
	})
	b.Queue(`SELECT erased_at IS NOT NULL FROM persons WHERE id = `+who, p.code).QueryRow(func(row pgx.Row) error {
		return ignoreNone(row.Scan(&p.erased))
	})
	if p.kind == loyalty.EvidenceCode {
		b.Queue(`SELECT expires_at, used_at FROM evidence_codes WHERE code = $1 FOR UPDATE`, p.code).Query(func(rows pgx.Rows) error {
			e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[evidenceRow])
			if err == nil {
				p.evidence = &e
			}
			return ignoreNone(err)
		})
	}
	b.Queue(`
		SELECT c.id, c.cpg_id, c.name, c.scheme, c.status, c.enrolment, c.per_unit, c.per_peso,
		  coalesce(c.max_per_purchase, 0), coalesce(c.max_per_day, 0), c.goal, c.starts_at, c.ends_at, c.version,
		  array_agg(pr.id::text), e.id IS NOT NULL, coalesce(CASE c.scheme WHEN 'stamps' THEN e.stamps ELSE e.points END, 0),
		  coalesce((SELECT n.earned FROM earning_counters n WHERE n.enrollment_id = e.id
		    AND n.period = 'day:' || ($4::timestamptz AT TIME ZONE s.time_zone)::date::text), 0),
		  coalesce((SELECT min(r.threshold) FROM rewards r WHERE r.campaign_id = c.id AND r.active), c.goal)
		FROM products pr
		JOIN campaign_products cp ON cp.product_id = pr.id
		JOIN campaigns c ON c.id = cp.campaign_id
		JOIN shops s ON s.code = $3
		LEFT JOIN enrollments e ON e.campaign_id = c.id AND e.shop_id IS NULL AND e.person_id = `+who+`
		WHERE pr.gtin = ANY($2) AND c.status = 'active'
		  AND (c.all_shops OR EXISTS (SELECT FROM campaign_shops cs WHERE cs.campaign_id = c.id AND cs.shop_id = s.id))
		GROUP BY c.id, e.id, s.id ORDER BY c.id`, p.code, p.gtins, p.in.ShopCode, p.at).Query(p.readCandidates)
	b.Queue(`
		SELECT ca.digest, pu.receipt FROM causes ca JOIN purchases pu ON pu.id = ca.result_id
		WHERE ca.scope = $1 AND ca.key = $2`, "purchase:"+scope.Actor(), p.in.Key).QueryRow(func(row pgx.Row) error {
		var f firstAnswer
		err := row.Scan(&f.digest, &f.receipt)
		if err == nil {
			p.first = &f
		}
		return ignoreNone(err)
	})
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if !claimed && p.first == nil {
		return fmt.Errorf("store: cause %q exists without its purchase", p.in.Key)
	}
	return nil
}

func (p *purchase) readCandidates(rows pgx.Rows) error {
	defer rows.Close()
	for rows.Next() {
		var c candidateRow
		var ends *time.Time
		m := &c.campaign
		err := rows.Scan(&m.ID, &m.CPG, &m.Name, &m.Scheme, &m.Status, &m.Enrolment, &m.Rule.PerUnit, &m.Rule.PerPeso,
			&m.Rule.MaxPerPurchase, &m.Rule.MaxPerDay, &m.Goal, &m.StartsAt, &ends, &m.Version,
			&c.plis, &c.enrolled, &c.balance, &c.today, &c.threshold)
		if err != nil {
			return err
		}
		if ends != nil {
			m.EndsAt = *ends
		}
		p.candidates = append(p.candidates, c)
	}
	return rows.Err()
}

// replay gives the first answer, if the same was asked.
func (p *purchase) replay() (r Receipt, replayed bool, err error) {
	if !bytes.Equal(p.first.digest, p.digest) {
		return r, false, loyalty.Fail(loyalty.KindUnprocessable, loyalty.CodeIdempotencyReused,
			"Esa Idempotency-Key ya se usó con otra compra. Usa una nueva.")
	}
	return r, true, json.Unmarshal(p.first.receipt, &r)
}

// check refuses what cannot be recorded.
func (p *purchase) check(tx *Tx, scope loyalty.Scope) error {
	switch {
	case p.shop.ID == "":
		return loyalty.NotFound(loyalty.CodeShopNotFound, "No encontramos esa tienda. Revisa el código.")
	case !scope.SellsAt(p.shop.ID):
		return loyalty.Forbidden()
	case !p.shop.Active:
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeShopInactive, "Esa tienda ya no participa.")
	}
	if p.kind == loyalty.EvidenceCode {
		if err := p.evidence.usable(tx.now); err != nil {
			return err
		}
	}
	if p.person == "" || p.erased {
		return loyalty.NotFound(loyalty.CodeCardNotFound, "No encontramos esa tarjeta. Revisa el código.")
	}
	var unknown []loyalty.FieldError
	for i, gtin := range p.gtins {
		if _, ok := p.products[gtin]; !ok {
			unknown = append(unknown, loyalty.FieldError{Field: fmt.Sprintf("items[%d].gtin", i), Reason: "no conocemos este producto"})
		}
	}
	if unknown != nil {
		return &loyalty.Error{Kind: loyalty.KindUnprocessable, Code: loyalty.CodeProductUnknown,
			Detail: "Hay un producto que no está en el catálogo de Qoa.", Fields: unknown}
	}
	return nil
}

// judge lets the rules say what the purchase brings.
func (p *purchase) judge() {
	p.receipt = Receipt{
		Status: "recorded", ShopCode: p.shop.Code, CardCode: p.cardCode, Channel: p.in.Channel,
		Captured: p.in.Captured, Earned: []Earned{}, OccurredAt: p.at,
	}
	for i, item := range p.in.Items {
		pr := p.products[p.gtins[i]]
		price, estimated := pr.Price, true
		if item.UnitPriceCents != nil {
			price, estimated = loyalty.Cents(*item.UnitPriceCents), false
		}
		p.lines = append(p.lines, loyalty.Line{Product: pr.ID, Quantity: item.Quantity, UnitPrice: price})
		p.receipt.TotalCents += price * loyalty.Cents(item.Quantity)
		p.receipt.Items = append(p.receipt.Items, ReceiptItem{
			GTIN: pr.GTIN, Name: pr.Name, Quantity: item.Quantity, UnitPriceCents: price, PriceEstimated: estimated,
		})
	}
	candidates := make([]loyalty.Candidate, len(p.candidates))
	rows := make(map[loyalty.ID]candidateRow, len(p.candidates))
	for i, c := range p.candidates {
		plis := make(map[loyalty.ID]bool, len(c.plis))
		for _, id := range c.plis {
			plis[id] = true
		}
		candidates[i] = loyalty.Candidate{
			Campaign: c.campaign, PLI: func(id loyalty.ID) bool { return plis[id] }, Enrolled: c.enrolled, EarnedToday: c.today,
		}
		rows[c.campaign.ID] = c
	}
	p.earnings = loyalty.Evaluate(candidates, loyalty.Sale{At: p.at, Lines: p.lines})
	for _, e := range p.earnings {
		c := rows[e.Campaign.ID]
		balance := c.balance + e.Amount
		p.receipt.Earned = append(p.receipt.Earned, Earned{
			CampaignID: e.Campaign.ID, Campaign: e.Campaign.Name, Unit: e.Unit, Amount: e.Amount,
			Balance: balance, Goal: e.Campaign.Goal, RewardReady: balance >= c.threshold,
		})
	}
}

// write records all of it in one round trip.
func (p *purchase) write(ctx context.Context, tx *Tx, scope loyalty.Scope) error {
	id := tx.newID()
	p.receipt.ID = id
	receipt, err := json.Marshal(p.receipt)
	if err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(`
		INSERT INTO cards (id, person_id, shop_id, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT ON CONSTRAINT cards_person_issuer_key DO NOTHING`, tx.newID(), p.person, p.shop.ID, tx.now)
	b.Queue(`
		INSERT INTO purchases (id, shop_id, person_id, channel, captured, status, total_cents, actor, receipt, occurred_at, recorded_at)
		VALUES ($1, $2, $3, $4, $5, 'recorded', $6, $7, $8, $9, $10)`,
		id, p.shop.ID, p.person, p.in.Channel, p.in.Captured, p.receipt.TotalCents, scope.Actor(), receipt, p.at, tx.now)
	for i, l := range p.lines {
		b.Queue(`
			INSERT INTO purchase_items (purchase_id, line, product_id, quantity, unit_price_cents, price_estimated)
			VALUES ($1, $2, $3, $4, $5, $6)`, id, i, l.Product, l.Quantity, l.UnitPrice, p.receipt.Items[i].PriceEstimated)
	}
	for _, e := range p.earnings {
		queueEarning(&b, tx, p, id, e)
	}
	if p.evidence != nil {
		b.Queue(`UPDATE evidence_codes SET used_at = $2, purchase_id = $3 WHERE code = $1`, p.code, tx.now, id)
	}
	b.Queue(`UPDATE causes SET result_id = $3 WHERE scope = $1 AND key = $2`, "purchase:"+scope.Actor(), p.in.Key, id)
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	tx.ring(Event{Kind: CardChanged, ID: p.person})
	return p.notify(ctx, tx)
}

// queueEarning raises the balance and appends the ledger entry, whose running
// balance is the one that the database came to.
func queueEarning(b *pgx.Batch, tx *Tx, p *purchase, purchase loyalty.ID, e loyalty.Earning) {
	stamps, points := split(e.Unit, e.Amount)
	// A counter is kept only where a limit reads it.
	period := ""
	if e.Campaign.Rule.MaxPerDay > 0 {
		period = loyalty.DayPeriod(p.at, loyalty.Zone(p.shop.TimeZone))
	}
	b.Queue(`
		WITH e AS (
			INSERT INTO enrollments AS e (id, person_id, campaign_id, stamps, points, last_shop_id, last_earned_at, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT ON CONSTRAINT enrollments_key DO UPDATE SET
			  stamps = e.stamps + $4, points = e.points + $5,
			  -- A purchase that comes late is not the latest.
			  last_shop_id = CASE WHEN e.last_earned_at > $7 THEN e.last_shop_id ELSE $6 END,
			  last_earned_at = greatest(e.last_earned_at, $7)
			RETURNING id, CASE WHEN $11 = 'stamp' THEN stamps ELSE points END AS balance
		), counter AS (
			INSERT INTO earning_counters AS n (enrollment_id, period, earned)
			SELECT e.id, $14, $12 FROM e WHERE $14 <> ''
			ON CONFLICT (enrollment_id, period) DO UPDATE SET earned = n.earned + $12
		)
		INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance, purchase_id, at)
		SELECT $9, e.id, $3, $10, 'earn', $11, $12, e.balance, $13, $8 FROM e`,
		tx.newID(), p.person, e.Campaign.ID, stamps, points, p.shop.ID, p.at, tx.now,
		tx.newID(), e.Campaign.Version, e.Unit, e.Amount, purchase, period)
}

// split puts an amount into the column of its unit.
func split(unit loyalty.Unit, amount int64) (stamps, points int64) {
	if unit == loyalty.Stamp {
		return amount, 0
	}
	return 0, amount
}
