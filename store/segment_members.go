package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// mostMembers bounds the cards that are named at once.
const mostMembers = 1000

// AddMembers puts the owners of card codes into a segment whose members are named
// by hand, and says how many came and how many there are. A code of nobody is
// left out without a word: who knows a segment knows nobody in it.
func (tx *Tx) AddMembers(ctx context.Context, scope loyalty.Scope, id loyalty.ID, cards []string) (changed, members int64, err error) {
	return tx.changeMembers(ctx, scope, id, cards, `
		INSERT INTO segment_members (segment_id, person_id, created_at)
		SELECT DISTINCT $1::uuid, p.id, $3::timestamptz FROM consumers c JOIN persons p ON p.id = coalesce(c.merged_into, c.person_id) AND p.erased_at IS NULL
		WHERE c.card_code = ANY($2) ON CONFLICT DO NOTHING`, tx.now)
}

// RemoveMembers takes the owners of card codes out of such a segment.
func (tx *Tx) RemoveMembers(ctx context.Context, scope loyalty.Scope, id loyalty.ID, cards []string) (changed, members int64, err error) {
	return tx.changeMembers(ctx, scope, id, cards, `
		DELETE FROM segment_members m USING consumers c WHERE m.segment_id = $1 AND c.card_code = ANY($2) AND m.person_id = coalesce(c.merged_into, c.person_id)`)
}

func (tx *Tx) changeMembers(ctx context.Context, scope loyalty.Scope, id loyalty.ID, cards []string, sql string, more ...any) (changed, members int64, err error) {
	v, err := tx.segmentToChange(ctx, scope, id)
	if err != nil {
		return 0, 0, err
	}
	if v.Criteria != nil {
		return 0, 0, loyalty.Fail(loyalty.KindConflict, loyalty.CodeConflict, "Ese segmento se forma solo con sus criterios.")
	}
	if len(cards) > mostMembers {
		return 0, 0, loyalty.Invalid("card_codes", "son demasiados")
	}
	codes := []string{}
	for _, text := range cards {
		if code, kind := loyalty.ScannedCode(text); kind == loyalty.CardCode {
			codes = append(codes, code)
		}
	}
	tag, err := tx.tx.Exec(ctx, sql, append([]any{id, codes}, more...)...)
	if err != nil {
		return 0, 0, err
	}
	err = tx.tx.QueryRow(ctx, `SELECT count(*) FROM segment_members WHERE segment_id = $1`, id).Scan(&members)
	tx.audit(scope, Updated, "segment", id, v.Name, difference("members", v.Members, members))
	return tag.RowsAffected(), members, err
}

// MakeSegments makes the members of all segments with criteria anew, and says how
// many came or went.
func (tx *Tx) MakeSegments(ctx context.Context) (int, error) {
	all, err := collect[Segment](ctx, tx, segmentsInView+` AND s.criteria IS NOT NULL ORDER BY s.id FOR NO KEY UPDATE OF s`,
		segmentView(loyalty.System())...)
	if err != nil {
		return 0, err
	}
	changed := 0
	for i := range all {
		n, err := tx.makeSegment(ctx, &all[i])
		if err != nil {
			return 0, err
		}
		changed += n
	}
	return changed, nil
}

// makeSegment brings the members of a segment up to its criteria: rows that are
// right stay as they are.
func (tx *Tx) makeSegment(ctx context.Context, v *Segment) (changed int, err error) {
	x := v.Criteria
	shops, err := tx.shopsNamed(ctx, x)
	if err != nil {
		return 0, err
	}
	err = tx.tx.QueryRow(ctx, `
		WITH wanted AS MATERIALIZED (
		  SELECT b.person_id FROM (
		    SELECT p.person_id, count(DISTINCT p.id) AS purchases, max(p.occurred_at) AS latest,
		      sum((i.quantity - i.returned) * i.unit_price_cents) AS spent
		    FROM purchases p JOIN purchase_items i ON i.purchase_id = p.id AND i.quantity > i.returned JOIN products pr ON pr.id = i.product_id
		    WHERE p.status = 'recorded' AND ($2::uuid IS NULL OR pr.cpg_id = $2) AND ($3::uuid IS NULL OR p.shop_id = $3)
		      AND ($4::uuid[] IS NULL OR p.shop_id = ANY($4))
		      AND ($5::bigint = 0 OR p.occurred_at > $10::timestamptz - make_interval(days => $5::int))
		    GROUP BY 1) b
		  JOIN persons o ON o.id = b.person_id AND o.erased_at IS NULL
		  WHERE b.purchases >= $6 AND b.spent >= $7
		    AND ($8::bigint = 0 OR b.latest <= $10::timestamptz - make_interval(days => $8::int))
		    AND ($9::bigint = 0 OR left(right(o.birthday, 5), 2)::bigint = $9)
		), gone AS (
		  DELETE FROM segment_members m WHERE m.segment_id = $1 AND m.person_id NOT IN (SELECT person_id FROM wanted) RETURNING 1
		), come AS (
		  INSERT INTO segment_members (segment_id, person_id, created_at) SELECT $1, person_id, $10 FROM wanted ON CONFLICT DO NOTHING RETURNING 1
		), made AS (
		  UPDATE segments SET made_at = $10 WHERE id = $1
		)
		SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM come)`,
		v.ID, optional(v.CPG), optional(v.Shop), shops, x.WithinDays, x.MinPurchases, x.MinSpend, x.InactiveDays, x.BirthdayMonth, tx.now).
		Scan(&changed)
	return changed, err
}

// shopsNamed gives the shops in the criteria's states and cities; nil where none
// are named.
func (tx *Tx) shopsNamed(ctx context.Context, x *Criteria) ([]loyalty.ID, error) {
	if len(x.States)+len(x.Cities) == 0 {
		return nil, nil
	}
	terms := loyalty.Terms{States: x.States, Cities: x.Cities}
	rows, err := tx.tx.Query(ctx, shopFields)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Shop])
	if err != nil {
		return nil, err
	}
	named := []loyalty.ID{}
	for i := range all {
		if terms.Aims(all[i].place()) {
			named = append(named, all[i].ID)
		}
	}
	return named, nil
}
