package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type resultsJSON struct {
	CampaignID loyalty.ID         `json:"campaign_id"`
	Campaign   string             `json:"campaign"`
	Members    int64              `json:"members"`
	Now        resultSumsJSON     `json:"period"`
	Before     *resultSumsJSON    `json:"before"` // null where the campaign had not begun
	ByDay      []resultDayJSON    `json:"by_day"`
	ByReward   []resultRewardJSON `json:"by_reward"`
	ByTier     []resultTierJSON   `json:"by_tier"`
	Note       string             `json:"note"`
}

type resultSumsJSON struct {
	From      string        `json:"from"`
	To        string        `json:"to"`
	Consumers int64         `json:"consumers"`
	Joined    int64         `json:"joined"`
	Completed int64         `json:"completed"`
	Purchases int64         `json:"purchases"`
	Units     int64         `json:"units"`
	Given     int64         `json:"given"`
	Requested int64         `json:"requested"`
	Delivered int64         `json:"delivered"`
	Expired   int64         `json:"expired"`
	Cancelled int64         `json:"cancelled"`
	Revenue   loyalty.Cents `json:"revenue_cents"`
	Margin    loyalty.Cents `json:"margin_cents"`
	Rewards   loyalty.Cents `json:"rewards_cents"`
	Fee       loyalty.Cents `json:"fee_cents"`
	ROIBPS    *int64        `json:"roi_bps"` // null where nothing was spent
}

type resultDayJSON struct {
	Day       string        `json:"day"`
	Consumers int64         `json:"consumers"`
	Joined    int64         `json:"joined"`
	Completed int64         `json:"completed"`
	Purchases int64         `json:"purchases"`
	Units     int64         `json:"units"`
	Given     int64         `json:"given"`
	Requested int64         `json:"requested"`
	Delivered int64         `json:"delivered"`
	Expired   int64         `json:"expired"`
	Revenue   loyalty.Cents `json:"revenue_cents"`
	Rewards   loyalty.Cents `json:"rewards_cents"`
}

type resultRewardJSON struct {
	ID        loyalty.ID    `json:"reward_id"`
	Name      string        `json:"name"`
	Unit      loyalty.Unit  `json:"unit"`
	Threshold int64         `json:"threshold"`
	Requested int64         `json:"requested"`
	Delivered int64         `json:"delivered"`
	Expired   int64         `json:"expired"`
	Cancelled int64         `json:"cancelled"`
	Waiting   int64         `json:"waiting"` // now
	Cost      loyalty.Cents `json:"cost_cents"`
	Stock     *int64        `json:"stock"` // null: unlimited
	Taken     int64         `json:"taken"`
}

type resultTierJSON struct {
	Name      string `json:"name"` // "" is below the first
	Consumers int64  `json:"consumers"`
}

func showResultSums(r *store.Results) resultSumsJSON {
	return resultSumsJSON{
		From: r.From.Format(time.DateOnly), To: r.To.Format(time.DateOnly), Consumers: r.Consumers, Joined: r.Joined, Completed: r.Completed,
		Purchases: r.Purchases, Units: r.Units, Given: r.Given, Requested: r.Requested, Delivered: r.Redemptions, Expired: r.Expired,
		Cancelled: r.Cancelled, Revenue: r.Revenue, Margin: r.Margin, Rewards: r.RewardsCost, Fee: r.Fee, ROIBPS: r.ROI,
	}
}

func showResults(r store.Results) resultsJSON {
	v := resultsJSON{
		CampaignID: r.Campaign.ID, Campaign: r.Campaign.Name, Members: r.Members, Now: showResultSums(&r), Note: noControl,
		ByDay: mapped(r.ByDay, func(d store.ResultDay) resultDayJSON {
			return resultDayJSON{
				Day: d.Day.Format(time.DateOnly), Consumers: d.Consumers, Joined: d.Joined, Completed: d.Completed, Purchases: d.Purchases, Units: d.Units,
				Given: d.Given, Requested: d.Requested, Delivered: d.Redemptions, Expired: d.Expired, Revenue: d.Revenue, Rewards: d.RewardsCost,
			}
		}),
		ByReward: mapped(r.ByReward, func(w store.ResultReward) resultRewardJSON {
			return resultRewardJSON{
				ID: w.ID, Name: w.Name, Unit: w.Unit, Threshold: w.Threshold, Requested: w.Requested, Delivered: w.Delivered, Expired: w.Expired,
				Cancelled: w.Cancelled, Waiting: w.Waiting, Cost: w.Cost, Stock: w.Stock, Taken: w.Taken,
			}
		}),
		ByTier: mapped(r.ByTier, func(t store.ResultTier) resultTierJSON { return resultTierJSON(t) }),
	}
	if r.Before != nil {
		before := showResultSums(r.Before)
		v.Before = &before
	}
	return v
}

func (s *server) reportResults(c *fiber.Ctx) error {
	r, err := ofCampaign(s, c, func(ctx context.Context, t *store.Tx, campaign loyalty.ID, from, to time.Time) (store.Results, error) {
		return t.Results(ctx, scopeOf(c), campaign, from, to)
	})
	if err != nil {
		return err
	}
	return data(c, http.StatusOK, showResults(r))
}
