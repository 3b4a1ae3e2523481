package api_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// campaign is what tests read of one.
type campaign struct {
	loyalty.Terms
	ID      loyalty.ID
	CPG     *loyalty.ID `json:"cpg_id"`
	Owner   *loyalty.ID `json:"shop_id"`
	Status  loyalty.Status
	Version int
	Ends    *time.Time   `json:"ends_at"`
	PLIs    []loyalty.ID `json:"pli_ids"`
	Quotas  []struct {
		Name      string
		Cap, Used int64
	}
}

// everything is a body with each term that a campaign may have.
func everything(w *apitest.World) obj {
	one := w.Tenants[0]
	return obj{
		"cpg_id": one.CPG, "name": "Todo junto", "scheme": "both", "enrolment": "automatic", "per_shop": false, "goal": 10, "points_goal": 200,
		"starts_at": "2026-11-01T06:00:00Z", "ends_at": "2027-11-01T06:00:00Z", "brand_ids": []any{one.Brand}, "product_ids": []any{one.Product},
		"excluded_product_ids": []any{}, "shop_kinds": []any{"minisuper", "tiendita"}, "states": []any{"CDMX"}, "cities": []any{"Ciudad de México"},
		"shop_ids": []any{}, "excluded_shop_ids": []any{w.Keepers[1].Shop.ID}, "joining": "",
		"earn":     []any{obj{"unit": "stamp", "per": "unit", "amount": 1}, obj{"unit": "point", "per": "peso", "amount": 1, "each": 10}},
		"rounding": "nearest", "stacking": "all", "priority": 5, "exclusive": false,
		"boosts": []any{
			obj{"name": "Martes doble", "percent": 200, "when": obj{"weekdays": []any{2}, "from": "18:00", "to": "22:00"}},
			obj{"name": "Bienvenida", "bonus": 1, "unit": "stamp", "when": obj{"first": true}},
		},
		"min_spend_cents": 1000, "min_quantity": 1, "cooldown_minutes": 5,
		"limits":  []any{obj{"id": "day", "max": 6, "period": "day"}, obj{"id": "fast", "counts": "purchases", "max": 20, "period": "hour", "per_shop": true, "all_cards": true}},
		"budget":  obj{"stamps": 1000, "points": 5000, "rewards": 50, "exhausted": "pause"},
		"pending": obj{"hours": 24}, "expiry": obj{"days": 90, "warn_days_before": 5},
		"tiers": obj{"keep": "period", "period": "month", "grace_days": 7, "levels": []any{
			obj{"name": "Plata", "purchases": 3}, obj{"name": "Oro", "purchases": 8, "percent": 150, "discount": "5 % en la tienda"},
		}},
		"margin_bps": 3000, "fee_cents": 10000, "nudge_quiet_days": 5, "nudge_gap_days": 10,
		"rewards": []any{obj{
			"name": "Un refresco", "unit": "stamp", "threshold": 10, "cost_cents": 900, "stock": 5, "per_consumer": 1, "starts_at": "2026-11-01T06:00:00Z",
			"ends_at": "2027-10-01T06:00:00Z", "code_days": 3, "min_tier": "Plata", "shop_ids": []any{w.Keepers[0].Shop.ID},
		}},
		"reason": "Primera",
	}
}

// TestACampaignComesBackAsItWasSent, with every term.
func TestACampaignComesBackAsItWasSent(t *testing.T) {
	w := apitest.New(t)
	sent := everything(w)
	res := w.As(w.Tenants[0].Token).Do("POST", "/v1/campaigns", sent)
	require.Equal(t, http.StatusCreated, res.Status, res.Text())
	var answer struct{ Data obj }
	require.NoError(t, json.Unmarshal(res.Body, &answer))
	for name, value := range sent {
		if name == "rewards" || name == "reason" {
			continue
		}
		got, ok := answer.Data[name]
		if !ok && (value == "" || value == false) {
			continue // left out where it is nothing
		}
		if list, isList := value.([]any); isList && len(list) == 0 && !ok {
			continue
		}
		want, err := json.Marshal(value)
		require.NoError(t, err)
		have, err := json.Marshal(got)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(have), name)
	}
	assert.Equal(t, "draft", answer.Data["status"])
	rewards, _ := answer.Data["rewards"].([]any)
	require.Len(t, rewards, 1)
	reward, _ := rewards[0].(obj)
	for name, want := range map[string]any{"unit": "stamp", "per_consumer": 1.0, "code_days": 3.0, "min_tier": "Plata", "ends_at": "2027-10-01T06:00:00Z"} {
		assert.Equal(t, want, reward[name], name)
	}
}

// TestAPatchReplacesWhatItNames and nothing else; null takes it away.
func TestAPatchReplacesWhatItNames(t *testing.T) {
	w := apitest.New(t)
	brand := w.As(w.Tenants[0].Token)
	made := apitest.Data[campaign](brand, http.StatusCreated, "POST", "/v1/campaigns", everything(w))
	path := "/v1/campaigns/" + string(made.ID)
	patch := func(body any) campaign { return apitest.Data[campaign](brand, http.StatusOK, "PATCH", path, body) }

	// Of a list that gets shorter, or objects with fewer fields, nothing old is left.
	got := patch(`{"Boosts":[{"name":"Solo lunes","percent":300,"when":{"weekdays":[1]}}],"LIMITS":[{"id":"day","max":2,"period":"week"}]}`)
	assert.Equal(t, []loyalty.Boost{{Name: "Solo lunes", Percent: 300, When: loyalty.When{Weekdays: []time.Weekday{1}}}}, got.Boosts)
	assert.Equal(t, []loyalty.Limit{{ID: "day", Max: 2, Period: loyalty.EachWeek}}, got.Limits)
	assert.Equal(t, made.Tiers, got.Tiers)
	assert.Equal(t, made.Budget, got.Budget)

	got = patch(obj{"tiers": obj{"keep": "cumulative", "levels": []any{obj{"name": "Plata", "earned": 3}}}})
	assert.Equal(t, &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Earned: 3}}}, got.Tiers)

	got = patch(obj{"ends_at": nil, "budget": nil, "expiry": nil, "pending": nil, "limits": nil, "boosts": nil, "audience": nil})
	assert.Nil(t, got.Ends)
	assert.Nil(t, got.Budget)
	assert.Nil(t, got.Expiry)
	assert.Nil(t, got.Terms.Pending)
	assert.Empty(t, got.Limits)
	assert.Empty(t, got.Quotas, "no budget, no quotas")
	assert.Equal(t, int64(10), got.Goal)

	for _, field := range []string{"status", "rule", "cpg_id", "version", "terms", "rewards"} {
		_, fields := brand.Problem(http.StatusBadRequest, "PATCH", path, obj{field: "active"})
		assert.Equal(t, []string{field}, fields)
	}
	_, fields := brand.Problem(http.StatusBadRequest, "PATCH", path, obj{"budget": obj{"stamps": "mil"}})
	assert.Equal(t, []string{"budget.stamps"}, fields)
	_, fields = brand.Problem(http.StatusBadRequest, "PATCH", path, obj{"goal": nil, "name": nil})
	assert.ElementsMatch(t, []string{"goal", "name"}, fields)
}

// TestACampaignsLife goes by role: its owner asks, Qoa decides.
func TestACampaignsLife(t *testing.T) {
	w := apitest.New(t)
	brand, admin := w.As(w.Tenants[0].Token), w.As(w.Admin)
	body := everything(w)
	made := apitest.Data[campaign](brand, http.StatusCreated, "POST", "/v1/campaigns", body)
	path := "/v1/campaigns/" + string(made.ID)
	move := func(c *apitest.Client, to loyalty.Status) loyalty.Status {
		return apitest.Data[campaign](c, http.StatusOK, "POST", path+"/transitions", obj{"to": to, "reason": "Porque sí"}).Status
	}
	code, _ := brand.Problem(http.StatusConflict, "POST", path+"/transitions", obj{"to": "active"})
	assert.Equal(t, "CAMPAIGN_TRANSITION", code)
	assert.Equal(t, loyalty.InReview, move(brand, loyalty.InReview))
	code, _ = brand.Problem(http.StatusForbidden, "POST", path+"/transitions", obj{"to": "approved"})
	assert.Equal(t, "FORBIDDEN", code)
	code, fields := admin.Problem(http.StatusBadRequest, "POST", path+"/transitions", obj{"to": "rejected"})
	assert.Equal(t, "VALIDATION_FAILED", code)
	assert.Equal(t, []string{"reason"}, fields)
	for _, step := range []loyalty.Status{loyalty.Rejected, loyalty.Draft, loyalty.InReview, loyalty.Approved} {
		assert.Equal(t, step, move(admin, step))
	}
	for _, step := range []loyalty.Status{loyalty.Active, loyalty.Paused, loyalty.Active} {
		assert.Equal(t, step, move(brand, step))
	}
	versions := apitest.Data[[]struct {
		Version int
		Action  string
		Author  string
		InForce bool `json:"in_force"`
		Reason  string
		Diff    []obj
	}](brand, http.StatusOK, "GET", path+"/versions", nil)
	require.Len(t, versions, 9)
	assert.Equal(t, "created", versions[8].Action)
	assert.Equal(t, "Primera", versions[8].Reason)
	assert.True(t, versions[0].InForce)
	assert.Contains(t, versions[4].Author, "staff:")
	assert.Equal(t, []obj{{"field": "status", "from": "in_review", "to": "approved"}}, versions[3].Diff)

	// What is active changes by a version that says from when it holds.
	w.Clock.Advance(time.Second)
	later := w.Clock.Now().Add(5 * time.Minute).UTC().Truncate(time.Second)
	same := apitest.Data[campaign](brand, http.StatusOK, "PATCH", path, obj{"goal": 12, "holds_from": later})
	assert.Equal(t, int64(10), same.Goal, "it does not hold yet")
	code, _ = brand.Problem(http.StatusConflict, "PATCH", path, obj{"goal": 13})
	assert.Equal(t, "VERSION_SCHEDULED", code)
	for range 2 {
		apitest.Data[campaign](brand, http.StatusOK, "DELETE", path+"/versions/10", nil)
	}
	brand.Problem(http.StatusConflict, "DELETE", path+"/versions/3", nil)
	brand.Problem(http.StatusNotFound, "DELETE", path+"/versions/99", nil)
	brand.Problem(http.StatusNotFound, "DELETE", path+"/versions/x", nil)
	w.Clock.Advance(10 * time.Minute)
	assert.Equal(t, int64(10), apitest.Data[campaign](brand, http.StatusOK, "GET", path, nil).Goal, "it was cancelled")
	assert.Equal(t, loyalty.Ended, move(admin, loyalty.Ended))
	brand.Problem(http.StatusConflict, "PATCH", path, obj{"goal": 13})
}

// TestWhatContradictsItselfIsNotReviewed and says why.
func TestWhatContradictsItselfIsNotReviewed(t *testing.T) {
	w := apitest.New(t)
	brand := w.As(w.Tenants[0].Token)
	made := apitest.Data[campaign](brand, http.StatusCreated, "POST", "/v1/campaigns", obj{
		"name": "Imposible", "scheme": "stamps", "goal": 10, "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}},
		"product_ids": []any{w.Tenants[0].Product}, "all_shops": true, "limits": []any{obj{"max": 3, "period": "lifetime"}},
		"rewards": []any{obj{"name": "Nunca", "threshold": 10}},
	})
	path := "/v1/campaigns/" + string(made.ID)
	found := apitest.Data[[]loyalty.Finding](brand, http.StatusOK, "GET", path+"/validation", nil)
	require.NotEmpty(t, found)
	assert.Equal(t, loyalty.SeverityError, found[0].Severity)
	assert.NotEmpty(t, found[0].Message)
	code, _ := brand.Problem(http.StatusConflict, "POST", path+"/transitions", obj{"to": "in_review"})
	assert.Equal(t, "CAMPAIGN_CONTRADICTORY", code)
	apitest.Data[campaign](brand, http.StatusOK, "PATCH", path, obj{"limits": nil})
	for _, f := range apitest.Data[[]loyalty.Finding](brand, http.StatusOK, "GET", path+"/validation", nil) {
		assert.NotEqual(t, loyalty.SeverityError, f.Severity, f.Message)
	}
	apitest.Data[campaign](brand, http.StatusOK, "POST", path+"/transitions", obj{"to": "in_review"})
}

// TestATenderoOwnsItsShopsCampaign and nobody else's.
func TestATenderoOwnsItsShopsCampaign(t *testing.T) {
	w := apitest.New(t)
	keeper, other := w.As(w.Keepers[0].Token), w.As(w.Keepers[1].Token)
	body := obj{
		"name": "La de Lupita", "scheme": "stamps", "goal": 5, "earn": []any{obj{"unit": "stamp", "per": "purchase", "amount": 1}},
		"product_ids": []any{w.Tenants[0].Product, w.Tenants[1].Product}, "rewards": []any{obj{"name": "Un dulce", "threshold": 5, "cost_cents": 300}},
	}
	made := apitest.Data[campaign](keeper, http.StatusCreated, "POST", "/v1/campaigns", body)
	require.NotNil(t, made.Owner)
	assert.Equal(t, w.Keepers[0].Shop.ID, *made.Owner)
	assert.Nil(t, made.CPG)
	assert.Len(t, made.PLIs, 2, "a shop's campaign may sell anybody's products")
	path := "/v1/campaigns/" + string(made.ID)
	for _, stranger := range []*apitest.Client{other, w.As(w.Tenants[0].Token), w.As(w.Shoppers[0].Token), w.As(w.Key)} {
		stranger.Problem(http.StatusNotFound, "GET", path, nil)
	}
	other.Problem(http.StatusNotFound, "PATCH", path, obj{"goal": 4})
	other.Problem(http.StatusNotFound, "POST", path+"/transitions", obj{"to": "in_review"})
	apitest.Data[campaign](keeper, http.StatusOK, "PATCH", path, obj{"goal": 6})
	apitest.Data[campaign](keeper, http.StatusOK, "POST", path+"/transitions", obj{"to": "in_review"})
	apitest.Data[campaign](w.As(w.Admin), http.StatusOK, "POST", path+"/transitions", obj{"to": "approved"})
	apitest.Data[campaign](keeper, http.StatusOK, "POST", path+"/transitions", obj{"to": "active"})
	assert.Len(t, apitest.Data[[]thing](keeper, http.StatusOK, "GET", "/v1/campaigns?owner_shop_id="+string(w.Keepers[0].Shop.ID), nil), 1)
	assert.Contains(t, keeper.Do("GET", path, nil).Text(), `"cost_cents":300`)
	assert.NotContains(t, w.As(w.Shoppers[0].Token).Do("GET", path, nil).Text(), `"cost_cents"`)

	// Nobody makes one for another, and nobody activates its own at once.
	_, fields := keeper.Problem(http.StatusBadRequest, "POST", "/v1/campaigns", obj{
		"shop_id": w.Keepers[1].Shop.ID, "name": "Ajena", "scheme": "stamps", "goal": 5, "earn": body["earn"], "product_ids": body["product_ids"],
	})
	assert.Equal(t, []string{"shop_id"}, fields)
	_, fields = keeper.Problem(http.StatusBadRequest, "POST", "/v1/campaigns", obj{
		"status": "active", "name": "Ya", "scheme": "stamps", "goal": 5, "earn": body["earn"], "product_ids": body["product_ids"],
	})
	assert.Equal(t, []string{"status"}, fields)
	for _, who := range []string{w.Shoppers[0].Token, w.Key} {
		w.As(who).Problem(http.StatusForbidden, "POST", "/v1/campaigns", body)
	}
}

// TestAnOwnerThatIsNoIDIsExplained, whoever names it.
func TestAnOwnerThatIsNoIDIsExplained(t *testing.T) {
	w := apitest.New(t)
	for who, token := range map[string]string{"admin": w.Admin, "brand": w.Tenants[0].Token, "tendero": w.Keepers[0].Token} {
		for _, field := range []string{"cpg_id", "shop_id"} {
			_, fields := w.On(t).As(token).Problem(http.StatusBadRequest, "POST", "/v1/campaigns", obj{
				field: "x", "name": "De nadie", "scheme": "stamps", "goal": 5, "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}},
				"product_ids": []any{w.Tenants[0].Product}, "rewards": []any{obj{"name": "Un dulce", "threshold": 5}},
			})
			assert.Contains(t, fields, field, who)
			_, fields = w.On(t).As(token).Problem(http.StatusBadRequest, "POST", "/v1/segments", obj{field: "x", "name": "De nadie"})
			assert.Contains(t, fields, field, who)
		}
	}
}
