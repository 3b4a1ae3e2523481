package templates

import (
	"html/template"
	"io"
)

// ResultsView is one campaign's life over one period. The form is a GET to
// PageURL with from and to (YYYY-MM-DD).
type ResultsView struct {
	Desk        DeskView
	PageURL     string
	ListURL     string
	CampaignURL string
	Campaign    string
	Owner       string
	Status      CampaignStatus
	Dates       string
	Presets     []DeskLink
	From, To    string // as they were typed
	Wrong       FormError
	Period      string // "Del 1 al 30 de noviembre de 2026"
	Compared    string // with which period; "" where there is none

	Empty   string // why there is nothing to see, and what to do; "" where there is
	ROI     *BrandROI
	Before  string // the return of the period before
	People  []Figure
	Buying  []Figure
	Rewards []Figure

	Activity Chart
	Redeemed Chart
	Weeks    []WeekPoint

	Products, Shops, ByReward, ByTier ResultTable
	Files                             Files
}

// ResultTable is a part of the results: a ranking for a glance, all of it as a
// table, and as a file.
type ResultTable struct {
	ID      string
	Title   string
	Icon    string
	Help    string
	Ranking Ranking
	Columns []string // the first names the row; the others are numbers
	Rows    []ResultRow
	Empty   string
	Files   Files
}

// Column names the column of a cell: on a phone a row is a list of them.
func (t ResultTable) Column(cell int) string {
	if cell+1 < len(t.Columns) {
		return t.Columns[cell+1]
	}
	return ""
}

// ResultRow is a line of a table.
type ResultRow struct {
	Name  string
	Note  string
	Cells []string
}

// Cents and Number write a cell.
func Cents(cents int64) string { return viewMoney(cents) }

// Number writes a whole number.
func Number(n int64) string { return viewNumber(n) }

// Chart is the figure of the weeks.
func (v ResultsView) Chart() template.HTML {
	return WeeklyChart("Contribución y costo por semana", v.Weeks)
}

// Results renders the page.
func (s *Set) Results(w io.Writer, v ResultsView) error {
	return s.render(w, "brand_results", "layout", v)
}
