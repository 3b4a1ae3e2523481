package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// axe is https://www.npmjs.com/package/axe-core, version 4.14.1, as published.
// It is no part of the program: only tests import this package.
//
//go:embed axe-core/axe.min.js
var axe string

// findings asks axe-core for what breaks WCAG 2.2 AA or good practice seriously.
// Only colours differ between light and dark, so one of them need not ask for all.
func findings(t *testing.T, ctx context.Context, all bool) (found []string) {
	t.Helper()
	if !Eval[bool](t, ctx, `'axe' in window`) {
		Do(t, ctx, chromedp.Evaluate[chromedp.Void](axe))
	}
	only := `{type: 'rule', values: ['color-contrast', 'link-in-text-block']}`
	if all {
		only = `{type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}`
	}
	said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run({runOnly: `+only+`, resultTypes: ['violations']}).then((r) => JSON.stringify(
		r.violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
			.flatMap((v) => v.nodes.map((n) => v.id + ' (' + v.impact + ') ' + n.html.slice(0, 200) + ': ' + n.failureSummary))))`, chromedp.EvalAwaitPromise))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(said), &found))
	return found
}
