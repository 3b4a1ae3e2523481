package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// listedIn gives the names of the campaigns on a page, in their order.
func listedIn(t *testing.T, w *apitest.World, cookie, query string) (names []string) {
	t.Helper()
	res := get(w, deskOf(w, cookie)+"/campanas"+query, cookie)
	require.Equal(t, http.StatusOK, res.Status)
	for _, m := range regexp.MustCompile(`class="tile-name"[^>]*>([^<]+)<`).FindAllStringSubmatch(res.Text(), -1) {
		names = append(names, m[1])
	}
	return names
}

// Campaigns are filtered, searched and sorted; what waits for the reader is first.
func TestTheListOfCampaigns(t *testing.T) {
	w := apitest.New(t)
	brand := w.Tenants[0].Page
	base := storedCampaign(t, w, w.Tenants[0].Campaign)
	for i, name := range []string{"Ágil verano", "Bebe más", "Café de olla"} {
		w.Clock.Advance(time.Minute)
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			terms := base.Terms
			terms.Name = name
			terms.Budget = &loyalty.Budget{Stamps: 400}
			made, err := tx.CreateCampaign(ctx, loyalty.System(), store.CampaignInput{CPG: base.CPG, Terms: terms, Rewards: []store.RewardInput{{Name: "Uno", Threshold: 10}}})
			require.NoError(t, err)
			if i == 2 {
				_, err = tx.MoveCampaign(ctx, loyalty.System(), made.ID, loyalty.InReview, "")
				require.NoError(t, err)
			}
		})
	}
	assert.Equal(t, []string{"Bebe más", "Ágil verano", "Junta 10", "Café de olla"}, listedIn(t, w, brand, ""), "drafts are the brand's to finish")
	assert.Equal(t, "Café de olla", listedIn(t, w, w.AdminPage, "")[0], "a review is the admin's")
	assert.Equal(t, []string{"Ágil verano"}, listedIn(t, w, brand, "?q="+url.QueryEscape("AGIL ver")))
	assert.Equal(t, []string{"Junta 10"}, listedIn(t, w, brand, "?estado=active"))
	assert.Equal(t, []string{"Ágil verano", "Bebe más", "Café de olla", "Junta 10"}, listedIn(t, w, brand, "?orden=name"))
	assert.Empty(t, listedIn(t, w, brand, "?estado=ended"))
	assert.Len(t, listedIn(t, w, brand, "?estado=otro&orden=otro&pagina=x"), 4, "what is no choice is none")
	assert.Empty(t, listedIn(t, w, brand, "?pagina=9"))
	assert.NotContains(t, listedIn(t, w, w.Tenants[1].Page, ""), "Junta 10")
	assert.NotContains(t, listedIn(t, w, w.Keepers[0].Page, ""), "Junta 10", "it runs there and is another's")
	page := get(w, "/marca/campanas", brand).Text()
	for _, text := range []string{"Sellos: 0 de 400", "1 producto en ", "1 sello por pieza", "Borradores <span", "/asistente/revisar"} {
		assert.Contains(t, page, text)
	}

	// The same list as a file.
	file := get(w, "/marca/campanas.csv?estado=draft", brand)
	require.Equal(t, http.StatusOK, file.Status)
	assert.Contains(t, file.Text(), "Bebe más")
	assert.NotContains(t, file.Text(), "Junta 10")
	assert.NotContains(t, get(w, "/marca/campanas.csv", w.Tenants[1].Page).Text(), "Bebe más")
}

// The history of a campaign tells one person's writing of a draft as one thing.
func TestTheHistoryOfADraftIsOneThing(t *testing.T) {
	w := apitest.New(t)
	brand := w.Tenants[0].Page
	self := begin(t, w, brand, "/marca", "junta10")
	for i := range 3 {
		typed := fieldsOf(t, get(w, self+"/asistente/premio", brand), self+"/asistente/premio")
		typed.Set("goal", fmt.Sprint(5+i))
		require.Equal(t, http.StatusSeeOther, post(w, self+"/asistente/premio", brand, typed).Status)
	}
	page := get(w, self, brand).Text()
	assert.Regexp(t, `Se escribió, en \d pasos`, page)
	assert.Contains(t, page, "Tarjeta: Se juntan sellos; la meta es 7.")
	assert.NotContains(t, page, "la meta es 6.")
	assert.Contains(t, page, "El equipo de Qoa la lee.", "what a button does is said before")
	assert.Contains(t, page, "Seguir con el asistente")
	assert.Contains(t, page, "Un producto gratis, con 7 sellos")
}
