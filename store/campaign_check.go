package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

const defaultNudge = 7 // days

// owner is whose a campaign or segment is that a caller makes: the CPG or the
// shop that it names, else its own. Another tenant's is answered like one that
// does not exist.
func (c *check) owner(s loyalty.Scope, cpg, shop loyalty.ID) (loyalty.ID, loyalty.ID) {
	if cpg == "" && shop == "" {
		switch {
		case s.Role == loyalty.RoleCPG:
			cpg = s.CPG
		case s.Role == loyalty.RoleTendero && len(s.Shops) == 1:
			shop = s.Shops[0]
		}
	}
	switch {
	case (cpg == "") == (shop == ""):
		c.want(false, "cpg_id", "di de quién es: de una empresa (cpg_id) o de una tienda (shop_id)")
	case cpg != "":
		c.id("cpg_id", &cpg)
		c.want(ownsFor(s, cpg, ""), "cpg_id", "la empresa no existe")
	default:
		c.id("shop_id", &shop)
		c.want(ownsFor(s, "", shop), "shop_id", "la tienda no existe")
	}
	return cpg, shop
}

// date wants a moment that a programme can be about.
func (c *check) date(field string, t time.Time) {
	c.want(t.Year() >= 2000 && t.Year() < 2200, field, "está fuera de los años posibles")
}

// checkTerms fills in what was left empty, and looks at all the rest: what the
// terms say, and that they speak of what exists and is the owner's.
func (tx *Tx) checkTerms(ctx context.Context, c *check, of *loyalty.Campaign) error {
	t := &of.Terms
	if t.Enrolment == "" {
		t.Enrolment = loyalty.Automatic
	}
	if t.StartsAt.IsZero() {
		t.StartsAt = tx.now
	}
	if t.NudgeQuietDays == 0 {
		t.NudgeQuietDays = defaultNudge
	}
	if t.NudgeGapDays == 0 {
		t.NudgeGapDays = defaultNudge
	}
	wrong := t.Check()
	c.Fields = append(c.Fields, wrong...)
	if of.Owner != "" {
		c.want(!t.AllProducts && len(t.Brands) == 0, "product_ids", "la campaña de una tienda nombra sus productos uno por uno")
	}
	if len(wrong) > 0 {
		return nil
	}
	var brands, products, shops, segments int64
	err := tx.tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM brands WHERE id = ANY($1) AND ($5::uuid IS NULL OR cpg_id = $5)),
		  (SELECT count(*) FROM products WHERE id = ANY($2) AND ($5::uuid IS NULL OR cpg_id = $5)),
		  (SELECT count(*) FROM shops WHERE id = ANY($3)),
		  (SELECT count(*) FROM segments WHERE id = ANY($4) AND (cpg_id = $5 OR shop_id = $6))`,
		nonNil(t.Brands), nonNil(t.Products), nonNil(t.Shops), nonNil(t.Audience.Segments), optional(of.CPG), optional(of.Owner)).
		Scan(&brands, &products, &shops, &segments)
	c.want(brands == int64(len(t.Brands)), "brand_ids", "una marca no existe o no es de la empresa dueña de la campaña")
	c.want(products == int64(len(t.Products)), "product_ids", "un producto no existe o no es de la empresa dueña de la campaña")
	c.want(shops == int64(len(t.Shops)), "shop_ids", "una tienda no existe")
	c.want(segments == int64(len(t.Audience.Segments)), "audience.segment_ids", "un segmento no existe o no es del dueño de la campaña")
	return err
}

// coherent refuses a campaign that contradicts itself. Its row is saved before,
// and what is made from its terms is up to them.
func (tx *Tx) coherent(ctx context.Context, v *Campaign) error {
	findings, err := tx.review(ctx, v)
	if err != nil {
		return err
	}
	e := loyalty.Fail(loyalty.KindConflict, loyalty.CodeCampaignContradictory, "La campaña se contradice: corrígela antes de seguir.")
	for _, f := range findings {
		if f.Severity == loyalty.SeverityError {
			e.Fields = append(e.Fields, loyalty.FieldError{Field: f.Field, Reason: f.Message})
		}
	}
	if e.Fields != nil {
		return e
	}
	return nil
}

// ReviewCampaign explains what contradicts itself in a campaign (its owner, or an
// admin), what keeps it from review first.
func (tx *Tx) ReviewCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID) ([]loyalty.Finding, error) {
	if err := ownersOnly(scope); err != nil {
		return nil, err
	}
	v, err := tx.Campaign(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	if !owns(scope, &v.Campaign) {
		return nil, loyalty.Forbidden()
	}
	return tx.review(ctx, &v)
}

func (tx *Tx) review(ctx context.Context, v *Campaign) ([]loyalty.Finding, error) {
	rewards, err := collect[Reward](ctx, tx, rewardFields+` WHERE campaign_id = $1 ORDER BY threshold, id`, v.ID)
	if err != nil {
		return nil, err
	}
	r, err := tx.reach(ctx, &v.Campaign)
	if err != nil {
		return nil, err
	}
	return tx.findings(ctx, &v.Campaign, rewards, r)
}

// findings are those of a campaign with these rewards that reaches so far.
func (tx *Tx) findings(ctx context.Context, v *loyalty.Campaign, rewards []Reward, r reach) ([]loyalty.Finding, error) {
	facts := loyalty.Facts{Now: tx.now, PLIs: int64(len(r.plis)), Shops: r.shops}
	for _, r := range rewards {
		facts.Rewards = append(facts.Rewards, loyalty.RewardFacts{
			Name: r.Name, Unit: r.Unit, Threshold: r.Threshold, Stock: r.Stock, StartsAt: r.StartsAt, EndsAt: r.EndsAt,
			Cost: r.Cost, MinTier: r.MinTier, Segment: r.Segment, Active: r.Active,
		})
	}
	var known []loyalty.ID
	var audience *loyalty.Terms
	err := tx.tx.QueryRow(ctx, `
		SELECT ARRAY(SELECT pr.name FROM products pr WHERE pr.id = ANY($1) AND pr.cpg_id <> $2 ORDER BY pr.name),
		  ARRAY(SELECT s.id::text FROM segments s WHERE s.cpg_id = $2 OR s.shop_id = $3),
		  (SELECT o.terms FROM campaigns o WHERE o.id = $4 AND (o.cpg_id = $2 OR o.shop_id = $3)),
		  (SELECT g.budget_cents - g.reserved_cents FROM cpgs g WHERE g.id = $2)`,
		nonNil(v.Terms.Products), optional(v.CPG), optional(v.Owner), optional(v.Audience.TierOf)).
		Scan(&facts.ForeignProducts, &known, &audience, &facts.MoneyLeft)
	if err != nil {
		return nil, err
	}
	named := slices.Clone(v.Audience.Segments)
	for _, r := range rewards {
		if r.Segment != "" {
			named = append(named, r.Segment)
		}
	}
	for _, id := range named {
		if !slices.Contains(known, id) {
			facts.UnknownSegments = append(facts.UnknownSegments, id)
		}
	}
	if audience != nil && audience.Tiers != nil {
		for _, l := range audience.Tiers.Levels {
			facts.AudienceTiers = append(facts.AudienceTiers, l.Name)
		}
	}
	return loyalty.Review(*v, facts), nil
}

// reach is how far a campaign's terms reach.
type reach struct {
	plis  []loyalty.ID
	shops int64  // also those that are still to join
	first []Shop // the first ones of them
}

// mostReached is how many shops are named where the others are only counted.
const mostReached = 4

// reach finds the PLIs and counts the shops that a campaign's terms come to, saved
// or not.
func (tx *Tx) reach(ctx context.Context, c *loyalty.Campaign) (r reach, err error) {
	p := placing{Campaign: *c}
	if c.CPG != "" {
		err = tx.tx.QueryRow(ctx, `SELECT ARRAY(SELECT shop_id FROM cpg_shops WHERE cpg_id = $1 AND NOT active)`, c.CPG).Scan(&p.out)
		if err != nil {
			return r, err
		}
	}
	lines, err := tx.linesOf(ctx, []*placing{&p})
	if err != nil {
		return r, err
	}
	for i := range lines {
		if p.Sells(&lines[i]) {
			r.plis = append(r.plis, lines[i].Product)
		}
	}
	rows, err := tx.tx.Query(ctx, `SELECT id, name, kind, city, state FROM shops WHERE active ORDER BY id`)
	if err != nil {
		return r, err
	}
	var v Shop
	_, err = pgx.ForEachRow(rows, []any{&v.ID, &v.Name, &v.Kind, &v.City, &v.State}, func() error {
		if at := v.place(); p.Owner == at.ID || p.Owner == "" && p.Aims(at) && !slices.Contains(p.out, at.ID) {
			if r.shops++; len(r.first) < mostReached {
				r.first = append(r.first, v)
			}
		}
		return nil
	})
	return r, err
}
