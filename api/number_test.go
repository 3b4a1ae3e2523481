package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

type number struct {
	ID     loyalty.ID
	Label  string
	Phone  *string
	Status string
	QR     *string
	Detail string
	Until  *time.Time
	Alive  bool
}

func readNumber(t *testing.T, w *apitest.World, id loyalty.ID) number {
	t.Helper()
	return apitest.Data[number](w.On(t).As(w.Admin), http.StatusOK, "GET", "/v1/whatsapp/numbers/"+string(id), nil)
}

// TestANumberIsPaired follows a number through REST, from nothing to connected,
// and away.
func TestANumberIsPaired(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	admin := w.As(w.Admin)
	n := apitest.Data[number](admin, http.StatusCreated, "POST", "/v1/whatsapp/numbers", obj{"label": "  Qoa Centro "})
	assert.Equal(t, "Qoa Centro", n.Label)
	assert.Equal(t, "pairing", n.Status)
	assert.Nil(t, n.QR)
	assert.Nil(t, n.Phone)
	assert.Contains(t, n.Detail, "rol bot")
	path := "/v1/whatsapp/numbers/" + string(n.ID)

	// A bot process takes it: first without a QR, then with one, then with the next.
	w.BotSays(t, n.ID, store.NumberState{})
	assert.Contains(t, readNumber(t, w, n.ID).Detail, "unos segundos")
	admin.Problem(http.StatusNotFound, "GET", path+"/qr.png", nil)
	for _, qr := range []string{"2@first,a,b,c", "2@second,a,b,c"} {
		w.BotSays(t, n.ID, store.NumberState{QR: &qr, QRUntil: apitest.Ref(w.Clock.Now().Add(20 * time.Second))})
		n = readNumber(t, w, n.ID)
		require.NotNil(t, n.QR)
		assert.Equal(t, qr, *n.QR)
		assert.Contains(t, n.Detail, "Dispositivos vinculados → Vincular un dispositivo")
		res := admin.Do("GET", path+"/qr.png?px=300", nil)
		require.Equal(t, http.StatusOK, res.Status)
		assert.Equal(t, "no-store", res.Header.Get("Cache-Control"), "who has it can read the bot's chats")
		picture, err := png.Decode(bytes.NewReader(res.Body))
		require.NoError(t, err)
		assert.Equal(t, 300, picture.Bounds().Dx())
	}
	admin.Problem(http.StatusBadRequest, "GET", path+"/qr.png?px=9", nil)

	// A QR that is too old is none.
	w.Clock.Advance(21 * time.Second)
	assert.Nil(t, readNumber(t, w, n.ID).QR)
	admin.Problem(http.StatusNotFound, "GET", path+"/qr.png", nil)

	w.Connect(t, n.ID, "+525512340001")
	n = readNumber(t, w, n.ID)
	assert.Equal(t, "connected", n.Status)
	assert.Equal(t, "+525512340001", *n.Phone)
	assert.True(t, n.Alive)
	assert.Nil(t, n.QR)
	assert.Contains(t, n.Detail, "recibe y contesta")

	// P30: connected, and nothing comes back from the other side.
	w.Clock.Advance(3 * time.Minute)
	n = readNumber(t, w, n.ID)
	assert.False(t, n.Alive)
	assert.Contains(t, n.Detail, "WhatsApp no responde")

	// Its process dies: what it said last is no longer believed.
	w.Clock.Advance(8 * time.Minute)
	n = readNumber(t, w, n.ID)
	assert.False(t, n.Alive)
	assert.Contains(t, n.Detail, "se detuvo")

	assert.Equal(t, "Qoa Norte", apitest.Data[number](admin, http.StatusOK, "PATCH", path, obj{"label": "Qoa Norte"}).Label)
	gone := apitest.Data[number](admin, http.StatusOK, "DELETE", path, nil)
	assert.Equal(t, n.ID, gone.ID)
	for _, end := range []string{"", "/qr.png"} {
		admin.Problem(http.StatusNotFound, "GET", path+end, nil)
	}
	admin.Problem(http.StatusNotFound, "DELETE", path, nil)
	admin.Problem(http.StatusNotFound, "PATCH", path, obj{"label": "X"})
	admin.Problem(http.StatusNotFound, "POST", path+"/pairing", nil)
}

// TestWhatStopsANumberIsSaid: API and page say the same of each way to end, and
// only what can be tried again can.
func TestWhatStopsANumberIsSaid(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	w.Connect(t, w.Number, "+525512340001")
	until := w.Clock.Now().Add(26 * time.Hour)
	for name, c := range map[string]struct {
		status  store.NumberStatus
		reason  string
		until   time.Time
		detail  string
		alive   bool
		again   store.NumberStatus // "" where trying again is refused
		metric  string
		working string
	}{
		"rejected":     {status: store.NumberDisconnected, reason: "409", detail: "con el código 409", again: store.NumberDisconnected},
		"a silent end": {status: store.NumberDisconnected, reason: "silent", detail: "dejó de responder"},
		"account gone": {status: store.NumberBanned, reason: "406", detail: "cerró esta cuenta", again: store.NumberDisconnected},
		"unlinked":     {status: store.NumberLoggedOut, detail: "desvinculó", again: store.NumberPairing},
		"banned 101":   {status: store.NumberBanned, reason: "101", until: until, detail: "termina mañana a las 14:42"},
		"banned 102":   {status: store.NumberBanned, reason: "102", until: until, detail: "muchas personas lo bloquearon"},
		"banned 104":   {status: store.NumberBanned, reason: "104", until: until, detail: "el mismo texto"},
		"banned 106":   {status: store.NumberBanned, reason: "106", until: until, detail: "listas de difusión"},
		"a ban's end":  {status: store.NumberBanned, reason: "101", until: w.Clock.Now().Add(-time.Minute), detail: "bloqueó", again: store.NumberDisconnected},
		"timelock":     {status: store.NumberRestricted, until: until, detail: "se le sigue contestando", alive: true},
		"outdated":     {status: store.NumberOutdated, detail: "versión más nueva", again: store.NumberDisconnected},
		"replaced":     {status: store.NumberReplaced, detail: "abrió esta misma sesión", again: store.NumberDisconnected},
		"disconnected": {status: store.NumberDisconnected, detail: "Se vuelve a conectar solo"},
		"connected":    {status: store.NumberConnected, detail: "recibe y contesta", alive: true},
		"not scanned":  {status: store.NumberPairing, reason: "expired", detail: "a tiempo", again: store.NumberPairing},
	} {
		t.Run(name, func(t *testing.T) {
			w.BotSays(t, w.Number, store.NumberState{Status: &c.status, Reason: &c.reason, Until: &c.until, AliveAt: apitest.Ref(w.Clock.Now())})
			n := readNumber(t, w, w.Number)
			assert.Equal(t, string(c.status), n.Status)
			assert.Contains(t, n.Detail, c.detail)
			assert.Equal(t, c.alive, n.Alive)
			if !c.until.IsZero() {
				require.NotNil(t, n.Until)
				assert.WithinDuration(t, c.until, *n.Until, time.Millisecond)
			}
			page := w.On(t).Do("GET", "/admin/whatsapp/"+string(w.Number), nil, apitest.Cookie(w.AdminPage))
			assert.Contains(t, page.Text(), c.detail)
			metrics := w.On(t).Do("GET", "/metrics", nil).Text()
			assert.Contains(t, metrics, `qoa_whatsapp_numbers{status="`+string(c.status)+`"} 1`)
			working := "0"
			if c.alive {
				working = "1"
			}
			assert.Contains(t, metrics, `qoa_whatsapp_number_working{number="`+string(w.Number)+`"} `+working)

			again := w.On(t).As(w.Admin)
			if c.again == "" {
				again.Problem(http.StatusConflict, "POST", "/v1/whatsapp/numbers/"+string(w.Number)+"/pairing", nil)
				assert.NotContains(t, page.Text(), "/vincular")
				return
			}
			assert.Contains(t, page.Text(), `action="/admin/whatsapp/`+string(w.Number)+`/vincular"`)
			n = apitest.Data[number](again, http.StatusOK, "POST", "/v1/whatsapp/numbers/"+string(w.Number)+"/pairing", nil)
			assert.Equal(t, string(c.again), n.Status)
		})
	}
}

func TestOtherChannelsPairNothing(t *testing.T) {
	w := apitest.New(t)
	for _, c := range [][2]string{{"POST", "/v1/whatsapp/numbers"}, {"POST", "/v1/whatsapp/numbers/" + string(w.Number) + "/pairing"}} {
		code, _ := w.As(w.Admin).Problem(http.StatusConflict, c[0], c[1], obj{"label": "X"})
		assert.Equal(t, "CHANNEL_WITHOUT_NUMBERS", code)
	}
	page := w.Do("GET", "/admin/whatsapp", nil, apitest.Cookie(w.AdminPage))
	assert.Contains(t, page.Text(), "simulador")
	assert.NotContains(t, page.Text(), "Agregar y ver el QR")
	res := form(w, "/admin/whatsapp", w.AdminPage, "label", "Uno")
	assert.Equal(t, http.StatusConflict, res.Status)
	assert.Contains(t, res.Text(), "WHATSAPP_CHANNEL=whatsmeow")
	assert.NotContains(t, w.Do("GET", "/health/ready", nil).Text(), "numbers")
}

func TestANumberIsOfATenantOrOfQoa(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	admin, path := w.As(w.Admin), "/v1/whatsapp/numbers/"+string(w.Number)
	shop, cpg := w.Keepers[0].Shop.ID, w.Tenants[0].CPG
	apitest.Data[obj](admin, http.StatusOK, "PATCH", path, obj{"shop_id": shop})
	assert.Equal(t, string(shop), apitest.Data[obj](admin, http.StatusOK, "PATCH", path, obj{"label": "Otro"})["shop_id"], "what is not sent stays")
	for _, c := range []struct {
		body  obj
		field string
	}{
		{obj{"cpg_id": cpg}, "shop_id"}, {obj{"shop_id": cpg}, "shop_id"}, {obj{"shop_id": nil, "cpg_id": shop}, "cpg_id"}, {obj{"shop_id": "x"}, "shop_id"}, {obj{"label": " "}, "label"},
	} {
		_, fields := admin.Problem(http.StatusBadRequest, "PATCH", path, c.body)
		assert.Equal(t, []string{c.field}, fields)
	}
	assert.Equal(t, string(cpg), apitest.Data[obj](admin, http.StatusOK, "PATCH", path, obj{"shop_id": nil, "cpg_id": cpg})["cpg_id"])
	assert.Nil(t, apitest.Data[obj](admin, http.StatusOK, "PATCH", path, obj{"cpg_id": nil})["cpg_id"])
}

// leadsTo gives the number that a shop's counter QR leads to; "" where it leads to
// the page that says that there is none.
func leadsTo(t *testing.T, w *apitest.World, shop string) string {
	t.Helper()
	res := w.On(t).Do("GET", "/q/"+shop, nil)
	if res.Status == http.StatusServiceUnavailable {
		assert.Contains(t, res.Text(), "en pausa")
		return ""
	}
	require.Equal(t, http.StatusFound, res.Status, res.Text())
	u, err := url.Parse(res.Header.Get("Location"))
	require.NoError(t, err)
	assert.Equal(t, "wa.me", u.Host)
	assert.Contains(t, u.Query().Get("text"), "("+shop+")")
	return u.Path[1:]
}

// TestPitfall_P47_ThePosterOutlivesANumber: the counter QR leads to whichever
// number works, its own before others, and never to one that is banned.
func TestPitfall_P47_ThePosterOutlivesANumber(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	code := w.Keepers[0].Shop.Code
	assert.Empty(t, leadsTo(t, w, code), "the only number is being paired")
	assert.Equal(t, http.StatusServiceUnavailable, w.Do("GET", "/pausa", nil).Status)

	add := func(label, phone string, owner obj) loyalty.ID {
		n := apitest.Data[number](w.As(w.Admin), http.StatusCreated, "POST", "/v1/whatsapp/numbers", obj{"label": label})
		if owner != nil {
			apitest.Data[number](w.As(w.Admin), http.StatusOK, "PATCH", "/v1/whatsapp/numbers/"+string(n.ID), owner)
		}
		w.Connect(t, n.ID, phone)
		return n.ID
	}
	ban := func(id loyalty.ID) {
		w.BotSays(t, id, store.NumberState{Status: apitest.Ref(store.NumberBanned), Reason: apitest.Ref("101"), Until: apitest.Ref(w.Clock.Now().Add(time.Hour))})
	}
	shared := add("de Qoa", "+525500001111", nil)
	assert.Equal(t, "525500001111", leadsTo(t, w, code))
	foreign := add("de otra tienda", "+525500002222", obj{"shop_id": w.Keepers[1].Shop.ID})
	assert.Equal(t, "525500001111", leadsTo(t, w, code), "another shop's number is another's")
	assert.Equal(t, "525500002222", leadsTo(t, w, w.Keepers[1].Shop.Code))
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.RelateShop(ctx, loyalty.System(), w.Tenants[0].CPG, w.Keepers[0].Shop.ID, true)
		require.NoError(t, err)
	})
	brand := add("de la marca", "+525500003333", obj{"cpg_id": w.Tenants[0].CPG})
	assert.Equal(t, "525500003333", leadsTo(t, w, code), "a CPG's that sells there goes before Qoa's")
	own := add("de la tienda", "+525500004444", obj{"shop_id": w.Keepers[0].Shop.ID})
	assert.Equal(t, "525500004444", leadsTo(t, w, code), "its own goes before all")
	for _, c := range []struct {
		banned loyalty.ID
		next   string
	}{{own, "525500003333"}, {brand, "525500001111"}, {shared, ""}} {
		ban(c.banned)
		assert.Equal(t, c.next, leadsTo(t, w, code))
	}
	assert.Equal(t, "525500002222", leadsTo(t, w, w.Keepers[1].Shop.Code))
	// A number whose process has died leads nowhere, whatever it said last.
	w.Clock.Advance(2 * time.Hour)
	assert.Empty(t, leadsTo(t, w, w.Keepers[1].Shop.Code))
	require.NotEmpty(t, foreign)
}

// TestOfSeveralNumbersTheLeastBusyIsTaken, and the same one while they are alike.
func TestOfSeveralNumbersTheLeastBusyIsTaken(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	busy := apitest.Data[number](w.As(w.Admin), http.StatusCreated, "POST", "/v1/whatsapp/numbers", obj{"label": "B"})
	w.Connect(t, w.Number, "+525500001111")
	w.Connect(t, busy.ID, "+525500002222")
	first := leadsTo(t, w, w.Keepers[0].Shop.Code)
	for range 3 {
		require.Equal(t, first, leadsTo(t, w, w.Keepers[0].Shop.Code))
	}
	// The one that was taken starts a conversation.
	taken, other := w.Number, "525500002222"
	if first == "525500002222" {
		taken, other = busy.ID, "525500001111"
	}
	ana := w.Shoppers[0].Person
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.Receive(ctx, store.Inbound{
			Channel: "whatsapp", Number: taken, MessageID: "A1", Kind: "text", Text: "hola",
			Sender: store.Sender{Phone: w.Shoppers[0].Phone, Wire: "5215512345670@s.whatsapp.net"},
		})
		require.NoError(t, err)
		queued, err := tx.Notify(ctx, store.Notice{Person: ana, Lane: store.LaneService, Template: "nudge.complete_card", Cause: "n1"})
		require.NoError(t, err)
		require.True(t, queued)
		for lane := store.Lane(""); lane != store.LaneService; {
			out, ok, err := tx.Claim(ctx, ana, taken, time.Minute)
			require.NoError(t, err)
			require.True(t, ok)
			require.NoError(t, tx.Sent(ctx, out.ID, "x"))
			lane = out.Lane
		}
	})
	assert.Equal(t, other, leadsTo(t, w, w.Keepers[0].Shop.Code))
}

// TestHealthNamesEachNumber, and no phone nor label: anyone may read it.
func TestHealthNamesEachNumber(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	type health struct {
		Status, Whatsapp string
		Details          map[string]string
		Numbers          []struct {
			ID                    loyalty.ID
			Status, State, Detail string
		}
	}
	read := func() (h health) {
		res := w.Do("GET", "/health/ready", nil)
		require.Equal(t, http.StatusOK, res.Status)
		require.NoError(t, json.Unmarshal(res.Body, &h))
		assert.NotContains(t, res.Text(), "1111")
		assert.NotContains(t, res.Text(), "Qoa Centro")
		return h
	}
	h := read()
	assert.Equal(t, "degraded", h.Whatsapp, "no number is paired")
	assert.Contains(t, h.Details["whatsapp"], "todavía no hay")
	require.Len(t, h.Numbers, 1)
	assert.Equal(t, "ok", h.Numbers[0].State, "one that is being added is nobody's trouble")

	w.Connect(t, w.Number, "+525500001111")
	second := apitest.Data[number](w.As(w.Admin), http.StatusCreated, "POST", "/v1/whatsapp/numbers", obj{"label": "Dos"})
	h = read()
	assert.Equal(t, "ok", h.Whatsapp)
	assert.Len(t, h.Numbers, 2)

	w.Connect(t, second.ID, "+525500002222")
	w.BotSays(t, second.ID, store.NumberState{Status: apitest.Ref(store.NumberLoggedOut)})
	h = read()
	assert.Equal(t, "degraded", h.Status)
	assert.Equal(t, "degraded", h.Whatsapp)
	for _, n := range h.Numbers { // made in one millisecond, they are in no order
		if n.ID == second.ID {
			assert.Equal(t, "down", n.State)
			assert.Contains(t, n.Detail, "Vincular otra vez")
		} else {
			assert.Equal(t, "ok", n.State)
		}
	}

	w.Clock.Advance(5 * time.Minute)
	h = read()
	assert.Equal(t, "down", h.Whatsapp, "the other has shown no life for minutes")
	assert.Equal(t, "degraded", h.Status, "and yet the process is ready: cards and sales go on")
	metrics := w.Do("GET", "/metrics", nil).Text()
	assert.Contains(t, metrics, `qoa_whatsapp_number_alive_seconds{number="`+string(w.Number)+`"} 300`)
	assert.NotContains(t, metrics, "5500001111")
}

// TestThePagePairsANumber follows the pages as a browser does.
func TestThePagePairsANumber(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	get := func(path string) apitest.Response { return w.Do("GET", path, nil, apitest.Cookie(w.AdminPage)) }
	wrong := form(w, "/admin/whatsapp", w.AdminPage, "label", "")
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), "No se pudo")
	added := form(w, "/admin/whatsapp", w.AdminPage, "label", "Qoa <Sur>")
	require.Equal(t, http.StatusSeeOther, added.Status)
	page := added.Header.Get("Location")
	assert.Contains(t, get(page).Text(), "rol bot")
	id := loyalty.ID(page[len("/admin/whatsapp/"):])
	w.BotSays(t, id, store.NumberState{QR: apitest.Ref(apitest.QR), QRUntil: apitest.Ref(w.Clock.Now().Add(18 * time.Second))})
	for _, path := range []string{page, page + "/vivo"} {
		text := get(path).Text()
		assert.Contains(t, text, `<svg class="qr"`)
		assert.Contains(t, text, "Vale 18 segundos más")
		assert.Contains(t, text, `data-every="2"`)
		assert.Contains(t, text, "Qoa &lt;Sur&gt;")
		assert.NotContains(t, text, apitest.QR)
	}
	assert.NotContains(t, get(page+"/vivo").Text(), "<html")
	assert.Equal(t, "no-store", get(page).Header.Get("Cache-Control"))
	w.Connect(t, id, "+525512340001")
	text := get(page + "/vivo").Text()
	assert.NotContains(t, text, `class="qr"`)
	assert.Contains(t, text, "conectado")
	assert.Contains(t, text, "52 55 1234 0001")
	list := get("/admin/whatsapp").Text()
	assert.Contains(t, list, "Qoa &lt;Sur&gt;")
	assert.Contains(t, list, "hace un momento")

	renamed := form(w, page+"/nombre", w.AdminPage, "label", "Qoa Sur")
	assert.Contains(t, get(renamed.Header.Get("Location")).Text(), "cambió el nombre")
	assert.Equal(t, http.StatusBadRequest, form(w, page+"/nombre", w.AdminPage, "label", " ").Status)
	ask := form(w, page+"/quitar", w.AdminPage)
	assert.Contains(t, ask.Text(), "¿Quitar «Qoa Sur»?")
	assert.Equal(t, http.StatusOK, get(page).Status, "asking takes nothing away")
	gone := form(w, page+"/quitar", w.AdminPage, "confirmed", "1")
	assert.Contains(t, get(gone.Header.Get("Location")).Text(), "se quitó")
	assert.Equal(t, http.StatusNotFound, get(page).Status)
	assert.Equal(t, http.StatusNotFound, get("/admin/whatsapp/x").Status)
}
