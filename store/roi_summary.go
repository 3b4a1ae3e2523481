package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// QueueROI tells brand teams the return of each running campaign in the seven
// days up to today: one message a member, campaign and day. It says how many
// messages it queued.
func (tx *Tx) QueueROI(ctx context.Context) (int, error) {
	today := tx.now.In(loyalty.Zone(loyalty.DefaultTimeZone))
	from := today.AddDate(0, 0, -6)
	type summary struct {
		Person   loyalty.ID `db:"person_id"`
		Campaign loyalty.ID `db:"campaign_id"`
	}
	all, err := collect[summary](ctx, tx, `
		SELECT s.person_id, c.id AS campaign_id FROM staff s
		JOIN campaigns c ON c.cpg_id = s.cpg_id JOIN persons p ON p.id = s.person_id
		WHERE s.role = 'cpg' AND s.active AND p.first_wrote_at IS NOT NULL AND p.opted_out_at IS NULL
		  AND c.status IN ('active', 'paused') AND c.starts_at <= $1 AND (c.ends_at IS NULL OR c.ends_at > $1::timestamptz - interval '7 days')
		ORDER BY s.id, c.id`, tx.now)
	if err != nil {
		return 0, err
	}
	queued := 0
	for _, s := range all {
		r, err := tx.ROI(ctx, loyalty.System(), s.Campaign, from, today)
		if err != nil {
			return queued, err
		}
		roi := "todavía sin gasto con que comparar"
		if r.ROI != nil {
			roi = loyalty.Percent(*r.ROI)
		}
		ok, err := tx.Notify(ctx, Notice{
			Person: s.Person, Lane: LaneService, Template: "roi.weekly", Zone: loyalty.DefaultTimeZone,
			Cause: "roi:" + string(s.Person) + ":" + string(s.Campaign) + ":" + today.Format(time.DateOnly),
			Vars: map[string]string{
				"campaign": r.Campaign.Name, "period": loyalty.PeriodInWords(r.From, r.To), "revenue": r.Revenue.String(),
				"margin": r.Margin.String() + " (" + loyalty.Percent(r.Campaign.MarginBPS) + ")", "rewards_cost": r.RewardsCost.String(),
				"fee": r.Fee.String(), "roi": roi, "url": tx.db.opt.PublicURL + "/marca/campanas/" + string(s.Campaign) + "/resultados?periodo=7",
			},
		})
		if err != nil {
			return queued, err
		}
		if ok {
			queued++
		}
	}
	return queued, nil
}
