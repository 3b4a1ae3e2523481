package api_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// read gives the text of what a selector finds.
func (b *tab) read(selector string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector('`+selector+`').innerText`))
	require.NoError(b.t, err)
	return text
}

// write replaces what is in a field as a person does it, key by key.
func (b *tab) write(selector, text string) {
	b.t.Helper()
	b.do(chromedp.Focus(selector))
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(document.querySelector('`+selector+`').select(), true)`))
	require.NoError(b.t, err)
	b.do(chromedp.SendKeys(selector, text))
}

// From nothing to the review, on a phone and on a desk, with the preview changing
// beside the form.
func TestTheAssistantInABrowser(t *testing.T) {
	w := apitest.New(t)
	b := openTab(t, w)
	for _, screen := range []struct {
		name string
		w    int64
	}{{"phone", 360}, {"desk", 1280}} {
		b.do(chromedp.EmulateViewport(screen.w, 800))
		b.do(chromedp.Navigate(w.Base + "/admin/campanas/nueva?owner=cpg:" + string(w.Tenants[0].CPG)))
		b.shots("campaign-start")
		b.do(chromedp.EmulateViewport(screen.w, 800), chromedp.Click(`button[value=junta10]`))
		b.until("the first step", `location.pathname.endsWith('/asistente/gana')`)
		assert.Contains(t, b.read("#vista"), "gana 2 sellos")
		b.until("what is about points is not asked", `document.querySelector('#f-earn-point-amount').offsetParent === null`)
		b.write(`#f-name`, "Noviembre dulce")
		b.write(`#f-earn-stamp-amount`, "2")
		b.until("the preview", `document.querySelector('#vista').innerText.includes('gana 4 sellos')`)
		b.until("the card in it", `document.querySelectorAll('#vista .slot svg.on').length === 4 && document.querySelector('#vista .campaign h3').innerText === 'Noviembre dulce'`)
		assert.Contains(t, b.read("#vista .said"), "+4 sellos en Noviembre dulce")
		b.until("said too", `document.querySelector('#vista [data-say]').textContent.includes('gana 4 sellos')`)
		b.shots("campaign-assistant")
		b.do(chromedp.EmulateViewport(screen.w, 800))

		// Loaded again before it was saved: nothing is lost.
		b.do(chromedp.Reload())
		b.until("what was typed", `document.querySelector('#f-name').value === 'Noviembre dulce' && document.querySelector('#vista').innerText.includes('gana 4 sellos')`)
		b.write(`#f-earn-stamp-amount`, "0")
		b.until("the finding", `!!document.querySelector('#vista .findings a[href="#f-earn-stamp-amount"]')`)
		b.do(chromedp.Click(`.formal .send .btn.big`))
		b.until("what is wrong", `document.querySelector('#f-earn-stamp-amount').getAttribute('aria-invalid') === 'true'`)
		b.shots("campaign-assistant-wrong")
		b.do(chromedp.EmulateViewport(screen.w, 800))
		b.write(`#f-earn-stamp-amount`, "2")
		for _, step := range []string{"productos", "tiendas", "premio", "fechas"} {
			b.do(chromedp.Click(`.formal .send .btn.big`))
			b.until(step, `location.pathname.endsWith('/asistente/`+step+`')`)
			if step == "tiendas" { // one shop out of all, found by its name
				b.do(chromedp.Click(`#f-all_shops`))
				b.write(`#f-shop_ids-q`, "lupita")
				found := `#f-shop_ids [data-results] input`
				b.until("the shop", `document.querySelectorAll('`+found+`').length === 1`)
				b.do(chromedp.Click(found))
				b.until("it is chosen", `document.querySelector('#f-shop_ids .chips').innerText.includes('Abarrotes Lupita')`)
				b.until("and on the card", `document.querySelector('#vista .sign').innerText.includes('Abarrotes Lupita')`)
			}
			b.shots("campaign-step-" + step)
			b.do(chromedp.EmulateViewport(screen.w, 800))
			if step == "premio" {
				b.write(`#f-goal`, "6")
				b.until("a smaller card", `document.querySelectorAll('#vista .slot').length === 6`)
				b.write(`#f-rewards-0-name`, "Un agua")
				b.until("its prize", `document.querySelector('#vista').innerText.includes('Un agua')`)
				b.do(chromedp.NavigateBack())
				b.until("the step before", `location.pathname.endsWith('/asistente/tiendas')`)
				b.do(chromedp.NavigateForward())
				b.until("what was typed there", `location.pathname.endsWith('/asistente/premio') && document.querySelector('#f-goal').value === '6'`)
				b.do(chromedp.Reload())
				b.until("also when it is loaded again", `document.querySelector('#f-goal').value === '6' && document.querySelectorAll('#vista .slot').length === 6`)
			}
		}
		b.do(chromedp.Click(`.formal .send .btn.big`))
		b.until("the review", `location.pathname.endsWith('/asistente/revisar')`)
		assert.Contains(t, b.read("main"), "2 sellos por pieza.")
		assert.Contains(t, b.read("main"), "Un agua")
		assert.Contains(t, b.read(".decided"), "Abarrotes Lupita.")
		b.shots("campaign-review")
		b.do(chromedp.EmulateViewport(screen.w, 800))
		at, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.pathname.split('/')[3]`))
		require.NoError(t, err)
		b.do(chromedp.Click(`form[action$="/estado"] button`))
		b.until("sent", `!location.pathname.includes('asistente') && document.querySelector('main').innerText.includes('en revisión')`)
		b.shots("campaign-page")
		b.do(chromedp.Navigate(w.Base + "/admin/campanas"))
		b.shots("campaign-list")
		id, err := loyalty.ParseID(at)
		require.NoError(t, err)
		assert.Equal(t, loyalty.InReview, storedCampaign(t, w, id).Status)
	}
}
