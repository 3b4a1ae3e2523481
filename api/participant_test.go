package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// running makes an active campaign of the first tenant at all shops.
func running(t *testing.T, w *apitest.World, more obj) loyalty.ID {
	t.Helper()
	body := obj{
		"cpg_id": w.Tenants[0].CPG, "name": "Otra", "status": "active", "scheme": "stamps", "goal": 5, "all_shops": true,
		"earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}}, "product_ids": []any{w.Tenants[0].Product},
		"rewards": []any{obj{"name": "Algo", "threshold": 5, "cost_cents": 900}},
	}
	for k, v := range more {
		body[k] = v
	}
	return apitest.Data[thing](w.On(t).As(w.Admin), http.StatusCreated, "POST", "/v1/campaigns", body).ID
}

// earned says whether a purchase at the first shop earns in a campaign.
func earned(t *testing.T, w *apitest.World, campaign loyalty.ID, key string, with obj) bool {
	t.Helper()
	w.Clock.Advance(time.Second)
	receipt := apitest.Data[struct {
		Earned []struct {
			Campaign loyalty.ID `json:"campaign_id"`
		}
	}](w.On(t).As(w.Key), http.StatusCreated, "POST", "/v1/purchases", change(w, with), apitest.Key(key))
	for _, e := range receipt.Earned {
		if e.Campaign == campaign {
			return true
		}
	}
	return false
}

// TestAShopTakesPartWhereItWasInvited and accepted, until it leaves.
func TestAShopTakesPartWhereItWasInvited(t *testing.T) {
	w := apitest.New(t)
	brand, keeper, other := w.As(w.Tenants[0].Token), w.As(w.Keepers[0].Token), w.As(w.Keepers[1].Token)
	id := running(t, w, obj{"joining": "invitation"})
	path := "/v1/campaigns/" + string(id) + "/participants"
	mine := path + "/" + string(w.Keepers[0].Shop.ID)
	put := func(c *apitest.Client, status string) string {
		return apitest.Data[thing](c, http.StatusOK, "PUT", mine, obj{"status": status}).Status
	}
	assert.False(t, earned(t, w, id, "before", nil))
	keeper.Problem(http.StatusConflict, "PUT", mine, obj{"status": "joined"}) // nobody invited it
	assert.Equal(t, "invited", put(brand, "invited"))
	assert.False(t, earned(t, w, id, "invited", nil))
	other.Problem(http.StatusForbidden, "PUT", mine, obj{"status": "joined"})
	brand.Problem(http.StatusForbidden, "PUT", mine, obj{"status": "joined"})
	for _, status := range []string{"declined", "joined", "joined"} {
		assert.Equal(t, status, put(keeper, status))
	}
	assert.True(t, earned(t, w, id, "joined", nil))
	assert.Len(t, apitest.Data[[]thing](brand, http.StatusOK, "GET", path+"?status=joined", nil), 1)
	assert.Len(t, apitest.Data[[]thing](keeper, http.StatusOK, "GET", path, nil), 1)
	assert.Empty(t, apitest.Data[[]thing](other, http.StatusOK, "GET", path, nil))
	assert.Equal(t, "left", put(keeper, "left"))
	assert.False(t, earned(t, w, id, "left", nil))
	_, fields := keeper.Problem(http.StatusBadRequest, "PUT", mine, obj{"status": "quizá"})
	assert.Equal(t, []string{"status"}, fields)
	brand.Problem(http.StatusNotFound, "PUT", path+"/K7M2QR", obj{"status": "invited"})
	_, fields = brand.Problem(http.StatusBadRequest, "PUT", path+"/"+string(w.Tenants[0].CPG), obj{"status": "invited"})
	assert.Equal(t, []string{"shop_id"}, fields)
}

// TestAShopJoinsByItself where the campaign lets it.
func TestAShopJoinsByItself(t *testing.T) {
	w := apitest.New(t)
	id := running(t, w, obj{"joining": "self"})
	mine := "/v1/campaigns/" + string(id) + "/participants/" + string(w.Keepers[0].Shop.ID)
	assert.False(t, earned(t, w, id, "before", nil))
	assert.Equal(t, "joined", apitest.Data[thing](w.As(w.Keepers[0].Token), http.StatusOK, "PUT", mine, obj{"status": "joined"}).Status)
	assert.True(t, earned(t, w, id, "after", nil))
}

// TestAnEndedRelationKeepsAShopOut of all the CPG's campaigns.
func TestAnEndedRelationKeepsAShopOut(t *testing.T) {
	w := apitest.New(t)
	id := running(t, w, nil)
	path := "/v1/cpgs/" + string(w.Tenants[0].CPG) + "/shops"
	type relation struct {
		Source string
		Active bool
	}
	assert.True(t, earned(t, w, id, "before", nil))
	assert.Equal(t, []relation{{"sale", true}}, apitest.Data[[]relation](w.As(w.Tenants[0].Token), http.StatusOK, "GET", path, nil))
	mine := path + "/" + string(w.Keepers[0].Shop.ID)
	assert.Equal(t, relation{"sale", false}, apitest.Data[relation](w.As(w.Tenants[0].Token), http.StatusOK, "PUT", mine, obj{"active": false}))
	assert.False(t, earned(t, w, id, "ended", nil))
	assert.Equal(t, relation{"sale", true}, apitest.Data[relation](w.As(w.Tenants[0].Token), http.StatusOK, "PUT", mine, obj{"active": true}))
	assert.True(t, earned(t, w, id, "again", nil))
	_, fields := w.As(w.Tenants[0].Token).Problem(http.StatusBadRequest, "PUT", path+"/"+string(w.Tenants[0].CPG), obj{"active": true})
	assert.Equal(t, []string{"shop_id"}, fields)
	_, fields = w.As(w.Tenants[0].Token).Problem(http.StatusBadRequest, "PUT", mine, obj{})
	assert.Equal(t, []string{"active"}, fields)
}

// TestACampaignForASegment is there for its members only; who they are, nobody is
// told.
func TestACampaignForASegment(t *testing.T) {
	w := apitest.New(t)
	brand, path := w.As(w.Tenants[0].Token), "/v1/segments/"+string(w.Tenants[0].Segment)
	id := running(t, w, obj{"audience": obj{"segment_ids": []any{w.Tenants[0].Segment}}})
	type members struct{ Changed, Members int }
	cards := obj{"card_codes": []any{loyalty.FormatCode(w.Shoppers[0].Card), "0000-0000", "nada"}}
	assert.False(t, earned(t, w, id, "before", nil))
	for _, changed := range []int{1, 0} {
		res := brand.Do("POST", path+"/members", cards)
		assert.NotContains(t, res.Text(), w.Shoppers[0].Card)
		assert.Equal(t, members{changed, 1}, decoded[members](t, res))
	}
	assert.True(t, earned(t, w, id, "a member", nil))
	assert.False(t, earned(t, w, id, "a stranger", obj{"card_code": w.Shoppers[1].Card}))
	assert.Equal(t, members{1, 0}, apitest.Data[members](brand, http.StatusOK, "DELETE", path+"/members", cards))
	assert.False(t, earned(t, w, id, "no more", nil))

	// One with criteria makes itself: who bought is in it at once.
	made := apitest.Data[struct {
		ID      loyalty.ID
		Members int
	}](brand, http.StatusCreated, "POST", "/v1/segments", obj{"name": "Frecuentes", "criteria": obj{"min_purchases": 3, "within_days": 30}})
	assert.Equal(t, 1, made.Members)
	code, _ := brand.Problem(http.StatusConflict, "POST", "/v1/segments/"+string(made.ID)+"/members", cards)
	assert.Equal(t, "CONFLICT", code)
	apitest.Data[thing](brand, http.StatusOK, "PATCH", "/v1/segments/"+string(made.ID), obj{"criteria": nil})
	apitest.Data[members](brand, http.StatusOK, "POST", "/v1/segments/"+string(made.ID)+"/members", cards)
	_, fields := brand.Problem(http.StatusBadRequest, "POST", "/v1/segments", obj{"name": "X", "criteria": obj{"birthday_month": 13}})
	assert.Equal(t, []string{"criteria.birthday_month"}, fields)
	code, _ = brand.Problem(http.StatusConflict, "POST", "/v1/segments", obj{"name": "Frecuentes"})
	assert.Equal(t, "ALREADY_EXISTS", code)
}

// TestACPGsMoneyIsNeverOverspent: its budget says how much its rewards may cost.
func TestACPGsMoneyIsNeverOverspent(t *testing.T) {
	w := apitest.New(t)
	path := "/v1/cpgs/" + string(w.Tenants[0].CPG)
	type money struct {
		Budget   *int64 `json:"budget_cents"`
		Reserved int64  `json:"reserved_cents"`
	}
	brand := w.As(w.Tenants[0].Token)
	assert.Equal(t, money{nil, 900}, apitest.Data[money](brand, http.StatusOK, "GET", path, nil), "one reward is promised")
	_, fields := brand.Problem(http.StatusBadRequest, "PATCH", path, obj{"budget_cents": 899})
	assert.Equal(t, []string{"budget_cents"}, fields)
	assert.Equal(t, int64(1000), *apitest.Data[money](brand, http.StatusOK, "PATCH", path, obj{"budget_cents": 1000}).Budget)
	apitest.Data[thing](w.As(w.Key), http.StatusCreated, "POST", "/v1/purchases", change(w, item(w.Tenants[0].GTIN, 20, nil)), apitest.Key("rich"))
	apitest.Data[thing](w.As(w.Keepers[0].Token), http.StatusOK, "POST", "/v1/redemptions/"+w.Redemption+"/delivery", obj{"shop_code": w.Keepers[0].Shop.Code})
	request := "/v1/rewards/" + string(w.Tenants[0].Reward) + "/redemptions"
	code, _ := w.As(w.Shoppers[0].Token).Problem(http.StatusConflict, "POST", request, nil)
	assert.Equal(t, "BUDGET_EXHAUSTED", code)
	assert.Nil(t, apitest.Data[money](brand, http.StatusOK, "PATCH", path, obj{"budget_cents": nil}).Budget)
	apitest.Data[thing](w.As(w.Shoppers[0].Token), http.StatusCreated, "POST", request, nil)
	clean(t, w)
}

// TestWhatACardSaysOfItsOwnerIsItsOwners: what is about to end and how far the next
// tier is, the counter is not told; the tier and its discount, it is.
func TestWhatACardSaysOfItsOwnerIsItsOwners(t *testing.T) {
	w := apitest.New(t)
	id := running(t, w, obj{
		"expiry": obj{"days": 5, "warn_days_before": 7},
		"tiers":  obj{"keep": "cumulative", "levels": []any{obj{"name": "Plata", "purchases": 1, "discount": "5 % menos"}, obj{"name": "Oro", "purchases": 4}}},
	})
	assert.True(t, earned(t, w, id, "tier", nil))
	type row struct {
		Campaign loyalty.ID `json:"campaign_id"`
		Tier     obj
		Pending  *int64
		Expiring *struct {
			Amount int64
			At     time.Time
		}
	}
	of := func(token string) (found row) {
		card := apitest.Data[struct{ Balances []row }](w.As(token), http.StatusOK, "GET", "/v1/cards/"+w.Shoppers[0].Card, nil)
		for _, b := range card.Balances {
			if b.Campaign == id {
				found = b
			}
		}
		return found
	}
	for _, token := range []string{w.Shoppers[0].Token, w.Admin} {
		own := of(token)
		assert.Equal(t, obj{
			"level": "Plata", "discount": "5 % menos", "at_risk": false, "next": "Oro",
			"missing": obj{"purchases": 3.0, "spend_cents": 0.0, "earned": 0.0},
		}, own.Tier)
		if assert.NotNil(t, own.Expiring) {
			assert.Equal(t, int64(1), own.Expiring.Amount)
			assert.Equal(t, w.Clock.Now().AddDate(0, 0, 5).UTC(), own.Expiring.At)
		}
		assert.NotNil(t, own.Pending)
	}
	for _, token := range []string{w.Keepers[0].Token, w.Key} {
		seen := of(token)
		assert.Equal(t, obj{"level": "Plata", "discount": "5 % menos"}, seen.Tier)
		assert.Nil(t, seen.Expiring)
		assert.Nil(t, seen.Pending)
	}
}

// TestASimulationThroughTheAPI leaves the campaign, the cards and the ledger as they were.
func TestASimulationThroughTheAPI(t *testing.T) {
	w := apitest.New(t)
	w.Clock.Advance(time.Second)
	brand := w.As(w.Tenants[0].Token)
	draft := apitest.Data[thing](brand, http.StatusCreated, "POST", "/v1/campaigns", obj{
		"name": "Doble", "scheme": "stamps", "goal": 5, "all_shops": true, "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 2}},
		"product_ids": []any{w.Tenants[0].Product}, "rewards": []any{obj{"name": "Algo", "threshold": 8, "cost_cents": 100}},
	})
	before, wallet := snapshot(w), balance(t, w)
	got := apitest.Data[loyalty.Simulation](brand, http.StatusOK, "POST", "/v1/campaigns/"+string(draft.ID)+"/simulations", obj{"weeks": 2})
	assert.Equal(t, loyalty.Figures{
		Purchases: 1, Earning: 1, Consumers: 1, Units: 12, Revenue: 12 * 1850, Stamps: 24, Rewards: 3, RewardCost: 300,
	}, got.Figures)
	assert.Equal(t, before, snapshot(w))
	assert.Equal(t, wallet, balance(t, w))
	clean(t, w)
}
