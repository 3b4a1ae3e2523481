package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/api/browsertest"
	"github.com/qoa-conectados/qoa/store"
)

// wire is the network between a phone and us. It can be cut, and it can lose
// answers.
type wire struct {
	Base    string
	down    atomic.Bool
	deaf    atomic.Bool  // what we answer is lost
	slow    sync.RWMutex // what we answer does not arrive while this is locked
	mu      sync.Mutex
	flowing map[net.Conn]bool
}

func newWire(t *testing.T, w *apitest.World) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	v := &wire{Base: "http://" + l.Addr().String(), flowing: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if v.down.Load() {
				c.Close()
				continue
			}
			all.Go(func() { v.carry(c, w.Base[len("http://"):]) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		v.hangUp()
		all.Wait()
	})
	return v
}

func (v *wire) carry(phone net.Conn, to string) {
	us, err := net.Dial("tcp", to)
	if err != nil {
		phone.Close()
		return
	}
	v.mu.Lock()
	v.flowing[phone], v.flowing[us] = true, true
	v.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(us, phone) //nolint:errcheck // it ends when either side does
		us.Close()
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := us.Read(buf)
		if n > 0 && v.deaf.Load() {
			break
		}
		if n > 0 {
			v.slow.RLock() // held by who wants the network slow
			_, err := phone.Write(buf[:n])
			v.slow.RUnlock()
			if err != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	phone.Close()
	us.Close()
	<-done
	v.mu.Lock()
	delete(v.flowing, phone)
	delete(v.flowing, us)
	v.mu.Unlock()
}

func (v *wire) hangUp() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for c := range v.flowing {
		c.Close()
	}
}

// openShop opens the first tendero's page on a phone, at base.
func openShop(t *testing.T, w *apitest.World, base string, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	b := &tab{t, browsertest.Start(t, flags...), w}
	b.do(browsertest.Phone())
	b.do(chromedp.Navigate(base + "/t/" + w.Keepers[0].Link))
	b.until("the scan page", `location.pathname === '/tienda' && !!document.getElementById('sale')`)
	return b
}

// online tells the browser whether its network card has a network.
func (b *tab) online(yes bool) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !yes, DownloadThroughput: -1, UploadThroughput: -1})
		return err
	}))
}

// sell types a code and picks pieces of the first product.
func (b *tab) sell(code, pieces string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(`#code`, code))
	for range len(pieces) {
		b.do(chromedp.Click(`.product .step[data-step="1"]`))
	}
	b.do(chromedp.Click(`#save`))
}

// salesOf are the sales of the second consumer, who begins with none.
func salesOf(t *testing.T, w *apitest.World) (all []store.Movement) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		var err error
		all, err = tx.History(ctx, w.Shoppers[1].Person, 50)
		require.NoError(t, err)
	})
	return all
}

// The camera reads the card, then the product's bars; one tap saves, one undoes.
// Headless Chromium on Linux has no BarcodeDetector: it is the library that reads.
func TestTheCameraReadsACardAndAProduct(t *testing.T) {
	w := apitest.New(t)
	shopper := w.Shoppers[1]
	b := openShop(t, w, w.Base, chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", film(t, showQR(t, w.Base+"/c/"+shopper.Card), showBars(w.Tenants[0].GTIN))))
	require.Equal(t, "undefined", b.eval(`typeof BarcodeDetector`))
	require.Equal(t, "0", b.eval(`String(performance.getEntriesByType('resource').filter((r) => r.name.includes('zxing')).length)`), "the library waits for the camera")
	b.shots("scan")
	b.do(chromedp.Click(`#cam`))
	b.until("the card's code", `document.getElementById('code').value.replace('-', '') === '`+shopper.Card+`'`)
	b.shot("scan-camera-card")
	b.until("the product", `Number(document.querySelector('.product input').value) > 0`)
	b.do(chromedp.Click(`#cam`))
	b.until("the camera is off", `document.getElementById('lens').hidden`)
	// The film begins anew while a busy machine looks: each showing is a piece.
	pieces, err := strconv.ParseInt(b.eval(`document.querySelector('.product input').value`), 10, 64)
	require.NoError(t, err)
	tapped := time.Now()
	b.do(chromedp.Click(`#save`))
	b.until("a green answer", `!!document.querySelector('#say .result.good')`)
	assert.Less(t, time.Since(tapped), time.Second, "a queue waits for the answer")
	b.shot("scan-saved")
	b.shots("scan-saved-whole")
	sales := salesOf(t, w)
	require.Len(t, sales, 1)
	assert.Equal(t, "scan", sales[0].Captured)
	assert.Equal(t, pieces, stampsOf(t, w, shopper.Person))
	assert.Equal(t, "", b.eval(`document.getElementById('code').value`), "ready for the next one")

	b.do(chromedp.Click(`#say .undo button`))
	b.until("undone", `document.getElementById('say').innerText.includes('Venta deshecha')`)
	assert.EqualValues(t, 0, stampsOf(t, w, shopper.Person))
	assert.Contains(t, b.eval(`document.getElementById('today').innerText`), "devuelta")
	b.shot("scan-undone")
}

// A phone without a network sells on, starts anew, and sends each sale once. What
// the server refuses is shown and can be put right.
func TestSalesWithoutANetworkAreSentOnce(t *testing.T) {
	w := apitest.New(t)
	v := newWire(t, w)
	b := openShop(t, w, v.Base)
	card := w.Shoppers[1].Card
	b.do(chromedp.Evaluate[chromedp.Void](`caches.has('qoa-tienda-pages').then((has) => { window.kept = has; })`))
	b.until("a worker", `!!navigator.serviceWorker.controller`)
	b.do(chromedp.Navigate(v.Base + "/tienda"))
	b.until("a kept page", `(() => { caches.match('/tienda').then((r) => { window.kept = !!r; }); return window.kept === true; })()`)

	v.down.Store(true)
	v.hangUp()
	b.online(false)
	b.until("it is told", `!document.getElementById('offline').hidden`)
	b.sell(card, "11")
	b.until("kept", `document.getElementById('say').innerText.includes('guardada en este teléfono')`)
	b.sell("00000000", "1") // a card that nobody has
	b.until("both wait", `document.querySelectorAll('#queue-list li').length === 2`)
	b.shot("scan-offline")
	b.shots("scan-offline-whole")
	require.Empty(t, salesOf(t, w))

	// The page starts without a network, and has not forgotten.
	b.do(chromedp.Navigate(v.Base + "/tienda"))
	b.until("both still wait", `!document.getElementById('queue').hidden && document.querySelectorAll('#queue-list li').length === 2`)
	b.sell(card, "1")
	b.until("three wait", `document.querySelectorAll('#queue-list li').length === 3`)

	// There is a network again, but the first answer is lost on the way back.
	v.deaf.Store(true)
	v.down.Store(false)
	b.online(true)
	require.Eventually(t, func() bool { return len(salesOf(t, w)) == 1 }, 20*time.Second, 50*time.Millisecond, "saved, and nobody was told")
	b.until("nobody drops what may be saved", `document.querySelector('#queue-list').innerText.includes('en espera')`)
	v.deaf.Store(false)
	v.hangUp()
	b.until("one is left, refused", `(() => {
		const left = document.querySelectorAll('#queue-list li');
		if (left.length === 1 && left[0].className === 'refused') return true;
		document.getElementById('queue-send').click();
		return false;
	})()`)
	b.shot("scan-refused")
	b.shots("scan-refused-whole")
	sales := salesOf(t, w)
	require.Len(t, sales, 2, "each once")
	for _, s := range sales {
		assert.Equal(t, "typed", s.Captured)
	}
	assert.EqualValues(t, 3, stampsOf(t, w, w.Shoppers[1].Person))

	b.do(chromedp.Click(`[data-act=fix]`))
	b.until("it is in the form", `document.getElementById('code').value === '00000000'`)
	b.eval(`document.getElementById("code").value = ""`)
	b.do(chromedp.SendKeys(`#code`, card), chromedp.Click(`#save`))
	b.until("saved", `!!document.querySelector('#say .result.good')`)
	b.until("nothing waits", `document.getElementById('queue').hidden`)
	require.Len(t, salesOf(t, w), 3)
	assert.Equal(t, http.StatusOK, w.Do("GET", "/health/live", nil).Status)

	// Who leaves, from whatever page, leaves no page behind.
	b.do(chromedp.Navigate(v.Base+"/tienda/campanas"), chromedp.Click(`[action="/tienda/logout"] button`))
	b.until("out", `location.pathname === '/'`)
	b.until("no kept page", `(() => { caches.has('qoa-tienda-pages').then((has) => { window.kept = has; }); return window.kept === false; })()`)
}

// Without a camera a photo does: of a prize's code, too.
func TestAPhotoOfAPrizeDeliversIt(t *testing.T) {
	w := apitest.New(t)
	b := openShop(t, w, w.Base)
	b.do(chromedp.Click(`#cam`))
	b.until("no camera here", `!document.getElementById('photo-box').hidden`)
	b.shots("scan-no-camera")
	b.do(chromedp.SetUploadFiles(`#photo`, []string{photo(t, canvas())}))
	b.until("nothing in it", `document.getElementById('cam-say').textContent.includes('No se ve un código')`)
	b.do(chromedp.SetUploadFiles(`#photo`, []string{photo(t, showBars(w.Tenants[0].GTIN))}))
	b.until("the product", `Number(document.querySelector('.product input').value) === 1`)
	b.do(chromedp.SetUploadFiles(`#photo`, []string{photo(t, showQR(t, w.Redemption))}))
	b.until("a prize", `document.getElementById('say').innerText.includes('Premio '+'`+w.Redemption[:4]+`-')`)
	b.shot("scan-prize")
	b.do(chromedp.Click(`#say .result.read button`))
	b.until("delivered", `document.querySelector('#say .result.good') && document.getElementById('say').innerText.includes('Premio entregado')`)
	b.shot("scan-delivered")
	b.do(chromedp.SendKeys(`#rcode`, w.Redemption), chromedp.Click(`#deliver-form button`))
	b.until("only once", `document.querySelector('#say .result.bad') && document.getElementById('say').innerText.includes('ya se entregó')`)
}
