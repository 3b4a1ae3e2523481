package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// RollTiers closes the periods of tiers that are over, ends grace days, and tells
// consumers, by day, of a tier that is at risk or lost. A purchase does the same
// for its own consumer; this is for those who do not come. It looks at no more
// than limit enrollments, and says at how many.
func (tx *Tx) RollTiers(ctx context.Context, limit int) (int, error) {
	due, err := collect[struct {
		ID     loyalty.ID `db:"id"`
		Person loyalty.ID `db:"person_id"`
	}](ctx, tx, `
		SELECT e.id, e.person_id FROM campaigns c JOIN enrollments e ON e.campaign_id = c.id
		JOIN persons p ON p.id = e.person_id LEFT JOIN shops z ON z.id = e.last_shop_id
		WHERE c.status IN ('active', 'paused') AND c.terms->'tiers'->>'keep' = 'period' AND e.standing->'tier' IS NOT NULL AND (`+tierIsOver+`
		  OR e.standing->'tier'->>'grace_until' <> '' AND p.first_wrote_at IS NOT NULL AND p.opted_out_at IS NULL AND p.erased_at IS NULL
		    AND NOT EXISTS (SELECT FROM outbox o WHERE o.cause = 'tier.at_risk:' || e.id || ':' || (e.standing->'tier'->>'grace_until')))
		ORDER BY c.id, e.id LIMIT $2`, tx.now, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	people, ids := make([]loyalty.ID, len(due)), make([]loyalty.ID, len(due))
	for i, d := range due {
		people[i], ids[i] = d.Person, d.ID
	}
	if err := tx.lockConsumers(ctx, people); err != nil {
		return 0, err
	}
	holdings, err := tx.holdings(ctx, `e.id = ANY($1)`, ids)
	if err != nil {
		return 0, err
	}
	for _, h := range holdings {
		was := h.Standing.Tier
		h.Standing.Tier = h.tier(tx.now)
		tx.keep(h)
		if err := tx.tellTier(ctx, h, was); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

// tierIsOver says that a period that is not the present one any more, or a day of
// grace that is over, is in the standing of e; z is the shop where it was used
// last. Days are written so that they sort by time.
const tierIsOver = `e.standing->'tier'->>'begins' < to_char(date_trunc(c.terms->'tiers'->>'period',
	    $1::timestamptz AT TIME ZONE coalesce(z.time_zone, '` + loyalty.DefaultTimeZone + `')), 'YYYY-MM-DD')
	  OR e.standing->'tier'->>'grace_until' <= to_char($1::timestamptz AT TIME ZONE coalesce(z.time_zone, '` + loyalty.DefaultTimeZone + `'), 'YYYY-MM-DD')`

// tellTier tells of what became of a tier.
func (tx *Tx) tellTier(ctx context.Context, h *holding, was loyalty.TierStanding) error {
	t, is := h.campaign.Tiers, h.Standing.Tier
	n := Notice{Person: h.person, Lane: LaneService, Zone: h.zone.String(), Vars: map[string]string{
		"campaign": h.campaign.Name, "tier": is.Level, "date": "", "missing": missingWords(&h.campaign.Terms, is), varCardURL: "",
	}}
	switch {
	case t.Rank(is.Level) < t.Rank(was.Level):
		n.Template, n.Vars["tier"] = "tier.lost", was.Level
		n.Cause = "tier.lost:" + string(h.ID) + ":" + is.Begins + ":" + was.Level
		n.Vars["now"] = is.Level
	case is.AtRisk():
		n.Template, n.Cause = "tier.at_risk", "tier.at_risk:"+string(h.ID)+":"+is.GraceUntil
		if day, err := time.Parse(time.DateOnly, is.GraceUntil); err == nil {
			n.Vars["date"] = loyalty.DayInWords(day)
		}
	default:
		return nil
	}
	_, err := tx.Notify(ctx, n)
	return err
}

// missingWords says what the next level, or the one at risk, still takes: any of
// what it names is enough.
func missingWords(t *loyalty.Terms, s loyalty.TierStanding) string {
	next, missing := t.Tiers.Next(s)
	if next == nil {
		return ""
	}
	var ways []string
	if next.Purchases > 0 {
		ways = append(ways, counted(missing.Purchases, "compra", "compras"))
	}
	if next.Spend > 0 {
		ways = append(ways, missing.Spend.String()+" en productos")
	}
	if next.Earned > 0 {
		one, many := "punto", "puntos"
		if t.Scheme == loyalty.Stamps {
			one, many = "sello", "sellos"
		}
		ways = append(ways, counted(missing.Earned, one, many))
	}
	return strings.Join(ways, ", o ")
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}
