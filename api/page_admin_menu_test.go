package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/qoa-conectados/qoa/api/apitest"
)

// TestTheMenuOfTheBackofficeLeadsEverywhere: each of its pages is there, has the
// menu too, and is marked in it.
func TestTheMenuOfTheBackofficeLeadsEverywhere(t *testing.T) {
	w := apitest.New(t)
	pages := menuOf(t, w, "/admin")
	require.Greater(t, len(pages), 5)
	for path := range pages {
		here := menuOf(t, w, path)
		assert.Len(t, here, len(pages), path)
		for other, marked := range here {
			assert.Equal(t, other == path, marked, "%s on %s", other, path)
		}
	}
}

// menuOf gives the addresses in the menu of a page, and which is marked.
func menuOf(t *testing.T, w *apitest.World, path string) map[string]bool {
	t.Helper()
	res := w.Do("GET", path, nil, apitest.Cookie(w.AdminPage))
	require.Equal(t, http.StatusOK, res.Status, path)
	root, err := html.Parse(strings.NewReader(res.Text()))
	require.NoError(t, err)
	pages := map[string]bool{}
	for n := range root.Descendants() {
		if n.Data != "nav" || attr(n, "class") != "menu-side" {
			continue
		}
		for a := range n.Descendants() {
			if a.Data == "a" {
				pages[attr(a, "href")] = attr(a, "aria-current") == "page"
			}
		}
	}
	return pages
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// TestTheMenuInABrowser: a phone folds it away, a desk shows it.
func TestTheMenuInABrowser(t *testing.T) {
	b := openTab(t, apitest.New(t))
	shown := func(selector string) string {
		return `document.querySelector('` + selector + `').checkVisibility()`
	}
	b.do(chromedp.EmulateViewport(1280, 800))
	b.until("the menu beside the page", shown(".menu-side a")+" && !("+shown(".menu-fold summary")+")")
	b.do(chromedp.EmulateViewport(360, 800))
	b.until("the menu folded", shown(".menu-fold summary")+" && !("+shown(".menu-fold nav a")+")")
	b.shots("admin")
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Click(`.menu-fold > summary`))
	b.until("the menu unfolded", shown(".menu-fold nav a"))
	b.shots("admin-menu")
	b.do(chromedp.EmulateViewport(360, 800), chromedp.Click(`.menu-fold a[href="/admin/mensajes"]`))
	b.until("the page of messages", `location.pathname === '/admin/mensajes'`)
	b.until("which it says is here", `document.querySelector('.menu-fold summary').innerText.includes('Mensajes')`)
}
