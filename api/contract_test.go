package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type obj = map[string]any

type thing struct {
	ID     loyalty.ID
	Code   string
	Name   string
	Active bool
	Status string
	Key    string
}

// TestEveryOperation goes once through all that the document promises, in the
// order in which an installation is filled.
func TestEveryOperation(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	admin := w.As(w.Admin)
	const ok, created = http.StatusOK, http.StatusCreated

	// The catalogue.
	cpg := apitest.Data[thing](admin, created, "POST", "/v1/cpgs", obj{"name": "Lácteos del Norte"})
	apitest.Data[thing](admin, ok, "PATCH", "/v1/cpgs/"+string(cpg.ID), obj{"name": "Lácteos del Noreste"})
	assert.Equal(t, "Lácteos del Noreste", apitest.Data[thing](admin, ok, "GET", "/v1/cpgs/"+string(cpg.ID), nil).Name)
	brand := apitest.Data[thing](admin, created, "POST", "/v1/brands", obj{"cpg_id": cpg.ID, "name": "La Vaquita"})
	apitest.Data[thing](admin, ok, "PATCH", "/v1/brands/"+string(brand.ID), obj{"name": "La Vaca"})
	apitest.Data[thing](admin, ok, "GET", "/v1/brands/"+string(brand.ID), nil)
	product := apitest.Data[thing](admin, created, "POST", "/v1/products", obj{
		"brand_id": brand.ID, "gtin": "7501020513127", "name": "Leche 1 l", "nicknames": []string{"leche"}, "reference_price_cents": 2650,
	})
	apitest.Data[thing](admin, ok, "PATCH", "/v1/products/"+string(product.ID), obj{"reference_price_cents": 2700})
	apitest.Data[thing](admin, ok, "GET", "/v1/products/"+string(product.ID), nil)
	shop := apitest.Data[thing](admin, created, "POST", "/v1/shops", obj{"name": "Mini Súper Paty", "kind": "minisuper", "city": "Guadalajara", "state": "Jalisco"})
	apitest.Data[thing](admin, ok, "PATCH", "/v1/shops/"+string(shop.ID), obj{"street": "Morelos 3"})
	apitest.Data[thing](admin, ok, "GET", "/v1/shops/"+string(shop.ID), nil)
	tendero := apitest.Data[thing](admin, created, "POST", "/v1/tenderos", obj{"shop_id": shop.ID, "phone": "33 1234 5678", "name": "Paty"})
	apitest.Data[thing](admin, ok, "PATCH", "/v1/tenderos/"+string(tendero.ID), obj{"name": "Patricia"})
	apitest.Data[thing](admin, ok, "GET", "/v1/tenderos/"+string(tendero.ID), nil)
	campaign := apitest.Data[thing](admin, created, "POST", "/v1/campaigns", obj{
		"cpg_id": cpg.ID, "name": "Junta 5", "scheme": "stamps", "status": "active", "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}}, "goal": 5,
		"product_ids": []any{product.ID}, "all_shops": true, "margin_bps": 3000, "ends_at": "2027-01-31T06:00:00Z",
		"rewards": []any{obj{"name": "Una leche", "threshold": 5, "cost_cents": 1800}},
	})
	changed := apitest.Data[struct {
		Ends *time.Time `json:"ends_at"`
	}](admin, ok, "PATCH", "/v1/campaigns/"+string(campaign.ID), obj{"goal": 6, "ends_at": nil})
	assert.Nil(t, changed.Ends, "null makes a campaign permanent")
	apitest.Data[thing](admin, ok, "GET", "/v1/campaigns/"+string(campaign.ID), nil)
	reward := apitest.Data[thing](admin, created, "POST", "/v1/campaigns/"+string(campaign.ID)+"/rewards", obj{"name": "Un queso", "threshold": 9, "stock": 4})
	unlimited := apitest.Data[struct{ Stock *int64 }](admin, ok, "PATCH", "/v1/rewards/"+string(reward.ID), obj{"stock": nil})
	assert.Nil(t, unlimited.Stock)
	rewards := apitest.Data[[]thing](admin, ok, "GET", "/v1/campaigns/"+string(campaign.ID)+"/rewards", nil)
	require.Len(t, rewards, 2)
	milk := rewards[0]
	staff := apitest.Data[thing](admin, created, "POST", "/v1/staff", obj{"email": "leche@qoa.test", "password": "una-frase-larga", "name": "Leo", "role": "cpg", "cpg_id": cpg.ID})
	apitest.Data[thing](admin, ok, "PATCH", "/v1/staff/"+string(staff.ID), obj{"name": "Leonor"})
	for _, path := range []string{"cpgs", "brands", "products", "shops", "tenderos", "campaigns", "staff", "api-keys", "reorders", "outbox", "inbox", "cases", "whatsapp/numbers"} {
		apitest.Data[[]thing](admin, ok, "GET", "/v1/"+path, nil)
	}

	// A campaign's life, its shops, and to whom it is.
	campaigns := "/v1/campaigns/" + string(campaign.ID)
	apitest.Data[thing](admin, ok, "POST", campaigns+"/transitions", obj{"to": "paused", "reason": "Inventario"})
	apitest.Data[thing](admin, ok, "POST", campaigns+"/transitions", obj{"to": "active"})
	w.Clock.Advance(time.Second)
	apitest.Data[thing](admin, ok, "PATCH", campaigns, obj{"goal": 7, "holds_from": "2026-12-01T06:00:00Z"})
	versions := apitest.Data[[]struct{ Version int }](admin, ok, "GET", campaigns+"/versions", nil)
	apitest.Data[thing](admin, ok, "DELETE", fmt.Sprintf("%s/versions/%d", campaigns, versions[0].Version), nil)
	apitest.Data[[]loyalty.Finding](admin, ok, "GET", campaigns+"/validation", nil)
	apitest.Data[obj](admin, ok, "POST", campaigns+"/simulations", obj{"weeks": 4, "take_percent": 50})
	invited := apitest.Data[thing](admin, ok, "PUT", campaigns+"/participants/"+string(shop.ID), obj{"status": "invited"})
	assert.Equal(t, "invited", invited.Status)
	assert.Len(t, apitest.Data[[]thing](admin, ok, "GET", campaigns+"/participants", nil), 1)
	draft := apitest.Data[thing](admin, created, "POST", "/v1/campaigns", obj{
		"cpg_id": cpg.ID, "name": "Sin terminar", "scheme": "stamps", "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}}, "goal": 5,
	})
	apitest.Data[thing](admin, ok, "DELETE", "/v1/campaigns/"+string(draft.ID), nil)
	relations := "/v1/cpgs/" + string(cpg.ID) + "/shops"
	assert.True(t, apitest.Data[thing](admin, ok, "PUT", relations+"/"+string(shop.ID), obj{"active": true}).Active)
	assert.Len(t, apitest.Data[[]thing](admin, ok, "GET", relations, nil), 1)
	segment := apitest.Data[thing](admin, created, "POST", "/v1/segments", obj{"cpg_id": cpg.ID, "name": "Fiesta"})
	segments := "/v1/segments/" + string(segment.ID)
	apitest.Data[thing](admin, ok, "PATCH", segments, obj{"name": "Posada"})
	members := apitest.Data[struct{ Changed, Members int }](admin, ok, "POST", segments+"/members", obj{"card_codes": []any{w.Shoppers[0].Card}})
	assert.Equal(t, 1, members.Members)
	apitest.Data[obj](admin, ok, "DELETE", segments+"/members", obj{"card_codes": []any{w.Shoppers[0].Card}})
	apitest.Data[thing](admin, ok, "GET", segments, nil)
	apitest.Data[[]thing](admin, ok, "GET", "/v1/segments", nil)

	// Keys.
	key := apitest.Data[thing](admin, created, "POST", "/v1/api-keys", obj{"label": "Otra caja"})
	require.NotEmpty(t, key.Key)
	apitest.Data[[]thing](w.As(key.Key), ok, "GET", "/v1/shops", nil)
	apitest.Data[thing](admin, ok, "DELETE", "/v1/api-keys/"+string(key.ID), nil)
	w.As(key.Key).Problem(http.StatusUnauthorized, "GET", "/v1/shops", nil)

	// A sale, its repeat, and what it brought.
	sale := obj{"shop_code": shop.Code, "card_code": w.Shoppers[1].Card, "items": []any{obj{"gtin": "7501020513127", "quantity": 6}}}
	first := w.As(w.Key).Do("POST", "/v1/purchases", sale, apitest.Key("t-1"))
	require.Equal(t, created, first.Status, first.Text())
	again := w.As(w.Key).Do("POST", "/v1/purchases", sale, apitest.Key("t-1"))
	assert.Equal(t, ok, again.Status)
	assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	assert.Equal(t, first.Text(), again.Text(), "a repeat is the same answer, to the byte")
	var receipt struct {
		Data struct {
			ID     loyalty.ID
			Earned []struct {
				Balance     int64
				RewardReady bool `json:"reward_ready"`
			}
		}
	}
	require.NoError(t, json.Unmarshal(first.Body, &receipt))
	require.Len(t, receipt.Data.Earned, 1)
	assert.Equal(t, int64(6), receipt.Data.Earned[0].Balance)
	assert.True(t, receipt.Data.Earned[0].RewardReady)
	apitest.Data[thing](w.As(w.Key), ok, "GET", "/v1/purchases/"+string(receipt.Data.ID), nil)
	card := apitest.Data[struct {
		Cards    []struct{ Shop string }
		Balances []struct{ Campaign string }
	}](w.As(w.Shoppers[1].Token), ok, "GET", "/v1/cards/"+loyalty.FormatCode(w.Shoppers[1].Card), nil)
	assert.Len(t, card.Cards, 2, "the first purchase at a shop makes the card there")
	delivered := apitest.Data[thing](w.As(w.Keepers[0].Token), ok, "POST", "/v1/redemptions/"+w.Redemption+"/delivery", obj{"shop_code": w.Keepers[0].Shop.Code})
	assert.Equal(t, "delivered", delivered.Status)

	// What came back, was corrected, waited, or was given up.
	bought := "/v1/purchases/" + string(receipt.Data.ID)
	back := apitest.Data[thing](w.As(w.Key), created, "POST", bought+"/reversal", obj{"reason": "Venía abierto", "items": []any{obj{"gtin": "7501020513127", "quantity": 1}}})
	assert.Equal(t, "recorded", back.Status)
	apitest.Data[obj](admin, created, "POST", "/v1/adjustments", obj{
		"campaign_id": campaign.ID, "card_code": w.Shoppers[1].Card, "unit": "stamp", "amount": 1, "reason": "Caso 7",
	}, apitest.Key("caso-7"))
	apitest.Data[thing](w.As(w.Shoppers[1].Token), ok, "POST", bought+"/confirmation", obj{"mine": true})
	asked := apitest.Data[thing](w.As(w.Shoppers[1].Token), created, "POST", "/v1/rewards/"+string(milk.ID)+"/redemptions", nil)
	assert.Equal(t, "requested", asked.Status)
	assert.Len(t, apitest.Data[[]thing](w.As(w.Shoppers[1].Token), ok, "GET", "/v1/redemptions", nil), 1)
	apitest.Data[thing](w.As(w.Shoppers[1].Token), ok, "POST", "/v1/redemptions/"+asked.Code+"/cancellation", nil)

	entered := apitest.Data[struct{ Enrolled bool }](w.As(w.Shoppers[1].Token), created, "POST", "/v1/campaigns/"+string(w.Tenants[0].Campaign)+"/enrollments", nil)
	assert.True(t, entered.Enrolled)

	// Reports and jobs.
	report := apitest.Data[struct {
		Note string
		Week []any `json:"by_week"`
	}](w.As(w.Tenants[0].Token), ok, "GET", "/v1/reports/roi?campaign_id="+string(w.Tenants[0].Campaign), nil)
	assert.Equal(t, "sin grupo de control", report.Note)
	assert.NotEmpty(t, report.Week)
	results := apitest.Data[struct {
		Day []any `json:"by_day"`
	}](w.As(w.Tenants[0].Token), ok, "GET", "/v1/reports/results?campaign_id="+string(w.Tenants[0].Campaign), nil)
	assert.Len(t, results.Day, 56)
	for _, job := range []string{"nudges", "digests", "roi"} {
		ran := apitest.Data[struct{ Messages int }](admin, http.StatusAccepted, "POST", "/v1/jobs/"+job+"/runs", nil)
		assert.Equal(t, 3, ran.Messages)
	}
	apitest.Data[obj](admin, http.StatusAccepted, "POST", "/v1/jobs/nudges/runs", obj{"as_of": "2026-12-01T18:00:00Z"})
	assert.Equal(t, []string{"nudges", "digests", "roi", "nudges@2026-12-01T18:00:00Z"}, w.Jobs.Runs)

	waits := apitest.Data[[]struct {
		ID    loyalty.ID
		Card  string `json:"card_code"`
		Folio string
	}](admin, ok, "GET", "/v1/cases", nil)
	require.Len(t, waits, 1)
	assert.Equal(t, w.Shoppers[0].Card, waits[0].Card)
	assert.Equal(t, strings.ToUpper(string(w.Case)[30:]), waits[0].Folio)
	closed := apitest.Data[struct {
		ClosedAt *time.Time `json:"closed_at"`
	}](admin, ok, "POST", "/v1/cases/"+string(w.Case)+"/close", nil)
	assert.NotNil(t, closed.ClosedAt)
	assert.Empty(t, apitest.Data[[]thing](admin, ok, "GET", "/v1/cases", nil))

	// WhatsApp: a number, what was not sent, what was not answered.
	device := apitest.Data[thing](admin, created, "POST", "/v1/whatsapp/numbers", obj{"label": "Otro"})
	devices := "/v1/whatsapp/numbers/" + string(device.ID)
	apitest.Data[thing](admin, ok, "GET", devices, nil)
	apitest.Data[thing](admin, ok, "PATCH", devices, obj{"label": "Uno más"})
	apitest.Data[thing](admin, ok, "POST", devices+"/pairing", nil)
	apitest.Data[thing](admin, ok, "DELETE", devices, nil)
	assert.Equal(t, ok, admin.Do("GET", "/v1/whatsapp/numbers/"+string(w.Number)+"/qr.png", nil).Status)
	apitest.Data[thing](admin, http.StatusAccepted, "POST", "/v1/outbox/"+string(w.DeadLetter(t, "x"))+"/redrive", nil)
	apitest.Data[thing](admin, http.StatusAccepted, "POST", "/v1/inbox/"+string(w.Park(t, "x"))+"/redrive", nil)

	// Pictures.
	for _, path := range []string{"/v1/cards/" + w.Shoppers[0].Card + "/qr.png", "/v1/shops/" + shop.Code + "/qr.png", "/v1/shops/" + string(shop.ID) + "/qr.png?px=256"} {
		res := w.Do("GET", path, nil)
		require.Equal(t, ok, res.Status, path)
		_, err := png.Decode(bytes.NewReader(res.Body))
		require.NoError(t, err, path)
		assert.Contains(t, res.Header.Get("Cache-Control"), "immutable")
		cached := w.Do("GET", path, nil, apitest.With("If-None-Match", res.Header.Get("ETag")))
		assert.Equal(t, http.StatusNotModified, cached.Status, path)
	}
	poster := w.Do("GET", "/v1/shops/"+shop.Code+"/poster.pdf", nil)
	assert.True(t, bytes.HasPrefix(poster.Body, []byte("%PDF-")))

	// The session, the simulator, and what machines read.
	tokens := apitest.Data[struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}](w.Client, ok, "POST", "/v1/auth/login", obj{"email": "leche@qoa.test", "password": "una-frase-larga"})
	apitest.Data[obj](w.Client, ok, "POST", "/v1/auth/refresh", obj{"refresh_token": tokens.Refresh})
	assert.Equal(t, http.StatusNoContent, w.As(tokens.Access).Do("POST", "/v1/auth/logout", nil).Status)
	w.As(tokens.Access).Problem(http.StatusUnauthorized, "GET", "/v1/shops", nil)
	apitest.Data[obj](w.Client, http.StatusAccepted, "POST", "/v1/auth/otp", obj{"phone": w.Keepers[0].Phone})
	verifyOTP(t, w)
	simulate(t, w)
	subscribe(t, w)
	for _, path := range []string{"/health/live", "/health/ready", "/metrics", "/openapi.json"} {
		assert.Equal(t, ok, w.Do("GET", path, nil).Status, path)
	}
	style := styleOf(t, w)
	assert.Equal(t, ok, w.Do("GET", style, nil).Status)
	address := pictured(t, w, product.ID)
	assert.Equal(t, ok, w.Do("GET", address, nil).Status)
	assert.Equal(t, address, apitest.Data[obj](admin, ok, "GET", "/v1/products/"+string(product.ID), nil)["picture_url"])

	for path, item := range apitest.Document(t).Paths.Map() {
		for method, op := range item.Operations() {
			assert.True(t, w.Succeeded(op.OperationID), "%s %s was never answered well in this test", method, path)
		}
	}
	everyChangeIsAudited(t, w)
}

func TestListsGoOnWhereTheyEnded(t *testing.T) {
	w := apitest.New(t)
	type list struct {
		Data []thing
		Next *string `json:"next_cursor"`
	}
	read := func(path string) (l list) {
		res := w.As(w.Admin).Do("GET", path, nil)
		require.Equal(t, http.StatusOK, res.Status)
		require.NoError(t, json.Unmarshal(res.Body, &l))
		return l
	}
	first := read("/v1/shops?limit=1")
	require.Len(t, first.Data, 1)
	require.NotNil(t, first.Next)
	second := read("/v1/shops?limit=1&cursor=" + *first.Next)
	require.Len(t, second.Data, 1)
	assert.NotEqual(t, first.Data[0].ID, second.Data[0].ID)
	assert.Nil(t, second.Next)
	assert.Len(t, read("/v1/shops?search=lupita").Data, 1)
	assert.Empty(t, read("/v1/shops?active=false").Data)
	assert.Len(t, read("/v1/products?gtin="+w.Tenants[1].GTIN).Data, 1)
	assert.Len(t, read("/v1/campaigns?shop_id="+string(w.Keepers[0].Shop.ID)).Data, 1)
	assert.Len(t, read("/v1/campaigns?cpg_id="+string(w.Tenants[1].CPG)).Data, 1)
	assert.Len(t, read("/v1/tenderos?shop_id="+string(w.Keepers[1].Shop.ID)).Data, 1)
}

func TestACampaignsEconomyIsItsOwners(t *testing.T) {
	w := apitest.New(t)
	path := "/v1/campaigns/" + string(w.Tenants[0].Campaign)
	for _, token := range []string{w.Admin, w.Tenants[0].Token} {
		text := w.As(token).Do("GET", path, nil).Text()
		assert.Contains(t, text, `"margin_bps":3500`)
		assert.Contains(t, text, `"fee_cents":50000`)
		assert.Contains(t, text, `"cost_cents":900`)
	}
	for _, token := range []string{w.Keepers[0].Token, w.Shoppers[0].Token, w.Key} {
		res := w.As(token).Do("GET", path, nil)
		require.Equal(t, http.StatusOK, res.Status)
		for _, secret := range []string{"margin_bps", "fee_cents", "cost_cents"} {
			assert.NotContains(t, res.Text(), secret)
		}
	}
}

func TestTimeTravelIsForDevelopers(t *testing.T) {
	w := apitest.New(t, production)
	code, _ := w.As(w.Admin).Problem(http.StatusForbidden, "POST", "/v1/jobs/roi/runs", obj{"as_of": "2026-12-01T18:00:00Z"})
	assert.Equal(t, "AS_OF_REFUSED", code)
	apitest.Data[obj](w.As(w.Admin), http.StatusAccepted, "POST", "/v1/jobs/roi/runs", obj{})
	w.As(w.Admin).Problem(http.StatusNotFound, "POST", "/v1/jobs/verify/runs", nil)
}
