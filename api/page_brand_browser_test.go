package api_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// busy gives the first tenant's campaign three weeks of life: two products, two
// shops, a dozen people, rewards in all states, and wishes of both shops.
func busy(t *testing.T, w *apitest.World) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 2026)) //nolint:gosec // repeatable on purpose
	people := []apitest.Shopper{w.Shoppers[0], w.Shoppers[1]}
	for i := 2; i < 12; i++ {
		people = append(people, w.Shopper(t, i))
	}
	second := "7501020513127"
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		p, err := tx.CreateProduct(ctx, loyalty.System(), store.ProductInput{Brand: w.Tenants[0].Brand, GTIN: second, Name: "Agua mineral 1 L", ReferencePrice: 1400})
		require.NoError(t, err)
		_, err = tx.ChangeCampaign(ctx, loyalty.System(), w.Tenants[0].Campaign, store.CampaignChange{Apply: func(t *loyalty.Terms) {
			t.Products = append(t.Products, p.ID)
			t.Tiers = &loyalty.Tiers{Keep: loyalty.TierForGood, Levels: []loyalty.Level{{Name: "Plata", Purchases: 2}, {Name: "Oro", Purchases: 4}}}
		}})
		require.NoError(t, err)
	})
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for i := range 110 {
			at := w.Clock.Now().Add(-time.Duration(r.IntN(18*24*60)) * time.Minute)
			switch {
			case i >= 80: // by the terms that hold now
				at = w.Clock.Now()
			case r.IntN(3) > 0: // more of them lately
				at = at.Add(w.Clock.Now().Sub(at) / 2)
			}
			item := store.ItemInput{GTIN: w.Tenants[0].GTIN, Quantity: 1 + r.Int64N(3)}
			if r.IntN(3) == 0 {
				item.GTIN = second
			}
			if r.IntN(2) == 0 {
				price := 1700 + r.Int64N(400)
				item.UnitPriceCents = &price
			}
			_, _, err := tx.RecordPurchase(ctx, loyalty.System(), store.PurchaseInput{
				Key: fmt.Sprint("busy-", i), ShopCode: w.Keepers[r.IntN(5)/3].Shop.Code, Code: people[r.IntN(len(people))].Card, Channel: store.ChannelScan,
				OccurredAt: &at, Items: []store.ItemInput{item},
			})
			require.NoError(t, err)
		}
	})
	for i, p := range people[1:] {
		err := w.DB.InTx(t.Context(), func(tx *store.Tx) error {
			d, err := tx.RequestRedemption(t.Context(), p.Person, w.Tenants[0].Reward)
			if err != nil || i%4 == 0 {
				return err
			}
			_, err = tx.DeliverRedemption(t.Context(), loyalty.System(), d.Code, w.Keepers[i%2].Shop.Code)
			return err
		})
		if loyalty.CodeOf(err) != loyalty.CodeRewardNotReady {
			require.NoError(t, err)
		}
	}
	wish(t, w, 0, 3, "")
	wish(t, w, 1, 1, "dos cajas, por favor")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.RecordReorder(ctx, loyalty.System(), store.ReorderInput{Shop: w.Keepers[1].Shop.ID, Person: w.Keepers[1].Person})
		require.NoError(t, err)
		_, err = tx.CreateCampaign(ctx, loyalty.System(), store.CampaignInput{CPG: w.Tenants[0].CPG, Terms: loyalty.Terms{
			Name: "Posada con premio", Scheme: loyalty.Points, Goal: 500, Products: []loyalty.ID{w.Tenants[0].Product}, AllShops: true,
			Earn: []loyalty.Earn{{Unit: loyalty.Point, Per: loyalty.PerPeso, Amount: 1}}, StartsAt: w.Clock.Now().AddDate(0, 0, 20), MarginBPS: 3000,
		}})
		require.NoError(t, err)
	})
	w.Clock.Advance(time.Second)
}

// asBrand opens a tab in which the first tenant's brand user is at work.
func asBrand(t *testing.T, w *apitest.World) *tab {
	t.Helper()
	b := openTab(t, w)
	b.do(chromedp.Navigate(w.Base + "/marca/login"))
	b.do(chromedp.SetValue(`[name=email]`, w.Tenants[0].Email), chromedp.SetValue(`[name=password]`, apitest.Password), chromedp.Click(`main form button`))
	b.until("the brand's front", `location.pathname === '/marca'`)
	return b
}

// A brand manager goes from all campaigns to one, to other days, to the wishes.
func TestABrandManagerReadsResultsAlone(t *testing.T) {
	w := apitest.New(t)
	busy(t, w)
	b := asBrand(t, w)
	b.shots("brand")
	b.do(chromedp.Click(`.glance .tile-name`))
	b.until("one campaign", `location.pathname.endsWith('/resultados')`)
	b.until("its return", pageText+`.includes('sin grupo de control')`)
	b.shots("brand-results")
	b.do(chromedp.Click(`.presets a:first-child`))
	b.until("seven days", `location.search === '?periodo=7' && document.querySelector('.presets [aria-current]').innerText === '7 días'`)
	b.until("compared with the seven before", pageText+`.includes('7 días anteriores') && !!document.querySelector('.change')`)
	_ = b.eval(`(() => { document.querySelectorAll('details').forEach((x) => { x.open = true }); return '' })()`)
	b.shots("brand-results-week")
	// Every drawing has its numbers.
	require.Equal(t, "true", b.eval(`String([...document.querySelectorAll('figure.chart')].every((f) => f.querySelector('table tbody tr') && f.querySelector('summary').innerText === 'Ver como tabla'))`))
	b.do(chromedp.SetValue(`#from`, "2026-11-18"), chromedp.SetValue(`#to`, "2026-11-10"), chromedp.Click(`.dates button`))
	b.until("what is wrong, and what was typed", `document.querySelector('#to').getAttribute('aria-invalid') === 'true' && document.querySelector('#from').value === '2026-11-18'`)
	b.shots("brand-results-wrong")

	b.do(chromedp.Navigate(w.Base + "/marca/pedidos"))
	b.until("the wishes", pageText+`.includes('dos cajas')`)
	b.shots("brand-reorders")
	b.do(chromedp.SetValue(`#shop`, string(w.Keepers[0].Shop.ID)), chromedp.Click(`.dates button`))
	b.until("one shop's", `!`+pageText+`.includes('dos cajas') && document.querySelectorAll('#por-tienda .rank li').length === 1`)
	b.do(chromedp.Navigate(w.Base + "/marca/pedidos?to=2026-01-01"))
	b.shots("brand-reorders-none")
}

// What says nothing yet says what to do.
func TestABrandWithoutCampaignsIsToldWhatToDo(t *testing.T) {
	w := apitest.New(t)
	var cookie string
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		cpg, err := tx.CreateCPG(ctx, loyalty.System(), store.CPGInput{Name: "Nueva en Qoa"})
		require.NoError(t, err)
		staff, err := tx.CreateStaff(ctx, loyalty.System(), store.StaffInput{Email: "nueva@qoa.test", Password: apitest.Password, Name: "Nadia", Role: loyalty.RoleCPG, CPG: cpg.ID})
		require.NoError(t, err)
		cookie, err = tx.IssuePageSession(ctx, staff.Scope())
		require.NoError(t, err)
	})
	front := get(w, "/marca", cookie).Text()
	assert.Contains(t, front, "Tu primera campaña")
	assert.Contains(t, front, `href="/marca/campanas/nueva"`)
	assert.NotContains(t, front, ".xlsx")
	assert.Contains(t, get(w, "/marca/pedidos", cookie).Text(), "Todavía no hay pedidos")
	// A campaign that nobody bought in yet, and one on other days.
	empty := get(w, resultsOf(w.Tenants[1].Campaign), w.Tenants[1].Page)
	require.Equal(t, http.StatusOK, empty.Status)
	assert.Contains(t, empty.Text(), "Revisa que tus tiendas tengan su cartel")
	assert.Contains(t, get(w, resultsOf(w.Tenants[0].Campaign)+"?from=2026-11-01&to=2026-11-02", w.Tenants[0].Page).Text(), "Elige otros días")
}

// An admin sees all brands' campaigns, each with its owner; a draft has nothing to
// count yet.
func TestAnAdminSeesAllBrandsResults(t *testing.T) {
	w := apitest.New(t)
	busy(t, w)
	front := get(w, "/marca", w.AdminPage).Text()
	for _, text := range []string{"Bebidas del Valle · Desde", "Botanas del Sur · Desde", "Junta 10", "Puntos crujientes", "puntos dados", "Posada con premio", "Continuar"} {
		assert.Contains(t, front, text)
	}
	assert.Less(t, strings.Index(front, "Puntos crujientes"), strings.Index(front, "Posada con premio"), "what runs comes first")
	rows := taken(t, w, "/marca/resultados.csv", w.AdminPage)
	require.Len(t, rows, 4)
	assert.Equal(t, "Botanas del Sur", cell(t, rows, "Puntos crujientes", "De"))
	draft := loyalty.ID(regexp.MustCompile(`href="/marca/campanas/([0-9a-f-]+)">Continuar`).FindStringSubmatch(front)[1])
	page := get(w, resultsOf(draft), w.AdminPage)
	require.Equal(t, http.StatusOK, page.Status)
	assert.Contains(t, page.Text(), "complétala y envíala a revisión")
	assert.NotContains(t, page.Text(), "Retorno de la inversión")
}

func resultsOf(campaign loyalty.ID) string {
	return "/marca/campanas/" + string(campaign) + "/resultados"
}
