package api

import (
	"context"
	"net/http"

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

type balanceJSON struct {
	CampaignID  loyalty.ID   `json:"campaign_id"`
	Campaign    string       `json:"campaign"`
	Unit        loyalty.Unit `json:"unit"`
	Balance     int64        `json:"balance"`
	Goal        int64        `json:"goal"`
	RewardReady bool         `json:"reward_ready"`
}

func showWallet(w store.Wallet) walletJSON {
	return walletJSON{
		CardCode: w.CardCode,
		Cards: mapped(w.Cards, func(v store.WalletCard) cardJSON {
			return cardJSON{Shop: v.Shop, ShopCode: v.ShopCode, City: v.City, Brand: v.Brand}
		}),
		Balances: mapped(w.Balances, func(b store.Balance) balanceJSON {
			return balanceJSON{
				CampaignID: b.ID, Campaign: b.Name, Unit: b.Scheme.Unit(), Balance: b.Balance, Goal: b.Goal, RewardReady: b.Ready,
			}
		}),
	}
}

func (s *server) getCard(c *fiber.Ctx) error {
	w, err := tx(s, c, func(ctx context.Context, t *store.Tx) (store.Wallet, error) {
		return t.WalletByCard(ctx, scopeOf(c), c.Params("code"))
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, showWallet(w))
}
