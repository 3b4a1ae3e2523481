package export

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// byteOrderMark tells Excel that a CSV is UTF-8; without it, accents break.
const byteOrderMark = "\ufeff"

// CSV writes a sheet as comma-separated values, as its rows come.
func CSV(ctx context.Context, w io.Writer, s Sheet) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(s.Columns); err != nil {
		return err
	}
	line := make([]string, len(s.Columns))
	err := s.each(ctx, func(row []any) (err error) {
		for i, cell := range row {
			if line[i], err = text(cell); err != nil {
				return err
			}
		}
		return out.Write(line)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// text is a cell as CSV has it: dates as ISO has them, amounts with a point and
// no sign of currency.
func text(cell any) (string, error) {
	switch v := cell.(type) {
	case nil:
		return "", nil
	case string:
		return harmless(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case bool:
		return yesNo(v), nil
	case Money:
		return decimal(int64(v), 2), nil
	case Ratio:
		return decimal(int64(v), 4), nil
	case Day:
		return date(time.Time(v), time.DateOnly), nil
	case time.Time:
		return date(v, "2006-01-02 15:04"), nil
	}
	return "", fmt.Errorf("export: no cell can be a %T", cell)
}

// harmless defuses a text that a spreadsheet would run as a formula: somebody
// named a shop or wrote a note that begins with "=", and somebody else opens it.
// https://owasp.org/www-community/attacks/CSV_Injection
func harmless(s string) string {
	if strings.IndexAny(strings.TrimLeft(s, " "), "=+-@\t\r\n") == 0 || strings.IndexAny(s, "\t\r\n") == 0 {
		return "'" + s
	}
	return s
}

// decimal writes n with its last digits as a fraction.
func decimal(n int64, digits int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	s := fmt.Sprintf("%0*d", digits+1, n)
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

func date(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(layout)
}

func yesNo(v bool) string {
	if v {
		return "sí"
	}
	return "no"
}
