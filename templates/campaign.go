package templates

import "io"

// CampaignsView lists campaigns to who owns them, or to all of whom an admin
// looks after.
type CampaignsView struct {
	Desk        DeskView
	Flash       string
	NewURL      string // "" for who makes none
	Action      string // the filter: a GET with q, estado and orden
	Words       string
	Status      string
	Tabs        []CampaignTab
	Orders      []FormOption
	Filtered    bool // there may be others
	Campaigns   []CampaignLine
	PreviousURL string
	NextURL     string
	Files       Files
	Admin       bool // owners are shown
}

// CampaignTab leads to the campaigns that stand in one place.
type CampaignTab struct {
	Name  string
	Count int64
	URL   string
	Here  bool
}

// CampaignLine is one campaign of the list.
type CampaignLine struct {
	URL     string
	Name    string
	Owner   string
	Status  CampaignStatus
	Dates   string
	Earn    string // "1 sello por pieza"
	Reach   string // "12 productos en todas las tiendas"
	Budgets []CampaignBudget
	Act     string // who must do what; "" where nobody must
	Yours   bool   // it is the reader
}

// CampaignStatus is where a campaign stands, in words; Tone is a class of pills.
type CampaignStatus struct {
	Word string
	Tone string
}

// Campaigns renders the list.
func (s *Set) Campaigns(w io.Writer, v CampaignsView) error {
	return s.render(w, "campaigns", "layout", v)
}

// CampaignView is one campaign as its owner reads it.
type CampaignView struct {
	Desk         DeskView
	ListURL      string
	Name         string
	Owner        string
	Status       CampaignStatus
	Act          string
	Flash        string
	Error        string // what kept a step from being taken
	Version      int
	Gist         []CampaignFact
	EditURL      string // "" where it cannot be changed
	AssistantURL string // of a draft
	SimulateURL  string
	ResultsURL   string // "" before it began
	ShopsURL     string // invitations; "" where shops need none
	Steps        []CampaignStep
	DiscardURL   string // a form that posts there throws the draft away; "" where it cannot be
	Findings     []CampaignFinding
	Parts        []CampaignPart
	Rewards      []CampaignReward
	NewReward    string // address of the form
	Budgets      []CampaignBudget
	Scheduled    *CampaignVersion
	CancelURL    string
	Versions     []CampaignVersion
}

// CampaignFact is a thing to know of a campaign at once.
type CampaignFact struct{ Label, Text string }

// CampaignStep is a button that moves the campaign on: a form that posts to
// Action.
type CampaignStep struct {
	Label  string
	Says   string // what will happen
	To     string
	Action string
	Reason bool // it is asked for
	Quiet  bool // not the step that one usually takes
}

// CampaignFinding is what the validator found.
type CampaignFinding struct {
	Error bool // else a warning
	Text  string
	URL   string // where it is corrected; may be empty
}

// CampaignPart is one part of the terms, in sentences.
type CampaignPart struct {
	Title string
	Lines []string
	URL   string // where it is changed; may be empty
}

// CampaignReward is a reward with what it asks for.
type CampaignReward struct {
	Name    string
	Cost    string // "10 sellos"
	Stock   string // "quedan 88 de 100", "sin límite"
	Details []string
	Active  bool
	EditURL string
}

// CampaignBudget is how a part of the budget stands.
type CampaignBudget struct {
	Label string // "sellos"
	Used  int64
	Cap   int64
}

// Left is what may still be given.
func (b CampaignBudget) Left() int64 { return max(b.Cap-b.Used, 0) }

// Percent is the part that was given.
func (b CampaignBudget) Percent() int64 {
	if b.Cap <= 0 {
		return 100
	}
	return b.Used * 100 / b.Cap
}

// CampaignVersion is one change.
type CampaignVersion struct {
	Number    int
	What      string // "Cambió las reglas"
	When      string
	HoldsFrom string
	Author    string
	Reason    string
	State     string // "en vigor", "programada", "cancelada"
	Removed   []string
	Added     []string
}

// Campaign renders the page.
func (s *Set) Campaign(w io.Writer, v CampaignView) error {
	return s.render(w, "campaign", "layout", v)
}

// ConfirmView asks once more before something is done. Yes posts the
// fields to Action.
type ConfirmView struct {
	Desk   DeskView
	Title  string
	Body   string
	Action string
	Fields []ConfirmField
	Yes    string
	Back   string
}

// ConfirmField is what the form sends again.
type ConfirmField struct{ Name, Value string }

// Confirm renders the page.
func (s *Set) Confirm(w io.Writer, v ConfirmView) error { return s.render(w, "confirm", "layout", v) }
