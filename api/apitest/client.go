// Package apitest gives tests the API on a real listener over a real Postgres,
// with a small world in it, and a client that holds every answer against the
// OpenAPI document. For tests only.
package apitest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/api"
)

// readDocument reads the document once: its validation takes longer than most tests.
var readDocument = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Spec())
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	doc.Servers = nil // paths are matched whatever the address
	return doc, nil
})

// Document is the OpenAPI document, which is checked to be one. All tests share it.
func Document(t testing.TB) *openapi3.T {
	t.Helper()
	doc, err := readDocument()
	require.NoError(t, err)
	return doc
}

// Client calls the API as somebody.
type Client struct {
	t      testing.TB
	base   string
	token  string
	http   *http.Client
	router routers.Router
	done   *sync.Map // operations that succeeded, for a test that wants all
}

// NewClient makes a client of the API at base, as nobody.
func NewClient(t testing.TB, base string) *Client {
	t.Helper()
	router, err := gorillamux.NewRouter(Document(t))
	require.NoError(t, err)
	return &Client{t: t, base: base, router: router, done: &sync.Map{}, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// As is the same client with an access token or API key; "" is nobody.
func (c *Client) As(token string) *Client {
	as := *c
	as.token = token
	return &as
}

// On is the same client for another test.
func (c *Client) On(t testing.TB) *Client {
	on := *c
	on.t = t
	return &on
}

// Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Text is the body as text.
func (r Response) Text() string { return string(r.Body) }

// Option changes a request.
type Option func(*http.Request)

// With sets a header.
func With(name, value string) Option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Key sets the idempotency key.
func Key(key string) Option { return With("Idempotency-Key", key) }

// Cookie brings a page session.
func Cookie(token string) Option { return With("Cookie", "qoa_session="+token) }

// Form says that the body is a form.
func Form() Option { return With("Content-Type", "application/x-www-form-urlencoded") }

// Do sends a request and holds the answer against the document. body is nil, a
// string sent as it is, or a value sent as JSON. No answer may be a 500.
func (c *Client) Do(method, path string, body any, options ...Option) Response {
	c.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		require.NoError(c.t, err)
		reader = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, reader)
	require.NoError(c.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, o := range options {
		o(req)
	}
	res, err := c.http.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	out := Response{Status: res.StatusCode, Header: res.Header, Body: content}
	c.check(req, out)
	return out
}

// Unpacked is the body without its content coding.
func (r Response) Unpacked(t testing.TB) []byte {
	t.Helper()
	var reader io.Reader = bytes.NewReader(r.Body)
	switch r.Header.Get("Content-Encoding") {
	case "br":
		reader = brotli.NewReader(reader)
	case "gzip":
		zr, err := gzip.NewReader(reader)
		require.NoError(t, err)
		reader = zr
	}
	body, err := io.ReadAll(reader)
	require.NoError(t, err)
	return body
}

// Succeeded says whether an operation was ever answered without an error.
func (c *Client) Succeeded(operation string) bool {
	_, ok := c.done.Load(operation)
	return ok
}

// check holds an answer against the document, where its path is in there, and
// against what holds everywhere.
func (c *Client) check(req *http.Request, res Response) {
	c.t.Helper()
	name := req.Method + " " + req.URL.Path
	require.NotEqual(c.t, http.StatusInternalServerError, res.Status, "%s: %s", name, res.Body)
	require.NotEmpty(c.t, res.Header.Get("X-Request-Id"), name)
	require.Equal(c.t, "nosniff", res.Header.Get("X-Content-Type-Options"), name)
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		return // a page, or no route at all
	}
	if res.Status < http.StatusBadRequest {
		c.done.Store(route.Operation.OperationID, true)
	}
	err = openapi3filter.ValidateResponse(req.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 res.Status,
		Header:                 res.Header,
		Body:                   io.NopCloser(bytes.NewReader(res.Unpacked(c.t))),
		Options:                &openapi3filter.Options{IncludeResponseStatus: true},
	})
	require.NoError(c.t, err, "%s %d: %s", name, res.Status, res.Body)
}

// Data sends a request, wants the status, and reads the answer's data.
func Data[T any](c *Client, status int, method, path string, body any, options ...Option) T {
	c.t.Helper()
	res := c.Do(method, path, body, options...)
	require.Equal(c.t, status, res.Status, "%s %s: %s", method, path, res.Body)
	var answer struct{ Data T }
	require.NoError(c.t, json.Unmarshal(res.Body, &answer))
	return answer.Data
}

// Problem sends a request that must fail, and gives the problem's code and the
// fields that it names.
func (c *Client) Problem(status int, method, path string, body any, options ...Option) (code string, fields []string) {
	c.t.Helper()
	res := c.Do(method, path, body, options...)
	require.Equal(c.t, status, res.Status, "%s %s: %s", method, path, res.Body)
	require.Equal(c.t, "application/problem+json", res.Header.Get("Content-Type"), fmt.Sprint(method, path))
	var p struct {
		Code   string
		Errors []struct{ Field string }
	}
	require.NoError(c.t, json.Unmarshal(res.Body, &p))
	for _, e := range p.Errors {
		fields = append(fields, e.Field)
	}
	return p.Code, fields
}
