package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
)

// Pages and JSON are packed for who accepts that, and for nobody else.
func TestAnswersArePacked(t *testing.T) {
	w := apitest.New(t)
	for path, cookie := range map[string]string{"/": "", "/tienda": w.Keepers[0].Page, "/openapi.json": "", "/tienda/sw.js": ""} {
		ask := func(codings string) apitest.Response {
			with := []apitest.Option{apitest.With("Accept-Encoding", codings)}
			if cookie != "" {
				with = append(with, apitest.Cookie(cookie))
			}
			res := w.Do("GET", path, nil, with...)
			require.Equal(t, http.StatusOK, res.Status, path)
			assert.Contains(t, res.Header.Get("Vary"), "Accept-Encoding", path)
			return res
		}
		plain, br, gz := ask("identity"), ask("gzip, deflate, br, zstd"), ask("br;q=0, gzip")
		assert.Empty(t, plain.Header.Get("Content-Encoding"), path)
		require.Equal(t, "br", br.Header.Get("Content-Encoding"), path)
		require.Equal(t, "gzip", gz.Header.Get("Content-Encoding"), path)
		assert.Less(t, len(br.Body), len(plain.Body)/2, path)
		if path != "/tienda" { // its form has a key of its own each time
			assert.Equal(t, plain.Text(), string(br.Unpacked(t)), path)
			assert.Equal(t, plain.Text(), string(gz.Unpacked(t)), path)
		}
	}
	small := w.Do("GET", "/health/live", nil, apitest.With("Accept-Encoding", "br"))
	assert.Empty(t, small.Header.Get("Content-Encoding"), "not worth it")
}

// Lengths of packed pages tell nothing to another site that opens them with the
// cookies of somebody who is inside.
func TestPagesThatOthersOpenAreNotPacked(t *testing.T) {
	w := apitest.New(t)
	coding := func(site string, with ...apitest.Option) string {
		res := w.Do("GET", "/tienda", nil, append(with, apitest.With("Accept-Encoding", "br"), apitest.With("Sec-Fetch-Site", site))...)
		return res.Header.Get("Content-Encoding")
	}
	inside := apitest.Cookie(w.Keepers[0].Page)
	assert.Equal(t, "br", coding("none", inside))
	assert.Equal(t, "br", coding("same-origin", inside))
	assert.Empty(t, coding("cross-site", inside))
	assert.Empty(t, coding("same-site", inside))
}

// What is the same for everyone is sent once.
func TestWhatIsTheSameForEveryoneIsSentOnce(t *testing.T) {
	w := apitest.New(t)
	for _, path := range []string{"/", "/docs", "/privacidad", "/openapi.json", "/tienda/sw.js", "/tienda/app.webmanifest"} {
		first := w.Do("GET", path, nil, apitest.With("Accept-Encoding", "br"))
		tag := first.Header.Get("ETag")
		require.NotEmpty(t, tag, path)
		again := w.Do("GET", path, nil, apitest.With("Accept-Encoding", "br"), apitest.With("If-None-Match", tag))
		assert.Equal(t, http.StatusNotModified, again.Status, path)
		assert.Empty(t, again.Body, path)
	}
}
