package whatsapp

import (
	"encoding/json"
	"strings"

	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/proto"
)

// content is what a message says, in the words of the inbox.
type content struct {
	kind  string
	text  string // or the caption
	of    string // the message that an edit, a deletion, a reaction or a vote is about
	media *attachment
}

// attachment is a file that can be fetched.
type attachment struct {
	mime string
	size int64
	ref  []byte // a waE2E.Message that holds nothing but the file's address and keys
}

// mostWrappers is how deep a message may be wrapped. WhatsApp's own clients
// stop at three.
const mostWrappers = 8

// unwrap takes a message out of whatever it was put into: disappearing, view
// once, a document with a caption, part of an album, edited.
func unwrap(m *waE2E.Message) *waE2E.Message {
	for range mostWrappers {
		var inner *waE2E.Message
		for _, w := range []*waE2E.FutureProofMessage{
			m.GetEphemeralMessage(), m.GetViewOnceMessage(), m.GetViewOnceMessageV2(), m.GetViewOnceMessageV2Extension(),
			m.GetDocumentWithCaptionMessage(), m.GetEditedMessage(), m.GetLottieStickerMessage(), m.GetAssociatedChildMessage(),
			m.GetGroupMentionedMessage(), m.GetSpoilerMessage(), m.GetBotInvokeMessage(), m.GetPollCreationMessageV4(),
		} {
			if w.GetMessage() != nil {
				inner = w.GetMessage()
				break
			}
		}
		if inner == nil {
			return m
		}
		m = inner
	}
	return m
}

// convert reads a message. ok is false for what is no message of a person: a
// setting of the chat, keys, the announcement of an album whose pictures follow.
func convert(m *waE2E.Message) (c content, ok bool) {
	if m = unwrap(m); m == nil {
		return content{}, false
	}
	if text, is := textOf(m); is {
		return content{kind: "text", text: text}, true
	}
	if c, is := fileOf(m); is {
		return c, true
	}
	switch {
	// Where a person is and whom they know is nobody's business here: the inbox
	// says that it came, and the answer is polite.
	case m.LocationMessage != nil, m.LiveLocationMessage != nil:
		return content{kind: "location"}, true
	case m.ContactMessage != nil, m.ContactsArrayMessage != nil:
		return content{kind: "contact"}, true
	case m.ReactionMessage != nil:
		return content{kind: "reaction", text: m.ReactionMessage.GetText(), of: m.ReactionMessage.GetKey().GetID()}, true
	case m.PollUpdateMessage != nil:
		return content{kind: "poll_vote", of: m.PollUpdateMessage.GetPollCreationMessageKey().GetID()}, true
	case m.ProtocolMessage != nil:
		return convertProtocol(m.ProtocolMessage)
	case isNoMessage(m):
		return content{}, false
	}
	for _, poll := range []*waE2E.PollCreationMessage{
		m.PollCreationMessage, m.PollCreationMessageV2, m.PollCreationMessageV3, m.PollCreationMessageV5, m.PollCreationMessageV6,
	} {
		if poll != nil {
			return content{kind: "poll", text: poll.GetName()}, true
		}
	}
	return content{kind: "unsupported"}, true
}

// textOf gives what was typed or chosen: the title of a list's row and the label
// of a button are what the person meant to say.
func textOf(m *waE2E.Message) (string, bool) {
	switch {
	case m.Conversation != nil:
		return m.GetConversation(), true
	case m.ExtendedTextMessage != nil:
		return m.ExtendedTextMessage.GetText(), true
	case m.ListResponseMessage != nil:
		return first(m.ListResponseMessage.GetTitle(), m.ListResponseMessage.GetSingleSelectReply().GetSelectedRowID()), true
	case m.ButtonsResponseMessage != nil:
		return first(m.ButtonsResponseMessage.GetSelectedDisplayText(), m.ButtonsResponseMessage.GetSelectedButtonID()), true
	case m.TemplateButtonReplyMessage != nil:
		return first(m.TemplateButtonReplyMessage.GetSelectedDisplayText(), m.TemplateButtonReplyMessage.GetSelectedID()), true
	case m.InteractiveResponseMessage != nil:
		return first(m.InteractiveResponseMessage.GetBody().GetText(), chosenID(m.InteractiveResponseMessage)), true
	}
	return "", false
}

// chosenID is the ID that a native flow carries back, where it has no words.
func chosenID(m *waE2E.InteractiveResponseMessage) string {
	var params struct {
		ID string `json:"id"`
	}
	if json.Unmarshal([]byte(m.GetNativeFlowResponseMessage().GetParamsJSON()), &params) != nil {
		return ""
	}
	return params.ID
}

// fileOf reads messages that carry a file. What is kept to fetch it later is the
// address and the keys: not the preview, the quoted message or who forwarded it.
func fileOf(m *waE2E.Message) (content, bool) {
	switch {
	case m.ImageMessage != nil:
		f := m.ImageMessage
		return withFile("image", f.GetCaption(), f.GetMimetype(), f.GetFileLength(), &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
			URL: f.URL, DirectPath: f.DirectPath, MediaKey: f.MediaKey, FileSHA256: f.FileSHA256, FileEncSHA256: f.FileEncSHA256, FileLength: f.FileLength,
		}}), true
	case m.AudioMessage != nil:
		f := m.AudioMessage
		return withFile("audio", "", f.GetMimetype(), f.GetFileLength(), &waE2E.Message{AudioMessage: &waE2E.AudioMessage{
			URL: f.URL, DirectPath: f.DirectPath, MediaKey: f.MediaKey, FileSHA256: f.FileSHA256, FileEncSHA256: f.FileEncSHA256, FileLength: f.FileLength,
		}}), true
	case m.VideoMessage != nil, m.PtvMessage != nil:
		f := m.VideoMessage
		if f == nil {
			f = m.PtvMessage
		}
		return withFile("video", f.GetCaption(), f.GetMimetype(), f.GetFileLength(), &waE2E.Message{VideoMessage: &waE2E.VideoMessage{
			URL: f.URL, DirectPath: f.DirectPath, MediaKey: f.MediaKey, FileSHA256: f.FileSHA256, FileEncSHA256: f.FileEncSHA256, FileLength: f.FileLength,
		}}), true
	case m.StickerMessage != nil:
		f := m.StickerMessage
		return withFile("sticker", "", f.GetMimetype(), f.GetFileLength(), &waE2E.Message{StickerMessage: &waE2E.StickerMessage{
			URL: f.URL, DirectPath: f.DirectPath, MediaKey: f.MediaKey, FileSHA256: f.FileSHA256, FileEncSHA256: f.FileEncSHA256, FileLength: f.FileLength,
		}}), true
	case m.DocumentMessage != nil:
		f := m.DocumentMessage
		return withFile("document", f.GetCaption(), f.GetMimetype(), f.GetFileLength(), &waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
			URL: f.URL, DirectPath: f.DirectPath, MediaKey: f.MediaKey, FileSHA256: f.FileSHA256, FileEncSHA256: f.FileEncSHA256, FileLength: f.FileLength,
		}}), true
	}
	return content{}, false
}

func withFile(kind, caption, mime string, size uint64, only *waE2E.Message) content {
	c := content{kind: kind, text: caption}
	if ref, err := proto.Marshal(only); err == nil {
		mime, _, _ = strings.Cut(mime, ";")                                                           // audio/ogg; codecs=opus
		c.media = &attachment{mime: strings.TrimSpace(mime), size: int64(min(size, 1<<40)), ref: ref} //nolint:gosec // bounded here
	}
	return c
}

// convertProtocol reads what is said about an earlier message.
func convertProtocol(p *waE2E.ProtocolMessage) (content, bool) {
	switch p.GetType() {
	case waE2E.ProtocolMessage_REVOKE:
		return content{kind: "delete", of: p.GetKey().GetID()}, p.GetKey().GetID() != ""
	case waE2E.ProtocolMessage_MESSAGE_EDIT:
		edited, ok := convert(p.GetEditedMessage())
		return content{kind: "edit", text: edited.text, of: p.GetKey().GetID()}, ok && p.GetKey().GetID() != ""
	}
	return content{}, false
}

// isNoMessage says whether nobody wrote this, or it needs no answer.
func isNoMessage(m *waE2E.Message) bool {
	if m.AlbumMessage != nil || m.KeepInChatMessage != nil || m.PinInChatMessage != nil || m.CallLogMesssage != nil ||
		m.EncReactionMessage != nil || m.MessageHistoryBundle != nil || m.MessageHistoryNotice != nil || m.DeviceSentMessage != nil {
		return true
	}
	// Keys and the context of a message are no message; what our version of the
	// protocol does not know is one.
	rest := proto.Clone(m).(*waE2E.Message)
	rest.SenderKeyDistributionMessage, rest.FastRatchetKeySenderKeyDistributionMessage, rest.MessageContextInfo = nil, nil, nil
	return proto.Size(rest) == 0
}

// first gives the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
