package store

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// What a purchase needs of shops, products and campaigns changes rarely, so each
// process keeps it in memory. It is never stale beyond a commit: whatever changes
// raises a number in table generations when it commits, and each purchase reads
// these numbers in its own transaction, after its locks. Where they are not those
// of what it remembered, it reads anew before it judges. LISTEN/NOTIFY says the
// same a moment earlier, so that hardly any purchase has to.

// generations are the numbers of table generations.
type generations struct{ catalogue, rules, shops int64 }

// readGenerations is a scalar subquery: the numbers in the order of the fields.
const readGenerations = `(SELECT array_agg(g.generation ORDER BY g.name) FROM generations g)`

func generationsOf(numbers []int64) generations {
	if len(numbers) != 3 {
		return generations{}
	}
	return generations{numbers[0], numbers[1], numbers[2]}
}

// memory is what a process remembers. Each part is replaced as a whole.
type memory struct {
	catalogue atomic.Pointer[remembered[loyalty.GTIN, productRow]]
	shops     atomic.Pointer[remembered[string, Shop]]
	rules     atomic.Pointer[ruleBook]
	callers   callers
}

func newMemory() *memory {
	m := new(memory)
	m.catalogue.Store(new(remembered[loyalty.GTIN, productRow]))
	m.shops.Store(new(remembered[string, Shop]))
	m.rules.Store(new(ruleBook))
	return m
}

// remembered are the rows of one generation that somebody asked for.
type remembered[K comparable, V any] struct {
	generation int64
	rows       sync.Map // K to V
}

func (r *remembered[K, V]) get(key K) (v V, ok bool) {
	found, ok := r.rows.Load(key)
	if ok {
		v, ok = found.(V)
	}
	return v, ok
}

// productRow is what a purchase needs to know of a product.
type productRow struct {
	ID     loyalty.ID    `db:"id"`
	GTIN   loyalty.GTIN  `db:"gtin"`
	Name   string        `db:"name"`
	Brand  loyalty.ID    `db:"brand_id"`
	CPG    loyalty.ID    `db:"cpg_id"`
	Price  loyalty.Cents `db:"reference_price_cents"`
	Active bool          `db:"active"`
}

// ruleBook holds the campaigns of one generation that run or are about to.
type ruleBook struct {
	generation int64
	campaigns  []*ruledCampaign
	ended      map[cpgShop]bool // relations that keep a shop out
	byShop     sync.Map         // loyalty.ID to []*ruledCampaign
	known      sync.Map         // cpgShop: relations that are written down
}

type cpgShop struct{ cpg, shop loyalty.ID }

// ruledCampaign is a campaign with the versions by which sales may have to be
// judged, the one that begins to hold first in front.
type ruledCampaign struct {
	versions []ruledVersion
	joined   map[loyalty.ID]bool // participants
	rewards  []ruledReward
	quotas   bool // has rows in quotas for its budget
}

type ruledVersion struct {
	holdsFrom time.Time
	campaign  *loyalty.Campaign
}

// ruledReward is what a receipt needs to know of a reward.
type ruledReward struct {
	Unit      loyalty.Unit `json:"unit"`
	Threshold int64        `json:"threshold"`
	MinTier   string       `json:"min_tier"`
	Segmented bool         `json:"segmented"` // for some consumers only: a receipt does not speak of it
}

// newest is the version that began, or will begin, to hold last.
func (r *ruledCampaign) newest() *loyalty.Campaign { return r.versions[len(r.versions)-1].campaign }

// at is the version in force at t; before the first, the first.
func (r *ruledCampaign) at(t time.Time) *loyalty.Campaign {
	c := r.versions[0].campaign
	for _, v := range r.versions {
		if v.holdsFrom.After(t) {
			break
		}
		c = v.campaign
	}
	return c
}

// ready says whether a balance is enough for a reward that a tier opens, or for
// the goal where there is no reward.
func (r *ruledCampaign) ready(c *loyalty.Campaign, u loyalty.Unit, balance int64, tier string) bool {
	none := true
	for i := range r.rewards {
		v := &r.rewards[i]
		if v.Unit != u {
			continue
		}
		none = false
		if balance >= v.Threshold && !v.Segmented && (v.MinTier == "" || c.Tiers.Rank(tier) >= max(c.Tiers.Rank(v.MinTier), 1)) {
			return true
		}
	}
	return none && balance >= c.GoalOf(u)
}

// takesPart says whether a version of the campaign runs in the shop.
func (b *ruleBook) takesPart(r *ruledCampaign, c *loyalty.Campaign, s *Shop) bool {
	if c.Owner != "" {
		return c.Owner == s.ID
	}
	return (c.Joining == loyalty.JoinAtOnce || r.joined[s.ID]) && !b.ended[cpgShop{c.CPG, s.ID}] && c.Aims(s.place())
}

// in gives the campaigns of which some version runs in the shop.
func (b *ruleBook) in(s *Shop) []*ruledCampaign {
	if found, ok := b.byShop.Load(s.ID); ok {
		all, _ := found.([]*ruledCampaign)
		return all
	}
	var all []*ruledCampaign
	for _, r := range b.campaigns {
		if slices.ContainsFunc(r.versions, func(v ruledVersion) bool { return b.takesPart(r, v.campaign, s) }) {
			all = append(all, r)
		}
	}
	b.byShop.Store(s.ID, all)
	return all
}

// concerned gives the campaigns that run in the shop at that time and sell one of
// the lines, each in the version then in force.
func (b *ruleBook) concerned(s *Shop, at time.Time, lines []loyalty.Line) (rules []*ruledCampaign, versions []*loyalty.Campaign) {
	for _, r := range b.in(s) {
		c := r.at(at)
		if c.RunsAt(at) && b.takesPart(r, c, s) && slices.ContainsFunc(lines, func(l loyalty.Line) bool { return c.Sells(&l) }) {
			rules, versions = append(rules, r), append(versions, c)
		}
	}
	return rules, versions
}

// find gives a campaign of the book by its ID; nil where it is not in it.
func (b *ruleBook) find(id loyalty.ID) *ruledCampaign {
	for _, r := range b.campaigns {
		if r.newest().ID == id {
			return r
		}
	}
	return nil
}

// ruleOf are the columns of campaign c that a ruledCampaign has beside its
// versions: its rewards, and whether it has quotas.
const ruleOf = `
	(SELECT coalesce(jsonb_agg(jsonb_build_object(
	  'unit', r.unit, 'threshold', r.threshold, 'min_tier', r.min_tier, 'segmented', r.segment_id IS NOT NULL)), '[]')
	  FROM rewards r WHERE r.campaign_id = c.id AND r.active),
	EXISTS (SELECT FROM quotas q WHERE q.campaign_id = c.id AND q.name IN ('stamp', 'point'))`

// loadRules reads the rule book: one statement, and so one view of all of it.
// Versions that were over before a sale that may still come are left out.
func (tx *Tx) loadRules(ctx context.Context) (*ruleBook, error) {
	b := &ruleBook{ended: map[cpgShop]bool{}}
	rows, err := tx.tx.Query(ctx, `
		SELECT (SELECT generation FROM generations WHERE name = 'rules'),
		  c.id, coalesce(c.cpg_id::text, ''), coalesce(c.shop_id::text, ''), c.status, v.version, v.holds_from, v.terms,
		  ARRAY(SELECT p.shop_id::text FROM campaign_participants p WHERE p.campaign_id = c.id AND p.status = 'joined'),
		  `+ruleOf+`,
		  ARRAY(SELECT s.shop_id::text FROM cpg_shops s WHERE s.cpg_id = c.cpg_id AND NOT s.active)
		FROM campaigns c JOIN campaign_versions v ON v.campaign_id = c.id AND v.cancelled_at IS NULL
		WHERE c.status = 'active' AND NOT EXISTS (SELECT FROM cpgs g WHERE g.id = c.cpg_id AND NOT g.active)
		  AND NOT EXISTS (SELECT FROM campaign_versions n WHERE n.campaign_id = c.id AND n.cancelled_at IS NULL
		    AND (n.holds_from, n.version) > (v.holds_from, v.version) AND n.holds_from <= $1)
		ORDER BY c.id, v.holds_from, v.version`, tx.now.Add(-maxLateness))
	if err != nil {
		return nil, err
	}
	var last *ruledCampaign
	var lastID loyalty.ID
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var v ruledVersion
		var joined, out []loyalty.ID
		var rewards []ruledReward
		var quotas bool
		c := new(loyalty.Campaign)
		err := row.Scan(&b.generation, &c.ID, &c.CPG, &c.Owner, &c.Status, &c.Version, &v.holdsFrom, &c.Terms, &joined, &rewards, &quotas, &out)
		if err != nil {
			return struct{}{}, err
		}
		v.campaign = c
		if last == nil || lastID != c.ID {
			last, lastID = &ruledCampaign{joined: map[loyalty.ID]bool{}, rewards: rewards, quotas: quotas}, c.ID
			b.campaigns = append(b.campaigns, last)
			for _, id := range joined {
				last.joined[id] = true
			}
			for _, id := range out {
				b.ended[cpgShop{c.CPG, id}] = true
			}
		}
		last.versions = append(last.versions, v)
		return struct{}{}, nil
	})
	if err != nil || b.generation > 0 {
		return b, err
	}
	// No campaign runs: the book is empty, of this generation.
	return b, tx.tx.QueryRow(ctx, `SELECT generation FROM generations WHERE name = 'rules'`).Scan(&b.generation)
}

// recollection is what a purchase needs of what is remembered.
type recollection struct {
	rules    *ruleBook
	shop     Shop // its ID is "" where there is no such shop
	products map[loyalty.GTIN]productRow
	of       generations
	complete bool // all that was asked for was remembered
}

// holds says whether it is what is committed.
func (r *recollection) holds(now generations) bool { return r.complete && r.of == now }

// recollect gives what is remembered, without asking anybody.
func (m *memory) recollect(shop string, gtins []loyalty.GTIN) recollection {
	catalogue, shops, rules := m.catalogue.Load(), m.shops.Load(), m.rules.Load()
	r := recollection{
		rules: rules, products: make(map[loyalty.GTIN]productRow, len(gtins)), complete: true,
		of: generations{catalogue: catalogue.generation, rules: rules.generation, shops: shops.generation},
	}
	r.shop, r.complete = shops.get(shop)
	for _, g := range gtins {
		p, ok := catalogue.get(g)
		r.complete = r.complete && ok
		if ok {
			r.products[g] = p
		}
	}
	return r
}

// recall reads what the purchase asks for, and remembers it under the numbers
// that were read before: what is remembered is at least as new as its number.
func (tx *Tx) recall(ctx context.Context, now generations, shop string, gtins []loyalty.GTIN) (recollection, error) {
	m := tx.db.memory
	r := recollection{rules: m.rules.Load(), products: make(map[loyalty.GTIN]productRow, len(gtins)), of: now, complete: true}
	if r.rules.generation != now.rules {
		b, err := tx.loadRules(ctx)
		if err != nil {
			return r, err
		}
		keepNewer(&m.rules, b, func(b *ruleBook) int64 { return b.generation })
		r.rules = b
	}
	rows, err := tx.tx.Query(ctx, shopFields+` WHERE code = $1`, shop)
	if err != nil {
		return r, err
	}
	r.shop, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Shop])
	if ignoreNone(err) != nil {
		return r, err
	}
	if err == nil {
		remember(&m.shops, now.shops, shop, r.shop)
	}
	found, err := collect[productRow](ctx, tx, `
		SELECT id, gtin, name, brand_id, cpg_id, reference_price_cents, active FROM products WHERE gtin = ANY($1)`, gtins)
	for _, p := range found {
		r.products[p.GTIN] = p
		remember(&m.catalogue, now.catalogue, p.GTIN, p)
	}
	return r, err
}

// remember keeps a row with those of its generation. Where a newer one has
// begun, it is not worth keeping.
func remember[K comparable, V any](at *atomic.Pointer[remembered[K, V]], generation int64, key K, row V) {
	keepNewer(at, &remembered[K, V]{generation: generation}, func(r *remembered[K, V]) int64 { return r.generation })
	if kept := at.Load(); kept.generation == generation {
		kept.rows.Store(key, row)
	}
}

// keepNewer replaces what is kept where it is older.
func keepNewer[T any](at *atomic.Pointer[T], fresh *T, generation func(*T) int64) {
	for {
		kept := at.Load()
		if generation(kept) >= generation(fresh) || at.CompareAndSwap(kept, fresh) {
			return
		}
	}
}

// WatchRules listens for changes of rules and reads them ahead of the purchases
// that need them, until ctx ends. Where the connection breaks it says why and
// returns: purchases go on, and notice changes by themselves.
func (db *DB) WatchRules(ctx context.Context) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	raw := conn.Hijack()                        // it belongs to nobody else from now on
	defer raw.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the server notices
	if _, err := raw.Exec(ctx, `LISTEN qoa_generations`); err != nil {
		return err
	}
	for {
		if err := db.refreshRules(ctx); err != nil {
			return err
		}
		if _, err := raw.WaitForNotification(ctx); err != nil {
			return err
		}
	}
}

func (db *DB) refreshRules(ctx context.Context) error {
	return db.InTx(ctx, func(tx *Tx) error {
		b, err := tx.loadRules(ctx)
		if err != nil {
			return err
		}
		keepNewer(&db.memory.rules, b, func(b *ruleBook) int64 { return b.generation })
		return nil
	})
}
