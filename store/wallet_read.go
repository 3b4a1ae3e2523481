package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// whose things a batch reads: by what the caller knows of the person.
type whose struct {
	consumer string // the tables and the condition that find consumer c
	link     string // the consumer to whom the link that is to be opened was given
	person   string // the expression for the person's ID
	key      any    // $1 of all of them
}

func ofPerson(id loyalty.ID) whose {
	return whose{`consumers c JOIN persons p ON p.id = c.person_id WHERE c.person_id = $1`, `c`, `$1`, id}
}

// ofCard is whoever has a card code: of the code of somebody who turned out to be
// another, that other. That everything else is asked by the code as well saves the
// round trip of asking for the person first.
func ofCard(code string) whose {
	return whose{
		`consumers k JOIN consumers c ON c.person_id = coalesce(k.merged_into, k.person_id) JOIN persons p ON p.id = c.person_id WHERE k.card_code = $1`,
		`k`, `(SELECT coalesce(k.merged_into, k.person_id) FROM consumers k WHERE k.card_code = $1)`, code,
	}
}

// walletReading is a wallet that is being read: one batch for what is the
// consumer's own, and then what memory does not know of the campaigns. No query
// looks at more of the ledger than what is about to end.
type walletReading struct {
	now        time.Time
	found      bool
	wallet     Wallet
	linked     loyalty.ID // the person to whom the card's chat links were given
	version    int        // of those links
	generation int64
	wrote      bool // the transaction has written something
	segments   []loyalty.ID
	own        []loyalty.ID // shops of the cards that are open, in the order of the cards
	parts      []*walletPart
	pending    []Movement // purchases that wait for a yes, newest first
}

// readWallet reads it, and joins the campaigns.
func (tx *Tx) readWallet(ctx context.Context, of whose) (*walletReading, error) {
	r := &walletReading{now: tx.now}
	var b pgx.Batch
	r.queue(&b, of)
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, err
	}
	return r, tx.joinOffers(ctx, r)
}

// queue adds what reads it to a batch.
func (r *walletReading) queue(b *pgx.Batch, of whose) {
	b.Queue(`
		SELECT c.person_id, c.card_code, `+of.link+`.person_id, `+of.link+`.link_version, coalesce(p.name, ''), `+readOffersGeneration+`, pg_current_xact_id_if_assigned() IS NOT NULL,
		  ARRAY(SELECT m.segment_id::text FROM segment_members m WHERE m.person_id = c.person_id)
		FROM `+of.consumer+` AND p.erased_at IS NULL`, of.key).
		QueryRow(func(row pgx.Row) error {
			err := row.Scan(&r.wallet.Person, &r.wallet.CardCode, &r.linked, &r.version, &r.wallet.Name, &r.generation, &r.wrote, &r.segments)
			r.found = err == nil
			return ignoreNone(err)
		})
	b.Queue(`
		SELECT ca.id, coalesce(s.name, '') AS shop, ca.shop_id, coalesce(s.code, '') AS shop_code, coalesce(s.city, '') AS city,
		  coalesce(s.time_zone, '') AS time_zone, coalesce(b.name, '') AS brand, coalesce(s.active, false) AS open
		FROM cards ca LEFT JOIN shops s ON s.id = ca.shop_id LEFT JOIN brands b ON b.id = ca.brand_id
		WHERE ca.person_id = `+of.person+` ORDER BY ca.id`, of.key).Query(r.readCards)
	b.Queue(selectParts(of), of.key).Query(func(rows pgx.Rows) (err error) {
		r.parts, err = pgx.CollectRows(rows, scanPart)
		return err
	})
	b.Queue(selectMovements(`pu.person_id = `+of.person+` AND pu.status = 'pending'`), of.key).Query(func(rows pgx.Rows) (err error) {
		r.pending, err = pgx.CollectRows(rows, scanMovement)
		return err
	})
}

func (r *walletReading) readCards(rows pgx.Rows) (err error) {
	type row struct {
		WalletCard
		Open bool `db:"open"`
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[row])
	r.wallet.Cards, r.own = make([]WalletCard, 0, len(all)), nil
	for _, v := range all {
		r.wallet.Cards = append(r.wallet.Cards, v.WalletCard)
		if v.Open {
			r.own = append(r.own, *v.ShopID)
		}
	}
	return err
}

// finishWallet makes the wallet of what was read and joined.
func (tx *Tx) finishWallet(ctx context.Context, r *walletReading) (w Wallet, err error) {
	r.parts = slices.DeleteFunc(r.parts, func(p *walletPart) bool { return p.ID == "" && !p.mayBegin(r.segments, r.parts, r.now) })
	w = r.wallet
	w.Balances, err = tx.balances(ctx, r)
	return w, err
}

// joinOffers gives the parts their campaigns, and adds those that could be begun,
// the part used last in front. Error: CARD_NOT_FOUND where nobody was found.
func (tx *Tx) joinOffers(ctx context.Context, r *walletReading) error {
	if !r.found {
		return loyalty.NotFound(loyalty.CodeCardNotFound, "Todavía no tienes una tarjeta.")
	}
	// A turn writes much, but nothing of what is offered.
	o := tx.db.offersOf(r.generation, r.wrote && !tx.talks)
	enrolled := make([]loyalty.ID, len(r.parts))
	for i, p := range r.parts {
		enrolled[i] = p.Campaign
	}
	if err := tx.learnOffers(ctx, o, r.own, enrolled); err != nil {
		return err
	}
	parts := r.parts[:0]
	for _, p := range r.parts {
		if p.offer = o.find(p.Campaign); p.offer == nil || !p.offer.begun() {
			continue
		}
		p.campaign = p.offer.campaign
		for _, shop := range r.own {
			if there, _ := o.at(shop); (p.Shop == "" || p.Shop == shop) && slices.Contains(there, p.Campaign) {
				p.shops = append(p.shops, shop)
			}
		}
		parts = append(parts, p)
	}
	r.parts = append(parts, r.toBegin(o)...)
	slices.SortStableFunc(r.parts, (*walletPart).compare)
	return nil
}

// toBegin gives the campaigns that can be begun, at those of the consumer's shops
// for which there is no enrollment yet.
func (r *walletReading) toBegin(o *offers) (more []*walletPart) {
	begin := map[loyalty.ID]*walletPart{}
	for _, shop := range r.own {
		there, _ := o.at(shop)
		for _, id := range there {
			v := o.find(id)
			if v == nil || !v.campaign.RunsAt(r.now) || slices.ContainsFunc(r.parts, func(p *walletPart) bool {
				return p.Campaign == id && (p.Shop == "" || p.Shop == shop)
			}) {
				continue
			}
			if begin[id] == nil {
				begin[id] = &walletPart{offer: v}
				begin[id].person, begin[id].Campaign, begin[id].campaign, begin[id].zone = r.wallet.Person, id, v.campaign, loyalty.Zone("")
				more = append(more, begin[id])
			}
			begin[id].shops = append(begin[id].shops, shop)
		}
	}
	return more
}
