package api_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

const catalogue = "/admin/catalogo"

// made posts a form of the catalogue and gives where it leads.
func made(t *testing.T, w *apitest.World, path string, fields ...string) string {
	t.Helper()
	res := form(w, path, w.AdminPage, fields...)
	require.Equal(t, http.StatusSeeOther, res.Status, "%s", res.Body)
	u, err := url.Parse(res.Header.Get("Location"))
	require.NoError(t, err)
	return u.Path
}

// idAt is the ID at the end of an address.
func idAt(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func TestTheCatalogueIsKeptByForms(t *testing.T) {
	w := apitest.New(t)
	see := func(path string) string {
		res := w.Do("GET", path, nil, apitest.Cookie(w.AdminPage))
		require.Equal(t, http.StatusOK, res.Status, "%s", res.Body)
		return res.Text()
	}
	cpg := made(t, w, catalogue+"/empresas", "name", "Lácteos del Norte", "budget_cents", "$12,500.50")
	assert.Contains(t, see(cpg), "$12,500.50")
	brand := made(t, w, catalogue+"/marcas", "name", "Vaquita", "cpg_id", idAt(cpg))
	product := made(t, w, catalogue+"/productos", "name", "Leche entera 1 l", "brand_id", idAt(brand), "gtin", "7501020513127", "reference_price_cents", "28,90", "nicknames", "leche\nlechita\n")
	text := see(product)
	for _, want := range []string{"Leche entera 1 l", "7501020513127", "Vaquita", "Lácteos del Norte", "$28.90", "leche, lechita"} {
		assert.Contains(t, text, want)
	}
	shop := made(t, w, catalogue+"/tiendas", "name", "La Güera", "city", "Hermosillo", "state", "Sonora", "kind", "minisuper", "time_zone", "America/Hermosillo")
	assert.Contains(t, see(shop), "Sonora (Hermosillo)")

	// What is wrong is said at the field, and what was typed stays.
	for path, wrong := range map[string]struct {
		fields []string
		want   []string
	}{
		"/empresas":  {[]string{"name", "Lácteos del Norte", "budget_cents", "1"}, []string{"ya existe una empresa con ese nombre", `value="1"`}},
		"/marcas":    {[]string{"name", "Otra", "cpg_id", ""}, []string{`id="f-cpg_id-e"`, `value="Otra"`}},
		"/productos": {[]string{"name", "Queso", "brand_id", idAt(brand), "gtin", "7501020513128", "reference_price_cents", "mucho"}, []string{"pesos, como 18.50", `value="mucho"`, `value="Queso"`}},
		"/tiendas":   {[]string{"name", "X", "city", "", "state", "Sonora", "kind", "tiendita", "time_zone", "America/Hermosillo", "code", "ABC"}, []string{`id="f-city-e"`, `id="f-code-e"`}},
	} {
		res := form(w, catalogue+path, w.AdminPage, wrong.fields...)
		assert.GreaterOrEqual(t, res.Status, 400, path)
		assert.Less(t, res.Status, 500, path)
		for _, want := range wrong.want {
			assert.Contains(t, res.Text(), want, path)
		}
	}
	made(t, w, product, "name", "Leche entera 1 litro", "nicknames", "leche", "reference_price_cents", "29")
	assert.Contains(t, see(product), "Leche entera 1 litro")
	made(t, w, shop, "name", "La Güera Dos", "street", "Rosales 5", "city", "Hermosillo", "state", "Sonora", "kind", "tiendita", "time_zone", "America/Hermosillo")
	assert.Contains(t, see(shop), "La Güera Dos")

	// Deactivated things stay, and come back.
	for path, lists := range map[string]string{cpg: "/empresas", brand: "/marcas", product: "/productos", shop: "/tiendas"} {
		made(t, w, path+"/estado", "active", "0")
		assert.Contains(t, see(path), "Volver a activar", path)
		assert.Contains(t, see(catalogue+lists+"?estado=desactivadas"), path)
		assert.NotContains(t, see(catalogue+lists+"?estado=activas"), path)
		made(t, w, path+"/estado", "active", "1")
		assert.NotContains(t, see(path), "Volver a activar", path)
	}

	for path, found := range map[string]string{
		"/empresas?buscar=lacteos":                  cpg,
		"/marcas?buscar=vaqui&empresa=" + idAt(cpg): brand,
		"/productos?buscar=LITRO+leche":             product,
		"/productos?buscar=20513127":                product,
		"/productos?marca=" + idAt(brand):           product,
		"/tiendas?ciudad=Hermosillo&tipo=tiendita":  shop,
		"/tiendas?buscar=guera+dos":                 shop,
	} {
		text := see(catalogue + path)
		assert.Contains(t, text, `href="`+found+`"`, path)
		assert.NotContains(t, text, string(w.Tenants[0].Product), path)
		assert.NotContains(t, text, string(w.Keepers[0].Shop.ID), path)
	}
	sells := see(catalogue + "/tiendas?empresa=" + string(w.Tenants[0].CPG))
	assert.Contains(t, sells, string(w.Keepers[0].Shop.ID), "where it sold")
	assert.NotContains(t, sells, idAt(shop))
}

func TestListsOfTheCatalogueHavePages(t *testing.T) {
	w := apitest.New(t)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for range 40 {
			_, err := tx.CreateShop(ctx, loyalty.System(), store.ShopInput{Name: "Tienda", City: "Puebla", State: "Puebla"})
			require.NoError(t, err)
		}
	})
	first := w.Do("GET", catalogue+"/tiendas?ciudad=Puebla", nil, apitest.Cookie(w.AdminPage)).Text()
	assert.Contains(t, first, "40 tiendas")
	assert.Equal(t, 30, strings.Count(first, `class="thing-name"`))
	_, link, ok := strings.Cut(first, `href="`+catalogue+`/tiendas?`)
	for ok && !strings.HasPrefix(link, "ciudad=Puebla&amp;cursor=") {
		_, link, ok = strings.Cut(link, `href="`+catalogue+`/tiendas?`)
	}
	require.True(t, ok, "a link to the rest")
	next, _, _ := strings.Cut(link, `"`)
	second := w.Do("GET", catalogue+"/tiendas?"+strings.ReplaceAll(next, "&amp;", "&"), nil, apitest.Cookie(w.AdminPage)).Text()
	assert.Equal(t, 10, strings.Count(second, `class="thing-name"`))
	assert.Contains(t, second, "Volver al principio")
}
