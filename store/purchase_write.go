package store

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// judge lets the rules say what the purchase brings.
func (p *purchase) judge(tx *Tx) {
	p.receipt = Receipt{
		ID: tx.newID(), Status: "recorded", ShopCode: p.known.shop.Code, CardCode: p.person.CardCode, Channel: p.in.Channel,
		Captured: p.in.Captured, Earned: []Earned{}, OccurredAt: p.at,
	}
	for i, l := range p.lines {
		pr := p.known.products[p.gtins[i]]
		p.receipt.TotalCents += l.UnitPrice * loyalty.Cents(l.Quantity)
		p.receipt.Items = append(p.receipt.Items, ReceiptItem{
			GTIN: string(pr.GTIN), Name: pr.Name, Quantity: l.Quantity, UnitPriceCents: l.UnitPrice,
			PriceEstimated: p.in.Items[i].UnitPriceCents == nil,
		})
	}
	evaluate(p.parts, &p.sale)
	p.report()
	if len(p.pending) > 0 {
		p.receipt.Status = "pending"
	}
}

// evaluate gives the parts their judgements, and leaves out those that have none.
func evaluate(parts []part, sale *loyalty.Sale) {
	candidates := make([]loyalty.Candidate, len(parts))
	for i := range parts {
		pt := &parts[i]
		candidates[i] = loyalty.Candidate{
			Campaign: pt.campaign, Enrolled: pt.enrollment.ID != "", Standing: pt.enrollment.Standing,
			LastEarned: pt.enrollment.LastEarned, Left: pt.left, Out: pt.basis.Out,
		}
	}
	judgements := loyalty.Evaluate(candidates, sale)
	for i := range judgements {
		j := &judgements[i]
		n := slices.IndexFunc(candidates, func(c loyalty.Candidate) bool { return c.Campaign == j.Campaign })
		parts[n].judgement = j
		if j.Earned() {
			parts[n].basis = loyalty.NewBasis(&candidates[n], sale, j)
		}
	}
}

// report writes the judgements into the receipt.
func (p *purchase) report() {
	for i := range p.parts {
		pt := &p.parts[i]
		j, c := pt.judgement, pt.campaign
		if j == nil {
			continue
		}
		if j.Why != "" {
			p.receipt.Notes = append(p.receipt.Notes, Note{CampaignID: c.ID, Campaign: c.Name, Why: j.Why})
		}
		if j.Pending && j.Earned() {
			p.wait(c)
		}
		tier := c.Tiers.At(j.Standing.Tier, p.sale.At, p.sale.Zone).Level
		for _, u := range c.Scheme.Units() {
			amount := j.Amount(u)
			switch {
			case amount == 0:
			case j.Pending:
				p.receipt.Pending = append(p.receipt.Pending, Expected{CampaignID: c.ID, Campaign: c.Name, Unit: u, Amount: amount})
			default:
				balance := pt.enrollment.balance(u) + amount
				p.receipt.Earned = append(p.receipt.Earned, Earned{
					CampaignID: c.ID, Campaign: c.Name, Unit: u, Amount: amount,
					Balance: balance, Goal: c.GoalOf(u), RewardReady: pt.rule.ready(c, u, balance, tier),
				})
			}
		}
	}
}

// wait notes that a campaign waits for the consumer's yes, and when the first of
// them does without it.
func (p *purchase) wait(c *loyalty.Campaign) {
	p.pending = append(p.pending, c.ID)
	if at := p.maturesAt(c); at != nil && (p.matures == nil || at.Before(*p.matures)) {
		p.matures = at
	}
}

// maturesAt is when a campaign does without the consumer's yes; nil: never.
func (p *purchase) maturesAt(c *loyalty.Campaign) *time.Time {
	if c.Terms.Pending == nil || c.Terms.Pending.Hours == 0 {
		return nil
	}
	at := p.receipt.ID.Time().Add(time.Duration(c.Terms.Pending.Hours) * time.Hour)
	return &at
}

// write records all of it: it travels with COMMIT.
func (p *purchase) write(ctx context.Context, tx *Tx, scope loyalty.Scope) error {
	receipt, err := json.Marshal(p.receipt)
	if err != nil {
		return err
	}
	if !p.hasCard {
		tx.later(`
			INSERT INTO cards (id, person_id, shop_id, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT ON CONSTRAINT cards_person_issuer_key DO NOTHING`, tx.newID(), p.person.ID, p.known.shop.ID, tx.now)
	}
	p.relate(tx)
	e := newEarnings(tx, p)
	e.enroll(tx)
	var products []loyalty.ID
	var quantities, prices []int64
	var estimated []bool
	for i, l := range p.lines {
		products, quantities, prices = append(products, l.Product), append(quantities, l.Quantity), append(prices, int64(l.UnitPrice))
		estimated = append(estimated, p.receipt.Items[i].PriceEstimated)
	}
	args := append([]any{
		p.receipt.ID, p.known.shop.ID, p.person.ID, p.in.Channel, p.in.Captured, p.receipt.Status, p.receipt.TotalCents,
		scope.Actor(), receipt, p.at, tx.now, p.bases(), p.pending, p.matures,
		products, quantities, prices, estimated, purchaseCause(scope), p.in.Key, p.digest,
	}, p.notice(ctx, tx)...)
	args = append(args, e.args()...)
	tx.later(insertPurchase, args...)
	if p.evidence != nil {
		tx.later(`UPDATE evidence_codes SET used_at = $2, purchase_id = $3 WHERE code = $1`, p.code, tx.now, p.receipt.ID)
	}
	tx.ring(Event{Kind: CardChanged, ID: p.person.ID})
	e.reserve(tx)
	return nil
}

// notice gives the parameters of insertReceipt, and rings for it.
func (p *purchase) notice(ctx context.Context, tx *Tx) []any {
	id, template := tx.newID(), p.receipt.notice()
	said := template != "" && p.person.Hears
	if said {
		tx.ring(Event{Kind: DeliveryDue, ID: p.person.ID, Row: id})
	}
	return []any{id, messageID(id), template, Trace(ctx), said}
}

// insertReceipt queues what the consumer is told.
const insertReceipt = `INSERT INTO outbox (id, person_id, message_id, lane, template, vars, trace_id, created_at, due_at)
		SELECT $id, $person, $message, 'receipt', $template, jsonb_build_object('` + varPurchase + `', $purchase::uuid, '` + varCardURL + `', ''), $trace, $now, $now
		WHERE $said`

// receiptSQL is insertReceipt with the parameters of a statement; those of notice
// begin with the given number.
func receiptSQL(person, now, purchase string, first int) string {
	return numbered(insertReceipt, first, []string{"$id", "$message", "$template", "$trace", "$said"}, "$person", person, "$now", now, "$purchase", purchase)
}

// insertPurchase is one statement, because each costs Postgres more than what it
// does here. The cause's key is what makes a second purchase of the same cause
// fail; who comes second waits for the first, and finds its receipt when tried
// again.
var insertPurchase = `
	WITH purchase AS (
		INSERT INTO purchases (id, shop_id, person_id, channel, captured, status, total_cents, actor, receipt, occurred_at, recorded_at,
		  basis, pending_campaigns, matures_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
	), items AS (
		INSERT INTO purchase_items (purchase_id, line, product_id, quantity, unit_price_cents, price_estimated)
		SELECT $1, x.line - 1, x.product, x.quantity, x.price, x.estimated
		FROM unnest($15::uuid[], $16::int[], $17::bigint[], $18::bool[]) WITH ORDINALITY AS x (product, quantity, price, estimated, line)
	), cause AS (
		INSERT INTO causes (scope, key, digest, result_id, created_at) VALUES ($19, $20, $21, $1, $11)
	), message AS (
		` + receiptSQL("$3", "$11", "$1", 22) + `
	), ` + earningsSQL("$2", "$10", "$11", "$1", 27)

// insertEarnings raises balances and appends the ledger entries of a purchase.
// The consumer's lock makes the balances that the entries state those that the
// rows come to.
const insertEarnings = `raised AS (
		UPDATE enrollments e SET stamps = e.stamps + x.stamps, points = e.points + x.points, standing = x.standing::jsonb,
		  next_expiry_at = x.next,
		  -- A purchase that comes late is not the latest.
		  last_shop_id = CASE WHEN e.last_earned_at > $at THEN e.last_shop_id ELSE $shop END,
		  last_earned_at = greatest(e.last_earned_at, $at),
		  last_earned_on = coalesce(e.last_earned_on, ($at::timestamptz AT TIME ZONE 'UTC')::date)  -- may lag: see QueueNudges
		FROM unnest($enrollments::uuid[], $stamps::bigint[], $points::bigint[], $standings::text[], $next::timestamptz[]) AS x (id, stamps, points, standing, next)
		WHERE e.id = x.id
	)
	INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance, purchase_id, expires_at, at)
	SELECT x.id, x.enrollment, x.campaign, x.version, 'earn', x.unit, x.amount, x.balance, $purchase, x.ends, $now
	FROM unnest($ids::uuid[], $of::uuid[], $campaigns::uuid[], $versions::int[], $units::text[], $amounts::bigint[], $balances::bigint[], $ends::timestamptz[])
	  AS x (id, enrollment, campaign, version, unit, amount, balance, ends)`

// earningsSQL is insertEarnings with the parameters of a statement; those of the
// earnings begin with the given number.
func earningsSQL(shop, at, now, purchase string, first int) string {
	return numbered(insertEarnings, first, []string{
		"$enrollments", "$stamps", "$points", "$standings", "$next",
		"$ids", "$of", "$campaigns", "$versions", "$units", "$amounts", "$balances", "$ends",
	}, "$shop", shop, "$at", at, "$now", now, "$purchase", purchase)
}

// numbered gives names in a statement their numbers, from first on; others are
// given as pairs.
func numbered(sql string, first int, names []string, pairs ...string) string {
	for i, name := range names {
		pairs = append(pairs, name, "$"+strconv.Itoa(first+i))
	}
	return strings.NewReplacer(pairs...).Replace(sql)
}

// bases keep what each campaign judged the purchase on, for a reversal, and for
// the consumer's yes.
func (p *purchase) bases() map[loyalty.ID]loyalty.Basis {
	var all map[loyalty.ID]loyalty.Basis
	for i := range p.parts {
		if pt := &p.parts[i]; pt.judgement != nil && pt.judgement.Earned() {
			if all == nil {
				all = make(map[loyalty.ID]loyalty.Basis, len(p.parts))
			}
			all[pt.campaign.ID] = pt.basis
		}
	}
	return all
}

// relate writes down that the CPGs of the lines are sold in the shop: the first
// sale makes the relation.
func (p *purchase) relate(tx *Tx) {
	known := &p.known.rules.known
	for _, l := range p.lines {
		pair := cpgShop{l.CPG, p.known.shop.ID}
		if _, ok := known.Load(pair); ok {
			continue
		}
		tx.later(`INSERT INTO cpg_shops (cpg_id, shop_id, source, created_at, updated_at) VALUES ($1, $2, 'sale', $3, $3) ON CONFLICT DO NOTHING`,
			l.CPG, p.known.shop.ID, tx.now)
		tx.afterCommit(func() { known.Store(pair, true) })
	}
}
