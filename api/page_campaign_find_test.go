package api_test

import (
	"context"
	"fmt"
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

// Shops and products are searched, by what they are and where, without a script as
// well as with one.
func TestShopsAndProductsAreSearched(t *testing.T) {
	w := apitest.New(t)
	brand := w.Tenants[0].Page
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for i := range 45 {
			in := store.ShopInput{Name: fmt.Sprintf("Miscelánea %02d", i), Kind: "minisuper", Street: "Hidalgo 7", City: "Cholula", State: "Puebla"}
			if i%3 == 0 {
				in.City, in.State = "Tepic", "Nayarit"
			}
			_, err := tx.CreateShop(ctx, loyalty.System(), in)
			require.NoError(t, err)
		}
	})
	search := func(what string, by url.Values) string {
		res := get(w, "/marca/campanas/buscar/"+what+"?"+by.Encode(), brand)
		require.Equal(t, http.StatusOK, res.Status, res.Text())
		assert.NotContains(t, res.Text(), "<html")
		return res.Text()
	}
	name := func(more ...string) url.Values {
		by := url.Values{"name": {"x"}}
		for i := 0; i < len(more); i += 2 {
			by.Set(more[i], more[i+1])
		}
		return by
	}
	found := search("tiendas", name("q", "miscelanea HIDALGO", "estado", "Puebla"))
	assert.Contains(t, found, "Hay 30. Elige:")
	assert.Contains(t, found, "Hidalgo 7, Cholula")
	assert.Contains(t, search("tiendas", name("tipo", "minisuper")), "Hay 45. Elige entre los primeros:")
	assert.Contains(t, search("tiendas", name("ciudad", "Tepic", "q", "04")), "No hay nada así")
	assert.Contains(t, search("tiendas", name("q", w.Keepers[0].Shop.Code)), "Abarrotes Lupita")
	assert.NotContains(t, search("tiendas", name()), "checkbox", "nothing was asked")
	assert.Contains(t, search("productos", name("q", string(w.Tenants[0].GTIN)[3:9])), "EAN "+string(w.Tenants[0].GTIN))
	assert.Contains(t, search("productos", name("q", "cola")), string(w.Tenants[0].Product))
	assert.Contains(t, search("productos", name("q", string(w.Tenants[1].GTIN), "owner", "cpg:"+string(w.Tenants[1].CPG))), "No hay nada así", "another company's")
	assert.Contains(t, search("productos", name("marca", "x")), "No hay nada así")
	assert.Equal(t, http.StatusNotFound, get(w, "/marca/campanas/buscar/otra", brand).Status)
	assert.Equal(t, http.StatusNotFound, get(w, "/admin/campanas/buscar/productos?q=cola", w.AdminPage).Status, "whose?")

	// Without a script: the form searches itself, and saves nothing meanwhile.
	self := begin(t, w, brand, "/marca", "junta10")
	step := self + "/asistente/tiendas"
	typed := fieldsOf(t, get(w, step, brand), step)
	typed.Del("all_shops")
	typed.Set("shop_ids~estado", "Puebla")
	typed.Set("shop_ids~q", "Miscelánea 1")
	typed.Set("buscar", "shop_ids")
	page := post(w, step, brand, typed)
	assert.Contains(t, page.Text(), "Miscelánea 10")
	typed = fieldsOf(t, page, step)
	assert.False(t, typed.Has("all_shops"), "nothing that was changed is lost")
	assert.True(t, storedCampaign(t, w, idIn(t, self)).AllShops, "nor saved")
	assert.Empty(t, typed["shop_ids"])
	typed.Set("agregar", "shop_ids")
	page = post(w, step, brand, typed)
	typed = fieldsOf(t, page, step)
	chosen := len(typed["shop_ids"])
	assert.Positive(t, chosen)
	typed.Set("joining", "invitation")
	next := post(w, step, brand, typed)
	require.Equal(t, http.StatusSeeOther, next.Status, next.Text())
	assert.Len(t, storedCampaign(t, w, idIn(t, self)).Shops, chosen)
	assert.Contains(t, get(w, self, brand).Text(), "Miscelánea 1")

	// So does the form of a reward, and that of an invitation.
	for _, at := range []string{"/premios/nuevo", "/tiendas"} {
		action := strings.TrimSuffix(self+at, "/nuevo")
		typed = fieldsOf(t, get(w, self+at, brand), action)
		typed.Set("name", "Agua")
		typed.Set("shop_ids~q", "Miscelánea 07")
		page = post(w, action, brand, typed)
		require.Equal(t, http.StatusOK, page.Status)
		assert.Contains(t, page.Text(), "Miscelánea 07")
	}
}
