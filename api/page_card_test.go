package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// aFullCard gives a consumer more purchases than the card page lists.
func aFullCard(t testing.TB, w *apitest.World) apitest.Shopper {
	t.Helper()
	v := w.Shoppers[0]
	w.Clock.Advance(time.Minute)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for n := range 30 {
			_, _, err := tx.RecordPurchase(ctx, loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.KeyID}, store.PurchaseInput{
				Key: fmt.Sprintf("full-%d", n), ShopCode: w.Keepers[0].Shop.Code, Code: v.Card, Channel: store.ChannelAPI,
				Items: []store.ItemInput{{GTIN: w.Tenants[0].GTIN, Quantity: 1}},
			})
			require.NoError(t, err)
		}
	})
	return v
}

// mostCardTrips is how often a card page waits for Postgres.
const mostCardTrips = 1

// A page is one round trip. The first after a change of what campaigns offer reads
// that too: the campaigns of the shops, and then the campaigns.
func TestTheCardPageIsOneRoundTrip(t *testing.T) {
	w := apitest.New(t)
	url := aFullCard(t, w).URL
	view := func(path string) (trips int64, page string) {
		before := w.DB.RoundTrips()
		res := w.Do("GET", path, nil)
		require.Equal(t, http.StatusOK, res.Status)
		return w.DB.RoundTrips() - before, res.Text()
	}
	trips, page := view(url)
	require.LessOrEqual(t, trips, int64(mostCardTrips+2))
	require.Equal(t, 20, strings.Count(page, "1 × Refresco de cola 600 ml"), "no more than the latest")
	for _, path := range []string{url, url + "/fragment", url} {
		trips, _ = view(path)
		require.LessOrEqual(t, trips, int64(mostCardTrips), path)
	}

	// What is remembered of campaigns is never older than what is committed.
	apitest.Data[thing](w.As(w.Admin), 200, "PATCH", "/v1/rewards/"+string(w.Tenants[0].Reward), obj{"name": "Un premio nuevo"})
	_, page = view(url)
	require.Contains(t, page, "Un premio nuevo")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.ChangeCampaign(ctx, loyalty.System(), w.Tenants[0].Campaign, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Name = "Junta de otro modo" }})
		require.NoError(t, err)
	})
	_, page = view(url)
	require.Contains(t, page, "Junta de otro modo")
	apitest.Data[thing](w.As(w.Admin), 200, "PATCH", "/v1/products/"+string(w.Tenants[0].Product), obj{"name": "Refresco renombrado"})
	_, page = view(url)
	require.Contains(t, page, "Compra <b>Refresco renombrado")

	before := w.DB.RoundTrips()
	require.Equal(t, http.StatusNotFound, w.Do("GET", url[:len("/c/")]+"AAAAAAAAAAAAAAAAAAAAAA"+url[strings.LastIndexByte(url, '/'):], nil).Status)
	require.LessOrEqual(t, w.DB.RoundTrips()-before, int64(mostCardTrips), "a wrong secret")
}

// BenchmarkCardPage is the whole page of a card with a full list, without the
// network between browser and server. What it costs of the processor says more
// than how long it takes, on a machine that does other things too.
func BenchmarkCardPage(b *testing.B) {
	w := apitest.New(b)
	url := aFullCard(b, w).URL
	answer := w.API.App.Handler()
	b.ReportAllocs()
	before := cpuTime(b)
	for b.Loop() {
		var c fasthttp.RequestCtx
		c.Request.SetRequestURI(url)
		answer(&c)
		require.Equal(b, http.StatusOK, c.Response.StatusCode())
	}
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// cpuTime is what this process has used of the processor.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
