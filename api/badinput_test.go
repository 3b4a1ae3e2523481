package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
)

// change gives a good purchase with one thing changed.
func change(w *apitest.World, with obj) obj {
	body := obj{
		"shop_code": w.Keepers[0].Shop.Code, "card_code": w.Shoppers[0].Card,
		"items": []any{obj{"gtin": w.Tenants[0].GTIN, "quantity": 1}},
	}
	for k, v := range with {
		body[k] = v
	}
	return body
}

func item(gtin, quantity, price any) obj {
	v := obj{"gtin": gtin, "quantity": quantity}
	if price != nil {
		v["unit_price_cents"] = price
	}
	return obj{"items": []any{v}}
}

// TestPitfall_P11_P44_BadPurchasesAreExplained: each mistake has its status,
// its code and its field.
func TestPitfall_P11_P44_BadPurchasesAreExplained(t *testing.T) {
	w := apitest.New(t)
	gtin := w.Tenants[0].GTIN
	mistyped := []byte(w.Shoppers[0].Card)
	mistyped[3] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[(strings.IndexByte("0123456789ABCDEFGHJKMNPQRSTVWXYZ", mistyped[3])+1)%32]
	for name, c := range map[string]struct {
		with   obj
		status int
		code   string
		field  string
	}{
		"unknown shop":         {obj{"shop_code": "000000"}, 404, "SHOP_NOT_FOUND", ""},
		"mistyped shop":        {obj{"shop_code": "K7M2QS"}, 404, "SHOP_NOT_FOUND", ""},
		"no shop":              {obj{"shop_code": ""}, 400, "VALIDATION_FAILED", "shop_code"},
		"another's shop":       {obj{"shop_code": w.Keepers[1].Shop.Code}, 403, "FORBIDDEN", ""},
		"mistyped card":        {obj{"card_code": string(mistyped)}, 400, "VALIDATION_FAILED", "card_code"},
		"card of nobody":       {obj{"card_code": "0000-0000"}, 404, "CARD_NOT_FOUND", ""},
		"shop as card":         {obj{"card_code": w.Keepers[0].Shop.Code}, 400, "VALIDATION_FAILED", "card_code"},
		"unknown product":      {item("7501020513127", 1, nil), 422, "PRODUCT_UNKNOWN", "items[0].gtin"},
		"no barcode":           {item("hola", 1, nil), 400, "VALIDATION_FAILED", "items[0].gtin"},
		"wrong check digit":    {item("7501055300076", 1, nil), 400, "VALIDATION_FAILED", "items[0].gtin"},
		"quantity 0":           {item(gtin, 0, nil), 400, "VALIDATION_FAILED", "items[0].quantity"},
		"quantity -1":          {item(gtin, -1, nil), 400, "VALIDATION_FAILED", "items[0].quantity"},
		"quantity 10^9":        {item(gtin, 1_000_000_000, nil), 400, "VALIDATION_FAILED", "items[0].quantity"},
		"quantity 10^30":       {item(gtin, json.Number("1000000000000000000000000000000"), nil), 400, "VALIDATION_FAILED", "items[0].quantity"},
		"half a piece":         {item(gtin, 1.5, nil), 400, "VALIDATION_FAILED", "items[0].quantity"},
		"quantity as text":     {item(gtin, "2", nil), 400, "VALIDATION_FAILED", "items[0].quantity"},
		"price below zero":     {item(gtin, 1, -1), 400, "VALIDATION_FAILED", "items[0].unit_price_cents"},
		"absurd price":         {item(gtin, 1, 100_000_001), 400, "VALIDATION_FAILED", "items[0].unit_price_cents"},
		"text in line 2":       {obj{"items": []any{obj{"gtin": gtin, "quantity": 1}, obj{"quantity": "2", "gtin": gtin}}}, 400, "VALIDATION_FAILED", "items[1].quantity"},
		"a list as a barcode":  {obj{"items": []any{obj{"gtin": gtin, "quantity": 1}, obj{"gtin": []any{1, 2}, "quantity": 1}}}, 400, "VALIDATION_FAILED", "items[1].gtin"},
		"a number as a line":   {obj{"items": []any{obj{"gtin": gtin, "quantity": 1}, 7}}, 400, "VALIDATION_FAILED", "items[1]"},
		"nothing bought":       {obj{"items": []any{}}, 400, "VALIDATION_FAILED", "items"},
		"items is an object":   {obj{"items": obj{}}, 400, "VALIDATION_FAILED", "items"},
		"51 lines":             {obj{"items": lines(gtin, 51)}, 400, "VALIDATION_FAILED", "items"},
		"captured by magic":    {obj{"captured": "magic"}, 400, "VALIDATION_FAILED", "captured"},
		"tomorrow":             {obj{"occurred_at": "2026-11-21T20:00:00Z"}, 400, "VALIDATION_FAILED", "occurred_at"},
		"long ago":             {obj{"occurred_at": "2020-01-01T00:00:00Z"}, 400, "VALIDATION_FAILED", "occurred_at"},
		"a date that is none":  {obj{"occurred_at": "ayer"}, 400, "VALIDATION_FAILED", "occurred_at"},
		"a field of no use":    {obj{"discount": 5}, 400, "VALIDATION_FAILED", "discount"},
		"NUL in the shop code": {obj{"shop_code": "K7M\x002QR"}, 400, "MALFORMED_REQUEST", ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, fields := w.On(t).As(w.Keepers[0].Token).Problem(c.status, "POST", "/v1/purchases", change(w, c.with), apitest.Key("bad "+name))
			assert.Equal(t, c.code, code)
			if c.field != "" {
				assert.Contains(t, fields, c.field)
			}
		})
	}
	// None of them used its key up.
	res := w.As(w.Keepers[0].Token).Do("POST", "/v1/purchases", change(w, nil), apitest.Key("bad quantity 0"))
	assert.Equal(t, http.StatusCreated, res.Status, res.Text())
}

func lines(gtin string, n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = obj{"gtin": gtin, "quantity": 1}
	}
	return all
}

func TestBadRequestsAreNeverA500(t *testing.T) {
	w := apitest.New(t)
	seller := w.As(w.Keepers[0].Token)
	good, err := json.Marshal(change(w, nil))
	require.NoError(t, err)
	key := apitest.Key("k")
	for name, c := range map[string]struct {
		body   any
		status int
		code   string
	}{
		"no body":          {nil, 400, "MALFORMED_REQUEST"},
		"blank body":       {"  \n", 400, "MALFORMED_REQUEST"},
		"broken JSON":      {`{"shop_code":`, 400, "MALFORMED_REQUEST"},
		"a list":           {`[]`, 400, "MALFORMED_REQUEST"},
		"a text":           {`"hola"`, 400, "MALFORMED_REQUEST"},
		"null":             {`null`, 400, "VALIDATION_FAILED"},
		"two values":       {string(good) + string(good), 400, "MALFORMED_REQUEST"},
		"broken UTF-8":     {"{\"shop_code\":\"\xff\xfe\"}", 400, "MALFORMED_REQUEST"},
		"a bare NUL":       {"{\"shop_code\":\"\x00\"}", 400, "MALFORMED_REQUEST"},
		"very deep":        {`{"items":` + strings.Repeat("[", 100_000), 400, "MALFORMED_REQUEST"},
		"2 MiB":            {`{"shop_code":"` + strings.Repeat("x", 2<<20) + `"}`, 413, "PAYLOAD_TOO_LARGE"},
		"3 MiB of nothing": {strings.Repeat(" ", 3<<20), 413, "PAYLOAD_TOO_LARGE"},
		"a form":           {"shop_code=K7M2QR", 400, "MALFORMED_REQUEST"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _ := seller.On(t).Problem(c.status, "POST", "/v1/purchases", c.body, key)
			assert.Equal(t, c.code, code)
		})
	}
	for name, c := range map[string]struct{ key, code string }{
		"no key": {"", "IDEMPOTENCY_KEY_REQUIRED"}, "blank key": {"   ", "IDEMPOTENCY_KEY_REQUIRED"}, "129 characters": {strings.Repeat("k", 129), "IDEMPOTENCY_KEY_REQUIRED"},
		"129 letters of two bytes": {strings.Repeat("ñ", 129), "IDEMPOTENCY_KEY_REQUIRED"},
		"broken UTF-8":             {"k\xff", "IDEMPOTENCY_KEY_REQUIRED"},
	} {
		code, fields := seller.Problem(400, "POST", "/v1/purchases", change(w, nil), apitest.Key(c.key))
		assert.Equal(t, c.code, code, name)
		assert.Equal(t, []string{"Idempotency-Key"}, fields, name)
	}
	assert.Equal(t, http.StatusCreated, seller.Do("POST", "/v1/purchases", change(w, nil), apitest.Key(strings.Repeat("k", 128))).Status)
	assert.Equal(t, http.StatusCreated, seller.Do("POST", "/v1/purchases", change(w, nil), apitest.Key("llave con ñandú")).Status)
	assert.Equal(t, http.StatusCreated, seller.Do("POST", "/v1/purchases", change(w, nil), apitest.Key(strings.Repeat("ñ", 128))).Status, "characters, not bytes")

	admin := w.As(w.Admin)
	for _, path := range []string{
		"/v1/cpgs/7501055300075", "/v1/shops/K7M2QR", "/v1/products/hola%00", "/v1/campaigns/01938a6e-0000-7000-8000-00000000000g",
		"/v1/purchases/1", "/v1/cards/xyz", "/v1/cards/%00/qr.png", "/v1/shops/%FF/qr.png", "/v1/shops/000000/poster.pdf", "/v1/nada", "/v2/shops",
		"/v1/cpgs/01938a6e-0000-7000-8000-000000000001",
	} {
		admin.Problem(http.StatusNotFound, "GET", path, nil)
	}
	for _, path := range []string{
		"/v1/shops?limit=0", "/v1/shops?limit=101", "/v1/shops?limit=muchos", "/v1/shops?cursor=x", "/v1/shops?active=quizá", "/v1/products?gtin=1",
		"/v1/products?cpg_id=1", "/v1/reports/roi", "/v1/reports/roi?campaign_id=x", "/v1/reports/results", "/v1/reports/results?campaign_id=x", "/v1/reorders?shop_id=1", "/v1/reorders?from=ayer", "/v1/reorders?from=2026-02-02&to=2026-02-01", "/v1/outbox?status=lost", "/v1/outbox?number_id=1", "/v1/inbox?status=done", "/v1/outbox?cursor=x",
		"/v1/reports/roi?campaign_id=" + string(w.Tenants[0].Campaign) + "&from=ayer",
		"/v1/reports/roi?campaign_id=" + string(w.Tenants[0].Campaign) + "&from=2026-02-02&to=2026-02-01",
		"/v1/reports/roi?campaign_id=" + string(w.Tenants[0].Campaign) + "&from=0001-01-01&to=9999-12-31",
		"/v1/cards/" + w.Shoppers[0].Card + "/qr.png?px=9999999", "/sim/messages", "/sim/messages?phone=%00",
	} {
		_, fields := admin.Problem(http.StatusBadRequest, "GET", path, nil)
		assert.NotEmpty(t, fields, path)
	}
	assert.Equal(t, http.StatusOK, admin.Do("GET", "/v1/shops?search=%00%FF&city=%00&kind=%FF", nil).Status)

	for _, c := range [][2]string{{"DELETE", "/v1/shops"}, {"PUT", "/v1/purchases"}, {"POST", "/v1/cards/" + w.Shoppers[0].Card}, {"POST", "/health/live"}} {
		res := admin.Do(c[0], c[1], nil)
		assert.Equal(t, http.StatusMethodNotAllowed, res.Status, c)
		assert.NotEmpty(t, res.Header.Get("Allow"), c)
		assert.Contains(t, res.Text(), "METHOD_NOT_ALLOWED")
	}
	for _, path := range []string{"/", "/docs", "/privacidad", "/health/live", "/metrics", "/v1/shops"} {
		assert.Less(t, admin.Do("HEAD", path, nil).Status, 400, path)
	}
}

func TestWrongTypesNameTheirField(t *testing.T) {
	w := apitest.New(t)
	admin := w.As(w.Admin)
	for _, c := range []struct {
		path, body, field string
	}{
		{"/v1/cpgs", `{"name":7}`, "name"},
		{"/v1/cpgs", `{}`, "name"},
		{"/v1/brands", `{"name":"X"}`, "cpg_id"},
		{"/v1/brands", `{"name":"X","cpg_id":"01938a6e-0000-7000-8000-000000000001"}`, "cpg_id"},
		{"/v1/products", `{"brand_id":"x","gtin":"7501020513127","name":"X"}`, "brand_id"},
		{"/v1/products", `{"brand_id":"` + string(w.Tenants[0].Brand) + `","gtin":"7501020513128","name":"X"}`, "gtin"},
		{"/v1/products", `{"brand_id":"` + string(w.Tenants[0].Brand) + `","gtin":"7501020513127","name":"X","reference_price_cents":-1}`, "reference_price_cents"},
		{"/v1/shops", `{"name":"X","city":"Y","state":"Z","time_zone":"Marte/Olympus"}`, "time_zone"},
		{"/v1/shops", `{"name":"X","city":"Y","state":"Z","code":"K7M2QS"}`, "code"},
		{"/v1/tenderos", `{"shop_id":"` + string(w.Keepers[0].Shop.ID) + `","phone":"123","name":"X"}`, "phone"},
		{"/v1/campaigns", `{"cpg_id":"` + string(w.Tenants[0].CPG) + `","name":"X","scheme":"stamps","earn":[{"unit":"stamp","per":"unit","amount":1},{"unit":"stamp","amount":"uno"}],"goal":5}`, "earn[1].amount"},
		{"/v1/campaigns", `{"cpg_id":"` + string(w.Tenants[0].CPG) + `","name":"X","scheme":"stamps","earn":[{"unit":"stamp","per":"unit","amount":1}],"goal":5,"starts_at":"hoy"}`, "starts_at"},
		{"/v1/campaigns", `{"cpg_id":"` + string(w.Tenants[0].CPG) + `","name":"X","scheme":"estampillas","earn":[{"unit":"stamp","per":"unit","amount":1}],"goal":5}`, "scheme"},
		{"/v1/campaigns", `{"cpg_id":"` + string(w.Tenants[0].CPG) + `","name":"X","scheme":"stamps","earn":[{"unit":"stamp","per":"unit","amount":1}],"goal":5,"product_ids":["` + string(w.Tenants[1].Product) + `"]}`, "product_ids"},
		{"/v1/campaigns", `{"product_ids":["` + string(w.Tenants[1].Product) + `",7]}`, "product_ids"},
		{"/v1/campaigns", `{"earn":[],"rewards":[{"name":"a","threshold":3}, {"name":"b", "threshold" : "3"}]}`, "rewards[1].threshold"},
		{"/v1/campaigns", `{"REWARDS":[{"Name":7}]}`, "rewards[0].name"},
		{"/v1/campaigns", `{"budget":7}`, "budget"},
		{"/v1/campaigns", `{"budget":{"stamps":"muchos"}}`, "budget.stamps"},
		{"/v1/campaigns", `{"boosts":[{"when":{"weekdays":[1,"martes"]}}]}`, "boosts[0].when.weekdays"},
		{"/v1/campaigns", `{"rule":{"per_unit":1}}`, "rule"},
		{"/v1/campaigns", `{"cpg_id":"` + string(w.Tenants[0].CPG) + `","name":"X","scheme":"stamps","earn":[{"unit":"stamp","per":"peso","amount":1}],"goal":5}`, "earn[0].per"},
		{"/v1/campaigns/" + string(w.Tenants[0].Campaign) + "/transitions", `{"to":"volando"}`, "to"},
		{"/v1/campaigns/" + string(w.Tenants[0].Campaign) + "/simulations", `{"weeks":27}`, "weeks"},
		{"/v1/campaigns/" + string(w.Tenants[0].Campaign) + "/simulations", `{"weeks":1,"take_percent":101}`, "take_percent"},
		{"/v1/purchases/" + string(w.Purchase) + "/reversal", `{}`, "reason"},
		{"/v1/purchases/" + string(w.Purchase) + "/reversal", `{"reason":"x","items":[{"gtin":"hola","quantity":1}]}`, "items[0].gtin"},
		{"/v1/purchases/" + string(w.Purchase) + "/confirmation", `{}`, "mine"},
		{"/v1/segments", `{"cpg_id":"` + string(w.Tenants[0].CPG) + `"}`, "name"},
		{"/v1/staff", `{"email":"no es","password":"una-frase-larga","name":"X","role":"admin"}`, "email"},
		{"/v1/staff", `{"email":"a@b.mx","password":"corta","name":"X","role":"admin"}`, "password"},
		{"/v1/staff", `{"email":"a@b.mx","password":"una-frase-larga","name":"X","role":"dueño"}`, "role"},
		{"/v1/api-keys", `{"label":""}`, "label"},
		{"/v1/jobs/roi/runs", `{"as_of":"mañana"}`, "as_of"},
		{"/v1/jobs/roi/runs", `{"as_of":"0001-01-01T00:00:00Z"}`, "as_of"},
	} {
		_, fields := admin.Problem(http.StatusBadRequest, "POST", c.path, c.body)
		assert.Contains(t, fields, c.field, c.body)
	}
	code, fields := admin.Problem(http.StatusConflict, "POST", "/v1/cpgs", obj{"name": "Bebidas del Valle"})
	assert.Equal(t, "ALREADY_EXISTS", code)
	assert.Equal(t, []string{"name"}, fields)
}

// TestPitfall_P4_KeysBelongToTheirCaller: another's key is not in the way, and
// never shows another's purchase.
func TestPitfall_P4_KeysBelongToTheirCaller(t *testing.T) {
	w := apitest.New(t)
	one := apitest.Data[thing](w.As(w.Keepers[0].Token), 201, "POST", "/v1/purchases", change(w, nil), apitest.Key("ticket-1"))
	two := apitest.Data[thing](w.As(w.Key), 201, "POST", "/v1/purchases", change(w, nil), apitest.Key("ticket-1"))
	assert.NotEqual(t, one.ID, two.ID)
	code, _ := w.As(w.Key).Problem(http.StatusUnprocessableEntity, "POST", "/v1/purchases", change(w, item(w.Tenants[0].GTIN, 2, nil)), apitest.Key("ticket-1"))
	assert.Equal(t, "IDEMPOTENCY_KEY_REUSED", code)
	same := apitest.Data[thing](w.As(w.Key), 200, "POST", "/v1/purchases", change(w, obj{"captured": "scan"}), apitest.Key("ticket-1"))
	assert.Equal(t, two.ID, same.ID)
}

// TestPitfall_P2_P3_ManyAtOnceOnAPoolOfFour: distinct keys all finish, one key
// is one purchase.
func TestPitfall_P2_P3_ManyAtOnceOnAPoolOfFour(t *testing.T) {
	w := apitest.New(t)
	const many = 64
	type answer struct {
		status int
		body   string
	}
	fire := func(n int, key func(int) string) []answer {
		answers := make([]answer, n)
		var wait sync.WaitGroup
		for i := range n {
			wait.Go(func() {
				res := w.As(w.Key).Do("POST", "/v1/purchases", change(w, nil), apitest.Key(key(i)))
				answers[i] = answer{res.Status, res.Text()}
			})
		}
		wait.Wait()
		return answers
	}
	for _, a := range fire(many, func(i int) string { return fmt.Sprint("p2-", i) }) {
		require.Equal(t, http.StatusCreated, a.status, a.body)
	}
	statuses, bodies := map[int]int{}, map[string]bool{}
	for _, a := range fire(50, func(int) string { return "p3" }) {
		statuses[a.status]++
		bodies[a.body] = true
	}
	assert.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusOK: 49}, statuses)
	assert.Len(t, bodies, 1, "everyone gets the same receipt")
	card := apitest.Data[struct{ Balances []struct{ Balance int } }](w.As(w.Shoppers[0].Token), 200, "GET", "/v1/cards/"+w.Shoppers[0].Card, nil)
	assert.Equal(t, 12-10+many+1, card.Balances[0].Balance, "12 earned before, 10 spent, then one each")
	differences, err := w.DB.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, differences)
}
