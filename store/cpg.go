package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CPG is a company that sells through the shops.
type CPG struct {
	ID        loyalty.ID `db:"id"`
	Name      string     `db:"name"`
	Active    bool       `db:"active"`
	Budget    *int64     `db:"budget_cents"`   // what its rewards may cost in all; nil: no bound
	Reserved  int64      `db:"reserved_cents"` // that is promised of it
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}

// CPGInput is what a CPG is made of. Budget in centavos; nil: no bound.
type CPGInput struct {
	Name   string
	Budget *int64
}

// CPGPatch changes what is not nil. Only an admin may (de)activate. Budget is nil
// to keep, and points to nil for no bound.
type CPGPatch struct {
	Name   *string
	Active *bool
	Budget **int64
}

// maxBudget bounds a CPG's budget: ten thousand million pesos.
const maxBudget = 1_000_000_000_000

const cpgColumns = `SELECT id, name, active, budget_cents, reserved_cents, created_at, updated_at FROM cpgs WHERE ($1 OR id = $2)`

func errNoCPG() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa empresa.")
}

// CreateCPG makes a company (admin).
func (tx *Tx) CreateCPG(ctx context.Context, scope loyalty.Scope, in CPGInput) (CPG, error) {
	if err := adminOnly(scope); err != nil {
		return CPG{}, err
	}
	v := CPG{ID: tx.newID(), Name: in.Name, Active: true, Budget: in.Budget, CreatedAt: tx.now, UpdatedAt: tx.now}
	if err := v.check(); err != nil {
		return CPG{}, err
	}
	_, err := tx.tx.Exec(ctx, `INSERT INTO cpgs (id, name, active, budget_cents, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)`,
		v.ID, v.Name, v.Active, v.Budget, tx.now)
	tx.audit(scope, Created, "cpg", v.ID, v.Name, made(v)...)
	return v, err
}

// UpdateCPG changes a company: an admin's any, a brand team its own name and
// budget.
func (tx *Tx) UpdateCPG(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p CPGPatch) (CPG, error) {
	if err := tenantOnly(scope); err != nil {
		return CPG{}, err
	}
	w := viewOf(scope)
	v, err := fetch[CPG](ctx, tx, errNoCPG(), cpgColumns+` AND id = $3 FOR UPDATE`, w.all, w.cpg, id)
	if err != nil {
		return CPG{}, err
	}
	if p.Active != nil && !scope.All() {
		return CPG{}, loyalty.Forbidden()
	}
	was := v
	set(&v.Name, p.Name)
	set(&v.Active, p.Active)
	set(&v.Budget, p.Budget)
	v.UpdatedAt = tx.now
	if err := v.check(); err != nil {
		return CPG{}, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE cpgs SET name = $2, active = $3, budget_cents = $4, updated_at = $5 WHERE id = $1`,
		v.ID, v.Name, v.Active, v.Budget, tx.now)
	tx.audit(scope, Updated, "cpg", v.ID, v.Name, changed(was, v)...)
	return v, err
}

// CPGFilter narrows a list; what is zero asks for nothing.
type CPGFilter struct {
	Search string // words of the name
	Active *bool
}

// CPGs lists companies: all to an admin, its own to a brand team.
func (tx *Tx) CPGs(ctx context.Context, scope loyalty.Scope, page Page) ([]CPG, loyalty.ID, error) {
	return tx.FindCPGs(ctx, scope, CPGFilter{}, page)
}

// FindCPGs lists those companies of CPGs that a filter wants.
func (tx *Tx) FindCPGs(ctx context.Context, scope loyalty.Scope, f CPGFilter, page Page) ([]CPG, loyalty.ID, error) {
	w := viewOf(scope)
	return list(ctx, tx, page, func(v CPG) loyalty.ID { return v.ID }, cpgColumns+`
		AND ($3::boolean IS NULL OR active = $3) AND `+wordsIn("name", "$4")+`
		AND id > $5 ORDER BY id LIMIT $6`, w.all, w.cpg, f.Active, searchWords(f.Search))
}

// CPG gives one company.
func (tx *Tx) CPG(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (CPG, error) {
	w := viewOf(scope)
	return fetch[CPG](ctx, tx, errNoCPG(), cpgColumns+` AND id = $3`, w.all, w.cpg, id)
}

func (v *CPG) check() error {
	var c check
	c.text("name", &v.Name, 1, 120)
	if v.Budget != nil {
		c.between("budget_cents", *v.Budget, 0, maxBudget)
		c.want(*v.Budget >= v.Reserved || *v.Budget < 0, "budget_cents", "ya se comprometió más que eso")
	}
	return c.err()
}
