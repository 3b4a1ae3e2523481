package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// notAdministrative are the use cases that write for a caller and leave no row in
// the audit, each with why.
var notAdministrative = map[string]string{
	"RecordPurchase":    "a purchase says who recorded it",
	"DeliverRedemption": "the counter's daily work; a redemption says where it was delivered",
	"RecordReorder":     "a shop's wish",
	"IssueTokens":       "a login of one's own",
	"IssuePageSession":  "a login of one's own",
}

var writes = regexp.MustCompile(`(?i)\b(INSERT INTO|UPDATE [a-z_]+ |DELETE FROM)\b`)

// code is what a function of the package does, as far as this test minds.
type code struct {
	calls   map[string]bool
	writes  bool
	useCase bool // an exported method of Tx or DB that is told who calls
}

// TestEveryUseCaseThatWritesIsAudited reads the package: who writes for a caller
// and notes it nowhere, is found here before an auditor finds it.
func TestEveryUseCaseThatWritesIsAudited(t *testing.T) {
	all := readCode(t)
	reaches := func(from string, is func(string, code) bool) bool {
		seen := map[string]bool{}
		var visit func(string) bool
		visit = func(name string) bool {
			if seen[name] {
				return false
			}
			seen[name] = true
			c := all[name]
			if is(name, c) {
				return true
			}
			return slices.ContainsFunc(slices.Collect(maps.Keys(c.calls)), visit)
		}
		return visit(from)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !all[name].useCase || !reaches(name, func(_ string, c code) bool { return c.writes }) {
			continue
		}
		audited := reaches(name, func(n string, _ code) bool { return n == "audit" })
		_, excused := notAdministrative[name]
		assert.True(t, audited != excused, "%s: audited %t, excused %t", name, audited, excused)
	}
}

func readCode(t *testing.T) map[string]code {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	all := map[string]code{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			c := code{calls: map[string]bool{}, useCase: f.Recv != nil && f.Name.IsExported() && takesScope(f)}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if name := called(n.Fun); name != "" {
						c.calls[name] = true
					}
				case *ast.BasicLit:
					c.writes = c.writes || n.Kind == token.STRING && writes.MatchString(n.Value)
				}
				return true
			})
			all[f.Name.Name] = c
		}
	}
	return all
}

// called is the function of this package that a call names; "" for another's.
func called(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.IndexExpr:
		return called(f.X)
	case *ast.SelectorExpr:
		if on, ok := f.X.(*ast.Ident); ok && (on.Name == "tx" || on.Name == "db" || on.Name == "t" || on.Name == "inner") {
			return f.Sel.Name
		}
	}
	return ""
}

func takesScope(f *ast.FuncDecl) bool {
	return slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
		s, ok := p.Type.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "Scope"
	})
}

// TestTheAuditStays: what was noted cannot be changed, and holds no phone and no
// name of a person.
func TestTheAuditStays(t *testing.T) {
	w := newWorld(t, 4)
	w.do(func(tx *store.Tx) error {
		v, err := tx.CreateTendero(t.Context(), loyalty.System(), store.TenderoInput{Shop: w.shop.ID, Phone: "5599887766", Name: "Petra"})
		require.NoError(t, err)
		name, off := "Petronila", false
		_, err = tx.UpdateTendero(t.Context(), loyalty.System(), v.ID, store.TenderoPatch{Name: &name, Active: &off})
		return err
	})
	require.Zero(t, w.count(`SELECT count(*) FROM audit WHERE audit::text ~ '99887766|Petr'`))
	require.EqualValues(t, 2, w.count(`SELECT count(*) FROM audit WHERE noun = 'tendero'`))
	for _, sql := range []string{`UPDATE audit SET label = 'x'`, `DELETE FROM audit`, `TRUNCATE audit`} {
		require.ErrorContains(t, w.exec(sql), "append-only", sql)
	}
}
