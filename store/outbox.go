package store

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Lane is how a message may travel.
type Lane string

// The lanes. Replies and receipts go at any hour; what the bot starts stops
// with BAJA, and keeps to the day.
const (
	LaneReply     Lane = "reply"     // answers a message, or was asked for (an OTP)
	LaneReceipt   Lane = "receipt"   // says what a purchase brought
	LaneService   Lane = "service"   // a reminder of a card, a digest, an ROI summary
	LanePromotion Lane = "promotion" // all else; needs opt-in
)

// Notice is a message that no message asked for. The text is made at delivery,
// so that the store knows no texts.
type Notice struct {
	Person   loyalty.ID
	Lane     Lane
	Template string
	Vars     map[string]string // where it has card_url, Claim puts the chat link of that moment
	Media    string
	MediaRef string
	Cause    string // natural key: a second notice of the same cause is none (law 2)
	Zone     string // keep to the day in this time zone; "" is any hour
}

// Notify queues a notice. It is not queued, and no error, when the person
// never wrote, opted out, was erased, or the cause has had its notice.
func (tx *Tx) Notify(ctx context.Context, n Notice) (queued bool, err error) {
	due := tx.now
	if n.Zone != "" {
		due = NextDaytime(tx.now, n.Zone)
	}
	id := tx.newID()
	e := Event{Kind: DeliveryDue, Row: id}
	if due.After(tx.now) {
		e.Kind = deliveryLater
	}
	var number *loyalty.ID
	err = tx.tx.QueryRow(ctx, insertNotice, tx.noticeArgs(ctx, id, n, due)...).Scan(&e.ID, &number)
	if err != nil {
		return false, ignoreNone(err)
	}
	set(&e.Number, number)
	tx.ring(e)
	return true, nil
}

const insertNotice = `
	INSERT INTO outbox (id, person_id, number_id, message_id, lane, template, vars, media, media_ref, cause, zone, trace_id, created_at, due_at)
	SELECT $1, p.id, p.number_id, $3, $4, $5, $6, $7, $8, nullif($9, ''), nullif($10, ''), $13, $11, $12
	FROM persons q JOIN persons p ON p.id = coalesce(q.merged_into, q.id)
	WHERE q.id = $2 AND p.erased_at IS NULL AND p.first_wrote_at IS NOT NULL
	  AND ($4 = 'reply' OR p.opted_out_at IS NULL)
	  AND ($4 <> 'promotion' OR p.promotions_at IS NOT NULL)
	ON CONFLICT (cause) WHERE cause IS NOT NULL DO NOTHING RETURNING person_id, number_id`

func (tx *Tx) noticeArgs(ctx context.Context, id loyalty.ID, n Notice, due time.Time) []any {
	return []any{id, n.Person, messageID(id), n.Lane, n.Template, n.Vars, n.Media, n.MediaRef, n.Cause, n.Zone, tx.now, due, Trace(ctx)}
}

// insertReply puts the answer to a message into the outbox, to the chat that it
// came from. It is claimed where nothing older waits before it.
const insertReply = `
	INSERT INTO outbox (id, person_id, channel, number_id, address_id, message_id, lane, body, template, vars, media, media_ref, inbox_id, trace_id, created_at, due_at,
	  claimed_until, attempts)
	SELECT $1, $2, $3, $4, $5, $6, 'reply', nullif($7, ''), nullif($8, ''), $9, $10, $11, $12, $13, $14, $14,
	  CASE WHEN f.free THEN $15::timestamptz END, CASE WHEN f.free THEN 1 ELSE 0 END
	FROM (SELECT $15::timestamptz IS NOT NULL AND NOT EXISTS (
	  SELECT FROM outbox o WHERE o.person_id = $2 AND o.status = 'queued' AND o.lane NOT IN ('service', 'promotion')) AS free) f
	RETURNING claimed_until IS NOT NULL AS claimed`

// newReply is an answer on its way into the outbox.
type newReply struct {
	out  Outbound
	args []any // of insertReply
}

// newReply makes the row. Where this process sends it itself, it is claimed for it
// from the beginning.
func (tx *Tx) newReply(m Message, r Reply) newReply {
	out := Outbound{
		ID: tx.newID(), Person: m.Person, Channel: m.Channel, Number: m.Number, Chat: m.chat, ReplyTo: m.MessageID, Lane: LaneReply,
		Body: r.Body, Template: r.Template, Vars: r.Vars, Media: r.Media, MediaRef: r.MediaRef, Attempts: 1, TraceID: m.TraceID, CreatedAt: tx.now,
	}
	out.MessageID = messageID(out.ID)
	var until *time.Time
	if lease := tx.delivers(m.Number); lease > 0 && m.chat != "" {
		end := tx.now.Add(lease)
		until = &end
	}
	return newReply{out, []any{
		out.ID, m.Person, m.Channel, optional(m.Number), optional(m.Address), out.MessageID, r.Body, r.Template, r.Vars, r.Media, r.MediaRef,
		m.ID, m.TraceID, tx.now, until,
	}}
}

// ringReply tells of a reply that was queued.
func (tx *Tx) ringReply(q newReply, claimed bool) {
	e := Event{Kind: DeliveryDue, ID: q.out.Person, Row: q.out.ID, Number: q.out.Number}
	if claimed {
		e.Claimed = &q.out
	}
	tx.ring(e)
}

// reply queues the answer to a message.
func (tx *Tx) reply(m Message, r Reply) {
	q := tx.newReply(m, r)
	tx.laterRow(func(row pgx.Row) error {
		var claimed bool
		if err := row.Scan(&claimed); err != nil {
			return err
		}
		tx.ringReply(q, claimed)
		return nil
	}, insertReply, q.args...)
}

// messageID is the ID that a message keeps for all its attempts, in the form
// WhatsApp's own clients use: a resend with the same ID is known as such. It is
// made of the row's ID, of which the last 18 digits hold all its randomness but
// some bits.
func messageID(row loyalty.ID) string {
	digits := strings.ToUpper(strings.ReplaceAll(string(row), "-", ""))
	return "3EB0" + digits[len(digits)-18:]
}

// Outbound is a message to be sent now.
type Outbound struct {
	ID        loyalty.ID        `db:"id"`
	Person    loyalty.ID        `db:"person_id"`
	Channel   string            `db:"channel"`   // "" where the person never wrote in one
	Number    loyalty.ID        `db:"number_id"` // of the bot's, to send it through; "" where the channel has none
	Chat      string            `db:"chat"`      // as the person wrote from it: the wire form, or the address; "" where there is none any more
	MessageID string            `db:"message_id"`
	ReplyTo   string            `db:"reply_to"` // ID of the message that it answers; "" where it answers none
	Lane      Lane              `db:"lane"`
	Body      string            `db:"body"`
	Template  string            `db:"template"`
	Vars      map[string]string `db:"vars"`
	Media     string            `db:"media"`
	MediaRef  string            `db:"media_ref"`
	Attempts  int               `db:"attempts"`
	Zone      string            `db:"zone"`
	OptedOut  bool              `db:"opted_out"`
	TraceID   string            `db:"trace_id"`
	CreatedAt time.Time         `db:"created_at"`
}

// claimed is a message with what decides whether it may be sent after all.
type claimed struct {
	Outbound
	Promoted bool       `db:"promoted"` // the person wants promotions
	Merged   loyalty.ID `db:"merged"`   // the person turned out to be that one; "": not
}

// starts says whether the bot starts something with a message of the lane, rather
// than to say what is waited for.
func (l Lane) starts() bool { return l == LaneService || l == LanePromotion }

// Claim takes the oldest message that waits for a person and goes through the
// number ("" where the channel has none) for lease: nobody else sends it
// meanwhile. What answers the person keeps its order, and goes before what the bot
// starts; nothing younger of the same kind overtakes it, not even while it waits to
// be tried again. ok is false when there is nothing to send now, or another has
// the claim.
//
// What the bot starts waits where the number may start nothing, or not yet: see
// Pacing. It blocks nothing of the person meanwhile.
func (tx *Tx) Claim(ctx context.Context, person, number loyalty.ID, lease time.Duration) (out Outbound, ok bool, err error) {
	starts := true
	for {
		c, ok, err := tx.claimOldest(ctx, person, number, lease, starts)
		if err != nil || !ok {
			return out, false, err
		}
		goes, err := tx.goes(ctx, &c, &starts)
		if err != nil {
			return out, false, err
		}
		if goes {
			return c.Outbound, true, tx.addVars(ctx, &c.Outbound)
		}
	}
}

// goes says whether a claimed message is to be sent, for what held when it was
// queued may hold no more (law 8). One that is not is settled, or waits.
func (tx *Tx) goes(ctx context.Context, c *claimed, starts *bool) (bool, error) {
	switch {
	case c.Merged != "": // queued while the person was being merged
		tx.handOver(c)
		return false, nil
	case c.OptedOut && c.Lane != LaneReply, c.Lane == LanePromotion && !c.Promoted:
		return false, tx.Drop(ctx, c.ID, "opted out")
	case c.Chat == "":
		return false, tx.Drop(ctx, c.ID, "no address")
	}
	if c.Zone != "" {
		if day := NextDaytime(tx.now, c.Zone); day.After(tx.now) {
			return false, tx.Postpone(ctx, c.ID, "waits for the day", day)
		}
	}
	if !c.Lane.starts() || c.Number == "" {
		return true, nil
	}
	ok, err := tx.start(ctx, c.Number, c.ID)
	if err != nil || ok {
		return ok, err
	}
	*starts = false // what answers the person goes on
	tx.unclaim(c.ID)
	return false, nil
}

// throughNumber says of an outbox row o of person p whether it goes through the
// number $2. A notice goes through the number that the person wrote to last, where
// it names none; so does what was to go through a number that is gone.
const throughNumber = `CASE WHEN o.number_id IS NULL THEN CASE WHEN o.channel IS NULL THEN p.number_id END
	  WHEN EXISTS (SELECT FROM whatsapp_numbers g WHERE g.id = o.number_id AND g.deleted_at IS NOT NULL) THEN p.number_id
	  ELSE o.number_id END IS NOT DISTINCT FROM $2::uuid`

// claimOldest claims what is to be sent first, of what may be sent: without what the
// bot starts where starts is false.
func (tx *Tx) claimOldest(ctx context.Context, person, number loyalty.ID, lease time.Duration, starts bool) (c claimed, ok bool, err error) {
	rows, err := tx.tx.Query(ctx, `
		WITH number AS (
			SELECT $2::uuid IS NULL OR `+mayTalk+` AS talks, $2::uuid IS NULL OR `+mayStart(`$3`)+` AS starts
			FROM (SELECT) one LEFT JOIN whatsapp_numbers n ON n.id = $2
		), oldest AS (
			SELECT o.id, o.claimed_until, o.due_at, o.lane FROM number u CROSS JOIN outbox o JOIN persons p ON p.id = o.person_id
			WHERE o.person_id = $1 AND o.status = 'queued' AND `+throughNumber+`
			  AND (o.due_at <= $3 OR o.attempts > 0 AND o.zone IS NULL)
			  AND CASE WHEN o.lane IN ('service', 'promotion') THEN $5 AND u.starts ELSE u.talks END
			ORDER BY o.lane IN ('service', 'promotion'), o.seq LIMIT 1 FOR UPDATE OF o
		)
		UPDATE outbox o SET claimed_until = $4, attempts = o.attempts + 1, number_id = $2,
		  channel = coalesce(o.channel, (SELECT i.channel FROM inbox i WHERE i.person_id = o.person_id ORDER BY i.seq DESC LIMIT 1))
		FROM oldest, persons p
		WHERE o.id = oldest.id AND oldest.due_at <= $3 AND (oldest.claimed_until IS NULL OR oldest.claimed_until <= $3) AND p.id = o.person_id
		RETURNING o.id, o.person_id, coalesce(o.channel, '') AS channel, coalesce(o.number_id::text, '') AS number_id,
		  coalesce((SELECT coalesce(a.wire, a.address) FROM addresses a WHERE a.id = coalesce(o.address_id,
		      (SELECT i.address_id FROM inbox i WHERE i.person_id = o.person_id AND i.address_id IS NOT NULL ORDER BY i.seq DESC LIMIT 1))),
		    (SELECT coalesce(a.wire, a.address) FROM addresses a WHERE a.person_id = o.person_id ORDER BY a.created_at LIMIT 1), '') AS chat,
		  o.message_id, coalesce((SELECT i.message_id FROM inbox i WHERE i.id = o.inbox_id), '') AS reply_to,
		  o.lane, coalesce(o.body, '') AS body, coalesce(o.template, '') AS template, o.vars,
		  o.media, o.media_ref, o.attempts, coalesce(o.zone, '') AS zone, p.opted_out_at IS NOT NULL AS opted_out,
		  p.promotions_at IS NOT NULL AS promoted, coalesce(p.merged_into::text, '') AS merged, o.trace_id, o.created_at`,
		person, optional(number), tx.now, tx.now.Add(lease), starts)
	if err != nil {
		return c, false, err
	}
	c, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[claimed])
	return c, err == nil, ignoreNone(err)
}

// handOver gives a message to the person that its own turned out to be.
func (tx *Tx) handOver(c *claimed) {
	tx.ring(Event{Kind: DeliveryDue, ID: c.Merged, Row: c.ID, Number: c.Number})
	tx.later(`UPDATE outbox SET person_id = $2, claimed_until = NULL, attempts = attempts - 1 WHERE id = $1`, c.ID, c.Merged)
}

// unclaim takes a claim back, as if there had been none.
func (tx *Tx) unclaim(id loyalty.ID) {
	tx.later(`UPDATE outbox SET claimed_until = NULL, attempts = attempts - 1 WHERE id = $1`, id)
}

// Postpone notes why a message waits until then, as if it had not been tried.
func (tx *Tx) Postpone(_ context.Context, id loyalty.ID, problem string, at time.Time) error {
	tx.later(`
		UPDATE outbox SET claimed_until = NULL, attempts = attempts - 1, due_at = $3, problem = $2 WHERE id = $1 AND status = 'queued'`, id, problem, at)
	return nil
}

// FreeClaims lets a number's new owner take up at once what the one before had in
// hand. Only the owner may call it, and before it claims anything itself.
func (tx *Tx) FreeClaims(ctx context.Context, number loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET claimed_until = NULL WHERE number_id = $1 AND status = 'queued' AND claimed_until > $2`, number, tx.now)
	return err
}

// varCardURL is the variable that holds the chat link.
const varCardURL = "card_url"

// addVars gives a notice what is looked up at its delivery: what its purchase
// brought, and the chat link that holds now, which is kept nowhere and may have
// been reissued since the notice was queued.
func (tx *Tx) addVars(ctx context.Context, out *Outbound) error {
	if err := tx.addReceipt(ctx, out); err != nil {
		return err
	}
	if _, wanted := out.Vars[varCardURL]; wanted {
		url, _, err := tx.ChatLink(ctx, out.Person)
		out.Vars[varCardURL] = url
		return err
	}
	return nil
}

// Sent notes that the channel took the message, and what it said. The secrets in
// it go: a link or a one-time password is for who received it, not for who reads
// our database.
func (tx *Tx) Sent(_ context.Context, id loyalty.ID, body string) error {
	if tx.moreSends == nil {
		tx.moreSends = map[loyalty.ID]bool{}
	}
	// Its receipt may have come before this.
	tx.laterRow(func(row pgx.Row) error {
		var more bool
		err := ignoreNone(row.Scan(&more))
		tx.moreSends[id] = more
		return err
	}, `
		UPDATE outbox o SET status = CASE status WHEN 'queued' THEN 'sent' ELSE status END, sent_at = $2, problem = '', claimed_until = NULL, vars = NULL,
		  body = CASE WHEN template = 'otp.code' THEN '' ELSE $3 END
		WHERE id = $1 AND (status = 'queued' OR status IN ('delivered', 'read') AND sent_at IS NULL)
		RETURNING EXISTS (SELECT FROM outbox n WHERE n.person_id = o.person_id AND n.status = 'queued' AND n.id <> o.id)`,
		id, tx.now, secretLinks.ReplaceAllString(body, "/$1/…"))
	return nil
}

// MoreSends says, after the commit of Sent, whether another message to the same
// person may be due.
func (tx *Tx) MoreSends(id loyalty.ID) bool { return tx.moreSends[id] }

// Delivered notes how far messages came: "delivered" or "read". What is known
// already, or would be a step back, changes nothing. A message that was not known
// to be sent is by this.
func (tx *Tx) Delivered(ctx context.Context, messageIDs []string, at time.Time, state string) error {
	before := []string{"queued", "sent", "failed"}
	switch state {
	case "delivered":
	case "read":
		before = append(before, "delivered")
	default:
		return loyalty.Invalid("state", "debe ser delivered o read")
	}
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET status = $3, problem = '', claimed_until = NULL, delivered_at = coalesce(delivered_at, $2),
		  read_at = CASE WHEN $3 = 'read' THEN $2 ELSE read_at END
		WHERE message_id = ANY($1) AND channel IN ('whatsapp', 'cloud') AND status = ANY($4) AND attempts > 0`,
		nonNil(messageIDs), at, state, before)
	return err
}

// secretLinks are the chat link of a card and the link to a shop's page.
var secretLinks = regexp.MustCompile(`/(c|t)/[A-Za-z0-9_-]{20,}`)

// Retry notes a failure that may pass, and when to try again.
func (tx *Tx) Retry(_ context.Context, id loyalty.ID, problem string, at time.Time) error {
	tx.later(`UPDATE outbox SET problem = $2, due_at = $3, claimed_until = NULL WHERE id = $1 AND status = 'queued'`, id, problem, at)
	return nil
}

// Fail notes a failure for good: the row stays as a dead letter, to be seen
// and sent again by an admin.
func (tx *Tx) Fail(_ context.Context, id loyalty.ID, problem string) error {
	tx.later(`UPDATE outbox SET status = 'failed', problem = $2, claimed_until = NULL WHERE id = $1 AND status = 'queued'`, id, problem)
	return nil
}

// Drop notes that the message must not be sent any more.
func (tx *Tx) Drop(_ context.Context, id loyalty.ID, problem string) error {
	tx.later(`UPDATE outbox SET status = 'dropped', problem = $2, claimed_until = NULL WHERE id = $1 AND status = 'queued'`, id, problem)
	return nil
}

// DueDeliveries finds persons with messages that could go now, and need no number:
// the sweep that makes a lost ring harmless.
func (tx *Tx) DueDeliveries(ctx context.Context, patience time.Duration, limit int) ([]Event, error) {
	return tx.dueEvents(ctx, DeliveryDue, dueDeliveries+` AND w.number_id IS NULL
		ORDER BY o.person_id, w.number_id, o.seq LIMIT $3`, tx.now.Add(-patience), tx.now, limit)
}

// DueThrough is DueDeliveries of what goes through numbers, for their owner. It
// paces what they start, too.
func (tx *Tx) DueThrough(ctx context.Context, numbers []loyalty.ID, patience time.Duration, limit int) ([]Event, error) {
	talk, err := tx.dueEvents(ctx, DeliveryDue, dueDeliveries+`
		  AND w.number_id = ANY($4) AND `+mayTalk+`
		  -- What a number starts is dueStarts's, but for what does not know its number yet.
		  AND (o.lane NOT IN ('service', 'promotion') OR o.number_id IS DISTINCT FROM n.id)
		ORDER BY o.person_id, w.number_id, o.seq LIMIT $3`, tx.now.Add(-patience), tx.now, limit, numbers)
	if err != nil {
		return nil, err
	}
	starts, err := tx.dueStarts(ctx, numbers)
	return append(talk, starts...), err
}

const dueDeliveries = `
	SELECT DISTINCT ON (o.person_id, w.number_id) o.person_id, o.id, w.number_id
	FROM outbox o JOIN persons p ON p.id = o.person_id
	LEFT JOIN whatsapp_numbers g ON g.id = o.number_id
	CROSS JOIN LATERAL (SELECT CASE WHEN o.number_id IS NULL THEN CASE WHEN o.channel IS NULL THEN p.number_id END
	  WHEN g.deleted_at IS NOT NULL THEN p.number_id ELSE o.number_id END AS number_id) w
	LEFT JOIN whatsapp_numbers n ON n.id = w.number_id
	WHERE o.status = 'queued' AND o.due_at <= $1 AND (o.claimed_until IS NULL OR o.claimed_until <= $2)`

// Backlog counts what waits, for metrics and the admin's page.
type Backlog struct {
	Inbox, Parked, Outbox, Failed int64
	OldestInbox, OldestOutbox     time.Duration
}

// Backlog of the whole system.
func (tx *Tx) Backlog(ctx context.Context) (Backlog, error) {
	var b Backlog
	var inbox, outbox float64
	err := tx.tx.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM inbox WHERE status = 'pending'), (SELECT count(*) FROM inbox WHERE status = 'parked'),
		  (SELECT count(*) FROM outbox WHERE status = 'queued' AND due_at <= $1), (SELECT count(*) FROM outbox WHERE status = 'failed'),
		  coalesce(extract(epoch FROM $1 - (SELECT min(received_at) FROM inbox WHERE status = 'pending')), 0)::float8,
		  coalesce(extract(epoch FROM $1 - (SELECT min(due_at) FROM outbox WHERE status = 'queued' AND due_at <= $1)), 0)::float8`, tx.now).
		Scan(&b.Inbox, &b.Parked, &b.Outbox, &b.Failed, &inbox, &outbox)
	b.OldestInbox = time.Duration(inbox * float64(time.Second))
	b.OldestOutbox = time.Duration(outbox * float64(time.Second))
	return b, err
}

// Redrive sends a dead letter again (an admin). The error is NOT_FOUND for what
// is none, and for one to somebody who was erased: nothing of it is left.
func (tx *Tx) Redrive(ctx context.Context, scope loyalty.Scope, id loyalty.ID) error {
	if err := adminOnly(scope); err != nil {
		return err
	}
	e := Event{Kind: DeliveryDue, Row: id}
	var number *loyalty.ID
	err := tx.tx.QueryRow(ctx, `
		UPDATE outbox SET status = 'queued', attempts = 0, problem = '', due_at = $2, claimed_until = NULL
		WHERE id = $1 AND status = 'failed' AND NOT EXISTS (SELECT FROM persons p WHERE p.id = person_id AND p.erased_at IS NOT NULL)
		RETURNING person_id, number_id`, id, tx.now).Scan(&e.ID, &number)
	if none(err) {
		return loyalty.NotFound(loyalty.CodeNotFound, "Ese mensaje no existe, o no está detenido.")
	}
	if err != nil {
		return err
	}
	set(&e.Number, number)
	tx.ring(e)
	tx.audit(scope, Redriven, "outbox", id, "")
	return nil
}
