package main_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The picture of the house: who may import whom, and where each library lives.
// Files are parsed rather than asked of `go list`, so that the law also holds
// for files of other systems and for packages that do not compile right now.

const (
	module = "github.com/qoa-conectados/qoa"
	root   = "../.."
)

// source is one Go file: its path in the repository and what it imports.
type source struct {
	file    string
	imports []string
}

func (s source) pkg() string  { return path.Dir(s.file) }
func (s source) isTest() bool { return strings.HasSuffix(s.file, "_test.go") }

// room says which of our packages the packages under a folder may import,
// besides their own subfolders' where own is set. The first room that matches
// counts, so the more particular come first.
type room struct {
	under string
	own   bool
	may   []string
}

var (
	doors    = []string{"api", "bot", "jobs"}
	downward = []string{"flows", "store", "store/loyalty", "store/cache", "templates", "templates/export"}
	rooms    = []room{
		{under: "store/loyalty"}, // pure: not even other libraries
		{under: "store/embedded"},
		{under: "store/cache", may: []string{"store/loyalty"}},
		{under: "store/storetest", may: []string{"store/loyalty", "store/embedded", "migrations"}},
		{under: "store", own: true, may: []string{"migrations"}},
		{under: "migrations"},
		{under: "templates", own: true, may: []string{"store/loyalty"}},
		{under: "flows", own: true, may: []string{"store/loyalty"}},
		{under: "api", own: true, may: downward},
		{under: "bot", own: true, may: downward},
		{under: "jobs", own: true, may: downward},
		{under: "cmd/bench", may: []string{"store", "store/embedded", "store/loyalty", "migrations"}},
		{under: "cmd/qoa", own: true, may: []string{"api", "bot", "jobs", "flows", "store", "templates", "migrations"}},
	}
)

// home says where alone a library may be imported: a file, or a folder and all
// below it. No home means tests only.
type home struct {
	library string
	in      []string
}

var homes = []home{
	{"github.com/gofiber/fiber", []string{"api"}},
	{"go.mau.fi/whatsmeow", []string{"bot/whatsapp"}},
	{"github.com/looplab/fsm", []string{"flows/machine.go"}},
	{"github.com/jackc/pgx", []string{"store", "migrations", "cmd/bench"}},
	{"github.com/hibiken/asynq", []string{"jobs"}},
	{"github.com/redis/go-redis", []string{"store/cache", "store/embedded", "store/storetest", "jobs"}},
	{"github.com/skip2/go-qrcode", []string{"templates"}},
	{"github.com/chromedp/chromedp", nil},
	{"github.com/chromedp/cdproto", nil},
}

// helpers exist for tests and may use what tests use; nothing that ships may
// import them.
var helpers = []string{"store/storetest", "api/apitest", "api/browsertest", "bot/bottest", "bot/cloud/graphtest", "bot/whatsapp/wasim"}

// breaches lists everything in the sources that breaks the picture.
func breaches(sources []source) []string {
	var found []string
	for _, s := range sources {
		say := func(imported, why string) {
			found = append(found, fmt.Sprintf("%s imports %s: %s", s.file, imported, why))
		}
		for _, imp := range s.imports {
			ours, isOurs := strings.CutPrefix(imp, module+"/")
			switch {
			case isOurs:
				if why := wrongRoom(s, ours); why != "" {
					say(ours, why)
				}
			case !s.isTest():
				if within(s.pkg(), "store/loyalty") && strings.Contains(strings.Split(imp, "/")[0], ".") {
					say(imp, "the domain imports the standard library only")
				}
				if why := wrongHome(s, imp); why != "" {
					say(imp, why)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

func wrongRoom(s source, ours string) string {
	from := door(s.pkg())
	if to := door(ours); from != "" && to != "" && from != to {
		return "the doors never import each other"
	}
	if s.isTest() {
		return "" // tests may look at everything else
	}
	if anyWithin(ours, helpers) && !anyWithin(s.pkg(), helpers) {
		return "helpers of tests do not ship"
	}
	if anyWithin(s.pkg(), helpers) && anyWithin(ours, helpers) {
		return ""
	}
	for _, r := range rooms {
		if !within(s.pkg(), r.under) {
			continue
		}
		switch {
		case r.own && within(ours, r.under):
			return ""
		case slices.Contains(r.may, ours):
			return ""
		case r.under == "cmd/qoa" && anyWithin(ours, r.may): // it wires everything
			return ""
		}
		return fmt.Sprintf("%s may import %s only", r.under, sentence(r.may))
	}
	return "this folder has no room in the picture"
}

func wrongHome(s source, imp string) string {
	if anyWithin(s.pkg(), helpers) {
		return ""
	}
	for _, h := range homes {
		if !within(imp, h.library) {
			continue
		}
		if len(h.in) == 0 {
			return "it is for tests only"
		}
		if !slices.Contains(h.in, s.file) && !anyWithin(s.pkg(), h.in) {
			return "its home is " + sentence(h.in)
		}
	}
	return ""
}

func sentence(words []string) string {
	if len(words) == 0 {
		return "the standard library and others' modules"
	}
	return strings.Join(words, ", ")
}

func door(pkg string) string {
	for _, d := range doors {
		if within(pkg, d) {
			return d
		}
	}
	return ""
}

func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

func anyWithin(p string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return within(p, f) })
}

// readSources parses every Go file of the module.
func readSources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || outputs[rel]) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{file: filepath.ToSlash(rel)}
		for _, i := range f.Imports {
			imp, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imp)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportsRunDownwards(t *testing.T) {
	sources := readSources(t)
	if len(sources) < 10 {
		t.Fatalf("only %d files found: is this the repository?", len(sources))
	}
	for _, b := range breaches(sources) {
		t.Error(b)
	}
}

// A law that cannot fail protects nothing.
func TestImportLawSeesBreaches(t *testing.T) {
	for _, c := range []struct{ file, imports, want string }{
		// our own packages
		{"api/purchases.go", module + "/bot", "the doors never import each other"},
		{"bot/runner.go", module + "/jobs", "the doors never import each other"},
		{"jobs/mux.go", module + "/api/apitest", "the doors never import each other"},
		{"jobs/mux_test.go", module + "/bot", "the doors never import each other"},
		{"flows/step.go", module + "/store", "flows may import store/loyalty only"},
		{"flows/step.go", module + "/bot", "flows may import"},
		{"store/purchase.go", module + "/flows", "store may import migrations only"},
		{"store/purchase.go", module + "/templates", "store may import"},
		{"store/loyalty/card.go", module + "/store", "store/loyalty may import"},
		{"store/cache/rules.go", module + "/store", "store/cache may import"},
		{"store/embedded/redis.go", module + "/store", "store/embedded may import"},
		{"templates/qr.go", module + "/store", "templates may import"},
		{"templates/qr.go", module + "/api", "templates may import"},
		{"migrations/migrations.go", module + "/store", "migrations may import"},
		{"api/api.go", module + "/cmd/qoa", "api may import"},
		{"api/api.go", module + "/store/embedded", "api may import"},
		{"cmd/qoa/dev.go", module + "/store/storetest", "helpers of tests do not ship"},
		{"bot/runner.go", module + "/bot/whatsapp/wasim", "helpers of tests do not ship"},
		{"extra/x.go", module + "/store", "no room in the picture"},
		// libraries
		{"store/loyalty/id.go", "github.com/google/uuid", "standard library only"},
		{"bot/runner.go", "github.com/gofiber/fiber/v2", "its home is api"},
		{"cmd/qoa/serve.go", "github.com/gofiber/fiber/v2/middleware/recover", "its home is api"},
		{"bot/runner.go", "go.mau.fi/whatsmeow/types", "its home is bot/whatsapp"},
		{"flows/step.go", "github.com/looplab/fsm", "its home is flows/machine.go"},
		{"api/purchases.go", "github.com/jackc/pgx/v5/pgxpool", "its home is store"},
		{"bot/runner.go", "github.com/hibiken/asynq", "its home is jobs"},
		{"store/outbox.go", "github.com/redis/go-redis/v9", "its home is store/cache"},
		{"api/qr.go", "github.com/skip2/go-qrcode", "its home is templates"},
		{"api/pages.go", "github.com/chromedp/chromedp", "for tests only"},
	} {
		got := breaches([]source{{c.file, []string{c.imports}}})
		if len(got) != 1 || !strings.Contains(got[0], c.want) || !strings.HasPrefix(got[0], c.file+" imports ") {
			t.Errorf("%s importing %s: got %q, want %q", c.file, c.imports, got, c.want)
		}
	}
}

func TestImportLawAllowsThePicture(t *testing.T) {
	for file, imports := range map[string][]string{
		"cmd/qoa/serve.go":         {module + "/api", module + "/bot/sim", module + "/jobs", module + "/store/embedded"},
		"cmd/qoa/story_test.go":    {"github.com/chromedp/chromedp", "github.com/jackc/pgx/v5", module + "/store/storetest"},
		"api/purchases.go":         {module + "/store", module + "/store/loyalty", module + "/templates", "github.com/gofiber/fiber/v2"},
		"api/apitest/server.go":    {module + "/api", module + "/store/storetest", "github.com/jackc/pgx/v5"},
		"bot/runner.go":            {module + "/flows", module + "/store", "time"},
		"bot/sim/sim.go":           {module + "/bot"},
		"flows/machine.go":         {"github.com/looplab/fsm", module + "/store/loyalty"},
		"store/purchase.go":        {"github.com/jackc/pgx/v5", module + "/store/loyalty", module + "/migrations"},
		"store/storetest/redis.go": {"github.com/redis/go-redis/v9", module + "/store/embedded"},
		"store/loyalty/id.go":      {"crypto/rand", "time"},
	} {
		for _, b := range breaches([]source{{file, imports}}) {
			t.Error(b)
		}
	}
}

// outputs are folders that the build and `qoa dev` make; git ignores them.
var outputs = map[string]bool{"bin": true, "var": true}

// The folder listing is the first thing a stranger reads.
var topLevel = map[string]bool{
	"cmd": true, "bot": true, "flows": true, "api": true, "store": true, "jobs": true,
	"templates": true, "migrations": true, "docs": true,
	"go.mod": true, "go.sum": true, "Dockerfile": true, "Makefile": true,
	"README.md": true, "CHANGELOG.md": true, "SECURITY.md": true, "CONTRIBUTING.md": true, "LICENSE": true,
	"compose.yaml": true, "docker-compose.yml": true,
}

func strangers(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool {
		made := outputs[name] || strings.HasSuffix(name, ".out") || strings.HasSuffix(name, ".test")
		return topLevel[name] || strings.HasPrefix(name, ".") || made
	})
}

func TestTopLevelIsThePicture(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	for _, name := range strangers(names) {
		t.Errorf("%s does not belong in the top folder", name)
	}
	if got := strangers([]string{"api", "utils", ".ci", "bin", "notes.txt"}); !slices.Equal(got, []string{"utils", "notes.txt"}) {
		t.Errorf("the check itself sees %q", got)
	}
}
