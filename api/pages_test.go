package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// form posts a form as a browser does from our own page.
func form(w *apitest.World, path, cookie string, fields ...string) apitest.Response {
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return w.Do("POST", path, values.Encode(), apitest.Form(), apitest.Cookie(cookie), apitest.With("Origin", w.Base))
}

// cookieOf is the session that an answer set.
func cookieOf(t *testing.T, res apitest.Response) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: res.Header}).Cookies() {
		if c.Name == "qoa_session" {
			return c
		}
	}
	t.Fatalf("no session cookie: %d %s", res.Status, res.Body)
	return nil
}

func TestPitfall_P47_TheCounterQRLeadsToTheChat(t *testing.T) {
	w := apitest.New(t)
	code := w.Keepers[0].Shop.Code
	for _, path := range []string{"/q/" + code, "/q/" + strings.ToLower(code), "/q/" + code[:3] + "-" + code[3:]} {
		res := w.Do("GET", path, nil)
		assert.Equal(t, http.StatusFound, res.Status)
		assert.Equal(t, "https://wa.me/525599999999?text=Quiero%20crear%20mi%20tarjeta%20de%20puntos%20de%20Abarrotes%20Lupita%20%28"+code+"%29", res.Header.Get("Location"))
	}
	assert.Equal(t, http.StatusFound, w.Do("HEAD", "/q/"+code, nil).Status, "looked at by a program, visited by nobody")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		today, err := tx.ShopToday(ctx, loyalty.System(), w.Keepers[0].Shop.ID)
		require.NoError(t, err)
		assert.Equal(t, int64(3), today.Visits)
	})
	// A name with signs of its own stays one text.
	apitest.Data[thing](w.As(w.Admin), 200, "PATCH", "/v1/shops/"+string(w.Keepers[1].Shop.ID), obj{"name": "Tacos & Más + 100% #1"})
	u, err := url.Parse(w.Do("GET", "/q/"+w.Keepers[1].Shop.Code, nil).Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, "Quiero crear mi tarjeta de puntos de Tacos & Más + 100% #1 ("+w.Keepers[1].Shop.Code+")", u.Query().Get("text"))

	apitest.Data[thing](w.As(w.Admin), 200, "PATCH", "/v1/shops/"+string(w.Keepers[1].Shop.ID), obj{"active": false})
	for _, path := range []string{"/q/" + w.Keepers[1].Shop.Code, "/q/000000", "/q/hola", "/q/%00"} {
		res := w.Do("GET", path, nil)
		assert.Equal(t, http.StatusNotFound, res.Status, path)
		assert.Contains(t, res.Text(), "Esta tienda no está en Qoa", path)
	}
}

func TestPitfall_P22_TheChatLinkOpensTheOwnCard(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	res := w.Do("GET", ana.URL, nil)
	require.Equal(t, http.StatusOK, res.Status)
	for _, text := range []string{"Ana", loyalty.FormatCode(ana.Card), "Abarrotes Lupita", "Junta 10", "Refresco de cola 600 ml", "12 × Refresco", "12 sellos", loyalty.FormatCode(w.Redemption), `data-events="` + ana.URL + "/events", "1 sello por pieza"} {
		assert.Contains(t, res.Text(), text)
	}
	assert.Equal(t, templates.ContentSecurityPolicy, res.Header.Get("Content-Security-Policy"))
	assert.Equal(t, "no-referrer", res.Header.Get("Referrer-Policy"))
	assert.Contains(t, res.Header.Get("X-Robots-Tag"), "noindex")
	assert.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	fragment := w.Do("GET", ana.URL+"/fragment", nil)
	assert.Equal(t, http.StatusOK, fragment.Status)
	assert.NotContains(t, fragment.Text(), "<html")
	assert.Contains(t, fragment.Text(), "Junta 10")

	// The bare card is the same page for any code, and names nobody.
	public := w.Do("GET", "/c/"+ana.Card, nil)
	assert.Equal(t, http.StatusOK, public.Status)
	for _, private := range []string{"Ana", "López", "sellos</", "Abarrotes", "Junta 10", "5512345670"} {
		assert.NotContains(t, public.Text(), private)
	}
	nobody := w.Do("GET", "/c/00000000", nil)
	assert.Equal(t, strings.ReplaceAll(public.Text(), ana.Card, "X"),
		strings.ReplaceAll(strings.ReplaceAll(nobody.Text(), "00000000", "X"), loyalty.FormatCode("00000000"), loyalty.FormatCode(ana.Card)))
	assert.Equal(t, http.StatusNotFound, w.Do("GET", "/c/hola", nil).Status)

	// A wrong secret, another's secret, a revoked one.
	secret, other := strings.Split(ana.URL, "/")[2], strings.Split(w.Shoppers[1].URL, "/")[2]
	dead := []string{"/c/" + other + "/" + ana.Card, "/c/AAAAAAAAAAAAAAAAAAAAAA/" + ana.Card, "/c/" + secret + "/" + w.Shoppers[1].Card, "/c/" + secret + "/hola", "/c/%00/" + ana.Card}
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, _, err := tx.ReissueLink(ctx, ana.Person)
		require.NoError(t, err)
	})
	for _, path := range append(dead, ana.URL) {
		for _, end := range []string{"", "/fragment", "/events"} {
			res := w.Do("GET", path+end, nil)
			assert.Equal(t, http.StatusNotFound, res.Status, path+end)
			assert.Contains(t, res.Text(), "Pide tu enlace de nuevo", path+end)
			assert.NotContains(t, res.Text(), "Junta 10", path+end)
		}
		assert.Equal(t, http.StatusNotFound, form(w, path+"/evidence", "").Status)
		assert.Equal(t, http.StatusNotFound, form(w, path+"/redemptions", "", "reward", string(w.Tenants[0].Reward)).Status)
	}
}

func TestCardPageFirstLoadIsUnder100KB(t *testing.T) {
	w := apitest.New(t)
	page := w.Do("GET", w.Shoppers[0].URL, nil)
	total := len(page.Body)
	for _, found := range regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`).FindAllStringSubmatch(page.Text(), -1) {
		res := w.Do("GET", found[1], nil, apitest.With("Accept-Encoding", "gzip"))
		require.Equal(t, http.StatusOK, res.Status)
		if !strings.HasSuffix(found[1], ".png") { // which is packed already
			assert.Equal(t, "gzip", res.Header.Get("Content-Encoding"))
		}
		assert.Contains(t, res.Header.Get("Cache-Control"), "immutable")
		total += len(res.Body)
	}
	assert.Less(t, total, 100_000)
	t.Logf("%d bytes", total)
	assert.Equal(t, http.StatusNotFound, w.Do("GET", "/static/app.css", nil).Status)
	assert.Equal(t, http.StatusNotFound, w.Do("GET", "/static/..%2f..%2fgo.mod", nil).Status)
}

func TestCardPageForms(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	res := form(w, ana.URL+"/evidence", "")
	assert.Equal(t, http.StatusSeeOther, res.Status)
	assert.Equal(t, ana.URL+"#evidence", res.Header.Get("Location"))
	form(w, ana.URL+"/evidence", "") // a double tap is the same code
	codes := regexp.MustCompile(`E[0-9A-Z]{3}-[0-9A-Z]{4}`).FindAllString(w.Do("GET", ana.URL, nil).Text(), -1)
	require.Len(t, codes, 1)

	// Not enough, then enough; asked twice, paid once.
	redeem := func(reward string) string {
		return form(w, ana.URL+"/redemptions", "", "reward", reward).Header.Get("Location")
	}
	reward := string(w.Tenants[0].Reward)
	deliver := form(w, "/tienda/entrega", w.Keepers[0].Page, "shop", w.Keepers[0].Shop.Code, "code", w.Redemption)
	require.Equal(t, http.StatusOK, deliver.Status, deliver.Text())
	notReady := redeem(reward)
	assert.Equal(t, ana.URL+"?aviso=REWARD_NOT_READY", notReady)
	assert.Contains(t, w.Do("GET", notReady, nil).Text(), "Todavía no juntas lo necesario")
	assert.Equal(t, ana.URL+"?aviso=NOT_FOUND", redeem("hola"))
	assert.Equal(t, ana.URL+"?aviso=NOT_FOUND", redeem(string(w.Tenants[1].Reward)))
	sold := w.As(w.Key).Do("POST", "/v1/purchases", change(w, item(w.Tenants[0].GTIN, 20, nil)), apitest.Key("more"))
	require.Equal(t, http.StatusCreated, sold.Status)
	assert.Equal(t, ana.URL, redeem(reward))
	assert.Equal(t, ana.URL, redeem(reward))
	codes = regexp.MustCompile(`R[0-9A-Z]{3}-[0-9A-Z]{4}`).FindAllString(w.Do("GET", ana.URL, nil).Text(), -1)
	assert.Len(t, codes, 1)
	// Words on the page come from our list, not from the address.
	assert.NotContains(t, w.Do("GET", ana.URL+"?aviso=Llama+al+900", nil).Text(), "900")
}

// A campaign on request begins with a button on the card, and only then.
func TestACampaignOnRequestIsJoinedFromTheCard(t *testing.T) {
	w := apitest.New(t)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.ChangeCampaign(ctx, loyalty.System(), w.Tenants[1].Campaign, store.CampaignChange{Apply: func(t *loyalty.Terms) {
			t.Enrolment, t.Shops = loyalty.OnRequest, append(t.Shops, w.Keepers[0].Shop.ID)
		}})
		require.NoError(t, err)
	})
	ana := w.Shoppers[0]
	require.Contains(t, w.Do("GET", ana.URL, nil).Text(), "Quiero participar")
	assert.Equal(t, ana.URL+"?aviso=CAMPAIGN_NOT_FOUND", form(w, ana.URL+"/enrollments", "", "campaign", string(w.Tenants[0].Reward)).Header.Get("Location"))
	assert.Equal(t, ana.URL+"?aviso=CAMPAIGN_NOT_FOUND", form(w, ana.URL+"/enrollments", "", "campaign", "x").Header.Get("Location"))
	for range 2 { // a double tap
		assert.Equal(t, ana.URL, form(w, ana.URL+"/enrollments", "", "campaign", string(w.Tenants[1].Campaign)).Header.Get("Location"))
	}
	assert.NotContains(t, w.Do("GET", ana.URL, nil).Text(), "Quiero participar")
}

// events opens a card's event stream and gives its lines.
func events(t *testing.T, w *apitest.World, path string) (<-chan string, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Base+path, nil)
	require.NoError(t, err)
	// A client of its own: the connection ends with the stream.
	res, err := (&http.Client{Transport: &http.Transport{}}).Do(req)
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer res.Body.Close()
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return lines, cancel
}

func wait(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	for timeout := time.After(10 * time.Second); ; {
		select {
		case line, ok := <-lines:
			require.True(t, ok, "the stream ended before %q", want)
			if strings.HasPrefix(line, want) {
				return
			}
		case <-timeout:
			t.Fatalf("no %q", want)
		}
	}
}

func TestTheCardPageHearsOfAPurchase(t *testing.T) {
	w := apitest.New(t)
	ana, cancelAna := events(t, w, w.Shoppers[0].URL+"/events")
	luis, cancelLuis := events(t, w, w.Shoppers[1].URL+"/events")
	defer cancelLuis()
	wait(t, ana, "retry:")
	wait(t, luis, "retry:")
	require.Equal(t, 2, w.Cards.Open())
	res := w.As(w.Key).Do("POST", "/v1/purchases", change(w, nil), apitest.Key("e1"))
	require.Equal(t, http.StatusCreated, res.Status)
	wait(t, ana, "event: changed")
	select {
	case line := <-luis:
		assert.NotContains(t, line, "changed", "another's purchase")
	default:
	}
	// Who goes is noticed at the next writing: rings stand in for the heartbeat.
	cancelAna()
	require.Eventually(t, func() bool {
		w.Cards.Ring(t.Context(), []store.Event{{Kind: store.CardChanged, ID: w.Shoppers[0].Person}})
		return w.Cards.Open() == 1
	}, 10*time.Second, 20*time.Millisecond)
	// A server that drains ends the rest.
	require.NoError(t, w.API.Shutdown(t.Context()))
	for range luis {
	}
	require.Eventually(t, func() bool { return w.Cards.Open() == 0 }, 10*time.Second, 10*time.Millisecond)
}

func TestATenderoSellsOnThePage(t *testing.T) {
	w := apitest.New(t)
	keeper := w.Keepers[0]
	opened := w.Do("GET", "/t/"+keeper.Link, nil)
	assert.Equal(t, http.StatusSeeOther, opened.Status)
	assert.Equal(t, "/tienda", opened.Header.Get("Location"))
	cookie := cookieOf(t, opened)
	assert.True(t, cookie.HttpOnly)
	assert.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	assert.False(t, cookie.Secure, "this world is not on https")
	assert.Equal(t, 30*24*3600, cookie.MaxAge)

	page := w.Do("GET", "/tienda?code="+w.Shoppers[0].Card, nil, apitest.Cookie(cookie.Value))
	require.Equal(t, http.StatusOK, page.Status)
	for _, text := range []string{"Abarrotes Lupita", "Refresco de cola 600 ml", "1 sello por pieza", "$18.50", `value="` + w.Shoppers[0].Card + `"`, "/v1/shops/" + keeper.Shop.Code + "/poster.pdf"} {
		assert.Contains(t, page.Text(), text)
	}
	assert.NotContains(t, page.Text(), "Papas", "not sold in a campaign here")
	key := regexp.MustCompile(`name="key" value="([0-9a-f]{32})"`).FindStringSubmatch(page.Text())
	require.Len(t, key, 2)

	gtin := w.Tenants[0].GTIN
	sale := []string{"key", key[1], "shop", keeper.Shop.Code, "code", w.Base + "/c/" + w.Shoppers[1].Card, "qty_" + gtin, "2", "price_" + gtin, "$17.50", "qty_7501020513127", "0"}
	saved := form(w, "/tienda", cookie.Value, sale...)
	require.Equal(t, http.StatusOK, saved.Status, saved.Text())
	assert.Contains(t, saved.Text(), "Venta guardada")
	assert.Contains(t, saved.Text(), "2 sellos")
	assert.NotContains(t, saved.Text(), key[1], "the next sale has a key of its own")
	again := form(w, "/tienda", cookie.Value, sale...)
	assert.Contains(t, again.Text(), "Esa venta ya estaba guardada")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		all, err := tx.History(ctx, w.Shoppers[1].Person, 5)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, loyalty.Cents(3500), all[0].TotalCents)
		assert.Equal(t, store.ChannelScan, all[0].Channel)
		assert.Equal(t, "scan", all[0].Captured, "a reader types the whole address")
	})

	for words, c := range map[string]struct {
		status int
		fields []string
	}{
		"Revisa los datos":       {400, []string{"code", "ABCD", "qty_" + gtin, "1"}},
		"Dinos qué compró":       {400, []string{"code", w.Shoppers[0].Card}},
		"número entero":          {400, []string{"code", w.Shoppers[0].Card, "qty_" + gtin, "dos"}},
		"escribe pesos":          {400, []string{"code", w.Shoppers[0].Card, "qty_" + gtin, "1", "price_" + gtin, "caro"}},
		"no está en el catálogo": {422, []string{"code", w.Shoppers[0].Card, "gtin", "7501020513127"}},
		"No encontramos esa":     {404, []string{"code", "00000000", "qty_" + gtin, "1"}},
		"permiso":                {403, []string{"code", w.Shoppers[0].Card, "qty_" + gtin, "1", "shop", w.Keepers[1].Shop.Code}},
	} {
		res := form(w, "/tienda", cookie.Value, append([]string{"key", "keep-me", "shop", keeper.Shop.Code}, c.fields...)...)
		assert.Equal(t, c.status, res.Status, words)
		assert.Contains(t, res.Text(), words)
		assert.Contains(t, res.Text(), "No se guardó la venta")
		assert.Contains(t, res.Text(), `value="keep-me"`, "a second try has the same key")
	}

	// The browser's Back brings a page with a spent key. The next try passes.
	other := append([]string{}, sale...)
	other[7] = "3" // quantity
	back := form(w, "/tienda", cookie.Value, other...)
	assert.Equal(t, http.StatusUnprocessableEntity, back.Status)
	assert.Contains(t, back.Text(), "Esa venta ya se guardó. Si es otra, revisa y vuelve a enviar.")
	assert.Contains(t, back.Text(), `value="3"`)
	fresh := regexp.MustCompile(`name="key" value="([0-9a-f]{32})"`).FindStringSubmatch(back.Text())
	require.Len(t, fresh, 2)
	assert.NotEqual(t, key[1], fresh[1])
	other[1] = fresh[1]
	assert.Contains(t, form(w, "/tienda", cookie.Value, other...).Text(), "Venta guardada")
	lost := form(w, "/tienda", cookie.Value, append([]string{"key", ""}, sale[2:]...)...)
	assert.Equal(t, http.StatusBadRequest, lost.Status)
	assert.NotContains(t, lost.Text(), "Idempotency")
	assert.Regexp(t, `name="key" value="[0-9a-f]{32}"`, lost.Text())

	// A shopkeeper reads no name of a field.
	odd := form(w, "/tienda", cookie.Value, "key", "k", "shop", keeper.Shop.Code, "code", "hola",
		"qty_"+gtin, "1000", "price_"+gtin, "999999999", "gtin", "123", "gtin_qty", "-1")
	assert.Equal(t, http.StatusBadRequest, odd.Status)
	for _, text := range []string{"El código del cliente: no es", "Las piezas de Refresco de cola 600 ml: debe ser de 1 a 999", "El precio de Refresco de cola 600 ml: escribe los pesos", "El código 123: no es un código de barras", "Las piezas del código 123"} {
		assert.Contains(t, odd.Text(), text)
	}
	for _, name := range []string{"items[", "unit_price", "card_code", "centavos"} {
		assert.NotContains(t, odd.Text(), name)
	}

	delivered := form(w, "/tienda/entrega", cookie.Value, "shop", keeper.Shop.Code, "code", w.Redemption)
	assert.Contains(t, delivered.Text(), "Premio entregado")
	twice := form(w, "/tienda/entrega", cookie.Value, "shop", keeper.Shop.Code, "code", w.Redemption)
	assert.Equal(t, http.StatusConflict, twice.Status)
	assert.Contains(t, twice.Text(), "ya se entregó")

	out := form(w, "/tienda/logout", cookie.Value)
	assert.Equal(t, http.StatusSeeOther, out.Status)
	assert.True(t, cookieOf(t, out).Expires.Before(w.Clock.Now()))
	assert.Equal(t, http.StatusUnauthorized, w.Do("GET", "/tienda", nil, apitest.Cookie(cookie.Value)).Status)

	for _, link := range []string{"nada", keeper.Link + "x", "%00"} {
		res := w.Do("GET", "/t/"+link, nil)
		assert.Equal(t, http.StatusGone, res.Status)
		assert.Contains(t, res.Text(), "Este enlace ya no sirve")
	}
	w.Clock.Advance(25 * time.Hour)
	assert.Equal(t, http.StatusGone, w.Do("GET", "/t/"+keeper.Link, nil).Status)
}

func TestABrandSeesItsReturn(t *testing.T) {
	w := apitest.New(t)
	entered := form(w, "/marca/login", "", "email", w.Tenants[0].Email, "password", apitest.Password, "next", "/marca/pedidos?from=2026-11-01")
	assert.Equal(t, http.StatusSeeOther, entered.Status)
	assert.Equal(t, "/marca/pedidos?from=2026-11-01", entered.Header.Get("Location"))
	cookie := cookieOf(t, entered).Value
	w.Tx(t, func(ctx context.Context, tx *store.Tx) { require.NoError(t, tx.RollupSales(ctx, time.Time{})) })
	results := "/marca/campanas/" + string(w.Tenants[0].Campaign) + "/resultados"
	front := w.Do("GET", "/marca", nil, apitest.Cookie(cookie))
	require.Equal(t, http.StatusOK, front.Status)
	for _, text := range []string{"Bebidas del Valle", "Junta 10", "1 compra en 28 días", `href="` + results + `"`} {
		assert.Contains(t, front.Text(), text)
	}
	assert.Equal(t, results, w.Do("GET", "/marca?campaign="+string(w.Tenants[0].Campaign), nil, apitest.Cookie(cookie)).Header.Get("Location"), "an older message's link")
	page := w.Do("GET", results, nil, apitest.Cookie(cookie))
	require.Equal(t, http.StatusOK, page.Status)
	for _, text := range []string{"Bebidas del Valle", "Junta 10", "sin grupo de control", "$222.00", "35 %", "<svg", "Abarrotes Lupita", "Refresco de cola 600 ml"} {
		assert.Contains(t, page.Text(), text)
	}
	for _, private := range []string{"Ana", w.Shoppers[0].Card, loyalty.FormatCode(w.Shoppers[0].Card), "551234567", "Puntos crujientes"} {
		assert.NotContains(t, front.Text()+page.Text(), private, "a brand sees no person and no other brand")
	}
	assert.Equal(t, http.StatusBadRequest, w.Do("GET", results+"?from=ayer", nil, apitest.Cookie(cookie)).Status)

	// The weeks add up to the report.
	report := apitest.Data[obj](w.As(w.Tenants[0].Token), 200, "GET", "/v1/reports/roi?campaign_id="+string(w.Tenants[0].Campaign), nil)
	var cost int64
	for _, found := range regexp.MustCompile(`Costo \(premios y cuota\): \$([0-9,]+)\.([0-9]{2}) en total`).FindAllStringSubmatch(page.Text(), 1) {
		_, err := fmt.Sscan(strings.ReplaceAll(found[1], ",", "")+found[2], &cost)
		require.NoError(t, err)
	}
	assert.EqualValues(t, report["fee_cents"].(float64)+report["rewards_cents"].(float64), cost)

	wrong := form(w, "/marca/login", "", "email", w.Tenants[0].Email, "password", "no-es-esta-frase")
	assert.Equal(t, http.StatusUnauthorized, wrong.Status)
	assert.Contains(t, wrong.Text(), "no coinciden")
	assert.Contains(t, wrong.Text(), `value="`+w.Tenants[0].Email+`"`)
	for _, next := range []string{"https://malo.example/marca", "//malo.example/marca", "/admin", "/c/x", `/\malo.example`, "javascript:alert(1)"} {
		res := form(w, "/marca/login", "", "email", w.Tenants[0].Email, "password", apitest.Password, "next", next)
		assert.Equal(t, "/marca", res.Header.Get("Location"), next)
	}
	assert.Equal(t, http.StatusSeeOther, form(w, "/marca/logout", cookie).Status)
	assert.Equal(t, http.StatusSeeOther, w.Do("GET", "/marca", nil, apitest.Cookie(cookie)).Status)
}

func TestAnAdminRunsAJob(t *testing.T) {
	w := apitest.New(t)
	page := w.Do("GET", "/admin/trabajos", nil, apitest.Cookie(w.AdminPage))
	require.Equal(t, http.StatusOK, page.Status)
	assert.Contains(t, page.Text(), "/admin/trabajos/digests/ejecutar")
	ran := form(w, "/admin/trabajos/digests/ejecutar", w.AdminPage)
	assert.Equal(t, http.StatusSeeOther, ran.Status)
	assert.Equal(t, []string{"digests"}, w.Jobs.Runs)
	assert.Contains(t, w.Do("GET", ran.Header.Get("Location"), nil, apitest.Cookie(w.AdminPage)).Text(), "se enviarán 3 mensajes")
	assert.Equal(t, http.StatusNotFound, form(w, "/admin/trabajos/nada/ejecutar", w.AdminPage).Status)
}

// TestAnAdminClosesACase: what somebody asked for on the phone is seen, by the
// card and not the name, until it is settled.
func TestAnAdminClosesACase(t *testing.T) {
	w := apitest.New(t)
	w.Clock.Advance(75 * time.Hour)
	admin := ""
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		staff, _, err := tx.StaffMembers(ctx, loyalty.System(), store.Page{Limit: 10})
		require.NoError(t, err)
		i := slices.IndexFunc(staff, func(v store.Staff) bool { return v.Role == loyalty.RoleAdmin })
		admin, err = tx.IssuePageSession(ctx, staff[i].Scope())
		require.NoError(t, err)
	})
	page := w.Do("GET", "/admin/casos", nil, apitest.Cookie(admin)).Text()
	action := "/admin/casos/" + string(w.Case) + "/cerrar"
	for _, text := range []string{"Falta un sello", "No me dieron mi &lt;sello&gt;", "hace 3 días", loyalty.FormatCode(w.Shoppers[0].Card), action} {
		assert.Contains(t, page, text)
	}
	assert.NotContains(t, page, "Ana López")
	for range 2 { // a double tap
		closed := form(w, action, admin)
		require.Equal(t, http.StatusSeeOther, closed.Status)
		after := w.Do("GET", closed.Header.Get("Location"), nil, apitest.Cookie(admin)).Text()
		assert.Contains(t, after, "quedó cerrado")
		assert.NotContains(t, after, action)
		assert.Contains(t, after, "Nadie espera respuesta")
	}
	assert.Equal(t, http.StatusNotFound, form(w, "/admin/casos/"+string(w.Purchase)+"/cerrar", admin).Status)
	assert.Equal(t, http.StatusNotFound, form(w, "/admin/casos/x/cerrar", admin).Status)
}

func TestPlainPages(t *testing.T) {
	w := apitest.New(t)
	for path, words := range map[string]string{"/": "tiendita", "/privacidad": "Qoa Pruebas", "/docs": "API", "/marca/login": "Contraseña", "/admin/login": "Contraseña"} {
		res := w.Do("GET", path, nil)
		assert.Equal(t, http.StatusOK, res.Status, path)
		assert.Contains(t, res.Text(), words, path)
		assert.Equal(t, templates.ContentSecurityPolicy, res.Header.Get("Content-Security-Policy"), path)
	}
	html := apitest.With("Accept", "text/html,application/xhtml+xml")
	lost := w.Do("GET", "/no/hay", nil, html)
	assert.Equal(t, http.StatusNotFound, lost.Status)
	assert.Contains(t, lost.Text(), "Aquí no hay nada")
	assert.Contains(t, w.Do("GET", "/v1/nada", nil, html).Header.Get("Content-Type"), "problem+json")
	assert.Contains(t, w.Do("GET", "/no/hay", nil).Header.Get("Content-Type"), "problem+json")
}

type broken struct{ *apitest.Jobs }

func (broken) RunJob(context.Context, string, *time.Time) (int, error) {
	panic(fmt.Sprintf("boom: %s", "un secreto"))
}

// TestAPanicIsAnswered, and tells the caller nothing of us.
func TestAPanicIsAnswered(t *testing.T) {
	w := apitest.New(t, func(d *api.Deps) { d.Jobs = broken{} })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Base+"/v1/jobs/roi/runs", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+w.Admin)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
	assert.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	var body strings.Builder
	_, err = bufio.NewReader(res.Body).WriteTo(&body)
	require.NoError(t, err)
	assert.Contains(t, body.String(), `"code":"INTERNAL"`)
	assert.NotContains(t, body.String(), "secreto")
	assert.Contains(t, w.Log.String(), "boom")
	assert.Equal(t, http.StatusOK, w.Do("GET", "/health/live", nil).Status)
}
