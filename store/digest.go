package store

import (
	"context"
	"strconv"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// QueueDigests tells tenderos what Qoa sold for them in the seven days up to
// today, and invites them to reorder: one message a tendero, shop and day. A
// shop that sold nothing for four weeks is left in peace. It says how many
// messages it queued.
func (tx *Tx) QueueDigests(ctx context.Context) (int, error) {
	type tendero struct {
		Person loyalty.ID `db:"person_id"`
		Shop   loyalty.ID `db:"shop_id"`
		Zone   string     `db:"time_zone"`
	}
	all, err := collect[tendero](ctx, tx, `
		SELECT t.person_id, t.shop_id, s.time_zone FROM tenderos t
		JOIN shops s ON s.id = t.shop_id AND s.active JOIN persons p ON p.id = t.person_id
		WHERE t.active AND p.first_wrote_at IS NOT NULL AND p.opted_out_at IS NULL
		  AND EXISTS (SELECT FROM purchases pu WHERE pu.shop_id = s.id AND pu.occurred_at > $1::timestamptz - interval '28 days' AND pu.occurred_at <= $1)
		ORDER BY t.shop_id, t.person_id`, tx.now)
	if err != nil {
		return 0, err
	}
	queued := 0
	for _, t := range all {
		today := tx.now.In(loyalty.Zone(t.Zone))
		d, err := tx.ShopDigest(ctx, loyalty.System(), t.Shop, today.AddDate(0, 0, -6), today)
		if err != nil {
			return queued, err
		}
		ok, err := tx.Notify(ctx, Notice{
			Person: t.Person, Lane: LaneService, Template: "digest.weekly", Zone: t.Zone,
			Cause: "digest:" + string(t.Person) + ":" + string(t.Shop) + ":" + today.Format(time.DateOnly),
			Vars:  d.Vars(),
		})
		if err != nil {
			return queued, err
		}
		if ok {
			queued++
		}
	}
	return queued, nil
}

// Vars are the digest as message templates take it.
func (d ShopDigest) Vars() map[string]string {
	top := make([]map[string]string, len(d.Products))
	for i, p := range d.Products {
		top[i] = map[string]string{"product": p.Name, "quantity": strconv.FormatInt(p.Units, 10)}
	}
	return map[string]string{
		"shop": d.Shop.Name, "period": loyalty.PeriodInWords(d.From, d.To),
		"purchases": strconv.FormatInt(d.Purchases, 10), "units": strconv.FormatInt(d.Units, 10),
		"total": d.Total.String(), "consumers": strconv.FormatInt(d.Consumers, 10),
		"stamps": strconv.FormatInt(d.Stamps+d.Points, 10), "top": rows(top),
	}
}
