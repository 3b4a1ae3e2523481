package wasim_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"github.com/qoa-conectados/qoa/bot/whatsapp/wasim"
)

func TestPicturesGoBothWays(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	picture := bytes.Repeat([]byte("qoa "), 50_000)
	a.SendImage(beto, picture, "image/png", "mi ticket")
	got := b.Next()
	require.NoError(t, got.MediaError)
	require.Equal(t, picture, got.Media)
	require.Equal(t, "mi ticket", got.Text)
	require.Equal(t, "image/png", got.MediaType)

	b.SendImage(got.Chat.String(), []byte("otra"), "image/jpeg", "")
	require.Equal(t, []byte("otra"), a.Next().Media)
	require.Equal(t, 2, s.Files())
}

func TestFilesCanBeGone(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	b.Disconnect()
	a.SendImage(beto, []byte("ticket"), "image/png", "")
	s.FailMedia(http.StatusNotFound, 1)
	require.NoError(t, b.Connect())
	require.Error(t, b.Next().MediaError)
}

func TestAnythingCanBeSent(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	a.SendMessage(beto, &waE2E.Message{LocationMessage: &waE2E.LocationMessage{DegreesLatitude: proto.Float64(19.4)}})
	got := b.Next()
	require.InDelta(t, 19.4, got.Message.GetLocationMessage().GetDegreesLatitude(), 0.001)

	b.SendMessage(ana, b.Client.BuildReaction(got.Chat, got.From, got.ID, "👍"))
	require.Equal(t, "👍", a.Next().Message.GetReactionMessage().GetText())

	a.SendMessage(beto, a.Client.BuildEdit(b.Account.PN(), got.ID, &waE2E.Message{Conversation: proto.String("ya no")}))
	edit := b.Next()
	require.Equal(t, "ya no", edit.Text)
	require.True(t, edit.Info.Edit == types.EditAttributeMessageEdit)

	a.SendMessage(beto, a.Client.BuildRevoke(b.Account.PN(), types.EmptyJID, got.ID))
	require.Equal(t, waE2E.ProtocolMessage_REVOKE, b.Next().Message.GetProtocolMessage().GetType())

	a.SendMessage(beto, a.Client.BuildPollCreation("¿café?", []string{"sí", "no"}, 1))
	require.Equal(t, "¿café?", b.Next().Message.GetPollCreationMessage().GetName())
}

func TestSameIDTwiceIsTwoEvents(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	id := a.SendText(beto, "hola")
	require.NoError(t, a.Resend(id))
	got := b.WaitFor(2)
	require.Equal(t, id, got[0].ID)
	require.Equal(t, id, got[1].ID)
	require.Error(t, a.Resend("otro"))
}

// The same stanza twice is another matter: its ciphertext can be read once.
func TestSameStanzaTwiceIsOneEvent(t *testing.T) {
	s := wasim.New(t)
	a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
	id := a.SendText(beto, "hola")
	b.Next()
	require.True(t, b.Device.Redeliver(id))
	s.Wait(t, "both to be acknowledged", func() bool { return len(b.Device.Acked()) == 2 })
	require.Len(t, b.Received(), 1)
	require.False(t, b.Device.Redeliver("otro"))
}

func TestSendersAreSeenInThreeWays(t *testing.T) {
	for name, c := range map[string]struct {
		by           wasim.Addressing
		server, alt  string
		knowsAddress bool
	}{
		"LID and number": {wasim.ByLID, types.HiddenUserServer, types.DefaultUserServer, true},
		"number and LID": {wasim.ByPhone, types.DefaultUserServer, types.HiddenUserServer, true},
		"LID alone":      {wasim.ByLIDAlone, types.HiddenUserServer, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := wasim.New(t)
			a, b := s.NewPhone(t, ana), s.NewPhone(t, beto)
			a.Account.SetAddressing(c.by)
			id := a.SendText(beto, "hola")
			got := b.Next()
			require.Equal(t, c.server, got.From.Server)
			require.Equal(t, c.alt, got.FromAlt.Server)
			pn, err := b.Client.Store.LIDs.GetPNForLID(t.Context(), a.Account.LID())
			require.NoError(t, err)
			require.Equal(t, c.knowsAddress, !pn.IsEmpty())

			require.NoError(t, b.Client.MarkRead(t.Context(), []string{id}, got.At, got.Chat, got.From))
			s.Wait(t, "the read receipt", func() bool { return a.Told(id, types.ReceiptTypeRead) })

			b.SendText(got.Chat.String(), "hola, tú")
			require.Equal(t, "hola, tú", a.Next().Text)

			// And a repetition finds its way back, whichever way it is addressed.
			a.Account.CorruptNext(1)
			b.SendText(got.Chat.String(), "otra vez")
			again := a.Next()
			require.Equal(t, "otra vez", again.Text)
			require.Equal(t, 1, again.RetryCount)
		})
	}
}

func TestNumbersCanBeLookedUp(t *testing.T) {
	s := wasim.New(t)
	a := s.NewPhone(t, ana)
	s.Account(beto)
	found, err := a.Client.IsOnWhatsApp(t.Context(), []string{beto, "+5215599999999"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.True(t, found[0].IsIn)
	require.Equal(t, s.Account(beto).LID(), found[0].JID)
	require.Equal(t, s.Account(beto).PN(), found[0].PhoneNumber)
	require.False(t, found[1].IsIn)
}

func TestOtherQueriesAreAnswered(t *testing.T) {
	s := wasim.New(t)
	a, ctx := s.NewPhone(t, ana), t.Context()
	groups, err := a.Client.GetJoinedGroups(ctx)
	require.NoError(t, err)
	require.Empty(t, groups)
	settings, err := a.Client.SetPrivacySetting(ctx, types.PrivacySettingTypeLastSeen, types.PrivacySettingNone)
	require.NoError(t, err)
	require.Equal(t, types.PrivacySettingNone, settings.LastSeen)
	blocked, err := a.Client.UpdateBlocklist(ctx, s.Account(beto).PN(), "block")
	require.NoError(t, err)
	require.Equal(t, []types.JID{s.Account(beto).LID()}, blocked.JIDs)
	blocked, err = a.Client.UpdateBlocklist(ctx, s.Account(beto).PN(), "unblock")
	require.NoError(t, err)
	require.Empty(t, blocked.JIDs)
	_, err = a.Client.GetProfilePictureInfo(ctx, s.Account(beto).PN(), nil)
	require.Error(t, err)
	require.NoError(t, a.Client.MarkNotDirty(ctx, "account_sync", a.Client.LastSuccessfulConnect))
	require.NoError(t, a.Client.FetchAppState(ctx, "regular", false, false))
}
