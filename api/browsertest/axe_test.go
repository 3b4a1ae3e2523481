package browsertest

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A judge who cannot find fault protects nothing.
func TestAxeFindsFaults(t *testing.T) {
	ctx := Start(t)
	open := func(body string) {
		page := `<!doctype html><html lang="es"><title>x</title><meta name="viewport" content="width=device-width"><style>
			@media (prefers-color-scheme: dark) { main { background: #222; } p { color: #333; } }</style><main><h1>x</h1>` + body + `</main>`
		Do(t, ctx, chromedp.Navigate("data:text/html;charset=utf-8,"+url.PathEscape(page)))
	}
	open(`<p>Bien</p>`)
	assert.Empty(t, findings(t, ctx, true))
	open(`<input><img src="x"><p>Gris</p>`)
	found := strings.Join(findings(t, ctx, true), "\n")
	assert.Contains(t, found, "label (critical)")
	assert.Contains(t, found, "image-alt (critical)")
	assert.NotContains(t, found, "color-contrast")
	media(t, ctx, scheme("dark"))
	found = strings.Join(findings(t, ctx, false), "\n")
	require.Contains(t, found, "color-contrast (serious)")
}
