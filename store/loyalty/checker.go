package loyalty

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Checker collects what is wrong with an input, so that its author hears of
// everything at once. Its methods also tidy what they look at; what they have
// tidied once they leave as it is.
type Checker struct{ Fields []FieldError }

// Want says about a field what is wrong (Spanish) unless ok.
func (c *Checker) Want(ok bool, field, reason string) {
	if !ok {
		c.Fields = append(c.Fields, FieldError{Field: field, Reason: reason})
	}
}

// Text trims s and bounds its length in characters. Control characters are
// refused: Postgres cannot store one of them, people can read none.
func (c *Checker) Text(field string, s *string, least, most int) {
	*s = strings.TrimSpace(*s)
	n := utf8.RuneCountInString(*s)
	switch {
	case !Printable(*s):
		c.Want(false, field, "tiene caracteres que no se pueden leer")
	case n < least && n == 0:
		c.Want(false, field, "es obligatorio")
	default:
		c.Want(n >= least, field, "es demasiado corto")
		c.Want(n <= most, field, "es demasiado largo")
	}
}

// Printable says whether a text has nothing but what can be read and stored.
func Printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// Between bounds a number, both ends included.
func (c *Checker) Between(field string, n, least, most int64) {
	c.Want(n >= least && n <= most, field, "debe estar entre "+Thousands(least)+" y "+Thousands(most))
}

// ID wants a well-formed identifier, and writes it in its canonical form.
func (c *Checker) ID(field string, id *ID) {
	if *id == "" {
		c.Want(false, field, "es obligatorio")
		return
	}
	parsed, err := ParseID(string(*id))
	if err != nil {
		c.Want(false, field, "no es un identificador válido")
		return
	}
	*id = parsed
}

// IDs wants at most so many well-formed identifiers, sorts them, and leaves out
// repeated ones.
func (c *Checker) IDs(field string, ids *[]ID, most int) {
	unique := make([]ID, 0, len(*ids))
	for _, raw := range *ids {
		id, err := ParseID(string(raw))
		if err != nil {
			c.Want(false, field, "tiene un identificador que no es válido")
			return
		}
		unique = append(unique, id)
	}
	*ids = tidied(unique)
	c.Want(len(*ids) <= most, field, "son demasiados")
}

// Names wants at most so many names, of at most so many characters each, sorts
// them, and leaves out repeated ones.
func (c *Checker) Names(field string, names *[]string, most, longest int) {
	if !c.Few(field, len(*names), most) {
		return
	}
	before, trimmed := len(c.Fields), slices.Clone(*names)
	for i := range trimmed {
		c.Text(fmt.Sprintf("%s[%d]", field, i), &trimmed[i], 1, longest)
	}
	if len(c.Fields) == before { // else the places that were named would not be those sent
		*names = tidied(trimmed)
	}
}

// Few wants at most so many elements, and says whether it is so: what is too
// long a list is not looked at further.
func (c *Checker) Few(field string, n, most int) bool {
	c.Want(n <= most, field, "son demasiados")
	return n <= most
}

// Moment wants a moment that a programme can be about, and keeps of it what
// Postgres does: microseconds.
func (c *Checker) Moment(field string, t *time.Time) {
	*t = t.UTC().Truncate(time.Microsecond)
	c.Want(t.Year() >= 2000 && t.Year() < 2200, field, "está fuera de los años posibles")
}

// checkOne wants a value that is one of those allowed, "" among them or not.
func checkOne[S ~string](c *Checker, field string, v S, allowed ...S) {
	c.Want(slices.Contains(allowed, v), field, "debe ser "+either(allowed))
}

// either writes values as a choice: "a, b o c".
func either[S ~string](values []S) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i == 0:
		case i < len(values)-1:
			b.WriteString(", ")
		case strings.HasPrefix(strings.ToLower(string(v)), "o"):
			b.WriteString(" u ")
		default:
			b.WriteString(" o ")
		}
		if v == "" {
			b.WriteString("vacío")
		} else {
			b.WriteString(string(v))
		}
	}
	return b.String()
}

// tidied sorts a list and leaves out what is repeated; an empty one is nil.
func tidied[S ~string](list []S) []S {
	if len(list) == 0 {
		return nil
	}
	slices.Sort(list)
	return slices.Compact(list)
}
