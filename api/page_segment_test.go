package api_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// segmentsOf gives a tenant's segments by their names.
func segmentsOf(t *testing.T, w *apitest.World, cpg loyalty.ID) map[string]store.Segment {
	t.Helper()
	named := map[string]store.Segment{}
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		all, _, err := tx.Segments(ctx, loyalty.System(), store.SegmentFilter{CPG: cpg}, store.Page{Limit: 100})
		require.NoError(t, err)
		for _, v := range all {
			named[v.Name] = v
		}
	})
	return named
}

// A brand groups consumers by what they buy or by their cards, and sees how many
// they are.
func TestABrandMakesSegments(t *testing.T) {
	w := apitest.New(t)
	const list = "/marca/segmentos"
	brand, before := w.Tenants[0].Page, len(segmentsOf(t, w, w.Tenants[0].CPG))
	typed := fieldsOf(t, get(w, list+"/nuevo", brand), list)
	wrong := post(w, list, brand, with(typed, "criteria", "1", "criteria.min_purchases", "muchas", "name", "Los <buenos>"))
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), `value="muchas"`)
	assert.Contains(t, wrong.Text(), "Los &lt;buenos&gt;")
	saved := post(w, list, brand, with(typed, "criteria", "1", "criteria.min_purchases", "1", "name", "Compradores"))
	require.Equal(t, http.StatusSeeOther, saved.Status, saved.Text())
	cards := w.Shoppers[0].Card + "\r\n" + loyalty.FormatCode(w.Shoppers[1].Card) + ", nada"
	require.Equal(t, http.StatusSeeOther, post(w, list, brand, with(typed, "name", "A mano", "card_codes", cards)).Status)
	all := segmentsOf(t, w, w.Tenants[0].CPG)
	require.Len(t, all, before+2)
	bought, byHand := all["Compradores"], all["A mano"]
	assert.EqualValues(t, 1, bought.Members, "Ana bought")
	assert.EqualValues(t, 2, byHand.Members)
	page := get(w, list, brand)
	assert.Contains(t, page.Text(), "A mano")
	for _, private := range []string{"Ana", w.Shoppers[0].Card, loyalty.FormatCode(w.Shoppers[0].Card)} {
		assert.NotContains(t, page.Text(), private, "how many, and never who")
	}
	self := list + "/" + string(byHand.ID)
	typed = fieldsOf(t, get(w, self, brand), self)
	require.Equal(t, http.StatusSeeOther, post(w, self, brand, with(typed, "name", "VIP", "remove_codes", w.Shoppers[0].Card)).Status)
	assert.EqualValues(t, 1, segmentsOf(t, w, w.Tenants[0].CPG)["VIP"].Members)

	// Another's is not there.
	assert.Equal(t, http.StatusNotFound, get(w, self, w.Tenants[1].Page).Status)
	assert.Equal(t, http.StatusNotFound, post(w, self, w.Tenants[1].Page, typed).Status)
	assert.NotContains(t, get(w, list, w.Tenants[1].Page).Text(), "VIP")
}

// A campaign by invitation: its owner invites, the shop answers.
func TestAShopAnswersAnInvitation(t *testing.T) {
	w := apitest.New(t)
	id, keeper := w.Tenants[0].Campaign, w.Keepers[1]
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.ChangeCampaign(ctx, loyalty.System(), id, store.CampaignChange{Apply: func(t *loyalty.Terms) { t.Joining = loyalty.JoinByInvitation }})
		require.NoError(t, err)
	})
	self := "/marca/campanas/" + string(id) + "/tiendas"
	assert.Contains(t, get(w, "/marca/campanas/"+string(id), w.Tenants[0].Page).Text(), self)
	assert.Contains(t, get(w, "/tienda/invitaciones", keeper.Page).Text(), "Nada por contestar")
	typed := fieldsOf(t, get(w, self, w.Tenants[0].Page), self)
	typed.Set("shop_ids", string(keeper.Shop.ID))
	require.Equal(t, http.StatusSeeOther, post(w, self, w.Tenants[0].Page, typed).Status)
	assert.Contains(t, get(w, self, w.Tenants[0].Page).Text(), "invitada")

	page := get(w, "/tienda/invitaciones", keeper.Page)
	assert.Contains(t, page.Text(), "Junta 10")
	answer := with(fieldsOf(t, page, "/tienda/invitaciones"), "answer", "accept")
	assert.Equal(t, http.StatusForbidden, post(w, "/tienda/invitaciones", w.Keepers[0].Page, answer).Status, "for another's shop")
	require.Equal(t, http.StatusSeeOther, post(w, "/tienda/invitaciones", keeper.Page, answer).Status)
	assert.Contains(t, get(w, self, w.Tenants[0].Page).Text(), "participa</span>")
	assert.Contains(t, get(w, "/tienda", keeper.Page).Text(), "Refresco de cola 600 ml")
	odd := post(w, "/tienda/invitaciones", keeper.Page, with(answer, "answer", "join"))
	assert.Contains(t, []int{http.StatusSeeOther, http.StatusConflict}, odd.Status)
	assert.Equal(t, http.StatusNotFound, get(w, self, w.Tenants[1].Page).Status)
}
