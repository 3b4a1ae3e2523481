package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Tendero is a shopkeeper's part in one shop. The same person may keep several.
type Tendero struct {
	ID        loyalty.ID    `db:"id"`
	Person    loyalty.ID    `db:"person_id"`
	Shop      loyalty.ID    `db:"shop_id"`
	Name      string        `db:"name"`
	Phone     loyalty.Phone `db:"phone"` // empty when the person was erased
	Active    bool          `db:"active"`
	CreatedAt time.Time     `db:"created_at"`
	UpdatedAt time.Time     `db:"updated_at"`
}

// TenderoInput is what a tendero is made of.
type TenderoInput struct {
	Shop  loyalty.ID
	Phone string
	Name  string
}

// TenderoPatch changes what is not nil. Another phone is another tendero.
type TenderoPatch struct {
	Name   *string
	Active *bool
}

// TenderoFilter narrows a list; what is zero asks for nothing.
type TenderoFilter struct {
	Shop   loyalty.ID
	Active *bool
}

const tenderoColumns = `
	SELECT t.id, t.person_id, t.shop_id, coalesce(p.name, '') AS name,
	  coalesce((SELECT a.address FROM addresses a WHERE a.person_id = t.person_id AND a.kind = 'phone' ORDER BY a.created_at LIMIT 1), '') AS phone,
	  t.active, t.created_at, t.updated_at
	FROM tenderos t JOIN persons p ON p.id = t.person_id`

func errNoTendero() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos a ese tendero.")
}

// CreateTendero names who keeps a shop, by phone (admin). The bot still writes
// to that phone only after it wrote.
func (tx *Tx) CreateTendero(ctx context.Context, scope loyalty.Scope, in TenderoInput) (Tendero, error) {
	if err := adminOnly(scope); err != nil {
		return Tendero{}, err
	}
	v := Tendero{ID: tx.newID(), Shop: in.Shop, Name: in.Name, Active: true, CreatedAt: tx.now, UpdatedAt: tx.now}
	var c check
	phone, err := loyalty.ParsePhone(in.Phone)
	if err != nil {
		c.Fields = append(c.Fields, fieldsOf(err)...)
	}
	v.Phone = phone
	c.id("shop_id", &v.Shop)
	c.text("name", &v.Name, 1, 80)
	if err := c.err(); err != nil {
		return Tendero{}, err
	}
	if v.Person, err = tx.PersonByPhone(ctx, phone); err != nil {
		return Tendero{}, err
	}
	_, err = tx.tx.Exec(ctx, `INSERT INTO tenderos (id, person_id, shop_id, active, created_at, updated_at) VALUES ($1, $2, $3, true, $4, $4)`,
		v.ID, v.Person, v.Shop, tx.now)
	if err != nil {
		return Tendero{}, err
	}
	tx.audit(scope, Created, "tendero", v.ID, "", made(v)...)
	return v, tx.SaveName(ctx, v.Person, v.Name)
}

// UpdateTendero changes a tendero (admin). A deactivated one is refused at once
// wherever it is logged in.
func (tx *Tx) UpdateTendero(ctx context.Context, scope loyalty.Scope, id loyalty.ID, p TenderoPatch) (Tendero, error) {
	if err := adminOnly(scope); err != nil {
		return Tendero{}, err
	}
	v, err := fetch[Tendero](ctx, tx, errNoTendero(), tenderoColumns+` WHERE t.id = $1 FOR UPDATE`, id)
	if err != nil {
		return Tendero{}, err
	}
	was := v
	set(&v.Active, p.Active)
	v.UpdatedAt = tx.now
	if p.Name != nil {
		if v.Phone == "" {
			return Tendero{}, conflict("Esa persona borró sus datos: su nombre no se guarda otra vez.")
		}
		v.Name = *p.Name
		var c check
		c.text("name", &v.Name, 1, 80)
		if err := c.err(); err != nil {
			return Tendero{}, err
		}
		if err := tx.SaveName(ctx, v.Person, v.Name); err != nil {
			return Tendero{}, err
		}
	}
	_, err = tx.tx.Exec(ctx, `UPDATE tenderos SET active = $2, updated_at = $3 WHERE id = $1`, v.ID, v.Active, tx.now)
	changes := changed(was, v)
	if v.Name != was.Name {
		changes = append(changes, FieldChange{Field: "name"})
	}
	tx.audit(scope, Updated, "tendero", v.ID, "", changes...)
	return v, err
}

// Tenderos lists tenderos, with their phones: to an admin only.
func (tx *Tx) Tenderos(ctx context.Context, scope loyalty.Scope, f TenderoFilter, page Page) ([]Tendero, loyalty.ID, error) {
	return list(ctx, tx, page, func(v Tendero) loyalty.ID { return v.ID }, tenderoColumns+`
		WHERE $1 AND ($2::uuid IS NULL OR t.shop_id = $2) AND ($3::boolean IS NULL OR t.active = $3)
		AND t.id > $4 ORDER BY t.id LIMIT $5`, scope.All(), optional(f.Shop), f.Active)
}

// Tendero gives one tendero, to an admin only.
func (tx *Tx) Tendero(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Tendero, error) {
	return fetch[Tendero](ctx, tx, errNoTendero(), tenderoColumns+` WHERE $1 AND t.id = $2`, scope.All(), id)
}
