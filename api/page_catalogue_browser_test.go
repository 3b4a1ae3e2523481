package api_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// inFolder writes a file that a browser can be given.
func inFolder(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// TestTheCatalogueInABrowser goes through its pages as an admin does.
func TestTheCatalogueInABrowser(t *testing.T) {
	w := apitest.New(t)
	w.Jobs.Slow = true
	b := openTab(t, w)
	at := func(path string) { b.do(chromedp.Navigate(w.Base + catalogue + path)) }

	// A company, its brand and a product with a picture.
	at("/empresas/nueva")
	b.do(chromedp.SetValue(`#f-name`, "Lácteos del Norte"), chromedp.SetValue(`#f-budget_cents`, "muchos"), chromedp.Click(`form.formal button`))
	b.until("what is wrong", pageText+`.includes('pesos, como 18.50')`)
	b.shots("catalogue-form-wrong")
	b.do(chromedp.SetValue(`#f-budget_cents`, "25,000"), chromedp.Click(`form.formal button`))
	b.until("the company", pageText+`.includes('$25,000.00')`)
	b.shots("catalogue-company")
	at("/productos/" + string(w.Tenants[0].Product))
	b.do(chromedp.SetUploadFiles(`#picture`, []string{inFolder(t, "foto.png", []byte("hola"))}), chromedp.Click(`#foto form button`))
	b.until("no picture", pageText+`.includes('No es una foto')`)
	b.shots("catalogue-product-wrong")
	b.do(chromedp.SetUploadFiles(`#picture`, []string{inFolder(t, "foto.png", asPNG(t, flag(300, 400)))}), chromedp.Click(`#foto form button`))
	b.until("the picture", `(() => { const i = document.querySelector('.photo-now img'); return !!i && i.complete && i.naturalWidth === 480 })()`)
	b.shots("catalogue-product")
	at("/productos")
	b.shots("catalogue-products")
	b.do(chromedp.Navigate(w.Base + catalogue + "/tiendas/" + string(w.Keepers[0].Shop.ID)))
	b.shots("catalogue-shop")

	// Shops by a file: looked at, applied, and seen to go on by itself.
	at("/importar")
	b.shots("imports")
	text := "Código,Nombre,Calle,Ciudad,Estado,Tipo,Ruta\n"
	for i := range 150 {
		text += fmt.Sprintf(",Abarrotes La Esperanza %d,Av. Reforma %d,Puebla,Puebla,tiendita,R7\n", i+1, i+10)
	}
	text += "ABC123,Mala,,Puebla,,kiosco,R7\n,Abarrotes Lupita,Av. Juárez 12,Ciudad de México,CDMX,minisúper,R1\n"
	b.do(chromedp.SetUploadFiles(`#file`, []string{inFolder(t, "tiendas de Puebla.csv", []byte(text))}), chromedp.Click(`form[action$="/importar"] button`))
	b.until("the dry run", pageText+`.includes('Aplicar 151 renglones')`)
	b.shots("import-read")
	b.do(chromedp.Click(`a[href*="ver=wrong"]`))
	b.until("the wrong ones", `document.querySelectorAll('.import-rows tbody tr').length === 1`)
	b.shots("import-wrong")
	b.do(chromedp.Click(`form[action$="/aplicar"] button`))
	b.until("being applied", pageText+`.includes('0 de 151 renglones')`)
	some := func(n int) {
		w.Tx(t, func(ctx context.Context, tx *store.Tx) {
			_, err := tx.ApplyImports(ctx, n)
			require.NoError(t, err)
		})
	}
	some(60)
	b.until("progress", pageText+`.includes('60 de 151 renglones')`)
	b.shots("import-working")
	some(100)
	some(100)
	b.until("the end, without a reload", pageText+`.includes('151 renglones aplicados')`)
	b.until("who cannot see it hears it", `document.getElementById('say').textContent === 'aplicado'`)
	b.shots("import-done")

	// The list, its filter, and posters of what was picked.
	at("/tiendas?ciudad=Puebla")
	b.until("the filter", pageText+`.includes('150 tiendas')`)
	b.shots("catalogue-shops")
	b.do(chromedp.Click(`.tick-box input`))
	b.until("a poster of it", `(() => {
		const f = document.querySelector('form.picking'), x = new XMLHttpRequest();
		x.open('POST', f.action, false);
		x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
		x.send(new URLSearchParams(new FormData(f)).toString());
		return x.status === 200 && x.responseText.startsWith('%PDF-') && x.responseText.split('/Type /Page\n').length === 2;
	})()`)
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		closed := false
		_, err := tx.UpdateBrand(ctx, loyalty.System(), w.Tenants[1].Brand, store.BrandPatch{Active: &closed})
		require.NoError(t, err)
	})
	at("/marcas")
	b.shots("catalogue-brands")
	at("/empresas?buscar=nada")
	b.shots("catalogue-nothing")

	// The picture is on the counter's button.
	b.do(chromedp.Navigate(w.Base + "/t/" + w.Keepers[0].Link))
	b.until("the picture", `(() => { const i = document.querySelector('.product .face img'); return !!i && i.complete && i.naturalWidth === 160 })()`)
	b.shots("scan-picture")
}
