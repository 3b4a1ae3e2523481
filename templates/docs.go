package templates

import "io"

// DocsView is the API's documentation, drawn from the OpenAPI document by
// docs.js, so that the two can't disagree.
type DocsView struct {
	SpecURL string // /openapi.json
}

// Docs renders the page.
func (s *Set) Docs(w io.Writer, v DocsView) error { return s.render(w, "docs", "layout", v) }
