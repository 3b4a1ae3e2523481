package api_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// talk gives the first consumer a conversation with a picture, a message that was
// set aside, one that did not get out, an open question and secrets in it.
func talk(t *testing.T, w *apitest.World) (picture loyalty.ID) {
	t.Helper()
	ana := w.Shoppers[0]
	sender := store.Sender{Phone: ana.Phone, Wire: "5215512345670@s.whatsapp.net"}
	fillOutbox(t, w)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		_, err := tx.Receive(ctx, store.Inbound{
			Channel: "whatsapp", Number: w.Number, MessageID: "foto", Kind: store.KindImage, Text: "mi ticket, llámame al 55 1234 5670 <gracias>", Sender: sender,
			Media: &store.MediaSource{Mime: "image/png", Size: 100, Ref: []byte("x")},
		})
		require.NoError(t, err)
		due, err := tx.DueMedia(ctx, w.Number, 5)
		require.NoError(t, err)
		require.Len(t, due, 1)
		picture = due[0].Inbox
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 120, 80))))
		require.NoError(t, tx.SaveMedia(ctx, picture, b.Bytes()))
		for {
			turn, ok, err := tx.NextTurn(ctx, ana.Person)
			require.NoError(t, err)
			if !ok {
				break
			}
			reply := store.Reply{Body: "Tu tarjeta: " + w.Base + ana.URL + " ábrela"}
			require.NoError(t, tx.EndTurn(ctx, turn.Message, []byte(`{"flow":"evidence","version":1,"state":"ask_code","vars":{"secreto":"x"}}`), reply))
		}
		queued, err := tx.Notify(ctx, store.Notice{Person: ana.Person, Lane: store.LaneReply, Template: "otp.code", Vars: map[string]string{"code": "424242", "minutes": "10"}})
		require.NoError(t, err)
		require.True(t, queued)
	})
	return picture
}

// TestAConversationIsFoundAndRead: by the code or by some digits, by admins alone,
// and never unseen.
func TestAConversationIsFoundAndRead(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	w.Connect(t, w.Number, "+525512340001")
	picture := talk(t, w)
	ana := w.Shoppers[0]
	get := func(path string) apitest.Response { return w.Do("GET", path, nil, apitest.Cookie(w.AdminPage)) }
	find := func(wanted string) string {
		return form(w, "/admin/conversaciones", w.AdminPage, "buscar", wanted).Text()
	}
	digits := string(ana.Phone)[len(ana.Phone)-4:]
	at := "/admin/conversaciones/" + string(ana.Person)
	for _, wanted := range []string{ana.Card, loyalty.FormatCode(ana.Card), digits, string(ana.Phone)[3:]} {
		found := strings.ReplaceAll(find(wanted), wanted, "")
		assert.Contains(t, found, at, wanted)
		assert.NotContains(t, found, string(ana.Phone)[3:10])
	}
	for _, wanted := range []string{"", digits[1:], "Ana", "00000000"} {
		assert.NotContains(t, find(wanted), at, wanted)
	}
	// A file is its sender's alone; to look at it is to look into the chat.
	assert.Empty(t, auditOf(t, w, store.AuditFilter{Noun: "chat"}))
	other := "/admin/conversaciones/" + string(w.Shoppers[1].Person) + "/archivos/" + string(picture)
	assert.Equal(t, http.StatusNotFound, get(other).Status)
	assert.Empty(t, auditOf(t, w, store.AuditFilter{Noun: "chat"}))
	for range 2 {
		require.Equal(t, http.StatusOK, get(at+"/archivos/"+string(picture)).Status)
	}
	looked := auditOf(t, w, store.AuditFilter{Noun: "chat"})
	require.Len(t, looked, 1)
	assert.Equal(t, ana.Person, looked[0].Subject)
	res := get(at)
	require.Equal(t, http.StatusOK, res.Status)
	text := res.Text()
	for _, want := range []string{"evidence / ask_code", "mi ticket, llámame al …5670 &lt;gracias&gt;", at + "/archivos/" + string(picture), "Tu tarjeta: " + w.Base + "/… ábrela", "Volver a intentar", "No me dieron mi &lt;sello&gt;"} {
		assert.Contains(t, text, want)
	}
	for _, secret := range []string{strings.Split(ana.URL, "/")[2], "424242", "secreto", string(ana.Phone)[3:]} {
		assert.NotContains(t, text, secret)
	}
	assert.Less(t, strings.Index(text, "saldo"), strings.Index(text, "mi ticket"), "the oldest first")
	file := get(at + "/archivos/" + string(picture))
	require.Equal(t, http.StatusOK, file.Status)
	assert.Equal(t, "image/png", file.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", file.Header.Get("Cache-Control"), "a browser keeps nothing of what people sent")
	assert.Equal(t, http.StatusNotFound, get(at+"/archivos/"+string(w.Purchase)).Status)
	assert.Equal(t, http.StatusNotFound, get("/admin/conversaciones/"+string(w.Purchase)).Status)
	rows := auditOf(t, w, store.AuditFilter{Noun: "chat"})
	require.Len(t, rows, 2)
	assert.Equal(t, store.Opened, rows[0].Verb)
	assert.Equal(t, ana.Person, rows[0].Subject)
	for _, page := range []string{w.Tenants[0].Page, w.Keepers[0].Page} {
		for _, path := range []string{"/admin/conversaciones", at, at + "/archivos/" + string(picture)} {
			assert.Equal(t, http.StatusForbidden, w.Do("GET", path, nil, apitest.Cookie(page)).Status)
		}
	}
	// What is done in a chat leads back to it, and nowhere else.
	closed := form(w, "/admin/casos/"+string(w.Case)+"/cerrar", w.AdminPage, "back", at)
	assert.Equal(t, at+"?hecho=caso", closed.Header.Get("Location"))
	again := form(w, "/admin/casos/"+string(w.Case)+"/cerrar", w.AdminPage, "back", "//malo.example/admin/conversaciones")
	assert.Equal(t, "/admin/casos?hecho=caso", again.Header.Get("Location"))
}

func TestConversationsInABrowser(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	w.Connect(t, w.Number, "+525512340001")
	talk(t, w)
	b := openTab(t, w)
	b.do(chromedp.Navigate(w.Base + "/admin/conversaciones"))
	b.do(chromedp.SetValue(`#f-buscar`, string(w.Shoppers[0].Phone)[9:]), chromedp.Click(`.sieve button`))
	b.until("who was looked for", `!!document.querySelector('.line-name a')`)
	b.shots("chats")
	b.do(chromedp.Click(`.line-name a`))
	b.until("the conversation", `!!document.querySelector('.bubbles')`)
	b.until("the picture", `document.querySelector('.bubble img').naturalWidth === 120`)
	b.shots("chat")
	b.do(chromedp.Click(`form[action$="/reintento"] button`))
	b.until("another turn", pageText+`.includes('se contesta enseguida')`)
	b.do(chromedp.Navigate(w.Base + "/admin/casos"))
	b.shots("cases")
	b.do(chromedp.Click(`form[action$="/cerrar"] button`))
	b.until("closed", pageText+`.includes('Nadie espera respuesta')`)
}
