package store

import (
	"context"
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// NumberStatuses are all states of a number.
func NumberStatuses() []NumberStatus {
	return []NumberStatus{
		NumberPairing, NumberConnected, NumberDisconnected, NumberLoggedOut, NumberBanned, NumberRestricted, NumberOutdated, NumberReplaced,
	}
}

// Held says whether a process looks after the number at the moment.
func (n Number) Held(now time.Time) bool {
	return n.Owner != "" && n.LeaseUntil != nil && n.LeaseUntil.After(now)
}

// Scannable says whether its QR can be scanned at the moment.
func (n Number) Scannable(now time.Time) bool {
	return n.Status == NumberPairing && n.QR != "" && n.Held(now) && (n.QRUntil == nil || n.QRUntil.After(now))
}

// NumberSilence is how long a connected number may go without a round trip until it
// counts as dead (P30).
const NumberSilence = 2 * time.Minute

// Silent says whether the number claims to be connected and shows no life.
func (n Number) Silent(now time.Time) bool {
	return n.talks() && (n.AliveAt == nil || now.Sub(*n.AliveAt) > NumberSilence)
}

// Working says whether the number receives and answers at the moment.
func (n Number) Working(now time.Time) bool { return n.talks() && n.Held(now) && !n.Silent(now) }

func (n Number) talks() bool { return n.Status == NumberConnected || n.Status == NumberRestricted }

// NumberPatch changes a number; nil leaves a thing as it is, "" takes it away.
type NumberPatch struct {
	Label     *string
	Shop, CPG *loyalty.ID // whose customers write to it: of one of the two, or of neither
}

// UpdateNumber changes what a number is called and whose it is (an admin).
func (tx *Tx) UpdateNumber(ctx context.Context, scope loyalty.Scope, id loyalty.ID, in NumberPatch) (Number, error) {
	if err := adminOnly(scope); err != nil {
		return Number{}, err
	}
	var c check
	if in.Label != nil {
		c.text("label", in.Label, 1, 80)
	}
	if in.Shop != nil && *in.Shop != "" {
		c.id("shop_id", in.Shop)
	}
	if in.CPG != nil && *in.CPG != "" {
		c.id("cpg_id", in.CPG)
	}
	if err := c.err(); err != nil {
		return Number{}, err
	}
	was, err := fetch[Number](ctx, tx, errNoNumber(), numberFields+` WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`, id)
	if err != nil {
		return was, err
	}
	n, err := fetch[Number](ctx, tx, errNoNumber(), `
		UPDATE whatsapp_numbers SET label = coalesce($2, label), updated_at = $3,
		  shop_id = CASE WHEN $4 THEN $5 ELSE shop_id END, cpg_id = CASE WHEN $6 THEN $7 ELSE cpg_id END
		WHERE id = $1 AND deleted_at IS NULL RETURNING `+numberColumns,
		id, in.Label, tx.now, in.Shop != nil, given(in.Shop), in.CPG != nil, given(in.CPG))
	tx.audit(scope, Updated, "number", id, n.Label, changed(was, n)...)
	return n, err
}

// given is nil for what was not given, or given as none.
func given(id *loyalty.ID) *loyalty.ID {
	if id == nil {
		return nil
	}
	return optional(*id)
}

// Again says what ResumeNumber would make of the number; "" where that makes no
// sense. A phone that unlinked us must scan once more; in all else WhatsApp still
// knows the device, and connecting is enough.
func (n Number) Again(now time.Time) NumberStatus {
	switch n.Status {
	case NumberPairing:
		if n.Reason != "" {
			return NumberPairing
		}
	case NumberLoggedOut:
		return NumberPairing
	case NumberOutdated, NumberReplaced:
		return NumberDisconnected
	case NumberBanned:
		if n.Until == nil || !n.Until.After(now) {
			return NumberDisconnected
		}
	case NumberDisconnected: // a code of WhatsApp's: after that nobody tries by himself
		if _, err := strconv.Atoi(n.Reason); err == nil {
			return NumberDisconnected
		}
	case NumberConnected, NumberRestricted:
	}
	return ""
}

// ResumeNumber tries once more with a number that stopped for good (an admin): its
// owner pairs or connects it again when it sees the new state.
func (tx *Tx) ResumeNumber(ctx context.Context, scope loyalty.Scope, id loyalty.ID) (Number, error) {
	if err := adminOnly(scope); err != nil {
		return Number{}, err
	}
	n, err := fetch[Number](ctx, tx, errNoNumber(), numberFields+` WHERE id = $1 AND deleted_at IS NULL FOR UPDATE`, id)
	if err != nil {
		return n, err
	}
	again := n.Again(tx.now)
	switch {
	case again == "" && n.Status == NumberPairing:
		return n, nil // a double tap: it is being paired
	case again == "" && n.Status == NumberBanned:
		return n, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "WhatsApp tiene bloqueado este número: intentarlo antes de que termine lo alarga.")
	case again == "":
		return n, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "Este número ya está vinculado y se conecta solo.")
	}
	tx.audit(scope, Resumed, "number", id, n.Label, difference("status", n.Status, again))
	return fetch[Number](ctx, tx, errNoNumber(), `
		UPDATE whatsapp_numbers SET status = $2, reason = '', qr = '', qr_until = NULL, updated_at = $3,
		  until_at = CASE WHEN status = 'banned' THEN NULL ELSE until_at END WHERE id = $1 RETURNING `+numberColumns,
		id, again, tx.now)
}

// NumberDay is what a number did since a moment, and what waits for it now.
type NumberDay struct {
	Number    loyalty.ID `db:"number_id"`
	Sent      int        `db:"sent"` // the channel took it
	Delivered int        `db:"delivered"`
	Failed    int        `db:"failed"`
	Waiting   int        `db:"waiting"`
}

// NumberDays counts the messages since a moment by number (an admin): a message
// without a number of its own goes through that which the person wrote to last.
func (tx *Tx) NumberDays(ctx context.Context, scope loyalty.Scope, since time.Time) (map[loyalty.ID]NumberDay, error) {
	if err := adminOnly(scope); err != nil {
		return nil, err
	}
	all, err := collect[NumberDay](ctx, tx, `
		SELECT number_id, count(*) FILTER (WHERE status IN ('sent', 'delivered', 'read')) AS sent,
		  count(*) FILTER (WHERE status IN ('delivered', 'read')) AS delivered, count(*) FILTER (WHERE status = 'failed') AS failed,
		  count(*) FILTER (WHERE waits) AS waiting
		FROM (
			SELECT coalesce(o.number_id, p.number_id) AS number_id, o.status, false AS waits
			FROM outbox o JOIN persons p ON p.id = o.person_id WHERE o.id >= $1
			UNION ALL
			SELECT coalesce(o.number_id, p.number_id), o.status, true
			FROM outbox o JOIN persons p ON p.id = o.person_id WHERE o.status = 'queued'
		) o WHERE number_id IS NOT NULL GROUP BY number_id`, loyalty.IDAt(since))
	days := make(map[loyalty.ID]NumberDay, len(all))
	for _, d := range all {
		days[d.Number] = d
	}
	return days, err
}

// CurrentNumber gives the phone to write to from a shop's QR: before all others one
// that shows life; then the shop's own, else that of a CPG that sells there, else
// one of Qoa's; of several, one that may start conversations, the one that started
// least in a day, and while they are alike the same one for the same shop. "" is
// none: no number is connected. Where shop is "", it is one of Qoa's. A poster is
// public: no scope.
func (tx *Tx) CurrentNumber(ctx context.Context, shop loyalty.ID) (phone string, err error) {
	err = tx.tx.QueryRow(ctx, `
		SELECT n.phone FROM whatsapp_numbers n
		WHERE n.deleted_at IS NULL AND n.phone IS NOT NULL AND n.status IN ('connected', 'restricted') AND n.lease_until > $2
		  AND CASE WHEN n.shop_id IS NOT NULL THEN n.shop_id = $1
		    WHEN n.cpg_id IS NOT NULL THEN EXISTS (SELECT FROM cpg_shops r WHERE r.cpg_id = n.cpg_id AND r.shop_id = $1 AND r.active)
		    ELSE true END
		ORDER BY coalesce(n.alive_at < $4, true), n.shop_id IS NULL, n.cpg_id IS NULL, n.status <> 'connected',
		  (SELECT count(*) FROM outbox o WHERE o.number_id = n.id AND o.started_at > $3), md5(n.id::text || coalesce($1::text, '')) LIMIT 1`,
		optional(shop), tx.now, tx.now.AddDate(0, 0, -1), tx.now.Add(-NumberSilence)).Scan(&phone)
	return phone, ignoreNone(err)
}
