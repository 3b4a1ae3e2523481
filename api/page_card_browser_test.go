package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/api/browsertest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// openCard opens a card on a phone, at base.
func openCard(t *testing.T, w *apitest.World, base string, of apitest.Shopper) *tab {
	t.Helper()
	b := &tab{t, browsertest.Start(t), w}
	b.do(browsertest.Phone(), chromedp.Navigate(base+of.URL))
	b.until("the card", pageText+`.includes('`+of.Card[:4]+`-')`)
	return b
}

// has says whether this browser keeps a copy of the page.
func (b *tab) has() bool {
	b.t.Helper()
	yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`caches.open('qoa-tarjeta-pages').then((c) => c.keys()).then((k) => k.length > 0)`, chromedp.EvalAwaitPromise))
	return err == nil && yes
}

// A card that was seen once opens without a network, says of when it is, and lets
// nothing be asked for that needs one. A link that is void takes the copy with it.
func TestACardOpensWithoutANetwork(t *testing.T) {
	w := apitest.New(t)
	v := newWire(t, w)
	ana := w.Shoppers[0]
	b := openCard(t, w, v.Base, ana)
	require.Eventually(t, b.has, 10*time.Second, 20*time.Millisecond, "one view is enough")
	b.until("a worker", `!!navigator.serviceWorker.controller`)

	cut := func() {
		v.down.Store(true)
		v.hangUp()
		b.online(false)
	}
	mend := func() {
		v.down.Store(false)
		b.online(true)
	}
	shows := `getComputedStyle(document.getElementById('kept')).display !== 'none'`
	cut()
	b.until("it is told", shows+` && document.getElementById('kept').innerText.includes('Sin conexión. Guardado el 20 de noviembre de 2026 a las 12:42')`)
	b.do(chromedp.Navigate(v.Base + ana.URL))
	b.until("the copy", shows+` && `+pageText+`.includes('`+ana.Card[:4]+`-') && document.querySelectorAll('.slot .on').length === 2`)
	require.Equal(t, "2", b.eval(`String(document.querySelectorAll('main svg.qr').length)`), "the card's and the prize's")
	b.shot("card-offline")
	b.shots("card-offline-whole")
	b.do(chromedp.Click(`#ask-evidence`))
	b.until("it says why not", `document.getElementById('kept').innerText.includes('hace falta internet')`)
	b.shot("card-offline-refused")
	require.NotContains(t, w.Do("GET", ana.URL, nil).Text(), `id="evidence"`, "nothing was asked for")

	// So do the pages beside it, which lead back to what there is.
	b.do(chromedp.Click(`a[href$="/historial"]`))
	b.until("back on the card", `location.pathname === '`+ana.URL+`' && document.getElementById('kept').innerText.includes('hace falta internet')`)

	// A code whose time is over says so, whatever the phone's clock shows.
	require.Equal(t, "", b.eval(`document.querySelector('.claim').className.replace('claim', '').trim()`))
	b.eval(`(localStorage.setItem('qoa.card-ahead', String(Number(localStorage.getItem('qoa.card-ahead')) - 8 * 24 * 3600 * 1000)), '')`)
	b.do(chromedp.Navigate(v.Base + ana.URL))
	b.until("over", `document.querySelector('.claim').innerText.includes('Este código ya venció') && !document.querySelector('.claim .tile').offsetParent`)
	b.shot("card-offline-over")

	// What changed meanwhile is there when the network is, and in the next copy.
	sold := w.As(w.Key).Do("POST", "/v1/purchases", change(w, item(w.Tenants[0].GTIN, 3, nil)), apitest.Key("while-away"))
	require.Equal(t, http.StatusCreated, sold.Status)
	mend()
	b.until("fresh", `document.querySelectorAll('.slot .on').length === 5 && !(`+shows+`)`)
	cut()
	b.do(chromedp.Navigate(v.Base + ana.URL))
	b.until("the new copy", shows+` && document.querySelectorAll('.slot .on').length === 5`)

	// The link is void: with the network the copy goes, and it stays gone.
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, _, err := tx.ReissueLink(ctx, ana.Person)
		require.NoError(t, err)
	})
	mend()
	b.until("the link is dead", `document.body.innerText.includes('Pide tu enlace de nuevo')`)
	require.Eventually(t, func() bool { return !b.has() }, 10*time.Second, 20*time.Millisecond)
	cut()
	if err := chromedp.Do(b.ctx, chromedp.Navigate(v.Base+ana.URL)); err == nil {
		require.NotContains(t, b.eval(`document.body.innerText`), ana.Card[:4]+"-")
	}
}

// The page installs as an app whose address is the card's own, and no other
// address on it or in its files knows the secret.
func TestTheCardPageInstalls(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	secret := strings.Split(ana.URL, "/")[2]
	res := w.Do("GET", ana.URL+"/app.webmanifest", nil)
	require.Equal(t, http.StatusOK, res.Status)
	assert.Equal(t, "application/manifest+json", res.Header.Get("Content-Type"))
	assert.NotContains(t, res.Header.Get("Cache-Control"), "public")
	var manifest struct {
		ID    string
		Start string `json:"start_url"`
		Scope string
		Icons []struct{ Src string }
	}
	require.NoError(t, json.Unmarshal(res.Body, &manifest))
	assert.Equal(t, []string{"/c/" + ana.Card, ana.URL, ana.URL}, []string{manifest.ID, manifest.Start, manifest.Scope})
	require.Len(t, manifest.Icons, 3)
	for _, icon := range manifest.Icons {
		assert.Equal(t, "image/png", w.Do("GET", icon.Src, nil).Header.Get("Content-Type"))
	}
	worker := w.Do("GET", "/c/sw.js", nil)
	assert.Equal(t, "/c/", worker.Header.Get("Service-Worker-Allowed"))
	assert.Equal(t, "no-cache", worker.Header.Get("Cache-Control"))
	assert.NotContains(t, worker.Text(), secret)
	assert.Equal(t, http.StatusNotFound, w.Do("GET", "/c/"+secret+"/hola/app.webmanifest", nil).Status)

	b := openCard(t, w, w.Base, ana)
	b.until("a worker", `!!navigator.serviceWorker.controller`)
	assert.Empty(t, b.installability())
	assert.Equal(t, "", b.eval(`[...document.querySelectorAll('a, [data-share]')].map((e) => e.href).filter((u) => u.includes('`+secret+`')
		&& !new URL(u).pathname.startsWith(location.pathname)).join()`), "the secret leads nowhere else")
}

// installability is what Chromium has against installing the page.
func (b *tab) installability() (problems []string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		res, err := cdp.Call(ctx, t, page.GetInstallabilityErrors, cdp.Empty{})
		for _, v := range res.InstallabilityErrors {
			problems = append(problems, v.ErrorID)
		}
		return err
	}))
	return problems
}

// lively gives a consumer a wallet of two shops, with stamps and points and several
// rewards, one of them ready.
func lively(t *testing.T, w *apitest.World) apitest.Shopper {
	t.Helper()
	for _, reward := range []obj{{"name": "Dos refrescos y unas papas", "threshold": 18}, {"name": "Una hielera para la familia", "threshold": 40, "stock": 3}} {
		apitest.Data[thing](w.As(w.Admin), 201, "POST", "/v1/campaigns/"+string(w.Tenants[0].Campaign)+"/rewards", reward)
	}
	ana := livedIn(t, w)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.Onboard(ctx, ana.Person, w.Keepers[1].Shop.Code, "otra")
		require.NoError(t, err)
		_, _, err = tx.RecordPurchase(ctx, loyalty.Scope{Role: loyalty.RoleIntegration, Key: w.KeyID}, store.PurchaseInput{
			Key: "lively", ShopCode: w.Keepers[1].Shop.Code, Code: ana.Card, Channel: store.ChannelAPI,
			Items: []store.ItemInput{{GTIN: w.Tenants[0].GTIN, Quantity: 10}, {GTIN: w.Tenants[1].GTIN, Quantity: 2}},
		})
		require.NoError(t, err)
	})
	return ana
}

// A reward that is asked for is a code and a QR, which the page of the shop reads; it
// is given back by a question and an answer, not by one tap.
func TestARewardGoesOverTheCounterAsAQR(t *testing.T) {
	w := apitest.New(t)
	ana := lively(t, w)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		open, err := tx.OpenRedemptions(ctx, ana.Person)
		require.NoError(t, err)
		for _, r := range open {
			_, err := tx.CancelRedemption(ctx, loyalty.System(), r.Code)
			require.NoError(t, err)
		}
	})
	b := openCard(t, w, w.Base, ana)
	b.shots("card")
	for _, size := range []chromedp.Action[chromedp.Void]{browsertest.Phone(), browsertest.Desk()} {
		b.do(size)
		assert.Equal(t, "", b.eval(`[...document.querySelectorAll('a.btn, .shops a, button, summary')].filter((e) => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44)).map((e) => e.outerHTML).join()`), "nothing to tap is smaller than a thumb")
	}
	b.do(browsertest.Phone())
	require.Contains(t, b.eval(pageText), "Te faltan 13 sellos")
	require.Contains(t, b.eval(pageText), "¡Ya es tuyo!")
	require.Contains(t, b.eval(pageText), "También juntas en\nAbarrotes Lupita")
	b.do(chromedp.Click(`form[action$="/redemptions"] button`))
	b.until("a code", `/R[0-9A-Z]{3}-[0-9A-Z]{4}/.test(document.querySelector('.claim .codebig').innerText)`)
	code := strings.ReplaceAll(b.eval(`document.querySelector('.claim .codebig').innerText`), "-", "")
	require.Contains(t, b.eval(`document.querySelector('.claim').innerText`), "Vale hasta el 19 de enero de 2027")
	require.Equal(t, "1", b.eval(`String(document.querySelectorAll('form[action$="/redemptions"]').length)`), "neither what waits is offered again, nor what the rest does not pay")
	b.shots("card-claim")
	tile, err := chromedp.Run(b.ctx, chromedp.Screenshot(`.claim .tile`))
	require.NoError(t, err)

	b.do(chromedp.Click(`.claim summary`))
	b.until("a question", `document.querySelector('.claim details').open && document.querySelector('.claim details button').offsetParent !== null`)
	b.shot("card-claim-cancel")

	file := filepath.Join(t.TempDir(), "premio.png")
	require.NoError(t, os.WriteFile(file, tile, 0o600))
	var link string
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		var err error
		link, err = tx.IssueLink(ctx, w.Keepers[0].Person)
		require.NoError(t, err)
	})
	shop := &tab{t, browsertest.Tab(t, b.ctx), w}
	shop.do(browsertest.Phone(), chromedp.Navigate(w.Base+"/t/"+link))
	shop.until("the scan page", `location.pathname === '/tienda' && !!document.getElementById('sale')`)
	shop.do(chromedp.Click(`#cam`))
	shop.until("no camera here", `!document.getElementById('photo-box').hidden`)
	shop.do(chromedp.SetUploadFiles(`#photo`, []string{file}))
	shop.until("the prize", `document.getElementById('say').innerText.includes('Premio `+loyalty.FormatCode(code)+`')`)

	b.do(chromedp.Click(`.claim details button`))
	b.until("given back", `!document.querySelector('.claim') && document.querySelectorAll('form[action$="/redemptions"]').length === 3`)
	shop.do(chromedp.Click(`#say .result.read button`))
	shop.until("too late", `document.getElementById('say').innerText.includes('se canceló')`)

	// Asked for once more, it is handed out, and the card knows by itself.
	b.do(chromedp.Click(`form[action$="/redemptions"] button`))
	b.until("another code", `!!document.querySelector('.claim .tile')`)
	tile, err = chromedp.Run(b.ctx, chromedp.Screenshot(`.claim .tile`))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, tile, 0o600))
	shop.do(chromedp.SetUploadFiles(`#photo`, []string{file}))
	shop.until("the prize again", `!!document.querySelector('#say .result.read')`)
	shop.do(chromedp.Click(`#say .result.read button`))
	shop.until("delivered", `document.getElementById('say').innerText.includes('Premio entregado')`)
	b.until("the card shows it", `!document.querySelector('.claim') && document.querySelector('.history').innerText.includes('Premio en Abarrotes Lupita')`)
}

// Months come below each other with a script, and one after the other without.
func TestTheHistoryInABrowser(t *testing.T) {
	w := apitest.New(t)
	ana := livedIn(t, w)
	b := openCard(t, w, w.Base, ana)
	b.do(chromedp.Click(`a[href$="/historial"]`))
	b.until("January", `document.querySelector('.month h2').innerText === 'Enero de 2027'`)
	b.shots("card-month")
	b.do(chromedp.Click(`[data-older]`))
	b.until("November below", `document.querySelectorAll('.month').length === 2 && document.activeElement.innerText === 'Noviembre de 2026' && !document.querySelector('.skeleton')`)
	assert.Equal(t, "Noviembre de 2026", b.eval(`document.getElementById('say').textContent`), "who cannot see it hears it")
	assert.Equal(t, "0", b.eval(`String(document.querySelectorAll('.months').length)`), "there is no older one")
	b.shots("card-months")

	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.do(chromedp.Navigate(w.Base + ana.URL + "/historial"))
	b.do(chromedp.Click(`[data-older]`))
	b.until("a page of its own", `location.search === '?mes=2026-11' && document.querySelectorAll('.month').length === 1`)
	b.do(chromedp.Click(`[data-newer]`))
	b.until("and on", `document.querySelector('.month h2').innerText === 'Diciembre de 2026'`)
}

// Messages go off and on; who writes the word is forgotten, here as well.
func TestTheCardsDataInABrowser(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	b := openCard(t, w, w.Base, ana)
	require.Eventually(t, b.has, 10*time.Second, 20*time.Millisecond)
	b.do(chromedp.Click(`a[href$="/datos"]`))
	b.until("the page", pageText+`.includes('Encendidos')`)
	b.shots("card-data")
	b.do(chromedp.Click(`button[name=messages]`))
	b.until("off", pageText+`.includes('ya no te escribimos') && `+pageText+`.includes('Apagados')`)
	b.shots("card-data-off")
	b.do(chromedp.Click(`button[name=messages]`))
	b.until("on", pageText+`.includes('Encendidos')`)

	b.do(chromedp.Click(`.danger`))
	b.until("asked again", `document.getElementById('word').getAttribute('aria-invalid') === 'true' && document.activeElement.id === 'word'`)
	b.shots("card-data-wrong")
	b.do(chromedp.Navigate(w.Base + ana.URL))
	require.Eventually(t, b.has, 10*time.Second, 20*time.Millisecond, "nothing is lost by a wrong word")
	b.do(chromedp.Navigate(w.Base + ana.URL + "/datos"))
	b.do(chromedp.SendKeys(`#word`, "BORRAR"), chromedp.Click(`.danger`))
	b.until("a goodbye", `location.pathname === '/c/adios' && `+pageText+`.includes('Borramos tus datos')`)
	b.shots("card-erased")
	require.Eventually(t, func() bool { return !b.has() }, 10*time.Second, 20*time.Millisecond)
	b.do(chromedp.Navigate(w.Base + ana.URL))
	b.until("nothing is left", `document.body.innerText.includes('Este enlace ya no abre')`)
}

// What is shared is the shop's public address, whatever the phone can do.
func TestAShopIsSharedByItsPublicLink(t *testing.T) {
	w := apitest.New(t)
	ana := w.Shoppers[0]
	b := openCard(t, w, w.Base, ana)
	public := w.Base + "/q/" + w.Keepers[0].Shop.Code
	require.Equal(t, public, b.eval(`document.querySelector('[data-share]').href`))
	b.eval(`(navigator.share = async (what) => { window.shared = JSON.stringify(what); }, '')`)
	b.do(chromedp.Click(`[data-share]`))
	b.until("shared", `!!window.shared`)
	shared := b.eval(`window.shared`)
	assert.Contains(t, shared, public)
	assert.Contains(t, shared, "Abarrotes Lupita")
	assert.NotContains(t, shared, "/c/")
	b.eval(`(navigator.share = undefined, navigator.clipboard.writeText = async (text) => { window.copied = text; }, '')`)
	b.do(chromedp.Click(`[data-share]`))
	b.until("copied", `window.copied === '`+public+`' && document.querySelector('[data-share]').innerText.includes('Enlace copiado')`)
	assert.Equal(t, "Enlace copiado.", b.eval(`document.getElementById('say').textContent`))
	b.shot("card-shared")
	assert.Equal(t, http.StatusFound, w.Do("GET", public[len(w.Base):], nil).Status)
}

// On a slow network the kept page is there, and nothing jumps when what is new comes.
func TestASlowNetworkMovesNothing(t *testing.T) {
	w := apitest.New(t)
	v := newWire(t, w)
	ana := w.Shoppers[0]
	b := openCard(t, w, v.Base, ana)
	require.Eventually(t, b.has, 10*time.Second, 20*time.Millisecond)
	b.until("a worker", `!!navigator.serviceWorker.controller`)

	v.slow.Lock()
	began := time.Now()
	b.do(chromedp.Navigate(v.Base + ana.URL))
	b.until("the copy", `document.body.classList.contains('waiting') && document.getElementById('kept').innerText.includes('Actualizando… Guardado el 20 de noviembre de 2026')`)
	assert.Less(t, time.Since(began), 6*time.Second)
	b.shot("card-slow")
	b.eval(`(window.moved = [], new PerformanceObserver((l) => l.getEntries().forEach((e) => moved.push(e.value + ' ' + e.sources.map((s) => s.node && s.node.outerHTML.slice(0, 80))))).observe({ type: 'layout-shift', buffered: true }), '')`)
	sold := w.As(w.Key).Do("POST", "/v1/purchases", change(w, item(w.Tenants[0].GTIN, 3, nil)), apitest.Key("slow"))
	require.Equal(t, http.StatusCreated, sold.Status)
	v.slow.Unlock()
	b.until("what is new", `document.querySelectorAll('.slot .on').length === 5 && getComputedStyle(document.getElementById('kept')).display === 'none'`)
	assert.Equal(t, "", b.eval(`moved.join()`))

	stamp := `getComputedStyle(document.querySelector('.slot.fresh svg')).animationName`
	assert.Equal(t, "thump", b.eval(stamp))
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
	assert.Equal(t, "none", b.eval(stamp), "for whom motion is too much")
}

// What the page says after a form is worth the wait for a slow network: the kept
// page does not know it.
func TestASlowAnswerToAFormIsRead(t *testing.T) {
	w := apitest.New(t)
	v := newWire(t, w)
	ana := w.Shoppers[0]
	b := openCard(t, w, v.Base, ana)
	require.Eventually(t, b.has, 10*time.Second, 20*time.Millisecond)
	b.until("a worker", `!!navigator.serviceWorker.controller`)
	v.slow.Lock()
	time.AfterFunc(4*time.Second, v.slow.Unlock)
	b.do(chromedp.Navigate(v.Base + ana.URL + "?aviso=" + string(loyalty.CodeRewardOutOfStock)))
	b.until("the answer", `document.querySelector('[data-flash]').innerText.includes('Ese premio se agotó')`)
	assert.Equal(t, "true", b.eval(`String(document.querySelector('.flash').hasAttribute('data-flash'))`))
}

// Two cards on one phone: when one of them gets newer files, the other still has
// those that its kept page names.
func TestANewerCardLeavesTheOthersFiles(t *testing.T) {
	w := apitest.New(t)
	v := newWire(t, w)
	ana, luis := w.Shoppers[0], w.Shoppers[1]
	b := openCard(t, w, v.Base, ana)
	b.until("Ana's worker", `!!navigator.serviceWorker.controller`)
	require.Eventually(t, b.has, 10*time.Second, 20*time.Millisecond)
	// As if Ana's page were of an older release, and what nobody names of one before it.
	b.do(chromedp.Evaluate[chromedp.Void](`(async () => {
		const pages = await caches.open('qoa-tarjeta-pages');
		const copy = await pages.match('`+ana.URL+`');
		const html = (await copy.text()).replaceAll(/card\.[0-9a-f]+\.css/g, 'card.0123456789ab.css');
		await pages.put('`+ana.URL+`', new Response(html, { headers: copy.headers }));
		for (const [name, file] of [['old', 'card.0123456789ab.css'], ['older', 'card.ba9876543210.css']]) {
			await (await caches.open('qoa-tarjeta-' + name)).put('/static/' + file, new Response('', { headers: { 'Content-Type': 'text/css' } }));
		}
	})()`, chromedp.EvalAwaitPromise))
	b.do(chromedp.Navigate(v.Base + luis.URL))
	b.until("Luis's worker", `!!navigator.serviceWorker.controller`)
	b.until("tidied", `(() => { caches.keys().then((k) => { window.names = k.join(); }); return !!window.names && !names.includes('qoa-tarjeta-older') && names.includes('qoa-tarjeta-old'); })()`)
}
