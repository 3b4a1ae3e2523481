// Package export writes tables for spreadsheets: CSV and XLSX of the same rows.
//
// A table is a Sheet: titles, and rows as a sequence, so that a long one is
// never whole in memory. The type of a cell says what it is:
//
//	string            text, which is never taken for a formula
//	int, int64        a whole number
//	bool              "sí" or "no"
//	time.Time         a moment, shown as the clock on its own Location has it:
//	                  give it in the shop's zone
//	Day               a calendar day
//	Money             centavos, shown as pesos
//	Ratio             hundredths of a percent, shown as a share of one (1.5 is 150 %)
//	nil, a zero time  nothing
//
// Of(list, row) makes rows of a list that is there already. At the door of HTTP,
// see api/export.go: one line in the route table gives a page's table as .csv
// and as .xlsx.
//
// This is the home of excelize; no other package may know it.
package export

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Most is how many rows a sheet may have; where there are more, its last row
// says so.
const Most = 50_000

// Cut is that row.
const Cut = "Hasta aquí llega el archivo: lleva como máximo 50,000 filas y hay más. Elige menos días o un filtro para ver el resto."

// Rows gives the rows of a table, one after another. What fails ends it.
type Rows func(context.Context) iter.Seq2[[]any, error]

// Sheet is one table.
type Sheet struct {
	Title   string // names it in a workbook: "Por tienda"
	Columns []string
	Rows    Rows
}

// The types of cells that Go has none for.
type (
	Money int64     // centavos
	Ratio int64     // hundredths of a percent
	Day   time.Time // of which only the date counts
)

// Of is the rows of a list.
func Of[T any](list []T, row func(T) []any) Rows {
	return func(context.Context) iter.Seq2[[]any, error] {
		return func(yield func([]any, error) bool) {
			for _, v := range list {
				if !yield(row(v), nil) {
					return
				}
			}
		}
	}
}

// each gives a sheet's rows to fn until there are Most; then the row that says so.
func (s Sheet) each(ctx context.Context, fn func([]any) error) error {
	n := 0
	for row, err := range s.Rows(ctx) {
		switch {
		case err != nil:
			return err
		case len(row) != len(s.Columns):
			return fmt.Errorf("export: %s: a row of %d cells under %d titles", s.Title, len(row), len(s.Columns))
		case n == Most:
			last := make([]any, len(s.Columns))
			last[0] = Cut
			return fn(last)
		}
		if err := fn(row); err != nil {
			return err
		}
		n++
	}
	return nil
}

// mostName bounds a file's name, which some systems cannot have long.
const mostName = 120

// Name makes a file's name, without an ending, of words that say what is in it:
// "qoa_resultados_junta-10-y-gana_2026-11-01_2026-11-21".
func Name(parts ...string) string {
	name := "qoa"
	for _, p := range parts {
		if w := Slug(p); w != "" {
			name += "_" + w
		}
	}
	return name[:min(len(name), mostName)]
}

// Slug is a text as it can stand in an address or a file's name: lower case,
// without accents, words joined by hyphens.
func Slug(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(text)) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case !unicode.Is(unicode.Mn, r):
			gap = true
		}
	}
	return b.String()
}
