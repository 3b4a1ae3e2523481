package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/api/browsertest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// tab is a tab of a headless Chromium in which an admin is at work.
type tab struct {
	t   *testing.T
	ctx context.Context
	w   *apitest.World
}

func openTab(t *testing.T, w *apitest.World) *tab {
	t.Helper()
	b := &tab{t, browsertest.Start(t), w}
	b.do(chromedp.Navigate(w.Base + "/admin/login"))
	b.do(chromedp.SetValue(`[name=email]`, "admin@qoa.test"), chromedp.SetValue(`[name=password]`, apitest.Password), chromedp.Click(`main form button`))
	b.until("the admin's page", `location.pathname === '/admin'`)
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	browsertest.Do(b.t, b.ctx, steps...)
}

func (b *tab) until(what, expression string) {
	b.t.Helper()
	browsertest.Until(b.t, b.ctx, what, expression, 20*time.Second)
}

func (b *tab) eval(expression string) string {
	b.t.Helper()
	return browsertest.Eval[string](b.t, b.ctx, expression)
}

// shots looks at the whole page on a phone and on a desk, in light and in dark:
// it must fit and have no serious finding of axe-core.
func (b *tab) shots(name string) {
	b.t.Helper()
	browsertest.Whole(b.t, b.ctx, name)
}

// shot looks at what the screen shows.
func (b *tab) shot(name string) {
	b.t.Helper()
	browsertest.Screen(b.t, b.ctx, name)
}

const pageText = `document.querySelector('main').innerText`

// TestThePageOfANumberRenewsItself: from adding it to "conectado" nobody touches
// the page.
func TestThePageOfANumberRenewsItself(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	b := openTab(t, w)
	b.do(chromedp.Navigate(w.Base + "/admin/whatsapp"))
	b.shots("numbers-first")
	b.do(chromedp.SetValue(`#label`, "Qoa Sur"), chromedp.Click(`form[action="/admin/whatsapp"] button`))
	b.until("the page of the number", pageText+`.includes('Qoa Sur')`)
	b.shots("number-waiting")
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.pathname`))
	require.NoError(t, err)
	id := loyalty.ID(at[len("/admin/whatsapp/"):])
	// A page that loads anew has not this.
	b.do(chromedp.SetValue(`#label`, "escribiendo"))

	drawn := `document.querySelector('.qr path').getAttribute('d')`
	w.BotSays(t, id, store.NumberState{QR: apitest.Ref(apitest.QR), QRUntil: apitest.Ref(w.Clock.Now().Add(47 * time.Second))})
	b.until("a QR", `!!document.querySelector('.qr')`)
	b.shots("number-qr")
	first, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](drawn))
	require.NoError(t, err)
	w.BotSays(t, id, store.NumberState{QR: apitest.Ref(apitest.QR + "2"), QRUntil: apitest.Ref(w.Clock.Now().Add(20 * time.Second))})
	b.until("the next QR", drawn+` !== `+"`"+first+"`")
	w.Connect(t, id, "+525512340001")
	b.until("connected", pageText+`.includes('conectado') && !document.querySelector('.qr')`)
	b.until("who cannot see it hears it", `document.getElementById('say').textContent === 'Qoa Sur: conectado'`)
	b.until("what was being typed stays", `document.getElementById('label').value === 'escribiendo'`)
	b.shots("number-connected")

	w.BotSays(t, id, store.NumberState{Status: apitest.Ref(store.NumberLoggedOut)})
	b.until("unlinked", pageText+`.includes('Vincular otra vez')`)
	b.shots("number-unlinked")
	b.do(chromedp.Click(`form[action$="/vincular"] button`))
	b.until("being paired again", pageText+`.includes('código QR') && !document.querySelector('form[action$="/vincular"]')`)
	w.Connect(t, id, "+525512340001")
	ban := w.Clock.Now().Add(26 * time.Hour)
	third := apitest.Data[number](w.As(w.Admin), http.StatusCreated, "POST", "/v1/whatsapp/numbers", obj{"label": "Qoa Puebla"})
	w.Connect(t, third.ID, "+522221234567")
	w.BotSays(t, third.ID, store.NumberState{Status: apitest.Ref(store.NumberBanned), Reason: apitest.Ref("104"), Until: &ban})
	fourth := apitest.Data[number](w.As(w.Admin), http.StatusCreated, "POST", "/v1/whatsapp/numbers", obj{"label": "Abarrotes Lupita"})
	w.Connect(t, fourth.ID, "+525599887766")
	w.BotSays(t, fourth.ID, store.NumberState{Status: apitest.Ref(store.NumberRestricted), Until: &ban})
	b.do(chromedp.Navigate(w.Base + "/admin/whatsapp"))
	b.shots("numbers")
	b.do(chromedp.Navigate(w.Base + "/admin/whatsapp/" + string(third.ID)))
	b.shots("number-banned")
	b.do(chromedp.Click(`form[action$="/quitar"] button`))
	b.until("a question", pageText+`.includes('¿Quitar')`)
	b.shots("number-delete")

	// The session ends: the page says so by itself, it does not go stale.
	b.do(chromedp.Navigate(w.Base + "/admin/whatsapp"))
	_, err = chromedp.Run(b.ctx, chromedp.Evaluate[string](`(() => { fetch('/admin/logout', {method: 'POST'}); return '' })()`))
	require.NoError(t, err)
	b.until("the way in", `location.pathname === '/admin/login'`)
}

// TestThePageOfMessagesInABrowser looks at messages in all states.
func TestThePageOfMessagesInABrowser(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	w.Connect(t, w.Number, "+525512340001")
	fillOutbox(t, w)
	b := openTab(t, w)
	b.do(chromedp.Navigate(w.Base + "/admin/mensajes"))
	b.shots("messages")
	b.do(chromedp.Navigate(w.Base + "/admin/mensajes?estado=failed"))
	b.shots("messages-failed")
	b.do(chromedp.Click(`form[action$="/reenvio"] button`))
	b.until("sent again", pageText+`.includes('vuelve a la fila')`)
	b.shots("messages-again")
	b.do(chromedp.Navigate(w.Base + "/admin/mensajes?estado=parked"))
	b.shots("messages-parked")
	b.do(chromedp.Click(`form[action$="/reintento"] button`))
	b.until("answered again", pageText+`.includes('vuelve a la conversación')`)
}

// fillOutbox gives the first consumer a message in each state.
func fillOutbox(t *testing.T, w *apitest.World) {
	t.Helper()
	ana := w.Shoppers[0]
	w.Park(t, "flujo saldo: falta la plantilla balance.show")
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.Receive(ctx, store.Inbound{
			Channel: "whatsapp", Number: w.Number, MessageID: "A1", Kind: "text", Text: "hola", Sender: store.Sender{Phone: ana.Phone, Wire: "5215512345670@s.whatsapp.net"},
		})
		require.NoError(t, err)
	})
	for i, state := range []string{"read", "delivered", "sent", "failed", "queued"} {
		w.Clock.Advance(40 * time.Second)
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			_, err := tx.Receive(ctx, store.Inbound{
				Channel: "whatsapp", Number: w.Number, MessageID: "B" + state, Kind: "text", Text: "saldo", Sender: store.Sender{Phone: ana.Phone, Wire: "5215512345670@s.whatsapp.net"},
			})
			require.NoError(t, err)
			turn, ok, err := tx.NextTurn(ctx, ana.Person)
			require.NoError(t, err)
			require.True(t, ok)
			require.NoError(t, tx.EndTurn(ctx, turn.Message, nil, store.Reply{Template: "balance.show"}))
			if state == "queued" {
				return
			}
			out, ok, err := tx.Claim(ctx, ana.Person, w.Number, time.Minute)
			require.NoError(t, err)
			require.True(t, ok, "%d", i)
			if state == "failed" {
				require.NoError(t, tx.Fail(ctx, out.ID, "WhatsApp rechazó el mensaje (463)"))
				return
			}
			require.NoError(t, tx.Sent(ctx, out.ID, "x"))
			if state != "sent" {
				require.NoError(t, tx.Delivered(ctx, []string{out.MessageID}, w.Clock.Now().Add(2*time.Second), "delivered"))
			}
			if state == "read" {
				require.NoError(t, tx.Delivered(ctx, []string{out.MessageID}, w.Clock.Now().Add(9*time.Second), "read"))
			}
		})
	}
}
