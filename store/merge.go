package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// errMoved says that what was read of a person is another's by now: two records
// were merged, or one was forgotten. The same transaction, run again, sees it.
var errMoved = errors.New("store: the person was merged with another meanwhile")

// ownsCard is a condition that finds the consumer c of a card code, given as a
// parameter: of the code of somebody who turned out to be another, that other.
func ownsCard(code string) string {
	return `c.person_id = (SELECT coalesce(k.merged_into, k.person_id) FROM consumers k WHERE k.card_code = ` + code + `)`
}

// heirs gives for each holding the one that has its balance: itself, or the one
// that it was merged into. Each is there once, so that all changes of it meet. The
// consumer who has it is locked, as of any holding that is to be changed.
func (tx *Tx) heirs(ctx context.Context, all []*holding) (map[loyalty.ID]*holding, error) {
	known := map[loyalty.ID]*holding{}
	for _, h := range all {
		known[h.ID] = h
	}
	var missing []loyalty.ID
	for _, h := range all {
		if h.merged != "" && known[h.merged] == nil {
			missing = append(missing, h.merged)
		}
	}
	if len(missing) > 0 {
		more, err := tx.holdings(ctx, `e.id = ANY($1)`, missing)
		if err != nil {
			return nil, err
		}
		for _, h := range more {
			known[h.ID] = h
		}
	}
	heirs := map[loyalty.ID]*holding{}
	for _, h := range all {
		heirs[h.ID] = h
		if h.merged != "" {
			heirs[h.ID] = known[h.merged]
		}
	}
	return heirs, nil
}

// mergedPerson is what decides how persons become one.
type mergedPerson struct {
	ID       loyalty.ID `db:"id"`
	Gone     bool       `db:"gone"` // erased, or merged already
	Created  time.Time  `db:"created_at"`
	Consumer *time.Time `db:"consumer"` // since when; nil: never
}

// mergePeople makes persons who turned out to be one that one, and gives it: the
// consumer among them whose card is the oldest, else who was known first. All that
// the others have becomes that person's. Their rows stay for what refers to them:
// their card codes and links go on working, as the survivor's.
//
// It locks in this order, which everybody keeps who locks more than one of these:
// addresses, conversations, consumers who were merged before, consumers, persons,
// each in the order of their IDs. So it waits for a turn, a purchase or a message
// that is under way with any of them, and all that comes later finds the one.
func (tx *Tx) mergePeople(ctx context.Context, people []loyalty.ID) (loyalty.ID, error) {
	slices.Sort(people)
	tx.later(`SELECT 1 FROM addresses WHERE person_id = ANY($1) ORDER BY id FOR NO KEY UPDATE`, people)
	// Where there is no conversation yet, one may just be beginning.
	tx.later(`
		INSERT INTO conversations (person_id, updated_at) SELECT x, $2 FROM unnest($1::uuid[]) AS x ORDER BY x ON CONFLICT DO NOTHING`, people, tx.now)
	tx.later(`SELECT 1 FROM conversations WHERE person_id = ANY($1) ORDER BY person_id FOR UPDATE`, people)
	before, err := tx.lockMerged(ctx, people)
	if err != nil {
		return "", err
	}
	if err := tx.lockConsumers(ctx, people); err != nil {
		return "", err
	}
	after, err := tx.lockMerged(ctx, people)
	if err != nil {
		return "", err
	}
	if !slices.Equal(before, after) { // another merge came first
		return "", errMoved
	}
	tx.later(`SELECT 1 FROM persons WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`, people)
	// Somebody may have become a consumer until now, but cannot any more.
	if err := tx.lockConsumers(ctx, people); err != nil {
		return "", err
	}
	all, err := collect[mergedPerson](ctx, tx, `
		SELECT p.id, p.erased_at IS NOT NULL OR p.merged_into IS NOT NULL AS gone, p.created_at,
		  (SELECT c.created_at FROM consumers c WHERE c.person_id = p.id) AS consumer
		FROM persons p WHERE p.id = ANY($1)`, people)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(all, func(p mergedPerson) bool { return p.Gone }) {
		return "", errMoved
	}
	slices.SortFunc(all, func(a, b mergedPerson) int {
		switch {
		case (a.Consumer == nil) != (b.Consumer == nil):
			if a.Consumer != nil {
				return -1
			}
			return 1
		case a.Consumer != nil:
			return cmp.Or(a.Consumer.Compare(*b.Consumer), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	into := all[0]
	for _, from := range all[1:] {
		if err := tx.mergePerson(ctx, from, into); err != nil {
			return "", err
		}
	}
	return into.ID, nil
}

// lockMerged holds, and gives, the consumers who were merged into persons. Who comes
// with the card of one of them locks that one before the survivor.
func (tx *Tx) lockMerged(ctx context.Context, into []loyalty.ID) ([]loyalty.ID, error) {
	rows, err := tx.tx.Query(ctx, `SELECT person_id FROM consumers WHERE merged_into = ANY($1) ORDER BY person_id FOR NO KEY UPDATE`, into)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[loyalty.ID])
}

// voidLinks voids the links of a consumer, and of those who were merged into it:
// them first, as everybody who locks both.
func (tx *Tx) voidLinks(ctx context.Context, person loyalty.ID) error {
	if _, err := tx.lockMerged(ctx, []loyalty.ID{person}); err != nil {
		return err
	}
	tx.ring(Event{Kind: CardChanged, ID: person}) // a page that is open shows somebody what is not theirs any more
	_, err := tx.tx.Exec(ctx, `UPDATE consumers SET link_version = link_version + 1 WHERE person_id = $1 OR merged_into = $1`, person)
	return err
}

// mergePerson gives one person all that another has. All of both is locked.
func (tx *Tx) mergePerson(ctx context.Context, from, into mergedPerson) error {
	if from.Consumer != nil {
		if err := tx.mergeHoldings(ctx, from.ID, into.ID); err != nil {
			return err
		}
	}
	var b pgx.Batch
	for _, sql := range mergeSteps {
		b.Queue(sql, pgx.NamedArgs{"from": from.ID, "into": into.ID})
	}
	for _, scope := range []string{"purchase", "reverse", "adjust"} {
		b.Queue(`
			UPDATE causes c SET scope = $2 WHERE c.scope = $1 AND NOT EXISTS (SELECT FROM causes o WHERE o.scope = $2 AND o.key = c.key)`,
			scope+":person:"+string(from.ID), scope+":person:"+string(into.ID))
	}
	b.Queue(`UPDATE persons SET merged_into = $2, updated_at = $3, name = NULL, birthday = NULL WHERE id = $1`, from.ID, into.ID, tx.now)
	b.Queue(`UPDATE persons SET merged_into = $2 WHERE merged_into = $1`, from.ID, into.ID)
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	tx.ring(Event{Kind: CardChanged, ID: into.ID})
	return nil
}

// mergeSteps move what is one person's to another. What only one of them can have
// is the survivor's, joined with the other's.
var mergeSteps = []string{
	// Who is who. An opt-out wins over any opt-in.
	`UPDATE persons p SET name = coalesce(p.name, o.name), birthday = coalesce(p.birthday, o.birthday),
	   opted_out_at = greatest(p.opted_out_at, o.opted_out_at), promotions_at = greatest(p.promotions_at, o.promotions_at),
	   first_wrote_at = least(p.first_wrote_at, o.first_wrote_at), last_wrote_at = greatest(p.last_wrote_at, o.last_wrote_at),
	   number_id = CASE WHEN o.last_wrote_at > p.last_wrote_at OR p.last_wrote_at IS NULL THEN o.number_id ELSE p.number_id END,
	   created_at = least(p.created_at, o.created_at)
	 FROM persons o WHERE p.id = @into AND o.id = @from`,
	`UPDATE addresses SET person_id = @into WHERE person_id = @from`,
	`UPDATE consents SET person_id = @into WHERE person_id = @from`,
	// Roles.
	`UPDATE tenderos t SET active = t.active OR o.active, created_at = least(t.created_at, o.created_at) FROM tenderos o
	 WHERE t.person_id = @into AND o.person_id = @from AND o.shop_id = t.shop_id`,
	`DELETE FROM tenderos o WHERE o.person_id = @from AND EXISTS (SELECT FROM tenderos t WHERE t.person_id = @into AND t.shop_id = o.shop_id)`,
	`UPDATE tenderos SET person_id = @into WHERE person_id = @from`,
	`UPDATE staff SET person_id = @into WHERE person_id = @from`,
	`UPDATE tokens SET person_id = @into WHERE person_id = @from`,
	`DELETE FROM otps WHERE person_id = @from`, // keyed by the person: a new one is asked for
	// The wallet.
	`UPDATE cards c SET created_at = o.created_at FROM cards o WHERE c.person_id = @into AND o.person_id = @from AND o.created_at < c.created_at
	   AND o.shop_id IS NOT DISTINCT FROM c.shop_id AND o.brand_id IS NOT DISTINCT FROM c.brand_id`,
	`DELETE FROM cards o WHERE o.person_id = @from AND EXISTS (SELECT FROM cards c WHERE c.person_id = @into
	   AND c.shop_id IS NOT DISTINCT FROM o.shop_id AND c.brand_id IS NOT DISTINCT FROM o.brand_id)`,
	`UPDATE cards SET person_id = @into WHERE person_id = @from`,
	`INSERT INTO segment_members (segment_id, person_id, created_at) SELECT segment_id, @into, created_at FROM segment_members WHERE person_id = @from
	 ON CONFLICT DO NOTHING`,
	`DELETE FROM segment_members WHERE person_id = @from`,
	`INSERT INTO rollup_changes (day) SELECT DISTINCT (p.occurred_at AT TIME ZONE s.time_zone)::date FROM purchases p JOIN shops s ON s.id = p.shop_id
	 WHERE p.person_id = @from`,
	`UPDATE purchases SET person_id = @into WHERE person_id = @from`,
	`UPDATE redemptions SET person_id = @into WHERE person_id = @from`,
	`UPDATE evidence_codes SET person_id = @into WHERE person_id = @from`,
	`UPDATE reorders SET person_id = @into WHERE person_id = @from`,
	`UPDATE cases SET person_id = @into WHERE person_id = @from`,
	`UPDATE consumers SET merged_into = @into WHERE person_id = @from OR merged_into = @from`,
	`UPDATE consumers c SET created_at = least(c.created_at, o.created_at) FROM consumers o WHERE c.person_id = @into AND o.person_id = @from`,
	// Messages. One that came in by both addresses is answered once.
	`UPDATE inbox o SET status = CASE status WHEN 'pending' THEN 'done' ELSE status END, problem = 'the same message' WHERE o.person_id = @from
	   AND EXISTS (SELECT FROM inbox i WHERE i.person_id = @into AND i.channel = o.channel AND i.message_id = o.message_id)`,
	`UPDATE inbox o SET person_id = @into WHERE o.person_id = @from
	   AND NOT EXISTS (SELECT FROM inbox i WHERE i.person_id = @into AND i.channel = o.channel AND i.message_id = o.message_id)`,
	`UPDATE outbox SET person_id = @into WHERE person_id = @from`,
	`UPDATE outbox SET status = 'dropped', problem = 'opted out' WHERE person_id = @into AND status = 'queued' AND lane <> 'reply'
	   AND EXISTS (SELECT FROM persons p WHERE p.id = @into AND p.opted_out_at IS NOT NULL)`,
	// The conversation goes on where the person wrote last.
	`UPDATE conversations c SET session = o.session, updated_at = o.updated_at FROM conversations o
	 WHERE c.person_id = @into AND o.person_id = @from AND o.session IS NOT NULL AND (c.session IS NULL OR o.updated_at > c.updated_at)`,
	`UPDATE conversations SET session = NULL WHERE person_id = @from`,
}

// mergeHoldings gives a consumer's enrollments to another. Where both have a part
// in a campaign, the balance goes over by ledger entries.
func (tx *Tx) mergeHoldings(ctx context.Context, from, into loyalty.ID) error {
	all, err := tx.holdings(ctx, `e.person_id = ANY($1) AND e.merged_into IS NULL`, []loyalty.ID{from, into})
	if err != nil {
		return err
	}
	for _, h := range all {
		if h.person != from {
			continue
		}
		i := slices.IndexFunc(all, func(o *holding) bool { return o.person == into && o.Campaign == h.Campaign && o.Shop == h.Shop })
		if i < 0 {
			tx.later(`UPDATE enrollments SET person_id = $2 WHERE id = $1`, h.ID, into)
			continue
		}
		if err := tx.mergeHolding(ctx, h, all[i]); err != nil {
			return err
		}
	}
	return nil
}

// mergeHolding ends a holding, and gives all of it to another of the same campaign.
func (tx *Tx) mergeHolding(ctx context.Context, from, into *holding) error {
	// What has ended has ended: it must not begin anew over there.
	if err := tx.expire(ctx, from); err != nil {
		return err
	}
	if from.NextExpiry != nil && (into.NextExpiry == nil || from.NextExpiry.Before(*into.NextExpiry)) {
		into.NextExpiry = from.NextExpiry
	}
	into.Standing = into.Standing.Join(from.Standing, into.campaign.Tiers, tx.now, into.zone)
	if err := tx.forward(ctx, from, into); err != nil {
		return err
	}
	tx.keep(into)
	tx.later(`
		UPDATE enrollments e SET last_shop_id = CASE WHEN o.last_earned_at > e.last_earned_at OR e.last_earned_at IS NULL THEN coalesce(o.last_shop_id, e.last_shop_id) ELSE e.last_shop_id END,
		  last_earned_at = greatest(e.last_earned_at, o.last_earned_at), last_earned_on = least(e.last_earned_on, o.last_earned_on),
		  nudged_at = greatest(e.nudged_at, o.nudged_at), expiry_warned_for = NULL, created_at = least(e.created_at, o.created_at)
		FROM enrollments o WHERE e.id = $2 AND o.id = $1`, from.ID, into.ID)
	tx.later(`
		UPDATE enrollments SET merged_into = $2, standing = NULL, next_expiry_at = NULL, last_earned_on = NULL, expiry_warned_for = NULL WHERE id = $1`, from.ID, into.ID)
	tx.later(`UPDATE enrollments SET merged_into = $2 WHERE merged_into = $1`, from.ID, into.ID)
	return nil
}

// mergeReason is what the ledger's readers see of a merge.
const mergeReason = "Se juntaron dos registros de la misma persona"

// forward moves all of a holding's balance to another, with the dates on which
// parts of it end. It writes the row of the one that is left; the other's is the
// caller's to keep.
func (tx *Tx) forward(ctx context.Context, from, into *holding) error {
	accounts, err := tx.accounts(ctx, from)
	if err != nil {
		return err
	}
	for _, u := range []loyalty.Unit{loyalty.Stamp, loyalty.Point} {
		a := accounts[u]
		if a == nil || a.Balance() == 0 {
			continue
		}
		tx.carry(from, u, -a.Balance(), time.Time{})
		if a.Debt > 0 {
			tx.carry(into, u, -a.Debt, time.Time{})
		}
		for _, b := range a.Buckets {
			if from.campaign.Expiry == nil || from.campaign.Expiry.Days == 0 {
				b.ExpiresAt = time.Time{} // all ends together, and so will this
			}
			tx.carry(into, u, b.Left, b.ExpiresAt)
		}
	}
	from.NextExpiry = nil
	tx.keep(from)
	return nil
}

// carry enters one side of what is moved.
func (tx *Tx) carry(h *holding, u loyalty.Unit, amount int64, ends time.Time) {
	if u == loyalty.Stamp {
		h.Stamps += amount
	} else {
		h.Points += amount
	}
	var expires *time.Time
	if !ends.IsZero() {
		expires = &ends
	}
	id := tx.newID()
	tx.later(`INSERT INTO adjustments (id, enrollment_id, unit, amount, reason, actor, created_at) VALUES ($1, $2, $3, $4, $5, 'system', $6)`,
		id, h.ID, u, amount, mergeReason, tx.now)
	tx.later(`
		INSERT INTO ledger (id, enrollment_id, campaign_id, campaign_version, kind, unit, amount, balance, adjustment_id, expires_at, at)
		VALUES ($1, $2, $3, $4, 'adjust', $5, $6, $7, $8, $9, $10)`,
		tx.newID(), h.ID, h.Campaign, h.campaign.Version, u, amount, h.balance(u), id, expires, tx.now)
}
