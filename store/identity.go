package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Person is an identity: a consumer, a tendero, both, or a brand team's member.
type Person struct {
	ID           loyalty.ID `db:"id"`
	Name         *string    `db:"name"`
	OptedOutAt   *time.Time `db:"opted_out_at"`
	FirstWroteAt *time.Time `db:"first_wrote_at"`
}

// Address is one way to reach a person: a chat.
type Address struct {
	ID     loyalty.ID
	Person loyalty.ID
}

// AddressOf finds whose phone it is, and makes a person where it is nobody's.
// The same new phone in two transactions at once becomes one person.
func (tx *Tx) AddressOf(ctx context.Context, phone loyalty.Phone) (Address, error) {
	if a, err := tx.findAddress(ctx, phone); err != nil || a.ID != "" {
		return a, err
	}
	// Two first messages may arrive at once; the second waits here and then
	// finds the person that the first made.
	if _, err := tx.tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('address:' || $1, 0))`, phone); err != nil {
		return Address{}, err
	}
	if a, err := tx.findAddress(ctx, phone); err != nil || a.ID != "" {
		return a, err
	}
	a := Address{ID: tx.newID(), Person: tx.newID()}
	// Who was erased and writes again is a new person.
	_, err := tx.tx.Exec(ctx, `DELETE FROM addresses WHERE address = $1`, phone)
	if err != nil {
		return Address{}, err
	}
	_, err = tx.tx.Exec(ctx, `
		WITH p AS (INSERT INTO persons (id, created_at, updated_at) VALUES ($1, $4, $4))
		INSERT INTO addresses (id, address, kind, person_id, created_at) VALUES ($2, $3, 'phone', $1, $4)`,
		a.Person, a.ID, phone, tx.now)
	return a, err
}

func (tx *Tx) findAddress(ctx context.Context, phone loyalty.Phone) (Address, error) {
	var a Address
	err := tx.tx.QueryRow(ctx, `
		SELECT a.id, a.person_id FROM addresses a JOIN persons p ON p.id = a.person_id
		WHERE a.address = $1 AND p.erased_at IS NULL`, phone).Scan(&a.ID, &a.Person)
	if none(err) {
		return Address{}, nil
	}
	return a, err
}

// FindPhone gives the person who has the phone, or "".
func (tx *Tx) FindPhone(ctx context.Context, phone loyalty.Phone) (loyalty.ID, error) {
	a, err := tx.findAddress(ctx, phone)
	return a.Person, err
}

// PersonByPhone is AddressOf for callers that need the person only.
func (tx *Tx) PersonByPhone(ctx context.Context, phone loyalty.Phone) (loyalty.ID, error) {
	a, err := tx.AddressOf(ctx, phone)
	return a.Person, err
}

// Person gives what the bot needs to know of a person.
func (tx *Tx) Person(ctx context.Context, id loyalty.ID) (Person, error) {
	var p Person
	err := tx.tx.QueryRow(ctx, `SELECT id, name, opted_out_at, first_wrote_at FROM persons WHERE id = $1`, id).
		Scan(&p.ID, &p.Name, &p.OptedOutAt, &p.FirstWroteAt)
	if none(err) {
		return p, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos a esa persona.")
	}
	return p, err
}

// SaveName stores what a person wants to be called: 1 to 80 characters.
func (tx *Tx) SaveName(ctx context.Context, person loyalty.ID, name string) error {
	_, err := tx.tx.Exec(ctx, `UPDATE persons SET name = $2, updated_at = $3 WHERE id = $1`, person, name, tx.now)
	return err
}

// SaveBirthday stores a birthday, as MM-DD or YYYY-MM-DD.
func (tx *Tx) SaveBirthday(ctx context.Context, person loyalty.ID, birthday string) error {
	_, err := tx.tx.Exec(ctx, `UPDATE persons SET birthday = $2, updated_at = $3 WHERE id = $1`, person, birthday, tx.now)
	return err
}
