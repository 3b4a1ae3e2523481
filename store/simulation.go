package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// SimulationInput says over what a campaign is simulated.
type SimulationInput struct {
	Weeks       int64  // the last ones, 1 to 26
	TakePercent *int64 // of the consumers, who take rewards as soon as they can, 0 to 100; nil is 100
}

// SimulateCampaign runs a campaign over what was really bought in the last weeks,
// less what came back, at the shops in which it would run now. It is for who owns
// the campaign, whatever its status, and only reads: run it in ReadOnly. Segments
// and tiers of other campaigns are those of today. Errors: CAMPAIGN_NOT_FOUND,
// FORBIDDEN, VALIDATION_FAILED.
func (tx *Tx) SimulateCampaign(ctx context.Context, scope loyalty.Scope, id loyalty.ID, in SimulationInput) (loyalty.Simulation, error) {
	takes := int64(100)
	set(&takes, in.TakePercent)
	var c check
	c.between("weeks", in.Weeks, 1, 26)
	c.between("take_percent", takes, 0, 100)
	if err := c.err(); err != nil {
		return loyalty.Simulation{}, err
	}
	v, err := tx.Campaign(ctx, scope, id)
	if err != nil {
		return loyalty.Simulation{}, err
	}
	if !v.OwnedBy(scope) {
		return loyalty.Simulation{}, loyalty.Forbidden()
	}
	over := v.Campaign.Over(tx.now.AddDate(0, 0, -7*int(in.Weeks)), tx.now)
	rewards, segmented := simulatedRewards(v.Rewards)
	s := loyalty.NewSimulator(over, rewards, loyalty.SimulationOptions{TakePercent: takes})
	err = tx.pastSales(ctx, &over, segmented || len(over.Audience.Segments) > 0, s.Add)
	return s.Result(), err
}

// simulatedRewards gives the rewards that can be taken, and says whether one is
// for a segment.
func simulatedRewards(all []Reward) (rewards []loyalty.SimulatedReward, segmented bool) {
	for _, r := range all {
		if !r.Active {
			continue
		}
		v := loyalty.SimulatedReward{
			ID: r.ID, Name: r.Name, Unit: r.Unit, Threshold: r.Threshold, Cost: r.Cost, MinTier: r.MinTier, Segment: r.Segment,
		}
		if r.Stock != nil {
			left := *r.Stock - r.Taken
			v.Stock = &left
		}
		if r.PerConsumer != nil {
			most := int64(*r.PerConsumer)
			v.PerConsumer = &most
		}
		segmented = segmented || r.Segment != ""
		rewards = append(rewards, v)
	}
	return rewards, segmented
}

// pastSales gives the sales of a campaign's PLIs within its dates, in the shops
// that take part now: consumer by consumer, the oldest first. They come one by one
// from the database, however many they are.
func (tx *Tx) pastSales(ctx context.Context, c *loyalty.Campaign, segmented bool, give func(person loyalty.ID, sale *loyalty.Sale, shop string)) error {
	tiers, err := tx.audienceTiers(ctx, c)
	if err != nil {
		return err
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT p.person_id, p.id, p.occurred_at, s.id, s.name, s.time_zone, coalesce(pe.birthday, ''),
		  CASE WHEN $4 THEN ARRAY(SELECT m.segment_id::text FROM segment_members m WHERE m.person_id = p.person_id) END,
		  coalesce(h.standing->'tier', '{}'), pr.id, pr.brand_id, pr.cpg_id, i.quantity - i.returned, i.unit_price_cents
		FROM campaigns c
		JOIN purchases p ON p.status = 'recorded' AND p.occurred_at >= $2 AND p.occurred_at < $3
		JOIN shops s ON s.id = p.shop_id AND s.active
		JOIN persons pe ON pe.id = p.person_id
		JOIN purchase_items i ON i.purchase_id = p.id AND i.quantity > i.returned
		JOIN products pr ON pr.id = i.product_id
		JOIN campaign_products cp ON cp.campaign_id = c.id AND cp.product_id = pr.id
		LEFT JOIN enrollments h ON h.person_id = p.person_id AND h.campaign_id = $5 AND (h.shop_id IS NULL OR h.shop_id = p.shop_id)
		WHERE c.id = $1 AND `+takesPart(`p.shop_id`)+`
		ORDER BY p.person_id, p.occurred_at, p.id, i.line`, c.ID, c.StartsAt, c.EndsAt, segmented, optional(c.Audience.TierOf))
	if err != nil {
		return err
	}
	var person, purchase, last loyalty.ID
	var of loyalty.ID // the person of the sale that is being read
	var sale, next loyalty.Sale
	var shop, zone, name string
	var tier loyalty.TierStanding
	var line loyalty.Line
	into := []any{
		&person, &purchase, &next.At, &next.Shop, &shop, &zone, &next.Birthday, &next.Segments, &tier,
		&line.Product, &line.Brand, &line.CPG, &line.Quantity, &line.UnitPrice,
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		if purchase != last {
			if last != "" {
				give(of, &sale, name)
			}
			sale, of, name, last = next, person, shop, purchase
			sale.Zone, sale.Holds = loyalty.Zone(zone), holder(tiers, tier, next.At, zone)
		}
		sale.Lines = append(sale.Lines, line)
		tier = loyalty.TierStanding{}
		return nil
	})
	if err == nil && last != "" {
		give(of, &sale, name)
	}
	return err
}

// audienceTiers are those of the campaign that the audience of another asks for;
// nil where it asks for none.
func (tx *Tx) audienceTiers(ctx context.Context, c *loyalty.Campaign) (*loyalty.Tiers, error) {
	if c.Audience.TierOf == "" {
		return nil, nil //nolint:nilnil // no tiers, which is no error
	}
	var t loyalty.Terms
	err := tx.tx.QueryRow(ctx, `SELECT terms FROM campaigns WHERE id = $1`, c.Audience.TierOf).Scan(&t)
	return t.Tiers, ignoreNone(err)
}

// holder says of a standing in these tiers whether it is enough.
func holder(t *loyalty.Tiers, standing loyalty.TierStanding, at time.Time, zone string) func(loyalty.ID, string) bool {
	return func(_ loyalty.ID, tier string) bool {
		return t.Rank(t.At(standing, at, loyalty.Zone(zone)).Level) >= max(t.Rank(tier), 1)
	}
}
