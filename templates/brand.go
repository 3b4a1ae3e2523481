package templates

import (
	"html/template"
	"io"
)

// BrandView is a brand's front /marca: its campaigns at a glance.
type BrandView struct {
	Desk       DeskView
	NewURL     string
	Campaigns  []BrandGlance
	Files      Files
	NextURL    string
	Reorders   []BrandReorder // the latest
	ReorderURL string
}

// BrandGlance is a campaign in one card.
type BrandGlance struct {
	Name    string
	URL     string // its results
	Owner   string // "" where all are one's own
	Status  CampaignStatus
	Dates   string
	Figures []Figure // none before it ran
	ROI     BrandROI
	ByDay   []int64 // purchases of the latest days
	Trend   string  // the same in words
	Change  Change
	Act     string // what to do next; "" where nothing is
	ActURL  string
	ActName string
}

// Spark is the trend as a drawing.
func (g BrandGlance) Spark() template.HTML { return Spark(g.ByDay) }

// Brand renders the page.
func (s *Set) Brand(w io.Writer, v BrandView) error { return s.render(w, "brand", "layout", v) }
