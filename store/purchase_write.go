package store

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// judge lets the rules say what the purchase brings.
func (p *purchase) judge(tx *Tx, quotas quotaStates) {
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
	evaluate(p.parts, &p.sale, quotas)
	p.report()
	if len(p.pending) > 0 {
		p.receipt.Status = "pending"
	}
}

// evaluate gives the parts their judgements, and takes from the quotas what they
// use.
func evaluate(parts []part, sale *loyalty.Sale, quotas quotaStates) {
	candidates := make([]loyalty.Candidate, len(parts))
	for i := range parts {
		pt := &parts[i]
		candidates[i] = loyalty.Candidate{
			Campaign: pt.campaign, Enrolled: pt.enrollment.ID != "", Standing: pt.enrollment.Standing,
			LastEarned: pt.enrollment.LastEarned, Left: quotas.left(pt, sale), Out: pt.basis.Out,
		}
	}
	judgements := loyalty.Evaluate(candidates, sale)
	for i := range judgements {
		j := &judgements[i]
		n := slices.IndexFunc(candidates, func(c loyalty.Candidate) bool { return c.Campaign == j.Campaign })
		parts[n].judgement = j
		if j.Earned() {
			parts[n].basis = loyalty.NewBasis(&candidates[n], sale, j)
			quotas.take(&parts[n])
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

// write records all of them: it travels with COMMIT.
func (r round) write(tx *Tx) error {
	var w purchaseRows
	var n noticeRows
	e := newEarnings()
	for _, p := range r {
		if err := w.add(p); err != nil {
			return err
		}
		p.notice(tx, &n)
		e.of(tx, p)
		tx.ring(Event{Kind: CardChanged, ID: p.person.ID})
	}
	r.join(tx)
	r.relate(tx)
	e.enroll(tx)
	tx.later(insertPurchases, slices.Concat([]any{tx.now}, w.args(), n.args(), e.args())...)
	for _, p := range r {
		if p.evidence != nil {
			tx.later(`UPDATE evidence_codes SET used_at = $2, purchase_id = $3 WHERE code = $1`, p.code, tx.now, p.receipt.ID)
		}
	}
	e.reserve(tx)
	return nil
}

// join makes the cards that begin with the purchases.
func (r round) join(tx *Tx) {
	for _, p := range r {
		if !p.hasCard {
			tx.later(`
				INSERT INTO cards (id, person_id, shop_id, created_at) VALUES ($1, $2, $3, $4)
				ON CONFLICT ON CONSTRAINT cards_person_issuer_key DO NOTHING`, tx.newID(), p.person.ID, p.known.shop.ID, tx.now)
		}
	}
}

// purchaseRows are purchases, their lines and their causes, column by column.
type purchaseRows struct {
	ids, shops, people         []loyalty.ID
	channels                   []Channel
	captured, statuses, actors []string
	totals                     []int64
	receipts                   []string
	occurred                   []time.Time
	bases, pending             []*string // as Postgres reads them
	matures                    []*time.Time
	causes, keys               []string
	digests                    [][]byte
	of, products               []loyalty.ID
	lines                      []int32
	quantities, prices         []int64
	estimated                  []bool
}

func (w *purchaseRows) add(p *purchase) error {
	receipt, err := json.Marshal(p.receipt)
	if err != nil {
		return err
	}
	basis, err := jsonOrNull(p.bases())
	if err != nil {
		return err
	}
	w.ids, w.shops, w.people = append(w.ids, p.receipt.ID), append(w.shops, p.known.shop.ID), append(w.people, p.person.ID)
	w.channels, w.captured, w.statuses = append(w.channels, p.in.Channel), append(w.captured, p.in.Captured), append(w.statuses, p.receipt.Status)
	w.actors, w.totals, w.receipts = append(w.actors, p.actor), append(w.totals, int64(p.receipt.TotalCents)), append(w.receipts, string(receipt))
	w.occurred, w.bases, w.matures = append(w.occurred, p.at), append(w.bases, basis), append(w.matures, p.matures)
	w.pending = append(w.pending, arrayOrNull(p.pending))
	w.causes, w.keys, w.digests = append(w.causes, purchaseCause(p.caller)), append(w.keys, p.in.Key), append(w.digests, p.digest)
	for i, l := range p.lines {
		w.of, w.lines, w.products = append(w.of, p.receipt.ID), append(w.lines, int32(i)), append(w.products, l.Product) //nolint:gosec // lines are few
		w.quantities, w.prices = append(w.quantities, l.Quantity), append(w.prices, int64(l.UnitPrice))
		w.estimated = append(w.estimated, p.receipt.Items[i].PriceEstimated)
	}
	return nil
}

// args are the columns in the order of insertPurchases, which begin with $2.
func (w *purchaseRows) args() []any {
	return []any{
		w.ids, w.shops, w.people, w.channels, w.captured, w.statuses, w.totals, w.actors, w.receipts, w.occurred, w.bases, w.pending, w.matures,
		w.of, w.lines, w.products, w.quantities, w.prices, w.estimated,
		w.causes, w.keys, w.digests,
	}
}

// jsonOrNull writes a map as JSON; an empty one is NULL.
func jsonOrNull[K comparable, V any](m map[K]V) (*string, error) {
	if m == nil {
		return nil, nil
	}
	b, err := json.Marshal(m)
	s := string(b)
	return &s, err
}

// arrayOrNull writes IDs as Postgres reads an array; none is NULL. Arrays of arrays
// must be square there, so one in a column of many travels as text.
func arrayOrNull(ids []loyalty.ID) *string {
	if ids == nil {
		return nil
	}
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	s := "{" + strings.Join(texts, ",") + "}"
	return &s
}

// noticeRows are what consumers are told of their purchases, column by column.
type noticeRows struct {
	ids, people, purchases      []loyalty.ID
	messages, templates, traces []string
}

func (n *noticeRows) args() []any {
	return []any{n.ids, n.people, n.messages, n.templates, n.traces, n.purchases}
}

// notice adds what the consumer is told, and rings for it.
func (p *purchase) notice(tx *Tx, n *noticeRows) {
	template := p.receipt.notice()
	if template == "" || !p.person.Hears {
		return
	}
	id := tx.newID()
	n.ids, n.people, n.purchases = append(n.ids, id), append(n.people, p.person.ID), append(n.purchases, p.receipt.ID)
	n.messages, n.templates, n.traces = append(n.messages, messageID(id)), append(n.templates, template), append(n.traces, p.trace)
	tx.ring(Event{Kind: DeliveryDue, ID: p.person.ID, Row: id, Number: p.person.Number})
}

// insertNotices queues what consumers are told of their purchases.
const insertNotices = `INSERT INTO outbox (id, person_id, message_id, lane, template, vars, trace_id, created_at, due_at)
		SELECT x.id, x.person, x.message, 'receipt', x.template, jsonb_build_object('` + varPurchase + `', x.purchase, '` + varCardURL + `', ''), x.trace, $now, $now
		FROM unnest($ids::uuid[], $people::uuid[], $messages::text[], $templates::text[], $traces::text[], $purchases::uuid[])
		  AS x (id, person, message, template, trace, purchase)`

// noticesSQL is insertNotices with the parameters of a statement; those of the
// notices begin with the given number.
func noticesSQL(now string, first int) string {
	return numbered(insertNotices, first, []string{"$ids", "$people", "$messages", "$templates", "$traces", "$purchases"}, "$now", now)
}

// insertPurchases is one statement, because each costs Postgres more than what it
// does here. The cause's key is what makes a second purchase of the same cause
// fail; who comes second waits for the first, and finds its receipt when tried
// again.
var insertPurchases = `
	WITH purchase AS (
		INSERT INTO purchases (id, shop_id, person_id, channel, captured, status, total_cents, actor, receipt, occurred_at, recorded_at,
		  basis, pending_campaigns, matures_at)
		SELECT x.id, x.shop, x.person, x.channel, x.captured, x.status, x.total, x.actor, x.receipt::jsonb, x.at, $1,
		  x.basis::jsonb, x.pending::uuid[], x.matures
		FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[],
		  $11::timestamptz[], $12::text[], $13::text[], $14::timestamptz[])
		  AS x (id, shop, person, channel, captured, status, total, actor, receipt, at, basis, pending, matures)
	), items AS (
		INSERT INTO purchase_items (purchase_id, line, product_id, quantity, unit_price_cents, price_estimated)
		SELECT * FROM unnest($15::uuid[], $16::int[], $17::uuid[], $18::int[], $19::bigint[], $20::bool[])
	), cause AS (
		INSERT INTO causes (scope, key, digest, result_id, created_at)
		SELECT x.scope, x.key, x.digest, x.id, $1 FROM unnest($21::text[], $22::text[], $23::bytea[], $2::uuid[]) AS x (scope, key, digest, id)
	), message AS (
		` + noticesSQL("$1", 24) + `
	), ` + earningsSQL("$1", 30)

// insertEarnings raises balances and appends the ledger entries of purchases. The
// consumers' locks make the balances that the entries state those that the rows
// come to.
const insertEarnings = `raised AS (
		UPDATE enrollments e SET stamps = e.stamps + x.stamps, points = e.points + x.points, standing = x.standing::jsonb,
		  next_expiry_at = x.next,
		  -- A purchase that comes late is not the latest.
		  last_shop_id = CASE WHEN e.last_earned_at > x.at THEN e.last_shop_id ELSE x.shop END,
		  last_earned_at = greatest(e.last_earned_at, x.at),
		  last_earned_on = coalesce(e.last_earned_on, (x.at AT TIME ZONE 'UTC')::date)  -- may lag: see QueueNudges
		FROM unnest($enrollments::uuid[], $shops::uuid[], $times::timestamptz[], $stamps::bigint[], $points::bigint[], $standings::text[], $next::timestamptz[])
		  AS x (id, shop, at, stamps, points, standing, next)
		WHERE e.id = x.id
	)
	INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance, purchase_id, expires_at, at)
	SELECT x.id, x.enrollment, x.campaign, x.version, 'earn', x.unit, x.amount, x.balance, x.purchase, x.ends, $now
	FROM unnest($ids::uuid[], $of::uuid[], $campaigns::uuid[], $versions::int[], $units::text[], $amounts::bigint[], $balances::bigint[], $purchases::uuid[], $ends::timestamptz[])
	  AS x (id, enrollment, campaign, version, unit, amount, balance, purchase, ends)`

// earningsSQL is insertEarnings with the parameters of a statement; those of the
// earnings begin with the given number.
func earningsSQL(now string, first int) string {
	return numbered(insertEarnings, first, []string{
		"$enrollments", "$shops", "$times", "$stamps", "$points", "$standings", "$next",
		"$ids", "$of", "$campaigns", "$versions", "$units", "$amounts", "$balances", "$purchases", "$ends",
	}, "$now", now)
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

// relate writes down that the CPGs of the lines are sold in the shops: the first
// sale makes the relation.
func (r round) relate(tx *Tx) {
	var fresh []cpgShop
	for _, p := range r {
		known := &p.known.rules.known
		for _, l := range p.lines {
			pair := cpgShop{l.CPG, p.known.shop.ID}
			if _, ok := known.Load(pair); ok || slices.Contains(fresh, pair) {
				continue
			}
			fresh = append(fresh, pair)
			tx.afterCommit(func() { known.Store(pair, true) })
		}
	}
	slices.SortFunc(fresh, func(a, b cpgShop) int { return cmp.Or(cmp.Compare(a.cpg, b.cpg), cmp.Compare(a.shop, b.shop)) })
	for _, pair := range fresh {
		tx.later(`INSERT INTO cpg_shops (cpg_id, shop_id, source, created_at, updated_at) VALUES ($1, $2, 'sale', $3, $3) ON CONFLICT DO NOTHING`,
			pair.cpg, pair.shop, tx.now)
	}
}
