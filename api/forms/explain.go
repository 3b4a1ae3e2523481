package forms

import (
	"strings"

	"github.com/qoa-conectados/qoa/store/loyalty"
	"github.com/qoa-conectados/qoa/templates"
)

// Explain puts what is wrong beside the fields that it is about, and lists it
// with links to them; detail stands where no field is named.
func Explain(v *templates.FormView, detail string, wrong []loyalty.FieldError) {
	if len(wrong) == 0 {
		v.Errors = append(v.Errors, templates.FormError{Text: detail})
	}
	v.Errors = append(v.Errors, Told(v.Sections, wrong)...)
	for _, e := range wrong {
		found := nearest(v.Sections, e.Field)
		if found == nil {
			continue
		}
		if found.Error != "" {
			found.Error += "; "
		}
		found.Error += plain.Replace(e.Reason)
	}
}

// Told says what is wrong by the labels of the fields that it is about.
func Told(sections []templates.FormSection, wrong []loyalty.FieldError) []templates.FormError {
	var all []templates.FormError
	for _, e := range wrong {
		told := templates.FormError{Text: plain.Replace(e.Reason)}
		if found := nearest(sections, e.Field); found != nil {
			told = templates.FormError{At: found.ID(), Text: found.Label + ": " + told.Text}
		}
		all = append(all, told)
	}
	return all
}

// plain says names of the API as the form does.
var plain = strings.NewReplacer(
	"all_products", "«todos los productos»", "all_shops", "«todas las tiendas»", "scheme es both", "se juntan sellos y puntos",
	"keep es period", "se gana de nuevo cada periodo", "con unit o peso", "por pieza o por peso",
	"purchases para", "«compras que ganan» para", "true para", "aparte en cada tienda para", "hour o day", "hora o día",
	"on, days o inactive_days", "días después de ganarse, días sin ganar, o una fecha", "starts_at", "el inicio",
)

// nearest is the field of a path, or of the longest part of the path that has
// one.
func nearest(sections []templates.FormSection, path string) *templates.FormField {
	for ; path != ""; path = path[:max(strings.LastIndexAny(path, ".["), 0)] {
		for i := range sections {
			if v := fieldOf(sections[i].Fields, path); v != nil {
				return v
			}
		}
	}
	return nil
}

func fieldOf(fields []templates.FormField, name string) *templates.FormField {
	for i := range fields {
		v := &fields[i]
		if v.Name == name && v.Kind != templates.FormHidden {
			return v
		}
		for _, row := range v.Rows {
			if found := fieldOf(row.Fields, name); found != nil {
				return found
			}
		}
	}
	return nil
}

// Plain says names of the API in a sentence as the forms call them.
func Plain(sentence string) string { return plain.Replace(sentence) }
