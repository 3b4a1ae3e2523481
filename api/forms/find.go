package forms

import (
	"net/url"
	"slices"

	"github.com/qoa-conectados/qoa/templates"
)

// Source is a list to choose from that may be long.
type Source struct {
	URL     string // that answers searches, for a script
	Hint    string // what can be searched for
	Filters []templates.FormFilter
	// Find searches: "q" are words, the rest is called by the filters.
	Find func(by map[string]string, most int) ([]templates.FormItem, int64)
	// Named gives what was chosen before, by name.
	Named func(values []string) []templates.FormItem
}

const (
	mostFound = 30   // results at once
	mostAdded = 1000 // results that are added together
)

// Searching says whether the form was sent to search a list, so that nothing of it
// is to be saved yet.
func (f *Form) Searching() bool { return *f.searching }

// find is any number out of a list that is searched.
func find[T ~string](f *Form, name, label string, p *[]T, from Source, more ...field) {
	v := f.view(templates.FormFind, name, label, more)
	sent := f.from + name
	by := map[string]string{}
	if f.typed != nil {
		by = queryOf(f.typed, sent, from)
		f.filled += picked(f.typed[sent], p)
		if f.typed.Get("agregar") == sent && from.Find != nil {
			*f.searching = true
			added, _ := from.Find(by, mostAdded)
			for _, o := range added {
				if !slices.Contains(*p, T(o.Value)) {
					*p = append(*p, T(o.Value))
				}
			}
			by = map[string]string{}
		}
		if f.typed.Get("buscar") == sent || was(by) != f.typed.Get(sent+"~was") && f.typed.Has(sent+"~was") {
			*f.searching = true
			f.filled++ // somebody is at it
		}
	}
	v.Finder = Found(from, by)
	var values []string
	for _, s := range *p {
		values = append(values, string(s))
	}
	if len(values) > 0 && from.Named != nil {
		v.Finder.Chosen = from.Named(values)
	}
	for _, s := range values {
		if !slices.ContainsFunc(v.Finder.Chosen, func(o templates.FormItem) bool { return o.Value == s }) {
			v.Finder.Chosen = append(v.Finder.Chosen, templates.FormItem{Value: s, Label: "Ya no está en la lista"})
		}
	}
	v.Finder.Results = slices.DeleteFunc(v.Finder.Results, func(o templates.FormItem) bool { return slices.Contains(values, o.Value) })
	*f.out = append(*f.out, v)
}

// queryOf is the search in what was sent.
func queryOf(typed url.Values, sent string, from Source) map[string]string {
	by := map[string]string{}
	if q := typed.Get(sent + "~q"); q != "" {
		by["q"] = q
	}
	for _, filter := range from.Filters {
		if value := typed.Get(sent + "~" + filter.Name); value != "" {
			by[filter.Name] = value
		}
	}
	return by
}

// was is a search as one text.
func was(by map[string]string) string {
	q := url.Values{}
	for name, value := range by {
		q.Set(name, value)
	}
	return q.Encode()
}

// Found is a list as searched: by nothing, nothing is found.
func Found(from Source, by map[string]string) *templates.FormFinder {
	v := &templates.FormFinder{URL: from.URL, Hint: from.Hint, Words: by["q"], Was: was(by), Asked: len(by) > 0, Most: mostAdded}
	for _, filter := range from.Filters {
		filter.Options = slices.Clone(filter.Options)
		for i := range filter.Options {
			filter.Options[i].Chosen = filter.Options[i].Value == by[filter.Name]
		}
		v.Filters = append(v.Filters, filter)
	}
	if v.Asked && from.Find != nil {
		v.Results, v.Total = from.Find(by, mostFound)
	}
	return v
}
