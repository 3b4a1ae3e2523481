package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Brand is a brand of a CPG.
type Brand struct {
	ID        loyalty.ID `db:"id"`
	CPG       loyalty.ID `db:"cpg_id"`
	Name      string     `db:"name"`
	Active    bool       `db:"active"`
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}

// BrandInput is what a brand is made of. A brand team may leave the CPG out.
type BrandInput struct {
	CPG  loyalty.ID
	Name string
}

// BrandPatch changes what is not nil.
type BrandPatch struct {
	Name   *string
	Active *bool
}

// BrandFilter narrows a list; what is zero asks for nothing.
type BrandFilter struct {
	CPG    loyalty.ID
	Search string // words of the name
	Active *bool
}

const brandColumns = `SELECT id, cpg_id, name, active, created_at, updated_at FROM brands WHERE ($1 OR cpg_id = $2)`

func errNoBrand() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa marca.")
}

// CreateBrand makes a brand (admin, or the CPG's own team).
func (tx *Tx) CreateBrand(ctx context.Context, scope loyalty.Scope, in BrandInput) (Brand, error) {
	cpg, err := ownCPG(scope, in.CPG)
	if err != nil {
		return Brand{}, err
	}
	v := Brand{ID: tx.newID(), CPG: cpg, Name: in.Name, Active: true, CreatedAt: tx.now, UpdatedAt: tx.now}
	if err := v.check(); err != nil {
		return Brand{}, err
	}
	_, err = tx.tx.Exec(ctx, `INSERT INTO brands (id, cpg_id, name, active, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
		v.ID, v.CPG, v.Name, v.Active, tx.now)
	tx.audit(scope, Created, "brand", v.ID, v.Name, made(v)...)
	return v, err
}

// UpdateBrand changes a brand.
func (tx *Tx) UpdateBrand(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p BrandPatch) (Brand, error) {
	if err := tenantOnly(scope); err != nil {
		return Brand{}, err
	}
	w := viewOf(scope)
	v, err := fetch[Brand](ctx, tx, errNoBrand(), brandColumns+` AND id = $3 FOR UPDATE`, w.all, w.cpg, id)
	if err != nil {
		return Brand{}, err
	}
	was := v
	set(&v.Name, p.Name)
	set(&v.Active, p.Active)
	v.UpdatedAt = tx.now
	if err := v.check(); err != nil {
		return Brand{}, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE brands SET name = $2, active = $3, updated_at = $4 WHERE id = $1`, v.ID, v.Name, v.Active, tx.now)
	tx.audit(scope, Updated, "brand", v.ID, v.Name, changed(was, v)...)
	return v, err
}

// Brands lists brands: all to an admin, its own to a brand team.
func (tx *Tx) Brands(ctx context.Context, scope loyalty.Scope, f BrandFilter, page Page) ([]Brand, loyalty.ID, error) {
	w := viewOf(scope)
	return list(ctx, tx, page, func(v Brand) loyalty.ID { return v.ID }, brandColumns+`
		AND ($3::uuid IS NULL OR cpg_id = $3) AND ($4::boolean IS NULL OR active = $4) AND `+wordsIn("name", "$5")+`
		AND id > $6 ORDER BY id LIMIT $7`, w.all, w.cpg, optional(f.CPG), f.Active, searchWords(f.Search))
}

// Brand gives one brand.
func (tx *Tx) Brand(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Brand, error) {
	w := viewOf(scope)
	return fetch[Brand](ctx, tx, errNoBrand(), brandColumns+` AND id = $3`, w.all, w.cpg, id)
}

func (v *Brand) check() error {
	var c check
	c.text("name", &v.Name, 1, 120)
	c.id("cpg_id", &v.CPG)
	return c.err()
}
