package templates

import (
	"html/template"
	"io"
	"regexp"
	"strings"
)

// CampaignPreview is what is being written of a campaign, as its consumers will
// see it.
type CampaignPreview struct {
	Card     template.HTML // by the card's own template
	Sale     string        // what a purchase would give, by the rules
	Chat     string        // what WhatsApp would say of it, with *bold*
	Findings []CampaignFinding
}

var chatBold = regexp.MustCompile(`\*([^*\n]+)\*`)

// Bubble is the message as the chat draws it.
func (v CampaignPreview) Bubble() template.HTML {
	text := chatBold.ReplaceAllString(template.HTMLEscapeString(v.Chat), "<b>$1</b>")
	return template.HTML(strings.ReplaceAll(text, "\n", "<br>")) //nolint:gosec // escaped before
}

// CampaignPreview renders the preview alone: what form.js puts beside the form.
func (s *Set) CampaignPreview(w io.Writer, v CampaignPreview) error {
	return s.render(w, "form", "campaign_preview", v)
}
