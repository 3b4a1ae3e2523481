package store

import (
	"context"
	"errors"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// NumberStatus is how a WhatsApp number stands.
type NumberStatus string

// The states of a number.
const (
	NumberPairing      NumberStatus = "pairing"      // waits for its QR to be scanned
	NumberConnected    NumberStatus = "connected"    // sends and receives
	NumberDisconnected NumberStatus = "disconnected" // between two connections, or nobody runs it
	NumberLoggedOut    NumberStatus = "logged_out"   // the phone unlinked it
	NumberBanned       NumberStatus = "banned"
	NumberRestricted   NumberStatus = "restricted" // may not start conversations: the reach-out timelock
	NumberOutdated     NumberStatus = "outdated"   // WhatsApp wants a newer client
	NumberReplaced     NumberStatus = "replaced"   // another process took the session
)

// Number is a WhatsApp number of the bot. Who runs it holds its lease.
type Number struct {
	ID         loyalty.ID   `db:"id"`
	Label      string       `db:"label"`
	Phone      *string      `db:"phone"` // nil before it is paired
	JID        string       `db:"jid"`   // of the device; "" before it is paired
	Status     NumberStatus `db:"status"`
	Reason     string       `db:"reason"` // a code that says more, "101"; texts have the sentence
	QR         string       `db:"qr"`     // to scan while pairing
	QRUntil    *time.Time   `db:"qr_until"`
	Until      *time.Time   `db:"until_at"` // the end of a ban or restriction
	Owner      string       `db:"owner"`
	Fence      int64        `db:"fence"`
	LeaseUntil *time.Time   `db:"lease_until"`
	PairedAt   *time.Time   `db:"paired_at"`
	AliveAt    *time.Time   `db:"alive_at"` // the last round trip
	ShopID     loyalty.ID   `db:"shop_id"`  // whose it is; "" and "": Qoa's
	CPGID      loyalty.ID   `db:"cpg_id"`
	CreatedAt  time.Time    `db:"created_at"`
	UpdatedAt  time.Time    `db:"updated_at"`
	Deleted    bool         `db:"deleted"` // its owner is to log it out, and let go of it
}

// Lease is what its owner holds the number by.
func (n Number) Lease() Lease { return Lease{Number: n.ID, Owner: n.Owner, Fence: n.Fence} }

const (
	numberColumns = `id, label, phone, jid, status, reason, qr, qr_until, until_at, owner, fence, lease_until, paired_at, alive_at,
	  coalesce(shop_id::text, '') AS shop_id, coalesce(cpg_id::text, '') AS cpg_id, created_at, updated_at, deleted_at IS NOT NULL AS deleted`
	numberFields = `SELECT ` + numberColumns + ` FROM whatsapp_numbers`
)

func errNoNumber() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeNotFound, "No encontramos ese número de WhatsApp.")
}

// CreateNumber begins a pairing (an admin): a process that runs numbers takes the
// new one, and shows its QR.
func (tx *Tx) CreateNumber(ctx context.Context, scope loyalty.Scope, label string) (Number, error) {
	if err := adminOnly(scope); err != nil {
		return Number{}, err
	}
	var c check
	c.text("label", &label, 1, 80)
	if err := c.err(); err != nil {
		return Number{}, err
	}
	n, err := fetch[Number](ctx, tx, errNoNumber(), `
		INSERT INTO whatsapp_numbers (id, label, status, created_at, updated_at) VALUES ($1, $2, 'pairing', $3, $3) RETURNING `+numberColumns,
		tx.newID(), label, tx.now)
	tx.audit(scope, Created, "number", n.ID, n.Label)
	return n, err
}

// Numbers lists the numbers (an admin).
func (tx *Tx) Numbers(ctx context.Context, scope loyalty.Scope, p Page) ([]Number, loyalty.ID, error) {
	if err := adminOnly(scope); err != nil {
		return nil, "", err
	}
	return list(ctx, tx, p, func(n Number) loyalty.ID { return n.ID }, numberFields+` WHERE deleted_at IS NULL AND id > $1 ORDER BY id LIMIT $2`)
}

// Number gives one number (an admin).
func (tx *Tx) Number(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Number, error) {
	if err := adminOnly(scope); err != nil {
		return Number{}, err
	}
	return fetch[Number](ctx, tx, errNoNumber(), numberFields+` WHERE id = $1 AND deleted_at IS NULL`, id)
}

// DeleteNumber gives up a number (an admin). Its owner, or who takes it next,
// logs the device out. What waits to be sent through it goes through the number
// that the person writes to next.
func (tx *Tx) DeleteNumber(ctx context.Context, scope loyalty.Scope, id loyalty.ID) error {
	if err := adminOnly(scope); err != nil {
		return err
	}
	tag, err := tx.tx.Exec(ctx, `
		UPDATE whatsapp_numbers SET deleted_at = $2, updated_at = $2, qr = '', qr_until = NULL WHERE id = $1 AND deleted_at IS NULL`, id, tx.now)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoNumber()
	}
	tx.audit(scope, Deleted, "number", id, "")
	return err
}

// Lease is the right to run a number: of one owner, until its time is over. The
// fence grows with each owner, and every write of an owner names it.
type Lease struct {
	Number loyalty.ID
	Owner  string
	Fence  int64
}

// ErrLeaseLost says that the number is another's now, or nobody's: whoever gets it
// stops at once.
var ErrLeaseLost = errors.New("store: the lease of the number is lost")

// LeaseNumbers renews the owner's leases, takes numbers that nobody holds until
// the owner has as many as most, and gives all that it holds now, for ttl from
// now. An owner is one run of a process: its name must be new with each start.
// Among the numbers may be some that were deleted: their devices are to be logged
// out (NumberState with an empty JID), and released.
//
// Leases are by the clocks of the processes. One that is fast by more than the
// time between an owner's stop and its lease's end takes a number too early: both
// are then connected for as long as the clocks differ, but the older's writes find
// the fence changed and are refused. Owners therefore stop well before the end,
// by a monotonic clock, and machines keep their clocks within a second.
func (tx *Tx) LeaseNumbers(ctx context.Context, owner string, ttl time.Duration, most int) ([]Number, error) {
	until := tx.now.Add(ttl)
	// One's own first: nobody else takes those. A lease that ran out is no longer
	// one's own, for another may have come and gone meanwhile.
	_, err := tx.tx.Exec(ctx, `
		UPDATE whatsapp_numbers SET lease_until = $3 WHERE owner = $1 AND lease_until > $2`, owner, tx.now, until)
	if err != nil {
		return nil, err
	}
	_, err = tx.tx.Exec(ctx, `
		WITH free AS (
			SELECT id FROM whatsapp_numbers
			WHERE (owner = '' OR lease_until <= $2) AND (deleted_at IS NULL OR jid <> '')
			ORDER BY id LIMIT greatest($4 - (SELECT count(*) FROM whatsapp_numbers WHERE owner = $1 AND lease_until > $2), 0)
			FOR UPDATE SKIP LOCKED
		)
		UPDATE whatsapp_numbers n SET owner = $1, fence = n.fence + 1, lease_until = $3 FROM free WHERE n.id = free.id`,
		owner, tx.now, until, most)
	if err != nil {
		return nil, err
	}
	return collect[Number](ctx, tx, numberFields+` WHERE owner = $1 AND lease_until > $2 ORDER BY id`, owner, tx.now)
}

// ReleaseNumber gives a lease back, so that another takes the number at once.
func (tx *Tx) ReleaseNumber(ctx context.Context, l Lease) error {
	return tx.fenced(ctx, l, `
		UPDATE whatsapp_numbers SET owner = '', lease_until = NULL, qr = '', qr_until = NULL, updated_at = $4,
		  status = CASE WHEN status IN ('connected', 'restricted') THEN 'disconnected' ELSE status END`)
}

// NumberState is what an owner says of its number; nil leaves a thing as it is.
// The zero time stands for no time.
type NumberState struct {
	Status   *NumberStatus
	Reason   *string
	QR       *string
	QRUntil  *time.Time
	Until    *time.Time
	Phone    *string
	JID      *string
	PairedAt *time.Time
	AliveAt  *time.Time
}

// NumberState writes down how a number stands. The error is ErrLeaseLost where the
// lease is not, or no longer, the caller's.
func (tx *Tx) NumberState(ctx context.Context, l Lease, s NumberState) error {
	when := func(t *time.Time) (set bool, at *time.Time) {
		if t == nil || t.IsZero() {
			return t != nil, nil
		}
		return true, t
	}
	setQR, qrUntil := when(s.QRUntil)
	setUntil, until := when(s.Until)
	setPaired, paired := when(s.PairedAt)
	setAlive, alive := when(s.AliveAt)
	return tx.fenced(ctx, l, rereadAgain+`
		UPDATE whatsapp_numbers SET updated_at = $4,
		  status = coalesce($5, status), reason = coalesce($6, reason), qr = coalesce($7, qr),
		  qr_until = CASE WHEN $8 THEN $9 ELSE qr_until END, until_at = CASE WHEN $10 THEN $11 ELSE until_at END,
		  phone = coalesce($12, phone), jid = coalesce($13, jid),
		  paired_at = CASE WHEN $14 THEN $15 ELSE paired_at END, alive_at = CASE WHEN $16 THEN $17 ELSE alive_at END`,
		s.Status, s.Reason, s.QR, setQR, qrUntil, setUntil, until, s.Phone, s.JID, setPaired, paired, setAlive, alive)
}

// fenced runs an update of a number by its owner. Its first parameters are the
// number, the owner, the fence and now.
func (tx *Tx) fenced(ctx context.Context, l Lease, update string, args ...any) error {
	tag, err := tx.tx.Exec(ctx, update+` WHERE id = $1 AND owner = $2 AND fence = $3 AND lease_until > $4`,
		append([]any{l.Number, l.Owner, l.Fence, tx.now}, args...)...)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrLeaseLost
	}
	return err
}
