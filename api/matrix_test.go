package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// routes is the table with the logouts last: after them nobody is anybody.
func routes() []api.Route {
	all := api.Routes(true)
	slices.SortStableFunc(all, func(a, b api.Route) int {
		return strings.Count(a.Path, "logout") - strings.Count(b.Path, "logout")
	})
	return all
}

// caller is somebody who calls the API.
type caller struct {
	name  string
	role  loyalty.Role // "" is nobody
	token string
}

func callers(w *apitest.World) []caller {
	return []caller{
		{"nobody", "", ""},
		{"a made up token", "", "qoa_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{"a made up key", "", "qoa_key_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		{"admin", loyalty.RoleAdmin, w.Admin},
		{"marca1", loyalty.RoleCPG, w.Tenants[0].Token},
		{"marca2", loyalty.RoleCPG, w.Tenants[1].Token},
		{"tendero1", loyalty.RoleTendero, w.Keepers[0].Token},
		{"tendero2", loyalty.RoleTendero, w.Keepers[1].Token},
		{"consumer1", loyalty.RoleConsumer, w.Shoppers[0].Token},
		{"consumer2", loyalty.RoleConsumer, w.Shoppers[1].Token},
		{"key", loyalty.RoleIntegration, w.Key},
	}
}

// sample is a well-formed call of a route on what is tenant 1's, shop 1's and
// consumer 1's, with who of those whose role may call finds nothing there.
type sample struct {
	path    string
	body    any
	blind   []string // get a 404
	refused []string // get a 403 though their role may call
}

// samples has a line for every route that names a thing. The matrix fails for
// one that has none.
func samples(w *apitest.World) map[string]sample {
	one, keeper := w.Tenants[0], w.Keepers[0]
	other, keepers := []string{"marca2"}, []string{"tendero1", "tendero2"}
	strangers := append(keepers, other...) //nolint:gocritic // a list of its own
	id := func(path string, id loyalty.ID, rest ...string) string {
		return path + string(id) + strings.Join(rest, "")
	}
	return map[string]sample{
		"GET /v1/cpgs/:id":                   {path: id("/v1/cpgs/", one.CPG), blind: other},
		"PATCH /v1/cpgs/:id":                 {path: id("/v1/cpgs/", one.CPG), body: obj{"name": "Robada"}, blind: other},
		"GET /v1/brands/:id":                 {path: id("/v1/brands/", one.Brand), blind: other},
		"PATCH /v1/brands/:id":               {path: id("/v1/brands/", one.Brand), body: obj{"active": false}, blind: other},
		"GET /v1/products/:id":               {path: id("/v1/products/", one.Product), blind: other},
		"PATCH /v1/products/:id":             {path: id("/v1/products/", one.Product), body: obj{"reference_price_cents": 1}, blind: other},
		"GET /v1/shops/:id":                  {path: id("/v1/shops/", keeper.Shop.ID), blind: []string{"tendero2"}},
		"PATCH /v1/shops/:id":                {path: id("/v1/shops/", keeper.Shop.ID), body: obj{"name": "Robada"}},
		"GET /v1/tenderos/:id":               {path: id("/v1/tenderos/", keeper.Tendero)},
		"PATCH /v1/tenderos/:id":             {path: id("/v1/tenderos/", keeper.Tendero), body: obj{"active": true}},
		"GET /v1/campaigns/:id":              {path: id("/v1/campaigns/", one.Campaign), blind: other},
		"PATCH /v1/campaigns/:id":            {path: id("/v1/campaigns/", one.Campaign), body: obj{"goal": 2}, blind: other, refused: keepers},
		"DELETE /v1/campaigns/:id":           {path: id("/v1/campaigns/", one.Campaign), blind: other, refused: keepers},
		"POST /v1/campaigns/:id/transitions": {path: id("/v1/campaigns/", one.Campaign, "/transitions"), body: obj{"to": "active"}, blind: other, refused: keepers},
		"GET /v1/campaigns/:id/versions":     {path: id("/v1/campaigns/", one.Campaign, "/versions"), blind: other, refused: keepers},
		"GET /v1/campaigns/:id/validation":   {path: id("/v1/campaigns/", one.Campaign, "/validation"), blind: other, refused: keepers},
		"GET /v1/campaigns/:id/participants": {path: id("/v1/campaigns/", one.Campaign, "/participants"), blind: other},
		"POST /v1/campaigns/:id/simulations": {path: id("/v1/campaigns/", one.Campaign, "/simulations"), body: obj{"weeks": 1}, blind: other, refused: keepers},
		"POST /v1/campaigns/:id/enrollments": {path: id("/v1/campaigns/", w.Tenants[1].Reward, "/enrollments"), blind: []string{"consumer1", "consumer2"}}, // no such campaign
		"GET /v1/campaigns/:id/rewards":      {path: id("/v1/campaigns/", one.Campaign, "/rewards"), blind: other},
		"POST /v1/campaigns/:id/rewards":     {path: id("/v1/campaigns/", one.Campaign, "/rewards"), body: obj{"name": "Algo", "threshold": 1}, blind: other, refused: keepers},
		"PATCH /v1/rewards/:id":              {path: id("/v1/rewards/", one.Reward), body: obj{"threshold": 1}, blind: other, refused: keepers},
		"POST /v1/rewards/:id/redemptions":   {path: id("/v1/rewards/", one.Reward, "/redemptions")},
		"GET /v1/cpgs/:id/shops":             {path: id("/v1/cpgs/", one.CPG, "/shops"), blind: other},
		"GET /v1/segments/:id":               {path: id("/v1/segments/", one.Segment), blind: strangers},
		"PATCH /v1/segments/:id":             {path: id("/v1/segments/", one.Segment), body: obj{"name": "Robado"}, blind: strangers},
		"POST /v1/segments/:id/members":      {path: id("/v1/segments/", one.Segment, "/members"), body: obj{"card_codes": []any{w.Shoppers[1].Card}}, blind: strangers},
		"DELETE /v1/segments/:id/members":    {path: id("/v1/segments/", one.Segment, "/members"), body: obj{"card_codes": []any{w.Shoppers[1].Card}}, blind: strangers},
		"DELETE /v1/campaigns/:id/versions/:version": {
			path: id("/v1/campaigns/", one.Campaign, "/versions/7"), blind: []string{"marca2", "marca1"}, refused: keepers, // no such version
		},
		"PUT /v1/campaigns/:id/participants/:shop_id": {
			path: id("/v1/campaigns/", one.Campaign, "/participants/", string(keeper.Shop.ID)), body: obj{"status": "invited"}, blind: other, refused: keepers,
		},
		"PUT /v1/cpgs/:id/shops/:shop_id":         {path: id("/v1/cpgs/", one.CPG, "/shops/", string(keeper.Shop.ID)), body: obj{"active": true}, blind: other},
		"POST /v1/redemptions/:code/cancellation": {path: "/v1/redemptions/" + w.Redemption + "/cancellation", blind: []string{"consumer2"}},
		"POST /v1/purchases/:id/confirmation":     {path: id("/v1/purchases/", w.Purchase, "/confirmation"), body: obj{"mine": true}, blind: []string{"consumer2"}},
		"POST /v1/purchases/:id/reversal": {
			path: id("/v1/purchases/", w.Purchase, "/reversal"), blind: []string{"tendero2", "key"},
			body: obj{"reason": "Prueba", "items": []any{obj{"gtin": one.GTIN, "quantity": 900}}}, // more than there is
		},
		"PATCH /v1/staff/:id":                   {path: id("/v1/staff/", one.CPG), body: obj{"name": "X"}, blind: []string{"admin"}}, // no such staff
		"DELETE /v1/api-keys/:id":               {path: id("/v1/api-keys/", one.CPG), blind: []string{"admin"}},
		"GET /v1/purchases/:id":                 {path: id("/v1/purchases/", w.Purchase), blind: []string{"tendero2", "consumer2", "key"}},
		"GET /v1/cards/:code":                   {path: "/v1/cards/" + w.Shoppers[0].Card, blind: []string{"consumer2"}},
		"POST /v1/redemptions/:code/delivery":   {path: "/v1/redemptions/" + w.Redemption + "/delivery", body: obj{"shop_code": keeper.Shop.Code}, refused: []string{"tendero2"}},
		"POST /v1/cases/:id/close":              {path: id("/v1/cases/", w.Case, "/close")},
		"GET /v1/whatsapp/numbers/:id":          {path: id("/v1/whatsapp/numbers/", w.Number)},
		"PATCH /v1/whatsapp/numbers/:id":        {path: id("/v1/whatsapp/numbers/", w.Number), body: obj{"label": "Robado"}},
		"DELETE /v1/whatsapp/numbers/:id":       {path: id("/v1/whatsapp/numbers/", w.Number)},
		"GET /v1/whatsapp/numbers/:id/qr.png":   {path: id("/v1/whatsapp/numbers/", w.Number, "/qr.png")},
		"POST /v1/whatsapp/numbers/:id/pairing": {path: id("/v1/whatsapp/numbers/", w.Number, "/pairing")},
		"POST /v1/whatsapp/numbers":             {path: "/v1/whatsapp/numbers", body: obj{"label": "Colado"}},
		"POST /v1/outbox/:id/redrive":           {path: id("/v1/outbox/", w.Purchase, "/redrive")},
		"POST /v1/inbox/:id/redrive":            {path: id("/v1/inbox/", w.Purchase, "/redrive")},
		"POST /v1/jobs/:job/runs":               {path: "/v1/jobs/roi/runs"},
		"GET /v1/reports/roi":                   {path: "/v1/reports/roi?campaign_id=" + string(one.Campaign), blind: other},
		"GET /v1/reports/results":               {path: "/v1/reports/results?campaign_id=" + string(one.Campaign), blind: other},
		"POST /v1/purchases": {path: "/v1/purchases", refused: []string{"tendero2"}, body: obj{
			"shop_code": keeper.Shop.Code, "card_code": w.Shoppers[0].Card, "items": []any{obj{"gtin": one.GTIN, "quantity": 1}},
		}},
		// Making something for another tenant: no such company, to this caller.
		"POST /v1/brands":   {path: "/v1/brands", body: obj{"cpg_id": one.CPG, "name": "Colada"}},
		"POST /v1/products": {path: "/v1/products", body: obj{"brand_id": one.Brand, "gtin": "7501020513127", "name": "Colado"}},
		"POST /v1/campaigns": {path: "/v1/campaigns", body: obj{
			"cpg_id": one.CPG, "name": "Colada", "scheme": "stamps", "earn": []any{obj{"unit": "stamp", "per": "unit", "amount": 1}}, "goal": 5,
		}},
		"POST /v1/segments": {path: "/v1/segments", body: obj{"cpg_id": one.CPG, "name": "Colado"}},
	}
}

// TestPitfall_P40_AuthorizationMatrix calls every route as everybody.
func TestPitfall_P40_AuthorizationMatrix(t *testing.T) {
	w := apitest.New(t)
	all := samples(w)
	for _, r := range routes() {
		name := r.Method + " " + r.Path
		s, ok := all[name]
		if !ok {
			s = sample{path: r.Path}
			if r.Door == api.Bearer {
				require.NotContains(t, r.Path, ":", "%s names a thing: say in samples whose", name)
			}
		}
		delete(all, name)
		for _, who := range callers(w) {
			if r.Door != api.Bearer || who.role == loyalty.RoleAdmin && r.Method != http.MethodGet {
				continue // what admins write is TestEveryOperation's
			}
			t.Run(name+" by "+who.name, func(t *testing.T) {
				key := apitest.Key("matrix-" + who.name)
				res := w.On(t).As(who.token).Do(r.Method, s.path, s.body, key)
				switch allowed := who.role == loyalty.RoleAdmin || slices.Contains(r.Roles, who.role); {
				case who.role == "":
					assert.Equal(t, http.StatusUnauthorized, res.Status)
					assert.Contains(t, res.Header.Get("WWW-Authenticate"), "Bearer")
				case !allowed:
					assert.Equal(t, http.StatusForbidden, res.Status)
					assert.Contains(t, res.Text(), `"FORBIDDEN"`)
				case slices.Contains(s.blind, who.name):
					assert.Equal(t, http.StatusNotFound, res.Status, "what is another's does not exist: %s", res.Body)
				case slices.Contains(s.refused, who.name):
					assert.Equal(t, http.StatusForbidden, res.Status, "%s", res.Body)
				default:
					assert.NotEqual(t, http.StatusUnauthorized, res.Status)
					assert.NotEqual(t, http.StatusForbidden, res.Status, "%s", res.Body)
					if r.Method == http.MethodGet {
						assert.Equal(t, http.StatusOK, res.Status, "%s", res.Body)
					}
				}
				if who.name == "marca2" {
					for _, private := range []loyalty.ID{w.Tenants[0].CPG, w.Tenants[0].Brand, w.Tenants[0].Product, w.Tenants[0].Campaign, w.Tenants[0].Reward, w.Tenants[0].Segment} {
						assert.NotContains(t, res.Text(), `"`+string(private)+`"`, "marca2 sees what is marca1's")
					}
				}
			})
		}
	}
	assert.Empty(t, all, "samples of routes that are not in the table")
}

// snapshot is all of tenant 1 as an admin sees it.
func snapshot(w *apitest.World) string {
	text := ""
	for _, path := range []string{"cpgs/" + string(w.Tenants[0].CPG), "brands/" + string(w.Tenants[0].Brand), "products/" + string(w.Tenants[0].Product), "campaigns/" + string(w.Tenants[0].Campaign), "segments/" + string(w.Tenants[0].Segment), "cpgs/" + string(w.Tenants[0].CPG) + "/shops", "campaigns/" + string(w.Tenants[0].Campaign) + "/versions"} {
		text += w.As(w.Admin).Do("GET", "/v1/"+path, nil).Text()
	}
	return text
}

// TestPitfall_P40_ATenantCannotTouchAnother: nothing that marca2 tries leaves a
// trace in what is marca1's.
func TestPitfall_P40_ATenantCannotTouchAnother(t *testing.T) {
	w := apitest.New(t)
	before := snapshot(w)
	two := w.As(w.Tenants[1].Token)
	for name, s := range samples(w) {
		method, _, _ := strings.Cut(name, " ")
		if method == http.MethodGet || s.body == nil {
			continue
		}
		res := two.Do(method, s.path, s.body, apitest.Key("foreign"))
		assert.GreaterOrEqual(t, res.Status, 400, "%s: %s", name, res.Body)
	}
	// Nor does another's product or brand get into what is one's own.
	mine := "/v1/campaigns/" + string(w.Tenants[1].Campaign)
	code, fields := two.Problem(http.StatusBadRequest, "PATCH", mine, obj{"product_ids": []any{w.Tenants[0].Product}})
	assert.Equal(t, "VALIDATION_FAILED", code)
	assert.Equal(t, []string{"product_ids"}, fields)
	assert.Equal(t, before, snapshot(w))

	assert.Len(t, apitest.Data[[]thing](two, http.StatusOK, "GET", "/v1/cpgs", nil), 1)
	for _, list := range []string{"brands", "products", "campaigns", "segments"} {
		assert.Len(t, apitest.Data[[]thing](two, http.StatusOK, "GET", "/v1/"+list, nil), 1, list)
		assert.Empty(t, apitest.Data[[]thing](two, http.StatusOK, "GET", "/v1/"+list+"?cpg_id="+string(w.Tenants[0].CPG), nil), list)
	}
	page := w.Do("GET", "/marca/campanas/"+string(w.Tenants[0].Campaign)+"/resultados", nil, apitest.Cookie(w.Tenants[1].Page))
	assert.Equal(t, http.StatusNotFound, page.Status)
	assert.NotContains(t, page.Text(), "Junta 10")
}

// TestAShopSeesOfACardWhatIsItsOwn: law 11.
func TestAShopSeesOfACardWhatIsItsOwn(t *testing.T) {
	w := apitest.New(t)
	type wallet struct {
		Cards    []obj
		Balances []obj
	}
	path := "/v1/cards/" + w.Shoppers[0].Card
	own := apitest.Data[wallet](w.As(w.Keepers[0].Token), http.StatusOK, "GET", path, nil)
	assert.Len(t, own.Cards, 1)
	assert.Len(t, own.Balances, 1)
	foreign := apitest.Data[wallet](w.As(w.Keepers[1].Token), http.StatusOK, "GET", path, nil)
	assert.Empty(t, foreign.Cards)
	assert.Empty(t, foreign.Balances)
	for _, token := range []string{w.Keepers[0].Token, w.Keepers[1].Token, w.Key} {
		assert.NotContains(t, w.As(token).Do("GET", path, nil).Text(), "Ana")
	}
}

// TestPagesAskWhoIsThere is the matrix of the pages with a session.
func TestPagesAskWhoIsThere(t *testing.T) {
	w := apitest.New(t)
	sessions := map[string]struct {
		role  loyalty.Role
		token string
	}{
		"nobody": {}, "made up": {token: "qoa_pg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"marca": {loyalty.RoleCPG, w.Tenants[0].Page}, "tendero": {loyalty.RoleTendero, w.Keepers[0].Page}, "admin": {loyalty.RoleAdmin, w.AdminPage},
	}
	for _, r := range routes() {
		if r.Door != api.Cookie {
			continue
		}
		path := strings.NewReplacer(":job", "nudges", ":id", string(w.Case)).Replace(r.Path)
		for name, who := range sessions {
			t.Run(r.Method+" "+r.Path+" by "+name, func(t *testing.T) {
				res := w.On(t).Do(r.Method, path, "", apitest.Form(), apitest.Cookie(who.token))
				switch {
				case who.role == "" && r.Method == http.MethodGet && !strings.HasPrefix(r.Path, "/tienda"):
					assert.Equal(t, http.StatusSeeOther, res.Status)
					assert.Contains(t, res.Header.Get("Location"), "/login?next=")
				case who.role == "":
					assert.Equal(t, http.StatusUnauthorized, res.Status)
				case who.role != loyalty.RoleAdmin && !slices.Contains(r.Roles, who.role):
					assert.Equal(t, http.StatusForbidden, res.Status)
				default:
					assert.NotEqual(t, http.StatusForbidden, res.Status, "%s", res.Body)
					assert.NotEqual(t, http.StatusUnauthorized, res.Status)
				}
				switch {
				case r.File && res.Status == http.StatusOK:
					assert.Contains(t, res.Header.Get("Content-Disposition"), `attachment; filename="qoa_`)
				case res.Status < 300 || res.Status >= 400:
					assert.Contains(t, res.Header.Get("Content-Type"), "text/html")
				}
				assert.Contains(t, res.Header.Get("X-Robots-Tag"), "noindex")
				assert.Equal(t, "no-store", res.Header.Get("Cache-Control"))
			})
		}
	}
}

// TestFormsOfOtherSitesAreRefused: a page that another site shows cannot post
// to ours with our cookie.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	w := apitest.New(t)
	fill := strings.NewReplacer(":job", "nudges", ":id", string(w.Case))
	for _, r := range routes() {
		if !r.Page || r.Method != http.MethodPost || r.Door == api.Secret {
			continue
		}
		path := fill.Replace(r.Path)
		for _, foreign := range [][2]string{{"https://malo.example", ""}, {"null", ""}, {"null", "cross-site"}, {"", "cross-site"}, {"", "same-site"}} {
			options := []apitest.Option{apitest.Form(), apitest.Cookie(w.AdminPage)}
			for i, header := range []string{"Origin", "Sec-Fetch-Site"} {
				if foreign[i] != "" {
					options = append(options, apitest.With(header, foreign[i]))
				}
			}
			res := w.Do("POST", path, "", options...)
			assert.Equal(t, http.StatusForbidden, res.Status, "%s from %q", r.Path, foreign)
		}
		for _, own := range [][2]string{{"Origin", w.Base}, {"Sec-Fetch-Site", "same-origin"}} {
			body := url.Values{"email": {"x"}, "reward": {"x"}}.Encode()
			res := w.Do("POST", path, body, apitest.Form(), apitest.Cookie(w.AdminPage), apitest.With(own[0], own[1]))
			assert.NotContains(t, res.Text(), "otro sitio", r.Path)
		}
	}
	assert.NotEmpty(t, w.Jobs.Runs, "our own form did run the job")
}

// TestASecretAddressNeedsNoOrigin: its pages send no referrer, so that a browser
// without Sec-Fetch-Site calls their own forms' origin null.
func TestASecretAddressNeedsNoOrigin(t *testing.T) {
	w := apitest.New(t)
	body := url.Values{"reward": {string(w.Tenants[0].Reward)}, "campaign": {string(w.Tenants[0].Campaign)}}.Encode()
	for _, r := range routes() {
		if r.Method != http.MethodPost || r.Door != api.Secret {
			continue
		}
		path := strings.Replace(r.Path, "/c/:secret/:card", w.Shoppers[0].URL, 1)
		res := w.Do("POST", path, body, apitest.Form(), apitest.With("Origin", "null"))
		assert.Equal(t, http.StatusSeeOther, res.Status, "%s: %s", r.Path, res.Body)
	}
}
