package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/api/browsertest"
	"github.com/qoa-conectados/qoa/store"
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
