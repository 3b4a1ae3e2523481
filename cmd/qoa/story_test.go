package main_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/browsertest"
)

// browser is a headless Chromium with one tab, a phone's or a desk's.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	return &browser{t, browsertest.Start(t)}
}

// tab opens another tab of the same browser.
func (b *browser) tab() *browser { return &browser{b.t, browsertest.Tab(b.t, b.ctx)} }

func (b *browser) phone() *browser { b.do(browsertest.Phone()); return b }
func (b *browser) desk() *browser  { b.do(browsertest.Desk()); return b }

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	browsertest.Do(b.t, b.ctx, steps...)
}

func (b *browser) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.fits()
}

func (b *browser) fits() {
	b.t.Helper()
	browsertest.Fits(b.t, b.ctx, "the page")
}

// until waits for an expression to become true, as the page changes or is left. A
// page that is still arriving is not looked at: its first words may be there and
// what is asked of it next not.
func (b *browser) until(what, expression string, within time.Duration) {
	b.t.Helper()
	browsertest.Until(b.t, b.ctx, what, expression, within)
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Text(selector))
	require.NoError(b.t, err)
	return s
}

// shot looks at the screen in light and in dark; axe-core must find nothing serious.
func (b *browser) shot(name string) {
	b.t.Helper()
	browsertest.Screen(b.t, b.ctx, name)
}

// The eight steps in a browser, as the people of the story see them.
func TestTheStoryInABrowser(t *testing.T) {
	d := startDev(t, dataDir(t), "0")
	b := newBrowser(t)

	// 1 and 2: the shop's QR leads to WhatsApp with the message; its poster prints.
	res, err := client.Get(d.url + "/q/K7M2QR")
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusFound, res.StatusCode)
	require.Contains(t, res.Header.Get("Location"), "https://wa.me/")
	poster, err := client.Get(d.url + "/v1/shops/K7M2QR/poster.pdf")
	require.NoError(t, err)
	poster.Body.Close()
	require.Equal(t, "application/pdf", poster.Header.Get("Content-Type"))

	// 3 and 4: one message brings the card's link.
	const consumer, tendero = "+525587651234", "+525500000001"
	chat := b.phone()
	chat.open(d.url + "/sim?phone=%2B525587651234&text=Quiero%20crear%20mi%20tarjeta%20de%20puntos%20de%20Abarrotes%20Lupita%20(K7M2QR)")
	chat.do(chromedp.WaitVisible(`#write button`), chromedp.Click(`#write button`))
	chat.until("the bot's answer", `!!document.querySelector('#messages a[href*="/c/"]')`, 10*time.Second)
	chat.shot("sim-phone")
	link, err := chromedp.Run(chat.ctx, chromedp.Evaluate[string](`document.querySelector('#messages a[href*="/c/"]').href`))
	require.NoError(t, err)
	code := link[strings.LastIndexByte(link, '/')+1:]

	card := b.tab().phone()
	card.open(link)
	require.Contains(t, card.text("main"), code[:4]+"-"+code[4:])
	stamps := func(n string) string { return `document.querySelectorAll('.slot .on').length === ` + n }
	card.until("an empty card", stamps("0"), time.Second)
	card.shot("card-new-phone")

	// 5: the tendero enters by the bot's link and records a sale; the stamp
	// appears on the open card page by itself, and a message confirms it.
	hello := d.say(tendero, "hola")
	entry := regexpFind(t, `http://localhost:\d+/t/\S+`, hello.Text)
	scan := b.tab().phone()
	scan.open(entry)
	scan.do(chromedp.SendKeys(`#code`, code[:4]+"-"+code[4:]), chromedp.SetValue(`#q-7501055300075`, "2"))
	scan.shot("scan-phone")
	scan.do(chromedp.Click(`#save`))
	scan.until("a green result", `!!document.querySelector('.result.good')`, 5*time.Second)
	scan.shot("scan-result-phone")
	scan.fits()
	card.until("the stamps appear within two seconds", stamps("2"), 2*time.Second)
	card.shot("card-stamped-phone")
	answers := d.waitAnswers(consumer, 2)
	require.Contains(t, answers[1].Text, "Abarrotes Lupita")

	// A double press of the button is one sale: the key is the form's.
	scan.do(chromedp.SendKeys(`#code`, code), chromedp.SetValue(`#q-7501055300075`, "1"))
	_, err = chromedp.Run(scan.ctx, chromedp.Evaluate[bool](`(() => { const f = document.querySelector('#sale'); const d = new URLSearchParams(new FormData(f));
		window.done = Promise.all([1, 2].map(() => fetch(f.action, {method: 'POST', body: d}))).then((r) => r.every((x) => x.ok)); return true })()`))
	require.NoError(t, err)
	card.until("one sale, not two", stamps("3"), 5*time.Second)

	// Where scanning fails: an evidence code from the card page, by WhatsApp.
	card.do(chromedp.Click(`form[action$="/evidence"] button`))
	card.until("an evidence code", `/E[0-9A-Z]{3}-[0-9A-Z]{4}/.test(document.querySelector('main').innerText)`, 5*time.Second)
	evidence := regexpFind(t, `E[0-9A-Z]{3}-[0-9A-Z]{4}`, card.text("main"))
	card.shot("card-evidence-phone")
	recorded := d.say(tendero, evidence+" 7 cocas")
	require.Contains(t, recorded.Text, "7")
	card.until("a complete card", stamps("10"), 5*time.Second)
	card.shot("card-complete-phone")
	require.Contains(t, d.say(tendero, evidence+" 2 cocas").Text, "ya se usó")

	// The reward: asked for on the card, delivered at the shop by its code.
	card.do(chromedp.Click(`form[action$="/redemptions"] button`))
	card.until("a reward's code", `/R[0-9A-Z]{3}-[0-9A-Z]{4}/.test(document.querySelector('main').innerText)`, 5*time.Second)
	reward := regexpFind(t, `R[0-9A-Z]{3}-[0-9A-Z]{4}`, card.text("main"))
	card.shot("card-reward-phone")
	scan.open(d.url + "/tienda")
	scan.do(chromedp.SendKeys(`#rcode`, reward), chromedp.Click(`#deliver form button`))
	scan.until("delivered", `!!document.querySelector('#deliver .result.good, #say .result.good')`, 5*time.Second)
	scan.shot("scan-delivered-phone")
	card.until("a card to fill again", stamps("0"), 5*time.Second)

	// 6 to 8: reminder, digest and ROI, at once when an admin runs the jobs.
	_, status := d.buy("story-1", code, 4)
	require.Equal(t, 201, status)
	d.waitAnswers(consumer, 6)
	soon := noon(time.Now().AddDate(0, 0, 20))
	require.Equal(t, 1, d.run("nudges", soon), "one consumer is quiet")
	require.Contains(t, d.waitAnswers(consumer, 7)[6].Text, "BAJA")
	require.Zero(t, d.run("nudges", soon), "once")
	before := len(d.answers(tendero))
	require.Positive(t, d.run("digests", noon(time.Now())))
	require.Contains(t, d.waitAnswers(tendero, before+1)[before].Text, "PEDIR")
	require.NotEmpty(t, d.say(tendero, "PEDIR").Text)
	require.Positive(t, d.run("roi", noon(time.Now())))
	require.Contains(t, d.waitAnswers("+525500000101", 1)[0].Text, "sin grupo de control")

	// The tendero takes back a sale of today; the open card shows it by itself.
	scan.open(d.url + "/tienda/ventas")
	scan.do(chromedp.Click(`.sales a`))
	scan.until("the sale", `!!document.querySelector('#reason')`, 5*time.Second)
	scan.fits()
	scan.shot("sale-phone")
	scan.do(chromedp.SetValue(`#reason`, "Venía abierta"), chromedp.Click(`form.panel button.wide`))
	scan.until("a question", `/¿Devolver/.test(document.querySelector('h1').innerText)`, 5*time.Second)
	scan.shot("sale-confirm-phone")
	scan.do(chromedp.Click(`main form button`))
	scan.until("taken back", `/Devolución guardada/.test(document.querySelector('main').innerText)`, 5*time.Second)
	card.until("the card without it", stamps("0"), 5*time.Second)

	// The brand's page and the admin's, on a phone and on a desk.
	for _, screen := range []struct {
		name string
		size func(*browser) *browser
	}{{"phone", (*browser).phone}, {"desk", (*browser).desk}} {
		staff := screen.size(b.tab())
		for _, door := range []struct{ path, email string }{{"/marca", "marca1@demo.qoa"}, {"/admin", "admin@demo.qoa"}} {
			staff.open(d.url + door.path + "/login")
			staff.shot(door.path[1:] + "-login-" + screen.name)
			staff.do(chromedp.SetValue(`[name=email]`, door.email), chromedp.SetValue(`[name=password]`, "demo-qoa-2026"), chromedp.Click(`main form button`))
			staff.until("inside "+door.path, `location.pathname === '`+door.path+`' && !!document.querySelector('main h1')`, 10*time.Second)
			staff.fits()
			staff.shot(door.path[1:] + "-" + screen.name)
			if door.path == "/marca" {
				staff.do(chromedp.Click(`.glance .tile-name`))
				staff.until("one campaign's results", `location.pathname.endsWith('/resultados')`, 10*time.Second)
				staff.fits()
				staff.shot("marca-results-" + screen.name)
				require.Contains(t, staff.text("main"), "sin grupo de control")
				staff.until("a chart with its table", `!!document.querySelector('main svg') && !!document.querySelector('main table')`, time.Second)
			}
		}
		for name, path := range map[string]string{
			"home": "/", "sim": "/sim", "docs": "/docs", "privacy": "/privacidad", "card-public": "/c/" + code, "card": strings.TrimPrefix(link, d.url), "scan-page": "/tienda", "gone": "/c/AAAAAAAAAAAAAAAAAAAAAA/" + code,
		} {
			staff.open(d.url + path)
			staff.shot(name + "-" + screen.name)
		}
	}

	// A brand starts a campaign with the assistant, which shows beside each question
	// what the consumer will see.
	desk := b.tab().phone()
	desk.open(d.url + "/marca/login?next=%2Fmarca%2Fcampanas%2Fnueva")
	desk.do(chromedp.SetValue(`[name=email]`, "marca1@demo.qoa"), chromedp.SetValue(`[name=password]`, "demo-qoa-2026"), chromedp.Click(`main form button`))
	desk.until("where to begin", `location.pathname === '/marca/campanas/nueva' && !!document.querySelector('button[value=junta10]')`, 10*time.Second)
	desk.fits()
	desk.shot("campaign-start-phone")
	desk.do(chromedp.Click(`button[value=junta10]`))
	desk.until("the first step", `location.pathname.endsWith('/asistente/gana') && /gana 2 sellos/.test(document.querySelector('#vista').innerText)`, 5*time.Second)
	desk.fits()
	desk.shot("campaign-assistant-phone")

	// The whole form is a click away: it grows by a script, and says what is wrong
	// beside the field.
	desk.do(chromedp.Click(`a[href$="/editar"]`))
	desk.until("the form", `location.pathname.endsWith('/editar') && !!document.querySelector('#f-goal')`, 10*time.Second)
	desk.fits()
	desk.shot("campaign-form-phone")
	_, err = chromedp.Run(desk.ctx, chromedp.Evaluate[bool](`(() => { document.querySelectorAll('details').forEach((x) => { x.open = true });
		const limits = document.querySelector('[data-rows=limits]'), add = limits.querySelector(':scope > [data-add]');
		add.click(); add.click();
		const rows = limits.querySelectorAll(':scope > [data-row]');
		rows[0].querySelector('[data-remove]').click(); rows[1].querySelector('[data-remove]').click();
		limits.querySelector('[name$=".max"]').value = '3'; return true })()`))
	require.NoError(t, err)
	desk.fits()
	desk.do(chromedp.SetValue(`#f-name`, "Noviembre dulce"), chromedp.SetValue(`#f-goal`, "cinco"), chromedp.Click(`.formal .send .btn.big`))
	desk.until("what is wrong", `document.querySelector('#f-goal').getAttribute('aria-invalid') === 'true'`, 5*time.Second)
	desk.shot("campaign-form-wrong-phone")
	desk.do(chromedp.SetValue(`#f-goal`, "5"), chromedp.Click(`.formal .send .btn.big`))
	desk.until("a draft", `/el cambio quedó guardado/.test(document.querySelector('main').innerText)`, 5*time.Second)
	require.Contains(t, desk.text("main"), "Máximo 3 sellos al día por cliente.")
	desk.shot("campaign-phone")
	draft, err := chromedp.Run(desk.ctx, chromedp.Evaluate[string](`location.pathname`))
	require.NoError(t, err)
	desk.open(d.url + draft + "/simular?weeks=4")
	desk.until("a simulation", `!!document.querySelector('main svg.plot') && !!document.querySelector('main table')`, 10*time.Second)
	desk.shot("simulation-phone")

	// A stranger who reads the card's QR learns nothing.
	res, err = client.Get(d.url + "/c/" + code)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
}
