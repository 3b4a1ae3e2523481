package store

import (
	"encoding/json"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// earnings are what the judgements of purchases change, column by column, as
// insertEarnings takes it.
type earnings struct {
	begun []begunEnrollment

	enrollments    []loyalty.ID
	shops          []loyalty.ID
	times          []time.Time
	stamps, points []int64
	standings      []string
	next           []*time.Time

	ids, accounts, campaigns []loyalty.ID
	versions                 []int32
	units                    []loyalty.Unit
	amounts, balances        []int64
	purchases                []loyalty.ID
	ends                     []*time.Time

	takes map[quotaKey]quotaTake
}

// begunEnrollment begins with a purchase.
type begunEnrollment struct {
	enrollmentRow
	person loyalty.ID
}

// quotaTake is what is used of a quota, and its bound.
type quotaTake struct {
	campaign loyalty.ID
	name     string
	amount   int64
	bound    int64
}

func newEarnings() *earnings { return &earnings{takes: map[quotaKey]quotaTake{}} }

// of adds those of a purchase.
func (e *earnings) of(tx *Tx, p *purchase) {
	for i := range p.parts {
		if pt := &p.parts[i]; pt.judgement != nil && pt.judgement.Earned() && !pt.judgement.Pending {
			e.add(tx, p, pt)
		}
	}
}

func (e *earnings) add(tx *Tx, p *purchase, pt *part) {
	c, j, row := pt.campaign, pt.judgement, &pt.enrollment
	if row.ID == "" {
		row.ID, row.Campaign = tx.newID(), c.ID
		if c.PerShop {
			row.Shop = p.sale.Shop
		}
		e.begun = append(e.begun, begunEnrollment{*row, p.person.ID})
	}
	standing, err := json.Marshal(j.Standing)
	if err != nil { // numbers and texts always marshal
		standing = nil
	}
	e.enrollments, e.shops, e.times = append(e.enrollments, row.ID), append(e.shops, p.sale.Shop), append(e.times, p.sale.At)
	e.stamps, e.points = append(e.stamps, j.Stamps), append(e.points, j.Points)
	e.standings = append(e.standings, string(standing))
	e.next = append(e.next, nextExpiry(row.NextExpiry, &c.Terms, p.sale.At))
	var ends *time.Time
	if at := expiryOf(&c.Terms, p.sale.At); !at.IsZero() {
		ends = &at
	}
	for _, u := range c.Scheme.Units() {
		if j.Amount(u) == 0 {
			continue
		}
		e.ids, e.accounts, e.campaigns = append(e.ids, tx.newID()), append(e.accounts, row.ID), append(e.campaigns, c.ID)
		e.versions, e.units = append(e.versions, int32(c.Version)), append(e.units, u) //nolint:gosec // versions are few
		e.amounts, e.balances = append(e.amounts, j.Amount(u)), append(e.balances, row.balance(u)+j.Amount(u))
		e.purchases, e.ends = append(e.purchases, p.receipt.ID), append(e.ends, ends)
	}
	for _, t := range j.Takes {
		bound, ok := pt.caps[t.Name]
		if !ok { // a shared limit's first purchase in its period
			bound = c.SharedLimit(t.Name)
		}
		key := quotaKey{c.ID, t.Name}
		e.takes[key] = quotaTake{campaign: c.ID, name: t.Name, amount: e.takes[key].amount + t.Amount, bound: bound}
	}
}

// args are the parameters of insertEarnings, in its order.
func (e *earnings) args() []any {
	return []any{
		e.enrollments, e.shops, e.times, e.stamps, e.points, e.standings, e.next,
		e.ids, e.accounts, e.campaigns, e.versions, e.units, e.amounts, e.balances, e.purchases, e.ends,
	}
}

// enroll begins the enrollments that begin with the purchases.
func (e *earnings) enroll(tx *Tx) {
	for _, row := range e.begun {
		tx.later(`INSERT INTO enrollments (id, person_id, campaign_id, shop_id, created_at) VALUES ($1, $2, $3, $4, $5)`,
			row.ID, row.person, row.Campaign, optional(row.Shop), tx.now)
	}
}

// reserve takes from the quotas, last of all: others may want the same rows, and
// wait only for the commit. What is overdrawn breaks a constraint; the purchase
// is then judged again by what is left.
func (e *earnings) reserve(tx *Tx) {
	if len(e.takes) == 0 {
		return
	}
	var campaigns []loyalty.ID
	var names []string
	var amounts, bounds []int64
	for _, t := range e.takes {
		campaigns, names = append(campaigns, t.campaign), append(names, t.name)
		amounts, bounds = append(amounts, t.amount), append(bounds, t.bound)
	}
	tx.later(`
		INSERT INTO quotas AS q (campaign_id, name, used, cap)
		SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[]) ORDER BY 1, 2
		ON CONFLICT (campaign_id, name) DO UPDATE SET used = q.used + excluded.used,
		  cap = CASE WHEN q.name IN ('stamp', 'point') THEN q.cap ELSE excluded.cap END`, campaigns, names, amounts, bounds)
}
