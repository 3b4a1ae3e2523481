package flows

import (
	"maps"
	"time"
)

// Session is one person's conversation between two messages: plain JSON. The
// zero value is a conversation in which nothing is open.
type Session struct {
	Frame
	// Stack holds questions that were interrupted, the latest last.
	Stack []Frame `json:"stack,omitempty"`
}

// Frame is a place in a flow.
type Frame struct {
	Flow    string            `json:"flow,omitempty"`
	Version int               `json:"version,omitempty"`
	State   string            `json:"state,omitempty"`
	Vars    map[string]string `json:"vars,omitempty"`
	// Since is when the question was asked, Deadline when it closes.
	Since    time.Time `json:"since,omitzero"`
	Deadline time.Time `json:"deadline,omitzero"`
	Retries  int       `json:"retries,omitempty"`
}

// Open says whether a flow is open.
func (s Session) Open() bool { return s.Flow != "" }

// clone copies a session so that a step never changes the one it was given.
func (s Session) clone() Session {
	s.Vars = maps.Clone(s.Vars)
	stack := make([]Frame, len(s.Stack))
	for i, f := range s.Stack {
		f.Vars = maps.Clone(f.Vars)
		stack[i] = f
	}
	s.Stack = stack
	if len(stack) == 0 {
		s.Stack = nil
	}
	return s
}

// MessageKind is what arrived.
type MessageKind string

// The kinds of message. Text is the zero value.
const (
	TextMessage MessageKind = ""
	Image       MessageKind = "image"
	Sticker     MessageKind = "sticker"
	Audio       MessageKind = "audio"
	Video       MessageKind = "video"
	Location    MessageKind = "location"
	Contact     MessageKind = "contact"
	Document    MessageKind = "document"
	Poll        MessageKind = "poll"
	// Unreadable is a message that could not be decrypted.
	Unreadable MessageKind = "unreadable"
	// Other is anything else.
	Other MessageKind = "other"
)

// kinds are all that are no text; there is a text for each.
func kinds() []MessageKind {
	return []MessageKind{Image, Sticker, Audio, Video, Location, Contact, Document, Poll, Unreadable, Other}
}

// Message is what a person sent. Text is also the caption of a picture.
type Message struct {
	Kind MessageKind
	Text string
}

// words are what a person wrote: in a message, or below what they sent. The name
// of a place or of a contact, and the question of a poll, are not addressed to us.
func (m Message) words() string {
	switch m.Kind {
	case TextMessage, Image, Video, Document:
		return m.Text
	}
	return ""
}

// Outcome is how an action ended, and the variables it sets.
type Outcome struct {
	Name string
	Vars map[string]string
}

// Input is what a step is given: a message, or the outcome of the action that
// the step before asked for.
type Input struct {
	Message *Message
	Outcome *Outcome
	// Role is what the person may be taken for: Tendero when the phone is a
	// tendero's, else Consumer.
	Role Audience
	Now  time.Time
	// Given are the variables named by the function Given.
	Given map[string]string
}

// Reply is one text of the answer.
type Reply struct {
	Template string
	Vars     map[string]string
	Media    Media

	flow string
}

// Call asks the runner to carry out an action. Args are all variables of the
// flow; the registry says which of them the action reads.
type Call struct {
	Action string
	Args   map[string]string

	flow string
}

// Output is what came of a step. With Do, the runner carries out the action and
// steps again with its outcome; else the turn is over, and Wait says whether a
// question is open.
type Output struct {
	Replies []Reply
	Do      *Call
	Wait    bool
}
