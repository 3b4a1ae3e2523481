package api_test

import (
	"context"
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

var passwordLink = regexp.MustCompile(`/clave/qoa_pw_[A-Za-z0-9_-]+`)

// linkIn is the link by which a password is chosen, as a page shows it.
func linkIn(t *testing.T, res apitest.Response) string {
	t.Helper()
	link := passwordLink.FindString(res.Text())
	require.NotEmpty(t, link, "%d %s", res.Status, res.Text())
	return link
}

func staffNamed(t *testing.T, w *apitest.World, email string) (v store.StaffLine) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		all, _, err := tx.StaffLines(ctx, loyalty.System(), store.StaffFilter{Text: email}, store.Page{Limit: 10})
		require.NoError(t, err)
		require.Len(t, all, 1)
		v = all[0]
	})
	return v
}

const phrase = "una frase que nadie adivina"

// TestAPasswordIsKnownToItsOwnerAlone: from the link that an admin gets to the
// login, and back by a reset.
func TestAPasswordIsKnownToItsOwnerAlone(t *testing.T) {
	w := apitest.New(t)
	res := form(w, "/admin/usuarios", w.AdminPage, "name", "Lola", "email", "lola@qoa.test", "role", "cpg", "cpg_id", string(w.Tenants[0].CPG))
	require.Equal(t, http.StatusCreated, res.Status, res.Text())
	link := linkIn(t, res)
	lola := staffNamed(t, w, "lola@qoa.test")
	assert.True(t, lola.Invited)
	assert.NotContains(t, w.Do("GET", "/admin/usuarios", nil, apitest.Cookie(w.AdminPage)).Text(), "/clave/", "shown once")

	assert.Contains(t, w.Do("GET", link, nil).Text(), "Hola, Lola")
	assert.Equal(t, http.StatusBadRequest, form(w, link, "", "password", phrase, "again", "otra frase distinta").Status)
	short := form(w, link, "", "password", "corta", "again", "corta")
	assert.Equal(t, http.StatusBadRequest, short.Status)
	assert.NotContains(t, short.Text(), `value="corta"`)
	in := form(w, link, "", "password", phrase, "again", phrase)
	require.Equal(t, http.StatusSeeOther, in.Status, in.Text())
	assert.Equal(t, "/marca", in.Header.Get("Location"))
	page := cookieOf(t, in).Value
	assert.Equal(t, http.StatusOK, w.Do("GET", "/marca", nil, apitest.Cookie(page)).Status)
	assert.Equal(t, http.StatusNotFound, w.Do("GET", link, nil).Status, "once")
	assert.Equal(t, http.StatusNotFound, form(w, link, "", "password", phrase, "again", phrase).Status)

	// Her own change ends her other sessions, and wants the old password.
	other := cookieOf(t, form(w, "/marca/login", "", "email", "lola@qoa.test", "password", phrase)).Value
	wrong := form(w, "/marca/cuenta", page, "old", "no es esta", "password", phrase+" 2", "again", phrase+" 2")
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	assert.Contains(t, wrong.Text(), "No es tu contraseña de ahora")
	changed := form(w, "/marca/cuenta", page, "old", phrase, "password", phrase+" 2", "again", phrase+" 2")
	require.Equal(t, http.StatusSeeOther, changed.Status, changed.Text())
	assert.Equal(t, http.StatusOK, w.Do("GET", "/marca/cuenta", nil, apitest.Cookie(page)).Status)
	assert.Equal(t, http.StatusSeeOther, w.Do("GET", "/marca", nil, apitest.Cookie(other)).Status)

	// She is called otherwise, and stays in.
	assert.Contains(t, w.Do("GET", "/admin/usuarios/"+string(lola.ID)+"/nombre", nil, apitest.Cookie(w.AdminPage)).Text(), `value="Lola"`)
	long := strings.Repeat("a", 81)
	refused := form(w, "/admin/usuarios/"+string(lola.ID)+"/nombre", w.AdminPage, "name", long)
	assert.Equal(t, http.StatusBadRequest, refused.Status)
	assert.Contains(t, refused.Text(), long, "what was typed stays")
	require.Equal(t, "/admin/usuarios?hecho=nombre", form(w, "/admin/usuarios/"+string(lola.ID)+"/nombre", w.AdminPage, "name", "Dolores").Header.Get("Location"))
	assert.Contains(t, w.Do("GET", "/admin/usuarios?hecho=nombre", nil, apitest.Cookie(w.AdminPage)).Text(), "Dolores")
	assert.Equal(t, http.StatusOK, w.Do("GET", "/marca/cuenta", nil, apitest.Cookie(page)).Status)

	// A reset: she is out, the old password is none, and the link is another.
	at := "/admin/usuarios/" + string(lola.ID)
	again := form(w, at+"/enlace", w.AdminPage)
	require.Equal(t, http.StatusOK, again.Status)
	require.NotEqual(t, link, linkIn(t, again))
	assert.Equal(t, http.StatusSeeOther, w.Do("GET", "/marca", nil, apitest.Cookie(page)).Status)
	assert.Equal(t, http.StatusUnauthorized, form(w, "/marca/login", "", "email", "lola@qoa.test", "password", phrase+" 2").Status)
	newer := linkIn(t, form(w, at+"/enlace", w.AdminPage))
	assert.Equal(t, http.StatusNotFound, w.Do("GET", linkIn(t, again), nil).Status, "a newer link ends the older")
	w.Clock.Advance(store.PasswordLife + time.Second)
	assert.Equal(t, http.StatusNotFound, w.Do("GET", newer, nil).Status)

	rows := auditOf(t, w, store.AuditFilter{Subject: lola.ID})
	var did []string
	for _, r := range rows {
		did = append(did, string(r.Verb))
		assert.NotContains(t, strings.ToLower(string(r.Label)), "frase")
	}
	assert.ElementsMatch(t, []string{"reset", "reset", "update", "password", "password", "create"}, did)
}

// TestTheLastAdminStays: nobody can lock everybody out.
func TestTheLastAdminStays(t *testing.T) {
	w := apitest.New(t)
	ada := staffNamed(t, w, "admin@qoa.test")
	at := "/admin/usuarios/" + string(ada.ID)
	for _, path := range []string{at + "/estado", at + "/enlace"} {
		res := form(w, path, w.AdminPage, "active", "0")
		assert.Equal(t, http.StatusConflict, res.Status, path)
	}
	// Another admin who has not entered yet is none to rely on.
	second := linkIn(t, form(w, "/admin/usuarios", w.AdminPage, "name", "Eva", "email", "eva@qoa.test", "role", "admin"))
	off := false
	deactivate := func() error {
		return w.DB.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.UpdateStaff(t.Context(), loyalty.System(), ada.ID, store.StaffPatch{Active: &off})
			return err
		})
	}
	require.Equal(t, loyalty.CodeConflict, loyalty.CodeOf(deactivate()))
	eva := cookieOf(t, form(w, second, "", "password", phrase, "again", phrase)).Value
	out := form(w, at+"/estado", eva, "active", "0")
	require.Equal(t, http.StatusSeeOther, out.Status, out.Text())
	assert.Equal(t, http.StatusSeeOther, w.Do("GET", "/admin", nil, apitest.Cookie(w.AdminPage)).Status, "at once")
	require.Equal(t, http.StatusSeeOther, form(w, at+"/estado", eva, "active", "1").Status)
	require.NoError(t, deactivate())
}

func TestSessionsAreEndedByAnAdmin(t *testing.T) {
	w := apitest.New(t)
	brand := w.Do("GET", "/marca/cuenta", nil, apitest.Cookie(w.Tenants[0].Page))
	require.Equal(t, http.StatusOK, brand.Status)
	var id loyalty.ID
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		all, _, err := tx.StaffLines(ctx, loyalty.System(), store.StaffFilter{Role: loyalty.RoleCPG}, store.Page{Limit: 10})
		require.NoError(t, err)
		for _, m := range all {
			if *m.CPG == w.Tenants[0].CPG {
				id = m.ID
				assert.Positive(t, m.Sessions)
			}
		}
	})
	require.Equal(t, http.StatusSeeOther, form(w, "/admin/usuarios/"+string(id)+"/sesiones", w.AdminPage).Status)
	assert.Equal(t, http.StatusSeeOther, w.Do("GET", "/marca", nil, apitest.Cookie(w.Tenants[0].Page)).Status)
}

// TestKeysAreShownOnceAndSayWhenTheyWereUsed.
func TestKeysAreShownOnceAndSayWhenTheyWereUsed(t *testing.T) {
	w := apitest.New(t)
	res := form(w, "/admin/llaves", w.AdminPage, "label", "Caja 2")
	require.Equal(t, http.StatusCreated, res.Status)
	key := regexp.MustCompile(`qoa_key_[A-Za-z0-9_-]+`).FindString(res.Text())
	require.NotEmpty(t, key)
	list := func() string { return w.Do("GET", "/admin/llaves", nil, apitest.Cookie(w.AdminPage)).Text() }
	assert.NotContains(t, list(), "qoa_key_")
	assert.Contains(t, list(), "nunca")
	for range 2 {
		apitest.Data[[]thing](w.As(key), http.StatusOK, "GET", "/v1/shops", nil)
	}
	var made store.APIKey
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		all, _, err := tx.APIKeys(ctx, loyalty.System(), store.Page{Limit: 10})
		require.NoError(t, err)
		made = all[len(all)-1]
	})
	require.Equal(t, w.Clock.Now(), made.UsedAt.UTC())
	at := "/admin/llaves/" + string(made.ID) + "/revocar"
	assert.Contains(t, form(w, at, w.AdminPage).Text(), "¿Revocar esta llave?")
	require.Equal(t, http.StatusSeeOther, form(w, at, w.AdminPage, "confirmed", "1").Status)
	w.As(key).Problem(http.StatusUnauthorized, "GET", "/v1/shops", nil)
	assert.Contains(t, list(), "revocada")
}

// TestTheAuditCanBeReadAndTakenAway.
func TestTheAuditCanBeReadAndTakenAway(t *testing.T) {
	w := apitest.New(t)
	apitest.Data[thing](w.As(w.Admin), http.StatusOK, "PATCH", "/v1/shops/"+string(w.Keepers[0].Shop.ID), obj{"name": "Abarrotes Lupe"})
	page := func(query string) string {
		res := w.Do("GET", "/admin/auditoria"+query, nil, apitest.Cookie(w.AdminPage))
		require.Equal(t, http.StatusOK, res.Status, query)
		return res.Text()
	}
	all := page("")
	assert.Contains(t, all, "Ada cambió la tienda «Abarrotes Lupe»")
	assert.Contains(t, all, "<del>Abarrotes Lupita</del> <ins>Abarrotes Lupe</ins>")
	assert.Contains(t, page("?que=shop&quien=system"), "El sistema creó la tienda")
	assert.NotContains(t, page("?que=shop&quien=system"), "Lupe»")
	assert.Contains(t, page("?hasta=2026-11-19"), "Nadie cambió nada así")
	assert.Contains(t, page("?desde=ayer"), "Abarrotes Lupe")
	for _, k := range w.Keepers {
		assert.NotContains(t, all, k.Phone[len(k.Phone)-10:])
	}
	file := w.Do("GET", "/admin/auditoria.csv?que=shop", nil, apitest.Cookie(w.AdminPage))
	require.Equal(t, http.StatusOK, file.Status)
	assert.Contains(t, file.Text(), "Nombre: Abarrotes Lupita → Abarrotes Lupe")
	assert.Contains(t, page("?que=audit"), "Ada descargó la auditoría")
}

func TestStaffInABrowser(t *testing.T) {
	w := apitest.New(t)
	b := openTab(t, w)
	b.do(chromedp.Navigate(w.Base + "/admin/usuarios/nuevo"))
	b.do(chromedp.SetValue(`[name=name]`, "Lola Ríos"), chromedp.SetValue(`[name=email]`, "no es un correo"), chromedp.Click(`main form button`))
	b.until("what is wrong", pageText+`.includes('no es un correo válido')`)
	b.shots("staff-form")
	b.do(chromedp.SetValue(`[name=email]`, "lola@qoa.test"), chromedp.SetValue(`[name=cpg_id]`, string(w.Tenants[0].CPG)), chromedp.Click(`main form button`))
	b.until("the link", `!!document.querySelector('#secret')`)
	b.shots("staff-link")
	link, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector('#secret').value`))
	require.NoError(t, err)
	b.do(chromedp.Navigate(w.Base + "/admin/usuarios?rol=cpg"))
	b.shots("staff")
	b.do(chromedp.Navigate(w.Base + "/admin/llaves"))
	b.shots("keys")
	b.do(chromedp.Navigate(w.Base + "/admin/cuenta"))
	b.shots("account")
	b.do(chromedp.Navigate(w.Base + "/admin/auditoria"))
	b.shots("audit")
	b.do(chromedp.Navigate(link))
	b.shots("password")
	b.do(chromedp.SetValue(`[name=password]`, phrase), chromedp.SetValue(`[name=again]`, phrase), chromedp.Click(`main form button`))
	b.until("her own desk", `location.pathname === '/marca'`)
}
