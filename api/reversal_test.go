package api_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type reversal struct {
	ID     loyalty.ID
	Status string
	Taken  []struct{ Amount, Balance int64 }
}

// balance is what the first consumer's card says of the stamps.
func balance(t *testing.T, w *apitest.World) int64 {
	t.Helper()
	card := apitest.Data[struct{ Balances []struct{ Balance int64 } }](w.On(t).As(w.Shoppers[0].Token), http.StatusOK, "GET", "/v1/cards/"+w.Shoppers[0].Card, nil)
	require.Len(t, card.Balances, 1)
	return card.Balances[0].Balance
}

// clean wants every figure to be what the ledger says.
func clean(t *testing.T, w *apitest.World) {
	t.Helper()
	differences, err := w.DB.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, differences)
}

// TestPitfall_P9_AReversalTakesBackWhatWasGiven exactly, once, also partly, also
// after the reward was taken; an offline retry doubles nothing.
func TestPitfall_P9_AReversalTakesBackWhatWasGiven(t *testing.T) {
	w := apitest.New(t)
	keeper := w.As(w.Keepers[0].Token)
	path := "/v1/purchases/" + string(w.Purchase) + "/reversal"
	some := func(n int) obj {
		return obj{"reason": "Venía abierto", "items": []any{obj{"gtin": w.Tenants[0].GTIN, "quantity": n}}}
	}
	require.Equal(t, int64(2), balance(t, w), "12 earned, 10 spent on the reward")

	first := keeper.Do("POST", path, some(5), apitest.Key("r-1"))
	require.Equal(t, http.StatusCreated, first.Status, first.Text())
	again := keeper.Do("POST", path, some(5), apitest.Key("r-1"))
	assert.Equal(t, http.StatusOK, again.Status)
	assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	assert.Equal(t, first.Text(), again.Text())
	assert.Equal(t, int64(-3), balance(t, w), "the balance may go negative")
	code, _ := keeper.Problem(http.StatusUnprocessableEntity, "POST", path, some(4), apitest.Key("r-1"))
	assert.Equal(t, "IDEMPOTENCY_KEY_REUSED", code)

	code, _ = keeper.Problem(http.StatusUnprocessableEntity, "POST", path, some(8), apitest.Key("r-2"))
	assert.Equal(t, "REVERSAL_TOO_MUCH", code)
	code, _ = keeper.Problem(http.StatusUnprocessableEntity, "POST", path, obj{
		"reason": "Otro", "items": []any{obj{"gtin": w.Tenants[1].GTIN, "quantity": 1}},
	})
	assert.Equal(t, "REVERSAL_TOO_MUCH", code, "what was not bought cannot come back")

	rest := apitest.Data[reversal](keeper, http.StatusCreated, "POST", path, obj{"reason": "Todo"})
	assert.Equal(t, "reversed", rest.Status)
	assert.Equal(t, int64(-10), balance(t, w), "all 12 are back, the reward stays taken")
	repeat := keeper.Do("POST", path, obj{"reason": "Todo, otra vez"})
	assert.Equal(t, http.StatusOK, repeat.Status)
	assert.Equal(t, "true", repeat.Header.Get("Idempotent-Replayed"))
	assert.Equal(t, int64(-10), balance(t, w))
	assert.Equal(t, "reversed", apitest.Data[thing](keeper, http.StatusOK, "GET", "/v1/purchases/"+string(w.Purchase), nil).Status)
	clean(t, w)
}

// TestPitfall_P9_ManyReversalsAtOnce of one purchase, some with a key of their
// own, take it back once.
func TestPitfall_P9_ManyReversalsAtOnce(t *testing.T) {
	w := apitest.New(t)
	statuses := make([]int, 16)
	var wait sync.WaitGroup
	for i := range statuses {
		wait.Go(func() {
			options := []apitest.Option{}
			if i%2 == 0 {
				options = append(options, apitest.Key("same"))
			}
			statuses[i] = w.As(w.Keepers[0].Token).Do("POST", "/v1/purchases/"+string(w.Purchase)+"/reversal", obj{"reason": "Error de caja"}, options...).Status
		})
	}
	wait.Wait()
	made := 0
	for _, status := range statuses {
		if status == http.StatusCreated {
			made++
		} else {
			assert.Equal(t, http.StatusOK, status)
		}
	}
	assert.Equal(t, 1, made)
	assert.Equal(t, int64(-10), balance(t, w))
	clean(t, w)
}

// TestAnIntegrationTakesBackItsOwn: what another recorded is not there for it.
func TestAnIntegrationTakesBackItsOwn(t *testing.T) {
	w := apitest.New(t)
	own := apitest.Data[thing](w.As(w.Key), http.StatusCreated, "POST", "/v1/purchases", change(w, nil), apitest.Key("own"))
	assert.Equal(t, "reversed", apitest.Data[reversal](w.As(w.Key), http.StatusCreated, "POST", "/v1/purchases/"+string(own.ID)+"/reversal", obj{"reason": "Error"}).Status)
	w.As(w.Key).Problem(http.StatusNotFound, "POST", "/v1/purchases/"+string(w.Purchase)+"/reversal", obj{"reason": "Error"})
	clean(t, w)
}

// TestAnAdjustmentIsMadeOnce, with reason and author.
func TestAnAdjustmentIsMadeOnce(t *testing.T) {
	w := apitest.New(t)
	in := obj{"campaign_id": w.Tenants[0].Campaign, "card_code": w.Shoppers[0].Card, "unit": "stamp", "amount": -5, "reason": "Caso 12"}
	admin := w.As(w.Admin)
	first := admin.Do("POST", "/v1/adjustments", in, apitest.Key("a-1"))
	require.Equal(t, http.StatusCreated, first.Status, first.Text())
	assert.Contains(t, first.Text(), `"actor":"staff:`)
	again := admin.Do("POST", "/v1/adjustments", in, apitest.Key("a-1"))
	assert.Equal(t, http.StatusOK, again.Status)
	assert.Equal(t, first.Text(), again.Text())
	assert.Equal(t, int64(-3), balance(t, w))
	for field, wrong := range map[string]any{"amount": 0, "unit": "point", "reason": "", "card_code": "hola", "campaign_id": "x"} {
		with := obj{}
		for k, v := range in {
			with[k] = v
		}
		with[field] = wrong
		_, fields := admin.Problem(http.StatusBadRequest, "POST", "/v1/adjustments", with, apitest.Key("a-"+field))
		assert.Contains(t, fields, field)
	}
	code, _ := admin.Problem(http.StatusBadRequest, "POST", "/v1/adjustments", in)
	assert.Equal(t, "IDEMPOTENCY_KEY_REQUIRED", code)
	clean(t, w)
}

// pending makes the first campaign wait for a yes where the code was typed, and
// records such a purchase.
func pending(t *testing.T, w *apitest.World) loyalty.ID {
	t.Helper()
	apitest.Data[thing](w.As(w.Admin), http.StatusOK, "PATCH", "/v1/campaigns/"+string(w.Tenants[0].Campaign), obj{"pending": obj{}})
	w.Clock.Advance(1e9)
	r := apitest.Data[struct {
		ID      loyalty.ID
		Status  string
		Earned  []any
		Pending []struct{ Amount int64 }
	}](w.As(w.Key), http.StatusCreated, "POST", "/v1/purchases", change(w, obj{"captured": "typed"}), apitest.Key("typed"))
	require.Equal(t, "pending", r.Status)
	require.Empty(t, r.Earned)
	require.Len(t, r.Pending, 1)
	return r.ID
}

func TestATypedPurchaseWaitsForItsConsumer(t *testing.T) {
	for name, c := range map[string]struct {
		mine    bool
		status  string
		balance int64
	}{
		"yes": {true, "recorded", 3}, "no": {false, "reversed", 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := apitest.New(t)
			path := "/v1/purchases/" + string(pending(t, w)) + "/confirmation"
			assert.Equal(t, int64(2), balance(t, w))
			w.As(w.Shoppers[1].Token).Problem(http.StatusNotFound, "POST", path, obj{"mine": c.mine})
			w.As(w.Admin).Problem(http.StatusNotFound, "POST", path, obj{"mine": c.mine, "card_code": w.Shoppers[1].Card})
			for range 2 { // repeating it changes nothing
				assert.Equal(t, c.status, apitest.Data[thing](w.As(w.Shoppers[0].Token), http.StatusOK, "POST", path, obj{"mine": c.mine}).Status)
			}
			assert.Equal(t, c.balance, balance(t, w))
			clean(t, w)
		})
	}
}

// TestPitfall_P5_OneInStockIsTakenOnce by 8 consumers who ask at once.
func TestPitfall_P5_OneInStockIsTakenOnce(t *testing.T) {
	w := apitest.New(t)
	const many = 8
	reward := apitest.Data[thing](w.As(w.Admin), http.StatusCreated, "POST", "/v1/campaigns/"+string(w.Tenants[0].Campaign)+"/rewards",
		obj{"name": "La última gorra", "threshold": 1, "stock": 1})
	tokens := make([]string, many)
	for i := range tokens {
		tokens[i] = shopperWithStamps(t, w, i)
	}
	type answer struct {
		status int
		code   string
	}
	answers := make([]answer, many)
	var wait sync.WaitGroup
	for i := range many {
		wait.Go(func() {
			res := w.As(tokens[i]).Do("POST", "/v1/rewards/"+string(reward.ID)+"/redemptions", nil)
			answers[i] = answer{res.Status, codeOf(res)}
		})
	}
	wait.Wait()
	counts := map[answer]int{}
	for _, a := range answers {
		counts[a]++
	}
	assert.Equal(t, map[answer]int{{http.StatusCreated, ""}: 1, {http.StatusConflict, "REWARD_OUT_OF_STOCK"}: many - 1}, counts)
	clean(t, w)
}

// shopperWithStamps onboards one more consumer, who buys something.
func shopperWithStamps(t *testing.T, w *apitest.World, i int) string {
	t.Helper()
	v := w.Shopper(t, 10+i)
	status := w.As(w.Key).Do("POST", "/v1/purchases", change(w, obj{"card_code": v.Card}), apitest.Key("stamps-"+v.Card)).Status
	require.Equal(t, http.StatusCreated, status)
	return v.Token
}

// TestARequestedRewardIsGivenBack: once, by its consumer, until it is delivered.
func TestARequestedRewardIsGivenBack(t *testing.T) {
	w := apitest.New(t)
	consumer, path := w.As(w.Shoppers[0].Token), "/v1/redemptions/"+w.Redemption
	type record struct{ Code, Status string }
	list := func(token string) []record {
		return apitest.Data[[]record](w.As(token), http.StatusOK, "GET", "/v1/redemptions", nil)
	}
	assert.Equal(t, []record{{w.Redemption, "requested"}}, list(w.Shoppers[0].Token))
	assert.Equal(t, []record{{"", "requested"}}, list(w.Tenants[0].Token), "an open code is for the counter")
	assert.Empty(t, list(w.Tenants[1].Token))
	assert.Empty(t, list(w.Keepers[0].Token))
	assert.Empty(t, list(w.Shoppers[1].Token))

	again := apitest.Data[record](consumer, http.StatusCreated, "POST", "/v1/rewards/"+string(w.Tenants[0].Reward)+"/redemptions", nil)
	assert.Equal(t, w.Redemption, again.Code, "a double tap pays once")
	w.As(w.Shoppers[1].Token).Problem(http.StatusNotFound, "POST", "/v1/rewards/"+string(w.Tenants[0].Reward)+"/redemptions", nil)
	apitest.Data[thing](w.As(w.Key), http.StatusCreated, "POST", "/v1/purchases", change(w, obj{"card_code": w.Shoppers[1].Card}), apitest.Key("one"))
	code, _ := w.As(w.Shoppers[1].Token).Problem(http.StatusConflict, "POST", "/v1/rewards/"+string(w.Tenants[0].Reward)+"/redemptions", nil)
	assert.Equal(t, "REWARD_NOT_READY", code)

	assert.Equal(t, "cancelled", apitest.Data[record](consumer, http.StatusOK, "POST", path+"/cancellation", nil).Status)
	assert.Equal(t, int64(12), balance(t, w))
	code, _ = consumer.Problem(http.StatusConflict, "POST", path+"/cancellation", nil)
	assert.Equal(t, "REDEMPTION_CLOSED", code)
	code, _ = w.As(w.Keepers[0].Token).Problem(http.StatusConflict, "POST", path+"/delivery", obj{"shop_code": w.Keepers[0].Shop.Code})
	assert.Equal(t, "REDEMPTION_CLOSED", code)

	fresh := apitest.Data[record](w.As(w.Admin), http.StatusCreated, "POST", "/v1/rewards/"+string(w.Tenants[0].Reward)+"/redemptions", obj{"card_code": w.Shoppers[0].Card})
	apitest.Data[record](w.As(w.Keepers[0].Token), http.StatusOK, "POST", "/v1/redemptions/"+fresh.Code+"/delivery", obj{"shop_code": w.Keepers[0].Shop.Code})
	code, _ = consumer.Problem(http.StatusConflict, "POST", "/v1/redemptions/"+fresh.Code+"/cancellation", nil)
	assert.Equal(t, "REDEMPTION_ALREADY_DELIVERED", code)
	assert.Len(t, apitest.Data[[]record](w.As(w.Keepers[0].Token), http.StatusOK, "GET", "/v1/redemptions?status=delivered", nil), 1)
	clean(t, w)
}

// codeOf reads the problem's code; "" where there is none.
func codeOf(res apitest.Response) string {
	var p struct{ Code string }
	_ = json.Unmarshal(res.Body, &p)
	return p.Code
}

// decoded reads the data of an answer.
func decoded[T any](t *testing.T, res apitest.Response) T {
	t.Helper()
	var answer struct{ Data T }
	require.NoError(t, json.Unmarshal(res.Body, &answer), res.Text())
	return answer.Data
}
