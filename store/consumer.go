package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// Onboarding is what came of a person asking for a card at a shop.
type Onboarding struct {
	Created  bool // the universal card is new
	Joined   bool // the card at this shop is new
	CardCode string
	CardURL  string
	Shop     Shop
}

// Onboard makes the person a consumer with a universal card, and a card at the
// shop. What exists already is kept, so the same message twice is harmless. The
// privacy notice is in the answer to messageID: that is recorded as its proof.
// Errors: SHOP_NOT_FOUND, SHOP_INACTIVE.
func (tx *Tx) Onboard(ctx context.Context, person loyalty.ID, shopCode, messageID string) (Onboarding, error) {
	var o Onboarding
	shop, err := tx.ShopByCode(ctx, shopCode)
	if err != nil {
		return o, err
	}
	o.Shop = shop
	if o.Created, err = tx.makeConsumer(ctx, person); err != nil {
		return o, err
	}
	if o.Created {
		if err := tx.RecordConsent(ctx, person, NoticeGiven, messageID); err != nil {
			return o, err
		}
	}
	tag, err := tx.tx.Exec(ctx, `
		INSERT INTO cards (id, person_id, shop_id, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT ON CONSTRAINT cards_person_issuer_key DO NOTHING`, tx.newID(), person, shop.ID, tx.now)
	if err != nil {
		return o, err
	}
	o.Joined = tag.RowsAffected() == 1
	o.CardURL, o.CardCode, err = tx.ChatLink(ctx, person)
	tx.ring(Event{Kind: CardChanged, ID: person})
	return o, err
}

// makeConsumer gives the person a universal card, where there is none.
func (tx *Tx) makeConsumer(ctx context.Context, person loyalty.ID) (created bool, err error) {
	for range 5 {
		code := loyalty.NewCode(loyalty.CardCode, tx.db.opt.Random)
		tag, err := tx.tx.Exec(ctx, `
			INSERT INTO consumers (person_id, card_code, created_at)
			SELECT id, $2, $3 FROM persons WHERE id = $1 AND merged_into IS NULL FOR SHARE ON CONFLICT DO NOTHING`,
			person, code, tx.now)
		if err != nil || tag.RowsAffected() == 1 {
			return err == nil, err
		}
		var has, merged bool
		err = tx.tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM consumers c WHERE c.person_id = p.id), p.merged_into IS NOT NULL FROM persons p WHERE p.id = $1`, person).Scan(&has, &merged)
		switch {
		case err == nil && merged:
			return false, errMoved
		case err != nil || has:
			return false, err
		}
		// The code was taken by another; with 2^35 of them, once in ages.
	}
	return false, fmt.Errorf("store: no free card code found")
}

// ChatLink gives the consumer's own link, and the card's code; both are empty
// for somebody who has no card.
func (tx *Tx) ChatLink(ctx context.Context, person loyalty.ID) (url, cardCode string, err error) {
	var version int
	err = tx.tx.QueryRow(ctx, `SELECT card_code, link_version FROM consumers WHERE person_id = $1`, person).Scan(&cardCode, &version)
	if none(err) {
		return "", "", nil
	}
	if err != nil {
		return "", "", err
	}
	return tx.chatLink(person, version, cardCode), cardCode, nil
}

// ReissueLink voids every chat link given out before, and gives a new one.
func (tx *Tx) ReissueLink(ctx context.Context, person loyalty.ID) (url, cardCode string, err error) {
	if err := tx.voidLinks(ctx, person); err != nil {
		return "", "", err
	}
	return tx.ChatLink(ctx, person)
}

func (tx *Tx) chatLink(person loyalty.ID, version int, cardCode string) string {
	return tx.db.opt.PublicURL + "/c/" + tx.linkSecret(person, version) + "/" + cardCode
}

// linkSecret is 128 bits that only we can compute, so that every message can
// repeat the link while no table keeps it. QOA_SECRET keys it; the version
// revokes it.
func (tx *Tx) linkSecret(person loyalty.ID, version int) string {
	mac := hmac.New(sha256.New, tx.db.opt.Secret)
	mac.Write([]byte("chat-link\x00" + string(person) + "\x00" + strconv.Itoa(version)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// OpenChatLink says whose link it is: of one given to somebody who turned out to be
// another, that other. A wrong secret and an unknown card look
// the same: CARD_NOT_FOUND.
func (tx *Tx) OpenChatLink(ctx context.Context, secret, cardCode string) (loyalty.ID, error) {
	var person, linked loyalty.ID
	var version int
	of := ofCard(cardCode)
	err := tx.tx.QueryRow(ctx, `
		SELECT c.person_id, `+of.link+`.person_id, `+of.link+`.link_version FROM `+of.consumer+` AND p.erased_at IS NULL`, of.key).
		Scan(&person, &linked, &version)
	if err != nil && !none(err) {
		return "", err
	}
	if none(err) || !hmac.Equal([]byte(secret), []byte(tx.linkSecret(linked, version))) {
		return "", errDeadLink()
	}
	return person, nil
}

func errDeadLink() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeCardNotFound, "Este enlace ya no sirve. Pide uno nuevo escribiendo «mi tarjeta».")
}
