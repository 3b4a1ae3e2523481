// Package browsertest opens real pages in a headless Chromium, for tests: on a
// phone and on a desk, in light and in dark, each looked at by axe-core.
package browsertest

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// Start starts a Chromium of this test's own and opens its first tab.
func Start(t *testing.T, flags ...chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "no chromium: run `make deps-test`")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		// Of pages that are kept to go back to, chromedp loses hold.
		chromedp.Flag("disable-features", "site-per-process,Translate,BlinkGenPropertyTrees,BackForwardCache"))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// Tab opens another tab of the same browser.
func Tab(t *testing.T, ctx context.Context) context.Context {
	t.Helper()
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// Do takes steps in a tab. An element that the page replaces by itself between
// being found and being used, as live pages do, is looked for again.
func Do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for _, step := range steps {
		err := chromedp.Do(ctx, step)
		for again := 0; again < 5 && err != nil && strings.Contains(err.Error(), "Could not find node with given id"); again++ {
			err = chromedp.Do(ctx, step)
		}
		require.NoError(t, err)
	}
}

// Until waits for an expression to become true, as the page changes or is left. A
// page that is still arriving is not looked at: its first words may be there and
// what is asked of it next not.
func Until(t *testing.T, ctx context.Context, what, expression string, within time.Duration) {
	t.Helper()
	require.Eventually(t, func() bool {
		// A page that is being replaced cannot be asked; the next one can.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === 'complete' && (`+expression+`)`))
		return err == nil && ok
	}, within, 20*time.Millisecond, what)
}

// Eval is what an expression is worth in the page.
func Eval[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	require.NoError(t, err)
	return v
}

// Fits wants no page wider than the screen.
func Fits(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	over := Eval[int](t, ctx, `document.documentElement.scrollWidth - window.innerWidth`)
	require.LessOrEqual(t, over, 0, "%s is wider than the screen", name)
}
