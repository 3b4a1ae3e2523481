package cloud

import "encoding/json"

// What Meta posts. Only the frame is decoded at once: a part that is not as
// expected must not cost the others.

type notification struct {
	Object string  `json:"object"`
	Entry  []entry `json:"entry"`
}

type entry struct {
	Changes []change `json:"changes"`
}

type change struct {
	Field string          `json:"field"`
	Value json.RawMessage `json:"value"`
}

// value is that of a change in the field "messages".
type value struct {
	Metadata struct {
		PhoneID string `json:"phone_number_id"`
		Phone   string `json:"display_phone_number"`
	} `json:"metadata"`
	Contacts []json.RawMessage `json:"contacts"`
	Messages []json.RawMessage `json:"messages"`
	Statuses []json.RawMessage `json:"statuses"`
	Errors   []json.RawMessage `json:"errors"`
}

type contact struct {
	WaID   string `json:"wa_id"`
	UserID string `json:"user_id"`
}

// status is how far a message of ours came.
type status struct {
	ID        string       `json:"id"`
	Status    string       `json:"status"`
	Timestamp stamp        `json:"timestamp"`
	Opaque    string       `json:"biz_opaque_callback_data"`
	Errors    []graphError `json:"errors"`
}

// head is what every message has.
type head struct {
	ID        string `json:"id"`
	From      string `json:"from"`
	UserID    string `json:"from_user_id"`
	GroupID   string `json:"group_id"`
	Timestamp stamp  `json:"timestamp"`
	Type      string `json:"type"`
}

type textPart struct {
	Body string `json:"body"`
}

type mediaPart struct {
	ID      string `json:"id"`
	Mime    string `json:"mime_type"`
	Caption string `json:"caption"`
}

type buttonPart struct {
	Text string `json:"text"`
}

type interactivePart struct {
	Button struct {
		Title string `json:"title"`
	} `json:"button_reply"`
	List struct {
		Title string `json:"title"`
	} `json:"list_reply"`
}

type reactionPart struct {
	MessageID string `json:"message_id"`
	Emoji     string `json:"emoji"`
}

type editPart struct {
	Original string `json:"original_message_id"`
	Message  parts  `json:"message"`
}

type revokePart struct {
	Original string `json:"original_message_id"`
}

type unsupportedPart struct {
	Type string `json:"type"`
}

// parts are the members of a message, of which each is decoded by itself.
type parts map[string]json.RawMessage

// into decodes one member; false where it is missing or not as expected.
func (p parts) into(name string, to any) bool {
	raw, ok := p[name]
	return ok && json.Unmarshal(raw, to) == nil
}

// stamp is a moment in seconds since 1970, which Meta writes as a string.
type stamp int64

// UnmarshalJSON takes a number too. What is neither is no moment, and no reason
// to refuse the rest.
func (s *stamp) UnmarshalJSON(b []byte) error {
	var n json.Number
	if json.Unmarshal(b, &n) != nil {
		return nil
	}
	if v, err := n.Int64(); err == nil && v > 0 && v < 1<<33 {
		*s = stamp(v)
	}
	return nil
}
