package export

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// read gives all lines of a file as "line: a|b".
func read(t *testing.T, content []byte) ([]string, error) {
	t.Helper()
	table, err := Read(content)
	if err != nil {
		return nil, err
	}
	defer table.Close()
	var all []string
	for range 2 { // as often as one likes
		all = nil
		for l, err := range table.Lines {
			if err != nil {
				return all, err
			}
			all = append(all, fmt.Sprintf("%d: %s", l.N, strings.Join(l.Cells, "|")))
		}
	}
	return all, nil
}

func TestACSVIsReadHoweverItWasWritten(t *testing.T) {
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune("Nombre\tCiudad\r\nLa Güera\tMérida\r\n")) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	for name, c := range map[string]struct {
		content []byte
		want    []string
	}{
		"plain":                    {[]byte("a,b\n1,2\n"), []string{"1: a|b", "2: 1|2"}},
		"with a mark, semicolons":  {[]byte("\ufeffa;b\r\n1,5;2\r\n"), []string{"1: a|b", "2: 1,5|2"}},
		"tabs":                     {[]byte("a\tb\n1\t2"), []string{"1: a|b", "2: 1|2"}},
		"Latin-1":                  {[]byte("Nombre;Ciudad\nLa G\xfcera \x96 1;M\xe9rida\n"), []string{"1: Nombre|Ciudad", "2: La Güera – 1|Mérida"}},
		"UTF-16":                   {wide, []string{"1: Nombre|Ciudad", "2: La Güera|Mérida"}},
		"quotes":                   {[]byte("a,b\n\"La \"\"Güera\"\", S.A.\",\"dos\nrenglones\"\nx,y\n"), []string{"1: a|b", "2: La \"Güera\", S.A.|dos\nrenglones", "4: x|y"}},
		"a quote within":           {[]byte("a,b\nTubo 3\" largo,2\n"), []string{"1: a|b", "2: Tubo 3\" largo|2"}},
		"commas in quoted titles":  {[]byte("\"a, b, c\";d\n1;2\n"), []string{"1: a, b, c|d", "2: 1|2"}},
		"empty lines":              {[]byte("a,b\n\n,,\n1,2\n"), []string{"1: a|b", "4: 1|2"}},
		"sep=":                     {[]byte("sep=;\r\na;b\r\n1;2\r\n"), []string{"2: a|b", "3: 1|2"}},
		"ragged":                   {[]byte("a,b,c\n1\n1,2,3,4\n"), []string{"1: a|b|c", "2: 1", "3: 1|2|3|4"}},
		"spaces that do not break": {[]byte("a,b\n1\u00a0200,\u00a0\n"), []string{"1: a|b", "2: 1 200|"}},
		"made harmless by us":      {[]byte("a,b\n'=1+1,'hola\n"), []string{"1: a|b", "2: =1+1|'hola"}},
		"nothing":                  {nil, nil},
	} {
		got, err := read(t, c.content)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestAWorkbookIsReadAsItIs(t *testing.T) {
	f := excelize.NewFile()
	sheet := f.GetSheetName(0)
	for cell, v := range map[string]any{"A1": "Código", "B1": "Precio", "A3": 7501055300075, "B3": 18.5, "A4": "0012345678905", "B4": 1850, "C4": true, "A5": "  "} {
		if err := f.SetCellValue(sheet, cell, v); err != nil {
			t.Fatal(err)
		}
	}
	pesos, err := f.NewStyle(&excelize.Style{NumFmt: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetCellStyle(sheet, "B3", "B4", pesos); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := read(t, b.Bytes())
	want := []string{"1: Código|Precio", "3: 7501055300075|18.5", "4: 0012345678905|1850|1"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsNoTableIsRefused(t *testing.T) {
	zipped := func(parts map[string]string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, body := range parts {
			w, err := z.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(body)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	bomb := strings.Repeat(" ", mostUnpacked+1)
	for name, c := range map[string]struct {
		content []byte
		want    error
	}{
		"an old workbook": {[]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1}, ErrOldExcel},
		"a picture":       {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00"), ErrNotATable},
		"another zip":     {zipped(map[string]string{"hola.txt": "hola"}), ErrNotATable},
		"half a workbook": {[]byte("PK\x03\x04hola"), ErrNotATable},
		"a bomb":          {zipped(map[string]string{"xl/worksheets/sheet1.xml": bomb}), ErrTooBig},
	} {
		if _, err := read(t, c.content); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Far below or far to the right of what is written there may be more.
func TestAWorkbookOfHolesEnds(t *testing.T) {
	f := excelize.NewFile()
	sheet, err := f.NewStreamWriter(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range []string{"A1", "XFD2", "A1048576"} {
		if err := sheet.SetRow(cell, []any{"x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sheet.Flush(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := read(t, b.Bytes())
	if err != nil || !reflect.DeepEqual(got, []string{"1: x"}) {
		t.Errorf("%q, %v", got, err)
	}
}
