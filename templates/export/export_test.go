package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/qoa-conectados/qoa/templates/export"
)

var titles = []string{"Tienda", "Día", "Hora de la tienda", "Piezas", "Ventas", "Retorno", "Activa", "Nota"}

func sheet(rows ...[]any) export.Sheet {
	return export.Sheet{Title: "Por tienda: ¿cuál?", Columns: titles, Rows: export.Of(rows, func(r []any) []any { return r })}
}

func sample(t *testing.T) export.Sheet {
	tijuana, err := time.LoadLocation("America/Tijuana")
	require.NoError(t, err)
	at := time.Date(2026, 11, 21, 7, 42, 30, 0, time.UTC).In(tijuana) // still the 20th there
	day := export.Day(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC))
	return sheet(
		[]any{"Miscelánea Ñandú", day, at, 1284, export.Money(123450), export.Ratio(10653), true, "«2 cajas», \"frías\"\nhoy"},
		[]any{"=cmd|' /C calc'!A0", nil, time.Time{}, int64(-3), export.Money(-5), export.Ratio(-10000), false, "+52 55"},
		[]any{"  @SUM(1)", export.Day{}, nil, 0, export.Money(0), nil, false, "-"},
	)
}

func written(t *testing.T, s export.Sheet) [][]string {
	var b bytes.Buffer
	require.NoError(t, export.CSV(t.Context(), &b, s))
	text, ok := strings.CutPrefix(b.String(), "\ufeff")
	require.True(t, ok, "Excel needs the mark to see accents")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	return rows
}

func TestACSVIsReadAsItWasWritten(t *testing.T) {
	require.Equal(t, [][]string{
		titles,
		{"Miscelánea Ñandú", "2026-11-20", "2026-11-20 23:42", "1284", "1234.50", "1.0653", "sí", "«2 cajas», \"frías\"\nhoy"},
		{"'=cmd|' /C calc'!A0", "", "", "-3", "-0.05", "-1.0000", "no", "'+52 55"},
		{"'  @SUM(1)", "", "", "0", "0.00", "", "no", "'-"},
	}, written(t, sample(t)))
}

func TestAWorkbookHasNumbersAndDates(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, export.XLSX(t.Context(), &b, sample(t), export.Sheet{Title: "Vacía", Columns: []string{"Nada"}, Rows: export.Of[int](nil, nil)}))
	book, err := excelize.OpenReader(&b)
	require.NoError(t, err)
	defer book.Close()
	require.Equal(t, []string{"Por tienda  ¿cuál", "Vacía"}, withoutSpace(book.GetSheetList()))
	name := book.GetSheetList()[0]
	raw, err := book.GetRows(name, excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	require.Equal(t, titles, raw[0])
	require.Equal(t, []string{"Miscelánea Ñandú", "46346", "46346.98784722222", "1284", "1234.5", "1.0653", "sí", "«2 cajas», \"frías\"\nhoy"}, raw[1])
	shown, err := book.GetRows(name)
	require.NoError(t, err)
	require.Equal(t, []string{"2026-11-20", "2026-11-20 23:42", "1,284", "$1,234.50", "106.5%"}, shown[1][1:6])
	// No text is a formula, and it is as somebody wrote it.
	for cell, text := range map[string]string{"A3": "=cmd|' /C calc'!A0", "H3": "+52 55", "A4": "  @SUM(1)"} {
		value, err := book.GetCellValue(name, cell)
		require.NoError(t, err)
		require.Equal(t, text, value)
		formula, err := book.GetCellFormula(name, cell)
		require.NoError(t, err)
		require.Empty(t, formula)
		kind, err := book.GetCellType(name, cell)
		require.NoError(t, err)
		require.Equal(t, excelize.CellTypeInlineString, kind)
	}
}

func withoutSpace(names []string) []string {
	for i := range names {
		names[i] = strings.TrimSpace(strings.ReplaceAll(names[i], "?", ""))
	}
	return names
}

// counted gives so many rows, and then fails with err.
func counted(n int, err error) export.Sheet {
	return export.Sheet{Title: "Muchas", Columns: []string{"Número", "Texto"}, Rows: func(context.Context) iter.Seq2[[]any, error] {
		return func(yield func([]any, error) bool) {
			for i := range n {
				if !yield([]any{i, "x"}, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
			}
		}
	}}
}

func TestAFileSaysWhereItIsCut(t *testing.T) {
	require.Len(t, written(t, counted(export.Most, nil)), export.Most+1)
	rows := written(t, counted(export.Most+7, nil))
	require.Len(t, rows, export.Most+2)
	require.Equal(t, []string{export.Cut, ""}, rows[export.Most+1])
	require.Contains(t, export.Cut, "50,000")

	var b bytes.Buffer
	require.NoError(t, export.XLSX(t.Context(), &b, counted(export.Most+7, nil)))
	book, err := excelize.OpenReader(&b)
	require.NoError(t, err)
	defer book.Close()
	all, err := book.GetRows("Muchas")
	require.NoError(t, err)
	require.Len(t, all, export.Most+2)
	require.Equal(t, export.Cut, all[export.Most+1][0])
}

func TestWhatFailsIsToldAndNotWritten(t *testing.T) {
	broken := errors.New("roto")
	var b bytes.Buffer
	require.ErrorIs(t, export.CSV(t.Context(), &b, counted(3, broken)), broken)
	b.Reset()
	require.ErrorIs(t, export.XLSX(t.Context(), &b, counted(3, broken)), broken)
	require.Zero(t, b.Len())
	short, strange := sheet([]any{"uno"}), sheet([]any{"a", nil, nil, 1.5, nil, nil, nil, nil})
	require.ErrorContains(t, export.CSV(t.Context(), &b, short), "1 cells under 8")
	require.ErrorContains(t, export.CSV(t.Context(), &b, strange), "float64")
	require.ErrorContains(t, export.XLSX(t.Context(), &b, strange), "float64")
}

func TestAFilesNameSaysWhatAndWhen(t *testing.T) {
	require.Equal(t, "qoa_resultados_junta-10-y-gana-nandu_2026-11-01_2026-11-21", export.Name("Resultados", "¡Junta 10 y gana, Ñandú!", "", "2026-11-01", "2026-11-21"))
	require.Equal(t, "por-tienda", export.Slug("Por tienda"))
	require.Empty(t, export.Slug("../\"\r\n"))
	require.Len(t, export.Name(strings.Repeat("a", 300)), 120)
}
