package api_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// begin starts a campaign from a recipe and gives where it is.
func begin(t *testing.T, w *apitest.World, cookie, root, recipe string, more ...string) string {
	t.Helper()
	res := form(w, root+"/campanas/nueva", cookie, append([]string{"recipe", recipe}, more...)...)
	require.Equal(t, http.StatusSeeOther, res.Status, res.Text())
	self, ok := strings.CutSuffix(res.Header.Get("Location"), "/asistente/gana")
	require.True(t, ok, res.Header.Get("Location"))
	return self
}

func idIn(t *testing.T, self string) loyalty.ID {
	t.Helper()
	id, err := loyalty.ParseID(self[strings.LastIndexByte(self, '/')+1:])
	require.NoError(t, err)
	return id
}

// A brand manager goes from a recipe to the review, step by step; each is saved.
func TestTheAssistantMakesACampaign(t *testing.T) {
	w := apitest.New(t)
	brand := w.Tenants[0].Page
	start := get(w, "/marca/campanas/nueva", brand).Text()
	for _, text := range []string{"Junta 10 y gana", "Puntos por peso", "Lleva 3 y gana", "Desde cero", "/marca/campanas/nueva/completa"} {
		assert.Contains(t, start, text)
	}
	self := begin(t, w, brand, "/marca", "junta10")
	id := idIn(t, self)
	step := func(name string) string { return self + "/asistente/" + name }

	// What is wrong comes back at its field, with all that was typed.
	first := fieldsOf(t, get(w, step("gana"), brand), step("gana"))
	assert.Equal(t, "Junta 10 y gana", first.Get("name"))
	first.Set("name", `Toma <5> y "gana"`)
	first.Set("earn.stamp.amount", "dos")
	wrong := post(w, step("gana"), brand, first)
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	for _, text := range []string{`href="#f-earn-stamp-amount"`, `value="dos"`, `value="Toma &lt;5&gt; y &#34;gana&#34;"`, `id="f-earn-stamp-amount-e"`} {
		assert.Contains(t, wrong.Text(), text)
	}
	first.Set("earn.stamp.amount", "5000")
	wrong = post(w, step("gana"), brand, first) // the store finds it
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), `id="f-earn-stamp-amount-e"`)
	assert.Equal(t, "Junta 10 y gana", storedCampaign(t, w, id).Name)
	first.Set("earn.stamp.amount", "2")

	// How it looks is asked without saving.
	first.Set("ver", "1")
	seen := post(w, step("gana"), brand, first)
	require.Equal(t, http.StatusOK, seen.Status)
	assert.Contains(t, seen.Text(), "gana 4 sellos")
	assert.Contains(t, seen.Text(), `value="Toma &lt;5&gt;`)
	assert.Equal(t, "Junta 10 y gana", storedCampaign(t, w, id).Name)
	first.Del("ver")
	next := post(w, step("gana"), brand, first)
	require.Equal(t, http.StatusSeeOther, next.Status, next.Text())
	assert.Equal(t, step("productos"), next.Header.Get("Location"))
	assert.Equal(t, `Toma <5> y "gana"`, storedCampaign(t, w, id).Name)

	products := fieldsOf(t, get(w, step("productos"), brand), step("productos"))
	products.Del("all_products")
	products.Set("product_ids", string(w.Tenants[0].Product))
	products.Set("ir", "premio") // not the next one
	next = post(w, step("productos"), brand, products)
	assert.Equal(t, step("premio"), next.Header.Get("Location"))

	prize := fieldsOf(t, get(w, step("premio"), brand), step("premio"))
	assert.Equal(t, "10", prize.Get("goal"))
	assert.Equal(t, "Un producto gratis", prize.Get("rewards[0].name"))
	prize.Set("goal", "6")
	prize.Set("rewards[0].name", "")
	wrong = post(w, step("premio"), brand, prize)
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), `id="f-rewards-0-name-e"`)
	assert.EqualValues(t, 10, storedCampaign(t, w, id).Goal, "a step is saved whole")
	prize.Set("rewards[0].name", "Un refresco")
	prize.Set("rewards[0].cost_cents", "12.50")
	require.Equal(t, http.StatusSeeOther, post(w, step("premio"), brand, prize).Status)
	v := storedCampaign(t, w, id)
	require.Len(t, v.Rewards, 1)
	assert.EqualValues(t, 6, v.Rewards[0].Threshold, "the prize is for who fills the card")

	dates := fieldsOf(t, get(w, step("fechas"), brand), step("fechas"))
	assert.Equal(t, "5", dates.Get("limits[0].max"))
	dates.Set("limits[0].max", "3")
	dates.Set("ends_at", "2020-01-01T00:00")
	wrong = post(w, step("fechas"), brand, dates)
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), `id="f-ends_at-e"`)
	dates.Set("ends_at", "")
	next = post(w, step("fechas"), brand, dates)
	require.Equal(t, step("revisar"), next.Header.Get("Location"), next.Text())

	review := get(w, step("revisar"), brand).Text()
	for _, text := range []string{"2 sellos por pieza.", "Máximo 3 sellos al día por cliente.", "Un refresco", "Enviar a revisión", self + "/simular", "+3 sellos", "los límites recortan", `class="shop`} {
		assert.Contains(t, review, text)
	}
	require.Equal(t, http.StatusSeeOther, post(w, self+"/estado", brand, fieldsOf(t, get(w, step("revisar"), brand), self+"/estado")).Status)
	assert.Equal(t, loyalty.InReview, storedCampaign(t, w, id).Status)
	assert.Equal(t, self, get(w, step("gana"), brand).Header.Get("Location"), "it is no longer written")
}

// The preview follows what is typed, and says what contradicts itself.
func TestThePreviewFollowsWhatIsTyped(t *testing.T) {
	w := apitest.New(t)
	brand := w.Tenants[0].Page
	self := begin(t, w, brand, "/marca", "lleva3")
	typed := fieldsOf(t, get(w, self+"/asistente/gana", brand), self+"/asistente/gana")
	look := func() string {
		res := post(w, "/marca/campanas/vista", brand, typed)
		require.Equal(t, http.StatusOK, res.Status, res.Text())
		assert.NotContains(t, res.Text(), "<html")
		return res.Text()
	}
	assert.Contains(t, look(), "todavía no gana nada. Con 3 piezas gana 1 sello.")
	typed.Set("earn.stamp.each", "1")
	assert.Contains(t, look(), "gana 2 sellos")
	typed.Set("scheme", "points")
	typed.Set("earn.point.amount", "5")
	assert.Contains(t, look(), "gana 4 puntos: los límites recortan el resto", "18 points, of which a limit lets 4")
	assert.Contains(t, look(), "+4 puntos")
	typed.Set("scheme", "both")
	assert.Contains(t, look(), "gana 2 sellos y 18 puntos")
	typed.Set("name", "")
	assert.Contains(t, look(), "Nombre de la campaña: es obligatorio")
	typed.Set("name", "x")

	typed = fieldsOf(t, get(w, self+"/asistente/productos", brand), self+"/asistente/productos")
	typed.Del("all_products")
	assert.Contains(t, look(), "Ningún producto participa")
	assert.Contains(t, look(), "Elige productos")
	typed = fieldsOf(t, get(w, self+"/asistente/premio", brand), self+"/asistente/premio")
	typed.Set("goal", "100")
	assert.Contains(t, look(), "de 100 sellos")
	typed.Set("goal", "0")
	assert.Contains(t, look(), `href="#f-goal"`)

	// The whole form has it too, new or of a campaign that runs.
	typed = fieldsOf(t, get(w, "/marca/campanas/nueva/completa", brand), "/marca/campanas")
	typed.Set("name", "Toda")
	typed.Set("earn[0].amount", "7")
	assert.Contains(t, look(), "gana 14 sellos")
	typed.Set("ver", "1")
	drawn := post(w, "/marca/campanas", brand, typed)
	assert.Equal(t, http.StatusOK, drawn.Status)
	assert.Contains(t, drawn.Text(), "gana 14 sellos")
	running := "/marca/campanas/" + string(w.Tenants[0].Campaign)
	typed = fieldsOf(t, get(w, running+"/editar", brand), running)
	typed.Set("earn[0].amount", "3")
	assert.Contains(t, look(), "gana 6 sellos")
	assert.Equal(t, int64(1), storedCampaign(t, w, w.Tenants[0].Campaign).Earn[0].Amount)
}

// A draft is its owner's, also while it is written.
func TestPitfall_P40_TheAssistantIsItsOwners(t *testing.T) {
	w := apitest.New(t)
	self := begin(t, w, w.Tenants[0].Page, "/marca", "puntos")
	typed := fieldsOf(t, get(w, self+"/asistente/gana", w.Tenants[0].Page), self+"/asistente/gana")
	typed.Set("name", "Robada")
	for _, cookie := range []string{w.Tenants[1].Page, w.Keepers[0].Page} {
		theirs := strings.Replace(self, "/marca", deskOf(w, cookie), 1)
		for _, step := range []string{"gana", "revisar"} {
			assert.Equal(t, http.StatusNotFound, get(w, theirs+"/asistente/"+step, cookie).Status)
		}
		assert.Equal(t, http.StatusNotFound, post(w, theirs+"/asistente/gana", cookie, typed).Status)
		res := post(w, deskOf(w, cookie)+"/campanas/vista", cookie, typed)
		assert.Equal(t, http.StatusNotFound, res.Status)
		assert.NotContains(t, res.Text(), "Puntos por peso")
	}
	assert.Equal(t, "Puntos por peso", storedCampaign(t, w, idIn(t, self)).Name)
	assert.Equal(t, http.StatusNotFound, get(w, self+"/asistente/otra", w.Tenants[0].Page).Status)

	// A tendero's own campaign has no step about shops, and names its products.
	keeper := w.Keepers[0]
	own := begin(t, w, keeper.Page, "/tienda", "junta10")
	page := get(w, own+"/asistente/productos", keeper.Page).Text()
	assert.NotContains(t, page, `value="tiendas"`)
	assert.NotContains(t, page, `name="all_products"`)
	assert.Regexp(t, regexp.MustCompile(`Ningún producto participa`), page)
	assert.Equal(t, http.StatusNotFound, get(w, own+"/asistente/tiendas", keeper.Page).Status)

	// An admin says first for whom.
	assert.Contains(t, form(w, "/admin/campanas/nueva", w.AdminPage, "recipe", "junta10").Text(), "¿De quién es?")
	begin(t, w, w.AdminPage, "/admin", "junta10", "owner", "cpg:"+string(w.Tenants[1].CPG))
}

// Who begins twice has begun once; a draft that was only ever written is thrown
// away, asked once more, and is in no list then.
func TestADraftCanBeThrownAway(t *testing.T) {
	w := apitest.New(t)
	brand := w.Tenants[0].Page
	self := begin(t, w, brand, "/marca", "puntos")
	assert.Equal(t, self, begin(t, w, brand, "/marca", "puntos"), "nothing was written on it")
	assert.NotEqual(t, self, begin(t, w, brand, "/marca", "lleva3"))
	typed := fieldsOf(t, get(w, self+"/asistente/gana", brand), self+"/asistente/gana")
	typed.Set("earn.point.amount", "2")
	require.Equal(t, http.StatusSeeOther, post(w, self+"/asistente/gana", brand, typed).Status)
	assert.NotEqual(t, self, begin(t, w, brand, "/marca", "puntos"), "it is being written")

	for _, page := range []string{self, self + "/asistente/revisar"} {
		assert.Contains(t, get(w, page, brand).Text(), `action="`+self+`/descartar"`)
	}
	for _, cookie := range []string{w.Tenants[1].Page, w.Keepers[0].Page} {
		theirs := strings.Replace(self, "/marca", deskOf(w, cookie), 1)
		assert.Equal(t, http.StatusNotFound, form(w, theirs+"/descartar", cookie, "confirmed", "1").Status)
	}
	sure := form(w, self+"/descartar", brand)
	require.Equal(t, http.StatusOK, sure.Status)
	assert.Contains(t, sure.Text(), "¿Descartar «Puntos por peso»?")
	storedCampaign(t, w, idIn(t, self))
	res := post(w, self+"/descartar", brand, fieldsOf(t, sure, self+"/descartar"))
	require.Equal(t, http.StatusSeeOther, res.Status, res.Text())
	assert.Contains(t, get(w, res.Header.Get("Location"), brand).Text(), "Listo: el borrador se descartó.")
	assert.NotContains(t, get(w, "/marca/campanas", brand).Text(), self)
	assert.Equal(t, http.StatusNotFound, get(w, self, brand).Status)
	assert.Equal(t, http.StatusNotFound, form(w, self+"/descartar", brand, "confirmed", "1").Status)
	assert.True(t, slices.ContainsFunc(auditOf(t, w, store.AuditFilter{Noun: "campaign", Subject: idIn(t, self)}), func(v store.AuditRow) bool {
		return v.Verb == store.Deleted && v.Label == "Puntos por peso"
	}))

	// What was sent to review once has been read, and stays.
	sent := begin(t, w, brand, "/marca", "junta10")
	for _, to := range []string{"in_review", "draft"} {
		require.Equal(t, http.StatusSeeOther, form(w, sent+"/estado", brand, "to", to).Status)
	}
	assert.NotContains(t, get(w, sent, brand).Text(), sent+"/descartar")
	assert.Equal(t, http.StatusConflict, form(w, sent+"/descartar", brand, "confirmed", "1").Status)
	active := "/marca/campanas/" + string(w.Tenants[0].Campaign)
	assert.NotContains(t, get(w, active, brand).Text(), active+"/descartar")
	assert.Equal(t, http.StatusConflict, form(w, active+"/descartar", brand, "confirmed", "1").Status)
}
