package api_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// taken gets a CSV as a reader of CSV has it.
func taken(t *testing.T, w *apitest.World, path, cookie string) [][]string {
	t.Helper()
	res := get(w, path, cookie)
	require.Equal(t, http.StatusOK, res.Status, res.Text())
	require.Equal(t, "text/csv; charset=utf-8", res.Header.Get("Content-Type"))
	text, marked := strings.CutPrefix(res.Text(), "\ufeff")
	require.True(t, marked)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	return rows
}

// workbook gets an XLSX as a reader of XLSX has it.
func workbook(t *testing.T, w *apitest.World, path, cookie string) *excelize.File {
	t.Helper()
	res := get(w, path, cookie)
	require.Equal(t, http.StatusOK, res.Status, res.Text())
	require.Contains(t, res.Header.Get("Content-Type"), "spreadsheetml")
	book, err := excelize.OpenReader(bytes.NewReader(res.Body))
	require.NoError(t, err)
	t.Cleanup(func() { _ = book.Close() })
	return book
}

// wish makes a shop want a product of the first tenant's, so many times.
func wish(t *testing.T, w *apitest.World, shop int, times int, note string) {
	t.Helper()
	w.Tx(t, func(ctx context.Context, tx *store.Tx) {
		for i := range times {
			_, err := tx.RecordReorder(ctx, loyalty.System(), store.ReorderInput{
				Shop: w.Keepers[shop].Shop.ID, Person: w.Keepers[shop].Person, Product: w.Tenants[0].Product, Quantity: i%9 + 1, Note: note,
			})
			require.NoError(t, err)
		}
	})
}

// A long table is sent in parts, and holds the same rows in both forms.
func TestATableIsTakenAway(t *testing.T) {
	w := apitest.New(t)
	const many = 1203 // more than two parts, more than what is sent whole
	note := "=HYPERLINK(\"http://malo\") piña y " + strings.Repeat("más ", 10)
	wish(t, w, 0, many, note)
	mine := w.Tenants[0].Page
	rows := taken(t, w, "/marca/pedidos.csv", mine)
	require.Len(t, rows, many+1)
	assert.Equal(t, "Fecha (hora de la tienda)", rows[0][0])
	assert.Equal(t, []string{"2026-11-20 12:42", "Abarrotes Lupita"}, rows[1][:2])
	assert.Equal(t, "'"+strings.TrimSpace(note), rows[1][7])
	seen := map[string]int{}
	for _, row := range rows[1:] {
		seen[row[6]]++
	}
	for n := 1; n <= 9; n++ {
		assert.InDelta(t, many/9, seen[fmt.Sprint(n)], 1)
	}

	book := workbook(t, w, "/marca/pedidos.xlsx", mine)
	sheet, err := book.GetRows("Pedidos")
	require.NoError(t, err)
	require.Len(t, sheet, many+1)
	assert.Equal(t, rows[1][:7], sheet[1][:7])
	assert.Equal(t, strings.TrimSpace(note), sheet[1][7])

	assert.Equal(t, `attachment; filename="qoa_pedidos.xlsx"`, get(w, "/marca/pedidos.xlsx", mine).Header.Get("Content-Disposition"))
	head := w.Do("HEAD", "/marca/pedidos.csv", nil, apitest.Cookie(mine))
	assert.Equal(t, http.StatusOK, head.Status)
	assert.Len(t, taken(t, w, "/marca/pedidos.csv", w.Tenants[1].Page), 1, "another's wishes")
	assert.Equal(t, http.StatusNotFound, get(w, "/marca/pedidos.csv?tabla=nada", mine).Status)
}
