package store

import (
	"context"
	"errors"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// PendingPurchases gives the purchases that wait for the consumer's yes, newest
// first, with what it will bring.
func (tx *Tx) PendingPurchases(ctx context.Context, person loyalty.ID) ([]Movement, error) {
	return tx.movements(ctx, `pu.person_id = $1 AND pu.status = 'pending'`, person, mostPending)
}

// mostPending is how many purchases of a consumer are asked about at once.
const mostPending = 50

// ConfirmPending is the consumer's yes to one purchase, or to all that wait where
// none is named: what they waited to give is given, as of their own time. It sends
// and gives their receipts; what does not wait any more has none.
func (tx *Tx) ConfirmPending(ctx context.Context, person, purchase loyalty.ID) ([]Receipt, error) {
	return tx.confirm(ctx, person, purchase, true)
}

// AnswerPending is ConfirmPending of all that wait, for who tells the consumer
// what it brought: it sends nothing.
func (tx *Tx) AnswerPending(ctx context.Context, person loyalty.ID) ([]Receipt, error) {
	return tx.confirm(ctx, person, "", false)
}

func (tx *Tx) confirm(ctx context.Context, person, purchase loyalty.ID, tell bool) ([]Receipt, error) {
	ids, err := tx.waiting(ctx, person, purchase)
	if err != nil {
		return nil, err
	}
	var all []Receipt
	for _, id := range ids {
		r, ok, err := tx.settlePending(ctx, id, true, tell)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, r)
		}
	}
	return all, nil
}

// waiting locks the consumer and gives the purchases that wait, oldest first.
func (tx *Tx) waiting(ctx context.Context, person, purchase loyalty.ID) ([]loyalty.ID, error) {
	if err := tx.lockConsumer(ctx, person); err != nil {
		return nil, err
	}
	var ids []loyalty.ID
	err := tx.tx.QueryRow(ctx, `
		SELECT ARRAY(SELECT id::text FROM purchases WHERE person_id = $1 AND status = 'pending' AND ($2::uuid IS NULL OR id = $2) ORDER BY id LIMIT $3)`,
		person, optional(purchase), mostPending).Scan(&ids)
	return ids, err
}

// denied is the reason that is kept of a purchase that its consumer denied.
const denied = "El cliente dijo que no fue su compra"

// DenyPending is the consumer's no to one purchase, or to all that wait where none
// is named: what they waited to give is never given. One that gave nothing else is
// reversed. It gives the purchases that waited.
func (tx *Tx) DenyPending(ctx context.Context, person, purchase loyalty.ID) ([]loyalty.ID, error) {
	ids, err := tx.waiting(ctx, person, purchase)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		var earned bool
		if err := tx.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ledger WHERE purchase_id = $1)`, id).Scan(&earned); err != nil {
			return nil, err
		}
		if earned {
			err = tx.dropPending(ctx, id)
		} else {
			_, _, err = tx.reverse(ctx, id, loyalty.Scope{Role: loyalty.RoleConsumer, Person: person}.Actor(), ReversalInput{Reason: denied})
		}
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// dropPending takes from a purchase what it waited to give.
func (tx *Tx) dropPending(ctx context.Context, id loyalty.ID) error {
	var at time.Time
	var zone string
	err := tx.tx.QueryRow(ctx, `
		UPDATE purchases p SET status = 'recorded', pending_campaigns = NULL, matures_at = NULL,
		  settled = coalesce(p.settled, p.receipt) - 'pending' || '{"status": "recorded"}'
		FROM shops s WHERE p.id = $1 AND s.id = p.shop_id AND p.status = 'pending' RETURNING p.occurred_at, s.time_zone`, id).Scan(&at, &zone)
	if err != nil {
		return ignoreNone(err)
	}
	return tx.rollupDay(ctx, at, zone)
}

// MaturePending gives what at most limit purchases waited to give long enough, as
// each of their campaigns says, without an answer. Each is a transaction of its own. It
// says how many there were.
func (db *DB) MaturePending(ctx context.Context, limit int) (int, error) {
	var due []loyalty.ID
	err := db.InTx(ctx, func(tx *Tx) error {
		return tx.tx.QueryRow(ctx, `
			SELECT ARRAY(SELECT id::text FROM purchases WHERE status = 'pending' AND matures_at <= $1 ORDER BY matures_at LIMIT $2)`,
			tx.now, limit).Scan(&due)
	})
	if err != nil {
		return 0, err
	}
	var failed []error // one that cannot be settled keeps no other waiting
	for _, id := range due {
		failed = append(failed, db.InTx(ctx, func(tx *Tx) error {
			_, _, err := tx.settlePending(ctx, id, false, true)
			return err
		}))
	}
	return len(due), errors.Join(failed...)
}
