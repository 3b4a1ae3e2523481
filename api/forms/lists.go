package forms

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// pick is any number of some options. What was chosen before and is no option
// any more is shown too, so that nothing is lost unseen.
func pick[T ~string](f *Form, name, label string, p *[]T, groups []templates.FormGroup, more ...field) {
	v := f.view(templates.FormPick, name, label, more)
	if f.typed != nil {
		f.filled += picked(f.typed[f.from+name], p)
	}
	v.Groups = make([]templates.FormGroup, 0, len(groups))
	known := make(map[string]bool)
	for _, g := range groups {
		g.Options = slices.Clone(g.Options)
		for i, o := range g.Options {
			known[o.Value] = true
			g.Options[i].Chosen = slices.Contains(*p, T(o.Value))
		}
		v.Groups = append(v.Groups, g)
	}
	var gone []templates.FormOption
	for _, s := range *p {
		if !known[string(s)] {
			gone = append(gone, templates.FormOption{Value: string(s), Label: string(s), Chosen: true})
		}
	}
	if gone != nil {
		v.Groups = append(v.Groups, templates.FormGroup{Label: "Ya no están en la lista", Options: gone})
	}
	*f.out = append(*f.out, v)
}

// picked reads what was chosen, and says how much that is. What was not changed
// stays exactly what it was.
func picked[T ~string](sent []string, p *[]T) int {
	read := make([]T, 0, len(sent))
	for _, s := range sent {
		read = append(read, T(s))
	}
	slices.Sort(read)
	read = slices.Compact(read)
	if !slices.Equal(read, slices.Sorted(slices.Values(*p))) {
		*p = read
	}
	if len(*p) == 0 {
		*p = nil
	}
	return len(read)
}

// spareRows are how many empty rows end a list: without a script, a longer list
// is saved twice.
const spareRows = 2

// rows is a list. A row in which nobody filled in anything is none.
func rows[T any](f *Form, name, label, one string, most int, p *[]T, each func(*Form, *T), more ...field) {
	v := f.view(templates.FormRows, name, label, more)
	v.Add, v.Most = "Agregar "+one, most
	part := func(typed url.Values, from string, value *T) (int, templates.FormRow) {
		n := len(v.Rows)
		row := &Form{
			typed: typed, from: f.from + name + "[" + from + "].", at: f.at + name + "[" + strconv.Itoa(n) + "].",
			zone: f.zone, searching: f.searching, wrong: new([]loyalty.FieldError), out: new([]templates.FormField),
		}
		each(row, value)
		if row.filled > 0 || typed == nil {
			*f.wrong = append(*f.wrong, *row.wrong...)
		}
		return row.filled, templates.FormRow{Title: title(one) + " " + strconv.Itoa(n+1), Fields: *row.out}
	}
	if f.typed == nil {
		for i := range *p {
			_, row := part(nil, "", &(*p)[i])
			v.Rows = append(v.Rows, row)
		}
	} else {
		var read []T
		for _, number := range sent(f.typed, f.from+name+"[", most) {
			var value T
			filled, row := part(f.typed, number, &value)
			if filled > 0 {
				f.filled += filled
				read = append(read, value)
				v.Rows = append(v.Rows, row)
			}
		}
		*p = read
	}
	for range min(spareRows, most-len(v.Rows)) {
		_, row := part(nil, "", new(T))
		row.Blank = true
		v.Rows = append(v.Rows, row)
	}
	*f.out = append(*f.out, v)
}

// sent gives the numbers of the rows that were sent, in their order, and at most
// as many as it makes sense to look at.
func sent(typed url.Values, prefix string, most int) []string {
	var numbers []int
	for name := range typed {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		number, _, _ := strings.Cut(rest, "]")
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && strconv.Itoa(n) == number {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	var out []string
	for _, n := range numbers[:min(len(numbers), 2*most+spareRows)] {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// optional is a part that is absent where nobody filled in anything.
func optional[T any](f *Form, p **T, each func(*Form, *T)) {
	v := new(T)
	if *p != nil {
		*v = **p
	}
	before := f.filled
	each(f, v)
	if f.typed == nil {
		return
	}
	*p = nil
	if f.filled > before {
		*p = v
	}
}

// title is a noun at the beginning of a line.
func title(noun string) string {
	r, n := utf8.DecodeRuneInString(noun)
	return string(unicode.ToUpper(r)) + noun[n:]
}
