package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Segment is a group of consumers that a campaign or a reward may be limited to:
// named by hand, or made of criteria. Its owner knows how many they are, and
// never who.
type Segment struct {
	ID        loyalty.ID `db:"id"`
	CPG       loyalty.ID `db:"cpg_id"`   // the owner; "" where a shop owns it
	Shop      loyalty.ID `db:"shop_id"`  // the owner; "" where a CPG does
	Name      string     `db:"name"`     // unique for its owner
	Criteria  *Criteria  `db:"criteria"` // nil: members are named by hand
	Members   int64      `db:"members"`
	MadeAt    *time.Time `db:"made_at"` // when the members were last made of the criteria
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}

// Criteria pick, of who bought the owner's products (of a shop: anything there),
// those of whom all that is stated is true. Zero states nothing.
type Criteria struct {
	// Purchases count that were made in these states and cities.
	States []string `json:"states,omitempty"`
	Cities []string `json:"cities,omitempty"`
	// WithinDays is how far back purchases count.
	WithinDays   int64         `json:"within_days,omitempty"`
	MinPurchases int64         `json:"min_purchases,omitempty"`
	MinSpend     loyalty.Cents `json:"min_spend_cents,omitempty"` // on these products
	// InactiveDays is how long the last purchase must lie back.
	InactiveDays  int64 `json:"inactive_days,omitempty"`
	BirthdayMonth int64 `json:"birthday_month,omitempty"` // 1 to 12
}

// SegmentInput is what a segment is made of. Its owner is a CPG, or a shop: a
// brand team may leave its own out, and so may the tendero of one shop.
type SegmentInput struct {
	CPG      loyalty.ID
	Shop     loyalty.ID
	Name     string
	Criteria *Criteria
}

// SegmentPatch changes what is not nil. Criteria point to nil for a segment whose
// members are named by hand from now on; those that it has stay.
type SegmentPatch struct {
	Name     *string
	Criteria **Criteria
}

// SegmentFilter narrows a list; what is zero asks for nothing.
type SegmentFilter struct {
	CPG  loyalty.ID
	Shop loyalty.ID
}

// segmentsInView are those of who owns them; nobody else knows of any.
const segmentsInView = `
	SELECT s.id, coalesce(s.cpg_id::text, '') AS cpg_id, coalesce(s.shop_id::text, '') AS shop_id, s.name, s.criteria,
	  (SELECT count(*) FROM segment_members m WHERE m.segment_id = s.id) AS members, s.made_at, s.created_at, s.updated_at
	FROM segments s WHERE ($1 OR s.cpg_id = $2 OR s.shop_id = ANY($3))`

func segmentView(s loyalty.Scope) []any {
	w := viewOf(s)
	shops := []loyalty.ID{}
	if s.Role == loyalty.RoleTendero {
		shops = nonNil(s.Shops)
	}
	return []any{w.all, w.cpg, shops}
}

func errNoSegment() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese segmento.")
}

// CreateSegment makes a segment, with its members where it has criteria (admin,
// the CPG's own team, or a tendero of the shop).
func (tx *Tx) CreateSegment(ctx context.Context, scope loyalty.Scope, in SegmentInput) (Segment, error) {
	if err := ownersOnly(scope); err != nil {
		return Segment{}, err
	}
	v := Segment{ID: tx.newID(), Name: in.Name, Criteria: in.Criteria, CreatedAt: tx.now, UpdatedAt: tx.now}
	var c check
	v.CPG, v.Shop = c.owner(scope, in.CPG, in.Shop)
	v.check(&c)
	if err := c.err(); err != nil {
		return Segment{}, err
	}
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO segments (id, cpg_id, shop_id, name, criteria, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`,
		v.ID, optional(v.CPG), optional(v.Shop), v.Name, v.Criteria, tx.now)
	if err != nil {
		return Segment{}, err
	}
	tx.audit(scope, Created, "segment", v.ID, v.Name, made(v)...)
	return tx.madeSegment(ctx, scope, &v)
}

// UpdateSegment changes a segment, and makes its members anew where it has
// criteria.
func (tx *Tx) UpdateSegment(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p SegmentPatch) (Segment, error) {
	v, err := tx.segmentToChange(ctx, scope, id)
	if err != nil {
		return Segment{}, err
	}
	was := v
	set(&v.Name, p.Name)
	set(&v.Criteria, p.Criteria)
	var c check
	v.check(&c)
	if err := c.err(); err != nil {
		return Segment{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		UPDATE segments SET name = $2, criteria = $3, made_at = CASE WHEN $3::jsonb IS NULL THEN NULL ELSE made_at END, updated_at = $4
		WHERE id = $1`, v.ID, v.Name, v.Criteria, tx.now)
	if err != nil {
		return Segment{}, err
	}
	tx.audit(scope, Updated, "segment", v.ID, v.Name, changed(was, v)...)
	return tx.madeSegment(ctx, scope, &v)
}

// madeSegment brings the members up to the criteria, and reads the segment.
func (tx *Tx) madeSegment(ctx context.Context, scope loyalty.Scope, v *Segment) (Segment, error) {
	if v.Criteria != nil {
		if _, err := tx.makeSegment(ctx, v); err != nil {
			return Segment{}, err
		}
	}
	return tx.Segment(ctx, scope, v.ID)
}

// Segments lists segments.
func (tx *Tx) Segments(ctx context.Context, scope loyalty.Scope, f SegmentFilter, page Page) ([]Segment, loyalty.ID, error) {
	return list(ctx, tx, page, func(v Segment) loyalty.ID { return v.ID }, segmentsInView+`
		AND ($4::uuid IS NULL OR s.cpg_id = $4) AND ($5::uuid IS NULL OR s.shop_id = $5)
		AND s.id > $6 ORDER BY s.id LIMIT $7`, append(segmentView(scope), optional(f.CPG), optional(f.Shop))...)
}

// Segment gives one segment.
func (tx *Tx) Segment(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Segment, error) {
	return fetch[Segment](ctx, tx, errNoSegment(), segmentsInView+` AND s.id = $4`, append(segmentView(scope), id)...)
}

// segmentToChange locks a segment of the caller's.
func (tx *Tx) segmentToChange(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Segment, error) {
	if err := ownersOnly(scope); err != nil {
		return Segment{}, err
	}
	return fetch[Segment](ctx, tx, errNoSegment(), segmentsInView+` AND s.id = $4 FOR NO KEY UPDATE OF s`, append(segmentView(scope), id)...)
}

func (v *Segment) check(c *check) {
	c.text("name", &v.Name, 1, 120)
	x := v.Criteria
	if x == nil {
		return
	}
	copied := *x // the caller's stays as it is
	x, v.Criteria = &copied, &copied
	c.Names("criteria.states", &x.States, 50, 80)
	c.Names("criteria.cities", &x.Cities, 50, 80)
	c.between("criteria.within_days", x.WithinDays, 0, 3650)
	c.between("criteria.min_purchases", x.MinPurchases, 0, 1_000_000)
	c.between("criteria.min_spend_cents", int64(x.MinSpend), 0, 10_000_000_000)
	c.between("criteria.inactive_days", x.InactiveDays, 0, 3650)
	c.between("criteria.birthday_month", x.BirthdayMonth, 0, 12)
	c.want(x.WithinDays == 0 || x.InactiveDays < x.WithinDays, "criteria.inactive_days", "debe ser menor que within_days")
}
