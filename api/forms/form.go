// Package forms draws and reads the forms in which people write campaigns: one
// description of a form is both, so that no field is drawn and not read.
package forms

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Form goes through the fields of a value, in one of two ways: it draws what the
// value holds, or reads what was typed into the value and draws that. Fields are
// called by the paths that errors of the store name.
type Form struct {
	typed     url.Values // what was sent; nil: draw the value
	from, at  string     // the path of this part as it was sent, and as it is drawn
	zone      *time.Location
	filled    int // fields that a person filled in
	wrong     *[]loyalty.FieldError
	searching *bool // it was sent to search a list in it
	out       *[]templates.FormField
	Sections  []templates.FormSection // as drawn so far
}

// New begins a form: typed is what was sent, nil to draw what a value holds.
func New(typed url.Values) *Form {
	return &Form{typed: typed, zone: loyalty.Zone(""), wrong: new([]loyalty.FieldError), searching: new(bool), out: new([]templates.FormField)}
}

// Section begins a part of the form.
func (f *Form) Section(title, help string, open bool) {
	f.Sections = append(f.Sections, templates.FormSection{Title: title, Help: help, Open: open})
	f.out = &f.Sections[len(f.Sections)-1].Fields
}

// Err is what could not be read, all of it; nil where all could.
func (f *Form) Err() error {
	if len(*f.wrong) == 0 {
		return nil
	}
	e := loyalty.Invalid("", "")
	e.Fields = *f.wrong
	return e
}

func (f *Form) fail(name, reason string) {
	*f.wrong = append(*f.wrong, loyalty.FieldError{Field: name, Reason: reason})
}

// Hidden sends a value along as it is.
func (f *Form) Hidden(name, value string) {
	*f.out = append(*f.out, templates.FormField{Kind: templates.FormHidden, Name: name, Value: value})
}

// Words is a hidden value that comes back.
func (f *Form) Words(name string, p *string) { line(f, templates.FormHidden, name, "", p) }

// Area is a text of some lines.
func (f *Form) Area(name, label string, p *string, words string) {
	line(f, templates.FormArea, name, label, p, help(words))
}

// Moment is a day and a time.
func (f *Form) Moment(name, label string, p *time.Time, words string) {
	f.moment(name, label, p, help(words))
}

// Reset draws another value in a field of the last section than was sent.
func (f *Form) Reset(name, value string) {
	for i := range *f.out {
		if (*f.out)[i].Name == name {
			(*f.out)[i].Value = value
		}
	}
}

// field is what a caller says of one, beside its name and label.
type field func(*templates.FormField)

func help(words string) field   { return func(v *templates.FormField) { v.Help = words } }
func suffix(words string) field { return func(v *templates.FormField) { v.Suffix = words } }
func required() field           { return func(v *templates.FormField) { v.Required = true } }

// when has a script show a field only while another has one of some values.
func when(name string, values ...string) field {
	return func(v *templates.FormField) { v.When = name + "=" + strings.Join(values, ",") }
}

func (f *Form) view(kind templates.FormKind, name, label string, more []field) templates.FormField {
	v := templates.FormField{Kind: kind, Name: f.at + name, Label: label}
	for _, m := range more {
		m(&v)
	}
	return v
}

// scalar is a field of one value. What was not changed is not read, so that it
// stays exactly what it was.
func (f *Form) scalar(kind templates.FormKind, name, label, shown string, read func(string) (reason string), more []field) {
	v := f.view(kind, name, label, more)
	v.Value = shown
	if f.typed != nil {
		v.Value = strings.TrimSpace(f.typed.Get(f.from + name))
		if v.Value != "" && kind != templates.FormChoice && kind != templates.FormHidden {
			f.filled++
		}
		if v.Value != shown {
			if reason := read(v.Value); reason != "" {
				f.fail(v.Name, reason)
			}
		}
	}
	for i := range v.Options {
		v.Options[i].Chosen = v.Options[i].Value == v.Value
	}
	*f.out = append(*f.out, v)
}

// line is a text.
func line[T ~string](f *Form, kind templates.FormKind, name, label string, p *T, more ...field) {
	f.scalar(kind, name, label, string(*p), func(s string) string {
		*p = T(s)
		return ""
	}, more)
}

// wholeNumber reads "1,200", and "−3" with either minus.
func wholeNumber(s string) (int64, error) {
	return strconv.ParseInt(strings.NewReplacer(",", "", "−", "-").Replace(s), 10, 64)
}

func number[T ~int | ~int64](f *Form, name, label string, p *T, more ...field) {
	shown := ""
	if *p != 0 {
		shown = strconv.FormatInt(int64(*p), 10)
	}
	f.scalar(templates.FormNumber, name, label, shown, func(s string) string {
		n, err := wholeNumber(s)
		if err != nil && s != "" || n > 1_000_000_000_000 || n < -1_000_000_000_000 {
			return "escribe un número entero"
		}
		*p = T(n)
		return ""
	}, more)
}

// count is a number that may be left open: nil where nothing is written.
func count[T ~int | ~int64](f *Form, name, label string, p **T, more ...field) {
	shown := ""
	if *p != nil {
		shown = strconv.FormatInt(int64(**p), 10)
	}
	f.scalar(templates.FormNumber, name, label, shown, func(s string) string {
		if s == "" {
			*p = nil
			return ""
		}
		n, err := wholeNumber(s)
		if err != nil || n > math.MaxInt32 || n < math.MinInt32 {
			return "escribe un número entero"
		}
		v := T(n)
		*p = &v
		return ""
	}, more)
}

// hundredths is an amount written with two decimals: pesos, or a percentage.
func hundredths[T ~int64](f *Form, kind templates.FormKind, name, label string, p *T, wrong string, more []field) {
	shown := ""
	if *p != 0 {
		shown = strconv.FormatInt(int64(*p)/100, 10)
		if part := *p % 100; part != 0 {
			shown += "." + strconv.FormatInt(int64(100+part), 10)[1:]
		}
	}
	f.scalar(kind, name, label, shown, func(s string) string {
		n, ok := int64(0), true
		if s != "" {
			n, ok = Pesos(strings.TrimSuffix(s, "%"))
		}
		if !ok {
			return wrong
		}
		*p = T(n)
		return ""
	}, more)
}

func pesos(f *Form, name, label string, p *loyalty.Cents, more ...field) {
	hundredths(f, templates.FormMoney, name, label, p, "escribe pesos, como 18.50", append(more, suffix("pesos")))
}

// rate is a percentage kept in hundredths of a percent.
func rate(f *Form, name, label string, p *int64, more ...field) {
	hundredths(f, templates.FormRate, name, label, p, "escribe un porcentaje, como 35 o 12.5", append(more, suffix("%")))
}

// typedMoment is how browsers write a day and a time.
const typedMoment = "2006-01-02T15:04"

func (f *Form) moment(name, label string, p *time.Time, more ...field) {
	shown := ""
	if !p.IsZero() {
		shown = p.In(f.zone).Format(typedMoment)
	}
	f.scalar(templates.FormMoment, name, label, shown, func(s string) string {
		if s == "" {
			*p = time.Time{}
			return ""
		}
		for _, form := range []string{typedMoment, typedMoment + ":05", time.DateOnly} {
			if t, err := time.ParseInLocation(form, s, f.zone); err == nil {
				*p = t.UTC()
				return ""
			}
		}
		return "escribe día y hora, como 2026-01-31T09:00"
	}, more)
}

func (f *Form) check(name, label string, p *bool, more ...field) {
	v := f.view(templates.FormCheck, name, label, more)
	if f.typed != nil {
		if *p = f.typed.Get(f.from+name) != ""; *p {
			f.filled++
		}
	}
	v.Checked = *p
	*f.out = append(*f.out, v)
}

// choice is one of some options, the first where none was made. A value that there
// is not is refused.
func choice[T ~string](f *Form, name, label string, p *T, options []templates.FormOption, more ...field) {
	options = slices.Clone(options)
	if *p != "" && !slices.ContainsFunc(options, func(o templates.FormOption) bool { return o.Value == string(*p) }) {
		options = append(options, templates.FormOption{Value: string(*p), Label: string(*p)})
	}
	f.scalar(templates.FormChoice, name, label, string(*p), func(s string) string {
		if !slices.ContainsFunc(options, func(o templates.FormOption) bool { return o.Value == s }) {
			return "elige una de las opciones"
		}
		*p = T(s)
		return ""
	}, append(more, func(v *templates.FormField) { v.Options = options }))
}
