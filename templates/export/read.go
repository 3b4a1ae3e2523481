package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Table is a file that was opened: its lines can be gone through again and again.
// Close frees what it holds.
type Table struct {
	Lines iter.Seq2[Line, error]
	close func() error
}

// Line is a row as it was written, N as a spreadsheet counts; empty ones are left
// out.
type Line struct {
	N     int
	Cells []string
}

// Close ends the reading.
func (t *Table) Close() error { return t.close() }

// What a file is that cannot be read.
var (
	ErrOldExcel  = errors.New("export: a workbook of before 2007")
	ErrNotATable = errors.New("export: neither CSV nor XLSX")
	ErrTooBig    = errors.New("export: unpacks to too much")
)

// How much a workbook may unpack to: in all, and of one part in memory; what is
// larger is unpacked to a temporary file. A row has so many cells that we look at.
const (
	mostUnpacked = 96 << 20
	mostInMemory = 4 << 20
	mostCells    = 60
	// Far below the last row that holds anything, some workbooks have formats.
	mostBlank = 5_000
)

// Read opens a CSV or a workbook; its content says which. Of a workbook it is the
// first sheet that is shown, with numbers as they are and not as they look.
func Read(content []byte) (*Table, error) {
	switch {
	case bytes.HasPrefix(content, []byte("PK\x03\x04")):
		return readXLSX(content)
	case bytes.HasPrefix(content, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, ErrOldExcel
	}
	text, err := decoded(content)
	if err != nil {
		return nil, err
	}
	return &Table{Lines: csvLines(text), close: func() error { return nil }}, nil
}

// decoded is a text in UTF-8, whatever wrote it: with or without a mark, in UTF-16
// as Excel's "Unicode text", or in Windows' Latin-1.
func decoded(content []byte) (string, error) {
	switch {
	case bytes.HasPrefix(content, []byte{0xff, 0xfe}), bytes.HasPrefix(content, []byte{0xfe, 0xff}):
		b, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(content)
		return string(b), err
	case bytes.IndexByte(content, 0) >= 0:
		return "", ErrNotATable
	case utf8.Valid(content):
		return strings.TrimPrefix(string(content), "\ufeff"), nil
	}
	b, err := charmap.Windows1252.NewDecoder().Bytes(content)
	return string(b), err
}

func csvLines(text string) iter.Seq2[Line, error] {
	before := 0
	first, rest, _ := strings.Cut(text, "\n")
	if first = strings.TrimRight(first, "\r"); len(first) == 5 && strings.HasPrefix(first, "sep=") { // as Excel notes it
		text, before = rest, 1
	}
	comma := separator(text)
	return func(yield func(Line, error) bool) {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = comma, -1, true, true
		for {
			record, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Line{}, ErrNotATable)
				return
			}
			n, _ := r.FieldPos(0)
			cells := tidied(record)
			if cells != nil && !yield(Line{N: n + before, Cells: cells}, nil) {
				return
			}
		}
	}
}

// separator is what a text puts between its cells: what its first lines have most
// of, outside of quotes.
func separator(text string) rune {
	counts := map[rune]int{}
	quoted, lines := false, 0
	for _, c := range text {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n':
			lines++
		case c == ',' || c == ';' || c == '\t' || c == '|':
			counts[c]++
		}
		if lines == 3 {
			break
		}
	}
	best := ','
	for _, c := range []rune{';', '\t', '|'} {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// tidied are the cells of a row, nil where nothing stands in it.
func tidied(record []string) []string {
	cells := make([]string, min(len(record), mostCells))
	some := false
	for i := range cells {
		cells[i] = strings.TrimSpace(strings.ReplaceAll(record[i], "\u00a0", " "))
		if len(cells[i]) > 1 && cells[i][0] == '\'' && strings.ContainsRune("=+-@", rune(cells[i][1])) { // as our own files have it
			cells[i] = cells[i][1:]
		}
		some = some || cells[i] != ""
	}
	if !some {
		return nil
	}
	return cells
}

func readXLSX(content []byte) (*Table, error) {
	f, err := excelize.OpenReader(bytes.NewReader(content), excelize.Options{UnzipSizeLimit: mostUnpacked, UnzipXMLSizeLimit: mostInMemory, RawCellValue: true})
	if err != nil {
		if errors.Is(err, excelize.ErrWorkbookFileFormat) || !strings.Contains(err.Error(), "unzip size") {
			return nil, ErrNotATable
		}
		return nil, ErrTooBig
	}
	sheet := ""
	for _, name := range f.GetSheetList() {
		if shown, err := f.GetSheetVisible(name); err == nil && shown {
			sheet = name
			break
		}
	}
	if sheet == "" {
		return nil, errors.Join(ErrNotATable, f.Close())
	}
	lines := func(yield func(Line, error) bool) {
		rows, err := f.Rows(sheet)
		if err != nil {
			yield(Line{}, ErrNotATable)
			return
		}
		defer rows.Close() //nolint:errcheck // it is read
		blank := 0
		for n := 1; rows.Next(); n++ {
			record, err := rows.Columns()
			if err != nil {
				yield(Line{}, ErrNotATable)
				return
			}
			cells := tidied(record)
			if cells == nil {
				if blank++; blank > mostBlank {
					return
				}
				continue
			}
			blank = 0
			if !yield(Line{N: n, Cells: cells}, nil) {
				return
			}
		}
		if rows.Error() != nil {
			yield(Line{}, ErrNotATable)
		}
	}
	return &Table{Lines: lines, close: f.Close}, nil
}
