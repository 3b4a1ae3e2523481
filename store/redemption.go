package store

import (
	"context"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
)

// RedemptionLife is how long a requested reward waits at the counter where the
// reward says nothing else.
const RedemptionLife = 7 * 24 * time.Hour

// Redemption is one taking of a reward, with its own code.
type Redemption struct {
	ID        loyalty.ID   `db:"id" json:"id"`
	Code      string       `db:"code" json:"code"`
	Reward    string       `db:"reward" json:"reward"`
	RewardID  loyalty.ID   `db:"reward_id" json:"reward_id"`
	Campaign  string       `db:"campaign" json:"campaign"`
	Status    string       `db:"status" json:"status"` // requested, delivered, cancelled, expired
	Amount    int64        `db:"amount" json:"amount"`
	Unit      loyalty.Unit `db:"unit" json:"unit"`
	ExpiresAt time.Time    `db:"expires_at" json:"expires_at"`
}

const (
	redemptionColumns = `d.id, d.code, r.name AS reward, d.reward_id, c.name AS campaign, d.status, d.amount, d.unit, d.expires_at`
	redemptionTables  = ` FROM redemptions d JOIN rewards r ON r.id = d.reward_id JOIN campaigns c ON c.id = d.campaign_id`
	redemptionFields  = `SELECT ` + redemptionColumns + redemptionTables
)

func errNoRedemption() *loyalty.Error {
	return loyalty.NotFound(loyalty.CodeRedemptionUnknown, "Ese código de premio no existe. Revisa que esté bien escrito.")
}

// OpenRedemptions are the consumer's, requested and not yet delivered.
func (tx *Tx) OpenRedemptions(ctx context.Context, person loyalty.ID) ([]Redemption, error) {
	return collect[Redemption](ctx, tx, selectOpen(ofPerson(person)), person, tx.now)
}

func selectOpen(of whose) string {
	return redemptionFields + ` WHERE d.person_id = ` + of.person + ` AND d.status = 'requested' AND d.expires_at > $2 ORDER BY d.id`
}

// RedemptionRecord is a redemption in a list. What the reader may not know is
// empty: only an admin is told the person, a brand no code that is still open.
type RedemptionRecord struct {
	Redemption
	CampaignID  loyalty.ID  `db:"campaign_id" json:"campaign_id"`
	Person      *loyalty.ID `db:"person_id" json:"person_id,omitempty"`
	ShopCode    string      `db:"shop_code" json:"shop_code,omitempty"` // where it was delivered
	Shop        string      `db:"shop" json:"shop,omitempty"`
	RequestedAt time.Time   `db:"requested_at" json:"requested_at"`
	SettledAt   *time.Time  `db:"settled_at" json:"settled_at,omitempty"`
}

// RedemptionFilter narrows a list; what is zero asks for nothing.
type RedemptionFilter struct {
	Campaign loyalty.ID
	Reward   loyalty.ID
	Shop     loyalty.ID // that delivered it
	Status   string
}

// Redemptions lists redemptions: all to an admin, the own to a consumer, those of
// its campaigns to a brand, those delivered at its shops to a tendero, and to it
// also those of its shops' own campaigns.
func (tx *Tx) Redemptions(ctx context.Context, scope loyalty.Scope, f RedemptionFilter, page Page) ([]RedemptionRecord, loyalty.ID, error) {
	var own, cpg *loyalty.ID
	var shops []loyalty.ID
	switch scope.Role {
	case loyalty.RoleConsumer:
		own = &scope.Person
	case loyalty.RoleCPG:
		cpg = &scope.CPG
	case loyalty.RoleTendero:
		shops = scope.Shops
	case loyalty.RoleAdmin, loyalty.RoleSystem, loyalty.RoleIntegration:
	}
	return list(ctx, tx, page, func(v RedemptionRecord) loyalty.ID { return v.ID }, `
		SELECT d.id, CASE WHEN $1 OR d.person_id = $2 OR d.status <> 'requested' THEN d.code ELSE '' END AS code,
		  r.name AS reward, d.reward_id, c.name AS campaign, d.status, d.amount, d.unit, d.expires_at,
		  d.campaign_id, CASE WHEN $1 THEN d.person_id END AS person_id, coalesce(s.code, '') AS shop_code, coalesce(s.name, '') AS shop,
		  d.requested_at, d.settled_at`+redemptionTables+` LEFT JOIN shops s ON s.id = d.shop_id
		WHERE ($1 OR d.person_id = $2 OR c.cpg_id = $3 OR d.shop_id = ANY($4) OR c.shop_id = ANY($4))
		  AND ($5::uuid IS NULL OR d.campaign_id = $5) AND ($6::uuid IS NULL OR d.reward_id = $6)
		  AND ($7::uuid IS NULL OR d.shop_id = $7) AND ($8 = '' OR d.status = $8)
		  AND d.id > $9 ORDER BY d.id LIMIT $10`,
		scope.All(), own, cpg, shops, optional(f.Campaign), optional(f.Reward), optional(f.Shop), clean(f.Status))
}

// Taken is a reward in a consumer's history.
type Taken struct {
	Reward      string       `db:"reward"`
	Unit        loyalty.Unit `db:"unit"`
	Amount      int64        `db:"amount"` // what it cost
	Delivered   bool         `db:"delivered"`
	Shop        string       `db:"shop"` // that delivered it
	TimeZone    string       `db:"time_zone"`
	RequestedAt time.Time    `db:"requested_at"`
}

// TakenRewards gives the consumer's latest rewards, newest first; those that were
// given back are as if they had never been.
func (tx *Tx) TakenRewards(ctx context.Context, person loyalty.ID, limit int) ([]Taken, error) {
	return collect[Taken](ctx, tx, selectTaken(ofPerson(person))+` LIMIT $2`, person, limit)
}

func selectTaken(of whose) string {
	return `
		SELECT r.name AS reward, d.unit, d.amount, d.status = 'delivered' AS delivered, coalesce(s.name, '') AS shop,
		  coalesce(s.time_zone, '') AS time_zone, d.requested_at
		FROM redemptions d JOIN rewards r ON r.id = d.reward_id LEFT JOIN shops s ON s.id = d.shop_id
		WHERE d.person_id = ` + of.person + ` AND d.status IN ('requested', 'delivered') ORDER BY d.requested_at DESC, d.id DESC`
}
