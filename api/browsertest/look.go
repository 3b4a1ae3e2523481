package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Phone and Desk are the screens that every page must fit.
func Phone() chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(360, 800) }
func Desk() chromedp.Action[chromedp.Void]  { return chromedp.EmulateViewport(1280, 800) }

// Whole looks at the whole page on a phone and on a desk, and leaves it on a phone.
func Whole(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	Do(t, ctx, Desk())
	look(t, ctx, name+"-desk", chromedp.FullScreenshot(100))
	Do(t, ctx, Phone())
	look(t, ctx, name+"-phone", chromedp.FullScreenshot(100))
}

// Screen looks at what the screen shows now.
func Screen(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	look(t, ctx, name, chromedp.CaptureScreenshot())
}

// look judges the page in light and in dark. Where QOA_SCREENSHOTS names a
// folder it leaves a picture of each there.
func look(t *testing.T, ctx context.Context, name string, picture chromedp.Action[[]byte]) {
	t.Helper()
	Fits(t, ctx, name)
	for _, colors := range []string{"light", "dark"} {
		// Nothing may be judged in the middle of moving.
		media(t, ctx, scheme(colors), &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"})
		if colors == "dark" {
			name += "-dark"
		}
		found := findings(t, ctx, colors == "light")
		assert.Empty(t, found, "axe-core on %s:\n%s", name, strings.Join(found, "\n"))
		dir := os.Getenv("QOA_SCREENSHOTS")
		if dir == "" {
			continue
		}
		png, err := chromedp.Run(ctx, picture)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	}
	media(t, ctx)
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
