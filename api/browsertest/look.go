package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Phone and Desk are the screens that every page must fit.
func Phone() chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(360, 800) }
func Desk() chromedp.Action[chromedp.Void]  { return chromedp.EmulateViewport(1280, 800) }

// Whole looks at the whole page on a desk and on a phone, and leaves it on a phone.
func Whole(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	Do(t, ctx, Desk())
	look(t, ctx, name+"-desk", true, "dark")
	Do(t, ctx, Phone())
	look(t, ctx, name+"-phone", true, "light")
}

// Screen looks at what the screen shows now.
func Screen(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	look(t, ctx, name, false, "light")
}

// look judges the page in one colour scheme: layout and colours hardly depend on
// each other, and a judgement takes a second. In the long form, and where
// QOA_SCREENSHOTS names a folder, it judges in both, and leaves a picture of each
// there.
func look(t *testing.T, ctx context.Context, name string, whole bool, colors ...string) {
	t.Helper()
	Fits(t, ctx, name)
	if os.Getenv("QOA_SCREENSHOTS") != "" || os.Getenv("QOA_SOAK") != "" {
		colors = []string{"light", "dark"}
	}
	for i, colors := range colors {
		// Nothing may be judged in the middle of moving.
		media(t, ctx, scheme(colors), &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
		if colors == "dark" {
			name += "-dark"
		}
		found := findings(t, ctx, i == 0)
		assert.Empty(t, found, "axe-core on %s:\n%s", name, strings.Join(found, "\n"))
		keep(t, ctx, name, whole)
	}
	media(t, ctx)
}

// Of a page in a document this much is seen, in pixels, and a desk's is made
// smaller: a repository keeps each picture for good.
const (
	mostKept  = 1200
	deskScale = .6
	mostTall  = 6000 // of what is kept whole
)

// keep leaves a picture: a PNG of all there is, or, where QOA_SCREENSHOT_TYPE says
// webp, one for documents, small and cut.
func keep(t *testing.T, ctx context.Context, name string, whole bool) {
	t.Helper()
	dir := os.Getenv("QOA_SCREENSHOTS")
	if dir == "" {
		return
	}
	how := page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng}
	ending, most, scale := ".png", int64(mostTall), 1.
	if os.Getenv("QOA_SCREENSHOT_TYPE") == "webp" {
		quality := int64(35)
		how.Format, how.Quality, ending, most = page.CaptureScreenshotFormatWebp, &quality, ".webp", mostKept
		if strings.Contains(name, "-desk") {
			scale = deskScale
		}
	}
	if whole { // what sticks to the edge of a screen is then at the edge of the picture
		width, height := Eval[int64](t, ctx, `window.innerWidth`), Eval[int64](t, ctx, `window.innerHeight`)
		tall := max(height, min(Eval[int64](t, ctx, `document.documentElement.scrollHeight`), most))
		Do(t, ctx, chromedp.EmulateViewport(width, tall))
		defer Do(t, ctx, chromedp.EmulateViewport(width, height))
		how.Clip = &page.Viewport{Width: float64(width), Height: float64(tall), Scale: scale}
	}
	got, err := chromedp.Run(ctx, func(ctx context.Context, target *chromedp.Target) (page.CaptureScreenshotResult, error) {
		return cdp.Call(ctx, target, page.CaptureScreenshot, how)
	})
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+ending), got.Data, 0o644))
}

func media(t *testing.T, ctx context.Context, features ...*emulation.MediaFeature) {
	t.Helper()
	Do(t, ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return err
	}))
}

func scheme(name string) *emulation.MediaFeature {
	return &emulation.MediaFeature{Name: "prefers-color-scheme", Value: name}
}
