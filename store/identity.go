package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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

// Sender is who wrote, by all that the channel says of it.
type Sender struct {
	Phone loyalty.Phone // "" where it is not known
	LID   string        // "123@lid"; "" where it is not known
	Other string        // an ID of another kind, such as one that a business is given for a person
	Wire  string        // the exact chat to answer to, "5215512345678@s.whatsapp.net"; "" where it is the address itself
}

// known is an address as the sender says it.
type known struct{ kind, address string }

// addresses are the sender's, the one that it wrote from first.
func (s Sender) addresses() []known {
	var all []known
	for _, k := range []known{{"phone", string(s.Phone)}, {"lid", s.LID}, {"scoped", s.Other}} {
		if k.address == "" || slices.ContainsFunc(all, func(o known) bool { return o.address == k.address }) {
			continue
		}
		if s.Wire == k.address || k.kind == "lid" && strings.HasSuffix(s.Wire, "@lid") {
			all = slices.Insert(all, 0, k)
		} else {
			all = append(all, k)
		}
	}
	return all
}

// AddressOf finds whose phone it is, and makes a person where it is nobody's.
// The same new phone in two transactions at once becomes one person.
func (tx *Tx) AddressOf(ctx context.Context, phone loyalty.Phone) (Address, error) {
	return tx.AddressOfSender(ctx, Sender{Phone: phone})
}

// AddressOfSender gives the chat that a sender writes in, and who it is: whoever
// has any of its addresses. Addresses that nobody had become that person's, and
// persons who turn out to be one are merged with nothing lost. Where all of them
// are new, so is the person, and in two transactions at once the same one.
//
// Whoever has the phone has the account: somebody who took over another's number
// is that person to us, as to everybody who writes to it.
func (tx *Tx) AddressOfSender(ctx context.Context, s Sender) (Address, error) {
	wanted := s.addresses()
	if len(wanted) == 0 {
		return Address{}, loyalty.Invalid("from", "falta quién escribe")
	}
	found, err := tx.findAddresses(ctx, wanted)
	if err != nil {
		return Address{}, err
	}
	if !complete(found, s.Wire) {
		// Two first messages may arrive at once; the second waits here and then
		// finds what the first made.
		names := make([]string, len(wanted))
		for i, k := range wanted {
			names[i] = k.address
		}
		slices.Sort(names)
		for _, name := range names {
			tx.later(`SELECT pg_advisory_xact_lock(hashtextextended('address:' || $1, 0))`, name)
		}
		if found, err = tx.findAddresses(ctx, wanted); err != nil {
			return Address{}, err
		}
		if err := tx.joinAddresses(ctx, wanted, found, s.Wire); err != nil {
			return Address{}, err
		}
	}
	return Address{ID: found[0].ID, Person: found[0].Person}, nil
}

// foundAddress is what is known of an address; its ID is "" where that is nothing.
type foundAddress struct {
	ID     loyalty.ID
	Person loyalty.ID
	Wire   string
}

// complete says whether all that the sender says is known already.
func complete(found []foundAddress, wire string) bool {
	for _, f := range found {
		if f.ID == "" || f.Person != found[0].Person {
			return false
		}
	}
	return wire == "" || found[0].Wire == wire
}

// findAddresses gives what is known of addresses, in their order. Those of the
// erased are not known: who writes again is somebody new.
func (tx *Tx) findAddresses(ctx context.Context, wanted []known) ([]foundAddress, error) {
	names := make([]string, 3) // one of each kind at most: a plan for a list would be made anew each time
	for i, k := range wanted {
		names[i] = k.address
	}
	rows, err := tx.tx.Query(ctx, `
		SELECT a.address, a.id, a.person_id, coalesce(a.wire, '') FROM addresses a JOIN persons p ON p.id = a.person_id
		WHERE a.address IN ($1, $2, $3) AND p.erased_at IS NULL`, names[0], names[1], names[2])
	if err != nil {
		return nil, err
	}
	found := make([]foundAddress, len(wanted))
	var address string
	var f foundAddress
	_, err = pgx.ForEachRow(rows, []any{&address, &f.ID, &f.Person, &f.Wire}, func() error {
		found[slices.Index(names, address)] = f
		return nil
	})
	return found, err
}

// joinAddresses makes all addresses one person's: it merges those who have some of
// them, makes those that there are not, and notes the chat. found is brought up to
// date. The caller holds the addresses' locks.
func (tx *Tx) joinAddresses(ctx context.Context, wanted []known, found []foundAddress, wire string) error {
	var people []loyalty.ID
	for _, f := range found {
		if f.ID != "" && !slices.Contains(people, f.Person) {
			people = append(people, f.Person)
		}
	}
	var person loyalty.ID
	switch len(people) {
	case 0:
		person = tx.newID()
		tx.later(`INSERT INTO persons (id, created_at, updated_at) VALUES ($1, $2, $2)`, person, tx.now)
	case 1:
		person = people[0]
	default:
		var err error
		if person, err = tx.mergePeople(ctx, people); err != nil {
			return err
		}
	}
	for i, k := range wanted {
		f := &found[i]
		f.Person = person
		if f.ID == "" {
			f.ID = tx.newID()
			tx.later(`DELETE FROM addresses a USING persons p WHERE a.address = $1 AND p.id = a.person_id AND p.erased_at IS NOT NULL`, k.address)
			tx.later(`INSERT INTO addresses (id, address, kind, person_id, created_at) VALUES ($1, $2, $3, $4, $5)`, f.ID, k.address, k.kind, person, tx.now)
		}
	}
	if wire != "" && found[0].Wire != wire {
		tx.later(`UPDATE addresses SET wire = $2 WHERE id = $1`, found[0].ID, wire)
	}
	return nil
}

// FindPhone gives the person who has the phone, or "".
func (tx *Tx) FindPhone(ctx context.Context, phone loyalty.Phone) (loyalty.ID, error) {
	found, err := tx.findAddresses(ctx, []known{{"phone", string(phone)}})
	if err != nil {
		return "", err
	}
	return found[0].Person, nil
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
