package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type walletJSON struct {
	CardCode string        `json:"card_code"`
	Cards    []cardJSON    `json:"cards"`
	Balances []balanceJSON `json:"balances"`
}

// cardJSON is membership with a shop or with a brand.
type cardJSON struct {
	Shop     string `json:"shop,omitempty"`
	ShopCode string `json:"shop_code,omitempty"`
	City     string `json:"city,omitempty"`
	Brand    string `json:"brand,omitempty"`
}

// balanceJSON is a balance. What is about to end, what waits, and how far the next
// tier is, only its owner sees.
type balanceJSON struct {
	CampaignID  loyalty.ID    `json:"campaign_id"`
	Campaign    string        `json:"campaign"`
	Unit        loyalty.Unit  `json:"unit"`
	Shop        string        `json:"shop,omitempty"` // that it counts for, where the campaign counts per shop
	Balance     int64         `json:"balance"`
	Goal        int64         `json:"goal"`
	RewardReady bool          `json:"reward_ready"`
	Tier        *tierJSON     `json:"tier,omitempty"`
	Pending     *int64        `json:"pending,omitempty"`
	Expiring    *expiringJSON `json:"expiring,omitempty"`
}

type expiringJSON struct {
	Amount int64     `json:"amount"`
	At     time.Time `json:"at"`
}

type tierJSON struct {
	Level    string        `json:"level"` // "" below the first
	Discount string        `json:"discount,omitempty"`
	AtRisk   *bool         `json:"at_risk,omitempty"`
	Until    string        `json:"until,omitempty"` // the day on which it is lost
	Next     string        `json:"next,omitempty"`
	Missing  *progressJSON `json:"missing,omitempty"`
}

type progressJSON struct {
	Purchases int64         `json:"purchases"`
	Spend     loyalty.Cents `json:"spend_cents"`
	Earned    int64         `json:"earned"`
}

// walletFor shows a card to a caller.
func walletFor(scope loyalty.Scope) func(store.Wallet) walletJSON {
	return func(w store.Wallet) walletJSON {
		own := scope.All() || scope.Person == w.Person
		return walletJSON{
			CardCode: w.CardCode,
			Cards: mapped(w.Cards, func(v store.WalletCard) cardJSON {
				return cardJSON{Shop: v.Shop, ShopCode: v.ShopCode, City: v.City, Brand: v.Brand}
			}),
			Balances: mapped(w.Balances, func(b store.Balance) balanceJSON { return showBalance(b, own) }),
		}
	}
}

func showBalance(b store.Balance, own bool) balanceJSON {
	out := balanceJSON{
		CampaignID: b.ID, Campaign: b.Name, Unit: b.Unit, Shop: b.Shop, Balance: b.Balance, Goal: b.Goal, RewardReady: b.Ready,
	}
	if b.Tier != nil {
		out.Tier = &tierJSON{Level: b.Tier.Level, Discount: b.Tier.Discount}
	}
	if !own {
		return out
	}
	out.Pending = &b.Pending
	if b.Expiring != nil {
		out.Expiring = &expiringJSON{b.Expiring.Amount, b.Expiring.At}
	}
	if t := b.Tier; t != nil {
		out.Tier.AtRisk, out.Tier.Until, out.Tier.Next = &t.AtRisk, t.Until, t.Next
		out.Tier.Missing = &progressJSON{t.Missing.Purchases, t.Missing.Spend, t.Missing.Earned}
	}
	return out
}

func (s *server) getCard(c *fiber.Ctx) error {
	w, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Wallet, error) {
		return t.WalletByCard(ctx, scopeOf(c), c.Params("code"))
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, walletFor(scopeOf(c))(w))
}
