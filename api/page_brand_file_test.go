package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/qoa-conectados/qoa/api/apitest"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// cell is a table's value in a line that some text begins.
func cell(t *testing.T, rows [][]string, line, column string) string {
	t.Helper()
	for i, title := range rows[0] {
		if title != column {
			continue
		}
		for _, row := range rows[1:] {
			if row[0] == line {
				return row[i]
			}
		}
	}
	require.Fail(t, "no such cell", "%s, %s in %v", line, column, rows)
	return ""
}

// The files say what the report says, page and REST alike, and name nobody.
func TestResultsAreTakenAwayAsTheyAre(t *testing.T) {
	w := apitest.New(t)
	busy(t, w)
	campaign, mine := w.Tenants[0].Campaign, w.Tenants[0].Page
	at := resultsOf(campaign)
	type sums struct {
		Consumers, Purchases, Units, Given, Requested, Delivered int64
		Revenue                                                  int64 `json:"revenue_cents"`
		ROI                                                      int64 `json:"roi_bps"`
	}
	r := apitest.Data[struct {
		Period, Before sums
		Members        int64
		ByDay          []struct {
			Day                string
			Purchases, Revenue int64 `json:",omitempty"`
			Cents              int64 `json:"revenue_cents"`
		} `json:"by_day"`
		ByTier []struct {
			Name      string
			Consumers int64
		} `json:"by_tier"`
	}](w.As(w.Tenants[0].Token), http.StatusOK, "GET", "/v1/reports/results?campaign_id="+string(campaign)+"&from=2026-11-14&to=2026-11-20", nil)
	require.NotZero(t, r.Before.Purchases)

	// One CSV a table.
	summary := taken(t, w, at+".csv?periodo=7", mine)
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	pesos := func(cents int64) string { return strconv.FormatFloat(float64(cents)/100, 'f', 2, 64) }
	for label, want := range map[string][2]string{
		"Desde": {"2026-11-14", "2026-11-07"}, "Hasta": {"2026-11-20", "2026-11-13"},
		"Personas que compraron": {whole(r.Period.Consumers), whole(r.Before.Consumers)}, "Compras": {whole(r.Period.Purchases), whole(r.Before.Purchases)},
		"Piezas": {whole(r.Period.Units), whole(r.Before.Units)}, "Sellos dados": {whole(r.Period.Given), whole(r.Before.Given)},
		"Premios pedidos": {whole(r.Period.Requested), whole(r.Before.Requested)}, "Premios entregados": {whole(r.Period.Delivered), whole(r.Before.Delivered)},
		"Ventas": {pesos(r.Period.Revenue), pesos(r.Before.Revenue)}, "Personas inscritas hasta hoy": {whole(r.Members), ""},
		"Retorno (sin grupo de control)": {strconv.FormatFloat(float64(r.Period.ROI)/1e4, 'f', 4, 64), strconv.FormatFloat(float64(r.Before.ROI)/1e4, 'f', 4, 64)},
	} {
		assert.Equal(t, want[0], cell(t, summary, label, "En estos días"), label)
		assert.Equal(t, want[1], cell(t, summary, label, "Antes"), label)
	}
	days := taken(t, w, at+".csv?periodo=7&tabla=por-dia", mine)
	require.Len(t, days, 8)
	for _, d := range r.ByDay {
		assert.Equal(t, whole(d.Purchases), cell(t, days, d.Day, "Compras"))
		assert.Equal(t, pesos(d.Cents), cell(t, days, d.Day, "Ventas"))
	}
	for _, table := range []string{"por-producto", "por-tienda"} {
		var total float64
		for _, row := range taken(t, w, at+".csv?periodo=7&tabla="+table, mine)[1:] {
			n, err := strconv.ParseFloat(row[map[string]int{"por-producto": 4, "por-tienda": 8}[table]], 64)
			require.NoError(t, err)
			total += n
		}
		assert.InDelta(t, float64(r.Period.Revenue)/100, total, 0.001, table)
	}

	// One workbook of all of them, with numbers and dates.
	book := workbook(t, w, at+".xlsx?periodo=7", mine)
	assert.Equal(t, []string{"Resumen", "Por día", "Por semana", "Por producto", "Por tienda", "Por premio", "Por nivel"}, book.GetSheetList())
	raw, err := book.GetRows("Por día", excelize.Options{RawCellValue: true})
	require.NoError(t, err)
	assert.Equal(t, "46340", raw[1][0], "the 14th, as Excel counts days")
	assert.Equal(t, whole(r.ByDay[0].Purchases), raw[1][2])
	kind, err := book.GetCellType("Por día", "C2")
	require.NoError(t, err)
	assert.NotEqual(t, excelize.CellTypeInlineString, kind)
	tiers, err := book.GetRows("Por nivel")
	require.NoError(t, err)
	require.Len(t, tiers, len(r.ByTier)+1)
	assert.Equal(t, []string{"Sin nivel todavía", whole(r.ByTier[0].Consumers)}, tiers[1])
	assert.Equal(t, []string{"Por tienda"}, workbook(t, w, at+".xlsx?tabla=por-tienda", mine).GetSheetList())
	assert.Equal(t, `attachment; filename="qoa_resultados_por-tienda_junta-10_2026-11-14_2026-11-20.csv"`,
		get(w, at+".csv?periodo=7&tabla=por-tienda", mine).Header.Get("Content-Disposition"))

	all := workbook(t, w, "/marca/resultados.xlsx", mine)
	campaigns, err := all.GetRows("Campañas")
	require.NoError(t, err)
	require.Len(t, campaigns, 3)
	assert.Equal(t, whole(r.Members), cell(t, campaigns, "Junta 10", "Personas"))
	assert.Equal(t, "Bebidas del Valle", cell(t, campaigns, "Junta 10", "De"))

	// Nobody's name, number or card is anywhere.
	text := get(w, at, mine).Text() + get(w, "/marca", mine).Text()
	for _, b := range []*excelize.File{book, all, workbook(t, w, "/marca/pedidos.xlsx", mine)} {
		for _, sheet := range b.GetSheetList() {
			rows, err := b.GetRows(sheet)
			require.NoError(t, err)
			for _, row := range rows {
				text += strings.Join(row, "|") + "\n"
			}
		}
	}
	for _, private := range []string{"Ana", "Luis", "5512345", w.Shoppers[0].Card, loyalty.FormatCode(w.Shoppers[0].Card), string(w.Shoppers[0].Person), "Lupita Pérez"} {
		assert.NotContains(t, text, private)
	}

	// Another's campaign is not there, in no form.
	for _, ending := range []string{"", ".csv", ".xlsx", ".csv?tabla=por-tienda"} {
		res := get(w, at+ending, w.Tenants[1].Page)
		assert.Equal(t, http.StatusNotFound, res.Status, ending)
		assert.NotContains(t, res.Text(), "Junta 10")
		assert.Empty(t, res.Header.Get("Content-Disposition"))
	}
	assert.NotContains(t, strings.Join(taken(t, w, "/marca/resultados.csv", w.Tenants[1].Page)[1], " "), "Junta")
	assert.Equal(t, http.StatusNotFound, get(w, at+".xlsx?tabla=todo", mine).Status)
}

// Reorder intentions are narrowed by shop, product and day, and add up.
func TestWishesAreFilteredAndAddedUp(t *testing.T) {
	w := apitest.New(t)
	busy(t, w)
	mine := w.Tenants[0].Page
	assert.Len(t, taken(t, w, "/marca/pedidos.csv", mine), 6)
	shop := "?shop_id=" + string(w.Keepers[0].Shop.ID)
	assert.Len(t, taken(t, w, "/marca/pedidos.csv"+shop, mine), 4)
	assert.Len(t, taken(t, w, "/marca/pedidos.csv?product_id="+string(w.Tenants[0].Product), mine), 5, "one names no product")
	assert.Len(t, taken(t, w, "/marca/pedidos.csv?from=2026-11-21", mine), 1)
	assert.Len(t, taken(t, w, "/marca/pedidos.csv?from=2026-11-20&to=2026-11-20", mine), 6, "the shop's day")
	assert.Equal(t, [][]string{
		{"Producto", "Código de barras", "Pedidos", "Piezas", "Tiendas"}, {"Refresco de cola 600 ml", w.Tenants[0].GTIN, "4", "7", "2"}, {"Lo que más se vende", "", "1", "0", "1"},
	}, taken(t, w, "/marca/pedidos.csv?tabla=por-producto", mine))
	shops := taken(t, w, "/marca/pedidos.csv?tabla=por-tienda", mine)
	assert.Equal(t, "3", cell(t, shops, "Abarrotes Lupita", "Pedidos"))
	assert.Equal(t, "6", cell(t, shops, "Abarrotes Lupita", "Piezas"))
	assert.Len(t, apitest.Data[[]thing](w.As(w.Tenants[0].Token), http.StatusOK, "GET", "/v1/reorders"+shop, nil), 3)

	wrong := get(w, "/marca/pedidos"+shop+"&from=ayer", mine)
	assert.Equal(t, http.StatusBadRequest, wrong.Status)
	for _, text := range []string{`id="from-e"`, `value="ayer"`, `value="` + string(w.Keepers[0].Shop.ID) + `" selected`} {
		assert.Contains(t, wrong.Text(), text)
	}
	assert.Equal(t, http.StatusBadRequest, get(w, "/marca/pedidos.csv?from=ayer", mine).Status)
	assert.Contains(t, get(w, "/marca/pedidos?to=2026-01-01", mine).Text(), "Nada con estos filtros")
}

// A simulation, the shops of a campaign and segments are files too, of their
// owner's only.
func TestEveryTableOfABrandIsAFile(t *testing.T) {
	w := apitest.New(t)
	mine, at := w.Tenants[0].Page, "/marca/campanas/"+string(w.Tenants[0].Campaign)
	weeks := taken(t, w, at+"/simular.csv?weeks=4&take=50", mine)
	assert.Equal(t, []string{"Semana del lunes", "Compras", "Ventas", "Sellos", "Puntos", "Premios", "Costo"}, weeks[0])
	assert.Len(t, weeks, 1+5, "28 days touch five weeks")
	assert.Equal(t, []string{"Premio", "Pedidos", "Costo", "Se acaba"}, taken(t, w, at+"/simular.csv?tabla=por-premio", mine)[0])
	assert.Equal(t, []string{"Tienda", "Clave", "Ciudad", "Estado", "Desde"}, taken(t, w, at+"/tiendas.csv", mine)[0])
	segments := taken(t, w, "/marca/segmentos.csv", mine)
	require.Len(t, segments, 2)
	assert.Equal(t, "Segmento", segments[0][0])
	assert.Contains(t, get(w, "/marca/segmentos", mine).Text(), `href="/marca/segmentos.xlsx"`)
	assert.Contains(t, get(w, at+"/simular?weeks=4&take=50", mine).Text(), `href="`+at+`/simular.csv?take=50&amp;weeks=4"`)
	assert.Equal(t, http.StatusBadRequest, get(w, at+"/simular.csv?weeks=27", mine).Status)
	for _, path := range []string{"/simular.csv", "/tiendas.xlsx"} {
		assert.Equal(t, http.StatusNotFound, get(w, at+path, w.Tenants[1].Page).Status)
	}
	assert.NotContains(t, get(w, "/marca/segmentos.csv", w.Tenants[1].Page).Text(), segments[1][1])
}
