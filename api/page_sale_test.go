package api_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// stampsOf is a consumer's balance in the first tenant's campaign.
func stampsOf(t *testing.T, w *apitest.World, person loyalty.ID) (n int64) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		wallet, err := tx.Wallet(ctx, person)
		require.NoError(t, err)
		for _, b := range wallet.Balances {
			if b.ID == w.Tenants[0].Campaign {
				n = b.Balance
			}
		}
	})
	return n
}

// A tendero takes a sale back by item and then whole, after being asked.
func TestATenderoTakesASaleBack(t *testing.T) {
	w := apitest.New(t)
	keeper, self := w.Keepers[0], "/tienda/ventas/"+string(w.Purchase)
	assert.Contains(t, get(w, "/tienda", keeper.Page).Text(), self)
	assert.Contains(t, get(w, "/tienda/ventas", keeper.Page).Text(), self)
	assert.NotContains(t, get(w, "/tienda/ventas", w.Keepers[1].Page).Text(), self)
	require.EqualValues(t, 2, stampsOf(t, w, w.Shoppers[0].Person), "12 less the reward that was asked for")

	action, gtin := self+"/devolucion", w.Tenants[0].GTIN
	typed := fieldsOf(t, get(w, self, keeper.Page), action)
	assert.Equal(t, "12", typed.Get("qty_"+gtin), "all that is left")
	for words, change := range map[string][2]string{
		"escribe por qué": {"reason", ""}, "número entero": {"qty_" + gtin, "tres"}, "cuántas piezas": {"qty_" + gtin, "0"},
	} {
		odd := with(typed, "reason", "Rota", change[0], change[1])
		res := post(w, action, keeper.Page, odd)
		assert.Equal(t, http.StatusBadRequest, res.Status, words)
		assert.Contains(t, res.Text(), words[1:])
	}
	typed = with(typed, "reason", "Venía <rota>", "qty_"+gtin, "3")
	sure := post(w, action, keeper.Page, typed)
	assert.Contains(t, sure.Text(), "¿Devolver 3 × Refresco de cola 600 ml?")
	assert.EqualValues(t, 2, stampsOf(t, w, w.Shoppers[0].Person), "only asked")
	confirmed := fieldsOf(t, sure, action)
	for range 2 { // a double tap
		done := post(w, action, keeper.Page, confirmed)
		require.Equal(t, http.StatusSeeOther, done.Status, done.Text())
	}
	assert.EqualValues(t, -1, stampsOf(t, w, w.Shoppers[0].Person))
	page := get(w, self+"?hecho=devuelta", keeper.Page).Text()
	for _, text := range []string{"Devolución guardada", "quedan 9", "3 × Refresco de cola 600 ml", "−3 sellos en Junta 10", "Venía &lt;rota&gt;"} {
		assert.Contains(t, page, text)
	}
	assert.Contains(t, w.Do("GET", w.Shoppers[0].URL, nil).Text(), "tus próximas compras lo emparejan")

	typed = with(fieldsOf(t, get(w, self, keeper.Page), action), "reason", "Toda", "qty_"+gtin, "10", "confirmed", "1")
	more := post(w, action, keeper.Page, typed)
	assert.Equal(t, http.StatusUnprocessableEntity, more.Status)
	assert.Contains(t, more.Text(), `value="10"`)
	require.Equal(t, http.StatusSeeOther, post(w, action, keeper.Page, with(typed, "qty_"+gtin, "9")).Status)
	page = get(w, self, keeper.Page).Text()
	assert.Contains(t, page, `<span class="pill">devuelta</span>`)
	assert.NotContains(t, page, action)

	// Another shop's sale is not there; an admin finds any.
	assert.Equal(t, http.StatusNotFound, get(w, self, w.Keepers[1].Page).Status)
	assert.Equal(t, http.StatusNotFound, post(w, action, w.Keepers[1].Page, typed).Status)
	found := get(w, "/admin/ventas?id="+string(w.Purchase), w.AdminPage)
	assert.Equal(t, "/admin/ventas/"+string(w.Purchase), found.Header.Get("Location"))
	assert.Contains(t, get(w, found.Header.Get("Location"), w.AdminPage).Text(), "Abarrotes Lupita")
	assert.Contains(t, get(w, "/admin/ventas?id=nada", w.AdminPage).Text(), "No es un identificador")
}

// with is a copy of a form with other values.
func with(typed url.Values, more ...string) url.Values {
	out := url.Values{}
	for k, v := range typed {
		out[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		out.Set(more[i], more[i+1])
	}
	return out
}

func TestAnAdminAdjustsABalance(t *testing.T) {
	w := apitest.New(t)
	const path = "/admin/ajustes"
	typed := fieldsOf(t, get(w, path, w.AdminPage), path)
	wrong := post(w, path, w.AdminPage, with(typed, "card_code", "X", "campaign_id", string(w.Tenants[0].Campaign), "amount", "0", "reason", "Porque <sí>"))
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	for _, text := range []string{`id="f-card_code-e"`, `id="f-amount-e"`, "Porque &lt;sí&gt;", `value="X"`} {
		assert.Contains(t, wrong.Text(), text)
	}
	assert.Equal(t, http.StatusBadRequest, post(w, path, w.AdminPage, with(typed, "card_code", w.Shoppers[1].Card, "amount", "4", "reason", "Falló", "campaign_id", "")).Status)
	good := with(typed, "card_code", w.Shoppers[1].Card, "campaign_id", string(w.Tenants[0].Campaign), "amount", "4", "reason", "El sistema falló")
	for range 2 { // a double tap
		require.Equal(t, path+"?hecho=ajuste", post(w, path, w.AdminPage, good).Header.Get("Location"))
	}
	assert.EqualValues(t, 4, stampsOf(t, w, w.Shoppers[1].Person))
}

// A typed card code waits for the consumer where the campaign says so; a scanned
// one does not. The card page asks, and the answer counts once.
func TestATypedCodeWaitsForTheConsumer(t *testing.T) {
	w := apitest.New(t)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.ChangeCampaign(ctx, loyalty.System(), w.Tenants[0].Campaign, store.CampaignChange{
			Apply: func(t *loyalty.Terms) { t.Pending = &loyalty.Pending{Hours: 24} },
		})
		require.NoError(t, err)
	})
	luis, keeper := w.Shoppers[1], w.Keepers[0]
	sell := func(page apitest.Response, code string) string {
		typed := fieldsOf(t, page, "/tienda")
		res := post(w, "/tienda", keeper.Page, with(typed, "code", code, "qty_"+w.Tenants[0].GTIN, "1"))
		require.Equal(t, http.StatusOK, res.Status, res.Text())
		return res.Text()
	}
	waits := sell(get(w, "/tienda", keeper.Page), luis.Card)
	for _, text := range []string{"Venta guardada, por confirmar", "1 sello en Junta 10", "responda SÍ", "por confirmar</span>"} {
		assert.Contains(t, waits, text)
	}
	assert.NotContains(t, sell(get(w, "/tienda", keeper.Page), w.Base+"/c/"+luis.Card), "Por confirmar:", "a reader types the whole address")
	assert.NotContains(t, sell(get(w, "/tienda?code="+luis.Card, keeper.Page), luis.Card), "Por confirmar:", "a phone opened the page with it")
	assert.Contains(t, sell(get(w, "/tienda?code="+luis.Card, keeper.Page), w.Shoppers[0].Card), "Por confirmar:", "another than was scanned")
	assert.EqualValues(t, 2, stampsOf(t, w, luis.Person))

	card := w.Do("GET", luis.URL, nil).Text()
	assert.Contains(t, card, "¿Fue tu compra?")
	assert.Contains(t, card, "1 sello por confirmar")
	purchase := regexp.MustCompile(`name="purchase" value="([0-9a-f-]+)"`).FindStringSubmatch(card)[1]
	path := luis.URL + "/confirmations"
	ana := w.Shoppers[0].URL
	assert.Equal(t, ana+"?aviso=PURCHASE_NOT_WAITING", form(w, ana+"/confirmations", "", "purchase", purchase, "answer", "si").Header.Get("Location"), "it is not Ana's")
	assert.Equal(t, luis.URL, form(w, path, "", "purchase", purchase, "answer", "si").Header.Get("Location"))
	assert.Equal(t, luis.URL+"?aviso=PURCHASE_NOT_WAITING", form(w, path, "", "purchase", purchase, "answer", "no").Header.Get("Location"))
	assert.EqualValues(t, 3, stampsOf(t, w, luis.Person))

	sell(get(w, "/tienda", keeper.Page), luis.Card)
	purchase = regexp.MustCompile(`name="purchase" value="([0-9a-f-]+)"`).FindStringSubmatch(w.Do("GET", luis.URL, nil).Text())[1]
	assert.Equal(t, luis.URL, form(w, path, "", "purchase", purchase, "answer", "no").Header.Get("Location"))
	assert.EqualValues(t, 3, stampsOf(t, w, luis.Person))
	assert.NotContains(t, w.Do("GET", luis.URL, nil).Text(), "¿Fue tu compra?")
}

// What was asked for can be given back on the card page, by its owner alone.
func TestARequestedRewardIsCancelledOnTheCard(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	require.Contains(t, w.Do("GET", ana.URL, nil).Text(), "Cancelar este premio")
	other := form(w, w.Shoppers[1].URL+"/cancellations", "", "code", w.Redemption)
	assert.Equal(t, w.Shoppers[1].URL+"?aviso=REDEMPTION_UNKNOWN", other.Header.Get("Location"))
	for range 2 { // a double tap
		form(w, ana.URL+"/cancellations", "", "code", w.Redemption)
	}
	assert.EqualValues(t, 12, stampsOf(t, w, ana.Person))
	assert.NotContains(t, w.Do("GET", ana.URL, nil).Text(), "Cancelar este premio")
}
