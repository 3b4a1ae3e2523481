package templates

import "io"

// CampaignStartView is where a campaign begins: each recipe is a button of a form
// that posts owner and recipe to Action.
type CampaignStartView struct {
	Desk      DeskView
	ListURL   string
	Owner     string // of whom, as the form sends it
	Action    string
	ExpertURL string // the whole form
	Recipes   []CampaignRecipe
}

// CampaignRecipe is a campaign that is nearly ready.
type CampaignRecipe struct {
	Key  string
	Name string
	Text string
}

// CampaignStart renders the page.
func (s *Set) CampaignStart(w io.Writer, v CampaignStartView) error {
	return s.render(w, "campaign_start", "layout", v)
}

// AssistantStep is one of the assistant's pages.
type AssistantStep struct {
	Name string
	Path string // what the form posts as "ir" to save and go there
	URL  string // to go there where there is nothing to save
	Here bool
	Done bool
	Note string // "falta corregir"; "" where nothing is wrong
}

// CampaignReviewView is the last page of the assistant: all that was decided, what
// is wrong with it, and what can be done with it.
type CampaignReviewView struct {
	Desk        DeskView
	ListURL     string
	Name        string
	Steps       []AssistantStep
	Parts       []CampaignPart
	Rewards     []CampaignReward
	Preview     CampaignPreview
	Error       string // what kept it from being sent
	Send        *CampaignStep
	SimulateURL string
	CampaignURL string
	ExpertURL   string
	DiscardURL  string // a form that posts there throws the draft away; "" where it cannot be
}

// CampaignReview renders the page.
func (s *Set) CampaignReview(w io.Writer, v CampaignReviewView) error {
	return s.render(w, "campaign_review", "layout", v)
}

// Blocked says whether something keeps the campaign from being sent.
func (v CampaignReviewView) Blocked() bool {
	for _, f := range v.Preview.Findings {
		if f.Error {
			return true
		}
	}
	return false
}
