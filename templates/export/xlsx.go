package export

import (
	"context"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// XLSX writes sheets as one workbook. Rows go to a temporary file as they come
// where they are many; the workbook itself is written when all are there.
func XLSX(ctx context.Context, w io.Writer, sheets ...Sheet) (err error) {
	book := excelize.NewFile()
	defer func() {
		if closed := book.Close(); err == nil {
			err = closed
		}
	}()
	looks, err := newLooks(book)
	if err != nil {
		return err
	}
	for i, s := range sheets {
		name := sheetName(s.Title, i)
		if i == 0 {
			err = book.SetSheetName(book.GetSheetName(0), name)
		} else {
			_, err = book.NewSheet(name)
		}
		if err == nil {
			err = looks.write(ctx, book, name, s)
		}
		if err != nil {
			return err
		}
	}
	return book.Write(w)
}

// looks are the styles of cells.
type looks struct{ head, text, whole, money, ratio, day, moment int }

func newLooks(book *excelize.File) (looks, error) {
	var l looks
	for _, look := range []struct {
		id     *int
		format string
	}{{&l.text, "@"}, {&l.whole, "#,##0"}, {&l.money, `"$"#,##0.00;[Red]-"$"#,##0.00`}, {&l.ratio, "0.0%"}, {&l.day, "yyyy-mm-dd"}, {&l.moment, "yyyy-mm-dd hh:mm"}} {
		var err error
		if *look.id, err = book.NewStyle(&excelize.Style{CustomNumFmt: &look.format}); err != nil {
			return l, err
		}
	}
	var err error
	l.head, err = book.NewStyle(&excelize.Style{
		Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F5E6D6"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
	})
	return l, err
}

// measured is how many rows are looked at to make columns as wide as they need.
const measured = 100

func (l looks) write(ctx context.Context, book *excelize.File, name string, s Sheet) error {
	out, err := book.NewStreamWriter(name)
	if err != nil {
		return err
	}
	var first [][]any // what waits for the columns' widths
	n, begun := 1, false
	put := func(cells []any) error {
		at, err := excelize.CoordinatesToCellName(1, n)
		if err != nil {
			return err
		}
		n++
		return out.SetRow(at, cells)
	}
	begin := func() error {
		begun = true
		if err := out.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
			return err
		}
		for i, wide := range widths(s.Columns, first) {
			if err := out.SetColWidth(i+1, i+1, wide); err != nil {
				return err
			}
		}
		head := make([]any, len(s.Columns))
		for i, title := range s.Columns {
			head[i] = excelize.Cell{StyleID: l.head, Value: title}
		}
		if err := put(head); err != nil {
			return err
		}
		for _, cells := range first {
			if err := put(cells); err != nil {
				return err
			}
		}
		return nil
	}
	err = s.each(ctx, func(row []any) error {
		cells := make([]any, len(row))
		for i, v := range row {
			var err error
			if cells[i], err = l.cell(v); err != nil {
				return err
			}
		}
		if begun {
			return put(cells)
		}
		if first = append(first, cells); len(first) < measured {
			return nil
		}
		return begin()
	})
	if err == nil && !begun {
		err = begin()
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

// cell is a cell of a kind of its own: a text stays one, whatever it begins with.
func (l looks) cell(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return excelize.Cell{StyleID: l.text, Value: v}, nil
	case int, int64:
		return excelize.Cell{StyleID: l.whole, Value: v}, nil
	case bool:
		return excelize.Cell{StyleID: l.text, Value: yesNo(v)}, nil
	case Money:
		return excelize.Cell{StyleID: l.money, Value: float64(v) / 100}, nil
	case Ratio:
		return excelize.Cell{StyleID: l.ratio, Value: float64(v) / 10_000}, nil
	case Day:
		return l.dated(l.day, time.Time(v)), nil
	case time.Time:
		return l.dated(l.moment, v), nil
	}
	return nil, fmt.Errorf("export: no cell can be a %T", v)
}

// dated is the clock's reading, for a spreadsheet knows no zones.
func (l looks) dated(look int, t time.Time) any {
	if t.IsZero() {
		return nil
	}
	y, m, d := t.Date()
	hour, minute, second := t.Clock()
	return excelize.Cell{StyleID: look, Value: time.Date(y, m, d, hour, minute, second, 0, time.UTC)}
}

// widths fits columns to their titles and first cells.
func widths(titles []string, rows [][]any) []float64 {
	out := make([]float64, len(titles))
	for i, title := range titles {
		longest := utf8.RuneCountInString(title)
		for _, row := range rows {
			switch v := row[i].(type) {
			case excelize.Cell:
				if s, ok := v.Value.(string); ok {
					longest = max(longest, utf8.RuneCountInString(s))
				} else {
					longest = max(longest, 12)
				}
			}
		}
		out[i] = float64(min(max(longest, 8), 48) + 2)
	}
	return out
}

// sheetName is a title as Excel allows it.
func sheetName(title string, i int) string {
	const most = 31
	var name []rune
	for _, r := range title {
		switch r {
		case ':', '\\', '/', '?', '*', '[', ']', '\'':
			r = ' '
		}
		if len(name) < most {
			name = append(name, r)
		}
	}
	if len(name) == 0 {
		return fmt.Sprintf("Hoja %d", i+1)
	}
	return string(name)
}
