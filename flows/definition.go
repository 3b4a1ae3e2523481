package flows

import (
	"bytes"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

// Audience says for whom a flow is.
type Audience string

// The audiences. Anyone is for consumers and tenderos alike.
const (
	Consumer Audience = "consumer"
	Tendero  Audience = "tendero"
	Anyone   Audience = "anyone"
)

// Definition is a conversation as data.
type Definition struct {
	Flow     string   `yaml:"flow"`
	Version  int      `yaml:"version"`
	Audience Audience `yaml:"audience"`
	// Title names the conversation where the bot comes back to it: "tu registro".
	Title string `yaml:"title"`
	// ClosesOpen ends whatever else was open when this flow begins, as BAJA does.
	ClosesOpen bool   `yaml:"closes_open"`
	Start      string `yaml:"start"`
	// Moves says where sessions go that wait in a state of an older version.
	Moves  map[string]string `yaml:"moves"`
	States map[string]State  `yaml:"states"`
}

// State does exactly one of say, ask, do and end.
type State struct {
	// Say answers with a text, and goes on to Next in the same turn.
	Say   string `yaml:"say"`
	Media Media  `yaml:"media"`
	Next  string `yaml:"next"`

	// Ask answers with a text and waits for an answer of the kind Expect.
	Ask    string `yaml:"ask"`
	Expect Expect `yaml:"expect"`
	// Retry is how often a wrong answer is asked again; then GiveUp (or the
	// timeout's state) follows.
	Retry    int      `yaml:"retry"`
	RetrySay string   `yaml:"retry_say"`
	GiveUp   string   `yaml:"give_up"`
	Timeout  *Timeout `yaml:"timeout"`
	// Soft marks a question that is an offer (a menu): it is not asked again
	// after something else was said, and a strange answer is no wrong answer.
	Soft bool `yaml:"soft"`

	// Do carries out an action.
	Do string `yaml:"do"`

	// On leads from each outcome of an ask or a do to a state.
	On map[string]string `yaml:"on"`

	// End ends the flow; Then names a flow to go on with.
	End  bool   `yaml:"end"`
	Then string `yaml:"then"`
}

// Timeout closes a question that nobody answered.
type Timeout struct {
	After Duration `yaml:"after"`
	To    string   `yaml:"to"`
}

// Duration is a time.Duration written as 15m or 24h.
type Duration time.Duration

// UnmarshalYAML reads a duration written as time.ParseDuration does.
func (d *Duration) UnmarshalYAML(b []byte) error {
	v, err := time.ParseDuration(string(bytes.Trim(bytes.TrimSpace(b), `"'`)))
	if err != nil {
		return fmt.Errorf("%q is no duration (write 15m or 24h)", bytes.TrimSpace(b))
	}
	*d = Duration(v)
	return nil
}

// Media is a picture that goes with a text.
type Media string

// The pictures: the card needs the variable card_code, the counter's shop_code.
const (
	MediaCardQR Media = "card_qr"
	MediaShopQR Media = "shop_qr"
)

// needs names the variable from which a picture is drawn.
func (m Media) needs() (string, bool) {
	switch m {
	case MediaCardQR:
		return VarCardCode, true
	case MediaShopQR:
		return VarShopCode, true
	default:
		return "", false
	}
}

// Kind says which of the four things a state does; empty when it does none or
// more than one.
func (s State) Kind() string {
	kind, n := "", 0
	for _, k := range []struct {
		name string
		is   bool
	}{{"say", s.Say != ""}, {"ask", s.Ask != ""}, {"do", s.Do != ""}, {"end", s.End}} {
		if k.is {
			kind = k.name
			n++
		}
	}
	if n != 1 {
		return ""
	}
	return kind
}

// ParseDefinition reads a definition. A key that no definition has, or one that
// is there twice, is an error: a typo must not be taken for silence.
func ParseDefinition(data []byte) (*Definition, error) {
	var d Definition
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&d); err != nil {
		return nil, fmt.Errorf("definition: %w", err)
	}
	return &d, nil
}
