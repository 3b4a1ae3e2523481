package api_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// fieldsOf gives what a browser would send of the page's last form that posts to
// action.
func fieldsOf(t *testing.T, res apitest.Response, action string) url.Values {
	t.Helper()
	require.Equal(t, http.StatusOK, res.Status, res.Text())
	root, err := html.Parse(strings.NewReader(res.Text()))
	require.NoError(t, err)
	attrs := func(n *html.Node) map[string]string {
		all := map[string]string{}
		for _, a := range n.Attr {
			all[a.Key] = a.Val
		}
		return all
	}
	var values url.Values
	for n := range root.Descendants() {
		if n.Data != "form" || attrs(n)["action"] != action {
			continue
		}
		values = url.Values{}
		for f := range n.Descendants() {
			a := attrs(f)
			_, checked := a["checked"]
			switch {
			case a["name"] == "":
			case f.Data == "input" && (a["type"] != "checkbox" || checked):
				values.Add(a["name"], a["value"])
			case f.Data == "textarea":
				values.Add(a["name"], "")
			case f.Data == "select":
				for o := range f.ChildNodes() {
					if _, chosen := attrs(o)["selected"]; chosen {
						values.Set(a["name"], attrs(o)["value"])
					}
				}
			}
		}
	}
	require.NotNil(t, values, "no form posts to %s: %s", action, res.Text())
	return values
}

func post(w *apitest.World, path, cookie string, values url.Values) apitest.Response {
	return w.Do("POST", path, values.Encode(), apitest.Form(), apitest.Cookie(cookie), apitest.With("Origin", w.Base))
}

func get(w *apitest.World, path, cookie string) apitest.Response {
	return w.Do("GET", path, nil, apitest.Cookie(cookie))
}

// storedCampaign reads one as it is stored.
func storedCampaign(t *testing.T, w *apitest.World, id loyalty.ID) (v store.Campaign) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		var err error
		v, err = tx.Campaign(ctx, loyalty.System(), id)
		require.NoError(t, err)
	})
	return v
}

// A brand writes a campaign, an admin approves it, the brand activates it and
// changes it from a day on: all in forms.
func TestACampaignLivesInForms(t *testing.T) {
	w := apitest.New(t)
	brand, admin := w.Tenants[0].Page, w.AdminPage
	list := get(w, "/marca/campanas", brand)
	require.Equal(t, http.StatusOK, list.Status)
	assert.Contains(t, list.Text(), "Junta 10")
	assert.NotContains(t, list.Text(), "Puntos crujientes", "another CPG's")

	typed := fieldsOf(t, get(w, "/marca/campanas/nueva/completa", brand), "/marca/campanas")
	typed.Set("name", `Toma <3 & "gana"`)
	typed.Set("goal", "diez")
	wrong := post(w, "/marca/campanas", brand, typed)
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), "Escribe un número entero")
	assert.Contains(t, wrong.Text(), `href="#f-goal"`)
	assert.Contains(t, wrong.Text(), `value="diez"`, "nothing typed is lost")
	assert.Contains(t, wrong.Text(), `value="Toma &lt;3 &amp; &#34;gana&#34;"`)
	assert.NotContains(t, wrong.Text(), "Toma <3")
	for name, value := range map[string]string{
		"goal": "5", "nudge_quiet_days": "400", "limits[0].max": "3", "limits[0].period": "day", "margin_bps": "35.5",
	} {
		typed.Set(name, value)
	}
	typed.Set("all_products", "")
	typed.Set("product_ids", string(w.Tenants[0].Product))
	wrong = post(w, "/marca/campanas", brand, typed) // the store finds it
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), `id="f-nudge_quiet_days-e"`)
	typed.Set("nudge_quiet_days", "4")
	made := post(w, "/marca/campanas", brand, typed)
	require.Equal(t, http.StatusSeeOther, made.Status, made.Text())
	self, _, _ := strings.Cut(made.Header.Get("Location"), "?")
	id, err := loyalty.ParseID(self[strings.LastIndexByte(self, '/')+1:])
	require.NoError(t, err)
	v := storedCampaign(t, w, id)
	assert.Equal(t, loyalty.Draft, v.Status)
	assert.Equal(t, []loyalty.ID{w.Tenants[0].Product}, v.Products)
	assert.EqualValues(t, 3550, v.MarginBPS)
	require.Len(t, v.Limits, 1)

	// The reward, also by a form; what is not written is no limit.
	reward := fieldsOf(t, get(w, self+"/premios/nuevo", brand), self+"/premios")
	reward.Set("name", "Un <b>refresco</b>")
	reward.Set("threshold", "5")
	reward.Set("cost_cents", "12.50")
	require.Equal(t, http.StatusSeeOther, post(w, self+"/premios", brand, reward).Status)
	page := get(w, made.Header.Get("Location"), brand).Text()
	for _, text := range []string{"quedó como borrador", "1 sello por pieza.", "Máximo 3 sellos al día por cliente.", "35.5 %", "Un &lt;b&gt;refresco&lt;/b&gt;", "sin límite", "Enviar a revisión", "borrador"} {
		assert.Contains(t, page, text)
	}
	for _, text := range []string{"Aprobar", "Activar", "<b>refresco"} {
		assert.NotContains(t, page, text)
	}
	edit := regexp.MustCompile(self + `/premios/[0-9a-f-]+`).FindString(page)
	reward = fieldsOf(t, get(w, edit, brand), edit)
	reward.Set("stock", "0")
	require.Equal(t, http.StatusSeeOther, post(w, edit, brand, reward).Status)
	assert.Contains(t, get(w, self, brand).Text(), "quedan 0 de 0")
	assert.Contains(t, get(w, self, brand).Text(), "hay que corregir", "nobody can get it")

	// Its life. A brand cannot approve, nor skip the review.
	move := func(cookie, to string, more ...string) apitest.Response {
		return form(w, strings.Replace(self, "/marca", deskOf(w, cookie), 1)+"/estado", cookie, append([]string{"to", to}, more...)...)
	}
	assert.Equal(t, http.StatusConflict, move(brand, "active", "confirmed", "1").Status)
	broken := move(brand, "in_review")
	assert.Equal(t, http.StatusConflict, broken.Status)
	assert.Contains(t, broken.Text(), "No se pudo")
	reward.Set("stock", "100")
	require.Equal(t, http.StatusSeeOther, post(w, edit, brand, reward).Status)
	require.Equal(t, http.StatusSeeOther, move(brand, "in_review").Status)
	assert.Equal(t, http.StatusForbidden, move(brand, "approved").Status)
	assert.Contains(t, get(w, self, brand).Text(), "Qoa la está revisando")
	assert.NotContains(t, get(w, self, brand).Text(), self+"/editar")
	theirs := strings.Replace(self, "/marca", "/admin", 1)
	assert.Contains(t, get(w, theirs, admin).Text(), "Te toca revisarla")
	refused := move(admin, "rejected")
	assert.Equal(t, http.StatusBadRequest, refused.Status)
	assert.Contains(t, refused.Text(), "No se pudo")
	require.Equal(t, http.StatusSeeOther, move(admin, "rejected", "reason", "Falta <el> premio").Status)
	assert.Contains(t, get(w, self, brand).Text(), "Falta &lt;el&gt; premio")
	for _, step := range [][2]string{{brand, "draft"}, {brand, "in_review"}, {admin, "approved"}} {
		res := move(step[0], step[1])
		require.Equal(t, http.StatusSeeOther, res.Status, res.Text())
	}
	sure := move(brand, "active")
	assert.Contains(t, sure.Text(), "¿Activar")
	assert.Equal(t, loyalty.Approved, storedCampaign(t, w, id).Status, "only asked")
	require.Equal(t, http.StatusSeeOther, post(w, self+"/estado", brand, fieldsOf(t, sure, self+"/estado")).Status)
	assert.Equal(t, loyalty.Active, storedCampaign(t, w, id).Status)

	// A change that holds later, seen and withdrawn.
	change := fieldsOf(t, get(w, self+"/editar", brand), self)
	stale := maps.Clone(change)
	change.Set("limits[0].max", "5")
	change.Set("reason", "Fin de año")
	change.Set("holds_from", w.Clock.Now().In(loyalty.Zone("")).AddDate(0, 0, 10).Format("2006-01-02T15:04"))
	saved := post(w, self, brand, change)
	require.Equal(t, http.StatusSeeOther, saved.Status, saved.Text())
	page = get(w, saved.Header.Get("Location"), brand).Text()
	for _, text := range []string{"quedó programado", "Límites: Máximo 3 sellos al día", "Límites: Máximo 5 sellos al día", "Fin de año", "programada"} {
		assert.Contains(t, page, text)
	}
	assert.EqualValues(t, 3, storedCampaign(t, w, id).Limits[0].Max)
	cancel := regexp.MustCompile(self + `/versiones/\d+/cancelar`).FindString(page)
	require.NotEmpty(t, cancel, page)
	require.Equal(t, http.StatusSeeOther, form(w, cancel, brand).Status)
	assert.NotContains(t, get(w, self, brand).Text(), cancel)

	// A form that was opened before somebody else's change says so.
	change.Set("holds_from", "")
	change.Set("version", fieldsOf(t, get(w, self+"/editar", brand), self).Get("version"))
	require.Equal(t, http.StatusSeeOther, post(w, self, brand, change).Status)
	assert.EqualValues(t, 5, storedCampaign(t, w, id).Limits[0].Max)
	late := post(w, self, brand, stale)
	assert.Equal(t, http.StatusConflict, late.Status)
	assert.Contains(t, late.Text(), "Alguien cambió la campaña mientras escribías")
	assert.EqualValues(t, 5, storedCampaign(t, w, id).Limits[0].Max)

	require.Equal(t, http.StatusSeeOther, move(brand, "ended", "confirmed", "1").Status)
	page = get(w, self, brand).Text()
	assert.Contains(t, page, "terminada")
	assert.NotContains(t, page, self+"/estado")
}

// deskOf is where the owner of a session works.
func deskOf(w *apitest.World, cookie string) string {
	switch cookie {
	case w.AdminPage:
		return "/admin"
	case w.Keepers[0].Page, w.Keepers[1].Page:
		return "/tienda"
	}
	return "/marca"
}

// Every button that is shown can be pressed by who sees it, and no other step
// that the store would take is missing.
func TestTheButtonsOfACampaignWork(t *testing.T) {
	w := apitest.New(t)
	lives := []loyalty.Status{loyalty.Draft, loyalty.InReview, loyalty.Rejected, loyalty.Approved, loyalty.Active, loyalty.Paused, loyalty.Ended}
	ways := map[loyalty.Status][]loyalty.Status{
		loyalty.Draft: nil, loyalty.InReview: {loyalty.InReview}, loyalty.Rejected: {loyalty.InReview, loyalty.Rejected},
		loyalty.Approved: {loyalty.InReview, loyalty.Approved}, loyalty.Active: {loyalty.Active}, loyalty.Paused: {loyalty.Active, loyalty.Paused},
		loyalty.Ended: {loyalty.Active, loyalty.Ended},
	}
	fresh := func(status loyalty.Status) (id loyalty.ID) {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			base, err := tx.Campaign(ctx, loyalty.System(), w.Tenants[0].Campaign)
			require.NoError(t, err)
			made, err := tx.CreateCampaign(ctx, loyalty.System(), store.CampaignInput{CPG: base.CPG, Terms: base.Terms, Rewards: []store.RewardInput{{Name: "Uno", Threshold: 10}}})
			require.NoError(t, err)
			for _, to := range ways[status] {
				_, err = tx.MoveCampaign(ctx, loyalty.System(), made.ID, to, "porque sí")
				require.NoError(t, err)
			}
			id = made.ID
		})
		return id
	}
	for _, status := range lives {
		for _, cookie := range []string{w.Tenants[0].Page, w.AdminPage} {
			page := get(w, deskOf(w, cookie)+"/campanas/"+string(fresh(status)), cookie).Text()
			var shown []string
			for _, m := range regexp.MustCompile(`name="to" value="([a-z_]+)"`).FindAllStringSubmatch(page, -1) {
				shown = append(shown, m[1])
			}
			var taken []string
			for _, to := range lives {
				res := form(w, deskOf(w, cookie)+"/campanas/"+string(fresh(status))+"/estado", cookie, "to", string(to), "reason", "porque sí", "confirmed", "1")
				if to != status && res.Status == http.StatusSeeOther {
					taken = append(taken, string(to))
				}
			}
			slices.Sort(shown)
			slices.Sort(taken)
			assert.Equal(t, taken, shown, "%s at %s", status, deskOf(w, cookie))
		}
	}
}

// What is another's does not exist, on any page of a campaign.
func TestPitfall_P40_AnothersCampaignIsNotThere(t *testing.T) {
	w := apitest.New(t)
	mine, theirs := w.Tenants[1].Page, string(w.Tenants[0].Campaign)
	for _, cookie := range []string{mine, w.Keepers[0].Page} { // a tendero sees it run, and manages it not
		root := deskOf(w, cookie) + "/campanas/" + theirs
		for _, path := range []string{"", "/editar", "/simular", "/simular?weeks=4", "/premios/nuevo", "/premios/" + string(w.Tenants[0].Reward)} {
			res := get(w, root+path, cookie)
			assert.Equal(t, http.StatusNotFound, res.Status, path)
			assert.NotContains(t, res.Text(), "Junta 10", path)
		}
		for _, path := range []string{"", "/estado", "/versiones/1/cancelar", "/premios", "/premios/" + string(w.Tenants[0].Reward)} {
			res := form(w, root+path, cookie, "name", "Robada", "to", "paused", "goal", "2")
			assert.Contains(t, []int{http.StatusNotFound, http.StatusForbidden}, res.Status, path)
		}
	}
	assert.Equal(t, "Junta 10", storedCampaign(t, w, w.Tenants[0].Campaign).Name)
	assert.Equal(t, loyalty.Active, storedCampaign(t, w, w.Tenants[0].Campaign).Status)

	// A brand makes none for another, whatever it writes.
	typed := fieldsOf(t, get(w, "/marca/campanas/nueva/completa", mine), "/marca/campanas")
	typed.Set("name", "Colada")
	typed.Set("owner", "cpg:"+string(w.Tenants[0].CPG))
	made := post(w, "/marca/campanas", mine, typed)
	require.Equal(t, http.StatusSeeOther, made.Status, made.Text())
	list := get(w, "/marca/campanas", w.Tenants[0].Page).Text()
	assert.NotContains(t, list, "Colada")
}

// An admin makes a campaign for a company or for a shop, a tendero for the shop.
func TestCampaignsHaveOwners(t *testing.T) {
	w := apitest.New(t)
	choose := get(w, "/admin/campanas/nueva", w.AdminPage)
	for _, text := range []string{"Empresa: Bebidas del Valle", "Tienda: Abarrotes Lupita"} {
		assert.Contains(t, choose.Text(), text)
	}
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for i := range 60 {
			_, err := tx.CreateShop(ctx, loyalty.System(), store.ShopInput{Name: fmt.Sprintf("Zarape %02d", i), City: "Saltillo", State: "Coahuila"})
			require.NoError(t, err)
		}
	})
	choose = get(w, "/admin/campanas/nueva?owner=&q=zarape+57", w.AdminPage)
	assert.Contains(t, choose.Text(), "Tienda: Zarape 57, Saltillo", "one of many is searched")
	assert.NotContains(t, choose.Text(), "Zarape 56")
	path := "/admin/campanas/nueva/completa?owner=cpg%3A" + string(w.Tenants[1].CPG)
	typed := fieldsOf(t, get(w, path, w.AdminPage), "/admin/campanas")
	typed.Set("name", "De Qoa para Crujis")
	require.Equal(t, http.StatusSeeOther, post(w, "/admin/campanas", w.AdminPage, typed).Status)
	assert.Contains(t, get(w, "/marca/campanas", w.Tenants[1].Page).Text(), "De Qoa para Crujis")

	keeper := w.Keepers[0]
	typed = fieldsOf(t, get(w, "/tienda/campanas/nueva/completa", keeper.Page), "/tienda/campanas")
	typed.Set("name", "Vuelve con Lupita")
	typed.Add("product_ids", string(w.Tenants[0].Product))
	made := post(w, "/tienda/campanas", keeper.Page, typed)
	require.Equal(t, http.StatusSeeOther, made.Status, made.Text())
	assert.Contains(t, get(w, made.Header.Get("Location"), keeper.Page).Text(), "Vuelve con Lupita")
	list := get(w, "/tienda/campanas", keeper.Page).Text()
	assert.Contains(t, list, "Vuelve con Lupita")
	assert.NotContains(t, list, "Junta 10", "it runs here and is not its own")
	assert.NotContains(t, get(w, "/tienda/campanas", w.Keepers[1].Page).Text(), "Vuelve con Lupita")
	own, _, _ := strings.Cut(made.Header.Get("Location"), "?")
	assert.Equal(t, http.StatusNotFound, get(w, own, w.Keepers[1].Page).Status)
}

// A simulation shows what the campaign would have cost, and writes nothing.
func TestACampaignIsSimulatedOnAPage(t *testing.T) {
	w := apitest.New(t)
	self := "/marca/campanas/" + string(w.Tenants[0].Campaign)
	w.Clock.Advance(time.Hour)
	asked := get(w, self+"/simular", w.Tenants[0].Page)
	assert.Contains(t, asked.Text(), "Semanas hacia atrás")
	assert.NotContains(t, asked.Text(), "Por tienda")
	page := get(w, self+"/simular?weeks=4&take=100", w.Tenants[0].Page)
	require.Equal(t, http.StatusOK, page.Status)
	for _, text := range []string{"Cada peso de venta", "12 sellos", "Abarrotes Lupita", "$222.00", "<svg", "Un refresco gratis"} {
		assert.Contains(t, page.Text(), text)
	}
	for _, query := range []string{"?weeks=27", "?weeks=0", "?weeks=dos", "?weeks=4&take=101", "?weeks=4&take=x"} {
		res := get(w, self+"/simular"+query, w.Tenants[0].Page)
		assert.Equal(t, http.StatusBadRequest, res.Status, query)
		assert.Contains(t, res.Text(), "Escribe de 1 a 26 semanas", query)
	}
}
