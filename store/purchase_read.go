package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// read locks the consumers and reads all that the judgements need, in one round
// trip where memory knows the rules. What follows the lock in the batch runs with
// a snapshot taken after it, and so sees what the last holder wrote.
func (r round) read(ctx context.Context, tx *Tx, held patience) (quotaStates, error) {
	for _, p := range r {
		p.known, p.card = tx.db.memory.recollect(p.in.ShopCode, p.gtins), p.code
	}
	r.prove(tx)
	for {
		now, quotas, err := r.readState(ctx, tx, held)
		if err != nil {
			return nil, err
		}
		// Who was known by another name, until two persons turned out to be one, has
		// the keys of both.
		sure := !slices.ContainsFunc(r, func(p *purchase) bool { return p.refused == nil && p.actor != p.caller.Actor() })
		for _, p := range r.open() {
			if p.person.MergedInto != "" {
				// The card of somebody who turned out to be another: the other's is it.
				sure = false
				if err := tx.tx.QueryRow(ctx, `SELECT card_code FROM consumers WHERE person_id = $1`, p.person.MergedInto).Scan(&p.card); err != nil {
					return nil, err
				}
			}
			if p.known.holds(now) {
				continue
			}
			// Rules changed since they were remembered, or this is asked for the
			// first time: once they were read anew, what they need may be something
			// else.
			sure = false
			if p.known = tx.db.memory.recollect(p.in.ShopCode, p.gtins); p.known.holds(now) {
				continue // another of the round asked already
			}
			if p.known, err = tx.recall(ctx, now, p.in.ShopCode, p.gtins); err != nil {
				return nil, err
			}
		}
		if sure {
			return quotas, nil
		}
	}
}

// prove asks whether the callers are who they seem to be, each once.
func (r round) prove(tx *Tx) {
	asked := map[Credential]bool{}
	for _, p := range r {
		if p.proof == nil || asked[*p.proof] {
			continue
		}
		by := *p.proof
		asked[by] = true
		tx.prove(by, func(scope loyalty.Scope, err error) {
			for _, p := range r {
				if p.proof != nil && *p.proof == by {
					p.caller, p.refused = scope, err
				}
			}
		})
	}
}

// readState reads the consumers' states, and the numbers of the rules now.
func (r round) readState(ctx context.Context, tx *Tx, held patience) (now generations, quotas quotaStates, err error) {
	for _, p := range r {
		p.prepare()
	}
	var b pgx.Batch
	// Planning these statements each time would cost more than running them; left
	// alone, Postgres does, because it does not know how short the lists are.
	b.Queue(`SET LOCAL plan_cache_mode = force_generic_plan`)
	locked := r.queueLock(&b, held)
	r.queueContext(&b, func(rows pgx.Rows) (err error) {
		now, err = r.readContext(rows, locked, held)
		return err
	})
	quotas = r.queueQuotas(&b, tx)
	return now, quotas, tx.tx.SendBatch(ctx, &b).Close()
}

// queueLock locks the persons behind the codes: the cards', or the evidence
// code's, which is locked as well. It gives whom it locked.
func (r round) queueLock(b *pgx.Batch, held patience) (locked map[loyalty.ID]bool) {
	locked = map[loyalty.ID]bool{}
	const lock = `SELECT c.person_id, ` + shareBudgets + ` FROM consumers c WHERE `
	read := func(rows pgx.Rows) error {
		var id loyalty.ID
		_, err := pgx.ForEachRow(rows, []any{&id, nil}, func() error { locked[id] = true; return nil })
		return err
	}
	if p := r[0]; p.kind == loyalty.EvidenceCode {
		b.Queue(lock+`c.person_id = (SELECT v.person_id FROM evidence_codes v WHERE v.code = $1) FOR NO KEY UPDATE`, p.code).Query(read)
		b.Queue(`SELECT expires_at, used_at FROM evidence_codes WHERE code = $1 FOR UPDATE`, p.code).Query(func(rows pgx.Rows) error {
			e, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[evidenceRow])
			if err == nil {
				p.evidence = &e
			}
			return ignoreNone(err)
		})
		return locked
	}
	b.Queue(lock+`c.card_code = ANY($1) FOR NO KEY UPDATE`+string(held), r.cards()).Query(read)
	return locked
}

func (r round) cards() []string {
	codes := make([]string, len(r))
	for i, p := range r {
		codes[i] = p.card
	}
	return codes
}

// queueContext asks for all that is the consumers' and the causes'.
func (r round) queueContext(b *pgx.Batch, read func(pgx.Rows) error) {
	var scopes, keys []string
	var shops []*loyalty.ID
	var campaigns []loyalty.ID
	segmented := false
	for _, p := range r {
		p.actor = p.caller.Actor()
		scopes, keys, shops = append(scopes, purchaseCause(p.caller)), append(keys, p.in.Key), append(shops, optional(p.known.shop.ID))
		segmented = p.asks(&campaigns) || segmented
	}
	who := `c.card_code = x.code`
	if r[0].kind == loyalty.EvidenceCode {
		who = `c.person_id = (SELECT v.person_id FROM evidence_codes v WHERE v.code = x.code)`
	}
	b.Queue(`
		SELECT x.n, `+readGenerations+`, f.digest, f.receipt,
		  c.person_id, c.card_code, pe.erased_at IS NOT NULL, coalesce(pe.birthday, ''), pe.first_wrote_at IS NOT NULL AND pe.opted_out_at IS NULL, pe.number_id, c.merged_into,
		  EXISTS (SELECT FROM cards ca WHERE ca.person_id = c.person_id AND ca.shop_id = x.shop),
		  CASE WHEN $6 THEN ARRAY(SELECT m.segment_id::text FROM segment_members m WHERE m.person_id = c.person_id) END,
		  e.id, e.campaign_id, e.shop_id, e.stamps, e.points, e.standing, e.last_earned_at, e.next_expiry_at
		FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) WITH ORDINALITY AS x (code, scope, key, shop, n)
		LEFT JOIN consumers c ON `+who+` LEFT JOIN persons pe ON pe.id = c.person_id
		LEFT JOIN (SELECT ca.scope, ca.key, ca.digest, pu.receipt FROM causes ca JOIN purchases pu ON pu.id = ca.result_id) f ON f.scope = x.scope AND f.key = x.key
		LEFT JOIN enrollments e ON e.person_id = c.person_id AND e.campaign_id = ANY($5) AND (e.shop_id IS NULL OR e.shop_id = x.shop)`,
		r.cards(), scopes, keys, shops, campaigns, segmented).Query(read)
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

// asks adds the campaigns whose enrollments the judgement looks at to those of
// others, and says whether it asks for segments.
func (p *purchase) asks(campaigns *[]loyalty.ID) (segmented bool) {
	ask := func(id loyalty.ID) {
		if id != "" && !slices.Contains(*campaigns, id) {
			*campaigns = append(*campaigns, id)
		}
	}
	for _, part := range p.parts {
		ask(part.campaign.ID)
		ask(part.campaign.Audience.TierOf)
		segmented = segmented || len(part.campaign.Audience.Segments) > 0
	}
	return segmented
}

func (r round) readContext(rows pgx.Rows, locked map[loyalty.ID]bool, held patience) (now generations, err error) {
	defer rows.Close()
	for _, p := range r {
		p.first, p.person, p.tiers = nil, consumerRow{}, map[loyalty.ID]loyalty.TierStanding{}
	}
	var numbers []int64
	for rows.Next() {
		var n int
		var f firstAnswer
		var person consumerRow
		var personID, cardCode *string
		var number, mergedInto *loyalty.ID
		var hasCard bool
		var segments []loyalty.ID
		var id, campaign, shop *loyalty.ID
		var stamps, points *int64
		var standing *loyalty.Standing
		var last *time.Time
		var e enrollmentRow
		err := rows.Scan(&n, &numbers, &f.digest, &f.receipt, &personID, &cardCode, &person.Erased, &person.Birthday, &person.Hears, &number, &mergedInto,
			&hasCard, &segments, &id, &campaign, &shop, &stamps, &points, &standing, &last, &e.NextExpiry)
		if err != nil {
			return now, err
		}
		p := r[n-1]
		if f.digest != nil {
			p.first = &f
		}
		if personID != nil {
			person.ID, person.CardCode = loyalty.ID(*personID), *cardCode
			if !locked[person.ID] {
				p.busy = held == passesOver
				person.ID, mergedInto = "", nil // who came to be after the lock was not there
			}
		}
		set(&person.Number, number)
		if set(&person.MergedInto, mergedInto); person.MergedInto != "" {
			p.busy = held == passesOver // the other may be in the round as well
		}
		p.person, p.hasCard, p.sale.Segments = person, hasCard, segments
		if id == nil {
			continue
		}
		e.ID, e.Campaign, e.Stamps, e.Points = *id, *campaign, *stamps, *points
		set(&e.Shop, shop)
		set(&e.Standing, standing)
		set(&e.LastEarned, last)
		p.tiers[e.Campaign] = e.Standing.Tier
		for i := range p.parts {
			if c := p.parts[i].campaign; c.ID == e.Campaign && c.PerShop == (e.Shop != "") {
				p.parts[i].enrollment = e
			}
		}
	}
	for _, p := range r {
		p.sale.Birthday = p.person.Birthday
		p.sale.Holds = p.holds
	}
	return generationsOf(numbers), rows.Err()
}

// holds says whether the consumer's tier in another campaign is enough.
func (p *purchase) holds(campaign loyalty.ID, tier string) bool {
	r := p.known.rules.find(campaign)
	if r == nil {
		return false
	}
	t := r.at(p.at).Tiers
	return t.Rank(t.At(p.tiers[campaign], p.at, p.sale.Zone).Level) >= max(t.Rank(tier), 1)
}

// queueQuotas reads how the quotas stand that the judgements may use. Who was too
// late once waits for them, so as to judge by what is left for sure.
func (r round) queueQuotas(b *pgx.Batch, tx *Tx) quotaStates {
	states := quotaStates{}
	var campaigns []loyalty.ID
	var names []string
	for _, p := range r {
		for i := range p.parts {
			for _, name := range p.parts[i].quotas(&p.sale) {
				key := quotaKey{p.parts[i].campaign.ID, name}
				if _, asked := states[key]; !asked {
					states[key] = nil
					campaigns, names = append(campaigns, key.campaign), append(names, name)
				}
			}
		}
	}
	clear(states)
	if len(names) == 0 {
		return states
	}
	lock := ""
	if tx.attempt > 1 {
		lock = ` FOR UPDATE OF q`
	}
	b.Queue(`
		SELECT q.campaign_id, q.name, q.cap, q.used FROM quotas q
		WHERE (q.campaign_id, q.name) IN (SELECT * FROM unnest($1::uuid[], $2::text[])) ORDER BY 1, 2`+lock, campaigns, names).
		Query(func(rows pgx.Rows) error {
			var key quotaKey
			var s quotaState
			_, err := pgx.ForEachRow(rows, []any{&key.campaign, &key.name, &s.cap, &s.used}, func() error {
				states[key] = new(s)
				return nil
			})
			return err
		})
	return states
}

// quotas names those that a sale may use.
func (part *part) quotas(sale *loyalty.Sale) []string {
	names := part.campaign.SharedLimits(sale)
	if part.rule.quotas {
		names = append(names, loyalty.QuotaStamps, loyalty.QuotaPoints)
	}
	return names
}
