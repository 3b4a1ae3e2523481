// Package templates holds everything that people read: pages, styles, scripts,
// posters, QR codes, charts and the texts of messages. Pages take plain view
// structs declared here, one file per screen; the doors fill them.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed pages/*.html partials/*.html static/*
var files embed.FS

// ContentSecurityPolicy is the header that every page is written for: no inline
// script, no inline style, nothing from another host. A page that needs more is
// a page that is wrong.
const ContentSecurityPolicy = "default-src 'none'; style-src 'self'; script-src 'self'; " +
	"img-src 'self' data:; media-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// Set is all pages and static files, parsed and checked once. It is safe for
// concurrent use.
type Set struct {
	pages  map[string]*template.Template
	assets map[string]asset
	names  map[string]string
	pool   sync.Pool
}

// declaration ties a page's file to the view struct it is executed with. The
// zero value of the view must render: New proves it, so that a misspelt field
// stops the start instead of a customer.
type declaration struct {
	page string
	view any
}

func declarations() []declaration {
	return []declaration{
		{"board", BoardView{}},
		{"brand", BrandView{}},
		{"brand_reorders", ReordersView{}},
		{"brand_results", ResultsView{}},
		{"campaign", CampaignView{}},
		{"campaign_review", CampaignReviewView{}},
		{"campaign_start", CampaignStartView{}},
		{"campaigns", CampaignsView{}},
		{"card", CardView{}},
		{"card_data", CardDataView{}},
		{"card_month", CardMonthView{}},
		{"card_public", CardPublicView{}},
		{"catalogue", CatalogueView{}},
		{"catalogue_item", CatalogueItemView{}},
		{"chat", ChatView{}},
		{"confirm", ConfirmView{}},
		{"docs", DocsView{}},
		{"form", FormView{}},
		{"home", HomeView{}},
		{"import", ImportView{}},
		{"imports", ImportsView{}},
		{"invitations", InvitationsView{}},
		{"login", LoginView{}},
		{"notice", NoticeView{}},
		{"number", NumberView{}},
		{"numbers", NumbersView{}},
		{"outbox", OutboxView{}},
		{"participants", ParticipantsView{}},
		{"password", PasswordView{}},
		{"privacy", PrivacyView{}},
		{"sale", SaleView{}},
		{"sales", SalesView{}},
		{"scan", ScanView{}},
		{"scan_login", ScanLoginView{}},
		{"segments", SegmentsView{}},
		{"sim", SimView{}},
		{"simulation", SimulationView{}},
	}
}

// New parses every page and prepares the static files. It fails on a page that
// does not parse, does not render, or has no view, and on a view without a page.
func New() (*Set, error) {
	return newSet(files, declarations())
}

func newSet(files fs.FS, declared []declaration) (*Set, error) {
	s := &Set{pages: make(map[string]*template.Template)}
	s.pool.New = func() any { return new(bytes.Buffer) }
	if err := s.loadStatic(files); err != nil {
		return nil, err
	}
	base, err := template.New("base").Funcs(s.funcs()).ParseFS(files, "partials/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: partials: %w", err)
	}
	found, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	for _, d := range declared {
		file := "pages/" + d.page + ".html"
		if !slices.Contains(found, file) {
			return nil, fmt.Errorf("templates: view %T has no page %s", d.view, file)
		}
		page, err := template.Must(base.Clone()).ParseFS(files, file)
		if err != nil {
			return nil, fmt.Errorf("templates: page %s: %w", d.page, err)
		}
		s.pages[d.page] = page
		if err := s.render(io.Discard, d.page, "layout", d.view); err != nil {
			return nil, err
		}
	}
	for _, file := range found {
		if _, ok := s.pages[strings.TrimSuffix(path.Base(file), ".html")]; !ok {
			return nil, fmt.Errorf("templates: page %s has no view", file)
		}
	}
	return s, nil
}

// render executes one block of a page into a buffer first: a page that fails
// half way must become an error page, not half a page.
func (s *Set) render(w io.Writer, page, block string, view any) error {
	t, ok := s.pages[page]
	if !ok {
		return fmt.Errorf("templates: no page %q", page)
	}
	buf := s.pool.Get().(*bytes.Buffer)
	defer s.pool.Put(buf)
	buf.Reset()
	if err := t.ExecuteTemplate(buf, block, view); err != nil {
		return fmt.Errorf("templates: page %s: %w", page, err)
	}
	_, err := w.Write(buf.Bytes())
	return err
}

func (s *Set) funcs() template.FuncMap {
	return template.FuncMap{
		"static":  s.StaticURL,
		"icon":    icon,
		"money":   viewMoney,
		"pesos":   viewPesos,
		"num":     viewNumber,
		"plural":  viewPlural,
		"code":    viewCode,
		"day":     viewDay,
		"longday": viewLongDay,
		"clock":   viewClock,
		"moment":  viewMoment,
		"month":   viewMonth,
		"iso":     viewISO,
		"list":    viewList,
		"tone":    viewTone,
		"initial": viewInitial,
		"upper":   viewUpper,
	}
}
