package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

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
	MaxItems    = loyalty.MaxLines
	MaxQuantity = loyalty.MaxQuantity
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
	Pending    []Expected    `json:"pending,omitempty"` // what the consumer's yes will bring
	Notes      []Note        `json:"notes,omitempty"`   // why a campaign gave less than its rules say
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

// Expected is what a purchase will bring in a campaign once it is confirmed.
type Expected struct {
	CampaignID loyalty.ID   `json:"campaign_id"`
	Campaign   string       `json:"campaign"`
	Unit       loyalty.Unit `json:"unit"`
	Amount     int64        `json:"amount"`
}

// Note says why a campaign gave less than its rules say, or nothing.
type Note struct {
	CampaignID loyalty.ID  `json:"campaign_id"`
	Campaign   string      `json:"campaign"`
	Why        loyalty.Why `json:"why"`
}

// RecordPurchase records a sale and everything that follows from it: the
// consumer's card at the shop, what each campaign gives, the ledger, and the
// message to the consumer. The same key again gives the first receipt, and
// replayed. Errors: VALIDATION_FAILED, SHOP_NOT_FOUND, SHOP_INACTIVE,
// CARD_NOT_FOUND, EVIDENCE_CODE_UNKNOWN, EVIDENCE_CODE_USED,
// EVIDENCE_CODE_EXPIRED, PRODUCT_UNKNOWN, FORBIDDEN, IDEMPOTENCY_KEY_REUSED.
//
// It is two round trips: what it reads travels with BEGIN, what it writes with
// COMMIT. Whoever changes a consumer's balances locks the consumer's row first,
// and any other row of the consumer after it; so what is read after the lock
// stays true until the commit, and nobody waits in a circle. The lock leaves the
// key alone, which rows that refer to it need.
//
// A door that has nothing else to do in the transaction asks DB.RecordPurchase,
// where purchases of the same moment share these round trips.
func (tx *Tx) RecordPurchase(ctx context.Context, scope loyalty.Scope, in PurchaseInput) (r Receipt, replayed bool, err error) {
	o, err := newOrder(tx.now, scope, in)
	if err != nil {
		return r, false, err
	}
	o.trace = Trace(ctx)
	p := o.begin()
	if err := tx.record(ctx, round{p}, waits); err != nil {
		return r, false, err
	}
	return p.receipt, p.first != nil, p.refused
}

// order is a purchase as it was asked for, understood and within its bounds.
type order struct {
	in     PurchaseInput
	scope  loyalty.Scope // who asks, as far as is known
	proof  *Credential   // by which the caller is to be known; nil: it is known
	trace  string
	code   string
	kind   loyalty.CodeKind
	gtins  []loyalty.GTIN
	at     time.Time
	digest []byte
}

// purchase is an order on its way: what the database said, and what comes of it.
type purchase struct {
	*order

	card     string // by which the consumer is found: the code, unless two turned out to be one
	known    recollection
	person   consumerRow
	first    *firstAnswer // set when the cause has had its effect
	evidence *evidenceRow
	hasCard  bool
	busy     bool  // another holds the consumer, and a round does not wait
	refused  error // why it cannot be recorded

	caller loyalty.Scope // who asks, proven where that was to be
	actor  string        // the caller by whose name the cause was looked for
	tiers  map[loyalty.ID]loyalty.TierStanding

	lines []loyalty.Line
	sale  loyalty.Sale
	parts []part
	waits []part // where it is settled: the campaigns that waited; no others judge it

	receipt Receipt
	pending []loyalty.ID // campaigns that wait for the consumer's yes
	matures *time.Time   // when they do without it
}

// begin puts the order on its way, once for each time that it is tried.
func (o *order) begin() *purchase { return &purchase{order: o, caller: o.scope} }

type firstAnswer struct {
	digest  []byte
	receipt json.RawMessage
}

// consumerRow is what a purchase needs to know of the consumer, whose row is
// locked.
type consumerRow struct {
	ID       loyalty.ID
	CardCode string
	Erased   bool
	Birthday string
	Hears    bool // wrote to the bot, and not BAJA

	Number     loyalty.ID // of the bot's, that the person last wrote to; "" where the channel has none
	MergedInto loyalty.ID // who this person turned out to be
}

// part is a campaign's part in a purchase: what it is judged on, and what it
// brings.
type part struct {
	rule       *ruledCampaign
	campaign   *loyalty.Campaign
	enrollment enrollmentRow
	caps       map[string]int64   // the bounds of the quotas that it may use
	judgement  *loyalty.Judgement // nil: the purchase does not concern it
	basis      loyalty.Basis
}

// enrollmentRow is an enrollment as a purchase finds it; its ID is "" where the
// consumer has no part in the campaign yet.
type enrollmentRow struct {
	ID         loyalty.ID
	Campaign   loyalty.ID
	Shop       loyalty.ID // where the campaign counts per shop
	Stamps     int64
	Points     int64
	Standing   loyalty.Standing
	LastEarned time.Time
	NextExpiry *time.Time
}

func (e *enrollmentRow) balance(u loyalty.Unit) int64 {
	if u == loyalty.Stamp {
		return e.Stamps
	}
	return e.Points
}

func newOrder(now time.Time, scope loyalty.Scope, in PurchaseInput) (*order, error) {
	if in.Captured == "" {
		in.Captured = "scan"
	}
	p := &order{in: in, scope: scope, at: now}
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
		p.gtins = append(p.gtins, gtin)
	}
	if p.at.After(now.Add(maxEarliness)) {
		bad("occurred_at", "no puede estar en el futuro")
	}
	if p.at.Before(now.Add(-maxLateness)) {
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

// replay gives the first answer, if the same was asked.
func (p *purchase) replay() error {
	if !bytes.Equal(p.first.digest, p.digest) {
		return loyalty.Fail(loyalty.KindUnprocessable, loyalty.CodeIdempotencyReused,
			"Esa Idempotency-Key ya se usó con otra compra. Usa una nueva.")
	}
	return json.Unmarshal(p.first.receipt, &p.receipt)
}

// check refuses what cannot be recorded.
func (p *purchase) check(now time.Time) error {
	switch {
	case p.known.shop.ID == "":
		return loyalty.NotFound(loyalty.CodeShopNotFound, "No encontramos esa tienda. Revisa el código.")
	case !p.caller.SellsAt(p.known.shop.ID):
		return loyalty.Forbidden()
	case !p.known.shop.Active:
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeShopInactive, "Esa tienda ya no participa.")
	}
	if p.kind == loyalty.EvidenceCode {
		if err := p.evidence.usable(now); err != nil {
			return err
		}
	}
	if p.person.ID == "" || p.person.Erased {
		return loyalty.NotFound(loyalty.CodeCardNotFound, "No encontramos esa tarjeta. Revisa el código.")
	}
	var unknown []loyalty.FieldError
	for i, gtin := range p.gtins {
		if !p.known.products[gtin].Active {
			unknown = append(unknown, loyalty.FieldError{Field: fmt.Sprintf("items[%d].gtin", i), Reason: "no conocemos este producto"})
		}
	}
	if unknown != nil {
		return &loyalty.Error{Kind: loyalty.KindUnprocessable, Code: loyalty.CodeProductUnknown,
			Detail: "Hay un producto que no está en el catálogo de Qoa.", Fields: unknown}
	}
	return nil
}
