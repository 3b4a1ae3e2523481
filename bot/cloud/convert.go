package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/qoa-conectados/qoa/store"
)

// What becomes of a message that is not taken in.
const (
	skippedMalformed = "malformed" // no ID, or not a message at all
	skippedNobody    = "nobody"    // nobody is named as who wrote it
	skippedGroup     = "group"     // the bot talks to people one by one
	skippedSystem    = "system"    // WhatsApp's own notes, such as a changed number
	skippedWelcome   = "welcome"   // a chat was opened, and nothing written
)

// Limits of what is kept.
const (
	mostText = 65_536 // bytes; WhatsApp's own limit
	mostMime = 100
	mostID   = 128 // characters of a message's ID
)

// convert makes an inbox message of one of Meta's; skipped says why it is none.
// What has an ID and a sender is never skipped for what it holds: a kind that
// nobody knows is answered as such.
func convert(raw json.RawMessage, contacts []contact) (in store.Inbound, skipped string) {
	var p parts
	var h head
	if json.Unmarshal(raw, &p) != nil || json.Unmarshal(raw, &h) != nil || h.ID == "" {
		return in, skippedMalformed
	}
	switch {
	case h.GroupID != "":
		return in, skippedGroup
	case h.Type == "system":
		return in, skippedSystem
	case h.Type == "request_welcome":
		return in, skippedWelcome
	}
	who, ok := sender(h, contacts)
	if !ok {
		return in, skippedNobody
	}
	in = store.Inbound{Channel: Name, Sender: who, MessageID: messageKey(h.ID)}
	if h.Timestamp > 0 {
		in.SentAt = time.Unix(int64(h.Timestamp), 0).UTC()
	}
	p.fill(h.Type, &in)
	in.Text = cut(in.Text, mostText)
	return in, ""
}

// mediaKinds are the types whose content is fetched by an ID.
var mediaKinds = map[string]bool{"image": true, "audio": true, "video": true, "sticker": true, "document": true}

// fill sets what a message holds, by its type.
func (p parts) fill(kind string, in *store.Inbound) {
	in.Kind = "unsupported"
	if mediaKinds[kind] {
		in.Kind = kind
		var m mediaPart
		if p.into(kind, &m) && m.ID != "" && len(m.ID) <= mostID {
			in.Text, in.Media = m.Caption, &store.MediaSource{Mime: cut(m.Mime, mostMime), Ref: []byte(m.ID)}
		}
		return
	}
	switch kind {
	case "text":
		var t textPart
		if p.into("text", &t) {
			in.Kind, in.Text = "text", t.Body
		}
	case "button":
		var b buttonPart
		if p.into("button", &b) {
			in.Kind, in.Text = "text", b.Text
		}
	case "interactive":
		var i interactivePart
		if p.into("interactive", &i) && i.Button.Title+i.List.Title != "" {
			in.Kind, in.Text = "text", i.Button.Title+i.List.Title
		}
	case "location":
		in.Kind = "location"
	case "contacts":
		in.Kind = "contact"
	case "reaction":
		var r reactionPart
		if p.into("reaction", &r) {
			in.Kind, in.Text, in.Of = "reaction", r.Emoji, messageKey(r.MessageID)
		}
	case "edit":
		p.fillEdit(in)
	case "revoke":
		var r revokePart
		if p.into("revoke", &r) {
			in.Kind, in.Of = "delete", messageKey(r.Original)
		}
	case "unsupported":
		in.Kind = p.unsupported()
	}
}

// fillEdit takes the new words of a message that was sent before: its text, or
// the caption of its picture.
func (p parts) fillEdit(in *store.Inbound) {
	var e editPart
	if !p.into("edit", &e) {
		return
	}
	var t textPart
	var m mediaPart
	switch {
	case e.Message.into("text", &t):
		in.Text = t.Body
	case e.Message.into("image", &m), e.Message.into("video", &m), e.Message.into("document", &m):
		in.Text = m.Caption
	default:
		return
	}
	in.Kind, in.Of = "edit", messageKey(e.Original)
}

// unavailable is Meta's code for a message that it could not read: the person is
// asked to send it again.
const unavailable = 131060

// unsupported says what a message is that the API has no words for.
func (p parts) unsupported() string {
	var errs []graphError
	if p.into("errors", &errs) && len(errs) > 0 && errs[0].Code == unavailable {
		return "undecryptable"
	}
	var u unsupportedPart
	p.into("unsupported", &u)
	switch u.Type {
	case "poll_creation":
		return "poll"
	case "poll_update":
		return "poll_vote"
	}
	return "unsupported"
}

// messageKey is a message's ID as the inbox keeps it: Meta's own, which is always
// plain text of some sixty characters. Should it ever be something else, it is
// still the same for the same message.
func messageKey(id string) string {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(id) > mostID || strings.IndexFunc(id, odd) >= 0 {
		sum := sha256.Sum256([]byte(id))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return id
}

// cut shortens a text to so many bytes, at the end of a letter.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}
