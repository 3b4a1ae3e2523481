package api_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
)

// scanAnswer is what the page's script gets.
type scanAnswer struct {
	OK                           bool
	Title, Detail, Result, Today string
}

// script posts a form as the scan page's script does.
func script(t *testing.T, w *apitest.World, status int, path, cookie string, fields ...string) (a scanAnswer) {
	t.Helper()
	body := make([]string, 0, len(fields)/2)
	for i := 0; i < len(fields); i += 2 {
		body = append(body, fields[i]+"="+strings.ReplaceAll(strings.ReplaceAll(fields[i+1], "+", "%2B"), ":", "%3A"))
	}
	res := w.Do("POST", path, strings.Join(body, "&"), apitest.Form(), apitest.Cookie(cookie), apitest.With("Origin", w.Base), apitest.With("Accept", "application/json"))
	require.Equal(t, status, res.Status, res.Text())
	require.Contains(t, res.Header.Get("Content-Type"), "application/json")
	require.NoError(t, json.Unmarshal(res.Body, &a))
	return a
}

// What a phone kept is recorded at its own time, once, and for its own tendero.
func TestAKeptSaleIsRecordedOnceAtItsTime(t *testing.T) {
	w := apitest.New(t)
	keeper, gtin := w.Keepers[0], w.Tenants[0].GTIN
	at := w.Clock.Now().Add(-3 * time.Hour).UTC().Truncate(time.Second)
	sale := []string{"key", "k1", "owner", string(keeper.Person), "shop", keeper.Shop.Code, "code", w.Shoppers[1].Card, "qty_" + gtin, "2", "at", at.Format(time.RFC3339)}
	got := script(t, w, http.StatusOK, "/tienda", keeper.Page, sale...)
	assert.True(t, got.OK)
	assert.Equal(t, "Venta guardada", got.Title)
	assert.Contains(t, got.Result, "2 sellos")
	assert.Contains(t, got.Today, "2 × Refresco de cola 600 ml")
	assert.NotContains(t, got.Result, "Deshacer", "it is three hours old")
	again := script(t, w, http.StatusOK, "/tienda", keeper.Page, sale...)
	assert.Equal(t, "Esa venta ya estaba guardada", again.Title)
	sales := salesOf(t, w)
	require.Len(t, sales, 1)
	assert.True(t, at.Equal(sales[0].OccurredAt))

	other := append([]string{}, sale...)
	other[1], other[3] = "k2", string(w.Keepers[1].Person)
	res := form(w, "/tienda", keeper.Page, other...)
	assert.Equal(t, http.StatusUnauthorized, res.Status, "another tendero's sale waits for that one")
	other[3] = string(keeper.Person)
	other[11] = "ayer"
	assert.Contains(t, script(t, w, http.StatusBadRequest, "/tienda", keeper.Page, other...).Detail, "la hora de la venta")
	other[11] = w.Clock.Now().AddDate(0, 0, -31).UTC().Format(time.RFC3339)
	assert.False(t, script(t, w, http.StatusBadRequest, "/tienda", keeper.Page, other...).OK)
	other[11], other[7] = at.Format(time.RFC3339), "00000000"
	refused := script(t, w, http.StatusNotFound, "/tienda", keeper.Page, other...)
	assert.NotEmpty(t, refused.Detail, "the phone shows it")
	require.Len(t, salesOf(t, w), 1)

	delivered := script(t, w, http.StatusOK, "/tienda/entrega", keeper.Page, "shop", keeper.Shop.Code, "code", w.Redemption)
	assert.Equal(t, "Premio entregado", delivered.Title)
	assert.Equal(t, "No se entregó el premio", script(t, w, http.StatusConflict, "/tienda/entrega", keeper.Page, "shop", keeper.Shop.Code, "code", w.Redemption).Title)
}

// For ten minutes one tap takes a sale back, also without the script.
func TestASaleIsUndoneForTenMinutes(t *testing.T) {
	w := apitest.New(t)
	keeper, gtin := w.Keepers[0], w.Tenants[0].GTIN
	undo := regexp.MustCompile(`/tienda/ventas/[0-9a-f-]{36}/deshacer`)
	sell := func(key string) string {
		res := form(w, "/tienda", keeper.Page, "key", key, "shop", keeper.Shop.Code, "code", w.Shoppers[1].Card, "qty_"+gtin, "2")
		require.Equal(t, http.StatusOK, res.Status)
		path := undo.FindString(res.Text())
		require.NotEmpty(t, path)
		return path
	}
	path := sell("a")
	w.Clock.Advance(9 * time.Minute)
	assert.Equal(t, http.StatusNotFound, form(w, path, w.Keepers[1].Page).Status, "another shop's")
	for range 2 { // a double tap
		res := form(w, path, keeper.Page)
		require.Equal(t, http.StatusOK, res.Status)
		assert.Contains(t, res.Text(), "Venta deshecha")
	}
	assert.EqualValues(t, 0, stampsOf(t, w, w.Shoppers[1].Person))

	path = sell("b")
	w.Clock.Advance(11 * time.Minute)
	late := form(w, path, keeper.Page)
	assert.Equal(t, http.StatusConflict, late.Status)
	assert.Contains(t, late.Text(), "Ya pasaron 10 minutos")
	assert.EqualValues(t, 2, stampsOf(t, w, w.Shoppers[1].Person))
}

// The page can be installed, and is small: 150 KB at most before the barcode
// reader, with all that comes with it.
func TestTheScanPageIsSmallAndInstalls(t *testing.T) {
	w := apitest.New(t)
	page := get(w, "/tienda", w.Keepers[0].Page)
	packed := func(path string) int {
		res := w.Do("GET", path, nil, apitest.With("Accept-Encoding", "gzip"))
		require.Equal(t, http.StatusOK, res.Status, path)
		return len(res.Body)
	}
	total := len(page.Body)
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"]+|/tienda/app\.webmanifest)"`).FindAllStringSubmatch(page.Text(), -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			total += packed(m[1])
		}
	}
	worker := w.Do("GET", "/tienda/sw.js", nil)
	require.Equal(t, http.StatusOK, worker.Status)
	assert.Equal(t, "/tienda", worker.Header.Get("Service-Worker-Allowed"))
	assert.Equal(t, "no-cache", worker.Header.Get("Cache-Control"))
	assert.Contains(t, worker.Header.Get("Content-Security-Policy"), "script-src 'self'")
	total += len(worker.Body)
	library := 0
	for _, path := range regexp.MustCompile(`/static/[a-z.\-0-9]+`).FindAllString(worker.Text(), -1) {
		switch {
		case strings.Contains(path, "zxing"):
			library = packed(path)
		case !seen[path]:
			seen[path] = true
			total += packed(path)
		}
	}
	t.Logf("scan page: %d bytes, and %d of the barcode reader", total, library)
	assert.Less(t, total, 150_000)
	assert.NotZero(t, library)
	assert.Less(t, library, 40_000)

	var manifest struct {
		Start string `json:"start_url"`
		Scope string
		Icons []struct{ Src, Sizes, Purpose string }
	}
	res := w.Do("GET", "/tienda/app.webmanifest", nil)
	assert.Equal(t, "application/manifest+json", res.Header.Get("Content-Type"))
	require.NoError(t, json.Unmarshal(res.Body, &manifest))
	assert.Equal(t, "/tienda", manifest.Start)
	assert.Equal(t, "/tienda", manifest.Scope)
	require.Len(t, manifest.Icons, 3)
	for _, icon := range manifest.Icons {
		got := w.Do("GET", icon.Src, nil)
		assert.Equal(t, "image/png", got.Header.Get("Content-Type"))
		assert.True(t, strings.HasPrefix(got.Text(), "\x89PNG"))
	}
}
