package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Wallet is all that a consumer has: the universal card and the cards.
type Wallet struct {
	Person   loyalty.ID
	Name     string
	CardCode string
	Cards    []WalletCard
	Balances []Balance
}

// WalletCard is membership with a shop or a brand.
type WalletCard struct {
	ID       loyalty.ID  `db:"id"`
	Shop     string      `db:"shop"` // name; "" where it is a brand's
	ShopID   *loyalty.ID `db:"shop_id"`
	ShopCode string      `db:"shop_code"`
	City     string      `db:"city"`
	TimeZone string      `db:"time_zone"`
	Brand    string      `db:"brand"`
}

// Wallet of a person. Error: CARD_NOT_FOUND for who has none.
func (tx *Tx) Wallet(ctx context.Context, person loyalty.ID) (Wallet, error) {
	r, err := tx.readWallet(ctx, ofPerson(person))
	if err != nil {
		return Wallet{}, err
	}
	return tx.finishWallet(ctx, r)
}

// OwnWallet is Wallet as its owner sees it in the chat: with the link to the card,
// and the purchases that wait for a yes, newest first.
func (tx *Tx) OwnWallet(ctx context.Context, person loyalty.ID) (w Wallet, link string, pending []Movement, err error) {
	r, err := tx.readWallet(ctx, ofPerson(person))
	if err != nil {
		return Wallet{}, "", nil, err
	}
	w, err = tx.finishWallet(ctx, r)
	return w, tx.chatLink(r.linked, r.version, w.CardCode), r.pending[:min(len(r.pending), mostPending)], err
}

// WalletByCard is the wallet behind a card code as the caller may see it, and
// never a history: an admin and the consumer see all of it; an integration,
// which sells for every shop, all but the name; a tendero what concerns the own
// shops, be it nothing. To a brand and to another consumer the card does not
// exist (law 11).
func (tx *Tx) WalletByCard(ctx context.Context, scope loyalty.Scope, code string) (Wallet, error) {
	unknown := loyalty.NotFound(loyalty.CodeCardNotFound, "No encontramos esa tarjeta. Revisa el código.")
	code, kind := loyalty.ScannedCode(code)
	if kind != loyalty.CardCode || scope.Role == loyalty.RoleCPG {
		return Wallet{}, unknown
	}
	var person loyalty.ID
	err := tx.tx.QueryRow(ctx, `SELECT coalesce(merged_into, person_id) FROM consumers WHERE card_code = $1`, code).Scan(&person)
	if none(err) || err == nil && scope.Role == loyalty.RoleConsumer && scope.Person != person {
		return Wallet{}, unknown
	}
	if err != nil {
		return Wallet{}, err
	}
	w, err := tx.Wallet(ctx, person)
	if err != nil || scope.All() || scope.Person == person {
		return w, err
	}
	w.Name = ""
	if scope.Role == loyalty.RoleTendero {
		w.only(scope.Shops)
	}
	return w, nil
}

// only leaves what concerns the shops.
func (w *Wallet) only(shops []loyalty.ID) {
	own := make(map[loyalty.ID]bool, len(shops))
	for _, id := range shops {
		own[id] = true
	}
	var cards []WalletCard
	for _, c := range w.Cards {
		if c.ShopID != nil && own[*c.ShopID] {
			cards = append(cards, c)
		}
	}
	w.Cards = cards
	var balances []Balance
	for _, b := range w.Balances {
		for _, shop := range b.Shops {
			if own[shop] {
				balances = append(balances, b)
				break
			}
		}
	}
	w.Balances = balances
}

// Movement is one line of a consumer's or a shop's history: a purchase.
type Movement struct {
	Receipt
	ShopID   loyalty.ID
	Shop     string
	TimeZone string
}

// History gives the consumer's latest purchases, newest first.
func (tx *Tx) History(ctx context.Context, person loyalty.ID, limit int) ([]Movement, error) {
	return tx.movements(ctx, `pu.person_id = $1`, person, limit)
}

// movements gives the latest purchases that the condition picks; it may use $1
// for of, and $3 onwards for more.
func (tx *Tx) movements(ctx context.Context, condition string, of loyalty.ID, limit int, more ...any) ([]Movement, error) {
	rows, err := tx.tx.Query(ctx, selectMovements(condition)+` LIMIT $2`, append([]any{of, limit}, more...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanMovement)
}

func selectMovements(condition string) string {
	return `
		SELECT coalesce(pu.settled, pu.receipt), pu.status, s.id, s.name, s.time_zone FROM purchases pu JOIN shops s ON s.id = pu.shop_id
		WHERE ` + condition + ` ORDER BY pu.occurred_at DESC, pu.id DESC`
}

func scanMovement(row pgx.CollectableRow) (m Movement, err error) {
	var status string
	err = row.Scan(&m.Receipt, &status, &m.ShopID, &m.Shop, &m.TimeZone)
	m.Status = status
	return m, err
}
