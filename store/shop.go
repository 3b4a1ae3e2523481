package store

import (
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Shop is a point of sale.
type Shop struct {
	ID        loyalty.ID `db:"id"`
	Code      string     `db:"code"`
	Name      string     `db:"name"`
	Kind      string     `db:"kind"` // tiendita, minisuper, chain
	Street    string     `db:"street"`
	City      string     `db:"city"`
	State     string     `db:"state"`
	TimeZone  string     `db:"time_zone"` // IANA name
	Active    bool       `db:"active"`
	CreatedAt time.Time  `db:"created_at"`
	UpdatedAt time.Time  `db:"updated_at"`
}
