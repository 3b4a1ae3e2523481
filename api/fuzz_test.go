package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api/apitest"
)

// fuzzer makes requests from the document: mostly what it promises to take,
// spoiled here and there. The same seed makes the same requests.
type fuzzer struct {
	r     *rand.Rand
	known []string // values that name things in this world
}

func (f *fuzzer) chance(percent int) bool { return f.r.IntN(100) < percent }

func pick[T any](r *rand.Rand, all []T) T { return all[r.IntN(len(all))] }

// evil is what no schema asks for.
func (f *fuzzer) evil() any {
	return pick(f.r, []any{
		nil, true, -1, 0, 1.5, 1e300, json.Number("99999999999999999999"), "", " ", "\x00", "\u202e\ufeff", "'; DROP TABLE shops; --", "%s%n", "../../etc/passwd",
		"<script>alert(1)</script>", strings.Repeat("ñ", 300), "\ufffd\U0001F964", []any{}, obj{}, []any{nil, obj{"a": nil}}, obj{"": ""}, "9999-12-31T23:59:59Z", "0000-00-00",
	})
}

func (f *fuzzer) text() string {
	if f.chance(60) {
		return pick(f.r, f.known)
	}
	return fmt.Sprint(f.evil())
}

func (f *fuzzer) value(ref *openapi3.SchemaRef, depth int) any {
	if ref == nil || ref.Value == nil || f.chance(10) {
		return f.evil()
	}
	s := ref.Value
	if len(s.Enum) > 0 {
		return pick(f.r, s.Enum)
	}
	switch {
	case s.Type.Includes("object"):
		v := obj{}
		for name, p := range s.Properties {
			if slices.Contains(s.Required, name) && f.chance(95) || f.chance(50) {
				v[name] = f.value(p, depth+1)
			}
		}
		if f.chance(3) {
			v[f.text()] = f.evil()
		}
		return v
	case s.Type.Includes("array"):
		v := []any{}
		for range f.r.IntN(4) {
			if depth < 6 {
				v = append(v, f.value(s.Items, depth+1))
			}
		}
		return v
	case s.Type.Includes("integer"):
		return pick(f.r, []any{1, 2, 10, 999, 1000, 1_000_000, int64(1) << 40, int64(-1) << 62})
	case s.Type.Includes("boolean"):
		return f.chance(50)
	case s.Format == "date-time":
		return pick(f.r, []any{"2026-11-20T10:00:00Z", "2026-11-20T10:00:00.123456789-06:00", "1600-02-29T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z"})
	}
	return f.text()
}

// request makes a call of one operation.
func (f *fuzzer) request(path string, op *openapi3.Operation) (target string, body any, options []apitest.Option) {
	query := url.Values{}
	for _, ref := range op.Parameters {
		p := ref.Value
		switch p.In {
		case openapi3.ParameterInPath:
			path = strings.ReplaceAll(path, "{"+p.Name+"}", strings.ReplaceAll(url.PathEscape(f.text()), ".", "%2E"))
		case openapi3.ParameterInQuery:
			if p.Required || f.chance(40) {
				query.Set(p.Name, fmt.Sprint(f.value(p.Schema, 0)))
			}
		case openapi3.ParameterInHeader:
			value := strings.Map(func(r rune) rune { // what a header may carry at all
				if r < ' ' || r == 0x7f {
					return -1
				}
				return r
			}, f.text())
			options = append(options, apitest.With(p.Name, value))
		}
	}
	if op.RequestBody != nil && f.chance(97) {
		body = f.value(op.RequestBody.Value.Content.Get("application/json").Schema, 0)
		if raw, err := json.Marshal(body); err == nil && f.chance(5) {
			body = string(raw[:f.r.IntN(len(raw)+1)]) // cut off on the way
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path, body, options
}

// rounds is how many requests of each operation are made; more when soaking.
func rounds(t *testing.T) int {
	n := 12
	if os.Getenv("QOA_SOAK") != "" {
		n = 500
	}
	t.Logf("%d rounds", n)
	return n
}

// TestPitfall_P44_NoInputGivesA500: the client fails the test on any 500 and on
// any answer that the document does not promise.
func TestPitfall_P44_NoInputGivesA500(t *testing.T) {
	w := apitest.New(t, apitest.Numbers)
	doc := apitest.Document(t)
	f := &fuzzer{r: rand.New(rand.NewPCG(44, 44)), known: []string{ //nolint:gosec // repeatable on purpose
		string(w.Tenants[0].CPG), string(w.Tenants[0].Brand), string(w.Tenants[0].Product), string(w.Tenants[0].Campaign), string(w.Tenants[0].Reward),
		string(w.Keepers[0].Shop.ID), w.Keepers[0].Shop.Code, w.Shoppers[0].Card, w.Tenants[0].GTIN, w.Redemption, string(w.Purchase), string(w.Tenants[0].Segment), "+525512345670", string(w.Number),
		"roi", "nudges", "failed", "Plata", "day", "18:00", "1", "admin@qoa.test", apitest.Password, "Algo", "7501020513127",
	}}
	var paths []string
	for path := range doc.Paths.Map() {
		if path != "/v1/auth/login" && path != "/v1/auth/logout" { // argon2id is slow on purpose; a logout ends the rest
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	statuses := map[int]int{}
	for range rounds(t) {
		for _, path := range paths {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				op := doc.Paths.Value(path).GetOperation(method)
				if op == nil {
					continue
				}
				target, body, options := f.request(path, op)
				who := pick(f.r, []string{w.Admin, w.Admin, w.Admin, w.Tenants[0].Token, w.Keepers[0].Token, w.Shoppers[0].Token, w.Key})
				statuses[w.As(who).Do(method, target, body, options...).Status]++
			}
		}
	}
	t.Logf("answers by status: %v", statuses)
	require.Greater(t, statuses[200]+statuses[201]+statuses[202], 50, "the fuzzer must get in to be worth something")
	differences, err := w.DB.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, differences)
}

// TestPagesSurviveAnything does the same to pages and their forms.
func TestPagesSurviveAnything(t *testing.T) {
	w := apitest.New(t)
	parts := strings.Split(w.Shoppers[0].URL, "/")
	f := &fuzzer{r: rand.New(rand.NewPCG(7, 7)), known: []string{parts[2], parts[3], w.Keepers[0].Shop.Code, w.Redemption, w.Tenants[0].GTIN, "2", "nudges", string(w.Tenants[0].Reward)}} //nolint:gosec // repeatable on purpose
	fields := []string{"key", "shop", "code", "gtin", "gtin_qty", "gtin_price", "qty_" + w.Tenants[0].GTIN, "price_" + w.Tenants[0].GTIN, "qty_x", "reward", "campaign", "next", "email", "aviso", "from", "to", "trabajo", "mensajes"}
	for range rounds(t) {
		for _, r := range routes() {
			if !r.Page || strings.Contains(r.Path, "log") || strings.HasSuffix(r.Path, "/events") {
				continue
			}
			var path []string
			for _, part := range strings.Split(r.Path, "/") {
				if strings.HasPrefix(part, ":") {
					part = strings.ReplaceAll(url.PathEscape(f.text()), ".", "%2E")
				}
				path = append(path, part)
			}
			values := url.Values{}
			for range f.r.IntN(6) {
				values.Set(pick(f.r, fields), f.text())
			}
			cookie := apitest.Cookie(pick(f.r, []string{w.AdminPage, w.Keepers[0].Page, w.Tenants[0].Page, "x"}))
			if r.Method == http.MethodGet {
				w.Do(r.Method, strings.Join(path, "/")+"?"+values.Encode(), nil, cookie)
				continue
			}
			w.Do(r.Method, strings.Join(path, "/"), values.Encode(), apitest.Form(), cookie)
		}
	}
}
