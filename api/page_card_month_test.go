package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// livedIn gives the first consumer a history of two months: November's purchase and
// reward (of the kit), and in January a purchase that came back in part, what was
// cancelled, what was corrected and, in the second campaign, what ended.
func livedIn(t testing.TB, w *apitest.World) (ana apitest.Shopper) {
	t.Helper()
	ana = w.Shoppers[0]
	buy := func(key string, quantity int64) (id loyalty.ID) {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			r, _, err := tx.RecordPurchase(ctx, loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.KeyID}, store.PurchaseInput{
				Key: key, ShopCode: w.Keepers[0].Shop.Code, Code: ana.Card, Channel: store.ChannelAPI, Items: []store.ItemInput{{GTIN: w.Tenants[0].GTIN, Quantity: quantity}},
			})
			require.NoError(t, err)
			id = r.ID
		})
		return id
	}
	w.Clock.Advance(8 * 24 * time.Hour) // the kit's reward was not fetched
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		n, err := tx.ExpireRedemptions(ctx, 10)
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
	w.Clock.Advance(45 * 24 * time.Hour)
	came := buy("january", 4)
	w.Clock.Advance(time.Hour)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, _, err := tx.ReversePurchase(ctx, loyalty.System(), came, store.ReversalInput{Reason: "Rota", Items: []store.ReversalItem{{GTIN: w.Tenants[0].GTIN, Quantity: 1}}})
		require.NoError(t, err)
		_, _, err = tx.Adjust(ctx, loyalty.System(), store.AdjustmentInput{
			Campaign: w.Tenants[0].Campaign, CardCode: ana.Card, Unit: loyalty.Stamp, Amount: 2, Reason: "Faltaban de <ayer>",
		})
		require.NoError(t, err)
	})
	w.Clock.Advance(time.Hour)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.RequestRedemption(ctx, ana.Person, w.Tenants[0].Reward)
		require.NoError(t, err)
	})
	return ana
}

// A month says what was earned, spent, given back, taken back and corrected, each in
// its own month, and the sums are those of the ledger. One round trip a month, and
// no script is needed to go from one to the other.
func TestTheHistoryGoesByMonth(t *testing.T) {
	w := apitest.New(t)
	ana := livedIn(t, w)
	view := func(path string) string {
		before := w.DB.RoundTrips()
		res := w.Do("GET", ana.URL+path, nil)
		require.Equal(t, http.StatusOK, res.Status)
		require.LessOrEqual(t, w.DB.RoundTrips()-before, int64(1))
		return strings.ReplaceAll(res.Text(), "&#43;", "+")
	}
	january := view("/historial")
	for _, text := range []string{
		"Enero de 2027", "+4 sellos", "Devolución en Abarrotes Lupita", "−1 sello<", "Corrección", "Faltaban de &lt;ayer&gt;", "+2 sellos", "por recoger",
		"<dt>Ganaste</dt><dd><span>+4 sellos", "<dt>Gastaste</dt><dd><span>−10 sellos", "<dt>Por devoluciones</dt><dd><span>−1 sello<", "<dt>Correcciones</dt><dd><span>+2 sellos",
		ana.URL + "/historial?mes=2026-11\" data-older>Noviembre de 2026",
	} {
		assert.Contains(t, january, text)
	}
	assert.NotContains(t, january, "data-newer")
	november := view("/historial?mes=2026-11")
	for _, text := range []string{"12 × Refresco", "+12 sellos", "no recogido", "Recuperaste lo de un premio", "<dt>Recuperaste</dt><dd><span>+10 sellos", "data-newer>Diciembre de 2026"} {
		assert.Contains(t, november, text)
	}
	assert.NotContains(t, november, "data-older")
	assert.NotContains(t, november, "Corrección")
	december := view("/historial?mes=2026-12")
	assert.Contains(t, december, "No hubo movimientos este mes")
	assert.Contains(t, december, "data-older>Noviembre de 2026")
	for _, odd := range []string{"?mes=hola", "?mes=9999-12", "?mes=0001-01", "?mes=2027-13", "?mes=%00"} {
		assert.Contains(t, view("/historial"+odd), "Enero de 2027", odd)
	}
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		wallet, err := tx.Wallet(ctx, ana.Person)
		require.NoError(t, err)
		assert.EqualValues(t, 12-10+10+4-1+2-10, wallet.Balances[0].Balance, "what the months add up to")
	})

	dead := strings.Replace(ana.URL, "/c/", "/c/x", 1)
	for _, path := range []string{"/historial", "/datos"} {
		res := w.Do("GET", dead+path, nil)
		assert.Equal(t, http.StatusNotFound, res.Status)
		assert.NotContains(t, res.Text(), "Refresco")
	}
}

// A purchase belongs to the month that its own shop's clock shows.
func TestAMonthEndsByTheShopsClock(t *testing.T) {
	w := apitest.New(t)
	apitest.Data[thing](w.As(w.Admin), 200, "PATCH", "/v1/shops/"+string(w.Keepers[1].Shop.ID), obj{"time_zone": "America/Tijuana"})
	luis := w.Shoppers[1]
	// 00:30 on 1 December in Mexico City is 22:30 on 30 November in Tijuana.
	w.Clock.Advance(time.Date(2026, 12, 1, 6, 30, 0, 0, time.UTC).Sub(w.Clock.Now()))
	for i, keeper := range w.Keepers {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			_, _, err := tx.RecordPurchase(ctx, loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.KeyID}, store.PurchaseInput{
				Key: fmt.Sprintf("midnight-%d", i), ShopCode: keeper.Shop.Code, Code: luis.Card, Channel: store.ChannelAPI,
				Items: []store.ItemInput{{GTIN: w.Tenants[0].GTIN, Quantity: int64(i + 3)}},
			})
			require.NoError(t, err)
		})
	}
	w.Clock.Advance(time.Hour)
	december, november := w.Do("GET", luis.URL+"/historial", nil).Text(), w.Do("GET", luis.URL+"/historial?mes=2026-11", nil).Text()
	assert.Contains(t, december, "3 × Refresco")
	assert.NotContains(t, december, "4 × Refresco")
	assert.Contains(t, december, "data-older>Noviembre de 2026")
	assert.Contains(t, november, "4 × Refresco")
	assert.NotContains(t, november, "3 × Refresco")
}

// The month that is shown first is the one that has begun where the consumer buys.
func TestTheFirstMonthIsThatOfTheConsumersClock(t *testing.T) {
	for _, v := range []struct {
		zone, now string // now is a little before, or after, midnight in Mexico City
		shown     string
	}{
		{"America/Cancun", "2026-12-01T05:30:00Z", "Diciembre de 2026"},
		{"America/Tijuana", "2026-12-01T06:30:00Z", "Noviembre de 2026"},
		{"America/Tijuana", "2026-12-01T08:30:00Z", "Diciembre de 2026"},
	} {
		w := apitest.New(t)
		apitest.Data[thing](w.As(w.Admin), 200, "PATCH", "/v1/shops/"+string(w.Keepers[0].Shop.ID), obj{"time_zone": v.zone})
		now, err := time.Parse(time.RFC3339, v.now)
		require.NoError(t, err)
		w.Clock.Advance(now.Sub(w.Clock.Now()))
		for _, path := range []string{"/historial", "/historial?mes=2026-12"} {
			page := w.Do("GET", w.Shoppers[1].URL+path, nil).Text()
			assert.Contains(t, page, `tabindex="-1">`+v.shown, v.zone+path)
			assert.NotContains(t, page, "data-newer", v.zone+path)
		}
	}
}
