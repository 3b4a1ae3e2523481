package store

import (
	"encoding/json"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// earnings are what the judgements of a purchase change, column by column, as
// insertEarnings takes it.
type earnings struct {
	person loyalty.ID
	begun  []enrollmentRow // enrollments that begin with it

	enrollments    []loyalty.ID
	stamps, points []int64
	standings      []string
	next           []*time.Time

	ids, of, campaigns []loyalty.ID
	versions           []int32
	units              []loyalty.Unit
	amounts, balances  []int64
	ends               []*time.Time

	takes []quotaTake
}

// quotaTake is what is used of a quota, and its bound.
type quotaTake struct {
	campaign loyalty.ID
	name     string
	amount   int64
	bound    int64
}

func newEarnings(tx *Tx, p *purchase) *earnings {
	e := &earnings{person: p.person.ID}
	for i := range p.parts {
		if pt := &p.parts[i]; pt.judgement != nil && pt.judgement.Earned() && !pt.judgement.Pending {
			e.add(tx, pt, &p.sale)
		}
	}
	return e
}

func (e *earnings) add(tx *Tx, pt *part, sale *loyalty.Sale) {
	c, j, row := pt.campaign, pt.judgement, &pt.enrollment
	if row.ID == "" {
		row.ID, row.Campaign = tx.newID(), c.ID
		if c.PerShop {
			row.Shop = sale.Shop
		}
		e.begun = append(e.begun, *row)
	}
	standing, err := json.Marshal(j.Standing)
	if err != nil { // numbers and texts always marshal
		standing = nil
	}
	e.enrollments = append(e.enrollments, row.ID)
	e.stamps, e.points = append(e.stamps, j.Stamps), append(e.points, j.Points)
	e.standings = append(e.standings, string(standing))
	e.next = append(e.next, nextExpiry(row.NextExpiry, &c.Terms, sale.At))
	var ends *time.Time
	if at := expiryOf(&c.Terms, sale.At); !at.IsZero() {
		ends = &at
	}
	for _, u := range c.Scheme.Units() {
		if j.Amount(u) == 0 {
			continue
		}
		e.ids, e.of, e.campaigns = append(e.ids, tx.newID()), append(e.of, row.ID), append(e.campaigns, c.ID)
		e.versions, e.units = append(e.versions, int32(c.Version)), append(e.units, u) //nolint:gosec // versions are few
		e.amounts, e.balances = append(e.amounts, j.Amount(u)), append(e.balances, row.balance(u)+j.Amount(u))
		e.ends = append(e.ends, ends)
	}
	for _, t := range j.Takes {
		bound, ok := pt.caps[t.Name]
		if !ok { // a shared limit's first purchase in its period
			bound = c.SharedLimit(t.Name)
		}
		e.takes = append(e.takes, quotaTake{campaign: c.ID, name: t.Name, amount: t.Amount, bound: bound})
	}
}

// args are the last parameters of insertPurchase, in its order.
func (e *earnings) args() []any {
	return []any{
		e.enrollments, e.stamps, e.points, e.standings, e.next,
		e.ids, e.of, e.campaigns, e.versions, e.units, e.amounts, e.balances, e.ends,
	}
}

// enroll begins the enrollments that begin with the purchase.
func (e *earnings) enroll(tx *Tx) {
	for _, row := range e.begun {
		tx.later(`INSERT INTO enrollments (id, person_id, campaign_id, shop_id, created_at) VALUES ($1, $2, $3, $4, $5)`,
			row.ID, e.person, row.Campaign, optional(row.Shop), tx.now)
	}
}

// reserve takes from the quotas, last of all: others may want the same rows, and
// wait only for the commit. What is overdrawn breaks a constraint; the purchase
// is then judged again by what is left.
func (e *earnings) reserve(tx *Tx) {
	if len(e.takes) == 0 {
		return
	}
	campaigns, names := make([]loyalty.ID, len(e.takes)), make([]string, len(e.takes))
	amounts, bounds := make([]int64, len(e.takes)), make([]int64, len(e.takes))
	for i, t := range e.takes {
		campaigns[i], names[i], amounts[i], bounds[i] = t.campaign, t.name, t.amount, t.bound
	}
	tx.later(`
		INSERT INTO quotas AS q (campaign_id, name, used, cap)
		SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) ORDER BY 1, 2
		ON CONFLICT (campaign_id, name) DO UPDATE SET used = q.used + excluded.used,
		  cap = CASE WHEN q.name IN ('stamp', 'point') THEN q.cap ELSE excluded.cap END`, campaigns, names, amounts, bounds)
}
