package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
)

// file is an import of rows, each of cells in the order of columns.
func (w *world) file(kind store.ImportKind, columns []string, rows ...[]string) (v store.Import) {
	w.t.Helper()
	w.do(func(tx *store.Tx) (err error) {
		v, err = tx.CreateImport(w.t.Context(), w.admin, store.ImportInput{Kind: kind, File: "catálogo.csv", Author: "Ada", Rows: func(yield func(store.ImportLine, error) bool) {
			for i, row := range rows {
				cells := map[string]string{}
				for j, column := range columns {
					cells[column] = row[j]
				}
				if !yield(store.ImportLine{Line: i + 2, Cells: cells}, nil) {
					return
				}
			}
		}})
		return err
	})
	return v
}

// plans are what the rows of an import would do, with what is wrong.
func (w *world) plans(id loyalty.ID) (all []string) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		rows, err := tx.ImportRows(w.t.Context(), w.admin, id, "", 0, 1000)
		for _, r := range rows {
			text := string(r.Plan)
			for _, x := range r.Wrongs {
				text += " " + x.Column
			}
			all = append(all, text)
		}
		return err
	})
	return all
}

func (w *world) start(id loyalty.ID) {
	w.t.Helper()
	w.do(func(tx *store.Tx) error {
		_, err := tx.StartImport(w.t.Context(), w.admin, id)
		return err
	})
}

// applyAll does all that imports have to do, some at a time.
func (w *world) applyAll(id loyalty.ID, some int) (v store.Import) {
	w.t.Helper()
	for n := 1; n > 0; {
		w.do(func(tx *store.Tx) (err error) {
			n, err = tx.ApplyImports(w.t.Context(), some)
			return err
		})
	}
	w.do(func(tx *store.Tx) (err error) {
		v, err = tx.Import(w.t.Context(), w.admin, id)
		return err
	})
	return v
}

var productColumns = []string{"cpg", "brand", "gtin", "name", "price", "nicknames", "active"}

func TestAFileOfProductsSaysWhatItWouldDo(t *testing.T) {
	w := newWorld(t, 4)
	cpg, brand, product := "", "", store.Product{}
	w.do(func(tx *store.Tx) error {
		var err error
		product, err = tx.Product(t.Context(), w.admin, w.product)
		require.NoError(t, err)
		g, err := tx.CPG(t.Context(), w.admin, product.CPG)
		require.NoError(t, err)
		b, err := tx.Brand(t.Context(), w.admin, product.Brand)
		cpg, brand = g.Name, b.Name
		return err
	})
	rows := [][]string{
		{cpg, brand, string(product.GTIN), product.Name, "", "", ""},                     // as it is
		{"", "", string(product.GTIN), "Otro nombre", "", "", ""},                        // the same again
		{cpg, "Marca Nueva", "12345678905", "Nuevo", "$1.234,50", "uno; dos|tres", "sí"}, // a new brand, a lost zero
		{cpg, "marca nueva", "7501020513127", "Otro nuevo", "18,5", "", "no"},
		{"Nadie", brand, "7501055300075", "X", "1", "", ""},
		{cpg, "", "750", "", "mucho", "", "quizá"},
		{cpg, "Otra", string(product.GTIN), "", "", "", ""},
	}
	v := w.file(store.ImportProducts, productColumns, rows...)
	assert.Equal(t, []string{"same", "wrong ", "new", "new", "wrong cpg", "wrong gtin active price brand name", "wrong brand"}, w.plans(v.ID))
	assert.Equal(t, []int{2, 0, 1, 4}, []int{v.New, v.Changed, v.Same, v.Wrong})
	w.do(func(tx *store.Tx) error {
		found, _, err := tx.Products(t.Context(), w.admin, store.ProductFilter{GTIN: "0012345678905"}, everything)
		assert.Empty(t, found, "nothing is done yet")
		return err
	})
	w.start(v.ID)
	done := w.applyAll(v.ID, 1)
	assert.Equal(t, store.ImportDone, done.Status)
	assert.Equal(t, []int{2, 0}, []int{done.Applied, done.Failed})
	w.do(func(tx *store.Tx) error {
		found, _, err := tx.Products(t.Context(), w.admin, store.ProductFilter{GTIN: "0012345678905"}, everything)
		require.NoError(t, err)
		require.Len(t, found, 1)
		assert.Equal(t, loyalty.Cents(123450), found[0].ReferencePrice)
		assert.Equal(t, []string{"uno", "dos", "tres"}, found[0].Nicknames)
		other, _, err := tx.Products(t.Context(), w.admin, store.ProductFilter{GTIN: "7501020513127"}, everything)
		require.NoError(t, err)
		assert.Equal(t, found[0].Brand, other[0].Brand, "one brand, however it is written")
		assert.False(t, other[0].Active)
		return nil
	})
	again := w.file(store.ImportProducts, productColumns, rows...)
	assert.Equal(t, []int{0, 0, 3, 4}, []int{again.New, again.Changed, again.Same, again.Wrong})
	change := w.file(store.ImportProducts, productColumns, []string{"", "", "0012345678905", "Nuevo nombre", "20", "", ""})
	assert.Equal(t, 1, change.Changed)
}

var shopColumns = []string{"code", "name", "street", "city", "state", "kind", "time_zone", "active"}

func TestAFileOfShopsKnowsThemByCodeOrPlace(t *testing.T) {
	w := newWorld(t, 4)
	rows := [][]string{
		{"", "Abarrotes Ñandú", "Juárez 1", "Tijuana", "Baja California", "Mini súper", "America/Tijuana", ""},
		{"", "ABARROTES NANDU", "juarez #1", "tijuana", "BC", "", "", ""}, // the same shop
		{"K7M2QR", "Con código", "", "Puebla", "Puebla", "cadena", "", ""},
		{"K7M2QQ", "Mal código", "", "Puebla", "Puebla", "", "", ""},
		{"", "", "", "", "", "kiosco", "Mars/Base", ""},
	}
	v := w.file(store.ImportShops, shopColumns, rows...)
	plans := w.plans(v.ID)
	assert.Equal(t, []string{"new", "wrong ", "new", "wrong code"}, plans[:4])
	for _, column := range []string{"name", "city", "state", "kind", "time_zone"} {
		assert.Contains(t, plans[4], " "+column)
	}
	w.start(v.ID)
	assert.Equal(t, 2, w.applyAll(v.ID, 100).Applied)
	again := w.file(store.ImportShops, shopColumns, rows...)
	assert.Equal(t, []int{0, 0, 2, 3}, []int{again.New, again.Changed, again.Same, again.Wrong})
	change := w.file(store.ImportShops, shopColumns, []string{"", "Abarrotes Ñandú", "Juárez 1", "Tijuana", "Baja California", "tiendita", "", "no"}, []string{"K7M2QR", "Con otro nombre", "", "", "", "", "", ""})
	assert.Equal(t, 2, change.Changed)
	w.start(change.ID)
	assert.Equal(t, 2, w.applyAll(change.ID, 100).Applied)
	w.do(func(tx *store.Tx) error {
		s, err := tx.ShopByCode(t.Context(), "K7M2QR")
		assert.Equal(t, "Con otro nombre", s.Name)
		assert.Equal(t, "chain", s.Kind, "an empty cell leaves what there is")
		return err
	})
}

// Whoever dies, and whoever else is at it: each row is done once.
func TestAnImportIsKilledAndResumedExactlyOnce(t *testing.T) {
	w := newWorld(t, 4)
	var rows [][]string
	for i := range 120 {
		rows = append(rows, []string{"", fmt.Sprintf("Tienda %d", i), "Calle", "Puebla", "Puebla", "", "", ""})
	}
	v := w.file(store.ImportShops, shopColumns, rows...)
	w.do(func(tx *store.Tx) error {
		n, err := tx.ApplyImports(t.Context(), 10)
		assert.Zero(t, n, "nobody began it")
		return err
	})
	w.start(v.ID)
	w.start(v.ID)
	w.do(func(tx *store.Tx) error {
		n, err := tx.ApplyImports(t.Context(), 10)
		assert.Equal(t, 10, n)
		return err
	})
	// A process dies in the middle of its batch: its connection is cut.
	err := w.db.InTx(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.ApplyImports(t.Context(), 10); err != nil {
			return err
		}
		return w.exec(`SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()`)
	})
	require.Error(t, err)
	// Three others go on at once.
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for idle := 0; idle < 50; {
				n := 0
				assert.NoError(t, w.db.InTx(context.WithoutCancel(t.Context()), func(tx *store.Tx) (err error) {
					n, err = tx.ApplyImports(t.Context(), 7)
					return err
				}))
				if n == 0 {
					idle++
				}
			}
		})
	}
	all.Wait()
	done := w.applyAll(v.ID, 100)
	assert.Equal(t, store.ImportDone, done.Status)
	assert.Equal(t, 120, done.Applied)
	w.do(func(tx *store.Tx) error {
		n, err := tx.CountShops(t.Context(), w.admin, store.ShopFilter{City: "Puebla"})
		assert.Equal(t, 120, n)
		return err
	})
}

func TestOnlyAdminsImport(t *testing.T) {
	w := newWorld(t, 4)
	v := w.file(store.ImportShops, shopColumns, []string{"", "Una", "", "Puebla", "Puebla", "", "", ""})
	team := w.team(w.otherCPG)
	for name, try := range map[string]func(*store.Tx) error{
		"create": func(tx *store.Tx) error {
			_, err := tx.CreateImport(t.Context(), team, store.ImportInput{Kind: store.ImportShops})
			return err
		},
		"read":    func(tx *store.Tx) error { _, err := tx.Import(t.Context(), team, v.ID); return err },
		"list":    func(tx *store.Tx) error { _, err := tx.Imports(t.Context(), team, 10); return err },
		"rows":    func(tx *store.Tx) error { _, err := tx.ImportRows(t.Context(), team, v.ID, "", 0, 10); return err },
		"apply":   func(tx *store.Tx) error { _, err := tx.StartImport(t.Context(), team, v.ID); return err },
		"discard": func(tx *store.Tx) error { _, err := tx.DiscardImport(t.Context(), team, v.ID); return err },
	} {
		assert.Equal(t, loyalty.CodeForbidden, loyalty.CodeOf(w.db.InTx(t.Context(), try)), name)
	}
}

func TestTenThousandRowsAreReadInTime(t *testing.T) {
	w := newWorld(t, 4)
	rows := make([][]string, 10_000)
	for i := range rows {
		rows[i] = []string{"", fmt.Sprintf("Tienda %d", i), "Calle " + fmt.Sprint(i%97), "Puebla", "Puebla", "tiendita", "America/Tijuana", "sí"}
	}
	began := time.Now()
	v := w.file(store.ImportShops, shopColumns, rows...)
	read := time.Since(began)
	assert.Equal(t, 10_000, v.New)
	w.start(v.ID)
	began = time.Now()
	for range 10 {
		w.do(func(tx *store.Tx) error {
			_, err := tx.ApplyImports(t.Context(), 100)
			return err
		})
	}
	t.Logf("10,000 rows read in %s; 1,000 of them applied in %s", read, time.Since(began))
}

func TestPesosOfASpreadsheet(t *testing.T) {
	for text, want := range map[string]int64{
		"": 0, "18": 1800, "18.5": 1850, "18,5": 1850, "$1,234.50": 123450, "1.234,50": 123450, "1,234": 123400, "18.499999999999996": 1850, "18.500000000000004": 1850,
		"0.1": 10, " $ 12.00 ": 1200, "1234567.89": 123456789, "12 MXN": 1200,
	} {
		got, ok := store.CellCents(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"mucho", "-5", "1.234", "18.555", "1e3", "12345678901"} {
		_, ok := store.CellCents(text)
		assert.False(t, ok, text)
	}
}
