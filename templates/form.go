package templates

import (
	"io"
	"strings"
)

// FormView is a page of one form in sections. It posts its fields to
// Action; the same page, with what was typed and what is wrong with it, is the
// answer to a form that cannot be taken.
type FormView struct {
	Desk     DeskView
	Title    string
	Intro    string
	Flash    string // after something was done
	Back     string // where "Cancelar" leads
	Action   string
	Get      bool   // it only asks: GET
	Submit   string // text of the button
	Errors   []FormError
	Sections []FormSection

	// Of a campaign's form: what it makes is shown beside it. PreviewURL takes the
	// form and answers the preview alone; the button "ver" draws the page with it.
	Preview    *CampaignPreview
	PreviewURL string
	Steps      []AssistantStep // of the assistant: "ir" saves and goes to a step
	ExpertURL  string          // the whole form of the same
	Keep       string          // under which a browser keeps what is typed until it is saved; "": it need not
}

// FormError is one line of what is wrong; At is the ID of the field, "" where it
// is about the whole.
type FormError struct {
	At   string
	Text string
}

// FormSection is a part of a form that can be folded.
type FormSection struct {
	Title  string
	Help   string
	Open   bool
	Fields []FormField
}

// Wrong says whether something in the section is to be corrected.
func (s FormSection) Wrong() bool { return anyWrong(s.Fields) }

func anyWrong(fields []FormField) bool {
	for i := range fields {
		if fields[i].Error != "" || anyWrong(fields[i].Fields) {
			return true
		}
		for _, row := range fields[i].Rows {
			if anyWrong(row.Fields) {
				return true
			}
		}
	}
	return false
}

// FormKind is what a field looks like.
type FormKind string

// The kinds of fields.
const (
	FormText   FormKind = "text"
	FormArea   FormKind = "area"
	FormNumber FormKind = "number" // a whole number
	FormMoney  FormKind = "money"  // pesos, "18.50"
	FormRate   FormKind = "rate"   // a percentage, "12.5"
	FormMoment FormKind = "moment" // day and time, "2006-01-02T15:04"
	FormClock  FormKind = "clock"  // "15:04"
	FormDay    FormKind = "day"    // "2006-01-02"
	FormCheck  FormKind = "check"
	FormChoice FormKind = "choice" // one of Options
	FormPick   FormKind = "pick"   // any of the options in Groups
	FormFind   FormKind = "find"   // any of a list that is too long to be shown: Finder
	FormRows   FormKind = "rows"   // fields again and again; the last rows are empty
	FormHidden FormKind = "hidden"
)

// FormField is one field. Name is what it posts.
type FormField struct {
	Kind     FormKind
	Name     string
	Label    string
	Help     string
	Error    string
	Value    string
	Suffix   string // after a number: "piezas"
	Required bool
	When     string // "scheme=stamps,both": with a script, shown only while it is so
	Checked  bool
	Options  []FormOption
	Groups   []FormGroup
	Finder   *FormFinder
	Fields   []FormField
	Rows     []FormRow
	Add      string // text of the button that adds a row
	Most     int    // rows that there may be
}

// FormOption is one choice.
type FormOption struct {
	Value  string
	Label  string
	Chosen bool
}

// FormItem is one entry of a list that is searched.
type FormItem struct {
	Value  string
	Label  string
	Detail string // an EAN, a city; may be empty
}

// FormFinder chooses from a list that is searched.
type FormFinder struct {
	Chosen  []FormItem
	URL     string // answers what a search finds, for form.js
	Hint    string // what can be searched for
	Words   string // as typed
	Was     string // the search that the results are of
	Filters []FormFilter
	Asked   bool
	Results []FormItem
	Total   int64 // that were found, shown or not, chosen or not
	Most    int64 // so many can be added at once
}

// More says whether not all that was found is shown.
func (f FormFinder) More() bool { return f.Total > int64(len(f.Results)) }

// FormFilter narrows a search.
type FormFilter struct {
	Name    string
	Label   string
	Any     string // no filter
	Options []FormOption
}

// FilterID of one of the filters.
func (f FormField) FilterID(name string) string { return f.ID() + "-by-" + name }

// ChoiceID of one of the options of a list that is searched.
func (f FormField) ChoiceID(value string) string { return f.ID() + "-" + value }

// Chips says whether so few are chosen that they need no fold.
func (f FormFinder) Chips() bool { return len(f.Chosen) <= 12 }

// FormResults renders what a search found, for form.js.
func (s *Set) FormResults(w io.Writer, v FormField) error {
	return s.render(w, "form", "form_found", v)
}

// FormGroup is some of the options to pick.
type FormGroup struct {
	Label   string
	Options []FormOption
}

// FormRow is one entry of FormRows.
type FormRow struct {
	Title  string
	Blank  bool // nobody wrote in it yet
	Fields []FormField
}

// ID of the control: the name, as a fragment of an address can say it.
func (f FormField) ID() string {
	return "f-" + strings.NewReplacer("[", "-", "].", "-", "]", "", ".", "-").Replace(f.Name)
}

// OptionID of one of the options to pick.
func (f FormField) OptionID(group, option int) string {
	return f.ID() + "-" + viewNumber(group) + "-" + viewNumber(option)
}

// Picked counts what is chosen of the options to pick.
func (f FormField) Picked() (n int) {
	for _, g := range f.Groups {
		for _, o := range g.Options {
			if o.Chosen {
				n++
			}
		}
	}
	return n
}

// Small says whether there are so few options to pick that they need no fold.
func (f FormField) Small() bool {
	return len(f.Groups) == 1 && len(f.Groups[0].Options) <= 8
}

// InputMode is the keyboard that a phone shows.
func (f FormField) InputMode() string {
	switch f.Kind { //nolint:exhaustive // the others are not typed on a keyboard of numbers
	case FormNumber:
		return "numeric"
	case FormMoney, FormRate:
		return "decimal"
	}
	return "text"
}

// InputType is the type of the input element.
func (f FormField) InputType() string {
	switch f.Kind { //nolint:exhaustive // the others are text
	case FormMoment:
		return "datetime-local"
	case FormClock:
		return "time"
	case FormDay:
		return "date"
	}
	return "text"
}

// Plain says whether the field is an input of one line.
func (f FormField) Plain() bool {
	switch f.Kind { //nolint:exhaustive // what has an element of its own
	case FormText, FormNumber, FormMoney, FormRate, FormMoment, FormClock, FormDay:
		return true
	}
	return false
}

// Form renders the page.
func (s *Set) Form(w io.Writer, v FormView) error { return s.render(w, "form", "layout", v) }
