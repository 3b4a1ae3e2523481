package main_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"image/png"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/bot"
	"github.com/qoa-conectados/qoa/bot/whatsapp"
	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/store/storetest"
	"github.com/qoa-conectados/qoa/templates"
)

// backoffice is the door of HTTP with a fleet behind it that speaks to a WhatsApp
// for tests.
func backoffice(t *testing.T, emulator *wasim.Server) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	url = "http://" + listener.Addr().String()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	db, err := store.Open(t.Context(), store.Options{
		URL: storetest.Database(t), MaxConns: 8, Now: time.Now, Random: rand.Reader, Secret: []byte("a secret for tests, long enough!"), PublicURL: url,
	})
	require.NoError(t, err)
	t.Cleanup(db.Close)
	require.NoError(t, db.InTx(t.Context(), func(tx *store.Tx) error {
		_, err := tx.CreateStaff(t.Context(), loyalty.System(), store.StaffInput{Email: "admin@qoa.test", Password: "una-frase-de-prueba", Name: "Ada", Role: loyalty.RoleAdmin})
		return err
	}))
	pages, err := templates.New()
	require.NoError(t, err)
	texts, err := templates.LoadMessages()
	require.NoError(t, err)
	fleet := whatsapp.New(whatsapp.Options{
		DB: db, Owner: "test-" + rand.Text(), Texts: texts, Log: log, Timing: whatsapp.Timing{Renew: 200 * time.Millisecond, Ping: time.Second},
		Emulator: &whatsapp.Endpoint{Addr: emulator.Addr(), Root: emulator.Root()},
	})
	require.NoError(t, fleet.Start(t.Context(), bot.NewInbox(db)))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		require.NoError(t, fleet.Stop(ctx))
	})
	door, err := api.New(api.Deps{DB: db, Pages: pages, Texts: texts, Log: log, Random: rand.Reader, Numbers: true})
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- door.App.Listener(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		door.Shutdown(ctx) //nolint:errcheck // a browser keeps connections that carry nothing
		<-served
	})
	return url
}

// seen reads the QR that the page shows, as a camera does.
func (b *browser) seen(selector string) (string, error) {
	shot, err := chromedp.Run(b.ctx, chromedp.Screenshot(selector))
	if err != nil {
		return "", err
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return "", err
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	result, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// A number is added in the backoffice, its QR is read from the screen by the
// bot's phone, and the page says that it is connected; unlinked on the phone, it
// is linked again; given up, it is gone from the phone.
func TestANumberIsPairedInABrowser(t *testing.T) {
	emulator := wasim.New(t, wasim.Options{})
	url := backoffice(t, emulator)
	b := newBrowser(t).desk()
	b.open(url + "/admin/login")
	b.do(chromedp.SetValue(`[name=email]`, "admin@qoa.test"), chromedp.SetValue(`[name=password]`, "una-frase-de-prueba"), chromedp.Click(`main form button`))
	b.until("the admin's page", `location.pathname === '/admin'`, 5*time.Second)
	b.open(url + "/admin/whatsapp")
	b.do(chromedp.SetValue(`#label`, "Qoa Centro"), chromedp.Click(`form[action="/admin/whatsapp"] button`))

	account := emulator.Account("+525512345678")
	scan := func() *wasim.Device {
		t.Helper()
		b.until("a QR", `!!document.querySelector('.qr')`, 10*time.Second)
		var device *wasim.Device
		require.Eventually(t, func() bool {
			text, err := b.seen(".qr")
			if err != nil {
				return false // the page was just renewing itself
			}
			device, err = account.Scan(t.Context(), text)
			return err == nil
		}, 20*time.Second, 100*time.Millisecond, "the phone reads the QR")
		return device
	}
	const state = `document.querySelector('.pill').innerText`
	device := scan()
	b.until("connected", state+` === 'conectado'`, 20*time.Second)
	require.Contains(t, b.text("main"), "+52 55 1234 5678")
	b.shot("pairing-connected-desk")

	device.Unlink()
	b.until("unlinked", state+` === 'desvinculado'`, 20*time.Second)
	b.do(chromedp.Click(`form[action$="/vincular"] button`))
	device = scan()
	b.until("connected again", state+` === 'conectado'`, 20*time.Second)
	require.True(t, device.Online())

	b.do(chromedp.Click(`form[action$="/quitar"] button`))
	b.until("a question", `/¿Quitar/.test(document.querySelector('h1').innerText)`, 5*time.Second)
	b.do(chromedp.Click(`main form button`))
	b.until("gone", `/se quitó/.test(document.querySelector('main').innerText)`, 5*time.Second)
	emulator.Wait(t, "the phone knows no device of ours", func() bool { return len(account.Devices()) == 0 })
}
