package whatsapp

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waCommon"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

func wrapped(m *waE2E.Message) *waE2E.FutureProofMessage {
	return &waE2E.FutureProofMessage{Message: m}
}

func said(text string) *waE2E.Message { return &waE2E.Message{Conversation: proto.String(text)} }

func TestConvertEveryKind(t *testing.T) {
	key := &waCommon.MessageKey{ID: proto.String("3EB0AA")}
	image := &waE2E.Message{ImageMessage: &waE2E.ImageMessage{
		Caption: proto.String("mi ticket"), Mimetype: proto.String("image/jpeg"), FileLength: proto.Uint64(1234),
		DirectPath: proto.String("/v/x"), MediaKey: []byte{1}, JPEGThumbnail: []byte("a preview that must not be kept"),
	}}
	for name, c := range map[string]struct {
		in   *waE2E.Message
		want content // of media only what is beside the reference
		none bool
	}{
		"text":          {in: said("hola"), want: content{kind: "text", text: "hola"}},
		"extended text": {in: &waE2E.Message{ExtendedTextMessage: &waE2E.ExtendedTextMessage{Text: proto.String("hola")}}, want: content{kind: "text", text: "hola"}},
		"disappearing":  {in: &waE2E.Message{EphemeralMessage: wrapped(said("hola"))}, want: content{kind: "text", text: "hola"}},
		"wrapped twice": {in: &waE2E.Message{EphemeralMessage: wrapped(&waE2E.Message{ViewOnceMessageV2: wrapped(image)})},
			want: content{kind: "image", text: "mi ticket", media: &attachment{mime: "image/jpeg", size: 1234}}},
		"a document with a caption": {in: &waE2E.Message{DocumentWithCaptionMessage: wrapped(&waE2E.Message{DocumentMessage: &waE2E.DocumentMessage{
			Caption: proto.String("factura"), Mimetype: proto.String("application/pdf"), FileLength: proto.Uint64(9)}})},
			want: content{kind: "document", text: "factura", media: &attachment{mime: "application/pdf", size: 9}}},
		"a voice note": {in: &waE2E.Message{AudioMessage: &waE2E.AudioMessage{Mimetype: proto.String("audio/ogg; codecs=opus"), FileLength: proto.Uint64(7)}},
			want: content{kind: "audio", media: &attachment{mime: "audio/ogg", size: 7}}},
		"a round video": {in: &waE2E.Message{PtvMessage: &waE2E.VideoMessage{Mimetype: proto.String("video/mp4")}},
			want: content{kind: "video", media: &attachment{mime: "video/mp4"}}},
		"a sticker": {in: &waE2E.Message{StickerMessage: &waE2E.StickerMessage{Mimetype: proto.String("image/webp")}},
			want: content{kind: "sticker", media: &attachment{mime: "image/webp"}}},
		"a moving sticker": {in: &waE2E.Message{LottieStickerMessage: wrapped(&waE2E.Message{StickerMessage: &waE2E.StickerMessage{Mimetype: proto.String("image/webp")}})},
			want: content{kind: "sticker", media: &attachment{mime: "image/webp"}}},
		"a place":            {in: &waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(19.4), Name: proto.String("mi casa")}}, want: content{kind: "location"}},
		"a place that moves": {in: &waE2E.Message{LiveLocationMessage: &waE2E.LiveLocationMessage{}}, want: content{kind: "location"}},
		"a contact":          {in: &waE2E.Message{ContactMessage: &waE2E.ContactMessage{DisplayName: proto.String("Beto")}}, want: content{kind: "contact"}},
		"contacts":           {in: &waE2E.Message{ContactsArrayMessage: &waE2E.ContactsArrayMessage{}}, want: content{kind: "contact"}},
		"a poll":             {in: &waE2E.Message{PollCreationMessageV3: &waE2E.PollCreationMessage{Name: proto.String("¿Cuál?")}}, want: content{kind: "poll", text: "¿Cuál?"}},
		"a vote":             {in: &waE2E.Message{PollUpdateMessage: &waE2E.PollUpdateMessage{PollCreationMessageKey: key}}, want: content{kind: "poll_vote", of: "3EB0AA"}},
		"a reaction":         {in: &waE2E.Message{ReactionMessage: &waE2E.ReactionMessage{Key: key, Text: proto.String("👍")}}, want: content{kind: "reaction", text: "👍", of: "3EB0AA"}},
		"a deletion":         {in: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Key: key, Type: waE2E.ProtocolMessage_REVOKE.Enum()}}, want: content{kind: "delete", of: "3EB0AA"}},
		"an edit": {in: &waE2E.Message{EditedMessage: wrapped(&waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
			Key: key, Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: said("Lupita")}})},
			want: content{kind: "edit", text: "Lupita", of: "3EB0AA"}},
		"an edited caption": {in: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{
			Key: key, Type: waE2E.ProtocolMessage_MESSAGE_EDIT.Enum(), EditedMessage: image}},
			want: content{kind: "edit", text: "mi ticket", of: "3EB0AA"}},
		"a row of a list": {in: &waE2E.Message{ListResponseMessage: &waE2E.ListResponseMessage{Title: proto.String("Mi saldo")}}, want: content{kind: "text", text: "Mi saldo"}},
		"a button": {in: &waE2E.Message{ButtonsResponseMessage: &waE2E.ButtonsResponseMessage{
			SelectedButtonID: proto.String("1"), Response: &waE2E.ButtonsResponseMessage_SelectedDisplayText{SelectedDisplayText: "Sí"}}},
			want: content{kind: "text", text: "Sí"}},
		"a button of a template": {in: &waE2E.Message{TemplateButtonReplyMessage: &waE2E.TemplateButtonReplyMessage{SelectedID: proto.String("2")}}, want: content{kind: "text", text: "2"}},
		"a native flow": {in: &waE2E.Message{InteractiveResponseMessage: &waE2E.InteractiveResponseMessage{
			InteractiveResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage_{
				NativeFlowResponseMessage: &waE2E.InteractiveResponseMessage_NativeFlowResponseMessage{ParamsJSON: proto.String(`{"id":"saldo"}`)}}}},
			want: content{kind: "text", text: "saldo"}},
		"a payment":                {in: &waE2E.Message{SendPaymentMessage: &waE2E.SendPaymentMessage{}}, want: content{kind: "unsupported"}},
		"something yet unknown":    {in: unknown(t), want: content{kind: "unsupported"}},
		"keys of a group":          {in: &waE2E.Message{SenderKeyDistributionMessage: &waE2E.SenderKeyDistributionMessage{}, MessageContextInfo: &waE2E.MessageContextInfo{}}, none: true},
		"a setting of the chat":    {in: &waE2E.Message{ProtocolMessage: &waE2E.ProtocolMessage{Type: waE2E.ProtocolMessage_EPHEMERAL_SETTING.Enum()}}, none: true},
		"an album before pictures": {in: &waE2E.Message{AlbumMessage: &waE2E.AlbumMessage{}}, none: true},
		"a picture of an album": {in: &waE2E.Message{AssociatedChildMessage: wrapped(image)},
			want: content{kind: "image", text: "mi ticket", media: &attachment{mime: "image/jpeg", size: 1234}}},
		"a call":      {in: &waE2E.Message{CallLogMesssage: &waE2E.CallLogMessage{}}, none: true},
		"nothing":     {in: &waE2E.Message{}, none: true},
		"no message":  {in: nil, none: true},
		"an own copy": {in: &waE2E.Message{DeviceSentMessage: &waE2E.DeviceSentMessage{}}, none: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := convert(c.in)
			require.Equal(t, !c.none, ok)
			if got.media != nil {
				var ref waE2E.Message
				require.NoError(t, proto.Unmarshal(got.media.ref, &ref))
				require.Empty(t, ref.GetImageMessage().GetJPEGThumbnail())
				require.Empty(t, ref.GetImageMessage().GetCaption(), "the text is in the inbox already")
				got.media.ref = nil
			}
			require.Equal(t, c.want, got)
		})
	}
}

// A message wrapped in itself without end must not hang the connection.
func TestConvertBoundsWrappers(t *testing.T) {
	m := said("hola")
	for range 50 {
		m = &waE2E.Message{EphemeralMessage: wrapped(m)}
	}
	got, ok := convert(m)
	require.True(t, ok)
	require.Equal(t, "unsupported", got.kind)
}

// unknown is a message of a field that this version of the protocol lacks.
func unknown(t *testing.T) *waE2E.Message {
	t.Helper()
	raw := protowire.AppendTag(nil, 9999, protowire.BytesType)
	raw = protowire.AppendBytes(raw, []byte("from the future"))
	var m waE2E.Message
	require.NoError(t, proto.Unmarshal(raw, &m))
	return &m
}
