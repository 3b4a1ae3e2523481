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
	tag, err := tx.tx.Exec(ctx, insertNotice, tx.noticeArgs(ctx, id, n, due)...)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	tx.ringNotice(id, n, due)
	return true, nil
}

const insertNotice = `
	INSERT INTO outbox (id, person_id, message_id, lane, template, vars, media, media_ref, cause, zone, trace_id, created_at, due_at)
	SELECT $1, p.id, $3, $4, $5, $6, $7, $8, nullif($9, ''), nullif($10, ''), $13, $11, $12
	FROM persons p
	WHERE p.id = $2 AND p.erased_at IS NULL AND p.first_wrote_at IS NOT NULL
	  AND ($4 = 'reply' OR p.opted_out_at IS NULL)
	  AND ($4 <> 'promotion' OR p.promotions_at IS NOT NULL)
	ON CONFLICT (cause) WHERE cause IS NOT NULL DO NOTHING`

func (tx *Tx) noticeArgs(ctx context.Context, id loyalty.ID, n Notice, due time.Time) []any {
	return []any{id, n.Person, messageID(id), n.Lane, n.Template, n.Vars, n.Media, n.MediaRef, n.Cause, n.Zone, tx.now, due, Trace(ctx)}
}

func (tx *Tx) ringNotice(id loyalty.ID, n Notice, due time.Time) {
	kind := DeliveryDue
	if due.After(tx.now) {
		kind = deliveryLater
	}
	tx.ring(Event{Kind: kind, ID: n.Person, Row: id})
}

// reply queues the answer to a message, to the chat that it came from.
func (tx *Tx) reply(ctx context.Context, m Message, r Reply) error {
	id := tx.newID()
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO outbox (id, person_id, channel, address_id, message_id, lane, body, template, vars, media, media_ref, inbox_id, trace_id, created_at, due_at)
		VALUES ($1, $2, $3, $4, $5, 'reply', nullif($6, ''), nullif($7, ''), $8, $9, $10, $11, $12, $13, $13)`,
		id, m.Person, m.Channel, m.Address, messageID(id), r.Body, r.Template, r.Vars, r.Media, r.MediaRef, m.ID, m.TraceID, tx.now)
	tx.ring(Event{Kind: DeliveryDue, ID: m.Person, Row: id})
	return err
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
	Channel   string            `db:"channel"` // "" where the person never wrote in one
	Chat      string            `db:"chat"`    // the address; "" where there is none any more
	MessageID string            `db:"message_id"`
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

// Claim takes the person's oldest waiting message for lease: nobody else sends
// it meanwhile, and nothing younger of the same person overtakes it, not even
// while it waits to be tried again. ok is false when there is nothing to send
// now, or another has the claim.
func (tx *Tx) Claim(ctx context.Context, person loyalty.ID, lease time.Duration) (out Outbound, ok bool, err error) {
	for {
		rows, err := tx.tx.Query(ctx, `
			WITH oldest AS (
				SELECT id, claimed_until, due_at FROM outbox
				WHERE person_id = $1 AND status = 'queued' AND (due_at <= $2 OR attempts > 0 AND zone IS NULL)
				ORDER BY seq LIMIT 1 FOR UPDATE
			)
			UPDATE outbox o SET claimed_until = $3, attempts = o.attempts + 1
			FROM oldest, persons p
			WHERE o.id = oldest.id AND oldest.due_at <= $2 AND (oldest.claimed_until IS NULL OR oldest.claimed_until <= $2) AND p.id = o.person_id
			RETURNING o.id, o.person_id,
			  coalesce(o.channel, (SELECT i.channel FROM inbox i WHERE i.person_id = o.person_id ORDER BY i.seq DESC LIMIT 1), '') AS channel,
			  coalesce((SELECT a.address FROM addresses a WHERE a.id = coalesce(o.address_id,
			      (SELECT i.address_id FROM inbox i WHERE i.person_id = o.person_id AND i.address_id IS NOT NULL ORDER BY i.seq DESC LIMIT 1))),
			    (SELECT a.address FROM addresses a WHERE a.person_id = o.person_id ORDER BY a.created_at LIMIT 1), '') AS chat,
			  o.message_id, o.lane, coalesce(o.body, '') AS body, coalesce(o.template, '') AS template, o.vars,
			  o.media, o.media_ref, o.attempts, coalesce(o.zone, '') AS zone, p.opted_out_at IS NOT NULL AS opted_out,
			  o.trace_id, o.created_at`, person, tx.now, tx.now.Add(lease))
		if err != nil {
			return out, false, err
		}
		out, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Outbound])
		if none(err) {
			return out, false, nil
		}
		if err != nil {
			return out, false, err
		}
		// What held when the message was queued may hold no more (law 8).
		switch {
		case out.OptedOut && out.Lane != LaneReply:
			err = tx.Drop(ctx, out.ID, "opted out")
		case out.Chat == "":
			err = tx.Drop(ctx, out.ID, "no address")
		case out.Zone != "" && NextDaytime(tx.now, out.Zone).After(tx.now):
			err = tx.Retry(ctx, out.ID, "waits for the day", NextDaytime(tx.now, out.Zone))
		default:
			return out, true, tx.addVars(ctx, &out)
		}
		if err != nil {
			return out, false, err
		}
	}
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
func (tx *Tx) Sent(ctx context.Context, id loyalty.ID, body string) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET status = 'sent', sent_at = $2, problem = '', claimed_until = NULL, vars = NULL,
		  body = CASE WHEN template = 'otp.code' THEN '' ELSE $3 END
		WHERE id = $1 AND status = 'queued'`, id, tx.now, secretLinks.ReplaceAllString(body, "/$1/…"))
	return err
}

// secretLinks are the chat link of a card and the link to a shop's page.
var secretLinks = regexp.MustCompile(`/(c|t)/[A-Za-z0-9_-]{20,}`)

// Retry notes a failure that may pass, and when to try again.
func (tx *Tx) Retry(ctx context.Context, id loyalty.ID, problem string, at time.Time) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET problem = $2, due_at = $3, claimed_until = NULL WHERE id = $1 AND status = 'queued'`, id, problem, at)
	return err
}

// Fail notes a failure for good: the row stays as a dead letter, to be seen
// and sent again by an admin.
func (tx *Tx) Fail(ctx context.Context, id loyalty.ID, problem string) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET status = 'failed', problem = $2, claimed_until = NULL WHERE id = $1 AND status = 'queued'`, id, problem)
	return err
}

// Drop notes that the message must not be sent any more.
func (tx *Tx) Drop(ctx context.Context, id loyalty.ID, problem string) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE outbox SET status = 'dropped', problem = $2, claimed_until = NULL WHERE id = $1 AND status = 'queued'`, id, problem)
	return err
}

// DueDeliveries finds persons with messages that could go: the sweep that makes
// a lost ring harmless.
func (tx *Tx) DueDeliveries(ctx context.Context, patience time.Duration, limit int) ([]Event, error) {
	return tx.dueEvents(ctx, DeliveryDue, `
		SELECT DISTINCT ON (person_id) person_id, id FROM outbox
		WHERE status = 'queued' AND due_at <= $1 AND (claimed_until IS NULL OR claimed_until <= $2)
		ORDER BY person_id, seq LIMIT $3`, tx.now.Add(-patience), tx.now, limit)
}

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

// Problem is a message that did not get through, for the admin's page.
type Problem struct {
	ID        loyalty.ID `db:"id"`
	What      string     `db:"what"` // inbox or outbox
	Problem   string     `db:"problem"`
	Attempts  int        `db:"attempts"`
	CreatedAt time.Time  `db:"created_at"`
}

// Problems lists the latest messages that failed or were parked.
func (tx *Tx) Problems(ctx context.Context, limit int) ([]Problem, error) {
	rows, err := tx.tx.Query(ctx, `
		SELECT id, 'outbox' AS what, problem, attempts, created_at FROM outbox WHERE status = 'failed'
		UNION ALL
		SELECT id, 'inbox', problem, attempts, received_at FROM inbox WHERE status = 'parked'
		ORDER BY created_at DESC LIMIT $1`, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Problem])
}
