package api_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// TestATenderoIsInvited: by the bot where the person wrote to it, else by hand, and
// never to a phone that does not know us.
func TestATenderoIsInvited(t *testing.T) {
	w := apitest.New(t, production)
	shop := w.Keepers[0].Shop
	invites := func() (n int) {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			all, _, err := tx.Letters(ctx, loyalty.System(), store.LetterFilter{}, store.Page{Limit: 100})
			require.NoError(t, err)
			for _, l := range all {
				if l.Template == "invite.tendero" {
					n++
				}
			}
		})
		return n
	}
	before := invites()
	res := form(w, "/admin/tenderos", w.AdminPage, "shop_id", shop.Code, "name", "Petra", "phone", "55 9988 7766")
	require.Equal(t, http.StatusOK, res.Status, res.Text())
	assert.Contains(t, res.Text(), "Invita a Petra")
	assert.Contains(t, res.Text(), "https://wa.me/525599887766?text=")
	assert.Contains(t, res.Text(), `class="qr"`)
	assert.Equal(t, before, invites(), "the bot writes first to nobody")

	page := func() string { return w.Do("GET", "/admin/tenderos", nil, apitest.Cookie(w.AdminPage)).Text() }
	assert.Contains(t, page(), "todavía no escribe")
	assert.NotContains(t, page(), "99887766")
	petra := tenderoNamed(t, w, "Petra")
	assert.Equal(t, "hand", petra.InvitedBy)

	// She writes, and is invited by the bot, once a day.
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.Receive(ctx, store.Inbound{Channel: "sim", From: "+525599887766", MessageID: "p1", Kind: "text", Text: "hola"})
		require.NoError(t, err)
	})
	at := "/admin/tenderos/" + string(petra.ID)
	for range 2 {
		again := form(w, at+"/invitacion", w.AdminPage)
		require.Equal(t, "/admin/tenderos?hecho=invitado", again.Header.Get("Location"), again.Text())
	}
	assert.Equal(t, before+1, invites())

	require.Equal(t, http.StatusSeeOther, form(w, at+"/estado", w.AdminPage, "active", "0").Status)
	assert.Equal(t, http.StatusConflict, form(w, at+"/invitacion", w.AdminPage).Status)
	require.Equal(t, http.StatusSeeOther, form(w, at+"/estado", w.AdminPage, "active", "1").Status)

	for _, wanted := range []string{shop.Code, "lupita", "7766", "5599887766"} {
		found := form(w, "/admin/tenderos/buscar", w.AdminPage, "buscar", wanted).Text()
		assert.Contains(t, found, "Petra", wanted)
	}
	for _, wanted := range []string{w.Keepers[1].Shop.Code, "esquina", "766"} {
		assert.NotContains(t, form(w, "/admin/tenderos/buscar", w.AdminPage, "buscar", wanted).Text(), "Petra", wanted)
	}
	assert.Contains(t, page(), at+"/nombre")
	assert.Contains(t, w.Do("GET", at+"/nombre", nil, apitest.Cookie(w.AdminPage)).Text(), `value="Petra"`)
	empty := form(w, at+"/nombre", w.AdminPage, "name", "  ")
	assert.Equal(t, http.StatusBadRequest, empty.Status)
	assert.Contains(t, empty.Text(), `id="f-name"`)
	require.Equal(t, "/admin/tenderos?hecho=nombre", form(w, at+"/nombre", w.AdminPage, "name", "Petra <Ruiz>").Header.Get("Location"))
	assert.Contains(t, page(), "Petra &lt;Ruiz&gt;")
	require.Equal(t, http.StatusSeeOther, form(w, at+"/nombre", w.AdminPage, "name", "Petra").Status)
	for field, bad := range map[string][]string{
		"no hay una tienda": {"shop_id", "XXXXXX", "name", "Eva", "phone", "5511112222"},
		"Teléfono":          {"shop_id", shop.Code, "name", "Eva", "phone", "12"},
		"ya es tendero":     {"shop_id", shop.Code, "name", "Petra", "phone", "5599887766"},
	} {
		refused := form(w, "/admin/tenderos", w.AdminPage, bad...)
		assert.GreaterOrEqual(t, refused.Status, 400, field)
		assert.Contains(t, refused.Text(), bad[3], "what was typed stays")
	}
}

func tenderoNamed(t *testing.T, w *apitest.World, name string) (v store.TenderoLine) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		all, _, err := tx.TenderoLines(ctx, loyalty.System(), store.TenderoSearch{}, store.Page{Limit: 100})
		require.NoError(t, err)
		for _, m := range all {
			if m.Name == name {
				v = m
			}
		}
	})
	require.NotEmpty(t, v.ID)
	return v
}

func TestTenderosInABrowser(t *testing.T) {
	w := apitest.New(t)
	b := openTab(t, w)
	b.do(chromedp.Navigate(w.Base + "/admin/tenderos/nuevo?tienda=" + w.Keepers[0].Shop.Code))
	b.do(chromedp.SetValue(`[name=name]`, "Petra"), chromedp.SetValue(`[name=phone]`, "12"), chromedp.Click(`main form button`))
	b.until("what is wrong", `!!document.querySelector('#errores')`)
	b.shots("tendero-form")
	b.do(chromedp.SetValue(`[name=phone]`, "55 9988 7766"), chromedp.Click(`main form button`))
	b.until("the invitation", `!!document.querySelector('.secret .qr')`)
	b.shots("tendero-invite")
	b.do(chromedp.SetValue(`#f-buscar`, "lupita"), chromedp.Click(`.sieve button`))
	b.until("who keeps it", `location.pathname === '/admin/tenderos/buscar' && document.querySelectorAll('.line').length === 2`)
	b.shots("tenderos")
}
