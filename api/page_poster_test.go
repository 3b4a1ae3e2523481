package api_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
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

const posters = catalogue + "/tiendas/posteres"

func TestPostersOfManyShops(t *testing.T) {
	w := apitest.New(t)
	var ids []string
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for i := range 500 {
			v, err := tx.CreateShop(ctx, loyalty.System(), store.ShopInput{Name: fmt.Sprintf("Tienda %d", i), Street: "Calle 5", City: "Puebla", State: "Puebla"})
			require.NoError(t, err)
			ids = append(ids, string(v.ID))
		}
		closed := false
		_, err := tx.UpdateShop(ctx, loyalty.System(), loyalty.ID(ids[499]), store.ShopPatch{Active: &closed})
		require.NoError(t, err)
	})
	began := time.Now()
	all := form(w, posters, w.AdminPage, "which", "all", "ciudad", "Puebla", "as", "pdf")
	t.Logf("499 posters: %s, %d KB", time.Since(began), len(all.Body)>>10)
	require.Equal(t, http.StatusOK, all.Status)
	assert.Equal(t, "application/pdf", all.Header.Get("Content-Type"))
	assert.Contains(t, all.Header.Get("Content-Disposition"), `filename="qoa_posteres_`)
	assert.Equal(t, 499, bytes.Count(all.Body, []byte("/Type /Page\n")), "one that is closed has none")

	values := url.Values{"which": {"picked"}, "as": {"zip"}, "shop": append(ids[:200:200], ids[499], "nada")}
	some := w.Do("POST", posters, values.Encode(), apitest.Form(), apitest.Cookie(w.AdminPage), apitest.With("Origin", w.Base))
	require.Equal(t, http.StatusOK, some.Status)
	z, err := zip.NewReader(bytes.NewReader(some.Body), int64(len(some.Body)))
	require.NoError(t, err)
	require.Len(t, z.File, 200)
	f, err := z.File[0].Open()
	require.NoError(t, err)
	pdf, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
	assert.Contains(t, z.File[0].Name, "puebla_tienda-")

	// The list of what is deactivated has no posters, of whatever else there is.
	list := get(w, catalogue+"/tiendas?ciudad=Puebla", w.AdminPage).Text()
	assert.Contains(t, list, "500 tiendas")
	assert.Contains(t, list, "Las 499 de este filtro")
	lost := form(w, posters, w.AdminPage, "which", "picked", "ciudad", "Puebla", "estado", "desactivadas").Text()
	assert.Contains(t, lost, "Tienda 499", "the filter stays")
	assert.NotContains(t, lost, "Tienda 498")
	assert.Contains(t, lost, "Las 0 de este filtro")

	for _, none := range [][]string{{"which", "all", "estado", "desactivadas"}, {"which", "picked"}, {"which", "picked", "shop", ids[499]}, {"which", "all", "ciudad", "Nada"}, {}} {
		res := form(w, posters, w.AdminPage, none...)
		assert.Equal(t, http.StatusBadRequest, res.Status)
		assert.Contains(t, res.Text(), "Elige al menos una tienda activa.")
	}
}

func TestTheShopsPageTellsOfIt(t *testing.T) {
	w := apitest.New(t)
	text := get(w, catalogue+"/tiendas/"+string(w.Keepers[0].Shop.ID), w.AdminPage).Text()
	for _, want := range []string{
		w.Keepers[0].Shop.Code, "Abarrotes Lupita", "Av. Juárez 12", "Lupita Pérez", "…0001", "/v1/shops/" + w.Keepers[0].Shop.Code + "/poster.pdf",
		"12 × Refresco de cola 600 ml", "Ventas por día en Abarrotes Lupita", "$222.00", "Ver como tabla", "/admin/conversaciones/" + string(w.Keepers[0].Person),
	} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, string(w.Keepers[0].Phone))
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		today := w.Clock.Now()
		days, err := tx.ShopDays(ctx, loyalty.System(), w.Keepers[0].Shop.ID, today.AddDate(0, 0, -29), today)
		require.NoError(t, err)
		require.Len(t, days, 30)
		assert.Equal(t, store.ShopDay{Day: days[29].Day, Purchases: 1, Total: 22200}, days[29])
		assert.Zero(t, days[0].Total)
		_, err = tx.ShopDays(ctx, loyalty.Scope{Role: loyalty.RoleTendero, Person: w.Keepers[1].Person, Shops: []loyalty.ID{w.Keepers[1].Shop.ID}}, w.Keepers[0].Shop.ID, today, today)
		assert.Equal(t, loyalty.CodeShopNotFound, loyalty.CodeOf(err), "another's")
	})
}
