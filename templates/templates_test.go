package templates

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

func newTestSet(t testing.TB) *Set {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func renderPage(t testing.TB, s *Set, page string, view any) string {
	t.Helper()
	var out bytes.Buffer
	if err := s.render(&out, page, "layout", view); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestNewRefusesPagesWithoutViewAndViewsWithoutPage(t *testing.T) {
	copied := fstest.MapFS{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, path)
		copied[path] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	with := func(path, body string) fs.FS {
		changed := maps.Clone(copied)
		if body == "" {
			delete(changed, path)
		} else {
			changed[path] = &fstest.MapFile{Data: []byte(body)}
		}
		return changed
	}
	frame := `{{define "title"}}x{{end}}{{define "main"}}`
	for name, c := range map[string]struct {
		files fs.FS
		want  string
	}{
		"page without view":   {with("pages/stray.html", frame+`{{end}}`), "pages/stray.html has no view"},
		"view without page":   {with("pages/login.html", ""), "has no page pages/login.html"},
		"page does not parse": {with("pages/login.html", frame+`{{if}}{{end}}`), "login"},
		"misspelt field":      {with("pages/login.html", frame+`{{.Emial}}{{end}}`), "Emial"},
		"missing static file": {with("static/app.css", ""), `no static file "app.css"`},
		"unknown file type":   {with("static/app.exe", "x"), "app.exe"},
	} {
		_, err := newSet(c.files, declarations())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one about %q", name, err, c.want)
		}
	}
}

func TestEveryViewHasASample(t *testing.T) {
	samples := sampleViews(t)
	for _, d := range declarations() {
		for _, v := range samples[d.page] {
			if reflect.TypeOf(v) != reflect.TypeOf(d.view) {
				t.Errorf("%s: sample is %T, view is %T", d.page, v, d.view)
			}
		}
		if len(samples[d.page]) == 0 {
			t.Errorf("%s has no sample", d.page)
		}
	}
}

func TestPagesKeepTheContentSecurityPolicy(t *testing.T) {
	s := newTestSet(t)
	for _, d := range declarations() {
		for _, view := range append([]any{d.view}, sampleViews(t)[d.page]...) {
			checkPage(t, s, d.page, renderPage(t, s, d.page, view))
		}
	}
}

// checkPage parses a page and walks it: nothing inline, nothing foreign, every
// control named, every label and fragment link leading somewhere, no tag that
// the parser had to repair.
func checkPage(t *testing.T, s *Set, page, body string) {
	t.Helper()
	balanced(t, page, body)
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", page, err)
	}
	ids := map[string]int{}
	var controls, labels, links []string
	count := map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		attrs := map[string]string{}
		for _, a := range n.Attr {
			attrs[a.Key] = a.Val
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: <%s> has inline %s", page, n.Data, a.Key)
			}
		}
		if id := attrs["id"]; id != "" {
			ids[id]++
		}
		switch n.Data {
		case "style":
			t.Errorf("%s: inline <style>", page)
		case "script":
			if n.FirstChild != nil {
				t.Errorf("%s: inline <script>", page)
			}
			ownAsset(t, s, page, attrs["src"])
		case "link":
			if attrs["rel"] != "manifest" { // it has one address for good, by which it is installed
				ownAsset(t, s, page, attrs["href"])
			}
		case "img":
			if _, told := attrs["alt"]; !told || !strings.HasPrefix(attrs["src"], "/fotos/") && !strings.HasPrefix(attrs["src"], "/admin/conversaciones/") {
				t.Errorf("%s: <img> %s", page, attrs["src"])
			}
		case "iframe", "object", "embed":
			t.Errorf("%s: <%s> %s", page, n.Data, attrs["src"])
		case "form":
			if strings.Contains(attrs["action"], "://") {
				t.Errorf("%s: form posts to %s", page, attrs["action"])
			}
		case "a":
			if u := attrs["href"]; strings.HasPrefix(u, "#") {
				links = append(links, u[1:])
			} else if strings.Contains(u, "://") && !strings.HasPrefix(u, "https://wa.me/") {
				t.Errorf("%s: link to another host: %s", page, u)
			}
		case "input", "select", "textarea":
			if attrs["type"] != "hidden" {
				controls = append(controls, attrs["id"])
			}
		case "label":
			labels = append(labels, attrs["for"])
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q is used %d times", page, id, n)
		}
	}
	for _, id := range controls {
		if id == "" || !slices.Contains(labels, id) {
			t.Errorf("%s: control %q has no label", page, id)
		}
	}
	for _, id := range append(labels, links...) {
		if ids[id] == 0 {
			t.Errorf("%s: nothing has the id %q", page, id)
		}
	}
	if count["main"] != 1 || count["h1"] != 1 || count["title"] == 0 {
		t.Errorf("%s: %d main, %d h1, %d title", page, count["main"], count["h1"], count["title"])
	}
}

func ownAsset(t *testing.T, s *Set, page, url string) {
	t.Helper()
	if _, _, ok := s.Static(strings.TrimPrefix(url, StaticPrefix)); !ok {
		t.Errorf("%s: %q is not a static file", page, url)
	}
}

// balanced finds tags left open or closed twice: a browser repairs them
// silently, and differently from what was meant.
func balanced(t *testing.T, page, body string) {
	t.Helper()
	void := []string{"meta", "link", "input", "br", "hr", "img"}
	var open []string
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF {
				t.Errorf("%s: %v", page, err)
			}
			if len(open) > 0 {
				t.Errorf("%s: left open: %v", page, open)
			}
			return
		case html.StartTagToken:
			if name := z.Token().Data; !slices.Contains(void, name) {
				open = append(open, name)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Errorf("%s: </%s> closes %v", page, name, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

// TestPagesEscape puts markup into every string of every view.
func TestPagesEscape(t *testing.T) {
	const evil = `"><script>alert(1)</script><b onclick='x'>`
	s := newTestSet(t)
	for page, views := range sampleViews(t) {
		for _, view := range views {
			v := reflect.New(reflect.TypeOf(view)).Elem()
			v.Set(reflect.ValueOf(view))
			poison(v, evil)
			body := renderPage(t, s, page, v.Interface())
			if strings.Contains(body, "<script>alert") || strings.Contains(body, "<b onclick") {
				t.Errorf("%s lets markup through", page)
			}
			balanced(t, page, body)
		}
	}
}

// poison appends text to all strings below v. Codes of the icon set and colours
// are choices of ours, not text, and template.HTML is made by this package.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type().Name() == "string" && v.CanSet() {
			v.SetString(v.String() + text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name == "Icon" || !v.Field(i).CanSet() {
				continue
			}
			poison(v.Field(i), text)
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		v.Set(fresh)
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Type().Elem().PkgPath() != "time" {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			v.Set(fresh)
			poison(fresh.Elem(), text)
		}
	}
}

func TestPagesRefuseScriptURLs(t *testing.T) {
	s := newTestSet(t)
	v := sampleCard(t)
	v.WhatsAppURL, v.PrivacyURL, v.EvidenceAction = "javascript:alert(1)", "javascript:alert(1)", "javascript:alert(1)"
	if body := renderPage(t, s, "card", v); strings.Contains(body, "javascript:alert") {
		t.Error("a script URL reached the page")
	}
}

// The first load of the card page must stay light on a cheap phone and a thin
// network: page, styles, script and icon, before compression.
func TestCardPageStaysSmall(t *testing.T) {
	s := newTestSet(t)
	body := renderPage(t, s, "card", sampleCardBusy(t))
	total := len(body)
	for _, m := range regexp.MustCompile(StaticPrefix+`([\w.-]+)`).FindAllStringSubmatch(body, -1) {
		asset, _, ok := s.Static(m[1])
		if !ok {
			t.Fatalf("no static file %s", m[1])
		}
		total += len(asset)
	}
	if total > 64<<10 {
		t.Errorf("the card page loads %d bytes, more than 64 KB", total)
	}
	t.Logf("card page: %d bytes of HTML, %d with everything it loads", len(body), total)
}

// One is missing, two are missing: the verb goes with the number.
func TestWhatIsMissingIsSaidInTheRightNumber(t *testing.T) {
	for _, c := range []struct {
		balance CardBalance
		want    string
	}{
		{CardBalance{Stamps: true, Balance: 9}, "Te falta 1 sello"},
		{CardBalance{Stamps: true, Balance: 8}, "Te faltan 2 sellos"},
		{CardBalance{Stamps: true, Balance: -1}, "Te faltan 11 sellos"},
		{CardBalance{Balance: 9}, "Te falta 1 punto"},
		{CardBalance{Balance: -9_990}, "Te faltan 10,000 puntos"},
		{CardBalance{Balance: 10}, ""},
		{CardBalance{Balance: 11}, ""},
	} {
		if got := c.balance.Lacks(10); got != c.want {
			t.Errorf("with %d: %q, not %q", c.balance.Balance, got, c.want)
		}
	}
}

func TestCardFragmentIsTheInsideOfMain(t *testing.T) {
	s := newTestSet(t)
	var fragment bytes.Buffer
	if err := s.CardFragment(&fragment, sampleCard(t)); err != nil {
		t.Fatal(err)
	}
	page := renderPage(t, s, "card", sampleCard(t))
	if !strings.Contains(page, `tabindex="-1">`+fragment.String()+`</main>`) {
		t.Error("the fragment is not what the page shows")
	}
}

func TestCardPublicShowsNothingPersonal(t *testing.T) {
	fields := reflect.TypeFor[CardPublicView]()
	allowed := []string{"CardCode", "WhatsAppURL", "ShopURL", "PrivacyURL"}
	for i := range fields.NumField() {
		if !slices.Contains(allowed, fields.Field(i).Name) {
			t.Errorf("the public card page knows %s", fields.Field(i).Name)
		}
	}
}

func TestStaticNamesFollowContent(t *testing.T) {
	s := newTestSet(t)
	for plain, hashed := range s.names {
		if plain == hashed || len(hashed) != len(plain)+13 {
			t.Errorf("%s is served as %s", plain, hashed)
		}
		body, kind, ok := s.Static(hashed)
		if !ok || kind == "" {
			t.Errorf("%s: %d bytes, %q", hashed, len(body), kind)
		}
		if strings.HasPrefix(kind, "image/") {
			continue
		}
		br, coding := s.StaticPacked(hashed, func(string) bool { return true })
		gz, second := s.StaticPacked(hashed, func(coding string) bool { return coding == "gzip" })
		if coding != "br" || second != "gzip" || len(br) >= len(gz) || len(gz) >= len(body) {
			t.Errorf("%s: %d bytes, %d as %s, %d as %s", hashed, len(body), len(br), coding, len(gz), second)
		}
	}
	if _, _, ok := s.Static("app.css"); ok {
		t.Error("a name without hash is served, and would be cached forever")
	}
	if _, _, ok := s.Static("../pages/card.html"); ok {
		t.Error("a path escapes the static folder")
	}
}

func BenchmarkCard(b *testing.B) {
	s := newTestSet(b)
	v := sampleCard(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Card(io.Discard, v); err != nil {
			b.Fatal(err)
		}
	}
}
