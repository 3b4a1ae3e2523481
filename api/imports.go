package api

import (
	"errors"
	"iter"
	"slices"

	"github.com/qoa-conectados/qoa/store"
	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
	"github.com/qoa-conectados/qoa/templates/export"
)

// columnNames are the columns of files as people read them.
var columnNames = map[store.ImportKind]map[string]string{
	store.ImportProducts: {
		store.ColumnCPG: "Empresa", store.ColumnBrand: "Marca", store.ColumnGTIN: "Código de barras", store.ColumnName: "Producto",
		store.ColumnPrice: "Precio", store.ColumnNicknames: "Apodos", store.ColumnActive: "Activo",
	},
	store.ImportShops: {
		store.ColumnCode: "Código", store.ColumnName: "Nombre", store.ColumnStreet: "Calle", store.ColumnCity: "Ciudad", store.ColumnState: "Estado",
		store.ColumnKind: "Tipo", store.ColumnTimeZone: "Zona horaria", store.ColumnActive: "Activa",
	},
}

// columnSynonyms are other titles that a column may have, as they are searched.
var columnSynonyms = map[store.ImportKind]map[string][]string{
	store.ImportProducts: {
		store.ColumnCPG: {"cpg", "compania", "fabricante", "proveedor"}, store.ColumnBrand: {"marcas"},
		store.ColumnGTIN:      {"codigo", "codigo de barra", "codigo barras", "gtin", "ean", "ean 13", "ean13", "upc", "barcode"},
		store.ColumnName:      {"nombre", "nombre del producto", "descripcion", "articulo"},
		store.ColumnPrice:     {"precio de referencia", "precio sugerido", "precio publico", "precio al publico", "pvp"},
		store.ColumnNicknames: {"apodo", "alias", "como le dice la gente"}, store.ColumnActive: {"activa"},
	},
	store.ImportShops: {
		store.ColumnCode: {"clave", "codigo de tienda", "codigo de la tienda"}, store.ColumnName: {"tienda", "nombre de la tienda"},
		store.ColumnStreet: {"direccion", "domicilio", "calle y numero"}, store.ColumnCity: {"municipio", "poblacion", "localidad"},
		store.ColumnState: {"entidad", "entidad federativa"}, store.ColumnKind: {"tipo de tienda"}, store.ColumnTimeZone: {"huso horario"}, store.ColumnActive: {"activo"},
	},
}

// columnOf is the column of a title, "" for one that we do not know.
func columnOf(kind store.ImportKind, title string) string {
	title = loyalty.SearchName(title)
	for _, column := range kind.Columns() {
		if title == loyalty.SearchName(columnNames[kind][column]) || slices.Contains(columnSynonyms[kind][column], title) {
			return column
		}
	}
	return ""
}

// titleLines is how far below the top the titles may stand.
const titleLines = 20

// columnsOf finds the row of titles: the first with all columns that a file must
// have.
func columnsOf(kind store.ImportKind, lines iter.Seq2[export.Line, error]) (at map[string]int, line int, ignored []string, err error) {
	var missing []string
	seen, best := 0, 0
	for l, err := range lines {
		if err != nil {
			return nil, 0, nil, unreadable(err)
		}
		at, ignored = map[string]int{}, nil
		for i, title := range l.Cells {
			if column := columnOf(kind, title); column == "" {
				if title != "" {
					ignored = append(ignored, title)
				}
			} else if _, twice := at[column]; !twice {
				at[column] = i
			}
		}
		var absent []string
		for _, column := range kind.Columns() {
			if _, ok := at[column]; !ok && kind.Needs(column) {
				absent = append(absent, "«"+columnNames[kind][column]+"»")
			}
		}
		if len(absent) == 0 {
			return at, l.N, ignored, nil
		}
		if len(at) >= best {
			best, missing = len(at), absent
		}
		if seen++; seen == titleLines {
			break
		}
	}
	switch {
	case seen == 0:
		return nil, 0, nil, loyalty.Invalid("file", "está vacío")
	case best == 0:
		return nil, 0, nil, loyalty.Invalid("file", "no encontramos los títulos de las columnas; usa la plantilla")
	case len(missing) == 1:
		return nil, 0, nil, loyalty.Invalid("file", "falta la columna "+missing[0])
	}
	return nil, 0, nil, loyalty.Invalid("file", "faltan las columnas "+listWords(missing))
}

// unreadable says in words why a file cannot be read.
func unreadable(err error) error {
	switch {
	case errors.Is(err, export.ErrOldExcel):
		return loyalty.Invalid("file", "es de un Excel de antes de 2007; guárdalo como .xlsx o como CSV")
	case errors.Is(err, export.ErrTooBig):
		return loyalty.Invalid("file", "pesa demasiado al descomprimirlo; divídelo en varios archivos")
	}
	return loyalty.Invalid("file", "no es un CSV ni un Excel (.xlsx) que podamos leer")
}

// readImport makes an import of a file that was opened.
func readImport(kind store.ImportKind, name string, table *export.Table) (store.ImportInput, error) {
	at, titles, ignored, err := columnsOf(kind, table.Lines)
	if err != nil {
		return store.ImportInput{}, err
	}
	return store.ImportInput{Kind: kind, File: name, Ignored: ignored, Rows: func(yield func(store.ImportLine, error) bool) {
		for l, err := range table.Lines {
			if err != nil {
				yield(store.ImportLine{}, unreadable(err))
				return
			}
			if l.N <= titles {
				continue
			}
			row := store.ImportLine{Line: l.N, Cells: map[string]string{}}
			for column, i := range at {
				if i < len(l.Cells) && l.Cells[i] != "" {
					row.Cells[column] = firstRunes(l.Cells[i], mostCellText)
				}
			}
			if len(row.Cells) > 0 && !yield(row, nil) {
				return
			}
		}
	}}, nil
}

// mostCellText bounds a cell: more than any column takes, so that too long a text
// is said to be one.
const mostCellText = 4000

func firstRunes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	r := []rune(s)
	return string(r[:min(len(r), most)])
}

// importCells are the cells of a row in the order of its columns.
func importCells(kind store.ImportKind, cells map[string]string) []string {
	return mapped(kind.Columns(), func(column string) string { return cells[column] })
}

func importTitles(kind store.ImportKind) []string {
	return mapped(kind.Columns(), func(column string) string { return columnNames[kind][column] })
}

// wrongWords says what is wrong with a row, and where.
func wrongWords(kind store.ImportKind, wrongs []store.ImportWrong) []templates.ImportWrong {
	return mapped(wrongs, func(w store.ImportWrong) templates.ImportWrong {
		return templates.ImportWrong{Column: columnNames[kind][w.Column], Reason: upperFirst(w.Reason) + "."}
	})
}
