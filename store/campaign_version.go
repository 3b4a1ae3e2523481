package store

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CampaignVersion is one change of a campaign. In force at a moment is, of those
// that hold then and were not cancelled, the one that began to hold last.
type CampaignVersion struct {
	Version     int            `db:"version"`
	Action      string         `db:"action"` // created, terms, status, reward
	HoldsFrom   time.Time      `db:"holds_from"`
	Terms       loyalty.Terms  `db:"terms"`
	Status      loyalty.Status `db:"status"` // after it
	Diff        []FieldChange  `db:"diff"`
	Author      string         `db:"author"` // as Scope.Actor says it
	Reason      string         `db:"reason"`
	CreatedAt   time.Time      `db:"created_at"`
	CancelledAt *time.Time     `db:"cancelled_at"` // withdrawn before it held
	InForce     bool           `db:"in_force"`
}

// Scheduled says whether the version is still to hold at a moment.
func (v *CampaignVersion) Scheduled(now time.Time) bool {
	return v.CancelledAt == nil && v.HoldsFrom.After(now)
}

// FieldChange is what a change did to a field: null is that there was, or is, none.
type FieldChange struct {
	Field string          `json:"field"`
	From  json.RawMessage `json:"from"`
	To    json.RawMessage `json:"to"`
}

// difference of one field.
func difference(field string, from, to any) FieldChange {
	return FieldChange{Field: field, From: document(from), To: document(to)}
}

// differences of two values, by the fields of their JSON objects.
func differences(from, to any) []FieldChange {
	before, after := fields(from), fields(to)
	names := slices.Sorted(maps.Keys(before))
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	diff := []FieldChange{}
	for _, name := range names {
		if !bytes.Equal(before[name], after[name]) {
			diff = append(diff, difference(name, before[name], after[name]))
		}
	}
	return diff
}

// fields of a value's JSON object.
func fields(v any) (out map[string]json.RawMessage) {
	if json.Unmarshal(document(v), &out) != nil {
		return nil
	}
	return out
}

// document is a value as JSON; null where it cannot be written.
func document(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage("null")
	}
	return raw
}

// CampaignVersions gives a campaign's changes, the newest first, to who owns it.
func (tx *Tx) CampaignVersions(ctx context.Context, scope loyalty.Scope, id loyalty.ID) ([]CampaignVersion, error) {
	v, err := tx.Campaign(ctx, scope, id)
	if err != nil {
		return nil, err
	}
	if !owns(scope, &v.Campaign) {
		return nil, loyalty.Forbidden()
	}
	return collect[CampaignVersion](ctx, tx, `
		SELECT v.version, v.action, v.holds_from, v.terms, v.status, v.diff, v.author, v.reason, v.created_at, v.cancelled_at,
		  v.version = c.version AS in_force
		FROM campaign_versions v JOIN campaigns c ON c.id = v.campaign_id WHERE c.id = $1 ORDER BY v.version DESC`, id)
}

// CancelVersion withdraws a version that does not hold yet. Errors:
// CAMPAIGN_NOT_FOUND, FORBIDDEN, NOT_FOUND, CONFLICT where it held already.
func (tx *Tx) CancelVersion(ctx context.Context, scope loyalty.Scope, id loyalty.ID, version int) (Campaign, error) {
	v, err := tx.campaignToChange(ctx, scope, id)
	if err != nil {
		return Campaign{}, err
	}
	var holds time.Time
	var cancelled *time.Time
	err = tx.tx.QueryRow(ctx, `SELECT holds_from, cancelled_at FROM campaign_versions WHERE campaign_id = $1 AND version = $2`,
		id, version).Scan(&holds, &cancelled)
	switch {
	case none(err):
		return Campaign{}, loyalty.NotFound(loyalty.CodeNotFound, "No encontramos esa versión de la campaña.")
	case err != nil:
		return Campaign{}, err
	case cancelled == nil && !holds.After(tx.now):
		return Campaign{}, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "Esa versión ya entró en vigor: haz un cambio nuevo.")
	case cancelled == nil:
		if err := tx.cancelScheduled(ctx, id); err != nil {
			return Campaign{}, err
		}
		tx.audit(scope, Cancelled, "campaign", id, v.Name, difference("version", version, nil))
	}
	return tx.Campaign(ctx, scope, id)
}

// cancelScheduled withdraws what does not hold yet.
func (tx *Tx) cancelScheduled(ctx context.Context, campaign loyalty.ID) error {
	_, err := tx.tx.Exec(ctx, `
		UPDATE campaign_versions SET cancelled_at = $2 WHERE campaign_id = $1 AND holds_from > $2 AND cancelled_at IS NULL`, campaign, tx.now)
	return err
}

// nothingScheduled refuses a change while another one is still to hold.
func (tx *Tx) nothingScheduled(ctx context.Context, campaign loyalty.ID) error {
	var scheduled bool
	err := tx.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM campaign_versions WHERE campaign_id = $1 AND holds_from > $2 AND cancelled_at IS NULL)`,
		campaign, tx.now).Scan(&scheduled)
	if err == nil && scheduled {
		return loyalty.Fail(loyalty.KindConflict, loyalty.CodeVersionScheduled, "Ya hay un cambio programado: cancélalo para hacer otro.")
	}
	return err
}

// holdsFrom is from when on a change holds that names no moment. While a campaign
// never ran, all its versions hold from its beginning, so that the last of them is
// what late sales are judged by.
func (tx *Tx) holdsFrom(ctx context.Context, v *Campaign, was loyalty.Status) (time.Time, error) {
	if was == loyalty.Active || was == loyalty.Paused {
		return tx.now, nil
	}
	var first time.Time
	err := tx.tx.QueryRow(ctx, `SELECT holds_from FROM campaign_versions WHERE campaign_id = $1 AND version = 1`, v.ID).Scan(&first)
	if err != nil || !v.StartsAt.Before(first) {
		return first, err
	}
	_, err = tx.tx.Exec(ctx, `UPDATE campaign_versions SET holds_from = $2 WHERE campaign_id = $1`, v.ID, v.StartsAt)
	return v.StartsAt, err
}

// nextVersion notes a change of a campaign as its next version.
func (tx *Tx) nextVersion(ctx context.Context, scope loyalty.Scope, c *loyalty.Campaign, v *CampaignVersion) error {
	err := tx.tx.QueryRow(ctx, `SELECT max(version) + 1 FROM campaign_versions WHERE campaign_id = $1`, c.ID).Scan(&v.Version)
	if err != nil {
		return err
	}
	return tx.insertVersion(ctx, scope, c, *v)
}

func (tx *Tx) insertVersion(ctx context.Context, scope loyalty.Scope, c *loyalty.Campaign, v CampaignVersion) error {
	_, err := tx.tx.Exec(ctx, `
		INSERT INTO campaign_versions (campaign_id, version, action, holds_from, terms, status, diff, author, reason, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.ID, v.Version, v.Action, v.HoldsFrom, c.Terms, c.Status, v.Diff, scope.Actor(), v.Reason, tx.now)
	verb := map[string]Verb{"created": Created, "status": Moved}[v.Action]
	if verb == "" {
		verb = Updated
	}
	tx.audit(scope, verb, "campaign", c.ID, c.Name, v.Diff...)
	return err
}

// ApplyDueVersions projects, of at most limit campaigns, the version that has
// begun to hold. Purchases do not wait for it: they are judged by what holds. It
// says how many it projected.
func (tx *Tx) ApplyDueVersions(ctx context.Context, limit int) (int, error) {
	tx.lockPlaces()
	rows, err := tx.tx.Query(ctx, `SELECT c.id `+dueVersions+` ORDER BY c.id LIMIT $2`, tx.now, limit)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[loyalty.ID])
	if err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := tx.applyDue(ctx, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// dueVersions are campaigns c with the version v that is in force, where that is
// not the one that their rows show.
const dueVersions = `
	FROM campaigns c CROSS JOIN LATERAL (
	  SELECT n.version, n.terms FROM campaign_versions n
	  WHERE n.campaign_id = c.id AND n.cancelled_at IS NULL AND n.holds_from <= $1
	  ORDER BY n.holds_from DESC, n.version DESC LIMIT 1) v
	WHERE v.version <> c.version AND c.status IN ('active', 'paused')`

// applyDue projects the version that is in force, and says whether it was another
// one than that of the row.
func (tx *Tx) applyDue(ctx context.Context, id loyalty.ID) (bool, error) {
	var version int
	var terms loyalty.Terms
	err := tx.tx.QueryRow(ctx, `SELECT v.version, v.terms `+dueVersions+` AND c.id = $2`, tx.now, id).Scan(&version, &terms)
	if err != nil {
		return false, ignoreNone(err)
	}
	v, err := tx.Campaign(ctx, loyalty.System(), id)
	if err != nil {
		return false, err
	}
	v.Version, v.Terms = version, terms
	if err := tx.saveCampaign(ctx, &v); err != nil {
		return false, err
	}
	if err := tx.rollupChanged(ctx, id); err != nil {
		return false, err
	}
	if err := tx.place(ctx, id); err != nil {
		return false, err
	}
	// More may have been given since it was scheduled than it allows: then all of
	// it is used.
	if err := tx.saveBudget(ctx, &v); err != nil && loyalty.CodeOf(err) != loyalty.CodeInvalid {
		return false, err
	}
	return true, nil
}
