package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What a wallet shows of campaigns, rewards, products and shops is the same for
// everybody and changes rarely, so each process keeps it in memory, as it does for
// purchases (see rules.go): whoever shows a wallet reads the numbers of table
// generations with it, and so knows whether what is remembered is what is
// committed. What a consumer has, and what is left of stock and budgets, is read
// each time.

// offered is a campaign as a wallet shows it.
type offered struct {
	campaign loyalty.Campaign
	owner    string // name of the CPG, or of the shop that owns it
	rewards  []Reward
	products []OfferProduct
}

// begun says whether the campaign is, or was, to be seen by consumers.
func (o *offered) begun() bool {
	return slices.Contains([]loyalty.Status{loyalty.Active, loyalty.Paused, loyalty.Ended}, o.campaign.Status)
}

// offers are those of one generation that somebody asked for.
type offers struct {
	generation int64
	kept       atomic.Int64
	shops      sync.Map // loyalty.ID to []loyalty.ID: the campaigns that take part there, oldest first
	campaigns  sync.Map // loyalty.ID to *offered
}

// mostOffers bounds how many shops and campaigns are kept in memory at once.
const mostOffers = 20_000

// readOffersGeneration is a scalar subquery: a number that grows whenever
// something of what is remembered changes.
const readOffersGeneration = `(SELECT sum(g.generation)::bigint FROM generations g WHERE g.name IN ('catalogue', 'rules', 'shops'))`

// offersOf gives what is remembered of a generation. What a transaction sees that
// has written something itself may be committed by nobody: it has its own.
func (db *DB) offersOf(generation int64, wrote bool) *offers {
	fresh := &offers{generation: generation}
	for !wrote {
		kept := db.offers.Load()
		if kept.generation == generation && kept.kept.Load() < mostOffers {
			return kept
		}
		if kept.generation > generation || db.offers.CompareAndSwap(kept, fresh) {
			break
		}
	}
	return fresh
}

// at gives the campaigns that take part in a shop.
func (o *offers) at(shop loyalty.ID) (campaigns []loyalty.ID, known bool) {
	found, known := o.shops.Load(shop)
	if known {
		campaigns, known = found.([]loyalty.ID)
	}
	return campaigns, known
}

// find gives a campaign; nil where it is not known yet.
func (o *offers) find(campaign loyalty.ID) *offered {
	found, _ := o.campaigns.Load(campaign)
	v, _ := found.(*offered)
	return v
}

// learnOffers reads what is not remembered of the shops, of all that takes part
// there, and of the campaigns.
func (tx *Tx) learnOffers(ctx context.Context, o *offers, shops, campaigns []loyalty.ID) error {
	missing := slices.DeleteFunc(slices.Clone(shops), func(id loyalty.ID) bool {
		_, known := o.at(id)
		return known
	})
	if len(missing) > 0 {
		if err := tx.learnShops(ctx, o, missing); err != nil {
			return err
		}
	}
	all := slices.Clone(campaigns)
	for _, shop := range shops {
		there, _ := o.at(shop)
		all = append(all, there...)
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(id loyalty.ID) bool { return o.find(id) != nil })
	if len(all) == 0 {
		return nil
	}
	return tx.learnCampaigns(ctx, o, all)
}

func (tx *Tx) learnShops(ctx context.Context, o *offers, shops []loyalty.ID) error {
	rows, err := tx.tx.Query(ctx, `
		SELECT s.id, ARRAY(SELECT c.id::text FROM campaigns c WHERE c.status IN ('active', 'paused', 'ended') AND `+takesPart(`s.id`)+` ORDER BY c.id)
		FROM unnest($1::uuid[]) AS s (id)`, shops)
	if err != nil {
		return err
	}
	var shop loyalty.ID
	var campaigns []loyalty.ID
	_, err = pgx.ForEachRow(rows, []any{&shop, &campaigns}, func() error {
		o.shops.Store(shop, slices.Clip(campaigns))
		o.kept.Add(1)
		campaigns = nil
		return nil
	})
	return err
}

func (tx *Tx) learnCampaigns(ctx context.Context, o *offers, ids []loyalty.ID) error {
	found := make(map[loyalty.ID]*offered, len(ids))
	var b pgx.Batch
	b.Queue(`
		SELECT `+campaignCore+`, coalesce(g.name, s.name, '') FROM campaigns c
		LEFT JOIN cpgs g ON g.id = c.cpg_id LEFT JOIN shops s ON s.id = c.shop_id WHERE c.id = ANY($1)`, ids).
		Query(func(rows pgx.Rows) error {
			_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
				v := new(offered)
				err := row.Scan(append(coreOf(&v.campaign), &v.owner)...)
				hideBusiness(&v.campaign.Terms)
				found[v.campaign.ID] = v
				return struct{}{}, err
			})
			return err
		})
	b.Queue(rewardFields+` WHERE campaign_id = ANY($1) AND active ORDER BY threshold, id`, ids).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Reward])
		for _, r := range all {
			if v := found[r.Campaign]; v != nil {
				v.rewards = append(v.rewards, r)
			}
		}
		return err
	})
	b.Queue(selectOfferProducts, ids, mostOffered).Query(func(rows pgx.Rows) error {
		all, err := pgx.CollectRows(rows, pgx.RowToStructByName[OfferProduct])
		for _, p := range all {
			if v := found[p.Campaign]; v != nil {
				v.products = append(v.products, p)
			}
		}
		return err
	})
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	for id, v := range found {
		v.products = slices.Clip(v.products) // whoever appends makes a list of its own
		o.campaigns.Store(id, v)
		o.kept.Add(1)
	}
	return nil
}
