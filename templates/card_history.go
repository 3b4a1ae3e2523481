package templates

import (
	"html/template"
	"time"
)

// Movements are the lines of the history; gift is the icon of a reward. They are
// written by hand: twenty of them through html/template would cost as much as the
// rest of the page. What comes from outside is escaped, as it would be there.
func (v CardView) Movements(gift template.HTML) template.HTML { return movements(v.History, gift) }

func movements(all []CardPurchase, gift template.HTML) template.HTML {
	b := make([]byte, 0, 400*len(all))
	for i := range all {
		b = all[i].appendTo(b, gift)
	}
	return template.HTML(b) //nolint:gosec // every text went through HTMLEscapeString
}

func (p *CardPurchase) appendTo(b []byte, gift template.HTML) []byte {
	b = append(b, `<li><div><b>`...)
	switch {
	case p.What != "":
		b = appendText(b, p.What)
	case !p.Reward:
		b = appendText(b, p.Shop)
	case p.Shop != "":
		b = appendText(append(append(b, gift...), " Premio en "...), p.Shop)
	default:
		b = append(append(b, gift...), " Premio"...)
	}
	b = append(b, `</b><br><span`...)
	if p.Reversed {
		b = append(b, ` class="undone"`...)
	}
	b = appendText(append(b, '>'), viewList(p.Items))
	b = append(b, `</span><br><time class="quiet small" datetime="`...)
	b = p.At.AppendFormat(b, time.RFC3339)
	b = append(append(append(b, `">`...), viewMoment(p.At)...), `</time></div><div class="got`...)
	if p.Reward || p.Less {
		b = append(b, " spent"...)
	}
	b = append(b, `">`...)
	if p.Reversed {
		return append(b, `<span class="pill">devuelta</span></div></li>`...)
	}
	for _, earned := range p.Earned {
		b = append(appendText(b, earned), `<br>`...)
	}
	if p.Note != "" {
		b = append(appendText(append(b, `<span class="pill">`...), p.Note), `</span>`...)
	}
	if p.Pending {
		b = append(b, `<span class="pill degraded">por confirmar</span>`...)
	}
	return append(b, `</div></li>`...)
}

// appendText adds a text that may be anybody's.
func appendText(b []byte, text string) []byte {
	return append(b, template.HTMLEscapeString(text)...)
}
