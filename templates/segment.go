package templates

import "io"

// SegmentsView lists groups of consumers: how many they are, and never who.
type SegmentsView struct {
	Desk     DeskView
	Flash    string
	NewURL   string
	Files    Files
	Segments []SegmentLine
}

// SegmentLine is one group.
type SegmentLine struct {
	URL     string
	Name    string
	Owner   string
	Members int64
	How     string // "por lo que compran, al 3 de noviembre", "por tarjeta"
}

// Segments renders the list.
func (s *Set) Segments(w io.Writer, v SegmentsView) error {
	return s.render(w, "segments", "layout", v)
}

// ParticipantsView are the shops that were invited to a campaign or joined it,
// and the form that invites more: it posts its fields to Action.
type ParticipantsView struct {
	Desk     DeskView
	Campaign string
	Back     string
	Flash    string
	Errors   []FormError
	How      string // how a shop comes to take part
	Shops    []ParticipantLine
	Files    Files
	Action   string // "" where nobody is invited
	Fields   []FormField
}

// ParticipantLine is one shop.
type ParticipantLine struct {
	Name   string
	City   string
	Status CampaignStatus
	Since  string
}

// Participants renders the page.
func (s *Set) Participants(w io.Writer, v ParticipantsView) error {
	return s.render(w, "participants", "layout", v)
}

// InvitationsView is what a tendero's shops are invited to or may join. Each
// form posts campaign, shop and answer (accept, decline, join) to Action.
type InvitationsView struct {
	Desk        DeskView
	Flash       string
	Error       string
	Action      string
	Invitations []InvitationLine
}

// InvitationLine is one campaign for one shop.
type InvitationLine struct {
	Campaign string // ID
	Shop     string // ID
	ShopName string
	Name     string
	Earn     string
	Dates    string
	Rewards  []string
	Invited  bool // else the shop may join by itself
}

// Invitations renders the page.
func (s *Set) Invitations(w io.Writer, v InvitationsView) error {
	return s.render(w, "invitations", "layout", v)
}
