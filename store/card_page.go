package store

import (
	"context"
	"crypto/hmac"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// CardPage is all that a consumer's own page shows.
type CardPage struct {
	Wallet      Wallet
	Bought      []Bought // the latest purchases, newest first
	Taken       []Taken  // the latest rewards, newest first
	Redemptions []Redemption
	Pending     []Movement // that wait for a yes
	Evidence    Evidence   // its Code is "" where there is none
}

// Bought is a purchase in a consumer's history: what of its receipt is shown there.
type Bought struct {
	Status   string
	Shop     string
	TimeZone string
	At       time.Time
	boughtLines
}

// boughtLines are the parts of a receipt that the history shows. Reading no more
// of it costs half.
type boughtLines struct {
	Items []struct {
		Name     string `json:"name"`
		Quantity int64  `json:"quantity"`
	} `json:"items"`
	Earned []struct {
		Unit   loyalty.Unit `json:"unit"`
		Amount int64        `json:"amount"`
	} `json:"earned"`
}

// CardPage reads the page that a chat link opens, with the latest purchases and
// rewards, no more than most of each. A wrong secret and an unknown card look the
// same: CARD_NOT_FOUND. It is one round trip, and needs no transaction: it writes
// nothing, and each part is of a moment of its own, as the page is once it is read.
func (db *DB) CardPage(ctx context.Context, secret, code string, most int) (p CardPage, err error) {
	err = db.look(ctx, func(tx *Tx) (err error) {
		p, err = tx.cardPage(ctx, secret, code, most)
		return err
	})
	return p, translate(err)
}

func (tx *Tx) cardPage(ctx context.Context, secret, code string, most int) (p CardPage, err error) {
	r, of := walletReading{now: tx.now}, ofCard(code)
	// Of a number that is not in the statement, Postgres believes that it asks for a
	// tenth of all: where that is more, it plans the statement anew each time.
	latest := ` LIMIT ` + strconv.Itoa(most)
	var b pgx.Batch
	r.queue(&b, of)
	b.Queue(selectBought(of)+latestBought+latest, of.key).Query(func(rows pgx.Rows) error {
		p.Bought, err = pgx.CollectRows(rows, scanBought)
		return err
	})
	queued(&b, &p.Taken, selectTaken(of)+latest, of.key)
	queued(&b, &p.Redemptions, selectOpen(of), of.key, tx.now)
	b.Queue(selectEvidence(of), of.key, tx.now, tx.now.Add(-EvidenceLife)).QueryRow(func(row pgx.Row) error {
		return ignoreNone(row.Scan(&p.Evidence.Code, &p.Evidence.ExpiresAt))
	})
	if err := tx.tx.SendBatch(ctx, &b).Close(); err != nil {
		return CardPage{}, err
	}
	if !r.found || !hmac.Equal([]byte(secret), []byte(tx.linkSecret(r.linked, r.version))) {
		return CardPage{}, errDeadLink()
	}
	if err := tx.joinOffers(ctx, &r); err != nil {
		return CardPage{}, err
	}
	p.Pending = r.pending[:min(len(r.pending), mostPending)]
	p.Wallet, err = tx.finishWallet(ctx, &r)
	return p, err
}

func selectBought(of whose) string {
	return `
		SELECT pu.status, s.name, s.time_zone, pu.occurred_at, coalesce(pu.settled, pu.receipt) FROM purchases pu JOIN shops s ON s.id = pu.shop_id
		WHERE pu.person_id = ` + of.person
}

const latestBought = ` ORDER BY pu.occurred_at DESC, pu.id DESC`

func scanBought(row pgx.CollectableRow) (v Bought, err error) {
	err = row.Scan(&v.Status, &v.Shop, &v.TimeZone, &v.At, &v.boughtLines)
	return v, err
}

// queued adds a query to a batch, whose rows go to a list.
func queued[T any](b *pgx.Batch, to *[]T, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*to, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
		return err
	})
}

// look runs fn, which only reads, on a connection without a transaction.
func (db *DB) look(ctx context.Context, fn func(*Tx) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return fn(&Tx{tx: looking{conn: conn, trips: db.trips}, db: db, now: db.opt.Now().UTC().Truncate(time.Microsecond), attempt: attempts})
}

// looking is a pgx.Tx that is none: what is sent together sees what was committed
// when each statement began. Whoever has to write, or to see several statements'
// world at one moment, needs a real one.
type looking struct {
	pgx.Tx // nil: a method that is not defined here is a defect
	conn   *pgxpool.Conn
	trips  *atomic.Int64
}

func (l looking) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	l.trips.Add(1)
	return l.conn.SendBatch(ctx, b)
}

func (l looking) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	l.trips.Add(1)
	return l.conn.Query(ctx, sql, args...)
}
