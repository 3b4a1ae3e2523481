package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var pathParam = regexp.MustCompile(`:(\w+)`)

// documented is a route's path in the document's spelling.
func documented(r api.Route) string { return pathParam.ReplaceAllString(r.Path, "{$1}") }

func TestRoutesAndDocumentNameEachOther(t *testing.T) {
	doc := apitest.Document(t)
	routes := map[string]api.Route{}
	for _, r := range api.Routes(true) {
		name := r.Method + " " + documented(r)
		require.NotContains(t, routes, name, "twice in the table")
		routes[name] = r
		item := doc.Paths.Value(documented(r))
		if r.Page {
			assert.Nil(t, item, "%s is a page, and pages are not in the document", name)
			continue
		}
		if assert.NotNil(t, item, "%s is not in openapi.yaml", name) {
			assert.NotNil(t, item.GetOperation(r.Method), "%s is not in openapi.yaml", name)
		}
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			name := method + " " + path
			r, ok := routes[name]
			if !assert.True(t, ok, "%s is in openapi.yaml and not in the route table", name) {
				continue
			}
			assert.NotEmpty(t, op.Summary, name)
			assert.Len(t, op.Tags, 1, name)
			assert.NotNil(t, doc.Tags.Get(op.Tags[0]), "%s: tag %s is not declared", name, op.Tags[0])
			assert.False(t, ids[op.OperationID], "%s: operationId is taken", name)
			ids[op.OperationID] = true
			// What the document says of who may call is what the table says.
			open := op.Security != nil && len(*op.Security) == 0
			assert.Equal(t, r.Door == api.Open, open, "%s: security", name)
			if op.RequestBody != nil {
				media := op.RequestBody.Value.Content.Get("application/json")
				if assert.NotNil(t, media, name) {
					assert.NotNil(t, media.Example, "%s: the body has no example", name)
				}
			}
			for _, p := range op.Parameters {
				if p.Value.In == "path" {
					assert.NotNil(t, p.Value.Example, "%s: parameter %s has no example", name, p.Value.Name)
				}
			}
		}
	}
}

func TestEveryRouteHasARule(t *testing.T) {
	for _, r := range api.Routes(true) {
		name := r.Method + " " + r.Path
		switch r.Door {
		case api.Open, api.Secret:
			assert.Empty(t, r.Roles, "%s is open to all, so roles mean nothing", name)
		case api.Bearer:
			assert.NotNil(t, r.Roles, "%s has no rule", name)
			assert.False(t, r.Page, name)
		case api.Cookie:
			assert.NotNil(t, r.Roles, "%s has no rule", name)
			assert.True(t, r.Page, name)
		default:
			t.Errorf("%s has no door", name)
		}
	}
}

func TestDocumentIsServedWithThisAddress(t *testing.T) {
	w := apitest.New(t)
	res := w.Do(http.MethodGet, "/openapi.json", nil)
	var doc struct {
		OpenAPI string
		Info    struct{ Version string }
		Servers []struct{ URL string }
		Paths   map[string]any
	}
	require.NoError(t, json.Unmarshal(res.Body, &doc))
	assert.Equal(t, "3.1.0", doc.OpenAPI)
	assert.Equal(t, "test", doc.Info.Version)
	assert.Equal(t, w.Base, doc.Servers[0].URL)
	assert.Contains(t, doc.Paths, "/v1/purchases")

	page := w.Do(http.MethodGet, "/docs", nil)
	assert.Equal(t, http.StatusOK, page.Status)
	assert.Contains(t, page.Text(), `data-spec="/openapi.json"`)
}

// TestEveryCodeIsInTheDocument, and nothing else: callers rely on them.
func TestEveryCodeIsInTheDocument(t *testing.T) {
	var known []any
	for _, file := range []string{"errors.go", "../store/loyalty/errors.go"} {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`Code\s+= "([A-Z_]+)"`).FindAllSubmatch(source, -1) {
			known = append(known, string(found[1]))
		}
	}
	require.NotEmpty(t, known)
	assert.ElementsMatch(t, known, apitest.Document(t).Components.Schemas["Problem"].Value.Properties["code"].Value.Enum)
}
