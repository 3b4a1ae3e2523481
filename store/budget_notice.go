package store

import (
	"context"
	"fmt"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// budgetMark is a budget of which more is used than was said.
type budgetMark struct {
	Campaign loyalty.ID `db:"campaign_id"`
	CPG      loyalty.ID `db:"cpg_id"`
	Shop     loyalty.ID `db:"shop_id"`
	Title    string     `db:"title"`
	Name     string     `db:"name"`
	Used     int64      `db:"used"`
	Cap      int64      `db:"cap"`
	Percent  int        `db:"percent"`
	Pause    bool       `db:"pause"`
}

// AnnounceBudgets tells the people of who owns a campaign that 80 %, or all, of
// one of its budgets is used, or of the CPG's money. A campaign whose terms say so
// pauses at the end. It takes at most limit budgets, and says how many it took.
func (tx *Tx) AnnounceBudgets(ctx context.Context, limit int) (int, error) {
	tx.lockPlaces()
	marks, err := collect[budgetMark](ctx, tx, `
		SELECT q.campaign_id, coalesce(c.cpg_id::text, '') AS cpg_id, coalesce(c.shop_id::text, '') AS shop_id, c.name AS title, q.name, q.used, q.cap,
		  CASE WHEN q.used >= q.cap THEN 100 ELSE 80 END AS percent,
		  q.used >= q.cap AND c.status = 'active' AND coalesce(c.terms->'budget'->>'exhausted', '') = 'pause' AS pause
		FROM quotas q JOIN campaigns c ON c.id = q.campaign_id
		WHERE q.name IN ('stamp', 'point', 'reward') AND c.status <> 'ended'
		  AND q.announced < CASE WHEN q.used >= q.cap THEN 100 WHEN q.used * 100 >= q.cap * 80 THEN 80 ELSE 0 END
		ORDER BY q.campaign_id, q.name LIMIT $1`, limit)
	if err != nil {
		return 0, err
	}
	for i := range marks {
		m := &marks[i]
		if m.Pause {
			if _, err := tx.MoveCampaign(ctx, loyalty.System(), m.Campaign, loyalty.Paused, "Se terminó el presupuesto."); err != nil {
				return 0, err
			}
		}
		if _, err := tx.announce(ctx, m, "budget:"+string(m.Campaign)); err != nil {
			return 0, err
		}
	}
	for _, m := range marks { // last, since purchases wait for these rows
		tx.later(`UPDATE quotas SET announced = $3 WHERE campaign_id = $1 AND name = $2`, m.Campaign, m.Name, m.Percent)
	}
	money, err := tx.announceMoney(ctx)
	return len(marks) + money, err
}

// announceMoney is AnnounceBudgets for what rewards cost. A notice's cause keeps
// it from being said twice.
func (tx *Tx) announceMoney(ctx context.Context) (int, error) {
	marks, err := collect[budgetMark](ctx, tx, `
		SELECT '' AS campaign_id, g.id::text AS cpg_id, '' AS shop_id, g.name AS title, 'money' AS name,
		  g.reserved_cents AS used, g.budget_cents AS cap, CASE WHEN g.reserved_cents >= g.budget_cents THEN 100 ELSE 80 END AS percent,
		  false AS pause
		FROM cpgs g WHERE g.budget_cents > 0 AND g.reserved_cents * 100 >= g.budget_cents * 80 ORDER BY g.id`)
	if err != nil {
		return 0, err
	}
	said := 0
	for i := range marks {
		n, err := tx.announce(ctx, &marks[i], "budget:"+string(marks[i].CPG))
		if err != nil {
			return 0, err
		}
		said += n
	}
	return said, nil
}

// announce queues the notices of a budget, and says how many.
func (tx *Tx) announce(ctx context.Context, m *budgetMark, cause string) (int, error) {
	type person struct {
		ID   loyalty.ID `db:"id"`
		Zone string     `db:"zone"`
	}
	people, err := collect[person](ctx, tx, `
		SELECT DISTINCT s.person_id AS id, $3 AS zone FROM staff s WHERE s.cpg_id = $1 AND s.active AND s.person_id IS NOT NULL
		UNION SELECT t.person_id, z.time_zone FROM tenderos t JOIN shops z ON z.id = t.shop_id WHERE t.shop_id = $2 AND t.active
		ORDER BY 1`, optional(m.CPG), optional(m.Shop), loyalty.DefaultTimeZone)
	if err != nil {
		return 0, err
	}
	used, bound := loyalty.Thousands(m.Used), loyalty.Thousands(m.Cap)
	if m.Name == "money" {
		used, bound = loyalty.Cents(m.Used).String(), loyalty.Cents(m.Cap).String()
	}
	paused := ""
	if m.Pause {
		paused = "yes"
	}
	said := 0
	for _, p := range people {
		// Of another bound it is said anew.
		ok, err := tx.Notify(ctx, Notice{
			Person: p.ID, Lane: LaneService, Template: fmt.Sprintf("budget.%d", m.Percent), Zone: p.Zone,
			Cause: fmt.Sprintf("%s:%s:%d:%d:%s", cause, m.Name, m.Percent, m.Cap, p.ID),
			Vars:  map[string]string{"campaign": m.Title, "what": budgetWords[m.Name], "used": used, "cap": bound, "paused": paused},
		})
		if err != nil {
			return said, err
		}
		if ok {
			said++
		}
	}
	return said, nil
}

// budgetWords are what budgets count, as people read it.
var budgetWords = map[string]string{
	loyalty.QuotaStamps: "sellos", loyalty.QuotaPoints: "puntos", loyalty.QuotaRewards: "premios", "money": "en premios",
}
