package api_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// A phone whose browser is some years old sells and delivers as well: what it lacks,
// the page does without.
func TestAnOldPhoneSellsAndDelivers(t *testing.T) {
	w := apitest.New(t)
	b := openShop(t, w, w.Base)
	b.eval(`(delete AbortSignal.timeout, delete HTMLFormElement.prototype.requestSubmit, String(AbortSignal.timeout))`)
	b.sell(w.Shoppers[1].Card, "1")
	b.until("a green answer", `!!document.querySelector('#say .result.good')`)
	require.Len(t, salesOf(t, w), 1)
	b.eval(`(document.dispatchEvent(new CustomEvent('qoa:code', { detail: { text: '` + w.Redemption + `', bars: false } })), '')`)
	b.do(chromedp.Click(`#say .result.read button`))
	b.until("delivered", `document.getElementById('say').innerText.includes('Premio entregado')`)
}

// The card that opened the page is for one sale: neither a reload nor the page that
// is kept for when there is no network has it for the next customer.
func TestAScannedCardIsNotKeptForTheNextCustomer(t *testing.T) {
	w := apitest.New(t)
	v := newWire(t, w)
	b := openShop(t, w, v.Base)
	b.until("a worker", `!!navigator.serviceWorker.controller`)
	b.do(chromedp.Navigate(v.Base + "/tienda"))
	kept := func(what string) string {
		return `(() => { caches.match('/tienda').then((r) => r && r.text()).then((html) => { window.kept = html; }); return !!window.kept && (` + what + `); })()`
	}
	b.until("a kept page", kept(`true`))
	card := w.Shoppers[1].Card
	b.do(chromedp.Navigate(v.Base + "/tienda?code=" + card))
	b.until("the card", `document.getElementById('code').value === '`+card+`' && location.search === ''`)
	assert.Equal(t, card, b.eval(`document.getElementById('sale').elements.scanned.value`))
	b.until("kept without it", kept(`!kept.includes('`+card+`') && !kept.includes('`+loyalty.FormatCode(card)+`')`))

	v.down.Store(true)
	v.hangUp()
	b.do(chromedp.Navigate(v.Base + "/tienda"))
	b.until("the kept page", `document.getElementById('code').value === ''`)
	b.do(chromedp.Navigate(v.Base + "/tienda?code=" + card))
	b.until("the card without a network", `document.getElementById('code').value === '`+card+`' && location.search === ''`)
}
