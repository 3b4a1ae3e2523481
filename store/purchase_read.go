package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// read locks the consumer and reads all that the judgement needs, in one round
// trip where memory knows the rules. What follows the lock in the batch runs with
// a snapshot taken after it, and so sees what the last holder wrote.
func (p *purchase) read(ctx context.Context, tx *Tx, scope loyalty.Scope) error {
	p.known = tx.db.memory.recollect(p.in.ShopCode, p.gtins)
	for {
		now, err := p.readState(ctx, tx, scope)
		if err != nil || p.first != nil || p.known.holds(now) {
			return err
		}
		// Rules changed since they were remembered, or this is asked for the first
		// time: once they were read anew, what they need may be something else.
		if p.known, err = tx.recall(ctx, now, p.in.ShopCode, p.gtins); err != nil {
			return err
		}
	}
}

// readState reads the consumer's state, and the numbers of the rules now.
func (p *purchase) readState(ctx context.Context, tx *Tx, scope loyalty.Scope) (now generations, err error) {
	p.prepare()
	var b pgx.Batch
	// Planning these statements each time would cost more than running them; left
	// alone, Postgres does, because it does not know how short the lists are.
	b.Queue(`SET LOCAL plan_cache_mode = force_generic_plan`)
	// The person behind the code: the card's, or the evidence code's.
	who := `c.card_code = $1`
	if p.kind == loyalty.EvidenceCode {
		who = `c.person_id = (SELECT v.person_id FROM evidence_codes v WHERE v.code = $1)`
	}
	p.person = consumerRow{}
	b.Queue(`
		SELECT c.person_id, c.card_code, `+shareBudgets+` FROM consumers c WHERE `+who+` FOR NO KEY UPDATE`, p.code).
		QueryRow(func(row pgx.Row) error { return ignoreNone(row.Scan(&p.person.ID, &p.person.CardCode, nil)) })
	if p.kind == loyalty.EvidenceCode {
		b.Queue(`SELECT expires_at, used_at FROM evidence_codes WHERE code = $1 FOR UPDATE`, p.code).Query(func(rows pgx.Rows) error {
			e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[evidenceRow])
			if err == nil {
				p.evidence = &e
			}
			return ignoreNone(err)
		})
	}
	campaigns, segmented := p.asked()
	b.Queue(`
		SELECT `+readGenerations+`, f.digest, f.receipt,
		  pe.erased_at IS NOT NULL, coalesce(pe.birthday, ''), pe.first_wrote_at IS NOT NULL AND pe.opted_out_at IS NULL,
		  EXISTS (SELECT FROM cards ca WHERE ca.person_id = c.person_id AND ca.shop_id = $5),
		  CASE WHEN $6 THEN ARRAY(SELECT m.segment_id::text FROM segment_members m WHERE m.person_id = c.person_id) END,
		  e.id, e.campaign_id, e.shop_id, e.stamps, e.points, e.standing, e.last_earned_at, e.next_expiry_at
		FROM (SELECT) one LEFT JOIN consumers c ON `+who+` LEFT JOIN persons pe ON pe.id = c.person_id
		LEFT JOIN (SELECT ca.digest, pu.receipt FROM causes ca JOIN purchases pu ON pu.id = ca.result_id
		  WHERE ca.scope = $2 AND ca.key = $3) f ON true
		LEFT JOIN enrollments e ON e.person_id = c.person_id AND e.campaign_id = ANY($4) AND (e.shop_id IS NULL OR e.shop_id = $5)`,
		p.code, purchaseCause(scope), p.in.Key, campaigns, optional(p.known.shop.ID), segmented).
		Query(func(rows pgx.Rows) (err error) {
			now, err = p.readContext(rows)
			return err
		})
	p.queueQuotas(&b, tx)
	return now, tx.tx.SendBatch(ctx, &b).Close()
}

// purchaseCause is the scope of causes in which a caller's keys are unique.
func purchaseCause(scope loyalty.Scope) string { return "purchase:" + scope.Actor() }

// prepare makes the sale and the parts of what is remembered of shop, products
// and rules.
func (p *purchase) prepare() {
	p.lines = p.lines[:0]
	for i, item := range p.in.Items {
		pr := p.known.products[p.gtins[i]]
		price := pr.Price
		if item.UnitPriceCents != nil {
			price = loyalty.Cents(*item.UnitPriceCents)
		}
		p.lines = append(p.lines, loyalty.Line{Product: pr.ID, Brand: pr.Brand, CPG: pr.CPG, Quantity: item.Quantity, UnitPrice: price})
	}
	p.sale = loyalty.Sale{
		At: p.at, Zone: loyalty.Zone(p.known.shop.TimeZone), Shop: p.known.shop.ID, Lines: p.lines,
		Typed: p.in.Captured == "typed" && p.kind == loyalty.CardCode,
	}
	if p.parts = slices.Clone(p.waits); p.parts != nil {
		return
	}
	rules, versions := p.known.rules.concerned(&p.known.shop, p.at, p.lines)
	for i, c := range versions {
		p.parts = append(p.parts, part{rule: rules[i], campaign: c})
	}
}

// asked gives the campaigns whose enrollments the judgement looks at, and
// whether it asks for segments.
func (p *purchase) asked() (campaigns []loyalty.ID, segmented bool) {
	campaigns = make([]loyalty.ID, 0, len(p.parts))
	for _, part := range p.parts {
		campaigns = append(campaigns, part.campaign.ID)
		if other := part.campaign.Audience.TierOf; other != "" {
			campaigns = append(campaigns, other)
		}
		segmented = segmented || len(part.campaign.Audience.Segments) > 0
	}
	return campaigns, segmented
}

func (p *purchase) readContext(rows pgx.Rows) (now generations, err error) {
	defer rows.Close()
	p.first = nil
	tiers := map[loyalty.ID]loyalty.TierStanding{}
	for rows.Next() {
		var numbers []int64
		var f firstAnswer
		var id, campaign, shop *loyalty.ID
		var stamps, points *int64
		var standing *loyalty.Standing
		var last *time.Time
		var e enrollmentRow
		err := rows.Scan(&numbers, &f.digest, &f.receipt, &p.person.Erased, &p.person.Birthday, &p.person.Hears,
			&p.hasCard, &p.sale.Segments, &id, &campaign, &shop, &stamps, &points, &standing, &last, &e.NextExpiry)
		if err != nil {
			return now, err
		}
		now = generationsOf(numbers)
		if f.digest != nil {
			p.first = &f
		}
		if id == nil {
			continue
		}
		e.ID, e.Campaign, e.Stamps, e.Points = *id, *campaign, *stamps, *points
		set(&e.Shop, shop)
		set(&e.Standing, standing)
		set(&e.LastEarned, last)
		tiers[e.Campaign] = e.Standing.Tier
		for i := range p.parts {
			if c := p.parts[i].campaign; c.ID == e.Campaign && c.PerShop == (e.Shop != "") {
				p.parts[i].enrollment = e
			}
		}
	}
	p.sale.Birthday = p.person.Birthday
	p.sale.Holds = p.holds(tiers)
	return now, rows.Err()
}

// holds says of the consumer's tiers in other campaigns whether one is enough.
func (p *purchase) holds(tiers map[loyalty.ID]loyalty.TierStanding) func(loyalty.ID, string) bool {
	return func(campaign loyalty.ID, tier string) bool {
		r := p.known.rules.find(campaign)
		if r == nil {
			return false
		}
		t := r.at(p.at).Tiers
		return t.Rank(t.At(tiers[campaign], p.at, p.sale.Zone).Level) >= max(t.Rank(tier), 1)
	}
}

// queueQuotas reads what is left of the quotas that the judgement may use. Who
// was too late once waits for them, so as to judge by what is left for sure.
func (p *purchase) queueQuotas(b *pgx.Batch, tx *Tx) {
	var campaigns []loyalty.ID
	var names []string
	for _, part := range p.parts {
		for _, name := range part.quotas(&p.sale) {
			campaigns, names = append(campaigns, part.campaign.ID), append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	lock := ""
	if tx.attempt > 1 {
		lock = ` FOR UPDATE OF q`
	}
	b.Queue(`
		SELECT q.campaign_id, q.name, q.cap, q.used FROM quotas q
		WHERE (q.campaign_id, q.name) IN (SELECT * FROM unnest($1::uuid[], $2::text[])) ORDER BY 1, 2`+lock, campaigns, names).
		Query(func(rows pgx.Rows) error {
			var campaign loyalty.ID
			var name string
			var limit, used int64
			_, err := pgx.ForEachRow(rows, []any{&campaign, &name, &limit, &used}, func() error {
				for i := range p.parts {
					if part := &p.parts[i]; part.campaign.ID == campaign {
						if part.left == nil {
							part.left, part.caps = map[string]int64{}, map[string]int64{}
						}
						if shared := part.campaign.SharedLimit(name); shared > 0 { // by the terms that judge, whoever made the row
							limit = shared
						}
						part.left[name], part.caps[name] = limit-used, limit
					}
				}
				return nil
			})
			return err
		})
}

// quotas names those that a sale may use.
func (part *part) quotas(sale *loyalty.Sale) []string {
	names := part.campaign.SharedLimits(sale)
	if part.rule.quotas {
		names = append(names, loyalty.QuotaStamps, loyalty.QuotaPoints)
	}
	return names
}
